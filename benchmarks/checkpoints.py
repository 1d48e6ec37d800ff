"""How long a step is held up by a checkpoint: written in the loop, and by a thread from a copy.

python benchmarks/checkpoints.py
"""

import tempfile
import time
from pathlib import Path
from statistics import median

import torch

from cyclekit import CycleGraph, Image, NetworkSpec
from cyclekit.training import Checkpoints, Optimisation, create_optimizers
from cyclekit.training.step import AdversarialStep
from cyclekit.training.writer import CheckpointWriter

WIDTH, ROUNDS = 16, 5
FULL = 217e6
"""Weights of C2GAN at full width."""


def main() -> None:
    torch.manual_seed(0)
    graph = CycleGraph({"x": Image(), "y": Image()}, maps="x -G-> y*", losses="y* ~ y")
    model = graph.build(generators=NetworkSpec("unet_256", base_channels=WIDTH))
    optimizers = create_optimizers(model, lambda weights: Optimisation().create(model, weights))
    step = AdversarialStep(model, optimizers)
    step({name: torch.rand(1, 3, 256, 256) * 2 - 1 for name in "xy"})  # so that Adam has its state
    held: dict[bool, list[float]] = {False: [], True: []}
    with tempfile.TemporaryDirectory() as folder:
        writers = {b: CheckpointWriter(Path(folder, str(b)), Checkpoints(background=b)) for b in held}
        for number in range(1, ROUNDS + 1):
            for background, writer in writers.items():
                start = time.perf_counter()
                writer.save(number, model, {"step": step})
                held[background].append(time.perf_counter() - start)
                writer.wait()
    count = sum(weight.numel() for weight in model.parameters())
    loop, thread = median(held[False]), median(held[True])
    print(f"{count / 1e6:.1f} M weights with Adam's state ({count / FULL:.3f} of C2GAN's full width)")
    print(f"in the loop {loop:.3f} s, by a thread {thread:.3f} s: a step is held up {loop / thread:.1f} times as long")


if __name__ == "__main__":
    main()
