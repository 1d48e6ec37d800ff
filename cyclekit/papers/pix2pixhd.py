"""pix2pixHD: large images from maps of classes."""

from cyclekit._spec import NetworkSpec
from cyclekit.graph import Classes, CycleGraph, Image, Mask, Schedule
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper


@register_paper("pix2pixhd")
def pix2pixhd(classes: int = 35, perceptual: bool = True) -> Paper:
    """Return pix2pixHD with instance boundaries.

    Args:
        classes: Of the map it takes.
        perceptual: Whether VGG's features are compared, whose weights are downloaded.

    Returns:
        The paper.
    """
    graph = CycleGraph(
        signals={"s": Classes(classes), "e": Mask(), "y": Image(3)},
        maps="[s, e] -G-> y*",
        adversaries="D: [s, e, y*] vs [s, e, y] + feature_matching  # Eq. 5",
        losses="perceptual(y* ~ y)" if perceptual else "",
        weights={"feature_matching": 10} | ({"perceptual": 10} if perceptual else {}),
        schedule=Schedule(history=0),
    )
    return Paper(
        source=Source(
            "High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs",
            "Ting-Chun Wang, Ming-Yu Liu, Jun-Yan Zhu, Andrew Tao, Jan Kautz, Bryan Catanzaro",
            "CVPR 2018",
            "1711.11585",
            "NVIDIA/pix2pixHD",
        ),
        supervision="pairs",
        graph=graph,
        recipe=Recipe(
            generators={"G": NetworkSpec("pix2pixhd_global")},
            discriminators={"D": NetworkSpec("multiscale_patchgan", scales=2)},
            size=(512, 1024),
        ),
        notes=(
            "The paper judges at three scales, the code by default at two.",
            "The local enhancer is 'pix2pixhd_local'; the encoder of instances' features is left out.",
        ),
    )
