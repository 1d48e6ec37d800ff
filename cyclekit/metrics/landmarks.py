"""Where the points are, against where they should be."""

import math
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from cyclekit._typed import typed
from cyclekit.errors import ArgumentError
from cyclekit.metrics.ranges import check_images


@typed
def landmark_distance(
    points: Float[Tensor, "batch joints 2"],
    target: Float[Tensor, "batch joints 2"],
    visible: Bool[Tensor, "batch joints"] | None = None,
    scale: Float[Tensor, " batch"] | None = None,
) -> Float[Tensor, " batch"]:
    """Return each image's mean Euclidean distance between its points and the true ones.

    ```python
    import torch
    from cyclekit.metrics import landmark_distance

    target = torch.zeros(1, 68, 2)
    print(landmark_distance(target + torch.tensor([3.0, 4.0]), target))  # 5 px
    ```

    Args:
        points: Points found, (x, y) in pixels. A joint whose coordinates are not finite is left out.
        target: True points, likewise.
        visible: True where a joint is there; it is left out elsewhere.
        scale: A length in each image, in pixels, that distances are divided by: the distance of the outer eye
            corners makes this the normalised mean error of face alignment.

    Returns:
        One value per image in pixels, or in units of `scale`, in float64; NaN for an image without a joint, or
        where `scale` is not positive.

    Source:
        Sagonas et al., 300 Faces in-the-Wild Challenge, ICCV Workshops 2013, equation 1.
    """
    distance = torch.linalg.vector_norm(points.double() - target.double(), dim=-1)
    there = distance.isfinite() if visible is None else distance.isfinite() & visible
    mean = torch.where(there, distance, 0.0).sum(dim=1) / there.sum(dim=1)
    return mean if scale is None else (mean / scale).where(scale > 0, torch.nan)


@typed
def pckh(
    points: Float[Tensor, "batch joints 2"],
    target: Float[Tensor, "batch joints 2"],
    head_size: Float[Tensor, " batch"],
    visible: Bool[Tensor, "batch joints"] | None = None,
    threshold: float = 0.5,
) -> Float[Tensor, " batch"]:
    """Return each image's share of joints that lie within a part of the head's size from the true ones.

    ```python
    import torch
    from cyclekit.metrics import pckh

    target = torch.zeros(1, 18, 2)
    points = target.clone()
    points[:, :9, 0] = 20  # half of the joints are off by 20 px
    print(pckh(points, target, head_size=torch.tensor([30.0])))  # 0.5
    ```

    Args:
        points: Points found, (x, y) in pixels. A joint whose coordinates are not finite counts as missed.
        target: True points, likewise; a joint whose coordinates are not finite is left out.
        head_size: Length of the head segment in each image, in pixels; NaN or 0 where it is not known.
        visible: True where the true joint is there; it is left out elsewhere.
        threshold: How far off a joint may be, in head sizes.

    Returns:
        One value per image in [0, 1], in float64; NaN for an image without a joint or without a head size.

    Raises:
        ArgumentError: `threshold` is no positive number.

    Source:
        Andriluka et al., 2D Human Pose Estimation, CVPR 2014, section 4.
    """
    if not 0 < threshold < math.inf:
        raise ArgumentError(f"threshold: got {threshold}, expected a positive number of head sizes")
    there = target.isfinite().all(dim=-1) & (head_size > 0)[:, None]  # false for NaN
    if visible is not None:
        there = there & visible
    distance = torch.linalg.vector_norm(points.double() - target.double(), dim=-1)
    hit = distance <= threshold * head_size.double()[:, None]  # false for NaN
    return (hit & there).sum(dim=1).double() / there.sum(dim=1)


@typed
def dot_f1(
    image: Float[Tensor, "batch channels height width"],
    target: Float[Tensor, "batch channels height width"],
    tolerance: int = 1,
    polarity: Literal["black_on_white", "white_on_black"] = "black_on_white",
) -> Float[Tensor, " batch"]:
    """Return how well each landmark picture's dots are those of the true one: the F1 score of their pixels.

    A pixel belongs to a dot where its mean over the channels is nearer to the dots' end of the range. Precision is the
    share of dots' pixels in `image` that have one of `target` nearby, recall the share of those in `target` that have
    one of `image` nearby.

    ```python
    import torch
    from cyclekit.keypoints import landmark_image
    from cyclekit.metrics import dot_f1

    points = torch.rand(2, 68, 2) * 59 + 2
    picture, shifted = landmark_image(points, (64, 64), radius=0.7), landmark_image(points + 1, (64, 64), radius=0.7)
    print(dot_f1(shifted, picture), dot_f1(shifted, picture, tolerance=0))  # 1, and much less
    ```

    Args:
        image: Landmark pictures in [0, 1].
        target: True ones, likewise.
        tolerance: How far off a pixel may be, across, down, or both, in pixels.
        polarity: As `cyclekit.keypoints.landmark_image` has it.

    Returns:
        One value per image in [0, 1], in float64; NaN for an image whose target has no dots.

    Raises:
        ArgumentError: `tolerance` is negative, or images lie far outside of [0, 1].

    Source:
        Martin et al., Learning to Detect Natural Image Boundaries, PAMI 2004, for precision and recall of pixels with a
        tolerance; here each pixel by itself, as the boundary F1 of Csurka et al., BMVC 2013.
    """
    if tolerance < 0:
        raise ArgumentError(f"tolerance: got {tolerance}, expected a number of pixels, 0 or more")
    check_images("image", image)
    check_images("target", target)
    sign = 1 if polarity == "white_on_black" else -1
    found, true = (((sign * (x.mean(1, keepdim=True) - 0.5)) > 0).double() for x in (image, target))

    def near(dots: Tensor) -> Tensor:
        return F.max_pool2d(dots, 2 * tolerance + 1, stride=1, padding=tolerance)

    right, hit = (found * near(true)).sum((1, 2, 3)), (true * near(found)).sum((1, 2, 3))
    precision = right / found.sum((1, 2, 3)).clamp(min=1)
    recall = hit / true.sum((1, 2, 3))  # NaN without dots
    return 2 * precision * recall / (precision + recall).where(right > 0, 1)
