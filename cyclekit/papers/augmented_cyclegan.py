"""Augmented CycleGAN: cycles over images and codes, for many to many."""

from cyclekit._spec import NetworkSpec
from cyclekit.graph import CycleGraph, Image, Noise, Schedule
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper


@register_paper("augmented_cyclegan")
def augmented_cyclegan(channels: int = 3, code: int = 16) -> Paper:
    """Return Augmented CycleGAN with a code on either side.

    Args:
        channels: Of the images of both domains.
        code: Length of a code.

    Returns:
        The paper.
    """
    graph = CycleGraph(
        {"A": Image(channels), "B": Image(channels), "z_A": Noise(code), "z_B": Noise(code)},
        cycles="""
            A_cycle: [A, z_B] -G_AB-> B* ; [B*, A] -E_A-> ea ; [B*, ea] -G_BA-> _ ~ A  # Eq. 9
            B_cycle: [B, z_A] -G_BA-> A* ; [A*, B] -E_B-> eb ; [A*, eb] -G_AB-> _ ~ B
            z_B_cycle: [A, B*] -E_B-> _ ~ z_B
            z_A_cycle: [B, A*] -E_A-> _ ~ z_A
        """,
        adversaries="""
            D_A: A* vs A ; D_B: B* vs B
            D_zA: ea vs z_A ; D_zB: eb vs z_B
        """,
        weights={"z_*": 0.025},
        schedule=Schedule(order=("discriminators", "generators"), history=0),
    )
    generator, judge = NetworkSpec("resnet_9blocks", norm="instance"), NetworkSpec("patchgan_70", norm="instance")
    return Paper(
        source=Source(
            "Augmented CycleGAN: Learning Many-to-Many Mappings from Unpaired Data",
            "Amjad Almahairi, Sai Rajeswar, Alessandro Sordoni, Philip Bachman, Aaron Courville",
            "ICML 2018",
            "1802.10151",
            "aalmah/augmented_cyclegan",
        ),
        supervision="unpaired",
        graph=graph,
        unpaired=("A", "B"),
        recipe=Recipe(
            generators={
                "G_AB": generator,
                "E_A": NetworkSpec("style_encoder"),
                "G_BA": generator,
                "E_B": NetworkSpec("style_encoder"),
            },
            discriminators={"D_A": judge, "D_B": judge, "D_zA": NetworkSpec("mlp"), "D_zB": NetworkSpec("mlp")},
            size=(64, 64),
            batch=32,
            rates=dict.fromkeys(("D_A", "D_B", "D_zA", "D_zB"), 4e-5),
            constant=25,
            decaying=25,
        ),
        notes=(
            "The released code has a code on one side alone, injects it by conditional instance normalisation, and "
            "clips "
            "the norm of gradients.",
        ),
    )
