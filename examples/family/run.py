"""Train the models of the family, each on what is drawn for it, and score what they make against the truth.

python examples/family/run.py
python examples/family/run.py pix2pix cyclegan --out runs/family

A model that is finished is not trained again, and one that was stopped goes on where it was.
"""

import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # while Python imports, Ctrl-C ends at once, without a traceback
sys.path.append(str(Path(__file__).parents[1] / "c2gan"))  # its soft shapes and faces draw the scenes here, too

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import tyro
from torch.optim.optimizer import register_optimizer_step_post_hook

from cyclekit import CycleModel, NetworkSpec
from cyclekit.data import SignalLoader
from cyclekit.graph import GraphWarning
from cyclekit.training import Checkpoints, Optimisation, fit
from measuring.clock import clocked, processor
from members import MEMBERS, Member
from scene import SIZE
from score import score
from strip import draw_strip
from tasks import Counts

RESULT, STRIP = "result.json", "strip.png"


def build(member: Member) -> CycleModel:
    """Return a member's model."""
    graph = member.paper.graph
    with warnings.catch_warnings():
        if member.clip is not None:
            warnings.simplefilter("ignore", GraphWarning)  # that a critic's weights are to be clipped
        return member.paper.build(
            generators=_each(member.generators, graph.generators),
            discriminators=_each(member.discriminators, graph.discriminators),
            size=SIZE,
        )


def optimisation(member: Member) -> Optimisation:
    """Return the paper's optimiser at the member's rate, which stays for half of the steps and then falls to 0."""
    recipe = member.paper.recipe
    half = member.steps // 2
    return Optimisation(
        optimizer=recipe.optimizer,
        rate=member.rate,
        betas=recipe.betas,
        weight_decay=recipe.weight_decay,
        decay="linear",
        constant=half,
        decaying=member.steps - half,
    )


@contextmanager
def clipped(discriminators: torch.nn.Module, bound: float | None) -> Iterator[None]:
    """Clip discriminators' weights after every step of an optimiser, as DualGAN's critics want it."""
    if bound is None:
        yield
        return

    @torch.no_grad()
    def clip(*_: object) -> None:
        for weight in discriminators.parameters():
            weight.clamp_(-bound, bound)

    hook = register_optimizer_step_post_hook(clip)
    try:
        yield
    finally:
        hook.remove()


def described(member: Member, counts: Counts) -> dict[str, str]:
    """Return all that a member's result follows from."""
    told = ("generators", "discriminators", "steps", "batch", "rate", "clip")
    return {
        "graph": str(member.paper.graph),
        **{name: repr(getattr(member, name)) for name in told},
        "counts": repr(counts),
    }


def train(name: str, member: Member, counts: Counts, out: Path) -> dict[str, Any]:
    """Train a member in its folder, unless that is done, and return what it came to."""
    settings = described(member, counts)
    if (out / RESULT).is_file():
        result = json.loads((out / RESULT).read_text(encoding="utf-8"))
        if result["settings"] != settings:
            raise SystemExit(
                f"error: {out} holds a {name} that was trained otherwise; remove it, or choose another --out"
            )
        return result
    task = member.task(member.paper.graph, counts)
    torch.manual_seed(counts.seed)
    model = build(member)
    with clipped(model.discriminators, member.clip), clocked(out / "seconds.txt"):
        fit(
            model,
            SignalLoader(task.train, member.batch, seed=counts.seed),
            steps=member.steps,
            out=out,
            optimisation=optimisation(member),
            resume=True,
            seed=counts.seed,
            checkpoints=Checkpoints(minutes=1),
            trackers=(),
            options={"family": settings},
        )
    draw_strip(model, task.questions, out / STRIP)
    result = {
        "settings": settings,
        "scores": {question.label: score(model, question) for question in task.questions},
        "steps": member.steps,
        "seconds": round(float((out / "seconds.txt").read_text())),
        "seed": counts.seed,
        "processor": processor(),
    }
    (out / RESULT).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return result


@dataclass
class Options:
    """Train and score models of the family."""

    models: tyro.conf.Positional[tuple[str, ...]] = ()
    """Which of them; all where none is named."""
    out: Path = Path("runs/family")
    """A folder for all of them."""
    threads: int = 1
    """Cores to use."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, train, and print the scores."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    options = tyro.cli(Options, args=arguments)
    if unknown := [name for name in options.models if name not in MEMBERS]:
        raise SystemExit(f"error: the family has no {unknown[0]!r}; it is {', '.join(MEMBERS)}")
    torch.set_num_threads(options.threads)
    for name in options.models or MEMBERS:
        result = train(name, MEMBERS[name], Counts(), options.out / name)
        print(f"{name}, {result['steps']} steps, {result['seconds']} s: PSNR (dB) and SSIM, of a copy, of the mean")
        for label, scores in result["scores"].items():
            said = ", ".join(f"{one['psnr']:.2f} {one['ssim']:.3f}" for one in scores.values())
            print(f"  {label}: {said}")


def _each(choice: NetworkSpec | Mapping[str, NetworkSpec], names: Sequence[str]) -> dict[str, NetworkSpec]:
    return dict(choice) if isinstance(choice, Mapping) else dict.fromkeys(names, choice)


if __name__ == "__main__":
    main()
