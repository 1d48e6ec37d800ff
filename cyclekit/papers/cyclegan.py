"""CycleGAN: two generators, there and back."""

from cyclekit._spec import NetworkSpec
from cyclekit.graph import CycleGraph, Image
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper


@register_paper("cyclegan")
def cyclegan(channels: int = 3, identity: float = 0.5) -> Paper:
    """Return CycleGAN.

    Args:
        channels: Of the images of both domains.
        identity: The identity loss's weight, as a part of the cycles'; 0 for none.

    Returns:
        The paper.
    """
    graph = CycleGraph(
        signals={"A": Image(channels), "B": Image(channels)},
        cycles="""
            forward:  A -G_A-> B* -G_B-> A** ~ A  # Eq. 2
            backward: B -G_B-> A* -G_A-> B** ~ B
        """,
        adversaries="D_A: B* vs B ; D_B: A* vs A       # Eq. 1; D_A judges what G_A makes",
        losses="idt_A: B -G_A-> _ ~ B ; idt_B: A -G_B-> _ ~ A" if identity else "",
        weights={"forward": 10, "backward": 10}
        | ({"idt_A": 10 * identity, "idt_B": 10 * identity} if identity else {}),
    )
    generator, discriminator = (
        NetworkSpec("resnet_9blocks", norm="instance"),
        NetworkSpec("patchgan_70", norm="instance"),
    )
    return Paper(
        source=Source(
            "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks",
            "Jun-Yan Zhu, Taesung Park, Phillip Isola, Alexei A. Efros",
            "ICCV 2017",
            "1703.10593",
            "junyanz/pytorch-CycleGAN-and-pix2pix",
        ),
        supervision="unpaired",
        graph=graph,
        unpaired=("A", "B"),
        recipe=Recipe(
            generators={"G_A": generator, "G_B": generator},
            discriminators={"D_A": discriminator, "D_B": discriminator},
        ),
        notes=(
            "The paper uses the identity loss for paintings alone; the code by default.",
            "Six residual blocks at 128 x 128, nine at 256 x 256 and above.",
        ),
    )
