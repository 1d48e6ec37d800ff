"""Recycle-GAN: a cycle through time."""

from cyclekit._spec import NetworkSpec
from cyclekit.graph import CycleGraph, Image
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper


@register_paper("recycle_gan")
def recycle_gan(channels: int = 3) -> Paper:
    """Return Recycle-GAN for three frames in a row of either video.

    Args:
        channels: Of the frames of both domains.

    Returns:
        The paper.
    """
    frames = {f"{name}{time}": Image(channels) for name in "AB" for time in range(3)}
    graph = CycleGraph(
        frames | {"Bp": Image(channels), "Ap": Image(channels)},
        maps="A0 -G_A-> B0* ; A1 -G_A-> B1* ; B0 -G_B-> A0* ; B1 -G_B-> A1*",
        adversaries="""
            D_A: B0* vs B0 ; B1* vs B1 ; B2* vs B2 ; stop(Bp) vs B2
            D_B: A0* vs A0 ; A1* vs A1 ; A2* vs A2 ; stop(Ap) vs A2
        """,
        losses="""
            recycle_A: [B0*, B1*] -P_B-> B2* -G_B-> _ ~ A2  # Eq. 3
            recycle_B: [A0*, A1*] -P_A-> A2* -G_A-> _ ~ B2
            recurrent_A: [A0, A1] -P_A-> Ap ~ A2            # Eq. 2
            recurrent_B: [B0, B1] -P_B-> Bp ~ B2
            idt_A0: B0 -G_A-> _ ~ B0 ; idt_A1: B1 -G_A-> _ ~ B1
            idt_B0: A0 -G_B-> _ ~ A0 ; idt_B1: A1 -G_B-> _ ~ A1
        """,
        weights={"l1": 10, "idt*": 5},
    )
    generator, judge = NetworkSpec("resnet_9blocks", norm="instance"), NetworkSpec("patchgan_70", norm="instance")
    predictor = NetworkSpec("unet_128", norm="instance")
    return Paper(
        source=Source(
            "Recycle-GAN: Unsupervised Video Retargeting",
            "Aayush Bansal, Shugao Ma, Deva Ramanan, Yaser Sheikh",
            "ECCV 2018",
            "1808.05174",
            "aayushbansal/Recycle-GAN",
        ),
        supervision="unpaired videos",
        graph=graph,
        recipe=Recipe(
            generators={"G_A": generator, "G_B": generator, "P_B": predictor, "P_A": predictor},
            discriminators={"D_A": judge, "D_B": judge},
        ),
        notes=(
            "Its cycles return to a later frame than they came from, so they are losses in the notation.",
            "The released code also shows the discriminators what the predictors make of real frames, without training "
            "the predictors by it unless an option says so.",
        ),
    )
