"""The distance of the points that heatmaps show."""

import math

import torch
from jaxtyping import Float
from kornia.geometry.subpix import spatial_expectation2d
from torch import Tensor

from cyclekit._precision import full_precision
from cyclekit._typed import typed
from cyclekit.losses.criteria import register_criterion


@register_criterion("keypoint_distance")
@typed
def keypoint_distance(
    prediction: Float[Tensor, "batch joints height width"],
    target: Float[Tensor, "batch joints height width"],
    sharpness: float = 50.0,
    threshold: float = 0.1,
) -> Float[Tensor, ""]:
    """Return the mean distance between the points two sets of heatmaps show.

    The points are soft-argmax coordinates, so that the loss moves a blob as a whole. A joint that the target
    lacks is left out.

    Args:
        prediction: Heatmaps in [-1, 1], background -1 and peak 1.
        target: Heatmaps likewise; all background where a joint is missing.
        sharpness: Factor of the heatmap, brought to [0, 1], under the softmax: large enough that the
            background does not draw the point to the middle, small enough that a blob stays wider than a
            pixel.
        threshold: A joint is missing if its target, brought to [0, 1], nowhere exceeds this.

    Returns:
        A scalar in pixels, the mean over the joints that are there; 0 if none is.

    Raises:
        ShapeError: The shapes differ.
        ValueError: `sharpness` is not positive, or `threshold` is NaN.

    Source:
        Luvizon et al. 2019, for soft-argmax; `kornia.geometry.subpix.spatial_expectation2d`.

    Example:
        ```python
        import torch
        from cyclekit.losses import keypoint_distance

        one, other = -torch.ones(1, 1, 16, 16), -torch.ones(1, 1, 16, 16)
        one[0, 0, 4, 4] = other[0, 0, 4, 7] = 1  # row, column
        assert torch.isclose(keypoint_distance(one, other), torch.tensor(3.0))
        ```
    """
    if not 0 < sharpness < math.inf:
        raise ValueError(f"sharpness: got {sharpness}, expected a positive number")
    if math.isnan(threshold):
        raise ValueError(f"threshold: got {threshold}, expected a number")
    heatmaps = [(full_precision(maps) + 1) / 2 for maps in (prediction, target)]
    points, wanted = (_soft_argmax(sharpness * maps) for maps in heatmaps)
    visible = heatmaps[1].amax((2, 3)) > threshold
    distance = torch.linalg.vector_norm(points - wanted, dim=-1)
    return torch.where(visible, distance, 0.0).sum() / visible.sum().clamp(min=1)


# Divided by the joints that the whole batch shows: parts of a batch do not add up to it.
keypoint_distance.couples_samples = True  # pyright: ignore[reportFunctionMemberAccess]


def _soft_argmax(maps: Tensor) -> Tensor:
    probability = maps.flatten(2).softmax(-1).view_as(maps)
    return spatial_expectation2d(probability, normalized_coordinates=False)
