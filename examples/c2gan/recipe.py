"""C2GAN as a graph, and the two ways to train it: as the paper says, and as its authors' code does."""

from dataclasses import dataclass
from typing import Literal

from cyclekit import CycleGraph, Domain, Image, Schedule

Task = Literal["faces", "persons"]


@dataclass(frozen=True)
class Preset:
    """What the paper's text and the released code do differently; docs/paper_and_practice.md has the whole list."""

    adversarial: str
    schedule: Schedule
    init: str
    decays: bool
    batch: dict[Task, int]


PRESETS = {
    "paper": Preset(
        adversarial="log",
        schedule=Schedule.sequential("G_I", "D_I", "G_K", "D_K"),
        init="normal",
        decays=False,
        batch={"faces": 16, "persons": 4},
    ),
    "official": Preset(
        adversarial="lsgan",
        schedule=Schedule(),
        init="c2gan",
        decays=True,
        batch={"faces": 8, "persons": 8},
    ),
}


def c2gan(keypoints: Domain, preset: Preset, pixel_weight: float = 10) -> CycleGraph:
    """Declare C2GAN for images and keypoints drawn as pictures or as heatmaps."""
    return CycleGraph(
        signals={"x": Image(3), "y": Image(3), "Lx": keypoints, "Ly": keypoints},
        cycles="""
            I2I2I: [x, Ly]  -G_I-> y* ; [y*, Lx] -G_I-> x* ~ x      # Eq. 1, 5
            K2G2K: [x, Ly]  -G_I-> y* -G_K-> Ly* ~ Ly               # Eq. 6, 11
            K2R2K: [y*, Lx] -G_I-> x* -G_K-> Lx* ~ Lx               # Eq. 7, 11
        """,
        adversaries="""
            D_I: [x, Ly, y*] vs [x, Ly, y]                          # Eq. 2
            D_I: [y, Lx, x*] vs [y, Lx, x]                          # Eq. 3
            D_K: [y*, Ly*]   vs [y*, Ly]                            # Eq. 8
            D_K: [x*, Lx*]   vs [x*, Lx]                            # Eq. 9
        """,
        losses="y* ~ y                                              # Eq. 12",
        weights={"I2I2I": 10, "K2G2K": 10, "K2R2K": 10, "y* ~ y": pixel_weight},
        adversarial=preset.adversarial,
        schedule=preset.schedule,
    )


def fitting_unet(size: tuple[int, int]) -> str:
    """Return the deepest U-Net that can take images of a size; the shallowest where none can, which then says why."""
    for levels, name in ((8, "unet_256"), (7, "unet_128")):
        if all(side % 2**levels == 0 for side in size):
            return name
    return "unet_64"
