"""UNIT: two domains over one latent space."""

from cyclekit._spec import NetworkSpec
from cyclekit.graph import CycleGraph, Image, Latent, Schedule
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper


@register_paper("unit")
def unit(channels: int = 3, latent: int = 256) -> Paper:
    """Return UNIT.

    Args:
        channels: Of the images of both domains.
        latent: Channels of the shared latent space.

    Returns:
        The paper.
    """
    names = ("a", "b", "ab", "ba", "h_a", "h_b", "h_ab", "h_ba", "t_a", "t_b")
    maps = dict.fromkeys(names, Latent(latent))
    graph = CycleGraph(
        {"A": Image(channels), "B": Image(channels)} | maps,
        maps="""
            A -E_A-> h_a -E-> a -sample-> z_a -T-> t_a -T_B-> AB
            B -E_B-> h_b -E-> b -sample-> z_b -T-> t_b -T_A-> BA
            AB -E_B-> h_ab -E-> ab ; BA -E_A-> h_ba -E-> ba
        """,
        cycles="""
            A_A: t_a -T_A-> _ ~ A                    # Eq. 6: within a domain
            B_B: t_b -T_B-> _ ~ B
            ABA: ab -sample-> _ -T-> _ -T_A-> _ ~ A  # Eq. 10: there and back
            BAB: ba -sample-> _ -T-> _ -T_B-> _ ~ B
        """,
        adversaries="D_A: BA vs A ; D_B: AB vs B         # Eq. 8, 9",
        losses="kl(a) ; kl(b) ; kl(ab) ; kl(ba)          # Eq. 6, 10",
        weights={"D_A": 10, "D_B": 10, "l1": 100, "kl": 0.1},
        adversarial="nonsaturating",
        schedule=Schedule(order=("discriminators", "generators"), discriminator_scale=1, history=0),
    )
    return Paper(
        source=Source(
            "Unsupervised Image-to-Image Translation Networks",
            "Ming-Yu Liu, Thomas Breuel, Jan Kautz",
            "NIPS 2017",
            "1703.00848",
            "mingyuliutw/UNIT",
        ),
        supervision="unpaired",
        graph=graph,
        unpaired=("A", "B"),
        recipe=Recipe(
            generators={
                "E_A": NetworkSpec("resnet_encoder", norm="instance"),
                "E": NetworkSpec("dpig_stem"),
                "T": NetworkSpec("dpig_stem"),
                "T_B": NetworkSpec("resnet_decoder", norm="instance"),
                "E_B": NetworkSpec("resnet_encoder", norm="instance"),
                "T_A": NetworkSpec("resnet_decoder", norm="instance"),
            },
            discriminators=dict.fromkeys(("D_A", "D_B"), NetworkSpec("multiscale_patchgan")),
            rate=1e-4,
            weight_decay=1e-4,
            decay="halving",
            constant=1_000_000,
            decaying=100_000,
            unit="steps",
        ),
        notes=(
            "Weights shared at the high levels are the networks E and T, which both domains use.",
            "The layers that are shared are one convolution and one residual block here; the present released code "
            "shares "
            "none, is trained by least squares, and weighs everything a tenth.",
            "Distributions have variance 1, so that the divergence is that of the mean alone; the released code takes "
            "the "
            "mean over elements where this one sums, so that its weight of 0.1 fits other sizes of the latent space.",
        ),
    )
