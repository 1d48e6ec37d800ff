"""SPADE: images from maps of classes, which modulate every layer."""

from cyclekit._spec import NetworkSpec
from cyclekit.graph import Classes, CycleGraph, Image, Schedule, Vector
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper


@register_paper("spade")
def spade(classes: int = 35, perceptual: bool = True, code: int = 256) -> Paper:
    """Return SPADE with an encoder of styles.

    Args:
        classes: Of the map it takes.
        perceptual: Whether VGG's features are compared, whose weights are downloaded.
        code: Length of the style's code.

    Returns:
        The paper; its generator is the user's to pass.
    """
    graph = CycleGraph(
        {"s": Classes(classes), "y": Image(3), "mu": Vector(code), "logvar": Vector(code)},
        maps="y -E-> [mu, logvar] -sample-> z ; [s, z] -G-> y*",
        adversaries="D: [s, y*] vs [s, y] + feature_matching",
        losses="kl(mu, logvar)" + (" ; perceptual(y* ~ y)" if perceptual else ""),
        weights={"feature_matching": 10, "kl": 0.05} | ({"perceptual": 10} if perceptual else {}),
        adversarial="hinge",
        schedule=Schedule(discriminator_scale=1, history=0),
    )
    return Paper(
        source=Source(
            "Semantic Image Synthesis with Spatially-Adaptive Normalization",
            "Taesung Park, Ming-Yu Liu, Ting-Chun Wang, Jun-Yan Zhu",
            "CVPR 2019",
            "1903.07291",
            "NVlabs/SPADE",
        ),
        supervision="pairs",
        graph=graph,
        recipe=Recipe(
            generators={"E": NetworkSpec("style_encoder"), "G": None},
            discriminators={"D": NetworkSpec("multiscale_patchgan", scales=2, layers=4, spectral_norm=True)},
            batch=32,
            rate=1e-4,
            rates={"D": 4e-4},
            betas=(0.0, 0.9),
            constant=50,
            decaying=0,
        ),
        notes=(
            "The encoder is an option of the released code; without it a noise takes the place of the code.",
            "Instance boundaries stand beside the classes where the data set has them.",
        ),
    )
