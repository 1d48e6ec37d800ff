"""DPIG: a person taken apart into appearance, background and pose, then drawn from noise."""

from typing import Literal

from cyclekit._spec import NetworkSpec
from cyclekit.graph import CycleGraph, Heatmap, Image, Noise, Schedule, Vector
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper


@register_paper("dpig")
def dpig(joints: int = 18, stage: Literal["first", "second"] = "first", embedding: int = 32) -> Paper:
    """Return DPIG for whole images, or the second stage, which draws their embeddings.

    Args:
        joints: Channels of the pose.
        stage: The first one takes a person apart and draws it again; the second one maps noise to its embeddings,
            the encoder frozen.
        embedding: Length of the appearance's embedding.

    Returns:
        The paper.
    """
    encoder = NetworkSpec("dpig_encoder", image_size=(128, 64))
    if stage == "first":
        graph = CycleGraph(
            {"x": Image(3), "P": Heatmap(joints), "e": Vector(embedding)},
            maps="x -E-> e ; [e, P] -G-> x*",
            adversaries="D: x* vs x",
            losses="x* ~ x",
            weights={"x* ~ x": 20},
            adversarial="nonsaturating",
            schedule=Schedule(history=0),
        )
        recipe = Recipe(
            generators={"E": encoder, "G": NetworkSpec("pg2_coarse")},
            discriminators={"D": NetworkSpec("pg2_dcgan")},
            size=(128, 64),
            batch=16,
            rate=2e-5,
            decay="none",
            constant=120_000,
            unit="steps",
        )
    else:
        graph = CycleGraph(
            {"x": Image(3), "e": Vector(embedding), "z": Noise(embedding), "e*": Vector(embedding)},
            maps="x -E-> e ; z -F-> e*",
            adversaries="D: e* vs e + wgan_gp",
            weights={"wgan_gp": 10},
            adversarial="wgan",
            frozen=["E"],
            schedule=Schedule(
                order=("discriminators", "generators"), discriminator_steps=5, discriminator_scale=1, history=0
            ),
        )
        recipe = Recipe(
            generators={"E": encoder, "F": NetworkSpec("residual_mlp")},
            discriminators={"D": NetworkSpec("mlp")},
            size=(128, 64),
            batch=16,
            rate=2e-5,
            decay="none",
            constant=60_000,
            unit="steps",
        )
    return Paper(
        source=Source(
            "Disentangled Person Image Generation",
            "Liqian Ma, Qianru Sun, Stamatios Georgoulis, Luc Van Gool, Bernt Schiele, Mario Fritz",
            "CVPR 2018",
            "1712.02621",
            "charliememory/Disentangled-Person-Image-Generation",
        ),
        supervision="images with keypoints",
        graph=graph,
        recipe=recipe,
        notes=(
            "The paper encodes seven regions of the body and the background apart, which a function that crops them "
            "says "
            "as more signals; here the whole image is one.",
            "The released second stage draws noise of standard deviation 0.2.",
            "Whether its critic is a WGAN with a gradient penalty or DCGAN's differs between the paper's parts.",
        ),
    )
