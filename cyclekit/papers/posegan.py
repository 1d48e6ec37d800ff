"""PoseGAN: deformable skips, warped part by part between two poses."""

from cyclekit._spec import NetworkSpec
from cyclekit.graph import CycleGraph, Heatmap, Image, Latent, Schedule
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper


@register_paper("posegan")
def posegan(joints: int = 18, features: int = 64) -> Paper:
    """Return the deformable GAN for poses.

    Args:
        joints: Channels of a pose.
        features: Channels of the skip that is warped.

    Returns:
        The paper; its encoders, its decoder and the warp are the user's to pass.
    """
    graph = CycleGraph(
        signals={"x": Image(3), "y": Image(3), "Lx": Heatmap(joints), "Ly": Heatmap(joints)}
        | {"f": Latent(features), "f_Ly": Latent(features), "g": Latent(features)},
        maps="""
            [x, Lx]      -E_x->  f
            [f, Lx, Ly]  -warp-> f_Ly
            Ly           -E_L->  g
            [f_Ly, g]    -Dec->  y*
        """,
        functions=["warp"],
        adversaries="D: [x, Lx, y*, Ly] vs [x, Lx, y, Ly]",
        losses="nearest_neighbour(y* ~ y)",
        adversarial="log",
        weights={"nearest_neighbour(y* ~ y)": 0.01},
        schedule=Schedule(history=0),
    )
    return Paper(
        source=Source(
            "Deformable GANs for Pose-based Human Image Generation",
            "Aliaksandr Siarohin, Enver Sangineto, Stéphane Lathuilière, Nicu Sebe",
            "CVPR 2018",
            "1801.00055",
            "AliaksandrSiarohin/pose-gan",
        ),
        supervision="pairs with keypoints",
        graph=graph,
        recipe=Recipe(
            generators={"E_x": None, "E_L": None, "Dec": None},
            discriminators={"D": NetworkSpec("patchgan_70", norm="instance")},
            size=(128, 64),
            batch=4,
            decay="none",
            constant=90_000,
            unit="steps",
        ),
        notes=(
            "The nearest-neighbour loss compares VGG-19 features of block 1, with weights of caffe on values to 255; "
            "here "
            "it compares pixels, by that weight too little.",
            "Two encoders, ten affine warps of the first four skips: one skip stands for them here.",
        ),
    )
