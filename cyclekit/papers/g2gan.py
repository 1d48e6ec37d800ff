"""G²GAN: one generator translates, the other one reconstructs."""

from cyclekit._spec import NetworkSpec
from cyclekit.graph import CycleGraph, Image, Label, Vector
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper


@register_paper("g2gan")
def g2gan(classes: int = 5, channels: int = 3, exclusive: bool = True) -> Paper:
    """Return the dual generator GAN.

    Args:
        classes: The number of domains.
        channels: Of the images.
        exclusive: Whether an image has one label alone; otherwise any, as CelebA's attributes, each judged by itself.

    Returns:
        The paper.
    """
    label = Label(classes) if exclusive else Vector(classes)
    graph = CycleGraph(
        signals={"x": Image(channels), "c": label, "c0": label},
        cycles="rec: [x, c] -G_t-> y* ; [y*, c0] -G_r-> x* ~ x",
        adversaries="D: y* vs x",
        losses="""
            structure: ssim(x* ~ x)
            identity:  [x, c0] -G_r-> _ ~ x
            real_cls:  x -D.cls-> _ ~ c0
            fake_cls:  y* -D.cls-> _ ~ c
        """,
        criteria={} if exclusive else dict.fromkeys(("real_cls", "fake_cls"), "binary_cross_entropy"),
        weights={"rec": 10, "identity": 0.5},
    )
    return Paper(
        source=Source(
            "Dual Generator Generative Adversarial Networks for Multi-Domain Image-to-Image Translation",
            "Hao Tang, Dan Xu, Wei Wang, Yan Yan, Nicu Sebe",
            "ACCV 2018",
            "1901.04604",
            "Ha0Tang/AsymmetricGAN",
        ),
        supervision="labels",
        graph=graph,
        recipe=Recipe(
            generators={"G_t": NetworkSpec("stargan"), "G_r": NetworkSpec("stargan")},
            discriminators={"D": NetworkSpec("stargan", image_size=(128, 128))},
            size=(128, 128),
            batch=16,
            rate=1e-4,
            constant=10,
            decaying=10,
        ),
        notes=(
            "The two generators may share some, all or none of their weights in the paper; here they share none.",
            "A colour cycle loss, which compares each channel alone, is an l1 over all channels here.",
        ),
    )
