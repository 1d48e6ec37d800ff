"""DistanceGAN: images as far apart after as before."""

from typing import TYPE_CHECKING

from cyclekit._spec import NetworkSpec
from cyclekit.graph import CycleGraph, Image
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper

if TYPE_CHECKING:
    from torch import Tensor


def pairwise_distance(after: "Tensor", before: "Tensor") -> "Tensor":
    """Return how much the distances within a batch differ before and after, each in units of its own spread.

    Args:
        after: Images (batch, channels, height, width), of two samples at least.
        before: The images they were made from.

    Returns:
        A scalar: the mean absolute difference of standardised distances.

    Source:
        DistanceGAN (arXiv 1706.00826), Eq. 2.
    """
    import torch  # here, not with the paper

    from cyclekit._precision import full_precision

    spreads: list[Tensor] = []
    one, other = torch.triu_indices(len(after), len(after), offset=1, device=after.device)
    for images in (full_precision(after).flatten(1), full_precision(before).flatten(1)):
        distances = (images[one] - images[other]).abs().mean(1)
        spreads.append((distances - distances.mean()) / (distances.std(correction=0) + 1e-6))
    return (spreads[0] - spreads[1]).abs().mean()


# A micro-batch is not a part of its batch here.
pairwise_distance.couples_samples = True  # pyright: ignore[reportFunctionMemberAccess]


@register_paper("distancegan")
def distancegan(channels: int = 3, cycles: bool = False) -> Paper:
    """Return DistanceGAN.

    Args:
        channels: Of the images of both domains.
        cycles: Whether the translation goes both ways, with cycles beside the distances.

    Returns:
        The paper.
    """
    one_way = CycleGraph(
        {"A": Image(channels), "B": Image(channels)},
        maps="A -G_AB-> B*",
        adversaries="D_B: B* vs B",
        losses="distance(B* ~ A)  # Eq. 2",
    )
    both = CycleGraph(
        {"A": Image(channels), "B": Image(channels)},
        cycles="A_cycle: A -G_AB-> B* -G_BA-> A** ~ A ; B_cycle: B -G_BA-> A* -G_AB-> B** ~ B",
        adversaries="D_B: B* vs B ; D_A: A* vs A",
        losses="distance(B* ~ A) ; distance(A* ~ B)",
        weights={"*_cycle": 10},
    )
    graph = both if cycles else one_way
    generator, judge = NetworkSpec("resnet_9blocks", norm="instance"), NetworkSpec("patchgan_70", norm="instance")
    return Paper(
        source=Source(
            "One-Sided Unsupervised Domain Mapping",
            "Sagie Benaim, Lior Wolf",
            "NIPS 2017",
            "1706.00826",
            "sagiebenaim/DistanceGAN",
        ),
        supervision="unpaired",
        graph=graph,
        unpaired=("A", "B"),
        recipe=Recipe(
            generators=dict.fromkeys(graph.generators, generator),
            discriminators=dict.fromkeys(graph.discriminators, judge),
            batch=2,
        ),
        criteria={"distance": pairwise_distance},
        notes=(
            "Means and spreads of the distances are those of the batch here, those of the data sets in the released "
            "code, "
            "which compares pairs: with two images alone every standardised distance is 0, so take larger batches.",
        ),
    )
