"""Heatmaps: keypoints rendered as Gaussians, and found again."""

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float
from kornia.geometry.subpix import spatial_expectation2d
from torch import Tensor

from cyclekit._precision import full_precision
from cyclekit._typed import typed
from cyclekit.errors import ArgumentError
from cyclekit.keypoints.points import check_number, check_positive, check_size, place

# Below this an axis counts as zero. Every product then stays a normal float32: subnormal products, the
# far corners of each map, would cost a CPU a hundred times a normal multiplication.
_NEGLIGIBLE = 1e-18


@typed
def render_heatmaps(
    points: Float[Tensor, "batch joints 2"],
    size: tuple[int, int],
    sigma: int | float,
    visible: Bool[Tensor, "batch joints"] | Float[Tensor, "batch joints"] | None = None,
) -> Float[Tensor, "batch joints height width"]:
    """Render each point as a Gaussian map with peak 1, `exp(-d² / 2σ²)`.

    The Gaussian is cut off at the border, not renormalised, and a point outside the image leaves only its
    tail. A missing joint gives an all-zero map. Differentiable in `points`.

    Args:
        points: (x, y) in pixels, shape (batch, joints, 2); pixel centres lie at whole numbers. A point with
            a NaN or infinite coordinate is missing.
        size: Height and width of the maps, in pixels.
        sigma: Standard deviation σ in pixels; PoseGAN uses 6 at 128x64.
        visible: Which joints are there, shape (batch, joints): True, or a confidence above 0.

    Returns:
        Maps in [0, 1], shape (batch, joints, height, width), of the points' dtype and device.

    Raises:
        ShapeError: A tensor does not have the annotated shape.
        ArgumentError: `size` or `sigma` is not positive.

    Source:
        The convention of Siarohin et al., Deformable GANs for Pose-based Human Image Generation, Eq. 1
        (arXiv 1801.00055, https://github.com/AliaksandrSiarohin/pose-gan), with its exponent written as a
        Gaussian's.

    Example:
        ```python
        import torch
        from cyclekit.keypoints import render_heatmaps

        points = torch.tensor([[[20.0, 40.5], [float("nan"), float("nan")]]])
        maps = render_heatmaps(points, size=(128, 64), sigma=6.0)
        assert maps.shape == (1, 2, 128, 64)
        assert maps[0, 1].max() == 0
        ```
    """
    check_size(size)
    check_positive("sigma", sigma)
    placed = place(points, visible)
    x, y = placed.points.unbind(-1)
    height, width = size
    # A Gaussian is the product of one exponential a row and one a column. Kornia's render_gaussian2d is built
    # the same way but normalises both to sum 1: that lifts a Gaussian cut by the border, and a point outside
    # the image comes back as a full blob, which no later division can undo.
    rows = _axis(y, height, sigma) * rearrange(placed.present, "b j -> b j 1")
    columns = _axis(x, width, sigma)
    return rearrange(rows.to(points.dtype), "b j h -> b j h 1") * rearrange(
        columns.to(points.dtype), "b j w -> b j 1 w"
    )


def _axis(centre: Tensor, length: int, sigma: float) -> Tensor:
    distance = torch.arange(length, device=centre.device, dtype=centre.dtype) - rearrange(centre, "b j -> b j 1")
    return F.threshold(torch.exp(-0.5 * (distance / sigma) ** 2), _NEGLIGIBLE, 0.0)


class Keypoints(NamedTuple):
    """Points and which of them are there.

    Attributes:
        points: (x, y) in pixels, shape (batch, joints, 2); pixel centres lie at whole numbers.
        visible: Shape (batch, joints). Where False, the point is finite and means nothing.
    """

    points: Float[Tensor, "batch joints 2"]
    visible: Bool[Tensor, "batch joints"]


@typed
def check_keypoints(points: Float[Tensor, "batch joints 2"], visible: Bool[Tensor, "batch joints"]) -> None:
    """Raise unless keypoints are what `Keypoints` says, which a tuple does not look at when it is made."""


@typed
def decode_heatmaps(
    heatmaps: Float[Tensor, "batch joints height width"],
    method: Literal["argmax", "soft_argmax", "subpixel"] = "argmax",
    threshold: int | float = 0.1,
) -> Keypoints:
    """Find the point each heatmap shows.

    | method | accuracy on a rendered heatmap | differentiable | a second blob |
    | --- | --- | --- | --- |
    | `argmax` | half a pixel | no | ignored |
    | `subpixel` | exact up to rounding, at the border too | near the peak only | ignored |
    | `soft_argmax` | exact unless the border cuts the blob | everywhere | pulls the point |

    Args:
        heatmaps: Maps with background 0 and peak about 1, shape (batch, joints, height, width); bring a
            generator's [-1, 1] to [0, 1] first. Negative values count as background.
        method: `"argmax"`, the brightest pixel; `"soft_argmax"`, the map's centre of mass by Kornia's
            spatial expectation; `"subpixel"`, the peak of the Gaussian through the brightest pixel and its
            four neighbours.
        threshold: A joint whose brightest pixel does not exceed this is not visible, nor is one whose point is not
            finite, as that of a map with NaN may be.

    Returns:
        The points in pixels, in float32 when the maps are in half precision, and their visibility.

    Raises:
        ShapeError: `heatmaps` does not have the annotated shape, or `method` is another word.
        ArgumentError: The maps have no pixel, or less than three either way for `"subpixel"`; `threshold` is NaN.

    Source:
        `"subpixel"`: Zhang et al., Distribution-Aware Coordinate Representation for Human Pose Estimation
        (arXiv 1910.06278), Eq. 3 to 9, one axis at a time as the Gaussian is round.

    Example:
        ```python
        import torch
        from cyclekit.keypoints import decode_heatmaps, render_heatmaps

        points = torch.tensor([[[20.25, 40.5]]])
        found = decode_heatmaps(render_heatmaps(points, (128, 64), sigma=6.0), method="subpixel")
        assert found.visible.all()
        assert torch.allclose(found.points, points, atol=1e-3)
        ```
    """
    check_size((heatmaps.shape[-2], heatmaps.shape[-1]))
    check_number("threshold", threshold)
    heatmaps = full_precision(heatmaps)
    brightest, index = rearrange(heatmaps, "b j h w -> b j (h w)").max(-1)
    width = heatmaps.shape[-1]
    if method == "argmax":
        points = torch.stack((index % width, index // width), -1).to(heatmaps.dtype)
    elif method == "soft_argmax":
        points = _centre_of_mass(heatmaps)
    else:
        points = _gaussian_peak(heatmaps, index)
    finite = points.isfinite().all(-1)  # not of maps that hold NaN or infinite values
    return Keypoints(torch.where(rearrange(finite, "b j -> b j 1"), points, 0.0), finite & (brightest > threshold))


def _centre_of_mass(heatmaps: Tensor) -> Tensor:
    mass = heatmaps.clamp(min=0)
    total = mass.sum((-2, -1), keepdim=True)
    return spatial_expectation2d(mass / total.clamp(min=torch.finfo(mass.dtype).eps), False)


def _gaussian_peak(heatmaps: Tensor, index: Tensor) -> Tensor:
    height, width = heatmaps.shape[-2:]
    if min(height, width) < 3:
        raise ArgumentError(f"subpixel decoding needs maps of at least 3x3 pixels; got {height}x{width}")
    # A parabola through the logarithm is exact for a Gaussian wherever its three samples lie, so at the
    # border they move one pixel inward and nothing is lost.
    x, y = (index % width).clamp(1, width - 2), (index // width).clamp(1, height - 2)
    at = y * width + x
    around = torch.stack((at, at - 1, at + 1, at - width, at + width), -1)
    samples = rearrange(heatmaps, "b j h w -> b j (h w)").gather(-1, around)
    here, left, right, above, below = samples.clamp(min=torch.finfo(samples.dtype).tiny).log().unbind(-1)
    return torch.stack((x + _summit(left, here, right), y + _summit(above, here, below)), -1)


def _summit(before: Tensor, here: Tensor, after: Tensor) -> Tensor:
    """Where the parabola through three samples one pixel apart is highest, from the middle one."""
    slope, bend = (after - before) / 2, before - 2 * here + after
    curved = bend < 0
    return torch.where(curved, -slope / torch.where(curved, bend, -1.0), 0.0).clamp(-1.5, 1.5)
