"""GestureGAN: hand gestures to hand gestures, by skeletons."""

from cyclekit._spec import NetworkSpec
from cyclekit.graph import CycleGraph, Image, Landmarks, Schedule
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper


@register_paper("gesturegan")
def gesturegan(skeleton: int = 3) -> Paper:
    """Return GestureGAN.

    Args:
        skeleton: Channels of a skeleton's picture.

    Returns:
        The paper.
    """
    graph = CycleGraph(
        signals={"x": Image(3), "y": Image(3), "Lx": Landmarks(skeleton), "Ly": Landmarks(skeleton)},
        cycles="""
            x_cycle: [x, Ly] -G-> y*  ; [y*, Lx] -G-> x** ~ x
            y_cycle: [y, Lx] -G-> x* ; [x*, Ly] -G-> y** ~ y
        """,
        adversaries="""
            D_1: [x, y*] vs [x, y]
            D_1: [y, x*] vs [y, x]
            D_2: [x, Ly, y*] vs [x, Ly, y]
            D_2: [y, Lx, x*] vs [y, Lx, x]
        """,
        losses="""
            y* ~ y ; x* ~ x
            total_variation(y*) ; total_variation(x*)
            identity_x: [x, Lx] -G-> _ ~ x
            identity_y: [y, Ly] -G-> _ ~ y
        """,
        weights={
            "x_cycle": 0.1,
            "y_cycle": 0.1,
            "y* ~ y": 800,
            "x* ~ x": 800,
            "identity_x": 0.01,
            "identity_y": 0.01,
            "total_variation": 0.79,
        },
        adversarial="nonsaturating",
        schedule=Schedule(order=("discriminators", "generators"), history=0),
    )
    return Paper(
        source=Source(
            "GestureGAN for Hand Gesture-to-Gesture Translation in the Wild",
            "Hao Tang, Wei Wang, Dan Xu, Yan Yan, Nicu Sebe",
            "ACM MM 2018",
            "1808.04859",
            "Ha0Tang/GestureGAN",
        ),
        supervision="pairs with keypoints",
        graph=graph,
        recipe=Recipe(
            generators={"G": NetworkSpec("resnet_9blocks", norm="instance")},
            discriminators=dict.fromkeys(("D_1", "D_2"), NetworkSpec("patchgan_70", norm="instance")),
            batch=4,
            constant=10,
            decaying=10,
        ),
        notes=(
            "Total variation is a mean here, and a sum over the batch in the code: 1e-6 there is 0.79 of the mean "
            "at 256 x 256 in batches of 4.",
            "The colour loss sums the l1 of each channel, which is three times the l1 of all: in effect y* ~ y weighs "
            "four "
            "times as much in the released code.",
            "It also compares VGG-19's features, by a weight of 1,000, and shows D_1 the pair [x, y] as real in both "
            "directions.",
        ),
    )
