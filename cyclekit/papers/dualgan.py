"""DualGAN: two Wasserstein GANs that invert each other."""

from cyclekit._spec import NetworkSpec
from cyclekit.graph import CycleGraph, Image, Schedule
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper


@register_paper("dualgan")
def dualgan(channels: int = 3, cycle: float = 500) -> Paper:
    """Return DualGAN.

    Args:
        channels: Of the images of both domains.
        cycle: The weight of the cycles, 100 to 1,000 by data set.

    Returns:
        The paper.
    """
    graph = CycleGraph(
        signals={"u": Image(channels), "v": Image(channels)},
        cycles="""
            u_cycle: u -G_A-> v* -G_B-> u** ~ u
            v_cycle: v -G_B-> u* -G_A-> v** ~ v
        """,
        adversaries="D_A: v* vs v ; D_B: u* vs u  # Eq. 1, 2",
        adversarial="wgan",
        weights={"u_cycle": cycle, "v_cycle": cycle},
        schedule=Schedule(order=("discriminators", "generators"), discriminator_steps=3, history=0),
    )
    generator, critic = NetworkSpec("unet_256", norm="batch"), NetworkSpec("patchgan_70", norm="batch")
    return Paper(
        source=Source(
            "DualGAN: Unsupervised Dual Learning for Image-to-Image Translation",
            "Zili Yi, Hao Zhang, Ping Tan, Minglun Gong",
            "ICCV 2017",
            "1704.02510",
            "duxingren14/DualGAN",
        ),
        supervision="unpaired",
        graph=graph,
        unpaired=("u", "v"),
        recipe=Recipe(
            generators={"G_A": generator, "G_B": generator},
            discriminators={"D_A": critic, "D_B": critic},
            optimizer="RMSprop",
            rate=5e-5,
            decay="none",
            constant=45,
        ),
        notes=(
            "Cycles weigh 100 to 1,000, by data set; critics step two to four times, batches hold one to four images.",
            "Critics' weights are clipped to [-0.01, 0.01] after every step, which is the training loop's to do.",
        ),
    )
