"""StarGAN: one generator for all domains, told by a label."""

from cyclekit._spec import NetworkSpec
from cyclekit.graph import CycleGraph, Image, Label, Schedule, Vector
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper


@register_paper("stargan")
def stargan(classes: int = 5, channels: int = 3, exclusive: bool = True) -> Paper:
    """Return StarGAN for labels that exclude one another, or for attributes.

    Args:
        classes: The number of domains.
        channels: Of the images.
        exclusive: Whether an image has one label alone; otherwise any, as CelebA's attributes, each judged by itself.

    Returns:
        The paper.
    """
    label = Label(classes) if exclusive else Vector(classes)
    graph = CycleGraph(
        signals={"x": Image(channels), "c": label, "c0": label},  # the wanted label, and x's own
        cycles="rec: [x, c] -G-> y* ; [y*, c0] -G-> x* ~ x                          # Eq. 4",
        adversaries="D: y* vs x + wgan_gp                                           # Eq. 8",
        losses="real_cls: x -D.cls-> _ ~ c0 ; fake_cls: y* -D.cls-> _ ~ c           # Eq. 2, 3",
        criteria={} if exclusive else dict.fromkeys(("real_cls", "fake_cls"), "binary_cross_entropy"),
        weights={"rec": 10, "wgan_gp": 10},
        adversarial="wgan",
        schedule=Schedule(
            order=("discriminators", "generators"), discriminator_steps=5, discriminator_scale=1, history=0
        ),
    )
    return Paper(
        source=Source(
            "StarGAN: Unified Generative Adversarial Networks for Multi-Domain Image-to-Image Translation",
            "Yunjey Choi, Minje Choi, Munyoung Kim, Jung-Woo Ha, Sunghun Kim, Jaegul Choo",
            "CVPR 2018",
            "1711.09020",
            "yunjey/stargan",
        ),
        supervision="labels",
        graph=graph,
        recipe=Recipe(
            generators={"G": NetworkSpec("stargan")},
            discriminators={"D": NetworkSpec("stargan", image_size=(128, 128))},
            size=(128, 128),
            batch=16,
            rate=1e-4,
            constant=100_000,
            decaying=100_000,
            unit="steps",
        ),
        notes=(
            "CelebA's attributes do not exclude one another: exclusive=False.",
            "Several data sets at once are one label with a mask vector behind it.",
        ),
    )
