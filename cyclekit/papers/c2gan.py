"""C2GAN: an image cycle and two keypoint cycles, in the paper's text and in the released code."""

from dataclasses import replace
from typing import Literal

from cyclekit._spec import NetworkSpec
from cyclekit.errors import ArgumentError
from cyclekit.graph import CycleGraph, Domain, Heatmap, Image, Mask, Ramp, Schedule, StandIn
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper

Preset = Literal["official", "paper", "supervised"]
Task = Literal["faces", "persons"]
Row = Literal["I2I2I", "I2I2I+K2G2K", "I2I2I+K2R2K", "full", "single_modal", "non_sharing"]


_MASKED, _DISTANCE = "masked(y* ~ y, M)", "keypoint_distance(Ly* ~ Ly)"
_SIZES: dict[Task, tuple[int, int]] = {"faces": (256, 256), "persons": (128, 64)}


@register_paper("c2gan")
def c2gan(
    keypoints: Domain | int = 18,
    preset: Preset = "official",
    row: Row = "full",
    pixel_weight: float | None = None,
    task: Task = "faces",
    warm_up: int | None = None,
) -> Paper:
    """Return C2GAN.

    Args:
        keypoints: The domain of the keypoints, or the number of joints of a heatmap.
        preset: What the released code does (least squares, both sides step jointly, Xavier, a rate that decays), or
            what the text says (log, networks step one after the other, a constant rate); or as the released code,
            but G_K is supervised on real images, and what asks for landmarks in an image weighs little, so that G_I
            does not paint their dots onto the face ("Painting" in the documentation), with networks that draw
            sharper in less time.
        row: A row of Table 1: the cycles it has, discriminators that see images or keypoints alone, or generators
            that share no weights. Its fourth row, all cycles, is ``"full"``.
        pixel_weight: Of the comparison of y* and y, for which the paper recommends 10 to 100; by default 10, and 100
            where G_K is supervised.
        task: For persons the text has smaller batches and images, PG2's mask loss and the distance of keypoints; the
            released code has no persons, and with the two other presets only sizes differ.
        warm_up: The first so many steps, in which a frozen pose estimator stands in for G_K, as the text has it for
            persons: ``build(generators={"pose": module})``, images to heatmaps. G_K learns on real images meanwhile.

    Returns:
        The paper.

    Raises:
        ArgumentError: ``warm_up`` is given, and this is not the text on persons, or there is not one G_K to wait.
    """
    pose = Heatmap(keypoints) if isinstance(keypoints, int) else keypoints
    official = preset != "paper"
    if pixel_weight is None:
        pixel_weight = 100 if preset == "supervised" else 10
    graph = CycleGraph(
        signals={"x": Image(3), "y": Image(3), "Lx": pose, "Ly": pose},
        cycles="""
            I2I2I: [x, Ly]  -G_I-> y* ; [y*, Lx] -G_I-> x* ~ x      # Eq. 1, 5
            K2G2K: [x, Ly]  -G_I-> y* -G_K-> Ly* ~ Ly               # Eq. 6, 11
            K2R2K: [y*, Lx] -G_I-> x* -G_K-> Lx* ~ Lx               # Eq. 7, 11
        """,
        adversaries="""
            D_I: [x, Ly, y*] vs [x, Ly, y]                          # Eq. 2
            D_I: [y, Lx, x*] vs [y, Lx, x]                          # Eq. 3
            D_K: [y*, Ly*]   vs [y*, Ly]                            # Eq. 8
            D_K: [x*, Lx*]   vs [x*, Lx]                            # Eq. 9
        """,
        losses="y* ~ y                                                  # Eq. 12",
        weights={"I2I2I": 10, "K2G2K": 10, "K2R2K": 10, "y* ~ y": pixel_weight},
        adversarial="lsgan" if official else "log",
        schedule=Schedule() if official else Schedule.sequential("G_I", "D_I", "G_K", "D_K"),
    )
    text_on_persons = preset == "paper" and task == "persons"
    if warm_up is not None and not (text_on_persons and row not in ("I2I2I", "non_sharing")):
        raise ArgumentError(
            f"c2gan(warm_up={warm_up}): an estimator stands in for G_K with preset='paper', task='persons' and a row "
            f"that has one G_K; got preset={preset!r}, task={task!r}, row={row!r}"
        )
    if row == "non_sharing":
        graph = graph.unshare("G_I", "G_K")
    if preset == "supervised":
        graph = _supervised(graph)
    if text_on_persons:
        graph = _persons(graph, pixel_weight, warm_up)
    graph = _row(graph, row)
    init = {"init": "c2gan" if official else "normal"}
    deepest = {"faces": "unet_256", "persons": "unet_64"}[task]  # that fits 128x64
    unet, patchgan = NetworkSpec(deepest, norm="batch", **init), NetworkSpec("patchgan_70", norm="batch", **init)
    return Paper(
        source=Source(
            "Cycle In Cycle Generative Adversarial Networks for Keypoint-Guided Image Generation",
            "Hao Tang, Dan Xu, Gaowen Liu, Wei Wang, Nicu Sebe, Yan Yan",
            "ACM MM 2019",
            "1908.00999",
            "Ha0Tang/C2GAN",
        ),
        supervision="pairs with keypoints",
        graph=graph,
        recipe=_supervised_recipe(graph, task)
        if preset == "supervised"
        else Recipe(
            generators=dict.fromkeys(graph.generators, unet),
            discriminators=dict.fromkeys(graph.discriminators, patchgan),
            size=_SIZES[task],
            batch=8 if official else {"faces": 16, "persons": 4}[task],
            decay="linear" if official else "none",
            constant=100 if official else {"faces": 200, "persons": 90}[task],
        ),
        notes=(
            "The released code steps the image generator before the keypoint losses are back-propagated, so that its "
            "keypoint cycles never train it; both presets train it, as the text says.",
            "Batches of 16 on faces and 4 on persons in the text, 8 in the code.",
            "'Paper and practice' has every difference of the two.",
        ),
    )


def _supervised(graph: CycleGraph) -> CycleGraph:
    """Teach G_K, or each of two, to read real images, and let dots, which cover a few hundredths of a map, weigh more.

    G_I can paint dots onto an image, which heatmaps do not invite to: what asks for them weighs little.
    """
    heatmaps = isinstance(graph.domains["Ly"], Heatmap)
    foreground = "bright_foreground" if heatmaps else "dark_foreground"
    readers = [name for name in graph.generators if name.startswith("G_K")]
    asking = ("K2G2K", "K2R2K") if heatmaps else ("K2G2K", "K2R2K", "D_K(Ly*)", "D_K(Lx*)")
    return graph.replace(
        losses=f"{graph.losses}\nreal_y: y -{readers[0]}-> _ ~ Ly\nreal_x: x -{readers[-1]}-> _ ~ Lx",
        weights={**graph.weights, **dict.fromkeys(asking, 1 if heatmaps else 0.1), "real_*": 10},
        criteria=dict.fromkeys(("K2G2K", "K2R2K", "real_y", "real_x"), foreground),
    )


def _persons(graph: CycleGraph, pixel_weight: float, warm_up: int | None) -> CycleGraph:
    """Add what the text has for persons alone: the mask loss, the distance of keypoints, the estimator's steps."""
    weights = {name: weight for name, weight in graph.weights.items() if name != "y* ~ y"}
    graph = graph.replace(
        signals={**graph.signals, "M": Mask()},
        losses=f"{_MASKED}   # Eq. 12, with PG2's mask loss\n{_DISTANCE}",
        # A blob that is a pixel off costs 0.1 here, and nearly as much in K2G2K at its weight of 10.
        weights={**weights, _MASKED: pixel_weight, _DISTANCE: 0.1},
    )
    if warm_up is None:
        return graph
    return graph.replace(
        losses=f"{graph.losses}\nreal_y: y -G_K-> _ ~ Ly\nreal_x: x -G_K-> _ ~ Lx",
        weights={**graph.weights, "real_*": Ramp(10, 0, steps=1, after=warm_up - 1)},
        criteria={"real_y": "bright_foreground", "real_x": "bright_foreground"},
        schedule=replace(
            graph.schedule, stand_ins=(StandIn("G_K", by="pose", steps=warm_up, learning=("real_y", "real_x")),)
        ),
    )


def _supervised_recipe(graph: CycleGraph, task: Task) -> Recipe:
    """Return small networks and a short training, as they were chosen on drawn faces."""
    unet = NetworkSpec(
        "unet_64", base_channels=16, norm="batch", dropout=0.0, upsample="nearest", full_resolution=True, init="normal"
    )
    # Normalised over a batch, D_I is fooled by one glaring spot on each face, beside which the rest passes for real.
    norm = "none" if task == "faces" else "batch"
    patchgan = NetworkSpec("patchgan_16", base_channels=16, norm=norm, init="normal")
    return Recipe(
        generators=dict.fromkeys(graph.generators, unet),
        discriminators=dict.fromkeys(graph.discriminators, patchgan),
        size=(64, 64) if task == "faces" else _SIZES[task],
        batch=4,
        rate=1e-3,
        decay="linear",
        constant=900,
        decaying=900,
        unit="steps",
    )


def _row(graph: CycleGraph, row: Row) -> CycleGraph:
    """Return what a row of Table 1 trains, its generators unshared already."""
    dropped = {"I2I2I": ("K2G2K", "K2R2K"), "I2I2I+K2G2K": ("K2R2K",), "I2I2I+K2R2K": ("K2G2K",)}.get(row, ())
    if dropped:
        # The distance of persons' keypoints compares what K2G2K makes.
        distance = [_DISTANCE] if "K2G2K" in dropped and _DISTANCE in graph.weights else []
        return graph.without(*distance, *dropped)
    if row == "single_modal":
        return graph.replace_adversary("D_I: y* vs y ; x* vs x\nD_K: Ly* vs Ly ; Lx* vs Lx")
    return graph
