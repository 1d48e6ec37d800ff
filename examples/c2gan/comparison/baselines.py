"""The models that C2GAN is compared with, on its data: PG2, DPIG, PoseGAN and GP-GAN.

They have their papers' networks and losses, but all compare pixels by the weight that C2GAN does: at the rate and over
the few steps that all share, discriminators win against the weights of 10 and 20 that were published.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from comparison.deformable import warp
from comparison.variants import Batch, Feed, Row, Setup, Stage, variant, with_mask
from cyclekit import CycleGraph, NetworkSpec, papers
from cyclekit.papers import Paper

FOR_ONE_SIZE = ("pg2_coarse", "pg2_dcgan", "dpig_encoder")
"""Networks whose linear layers are made for one size of images."""
WIDE = (*FOR_ONE_SIZE, "pg2_refine")
"""Networks that are as wide as they are told."""
DPIG_RATE = 0.3
"""Of the rate that all others take: at 1e-3 its generator, without normalisation, is saturated within ten steps."""


def faces(setup: Setup) -> dict[str, Row]:
    """Return the rows of Table 2."""
    return {
        "gpgan": Row(title="GPGAN", stages=(gpgan(setup),), published={"AMT": 0.3, "SSIM": 0.8185, "PSNR": 18.7211}),
        "pg2": Row(title="PG2", stages=pg2(setup), published={"AMT": 28.4, "SSIM": 0.8462, "PSNR": 20.1462}),
        "c2gan": Row(title="C2GAN", stages=(variant(setup),), published={"AMT": 34.2, "SSIM": 0.8618, "PSNR": 21.9192}),
    }


def persons(setup: Setup) -> dict[str, Row]:
    """Return the rows of Table 3."""
    appearance, drawn = dpig(setup)
    names = ("AMT R2G", "AMT G2R", "SSIM", "IS", "mask-SSIM", "mask-IS")
    return {
        "pg2": Row(
            title="PG2",
            stages=pg2(setup),
            published=dict(zip(names, (11.2, 5.5, 0.253, 3.460, 0.792, 3.435), strict=True)),
        ),
        "dpig": Row(title="DPIG, x's appearance", stages=(appearance,)),
        "dpig_drawn": Row(
            title="DPIG, appearance drawn",
            stages=(appearance, drawn),
            published=dict(zip(names[2:], (0.099, 3.483, 0.614, 3.491), strict=True)),
        ),
        "posegan": Row(
            title="PoseGAN",
            stages=(posegan(setup),),
            published=dict(zip(names, (22.7, 50.2, 0.290, 3.185, 0.805, 3.502), strict=True)),
        ),
        "c2gan": Row(
            title="C2GAN",
            stages=(variant(setup),),
            published=dict(zip(names, (23.2, 46.7, 0.282, 3.349, 0.811, 3.510), strict=True)),
        ),
    }


def gpgan(setup: Setup) -> Stage:
    """Return GP-GAN without its gender: no data here says it, nor are VGG's features compared."""
    graph = papers.gpgan(perceptual=False).graph.without("gender")
    graph = CycleGraph(
        {"Ly": setup.keypoints, "y": graph.signals["y"]},
        maps="Ly -G-> y*",
        adversaries="D: [Ly, y*] vs [Ly, y]",
        losses=graph.losses,
        weights={"y* ~ y": setup.pixel_weight},
        schedule=graph.schedule,
    )
    return Stage(
        name="gpgan",
        graph=graph,
        generators={"G": setup.unet},
        discriminators={"D": setup.patchgan},
    )


def pg2(setup: Setup) -> tuple[Stage, Stage]:
    """Return PG2's two stages: a coarse image, then the difference to a sharp one."""

    def stage(name: Literal["first", "second"]) -> Stage:
        paper = papers.pg2(stage=name)
        graph = paper.graph.replace(signals={**paper.graph.signals, "Ly": setup.keypoints})
        graph = graph.reweight({"masked": setup.pixel_weight})
        return _stage(name, setup, graph, with_mask(setup), _specs(paper))

    return stage("first"), stage("second")


def dpig(setup: Setup) -> tuple[Stage, Stage]:
    """Return DPIG's two stages: a person taken apart and drawn again, then appearances drawn from noise.

    The first one learns from images alone: the pose that it draws is the image's own; y* is what it draws in another.
    """
    first, second = papers.dpig(), papers.dpig(stage="second")
    renamed = CycleGraph(
        {"x": first.graph.signals["x"], "Ly": setup.keypoints, "e": first.graph.signals["e"]},
        maps="x -E-> e ; [e, Ly] -G-> y*",
        adversaries="D: y* vs x",
        losses="y* ~ x",
        weights={"y* ~ x": setup.pixel_weight},
        adversarial=first.graph.adversarial,
        schedule=first.graph.schedule,
    )
    drawn = second.graph.replace(
        signals={**second.graph.signals, "Ly": setup.keypoints, "y*": first.graph.signals["x"]},
        maps=f"{second.graph.maps} ; [e*, Ly] -G-> y*",
        frozen=["E", "G"],
    )

    def own_pose(batch: Batch) -> Batch:
        return {"x": batch["x"], "Ly": batch["Lx"]}

    return (
        replace(_stage("first", setup, renamed, own_pose, _specs(first)), rate=DPIG_RATE),
        replace(_stage("second", setup, drawn, own_pose, {**_specs(first), **_specs(second)}), rate=DPIG_RATE),
    )


def posegan(setup: Setup) -> Stage:
    """Return PoseGAN with its skip warped limb by limb.

    Pixels are compared, not VGG's features; `nearest_neighbour` adds up three channels where L1 takes their mean.
    """
    features = 4 * setup.base_channels
    paper = papers.posegan(setup.keypoints.channels, features)
    graph = paper.graph.reweight({"nearest_neighbour(y* ~ y)": setup.pixel_weight / 3})
    encoder = NetworkSpec("resnet_encoder")
    return Stage(
        name="posegan",
        graph=graph,
        generators={"E_x": encoder, "E_L": encoder, "Dec": NetworkSpec("resnet_decoder", upsample="nearest")},
        discriminators={"D": setup.patchgan},
        functions={"warp": warp},
    )


def _stage(name: str, setup: Setup, graph: CycleGraph, feed: Feed, specs: Mapping[str, NetworkSpec | None]) -> Stage:
    """Return a stage with published networks, as wide as all others here, and made for the size."""
    return Stage(
        name=name,
        graph=graph,
        generators={network: _sized(specs[network], setup) for network in graph.generators},
        discriminators={network: _sized(specs[network], setup) for network in graph.discriminators},
        feed=feed,
    )


def _specs(paper: Paper) -> dict[str, NetworkSpec | None]:
    return {**paper.recipe.generators, **paper.recipe.discriminators}


def _sized(spec: NetworkSpec | None, setup: Setup) -> NetworkSpec | None:
    if spec is None or spec.name not in WIDE:
        return spec
    sized = {"image_size": setup.size} if spec.name in FOR_ONE_SIZE else {}
    return NetworkSpec(spec.name, **{**spec.options, "base_channels": setup.base_channels, **sized})
