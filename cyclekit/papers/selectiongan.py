"""SelectionGAN: a coarse view, then a choice among many."""

from typing import TYPE_CHECKING

from cyclekit._spec import NetworkSpec
from cyclekit.graph import CycleGraph, Image, Landmarks, Mask, Schedule
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper

if TYPE_CHECKING:
    from torch import Tensor


def uncertain(prediction: "Tensor", target: "Tensor", uncertainty: "Tensor") -> "Tensor":
    """Return the mean absolute difference where the network is sure, and what it costs not to be.

    Args:
        prediction: Images.
        target: Images of the same shape.
        uncertainty: (batch, 1, height, width), positive.

    Returns:
        A scalar: the mean of |prediction - target| / uncertainty + log uncertainty.

    Source:
        SelectionGAN, Eq. 6.
    """
    from cyclekit._precision import full_precision  # torch enters here, not with the paper

    spread = full_precision(uncertainty).clamp(min=1e-6)
    return ((full_precision(prediction) - full_precision(target)).abs() / spread + spread.log()).mean()


@register_paper("selectiongan")
def selectiongan(segments: int = 3) -> Paper:
    """Return SelectionGAN.

    Args:
        segments: Channels of the wanted view's semantic map, drawn as a picture.

    Returns:
        The paper; its selecting generator is the user's to pass.
    """
    graph = CycleGraph(
        {"x": Image(3), "y": Image(3), "S": Landmarks(segments), "u": Mask()}
        | {"y1": Image(3), "y2": Image(3), "S1": Landmarks(segments), "S2": Landmarks(segments)},
        maps="""
            [x, S] -G_i-> y1 -G_s-> S1            # Eq. 1
            [x, y1, S1] -G_a-> [y2, u]            # Eq. 2 to 5
            y2 -G_s-> S2
        """,
        adversaries="D: [x, y1] vs [x, y] ; [x, y2] vs [x, y]",
        losses="""
            l_1: uncertain(y1 ~ y, u) ; l_2: uncertain(y2 ~ y, u)
            s_1: uncertain(S1 ~ S, u) ; s_2: uncertain(S2 ~ S, u)
            y1 ~ y ; y2 ~ y ; S1 ~ S ; S2 ~ S
            total_variation(y2)
        """,
        weights={"D(y2)": 4, "l_1": 100, "l_2": 200, "s_1": 1, "s_2": 2, "total_variation": 0.79}
        | {"y1 ~ y": 100, "y2 ~ y": 200, "S1 ~ S": 1, "S2 ~ S": 2},
        adversarial="nonsaturating",
        schedule=Schedule(order=("discriminators", "generators"), history=0),
    )
    return Paper(
        source=Source(
            "Multi-Channel Attention Selection GAN with Cascaded Semantic Guidance for Cross-View Image Translation",
            "Hao Tang, Dan Xu, Nicu Sebe, Yanzhi Wang, Jason J. Corso, Yan Yan",
            "CVPR 2019",
            "1904.06807",
            "Ha0Tang/SelectionGAN",
        ),
        supervision="pairs with class maps",
        graph=graph,
        recipe=Recipe(
            generators={
                "G_i": NetworkSpec("unet_256", norm="instance"),
                "G_s": NetworkSpec("unet_256", norm="instance", base_channels=4),
                "G_a": None,
            },
            discriminators={"D": NetworkSpec("patchgan_70", norm="instance")},
            batch=4,
            constant=15,
            decaying=15,
        ),
        criteria={"uncertain": uncertain},
        notes=(
            "The second stage also takes features of the first one's generators; here it takes what they draw.",
            "Total variation is a mean here, and a sum over the batch in the code: 1e-6 there is 0.79 of the mean "
            "at 256 x 256 in batches of 4.",
        ),
    )
