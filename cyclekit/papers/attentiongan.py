"""AttentionGAN: a foreground, and a mask that says where it is needed."""

from typing import TYPE_CHECKING

from cyclekit._spec import NetworkSpec
from cyclekit.graph import CycleGraph, Image, Mask
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper

if TYPE_CHECKING:
    from torch import Tensor


def blend(mask: "Tensor", content: "Tensor", background: "Tensor") -> "Tensor":
    """Return the content where the mask is 1, and the background where it is 0.

    Args:
        mask: (batch, 1, height, width) in [0, 1].
        content: (batch, channels, height, width).
        background: Likewise.

    Returns:
        The picture, of their shape.
    """
    return mask * content + (1 - mask) * background


@register_paper("attentiongan")
def attentiongan(channels: int = 3) -> Paper:
    """Return AttentionGAN with one mask, its first scheme.

    Args:
        channels: Of the images of both domains.

    Returns:
        The paper.
    """
    signals = {"A": Image(channels), "B": Image(channels)}
    signals |= {"f": Image(channels), "g": Image(channels), "m": Mask(), "n": Mask()}
    signals |= {"f**": Image(channels), "g**": Image(channels), "m**": Mask(), "n**": Mask()}
    graph = CycleGraph(
        signals,
        maps="""
            A -G_A-> [f, m] ; [m, f, A] -blend-> B*
            B -G_B-> [g, n] ; [n, g, B] -blend-> A*
        """,
        cycles="""
            A_cycle: B* -G_B-> [g**, n**] ; [n**, g**, B*] -blend-> A** ~ A
            B_cycle: A* -G_A-> [f**, m**] ; [m**, f**, A*] -blend-> B** ~ B
        """,
        adversaries="D_A: B* vs B ; D_B: A* vs A",
        losses="""
            pixel_A: B* ~ A ; pixel_B: A* ~ B
            total_variation(m) ; total_variation(n)
        """,
        functions=["blend"],
        weights={"*_cycle": 10, "pixel*": 1, "total_variation": 0.26, "D_A": 0.5, "D_B": 0.5},
    )
    generator, judge = NetworkSpec("resnet_9blocks", norm="instance"), NetworkSpec("patchgan_70", norm="instance")
    return Paper(
        source=Source(
            "AttentionGAN: Unpaired Image-to-Image Translation using Attention-Guided Generative Adversarial Networks",
            "Hao Tang, Hong Liu, Dan Xu, Philip H. S. Torr, Nicu Sebe",
            "TNNLS 2021",
            "1911.11897",
            "Ha0Tang/AttentionGAN",
        ),
        supervision="unpaired",
        graph=graph,
        unpaired=("A", "B"),
        recipe=Recipe(
            generators={"G_A": generator, "G_B": generator},
            discriminators={"D_A": judge, "D_B": judge},
            batch=4,
        ),
        functions={"blend": blend},
        notes=(
            "Scheme II makes nine foregrounds and ten masks, and has CycleGAN's identity losses in place of the pixel "
            "losses; a function of that many signals says it.",
            "Total variation is a mean here, and a sum over the batch in the code: 1e-6 there is 0.26 of the mean "
            "at 256 x 256 in batches of 4.",
        ),
    )
