"""DiscoGAN: relations between domains, discovered by two reconstructions."""

from cyclekit._spec import NetworkSpec
from cyclekit.graph import CycleGraph, Image, Schedule
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper


@register_paper("discogan")
def discogan(channels: int = 3) -> Paper:
    """Return DiscoGAN.

    Args:
        channels: Of the images of both domains.

    Returns:
        The paper.
    """
    graph = CycleGraph(
        signals={"A": Image(channels), "B": Image(channels)},
        cycles="const_A: A -G_AB-> B* -G_BA-> A** ~ A ; const_B: B -G_BA-> A* -G_AB-> B** ~ B  # Eq. 4",
        adversaries="D_B: B* vs B ; D_A: A* vs A                                              # Eq. 5, 6",
        criteria={"const_A": "l2", "const_B": "l2"},
        adversarial="nonsaturating",
        schedule=Schedule(history=0),
    )
    generator, discriminator = NetworkSpec("unet_64", norm="batch"), NetworkSpec("patchgan_16", norm="batch")
    return Paper(
        source=Source(
            "Learning to Discover Cross-Domain Relations with Generative Adversarial Networks",
            "Taeksoo Kim, Moonsu Cha, Hyunsoo Kim, Jung Kwon Lee, Jiwon Kim",
            "ICML 2017",
            "1703.05192",
            "SKTBrain/DiscoGAN",
        ),
        supervision="unpaired",
        graph=graph,
        unpaired=("A", "B"),
        recipe=Recipe(
            generators={"G_AB": generator, "G_BA": generator},
            discriminators={"D_B": discriminator, "D_A": discriminator},
            size=(64, 64),
            batch=64,
            weight_decay=1e-5,
            decay="none",
            constant=5000,
        ),
        notes=(
            "The released code steps the discriminators in every third step and the generators in the other two.",
            "Encoder and decoder of the paper have no skip connections, and its discriminator gives one logit an "
            "image; "
            "the registries' nearest networks stand here.",
            "The released code matches features of the discriminators, too, and weighs both against each other over "
            "time.",
        ),
    )
