"""Ask people which pictures are real: a page to hand out, and the fooling rates from the answers that come back.

python examples/c2gan/study.py make --runs runs/faces --out study.html
python examples/c2gan/study.py score answers-*.json
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # while Python imports, Ctrl-C ends at once, without a traceback

import base64
import hashlib
import io
import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import torch
import tyro
from accelerate import Accelerator
from rich.console import Console
from rich.table import Table
from torch import Tensor

from cyclekit import CycleModel
from data.sources import Pairs, open_split, sample_name
from errors import UsageError, clear_errors, make_folder
from evaluate import load_run
from measuring.judging import FAKE, REAL, read_answers, score_answers
from measuring.scoring import answers
from report import whole_file
from sheets import to_picture

PAGE = Path(__file__).parent / "study.html"
PRACTICE = 10
"""Pictures, or pairs of them, that are shown first, each with what would have been right."""

Kind = Literal["real_or_fake", "side_by_side"]


@dataclass
class Make:
    """Write a page that asks which pictures are real, or which of two looks more real."""

    runs: tuple[Path, ...]
    """Folders that train.py wrote, of one task, size and data. Each participant judges one of them, drawn by the
    page; side by side, one pair of them, or the only one beside real pictures."""
    out: Path = Path("study.html")
    """The page: one file, pictures and all."""
    kind: Kind = "real_or_fake"
    """One picture: real or made. Or two side by side: which looks more real."""
    pictures: int = 40
    """Pictures of a model that one participant judges, and as many real ones between them; side by side, pairs."""
    milliseconds: int = 1000
    """How long a picture is shown."""
    send: str | None = None
    """An address that answers are posted to; where none is given participants save a file."""
    data: Path | None = None
    """Where the pairs are; the runs' own data where it is not given."""
    seed: int = 0
    """Of which test pairs are shown."""


@dataclass
class Score:
    """Print how often each model fooled people, from the files that a page made."""

    files: tyro.conf.Positional[tuple[Path, ...]]
    """Answers, a file a participant."""
    right: int = 6
    """Who has fewer right of the ten for practice is left out; 5 is what one button pressed ten times gets."""
    out: Path | None = None
    """A file for the scores, as JSON."""


def make(options: Make) -> None:
    """Write the page."""
    if options.pictures < 1 or options.milliseconds < 1:
        raise UsageError("--pictures and --milliseconds must be 1 or more")
    policy = _origin(options.send)
    loaded = [load_run(run) for run in options.runs]
    pairs = _common_pairs(options, [trained for _, trained in loaded])
    names = _names(options.runs)
    trials = options.pictures if options.kind == "side_by_side" else 2 * options.pictures
    chosen = _choose(pairs, PRACTICE + trials, options.seed)
    made: dict[str, list[str]] = {}
    for name, (model, _) in zip(names, loaded, strict=True):
        made[REAL], made[name] = _pictures(model, pairs, chosen)

    study = _study(options, names, made)
    text = json.dumps(study).replace("<", "\\u003c")  # nothing in it ends the script
    page = PAGE.read_text(encoding="utf-8").replace("STUDY", text, 1).replace("CONNECT", policy, 1)
    make_folder(options.out.parent)
    whole_file(options.out, lambda file: file.write_text(page, encoding="utf-8"))
    print(f"{options.out}: study {study['study']}, {trials} trials after {PRACTICE}, {len(page) / 2**20:.1f} MB")


def _origin(address: str | None) -> str:
    """Return what a page may speak to, as its policy has it."""
    if address is None:
        return "'none'"
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or not re.fullmatch(r"[!#-&(-:<-~]+", address):
        raise UsageError(f"--send {address}: expected an address that begins with https:// or http://")
    return f"{parts.scheme}://{parts.netloc}"


def _common_pairs(options: Make, trained: Sequence[Mapping[str, Any]]) -> Pairs:
    """Return the test pairs that every run is asked for."""
    for run, other in zip(options.runs, trained, strict=True):
        for name in ("task", "size", "data", "panels"):
            if other.get(name) != trained[0].get(name) and not (name == "data" and options.data):
                raise UsageError(
                    f"{run} was trained with {name} {other.get(name)}, {options.runs[0]} with {trained[0].get(name)}: "
                    "make a study of each"
                )
    own = Path(str(trained[0]["data"])) if trained[0].get("data") else None
    panels = str(trained[0].get("panels") or "x y Ly Lx")
    return open_split(trained[0]["task"], options.data or own, "test", trained[0]["size"], panels)


def _names(runs: Sequence[Path]) -> list[str]:
    """Return what runs are called in the answers: by their folders, or by their paths where that is not enough."""
    names = [run.resolve().name for run in runs]
    if len({*names, REAL, FAKE}) < len(names) + 2:
        names = [run.as_posix() for run in runs]
    if len({*names, REAL, FAKE}) < len(names) + 2:
        raise UsageError(f"--runs {' '.join(names)}: expected folders of different names, none of them real or fake")
    return names


def _choose(pairs: Pairs, count: int, seed: int) -> list[int]:
    """Return pairs of as many different targets, so that nobody sees one twice."""
    order = random.Random(seed).sample(range(len(pairs)), len(pairs))
    of_target = {sample_name(pairs, index)[1]: index for index in order}
    if len(of_target) < count:
        mend = "fewer --pictures, or other --data" if len(of_target) > PRACTICE + 1 else "take other --data"
        raise UsageError(
            f"the test pairs have {len(of_target)} different targets, and the study needs {count}, {PRACTICE} of them "
            f"for practice: {mend}"
        )
    return list(of_target.values())[:count]


@torch.inference_mode()
def _pictures(model: CycleModel, pairs: Pairs, chosen: Sequence[int]) -> tuple[list[str], list[str]]:
    """Return the real targets and what a model makes of them, as PNG in the text of a page."""
    model.eval().to(Accelerator().device)
    found = list(answers(model, pairs, chosen, 32))
    real, made = ([_png(image) for one in found for image in getattr(one, part)] for part in ("y", "made"))
    return real, made


def _png(image: Tensor) -> str:
    file = io.BytesIO()
    to_picture(image, image.shape[1]).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def _study(options: Make, names: Sequence[str], made: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return what the page is made of: pictures, and for each model or pair of them the trials of a participant."""
    alone = options.kind == "real_or_fake" or len(names) == 1
    betweens = [(REAL, name) for name in names] if alone else list(combinations(names, 2))
    pictures: dict[str, int] = {}

    def trial(between: tuple[str, str], place: int) -> dict[str, Any]:
        shown: tuple[str, ...] = between
        if options.kind == "real_or_fake":
            shown = (between[place % 2],)
        elif REAL not in between and place < PRACTICE:  # of two models nobody knows which one is right
            shown = (REAL, between[place % 2])
        numbers = [pictures.setdefault(made[name][place], len(pictures)) for name in shown]
        return {"trial": place, "shown": shown, "pictures": numbers}

    arms: list[dict[str, Any]] = []
    for between in betweens:
        trials = [trial(between, place) for place in range(len(made[REAL]))]
        arms.append({"between": between, "practice": trials[:PRACTICE], "trials": trials[PRACTICE:]})
    study = {"kind": options.kind, "milliseconds": options.milliseconds, "send": options.send, "arms": arms}
    study["pictures"] = list(pictures)
    return {"study": hashlib.sha256(json.dumps(study).encode()).hexdigest()[:12], **study}


def score(options: Score) -> None:
    """Print the rates."""
    if not options.files:
        raise UsageError("no files: study.py score FILES")
    found = score_answers([read_answers(file) for file in options.files], options.right)
    if options.out is not None:
        make_folder(options.out.parent)
        text = json.dumps(found, indent=2) + "\n"
        whole_file(options.out, lambda file: file.write_text(text, encoding="utf-8"))
    rates = ("G2R", "R2G") if found["kind"] == "real_or_fake" else ("preferred",)
    table = Table(f"study {found['study']}", *(f"{rate}, %" for rate in rates), "kappa", "participants", "left out")
    for name, one in found["scores"].items():
        kappa = "" if one["kappa"] is None else f"{one['kappa']:.2f}"
        shares = [_percent(one[rate]) for rate in rates]
        table.add_row(name, *shares, kappa, str(one["participants"]), str(len(one["left out"])))
    console = Console(width=110)
    console.print(table)
    for file in [file for one in found["scores"].values() for file in one["left out"]]:
        console.print(
            f"left out: {file}, fewer than {options.right} right in practice", soft_wrap=True, highlight=False
        )


def _percent(share: Mapping[str, float | None]) -> str:
    """Return a share as papers have it, with its 95% interval."""
    mean, low, high = (None if share[name] is None else f"{100 * share[name]:.1f}" for name in ("mean", "low", "high"))
    return f"{mean}" if low is None else f"{mean} ({low} to {high})"


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, and make a page or score answers."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with clear_errors():
        options = tyro.cli(Make | Score, args=arguments)
        make(options) if isinstance(options, Make) else score(options)


if __name__ == "__main__":
    main()
