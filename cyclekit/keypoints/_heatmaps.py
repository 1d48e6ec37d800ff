"""Gaussian heatmaps."""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor

from cyclekit._typed import typed
from cyclekit.keypoints._points import check_positive, check_size, place

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
        ValueError: `size` or `sigma` is not positive.

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
