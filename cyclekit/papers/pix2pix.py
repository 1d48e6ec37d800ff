"""pix2pix: a conditional GAN and an L1 loss."""

from cyclekit._spec import NetworkSpec
from cyclekit.graph import CycleGraph, Image, Schedule
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper


@register_paper("pix2pix")
def pix2pix(channels: int = 3, out_channels: int = 3) -> Paper:
    """Return pix2pix for images of some channels.

    Args:
        channels: Of the images it takes.
        out_channels: Of the images it makes.

    Returns:
        The paper.
    """
    graph = CycleGraph(
        signals={"x": Image(channels), "y": Image(out_channels)},
        maps="x -G-> y*",
        adversaries="D: [x, y*] vs [x, y]  # Eq. 1",
        losses="y* ~ y                     # Eq. 3",
        weights={"y* ~ y": 100},
        adversarial="nonsaturating",
        schedule=Schedule(history=0),
    )
    recipe = Recipe(
        generators={"G": NetworkSpec("unet_256", norm="batch")},
        discriminators={"D": NetworkSpec("patchgan_70", norm="batch")},
    )
    return Paper(
        source=Source(
            "Image-to-Image Translation with Conditional Adversarial Networks",
            "Phillip Isola, Jun-Yan Zhu, Tinghui Zhou, Alexei A. Efros",
            "CVPR 2017",
            "1611.07004",
            "phillipi/pix2pix",
        ),
        supervision="pairs",
        graph=graph,
        recipe=recipe,
        notes=(
            "The released code steps D before G on one forward pass; here G steps first.",
            "Batch sizes from 1 to 10 and 25 to 200 epochs, by data set; what stands here is the code's default.",
        ),
    )
