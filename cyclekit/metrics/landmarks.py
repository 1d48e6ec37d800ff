"""Where the points are, against where they should be."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from cyclekit._typed import typed


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
        ValueError: `threshold` is no positive number.

    Source:
        Andriluka et al., 2D Human Pose Estimation, CVPR 2014, section 4.
    """
    if not 0 < threshold < math.inf:
        raise ValueError(f"threshold: got {threshold}, expected a positive number of head sizes")
    there = target.isfinite().all(dim=-1) & (head_size > 0)[:, None]  # false for NaN
    if visible is not None:
        there = there & visible
    distance = torch.linalg.vector_norm(points.double() - target.double(), dim=-1)
    hit = distance <= threshold * head_size.double()[:, None]  # false for NaN
    return (hit & there).sum(dim=1).double() / there.sum(dim=1)
