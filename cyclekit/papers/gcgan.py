"""GcGAN: what is turned before is turned after."""

from typing import TYPE_CHECKING

from cyclekit._spec import NetworkSpec
from cyclekit.graph import CycleGraph, Image
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper

if TYPE_CHECKING:
    from torch import Tensor


def turn(image: "Tensor") -> "Tensor":
    """Return an image turned by a quarter, clockwise.

    Args:
        image: (batch, channels, size, size).

    Returns:
        The image, of the same shape.
    """
    return image.rot90(-1, (2, 3))


@register_paper("gcgan")
def gcgan(channels: int = 3) -> Paper:
    """Return GcGAN, which translates one way.

    Args:
        channels: Of the images of both domains.

    Returns:
        The paper.
    """
    graph = CycleGraph(
        {"x": Image(channels), "y": Image(channels), "xt": Image(channels), "yt": Image(channels)},
        maps="""
            x -turn-> xt ; y -turn-> yt
            x -G-> y* -turn-> ty ; xt -G-> yt*
        """,
        functions=["turn"],
        adversaries="D: y* vs y ; D_t: yt* vs yt    # Eq. 2, 3",
        losses="""
            gc: ty ~ yt*                            # Eq. 4
            idt: y -G-> _ ~ y ; idt_t: yt -G-> _ ~ yt
        """,
        weights={"gc": 20, "idt*": 5},
    )
    judge = NetworkSpec("patchgan_70", norm="instance")
    return Paper(
        source=Source(
            "Geometry-Consistent Generative Adversarial Networks for One-Sided Unsupervised Domain Mapping",
            "Huan Fu, Mingming Gong, Chaohui Wang, Kayhan Batmanghelich, Kun Zhang, Dacheng Tao",
            "CVPR 2019",
            "1809.05852",
            "hufu6371/GcGAN",
        ),
        supervision="unpaired",
        graph=graph,
        unpaired=("x", "y"),
        recipe=Recipe(
            generators={"G": NetworkSpec("resnet_9blocks", norm="instance", init="xavier")},
            discriminators={"D": judge, "D_t": judge},
            batch=8,
        ),
        functions={"turn": turn},
        notes=(
            "A vertical flip is its other geometry, and sharing the generator between both one of two ways.",
            "The released code compares each side with the other one stopped: twice the value, and the same gradient.",
        ),
    )
