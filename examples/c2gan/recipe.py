"""What the library's C2GAN leaves to a run: a U-Net that fits the images, and how its terms are told apart."""

from dataclasses import replace
from typing import Literal

from cyclekit import NetworkSpec
from cyclekit.papers import Paper, Recipe

Task = Literal["faces", "persons"]
Preset = Literal["official", "paper", "supervised"]
Variant = Literal["I2I2I", "I2I2I+K2G2K", "I2I2I+K2R2K", "full", "single_modal", "non_sharing"]


def pixel_weight_of(paper: Paper) -> float:
    """Return the weight of the comparison of y* and y, masked or not."""
    return next(float(term.weight) for term in paper.graph.terms if "y* ~ y" in term.name)


def with_bright_keypoints(paper: Paper) -> Paper:
    """Return a paper whose keypoint losses weigh bright drawings on a dark ground, where they weighed dark dots."""
    turned = {"dark_foreground": "bright_foreground"}
    criteria = {name: turned.get(criterion, criterion) for name, criterion in paper.graph.criteria.items()}
    return replace(paper, graph=paper.graph.replace(criteria=criteria))


def networks_of(recipe: Recipe) -> tuple[NetworkSpec, NetworkSpec]:
    """Return C2GAN's one kind of generator, and its one kind of discriminator."""
    (unet, *_), (patchgan, *_) = (
        [spec for spec in by_name.values() if spec] for by_name in (recipe.generators, recipe.discriminators)
    )
    return unet, patchgan


def fitting_unet(size: tuple[int, int]) -> str:
    """Return the deepest U-Net that can take images of a size; the shallowest where none can, which then says why."""
    for levels, name in ((8, "unet_256"), (7, "unet_128")):
        if all(side % 2**levels == 0 for side in size):
            return name
    return "unet_64"
