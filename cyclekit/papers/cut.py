"""CUT: patches of the output that belong to their place in the input."""

from typing import TYPE_CHECKING

from cyclekit._spec import NetworkSpec
from cyclekit.graph import CycleGraph, Image, Latent, Schedule
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper

if TYPE_CHECKING:
    from torch import Tensor


def patch_nce(query: "Tensor", key: "Tensor", patches: int = 256, temperature: float = 0.07) -> "Tensor":
    """Return how badly each place of a feature map is told from the other places of its image.

    Args:
        query: Features of the output, (batch, channels, height, width).
        key: Features of the input, of the same shape.
        patches: How many places are drawn, the same in all images of a batch.
        temperature: What the cosines are divided by.

    Returns:
        A scalar, the cross entropy of the right place.

    Source:
        CUT (arXiv 2007.15651), Eq. 3.
    """
    import torch  # here, not with the paper
    from torch.nn import functional as F

    from cyclekit._precision import full_precision

    queries, keys = (F.normalize(full_precision(features).flatten(2), dim=1) for features in (query, key))
    places = torch.randperm(queries.shape[2], device=queries.device)[:patches]
    cosines = torch.einsum("bcq,bck->bqk", queries[:, :, places], keys[:, :, places]) / temperature
    right = torch.arange(cosines.shape[1], device=cosines.device).expand(len(cosines), -1)
    return F.cross_entropy(cosines.flatten(0, 1), right.flatten())


@register_paper("cut")
def cut(channels: int = 3, features: int = 256) -> Paper:
    """Return CUT with one layer of features.

    Args:
        channels: Of the images of both domains.
        features: Channels of the encoder's features.

    Returns:
        The paper.
    """
    graph = CycleGraph(
        {"x": Image(channels), "y": Image(channels)}
        | dict.fromkeys(("f", "f*", "g", "g*", "h", "h*", "k", "k*"), Latent(features)),
        maps="""
            x -E-> f -T-> y* -E-> f* ; y -E-> g -T-> idt -E-> g*
            f -H-> h ; f* -H-> h* ; g -H-> k ; g* -H-> k*
        """,
        adversaries="D: y* vs y",
        losses="""
            nce: patch_nce(h* ~ stop(h))                   # Eq. 4
            idt_nce: patch_nce(k* ~ stop(k))               # Eq. 5, over the target's domain
        """,
        weights={"nce": 0.5, "idt_nce": 0.5},
        schedule=Schedule(order=("discriminators", "generators"), history=0),
    )
    return Paper(
        source=Source(
            "Contrastive Learning for Unpaired Image-to-Image Translation",
            "Taesung Park, Alexei A. Efros, Richard Zhang, Jun-Yan Zhu",
            "ECCV 2020",
            "2007.15651",
            "taesungp/contrastive-unpaired-translation",
        ),
        supervision="unpaired",
        graph=graph,
        unpaired=("x", "y"),
        recipe=Recipe(
            generators={
                "E": NetworkSpec("resnet_encoder", norm="instance", init="xavier"),
                "T": NetworkSpec("resnet_decoder", norm="instance", init="xavier"),
                "H": NetworkSpec("pointwise_mlp", init="xavier"),
            },
            discriminators={"D": NetworkSpec("patchgan_70", norm="instance", init="xavier")},
            constant=200,
            decaying=200,
        ),
        criteria={"patch_nce": patch_nce},
        notes=(
            "The released code compares five layers of the encoder, each through a two-layer perceptron of its own, "
            "which "
            "more signals of an own encoder say.",
            "Each of its nce terms has weight 1, and their mean counts: 0.5 each.",
        ),
    )
