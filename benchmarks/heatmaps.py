"""Rendering 16 x 68 heatmaps of 256² against nothing but writing that memory.

Variants take turns in one process; the median of each is printed, and its ratio to the floor. Run with
`python benchmarks/heatmaps.py [repeats]`.
"""

import sys
import time
from statistics import median

import torch
from kornia.geometry.subpix import render_gaussian2d

from cyclekit.keypoints import render_heatmaps

BATCH, JOINTS, SIZE, SIGMA = 16, 68, (256, 256), 6.0


def main(repeats: int) -> None:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    points = torch.rand(BATCH, JOINTS, 2, device=device) * 256
    sigmas = torch.full_like(points, SIGMA)
    rows = torch.rand(BATCH, JOINTS, 256, 1, device=device)
    variants = {
        "floor: torch.full": lambda: torch.full((BATCH, JOINTS, *SIZE), 0.5, device=device),
        "one outer product": lambda: rows * rows.mT,
        "render_heatmaps": lambda: render_heatmaps(points, SIZE, SIGMA),
        "kornia render_gaussian2d": lambda: render_gaussian2d(points, sigmas, SIZE, False),
    }
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for turn in range(repeats + 1):
        for name, render in variants.items():
            start = time.perf_counter()
            render()
            if device == "cuda":
                torch.cuda.synchronize()
            if turn:  # the first is a warm-up
                seconds[name].append(time.perf_counter() - start)
    floor = median(seconds["floor: torch.full"])
    gigabytes = BATCH * JOINTS * SIZE[0] * SIZE[1] * 4 / 1e9
    print(f"torch {torch.__version__}, {device}, {torch.get_num_threads()} threads, {repeats} repeats")
    for name, times in seconds.items():
        middle = median(times)
        print(f"{name:26} {middle * 1e3:9.2f} ms {gigabytes / middle:8.1f} GB/s  x{middle / floor:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
