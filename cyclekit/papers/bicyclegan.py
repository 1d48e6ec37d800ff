"""BicycleGAN: one image to many, by a code that comes back both ways."""

from cyclekit._spec import NetworkSpec
from cyclekit.graph import CycleGraph, Image, Noise, Schedule, Vector
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper


@register_paper("bicyclegan")
def bicyclegan(channels: int = 3, out_channels: int = 3, code: int = 8) -> Paper:
    """Return BicycleGAN.

    Args:
        channels: Of the images it takes.
        out_channels: Of the images it makes.
        code: Length of the code.

    Returns:
        The paper.
    """
    graph = CycleGraph(
        {"A": Image(channels), "B": Image(out_channels), "z": Noise(code), "mu": Vector(code), "logvar": Vector(code)},
        maps="""
            B -E-> [mu, logvar] -sample-> e
            [A, e] -G-> B*                      # cVAE-GAN
            [A, z] -G-> Bz                      # cLR-GAN
        """,
        adversaries="D_vae: B* vs B ; D: Bz vs B  # Eq. 2, 5",
        losses="""
            B* ~ B                              # Eq. 3
            kl(mu, logvar)                      # Eq. 4
            code: Bz -stop(E)-> [zm, _] ; zm ~ z  # Eq. 6; G learns from it, E does not
        """,
        weights={"B* ~ B": 10, "kl": 0.01, "code": 0.5},
        schedule=Schedule(discriminator_scale=1, history=0),
    )
    judge = NetworkSpec("multiscale_patchgan", scales=2)
    return Paper(
        source=Source(
            "Toward Multimodal Image-to-Image Translation",
            "Jun-Yan Zhu, Richard Zhang, Deepak Pathak, Trevor Darrell, Alexei A. Efros, Oliver Wang, Eli Shechtman",
            "NIPS 2017",
            "1711.11586",
            "junyanz/BicycleGAN",
        ),
        supervision="pairs",
        graph=graph,
        recipe=Recipe(
            generators={
                "E": NetworkSpec("style_encoder"),
                "G": NetworkSpec("unet_256", norm="instance", init="xavier"),
            },
            discriminators={"D_vae": judge, "D": judge},
            batch=2,
            constant=30,
            decaying=30,
        ),
        notes=(
            "The released generator adds the code to every level of its U-Net; here it stands beside the image.",
            "Its discriminators see the output alone, though the equations condition them.",
            "Half of a batch is encoded and the other half drawn in the code; here all of it is both.",
        ),
    )
