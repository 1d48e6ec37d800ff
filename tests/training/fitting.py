"""Runs of `fit` that end in many ways, each in a process forked off one that has torch imported already.

`test_fit_ends.py` looks at what they leave.
"""

import os
import random
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import accelerate  # noqa: F401
import matplotlib.figure  # noqa: F401
import torch
from PIL import Image, ImageDraw  # noqa: F401
from torch import Tensor, nn

from cyclekit import CycleGraph, CycleModel
from cyclekit.training import Checkpoints, FitResult, Optimisation, fit, latest_checkpoint, moving_average
from tests.model.tiny import C2GAN, networks
from tests.training.runs import with_short_history
from tests.training.small import batches, scheduled

GRAPH, STEPS = with_short_history(C2GAN), 12


class Source:
    """Batches that follow from the step alone, of which each process gets its share; something may happen at a step."""

    batch_size = 4

    def __init__(self, graph: CycleGraph = GRAPH, at: dict[int, Callable[[], object]] | None = None) -> None:
        self.all = batches(graph, count=16, samples=self.batch_size)
        self.at = at or {}

    def batches(
        self, start: int = 0, *, device: str | torch.device = "cpu", processes: int = 1, process: int = 0
    ) -> Iterator[dict[str, Tensor]]:
        share = slice(process, None, processes)
        for step in range(start, len(self.all)):
            self.at.get(step, bool)()
            yield {name: value[share].to(device) for name, value in self.all[step].items()}


def model_of(graph: CycleGraph = GRAPH, norm: str = "batch", dropout: float = 0.3) -> CycleModel:
    parts = networks(graph, norm)
    for name, network in parts["generators"].items():
        parts["generators"][name] = nn.Sequential(nn.Dropout(dropout), network)
    return graph.build(**parts).to(torch.float64)


def train(out: Path, source: Source | None = None, **options: Any) -> FitResult:
    told: dict[str, Any] = {
        "steps": STEPS,
        "optimisation": Optimisation(rate=0.02, decay="linear", constant=4, decaying=8, average=0.9),
        "checkpoints": Checkpoints(steps=2),
        "log_every": 2,
        "sample_every": 5,
        "trackers": (),
    }
    return fit(model_of(), source or Source(), out=out, **{**told, **options})


def weights(folder: Path) -> dict[str, Any]:
    """Return what a run came to: weights, their average, and everything else in its last checkpoint."""
    newest = latest_checkpoint(folder / "checkpoints")
    state = torch.load(newest / "training.pt")
    parts = {name: state["parts"][name] for name in ("step", "curves", "average") if name in state["parts"]}
    parts["step"].pop("kinds")
    return {**parts, "random": state["random"]["torch"], "name": int(newest.name.removeprefix("step-"))}


def told_to_end(number: int) -> Callable[[], object]:
    return lambda: os.kill(os.getpid(), number)


def forked(work: Callable[[], object], said: Path, meanwhile: Callable[[int], object] = bool) -> int:
    """Do something in a process of its own, its output in a file; return how it ended."""
    child = os.fork()
    if child == 0:
        with said.open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        code = 0
        try:
            work()
        except SystemExit as error:
            code = int(error.code or 0)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}")
            code = 1
        sys.stdout.flush()
        os._exit(code)
    meanwhile(child)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_after(seconds: float) -> Callable[[int], object]:
    def kill(child: int) -> None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)

    return kill


def in_processes(count: int, work: Callable[[int], object], folder: Path) -> list[int]:
    """Do something in several processes that meet over gloo, and return how each ended."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children: list[int] = []
    for rank in range(count):
        child = os.fork()
        if child == 0:
            os.environ |= {
                **{
                    "RANK": str(rank),
                    "LOCAL_RANK": str(rank),
                    "WORLD_SIZE": str(count),
                    "LOCAL_WORLD_SIZE": str(count),
                },
                **{"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "ACCELERATE_USE_CPU": "true"},
            }
            os._exit(forked(lambda rank=rank: work(rank), folder / f"said-{rank}.txt") % 256)
        children.append(child)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


KILLS = 2
"""How often a run is killed, each time at another moment."""

PLAIN = scheduled(C2GAN, history=0)


def plainly(out: Path, source: Source, **options: Any) -> None:
    """Train what two processes can do as one: no dropout, no pools, no statistics of a batch."""
    model = model_of(PLAIN, norm="instance", dropout=0)
    fit(model, source, steps=4, out=out, checkpoints=Checkpoints(steps=2), log_every=1, trackers=(), **options)


def dying(rank: int) -> Source:
    return Source(PLAIN, at={3: told_to_end(signal.SIGKILL)} if rank == 1 else {})


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    moving_average(model_of())  # everything imported, so that the forks start at once
    forked(lambda: train(folder / "whole"), folder / "whole.txt")  # Accelerate remembers whether a process is alone
    moments = random.Random(os.environ.get("MOMENTS", "0"))
    ended: dict[str, Any] = {}
    for number in range(KILLS):
        out = folder / f"killed-{number}"
        ended[out.name] = forked(
            lambda out=out: train(out, Source(at={step: lambda: time.sleep(0.02) for step in range(STEPS)})),
            folder / "said.txt",
            killed_after(moments.uniform(0.1, 1.5)),
        )
        forked(lambda out=out: train(out, resume=True), folder / f"{out.name}.txt")
    for number in (signal.SIGINT, signal.SIGTERM):
        out = folder / number.name
        ended[number.name] = forked(
            lambda out=out, number=number: train(out, Source(at={6: told_to_end(number)})),
            folder / f"{number.name}.txt",
        )
        left = sorted(path.relative_to(out).as_posix() for path in out.rglob("*"))
        ended[f"{number.name} left"] = left
        forked(lambda out=out: train(out, resume=True), folder / "said.txt")
    forked(lambda: plainly(folder / "one", Source(PLAIN)), folder / "said.txt")
    (folder / "joined").mkdir()
    ended["two"] = in_processes(2, lambda rank: plainly(folder / "two", Source(PLAIN)), folder / "joined")
    (folder / "dead").mkdir()
    ended["dead"] = in_processes(2, lambda rank: plainly(folder / "lost", dying(rank)), folder / "dead")
    torch.save(ended, folder / "ended.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
