"""Train a pose estimator on real images, for train.py to put in G_K's place while G_K is young.

python examples/c2gan/estimator.py --out runs/estimator
python examples/c2gan/train.py --task persons --preset paper --estimator runs/estimator/pose.pt2
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # while Python imports, Ctrl-C ends at once, without a traceback

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import tyro

from cyclekit import CycleGraph, Heatmap, Image, NetworkSpec
from cyclekit.training import Optimisation, fit
from data.manifest import Manifest
from data.sources import batch_of_pairs, batches_of, is_manifest, open_split, spread
from errors import UsageError, clear_errors, first_process, make_folder
from measuring.collapse import look_at_reader, verdict
from recipe import fitting_unet
from report import whole_file

PROGRAM = "pose.pt2"


@dataclass
class Options:
    """Train a pose estimator on the training pairs' real images: no generated image is ever shown to it."""

    out: Path
    """Where the estimator goes: OUT/pose.pt2, a program of torch.export."""
    data: Path | None = None
    """A manifest of persons; the embedded persons where it is not given."""
    size: Annotated[tuple[int, int] | None, tyro.conf.arg(metavar="HEIGHT WIDTH")] = None
    """Image size; the manifest's, or 128 64."""
    steps: int = 600
    """Training steps."""
    batch: int = 4
    """Pairs a step, of two images each."""
    base_channels: int = 16
    """Width of its U-Net."""
    learning_rate: float = 1e-3
    """Adam's rate, which falls to 0 over the second half."""
    seed: int = 0
    """Of weights and data order."""


def estimate(options: Options) -> None:
    """Train, write the program, and print how near it finds the joints of persons it has not seen."""
    if options.data is not None and not is_manifest(options.data):
        raise UsageError(f"--data {options.data}: takes a manifest of persons, written by prepare.py")
    if min(options.steps, options.batch, options.base_channels) < 1:
        raise UsageError("--steps, --batch and --base-channels must be 1 or more")
    known = (128, 64) if options.data is None else Manifest.read(options.data).size
    size = options.size or known
    train_set, test_set = (open_split("persons", options.data, split, size, "") for split in ("train", "test"))
    torch.manual_seed(options.seed)
    model = reader_graph().build(
        generators=NetworkSpec(
            fitting_unet(size),
            base_channels=options.base_channels,
            norm="batch",
            dropout=0.0,
            upsample="nearest",
            full_resolution=True,
        ),
        size=size,
    )
    make_folder(options.out)
    half = options.steps // 2
    result = fit(
        model,
        batches_of(train_set, options.batch, options.seed),
        steps=options.steps,
        out=options.out,
        optimisation=Optimisation(
            rate=options.learning_rate, decay="linear", constant=options.steps - half, decaying=half
        ),
        seed=options.seed,
        samples=batch_of_pairs(test_set, spread(len(test_set), 6)),
    )
    if first_process():
        reader = result.model.generators["G_K"].cpu().eval()
        write_program(reader, size, options.out / PROGRAM)
        print(verdict(look_at_reader(reader, test_set, heatmaps=True), "estimator"))
        print(f"estimator: {options.out / PROGRAM}")


def reader_graph() -> CycleGraph:
    """Return what a reader of keypoints learns: the keypoints of real images, and nothing else."""
    return CycleGraph(
        signals={"x": Image(3), "y": Image(3), "Lx": Heatmap(18), "Ly": Heatmap(18)},
        losses="real_x: x -G_K-> _ ~ Lx ; real_y: y -G_K-> _ ~ Ly",
        criteria={"real_x": "bright_foreground", "real_y": "bright_foreground"},
    )


def write_program(reader: torch.nn.Module, size: tuple[int, int], file: Path) -> None:
    """Write a network as a program that takes any number of images in [-1, 1]."""
    reader.requires_grad_(False)
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(reader, (torch.zeros(2, 3, *size),), dynamic_shapes=({0: batch},))
    whole_file(file, lambda draft: torch.export.save(program, draft))


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and train."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with clear_errors():
        estimate(tyro.cli(Options, args=arguments))


if __name__ == "__main__":
    main()
