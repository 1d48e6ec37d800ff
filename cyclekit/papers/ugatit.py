"""U-GAT-IT: attention by class activation maps."""

from typing import TYPE_CHECKING

from cyclekit.graph import CycleGraph, Image, Schedule, Vector
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper

if TYPE_CHECKING:
    from torch import Tensor


def is_source(logits: "Tensor") -> "Tensor":
    """Return the cost of logits of an auxiliary classifier that are to say yes.

    Args:
        logits: (batch, classes).

    Returns:
        A scalar.
    """
    from torch.nn import functional as F  # torch enters here, not with the paper

    from cyclekit._precision import full_precision

    return F.softplus(-full_precision(logits)).mean()


def is_target(logits: "Tensor") -> "Tensor":
    """Return the cost of logits of an auxiliary classifier that are to say no.

    Args:
        logits: (batch, classes).

    Returns:
        A scalar.
    """
    from torch.nn import functional as F  # torch enters here, not with the paper

    from cyclekit._precision import full_precision

    return F.softplus(full_precision(logits)).mean()


@register_paper("ugatit")
def ugatit(channels: int = 3) -> Paper:
    """Return U-GAT-IT.

    Args:
        channels: Of the images of both domains.

    Returns:
        The paper; its networks, which attend by class activation maps, are the user's to pass.
    """
    graph = CycleGraph(
        {"A": Image(channels), "B": Image(channels)} | dict.fromkeys(("cam_A", "cam_B", "cam_AA", "cam_BB"), Vector(2)),
        maps="A -G_AB-> [B*, cam_A] ; B -G_BA-> [A*, cam_B] ; A -G_BA-> [AA, cam_AA] ; B -G_AB-> [BB, cam_BB]",
        cycles="""
            A_cycle: B* -G_BA-> [A**, _] ; A** ~ A
            B_cycle: A* -G_AB-> [B**, _] ; B** ~ B
        """,
        adversaries="DG_A: A* vs A ; DL_A: A* vs A ; DG_B: B* vs B ; DL_B: B* vs B",
        losses="""
            idt_A: AA ~ A ; idt_B: BB ~ B
            is_source(cam_A) ; is_source(cam_B) ; is_target(cam_AA) ; is_target(cam_BB)
        """,
        weights={"l1": 10, "is_source": 1000, "is_target": 1000},
        schedule=Schedule(order=("discriminators", "generators"), discriminator_scale=1, history=0),
    )
    return Paper(
        source=Source(
            "U-GAT-IT: Unsupervised Generative Attentional Networks with Adaptive Layer-Instance Normalization",
            "Junho Kim, Minjae Kim, Hyeonwoo Kang, Kwanghee Lee",
            "ICLR 2020",
            "1907.10830",
            "znxlwm/UGATIT-pytorch",
        ),
        supervision="unpaired",
        graph=graph,
        unpaired=("A", "B"),
        recipe=Recipe(
            generators=dict.fromkeys(graph.generators),
            discriminators=dict.fromkeys(graph.discriminators),
            rate=1e-4,
            weight_decay=1e-4,
            constant=500_000,
            decaying=500_000,
            unit="steps",
        ),
        criteria={"is_source": is_source, "is_target": is_target},
        notes=(
            "A discriminator judges by its logits and by those of its own class activation map, as by two scales.",
            "The released code clips the shares of instance normalisation to [0, 1] after each step.",
        ),
    )
