"""GP-GAN: faces from landmarks that keep their gender."""

from cyclekit._spec import NetworkSpec
from cyclekit.graph import CycleGraph, Image, Label, Landmarks, Schedule
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper


@register_paper("gpgan")
def gpgan(perceptual: bool = True) -> Paper:
    """Return GP-GAN, as far as its paper says what it is.

    Args:
        perceptual: Whether VGG's features are compared, whose weights are downloaded.

    Returns:
        The paper; its classifier of gender is the user's to pass, trained already.
    """
    graph = CycleGraph(
        {"L": Landmarks(3), "y": Image(3), "g": Label(2)},
        maps="L -G-> y*",
        adversaries="D: [L, y*] vs [L, y]",
        losses="gender: y* -C-> _ ~ g ; y* ~ y" + (" ; perceptual(y* ~ y)" if perceptual else ""),
        weights={"l1": 10} | ({"perceptual": 10} if perceptual else {}),
        frozen=["C"],
        schedule=Schedule(history=0),
    )
    return Paper(
        source=Source(
            "GP-GAN: Gender Preserving GAN for Synthesizing Faces from Landmarks",
            "Xing Di, Vishwanath A. Sindagi, Vishal M. Patel",
            "ICPR 2018",
            "1710.00962",
        ),
        supervision="pairs with labels",
        graph=graph,
        recipe=Recipe(
            generators={"G": NetworkSpec("unet_64", norm="batch"), "C": None},
            discriminators={"D": NetworkSpec("patchgan_16", norm="batch")},
            size=(64, 64),
            batch=16,
            decay="none",
            constant=200,
        ),
        notes=(
            "No code was released. The generator mixes a U-Net with dense blocks; a plain U-Net stands here.",
            "Batch and number of epochs are not in the paper.",
        ),
    )
