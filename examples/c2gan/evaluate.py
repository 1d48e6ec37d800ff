"""Measure a trained C2GAN on test pairs, beside two answers that need no training.

python examples/c2gan/evaluate.py --run runs/faces
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # while Python imports, Ctrl-C ends at once, without a traceback

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
import tyro
from accelerate import Accelerator
from torch import Tensor
from torch.utils.data import DataLoader

from cyclekit import CycleKitError, CycleModel
from cyclekit.metrics import psnr, ssim
from cyclekit.training import latest_checkpoint
from data.sources import Pairs, open_split
from errors import UsageError, clear_errors
from report import print_table

Metrics = dict[str, dict[str, float]]


@torch.inference_mode()
def measure(model: CycleModel, pairs: Pairs, train_set: Pairs) -> Metrics:
    """Return mean PSNR and SSIM of y* against y, of copying x, and of the training targets' mean.

    PSNR and SSIM are of RGB images in [0, 1]; SSIM as scikit-image has it by default.
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    total, count = torch.zeros_like(pairs[0]["y"]), 0
    for batch in _batches(train_set):
        total += _image(batch["y"]).sum(0)
        count += len(batch["y"])
    mean = total / count
    scores: dict[str, list[Tensor]] = {"C2GAN": [], "copy of x": [], "mean target": []}
    for batch in _batches(pairs):
        generated = model.generate({name: batch[name].to(device) for name in ("x", "Ly")}, ["y*"])["y*"]
        y = _image(batch["y"])
        answers = {
            "C2GAN": _image(generated.cpu()),
            "copy of x": _image(batch["x"]),
            "mean target": mean.expand_as(y),
        }
        for name, answer in answers.items():
            scores[name].append(torch.stack([psnr(answer, y), ssim(answer, y)]))
    model.train(was_training)
    means = {name: torch.cat(parts, dim=1).mean(1) for name, parts in scores.items()}
    return {name: {"PSNR": round(pair[0].item(), 3), "SSIM": round(pair[1].item(), 4)} for name, pair in means.items()}


def _batches(pairs: Pairs) -> Iterator[dict[str, Tensor]]:
    return iter(DataLoader(pairs, batch_size=32))


def _image(value: Tensor) -> Tensor:
    """Return an image in [0, 1] from one in [-1, 1]."""
    return (value.float() + 1) / 2


def load_run(run: Path) -> tuple[CycleModel, dict[str, object]]:
    """Return a run's last model and its options."""
    folder = latest_checkpoint(run / "checkpoints")
    if folder is None or not (run / "options.json").is_file():
        raise UsageError(f"{run} holds no run: train one with train.py --out {run}")
    try:
        options = json.loads((run / "options.json").read_text())
        options["size"] = tuple(options["size"])
        return CycleModel.from_pretrained(folder), options
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, CycleKitError):
            raise
        raise UsageError(f"{run / 'options.json'} cannot be read as a run's options: {error}") from error


@dataclass
class Options:
    """Measure a run on its test pairs."""

    run: Path
    """The folder train.py wrote."""
    split: Literal["test", "train"] = "test"
    """Pairs it has not seen, or those it was trained on."""


def evaluate(options: Options) -> None:
    """Print a run's table."""
    model, trained = load_run(options.run)
    data = Path(str(trained["data"])) if trained["data"] else None
    splits = [
        open_split(trained["task"], data, split, trained["size"], trained["panels"])
        for split in (options.split, "train")
    ]
    model.to(Accelerator().device)
    print_table(measure(model, *splits), options.run, options.split)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and evaluate."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with clear_errors():
        evaluate(tyro.cli(Options, args=arguments))


if __name__ == "__main__":
    main()
