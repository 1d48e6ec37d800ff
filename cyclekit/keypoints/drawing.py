"""Keypoints drawn: discs, limbs, landmark pictures and stick figures."""

import math
from typing import Literal, NamedTuple

import torch
from einops import rearrange, repeat
from jaxtyping import Bool, Float
from torch import Tensor

from cyclekit._typed import typed
from cyclekit.keypoints.points import Placed, check_positive, check_radius, check_size, place
from cyclekit.keypoints.skeletons import Skeleton

Polarity = Literal["black_on_white", "white_on_black"]


@typed
def landmark_image(
    points: Float[Tensor, "batch joints 2"],
    size: tuple[int, int],
    radius: int | float = 2.0,
    polarity: Polarity = "black_on_white",
    visible: Bool[Tensor, "batch joints"] | Float[Tensor, "batch joints"] | None = None,
) -> Float[Tensor, "batch 3 height width"]:
    """Draw all points of a sample as dots on one RGB picture, as C2GAN does its face landmarks.

    The rim of a dot is smoothed over one pixel, so the picture is differentiable in `points`.

    Args:
        points: (x, y) in pixels, shape (batch, joints, 2); pixel centres lie at whole numbers. A point with
            a NaN or infinite coordinate is missing, and missing points leave no dot.
        size: Height and width of the picture, in pixels.
        radius: Radius of a dot in pixels.
        polarity: `"black_on_white"` or `"white_on_black"`.
        visible: Which joints are there, shape (batch, joints): True, or a confidence above 0.

    Returns:
        Pictures in [0, 1], shape (batch, 3, height, width), of the points' dtype and device.

    Raises:
        ShapeError: A tensor does not have the annotated shape, or `polarity` is another word.
        ArgumentError: `size` or `radius` is not positive, or `radius` is longer than the picture's diagonal.

    Source:
        Tang et al., Cycle In Cycle Generative Adversarial Networks for Keypoint-Guided Image Generation
        (arXiv 1908.00999), the landmark panels of the Radboud faces.

    Example:
        ```python
        import torch
        from cyclekit.keypoints import landmark_image

        picture = landmark_image(torch.rand(2, 68, 2) * 63, size=(64, 64))
        assert picture.shape == (2, 3, 64, 64)
        ```
    """
    check_size(size)
    check_radius(radius, size)
    dots = disc_coverage(place(points, visible), size, radius).to(points.dtype)
    picture = 1 - dots if polarity == "black_on_white" else dots
    return repeat(picture, "b h w -> b c h w", c=3)


@typed
def render_discs(
    points: Float[Tensor, "batch joints 2"],
    size: tuple[int, int],
    radius: int | float = 4,
    visible: Bool[Tensor, "batch joints"] | Float[Tensor, "batch joints"] | None = None,
) -> Float[Tensor, "batch joints height width"]:
    """Render each point as a map of its own: 1 on a disc, 0 elsewhere.

    The pose input of PG2 (with values brought to -1 and 1). Its edge is hard, so nothing flows back to
    `points`; `render_heatmaps` and `landmark_image` are differentiable.

    Args:
        points: (x, y) in pixels, shape (batch, joints, 2); pixel centres lie at whole numbers. A point with
            a NaN or infinite coordinate is missing, and its map is all zero.
        size: Height and width of the maps, in pixels.
        radius: Radius in pixels; pixels at just this distance belong to the disc. PG2 uses 4 at 128x64.
        visible: Which joints are there, shape (batch, joints): True, or a confidence above 0.

    Returns:
        Maps of 0 and 1, shape (batch, joints, height, width), of the points' dtype and device.

    Raises:
        ShapeError: A tensor does not have the annotated shape.
        ArgumentError: `size` or `radius` is not positive, or `radius` is longer than the maps' diagonal.

    Source:
        Ma et al., Pose Guided Person Image Generation (arXiv 1705.09368), section 3.1.1, and
        https://github.com/charliememory/Pose-Guided-Person-Image-Generation.

    Example:
        ```python
        import torch
        from cyclekit.keypoints import render_discs

        maps = render_discs(torch.tensor([[[20.0, 40.0]]]), size=(128, 64))
        assert maps.sum() == 49
        ```
    """
    check_size(size)
    check_radius(radius, size)
    placed = place(points, visible)
    each = Placed(rearrange(placed.points, "b j c -> (b j) 1 c"), rearrange(placed.present, "b j -> (b j) 1"))
    discs = disc_coverage(each, size, radius) >= 0.5
    return rearrange(discs, "(b j) h w -> b j h w", b=points.shape[0], j=points.shape[1]).to(points.dtype)


def disc_coverage(placed: Placed, size: tuple[int, int], radius: float) -> Tensor:
    """Cover a canvas with all discs of a sample: 1 inside, 1/2 where d = radius, 0 outside.

    Only the few pixels around each point are computed and then scattered, since a map for every point
    would take the memory of `joints` canvases.

    Returns:
        Coverage in [0, 1], shape (batch, height, width).
    """
    points, present = placed
    height, width = size
    reach = math.ceil(radius + 1)
    steps = torch.arange(-reach, reach + 1, device=points.device)
    window = torch.cartesian_prod(steps, steps)
    # A point far outside would overflow the whole number it is rounded to; just out of reach is far enough.
    nearest = torch.stack(
        [
            axis.detach().round().clamp(-reach - 1, length + reach).long()
            for axis, length in zip(points.unbind(-1), (width, height), strict=True)
        ],
        -1,
    )
    pixels = rearrange(nearest, "b j c -> b j 1 c") + window
    x, y = pixels.unbind(-1)
    offset = pixels - rearrange(points, "b j c -> b j 1 c")
    # The square root's slope at 0 is infinite; inside the disc it must count as flat.
    distance = offset.square().sum(-1).clamp(min=1e-12).sqrt()
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height) & rearrange(present, "b j -> b j 1")
    coverage = (radius + 0.5 - distance).clamp(0, 1) * inside
    index = torch.where(inside, y * width + x, 0)
    canvas = coverage.new_zeros(points.shape[0], height * width)
    canvas = canvas.scatter_reduce(
        1, rearrange(index, "b j k -> b (j k)"), rearrange(coverage, "b j k -> b (j k)"), "amax"
    )
    return rearrange(canvas, "b (h w) -> b h w", h=height)


class Ends(NamedTuple):
    """Both ends of every limb, and whether both are there."""

    start: Float[Tensor, "batch limbs 2"]
    end: Float[Tensor, "batch limbs 2"]
    present: Bool[Tensor, "batch limbs"]


def limb_ends(placed: Placed, limbs: tuple[tuple[int, int], ...]) -> Ends:
    """Look the joints of each limb up."""
    first, second = [a for a, _ in limbs], [b for _, b in limbs]
    points, present = placed
    return Ends(points[:, first], points[:, second], present[:, first] & present[:, second])


class Along(NamedTuple):
    """Where each pixel lies beside each limb, shape (batch, limbs, height, width).

    `along` runs from 0 at the start to 1 at the end; `squared` is the distance in pixels, squared, from the
    limb's line at that place. With the place held between the ends, it is the distance from the limb.
    """

    along: Tensor
    squared: Tensor


def beside(ends: Ends, size: tuple[int, int], held: bool) -> Along:
    """Project every pixel on every limb, the foot of the perpendicular `held` between the ends or not."""
    height, width = size
    start = rearrange(ends.start, "b l c -> c b l 1 1")
    step = rearrange(ends.end - ends.start, "b l c -> c b l 1 1")
    x = torch.arange(width, device=start.device, dtype=start.dtype) - start[0]
    y = rearrange(torch.arange(height, device=start.device, dtype=start.dtype), "h -> h 1") - start[1]
    # A limb of length 0 is a point: any positive length then puts every foot on it.
    along = (x * step[0] + y * step[1]) / step.square().sum(0).clamp(min=1e-12)
    foot = along.clamp(0, 1) if held else along
    return Along(along, (x - foot * step[0]).square() + (y - foot * step[1]).square())


@typed
def render_limbs(
    points: Float[Tensor, "batch joints 2"],
    skeleton: Skeleton,
    size: tuple[int, int],
    width: int | float = 3,
    visible: Bool[Tensor, "batch joints"] | Float[Tensor, "batch joints"] | None = None,
) -> Float[Tensor, "batch limbs height width"]:
    """Render each limb of a skeleton as a map of its own: a stroke with round ends.

    The edge of a stroke is smoothed over one pixel, so the maps are differentiable in `points`.

    Args:
        points: (x, y) in pixels, shape (batch, joints, 2); pixel centres lie at whole numbers. A point with
            a NaN or infinite coordinate is missing.
        skeleton: Which joints are connected.
        size: Height and width of the maps, in pixels.
        width: Width of the strokes in pixels.
        visible: Which joints are there, shape (batch, joints): True, or a confidence above 0. A limb that
            lacks an end leaves an all-zero map.

    Returns:
        Maps in [0, 1], shape (batch, limbs, height, width), of the points' dtype and device.

    Raises:
        ShapeError: A tensor does not have the annotated shape.
        ArgumentError: `size` or `width` is not positive, or `points` are not as many as the skeleton's joints.

    Example:
        ```python
        import torch
        from cyclekit.keypoints import COCO_17, render_limbs

        maps = render_limbs(torch.rand(2, 17, 2) * 63, COCO_17, size=(64, 64))
        assert maps.shape == (2, 19, 64, 64)
        ```
    """
    check_size(size)
    check_positive("width", width)
    skeleton.check_joints(points.shape[1])
    ends = limb_ends(place(points, visible), skeleton.limbs)
    # The square root's slope at 0 is infinite; on the limb itself it must count as flat.
    distance = beside(ends, size, held=True).squared.clamp(min=1e-12).sqrt()
    strokes = (width / 2 + 0.5 - distance).clamp(0, 1) * rearrange(ends.present, "b l -> b l 1 1")
    return strokes.to(points.dtype)


@typed
def stick_figure(
    points: Float[Tensor, "batch joints 2"],
    skeleton: Skeleton,
    size: tuple[int, int],
    width: int | float = 3,
    background: Literal["black", "white"] = "black",
    visible: Bool[Tensor, "batch joints"] | Float[Tensor, "batch joints"] | None = None,
) -> Float[Tensor, "batch 3 height width"]:
    """Draw the limbs of a skeleton in their colours on one RGB picture, later limbs over earlier ones.

    Args:
        points: (x, y) in pixels, shape (batch, joints, 2); pixel centres lie at whole numbers. A point with
            a NaN or infinite coordinate is missing.
        skeleton: Which joints are connected, and in which colour.
        size: Height and width of the picture, in pixels.
        width: Width of the strokes in pixels.
        background: `"black"` or `"white"`.
        visible: Which joints are there, shape (batch, joints): True, or a confidence above 0. A limb that
            lacks an end is not drawn.

    Returns:
        Pictures in [0, 1], shape (batch, 3, height, width), of the points' dtype and device.

    Raises:
        ShapeError: A tensor does not have the annotated shape, or `background` is another word.
        ArgumentError: `size` or `width` is not positive, or `points` are not as many as the skeleton's joints.

    Example:
        ```python
        import torch
        from cyclekit.keypoints import OPENPOSE_18, stick_figure

        picture = stick_figure(torch.rand(2, 18, 2) * 63, OPENPOSE_18, size=(64, 64))
        assert picture.shape == (2, 3, 64, 64)
        ```
    """
    strokes = render_limbs(points, skeleton, size, width, visible)
    colours = strokes.new_tensor(skeleton.colours)
    # A limb is seen through whatever is drawn after it.
    seen = (1 - strokes).flip(1).cumprod(1).flip(1)
    weights = strokes * torch.cat((seen[:, 1:], torch.ones_like(seen[:, :1])), 1)
    drawn = torch.einsum("blhw,lc->bchw", weights, colours)
    return drawn if background == "black" else drawn + repeat(seen[:, 0], "b h w -> b c h w", c=3)
