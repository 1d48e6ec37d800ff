"""Pictures a second that `SignalLoader` gives, with 0, 1 and 2 workers, beside what a training step eats.

The floor is Pillow alone, decoding the same files one after the other in this process. Pictures are pairs of panels of
256², smooth colours with a little noise, written by this script. Variants take turns; medians are printed.
Run with `python benchmarks/loading.py [repeats]`.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from cyclekit import NetworkSpec, papers
from cyclekit.data import BatchTransform, Panels, SignalLoader
from cyclekit.training import AdversarialStep, create_optimizers

COUNT, BATCH, SIDE = 32, 8, 256
TURN = 8
"""Batches a turn, after two that warm up: with workers these are many enough that what was read ahead counts little."""
WANTED = (250, 500)
"""Pictures a second that a step on a large GPU eats, with the paper's networks at 256²."""


def write(folder: Path, suffix: str) -> Path:
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(COUNT):
        coarse = Image.fromarray(random.integers(0, 256, (16, 32, 3), dtype=np.uint8))
        fine = random.normal(0, 6, (SIDE, 2 * SIDE, 3))
        pixels = np.asarray(coarse.resize((2 * SIDE, SIDE), Image.Resampling.BICUBIC)) + fine
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{number}{suffix}")
    return folder


class Rate(NamedTuple):
    """Pairs a second, and the milliseconds of a processor that each takes from the training process."""

    pairs: float
    own: float


def rate(batches: Callable[[], object], count: int) -> Rate:
    start, own = time.perf_counter(), time.process_time()
    batches()
    return Rate(count / (time.perf_counter() - start), 1e3 * (time.process_time() - own) / count)


def decoded(folder: Path) -> Rate:
    """Return pairs a second of Pillow alone."""
    files = sorted(folder.iterdir())

    def read() -> None:
        for file in files:
            with Image.open(file) as picture:
                picture.load()

    return rate(read, len(files))


def loaded(data: Panels, workers: int) -> Rate:
    """Return pairs a second of the loader, mirrored and in the model's range."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    loader = SignalLoader(data, BATCH, transform=BatchTransform(data, flip=0.5), workers=workers)
    batches = loader.batches(device=device)
    list(islice(batches, 2))
    found = rate(lambda: list(islice(batches, TURN)), TURN * BATCH)
    batches.close()
    return found


def eaten(data: Panels) -> Rate:
    """Return pairs a second of a small pix2pix's training step, its batch at hand."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = papers.pix2pix().graph.build(
        generators=NetworkSpec("unet_256", base_channels=16),
        discriminators=NetworkSpec("patchgan_70", base_channels=16),
        size=(SIDE, SIDE),
    )
    model.to(device)
    step = AdversarialStep(model, create_optimizers(model, lambda weights: torch.optim.Adam(weights, 2e-4)))
    batch = next(SignalLoader(data, BATCH).batches(device=device))

    def run() -> None:
        step(batch)
        if device == "cuda":
            torch.cuda.synchronize()

    run()
    return rate(run, BATCH)


def main(repeats: int) -> None:
    with tempfile.TemporaryDirectory() as root:
        folders = {name: write(Path(root, name), f".{name}") for name in ("jpeg", "png")}
        data = {name: Panels(folder, "x y") for name, folder in folders.items()}
        variants: dict[str, Callable[[], Rate]] = {"step of a small pix2pix": lambda: eaten(data["jpeg"])}
        for name in folders:
            variants[f"{name}, Pillow alone (floor)"] = lambda name=name: decoded(folders[name])
            for workers in (0, 1, 2):
                variants[f"{name}, {workers} workers"] = lambda name=name, workers=workers: loaded(data[name], workers)
        rates: dict[str, list[Rate]] = {name: [] for name in variants}
        for _ in range(repeats):
            for name, run in variants.items():
                rates[name].append(run())
    pace = {name: median(rate.pairs for rate in found) for name, found in rates.items()}
    step = pace["step of a small pix2pix"]
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, pairs of {SIDE}², {repeats} repeats")
    print(f"{'':30}{'pairs/s':>9}{'own ms':>8}{'of Pillow':>11}{'of the step':>13}", *(f"of {n:4}" for n in WANTED))
    for name, found in rates.items():
        floor = pace.get(f"{name.partition(',')[0]}, Pillow alone (floor)", pace[name])
        own = median(rate.own for rate in found)
        wanted = "".join(f"{pace[name] / eats:8.2f}" for eats in WANTED)
        print(f"{name:30}{pace[name]:9.1f}{own:8.2f}{pace[name] / floor:11.2f}{pace[name] / step:13.1f}{wanted}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
