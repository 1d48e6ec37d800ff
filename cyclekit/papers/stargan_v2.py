"""StarGAN v2: styles for every domain, drawn from noise or taken from a reference."""

from cyclekit.graph import CycleGraph, Image, Label, Noise, Ramp, Schedule, Vector
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper


@register_paper("stargan_v2")
def stargan_v2(classes: int = 2, style: int = 64, noise: int = 16, diversity: float = 1) -> Paper:
    """Return StarGAN v2.

    Args:
        classes: The number of domains.
        style: Length of a style.
        noise: Length of the noise.
        diversity: The first weight of the diversity loss, which falls to 0.

    Returns:
        The paper; its networks, which have a branch for each domain, are the user's to pass.
    """
    graph = CycleGraph(
        {"x": Image(3), "c0": Label(classes), "r": Image(3), "r_2": Image(3), "c": Label(classes)}
        | {"z": Noise(noise), "z_2": Noise(noise)}
        | dict.fromkeys(("s", "s_2", "s0", "t", "t_2", "t0"), Vector(style)),
        maps="""
            [z, c] -F-> s ; [z_2, c] -F-> s_2                        # styles drawn
            [x, s] -G-> x* ; [x, s_2] -G-> x2
            [r, c] -stop(E)-> t ; [r_2, c] -stop(E)-> t_2            # styles of references, of which G alone learns
            [x, t] -G-> y* ; [x, t_2] -G-> y2
        """,
        cycles="""
            cyc:   [x, c0] -E-> s0 ; [x*, s0] -G-> _ ~ x             # Eq. 4
            cyc_r: [x, c0] -stop(E)-> t0 ; [y*, t0] -G-> _ ~ x
        """,
        adversaries="D: [x*, c] vs [x, c0] + r1 ; [y*, c] vs [x, c0]    # Eq. 1",
        losses="""
            sty:   [x*, c] -E-> _ ~ s                                # Eq. 2
            sty_r: [y*, c] -stop(E)-> _ ~ t
            ds:    x* ~ stop(x2)                                     # Eq. 3, maximised
            ds_r:  y* ~ stop(y2)
        """,
        weights={"ds*": Ramp(-diversity, 0, steps=100_000), "r1": 0.5},
        adversarial="nonsaturating",
        schedule=Schedule(order=("discriminators", "generators"), discriminator_scale=1, history=0),
    )
    return Paper(
        source=Source(
            "StarGAN v2: Diverse Image Synthesis for Multiple Domains",
            "Yunjey Choi, Youngjung Uh, Jaejun Yoo, Jung-Woo Ha",
            "CVPR 2020",
            "1912.01865",
            "clovaai/stargan-v2",
        ),
        supervision="labels",
        graph=graph,
        recipe=Recipe(
            generators=dict.fromkeys(graph.generators),
            discriminators=dict.fromkeys(graph.discriminators),
            batch=8,
            rate=1e-4,
            rates={"F": 1e-6},
            betas=(0.0, 0.99),
            weight_decay=1e-4,
            decay="none",
            constant=100_000,
            unit="steps",
            average=0.999,
        ),
        notes=(
            "The released code takes two steps in turn, one by noise and one by references, whose generator alone "
            "steps; "
            "here both are one step, in which the encoder takes no gradient from the references.",
            "The diversity loss starts at 2 for animals.",
        ),
    )
