"""DRIT: a content that no domain can be told from, and attributes."""

from cyclekit._spec import NetworkSpec
from cyclekit.graph import CycleGraph, Image, Latent, Noise, Schedule, Vector
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper


@register_paper("drit")
def drit(channels: int = 3, attributes: int = 8) -> Paper:
    """Return DRIT.

    Args:
        channels: Of the images of both domains.
        attributes: Length of the attribute vector.

    Returns:
        The paper.
    """
    signals = {"x": Image(channels), "y": Image(channels), "z": Noise(attributes)}
    signals |= {name: Latent(256) for name in ("c_x", "c_y", "c_u", "c_v", "h_x", "h_y", "h_u", "h_v")}
    signals |= {name: Vector(attributes) for name in ("m_x", "v_x", "m_y", "v_y", "m_u", "v_u", "m_v", "v_v")}
    graph = CycleGraph(
        signals,
        maps="""
            x -F_x-> h_x -E-> c_x ; x -A_x-> [m_x, v_x] -sample-> a_x
            y -F_y-> h_y -E-> c_y ; y -A_y-> [m_y, v_y] -sample-> a_y
            [c_y, a_x] -G_x-> u ; [c_x, a_y] -G_y-> v          # the first translation
            u -F_x-> h_u -E-> c_u ; u -A_x-> [m_u, v_u] -sample-> a_u
            v -F_y-> h_v -E-> c_v ; v -A_y-> [m_v, v_v] -sample-> a_v
            [c_y, z] -G_x-> xz ; [c_x, z] -G_y-> yz
        """,
        cycles="""
            cross_x: [c_v, a_u] -G_x-> _ ~ x                   # Eq. 3: the second translation
            cross_y: [c_u, a_v] -G_y-> _ ~ y
            self_x: [c_x, a_x] -G_x-> _ ~ x
            self_y: [c_y, a_y] -G_y-> _ ~ y
        """,
        adversaries="""
            D_c: c_x <> c_y                                    # Eq. 1
            D_x: u vs x ; D_y: v vs y
            D_xz: xz vs x ; D_yz: yz vs y
        """,
        losses="""
            latent_x: xz -stop(A_x)-> [z_x, _] ; z_x ~ z
            latent_y: yz -stop(A_y)-> [z_y, _] ; z_y ~ z
            kl(m_x, v_x) ; kl(m_y, v_y) ; kl(c_x) ; kl(c_y)
        """,
        weights={"l1": 10, "kl": 0.01},
        criteria={"D_c": "undecided"},
        adversarial="nonsaturating",
        schedule=Schedule(order=("discriminators", "generators"), discriminator_scale=1, history=0),
    )
    encoder, decoder = NetworkSpec("resnet_encoder", norm="instance"), NetworkSpec("resnet_decoder", norm="instance")
    generators = dict.fromkeys(graph.generators) | {"F_x": encoder, "F_y": encoder}
    generators |= {"E": NetworkSpec("dpig_stem"), "G_x": decoder, "G_y": decoder}
    generators |= dict.fromkeys(("A_x", "A_y"), NetworkSpec("style_encoder"))
    judges = dict.fromkeys(("D_x", "D_y", "D_xz", "D_yz"), NetworkSpec("multiscale_patchgan", norm="none"))
    return Paper(
        source=Source(
            "Diverse Image-to-Image Translation via Disentangled Representations",
            "Hsin-Ying Lee, Hung-Yu Tseng, Jia-Bin Huang, Maneesh Kumar Singh, Ming-Hsuan Yang",
            "ECCV 2018",
            "1808.00948",
            "HsinYingLee/DRIT",
        ),
        supervision="unpaired",
        graph=graph,
        unpaired=("x", "y"),
        recipe=Recipe(
            generators=generators,
            discriminators={"D_c": NetworkSpec("patchgan_16"), **judges},
            size=(216, 216),
            batch=2,
            rate=1e-4,
            rates={"D_c": 4e-5},
            weight_decay=1e-4,
            constant=600,
            decaying=600,
        ),
        notes=(
            "The released code steps the content discriminator three times for once of all others, and clips its "
            "gradient.",
            "It takes half of a batch for the encoded translations and the other half for the random ones, and the "
            "mean "
            "of squares over contents where this one has the divergence of a normal distribution of variance 1.",
        ),
    )
