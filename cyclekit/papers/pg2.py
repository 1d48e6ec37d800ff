"""PG²: a coarse person, then the difference to a sharp one."""

from typing import Literal

from cyclekit._spec import NetworkSpec
from cyclekit.graph import CycleGraph, Heatmap, Image, Mask, Schedule
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper


@register_paper("pg2")
def pg2(joints: int = 18, stage: Literal["both", "first", "second"] = "both") -> Paper:
    """Return PG².

    Args:
        joints: Channels of the target pose.
        stage: The stages in one graph, or one of them; in the second one ``G_1`` is frozen.

    Returns:
        The paper.
    """
    graph = CycleGraph(
        signals={"x": Image(3), "y": Image(3), "Ly": Heatmap(joints), "M": Mask()},
        maps="[x, Ly] -G_1-> y1 ; [x, y1] -G_2-> d ; [y1, d] -add-> y*",
        adversaries="D: y* vs y ; D: x vs y",
        losses="masked(y1 ~ y, M) ; masked(y* ~ y, M)  # Eq. 1, 5",
        criteria={"D": "nonsaturating"},
        weights={"masked(y* ~ y, M)": 10, "D(y*)": 0.5, "D(x)": 0.5},
        schedule=Schedule(history=0),
    )
    if stage == "first":
        graph = CycleGraph(
            signals=graph.signals,
            maps="[x, Ly] -G_1-> y1",
            losses="masked(y1 ~ y, M)",
        )
    elif stage == "second":
        graph = graph.without("masked(y1 ~ y, M)").replace(frozen=["G_1"])
    generators = {"G_1": NetworkSpec("pg2_coarse"), "G_2": NetworkSpec("pg2_refine")}
    return Paper(
        source=Source(
            "Pose Guided Person Image Generation",
            "Liqian Ma, Xu Jia, Qianru Sun, Bernt Schiele, Tinne Tuytelaars, Luc Van Gool",
            "NIPS 2017",
            "1705.09368",
            "charliememory/Pose-Guided-Person-Image-Generation",
        ),
        supervision="pairs with keypoints",
        graph=graph,
        recipe=Recipe(
            generators={name: generators[name] for name in graph.generators},
            discriminators={name: NetworkSpec("pg2_dcgan") for name in graph.discriminators},
            size=(128, 64),
            batch=16,
            rate=2e-5,
            decay="none",
            constant=22_000 if stage == "first" else 38_000,
            unit="steps",
        ),
        notes=(
            "The released code gives D's two negatives half a weight each in D's loss alone; a weight here is a "
            "factor of "
            "both sides' losses.",
        ),
    )
