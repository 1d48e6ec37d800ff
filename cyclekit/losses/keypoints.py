"""Keypoints compared as they are drawn, and the points that heatmaps show."""

import math
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float
from kornia.geometry.subpix import spatial_expectation2d
from torch import Tensor

from cyclekit._precision import full_precision
from cyclekit._typed import typed
from cyclekit.errors import ArgumentError
from cyclekit.losses.criteria import register_criterion


@typed
def foreground_l1(
    prediction: Float[Tensor, "batch channels height width"],
    target: Float[Tensor, "batch channels height width"],
    weight: float = 20.0,
    foreground: Literal["dark", "bright"] = "bright",
) -> Float[Tensor, ""]:
    """Return the mean absolute difference with the target's foreground weighted many times.

    Dots cover a few hundredths of a landmark picture and less of a heatmap, so that under plain L1 an empty map, or
    the same map for every image, is nearly as good an answer as the right one.

    Args:
        prediction: Landmark pictures or heatmaps in [-1, 1].
        target: Likewise.
        weight: Of a pixel that is all foreground; one that is all background has weight 1.
        foreground: ``"dark"`` for black dots on white, as ``"dark_foreground"`` is registered; ``"bright"`` for
            heatmaps and white dots on black, as ``"bright_foreground"`` is.

    Returns:
        A scalar, not negative: the mean of |prediction - target| · (1 + (weight - 1) · foreground) over all
        elements, where the foreground is the target brought to [0, 1], and turned round if it is dark.

    Raises:
        ShapeError: The shapes differ.
        ArgumentError: `weight` is not positive, or `foreground` is another word.

    Source:
        The weighted loss map of Wang et al., Adaptive Wing Loss for Robust Face Alignment via Heatmap Regression,
        ICCV 2019, section 4.3, on L1.

    Example:
        ```python
        import torch
        from cyclekit.losses import foreground_l1

        dot = -torch.ones(1, 1, 2, 2)
        dot[..., 0, 0] = 1
        blank = -torch.ones(1, 1, 2, 2)
        assert foreground_l1(blank, dot, weight=10) == 10 * foreground_l1(dot, blank)
        ```
    """
    if not 0 < weight < math.inf:
        raise ArgumentError(f"weight: got {weight}, expected a positive number")
    prediction, target = full_precision(prediction), full_precision(target)
    share = (1 + (target if foreground == "bright" else -target)) / 2
    return ((prediction - target).abs() * (1 + (weight - 1) * share)).mean()


register_criterion("dark_foreground")(partial(foreground_l1, foreground="dark"))
register_criterion("bright_foreground")(partial(foreground_l1, foreground="bright"))


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
        ArgumentError: `sharpness` is not positive, or `threshold` is NaN.

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
        raise ArgumentError(f"sharpness: got {sharpness}, expected a positive number")
    if math.isnan(threshold):
        raise ArgumentError(f"threshold: got {threshold}, expected a number")
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
