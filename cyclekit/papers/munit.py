"""MUNIT: content and style apart, styles drawn from noise."""

from cyclekit._spec import NetworkSpec
from cyclekit.graph import CycleGraph, Image, Latent, Noise, Schedule, Vector
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper


@register_paper("munit")
def munit(channels: int = 3, style: int = 8, cycle: float = 0) -> Paper:
    """Return MUNIT.

    Args:
        channels: Of the images of both domains.
        style: Length of a style.
        cycle: The weight of the explicit cycle, 10 for some data sets and 0 for others.

    Returns:
        The paper; its decoders, which a style modulates, are the user's to pass.
    """
    signals = {"A": Image(channels), "B": Image(channels), "z_A": Noise(style), "z_B": Noise(style)}
    signals |= {
        "c_A": Latent(256),
        "c_B": Latent(256),
        "cc_A": Latent(256),
        "cc_B": Latent(256),
        "s_A": Vector(style),
        "s_B": Vector(style),
    }
    graph = CycleGraph(
        signals,
        maps="""
            A -Ec_A-> c_A ; A -Es_A-> s_A ; [c_A, z_B] -G_B-> AB -Ec_B-> cc_A
            B -Ec_B-> c_B ; B -Es_B-> s_B ; [c_B, z_A] -G_A-> BA -Ec_A-> cc_B
        """,
        cycles="rec_A: [c_A, s_A] -G_A-> _ ~ A ; rec_B: [c_B, s_B] -G_B-> _ ~ B  # Eq. 1\n"
        + ("cyc_A: [cc_A, s_A] -G_A-> _ ~ A ; cyc_B: [cc_B, s_B] -G_B-> _ ~ B" if cycle else ""),
        adversaries="D_A: BA vs A ; D_B: AB vs B  # Eq. 4",
        losses="""
            content_A: cc_A ~ c_A ; content_B: cc_B ~ c_B         # Eq. 2
            style_A: BA -Es_A-> _ ~ z_A ; style_B: AB -Es_B-> _ ~ z_B  # Eq. 3
        """,
        weights={"rec*": 10} | ({"cyc*": cycle} if cycle else {}),
        schedule=Schedule(order=("discriminators", "generators"), discriminator_scale=1, history=0),
    )
    networks = {"Ec": NetworkSpec("resnet_encoder", init="kaiming"), "Es": NetworkSpec("style_encoder"), "G": None}
    return Paper(
        source=Source(
            "Multimodal Unsupervised Image-to-Image Translation",
            "Xun Huang, Ming-Yu Liu, Serge Belongie, Jan Kautz",
            "ECCV 2018",
            "1804.04732",
            "NVlabs/MUNIT",
        ),
        supervision="unpaired",
        graph=graph,
        unpaired=("A", "B"),
        recipe=Recipe(
            generators={name: networks[name.partition("_")[0]] for name in graph.generators},
            discriminators=dict.fromkeys(("D_A", "D_B"), NetworkSpec("multiscale_patchgan", norm="none")),
            rate=1e-4,
            weight_decay=1e-4,
            decay="halving",
            constant=1_000_000,
            decaying=100_000,
            unit="steps",
        ),
        notes=("A perceptual loss with domain-invariant features stands in the paper's experiments on large images.",),
    )
