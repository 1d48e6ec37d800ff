"""Where the person is: the pose masks of PG2 and PoseGAN."""

import math
from typing import Literal

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from kornia.morphology import closing
from torch import Tensor

from cyclekit._typed import typed
from cyclekit.errors import ArgumentError
from cyclekit.keypoints.drawing import Ends, beside, disc_coverage, limb_ends
from cyclekit.keypoints.points import Placed, check_radius, check_size, place

_LIMBS = (
    *((1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13)),
    *((1, 0), (0, 14), (14, 16), (0, 15), (15, 17), (1, 16), (1, 17)),
    *((8, 11), (11, 5), (8, 2), (16, 17)),
)

_THINNEST = 0.5


@typed
def limb_radius(height: int) -> float:
    """Return how thick PG2 and PoseGAN take a person's limbs at a height of the image.

    Args:
        height: In pixels.

    Returns:
        Half the thickness in pixels for `pose_mask`: 4 at a height of 128, half a pixel at the least.

    Raises:
        ArgumentError: The height is not positive.

    Example:
        ```python
        from cyclekit.keypoints import limb_radius

        assert limb_radius(256) == 8
        ```
    """
    check_size((height, height))
    return max(0.5, 4 * height / 128)


@typed
def pose_mask(
    points: Float[Tensor, "batch 18 2"],
    size: tuple[int, int],
    protocol: Literal["pg2", "posegan"] = "pg2",
    radius: int | float = 4,
    visible: Bool[Tensor, "batch 18"] | Float[Tensor, "batch 18"] | None = None,
) -> Float[Tensor, "batch 1 height width"]:
    """Mark the person: the 23 limbs of an OpenPose-18 pose made thick, then closed with a 5x5 square.

    Both protocols agree but for some pixels. `"pg2"` sets discs along each limb, at least a radius apart, and
    weighs the loss with the mask (1 + M). `"posegan"` sets a rectangle on each limb and a disc on each joint,
    also on one without a limb, and scores mask-SSIM with it. Pixels at just the edge of a rectangle belong to
    it; the released code leaves them to its rounding.

    Args:
        points: (x, y) in pixels, shape (batch, 18, 2), in the order of `OPENPOSE_18`. A point with a NaN or
            infinite coordinate is missing.
        size: Height and width of the mask, in pixels.
        protocol: Whose mask, `"pg2"` or `"posegan"`.
        radius: Half the thickness in pixels; both use 4 at 128x64, and `limb_radius` has the same at other heights.
        visible: Which joints are there, shape (batch, 18): True, or a confidence above 0.

    Returns:
        Masks of 0 and 1, shape (batch, 1, height, width), of the points' dtype and device. Nothing flows back
        to `points`.

    Raises:
        ShapeError: A tensor does not have the annotated shape, or `protocol` is another word.
        ArgumentError: `size` is not positive, or `radius` is less than half a pixel or longer than the diagonal.

    Source:
        Ma et al., Pose Guided Person Image Generation (arXiv 1705.09368), section 3.1.1, `_getPoseMask` in
        https://github.com/charliememory/Pose-Guided-Person-Image-Generation; Siarohin et al., Deformable GANs
        (arXiv 1801.00055), `produce_ma_mask` in https://github.com/AliaksandrSiarohin/pose-gan.

    Example:
        ```python
        import torch
        from cyclekit.keypoints import pose_mask

        mask = pose_mask(torch.rand(2, 18, 2) * 63, size=(128, 64), protocol="posegan")
        assert mask.shape == (2, 1, 128, 64)
        ```
    """
    check_size(size)
    check_radius(radius, size)
    if radius < _THINNEST:
        raise ArgumentError(f"radius must be at least {_THINNEST} pixels; got {radius}")
    placed = place(points.detach(), visible)
    ends = limb_ends(placed, _LIMBS)
    if protocol == "pg2":
        thick = disc_coverage(_discs_along(ends, size, radius), size, radius) >= 0.5
    else:
        # Its discs leave out the pixels at just the radius, its rectangles do not.
        thick = (disc_coverage(placed, size, radius) > 0.5) | _rectangles(ends, size, radius)
    mask = rearrange(thick, "b h w -> b 1 h w").to(ends.start.dtype)
    return closing(mask, mask.new_ones(5, 5)).to(points.dtype)


def _discs_along(ends: Ends, size: tuple[int, int], radius: float) -> Placed:
    """Space discs evenly from end to end, at least a radius apart, each moved to a whole pixel."""
    step = ends.end - ends.start
    # As many as a limb twice the image's diagonal needs; a longer one gets them further apart.
    most = 2 * math.ceil(math.hypot(*size) / radius)
    gaps = (step.square().sum(-1).sqrt() / radius).floor().clamp(1, most)
    index = torch.arange(most + 1, device=step.device)
    along = rearrange(step, "b l c -> b l 1 c") * rearrange(index, "k -> k 1")
    centres = rearrange(ends.start, "b l c -> b l 1 c") + along / rearrange(gaps, "b l -> b l 1 1")
    present = (index <= rearrange(gaps, "b l -> b l 1")) & rearrange(ends.present, "b l -> b l 1")
    return Placed(rearrange(centres.trunc(), "b l k c -> b (l k) c"), rearrange(present, "b l k -> b (l k)"))


def _rectangles(ends: Ends, size: tuple[int, int], radius: float) -> Tensor:
    """Cover pixels beside a limb and between its ends; those on the edge count, rounding allowed for."""
    slack = 1e-4
    along, squared = beside(ends, size, held=False)
    inside = (along >= -slack) & (along <= 1 + slack) & (squared <= (radius + slack) ** 2)
    real = ends.present & (ends.start != ends.end).any(-1)
    return (inside & rearrange(real, "b l -> b l 1 1")).any(1)
