"""Images, keypoints, masks and heatmaps moved together, with left and right kept right."""

import math
from typing import Literal, NamedTuple

import torch
from einops import rearrange, repeat
from jaxtyping import Bool, Float
from kornia.geometry.linalg import transform_points
from kornia.geometry.transform import get_affine_matrix2d, hflip, warp_affine
from torch import Tensor

from cyclekit._precision import full_precision
from cyclekit._typed import typed
from cyclekit.errors import ArgumentError
from cyclekit.keypoints.heatmaps import Keypoints, check_keypoints
from cyclekit.keypoints.points import check_size
from cyclekit.keypoints.skeletons import Skeleton


class PosedImage(NamedTuple):
    """An image and what belongs to it.

    Attributes:
        image: Shape (batch, channels, height, width), any range.
        keypoints: Points in pixels of `image`, and which are there.
        masks: Shape (batch, masks, height, width), or None.
        heatmaps: One map a joint, shape (batch, joints, height, width), or None.
    """

    image: Float[Tensor, "batch channels height width"]
    keypoints: Keypoints
    masks: Float[Tensor, "batch masks height width"] | None = None
    heatmaps: Float[Tensor, "batch joints height width"] | None = None


@typed
def check_fields(
    image: Float[Tensor, "batch channels height width"],
    points: Float[Tensor, "batch joints 2"],
    masks: Float[Tensor, "batch masks height width"] | None,
    heatmaps: Float[Tensor, "batch maps height width"] | None,
    where: Bool[Tensor, " batch"] | None,
) -> None:
    """Raise unless the fields of a posed image fit, which a tuple does not look at when it is made."""


@typed
def mirror(posed: PosedImage, skeleton: Skeleton, where: Bool[Tensor, " batch"] | None = None) -> PosedImage:
    """Mirror left to right, exactly: x becomes width - 1 - x, and left joints trade places with right ones.

    Joints and heatmap channels trade places, so that channel 2 of `OPENPOSE_18` still is the shoulder on the
    person's right in the mirror image.

    Args:
        posed: The image and what belongs to it.
        skeleton: Which joints are left and right.
        where: Which samples to mirror, shape (batch,); all when None.

    Returns:
        The same fields, mirrored.

    Raises:
        ShapeError: `where` is no vector of truth values, or the fields do not fit each other.
        ArgumentError: The points or heatmaps are not as many as the skeleton's joints.

    Example:
        ```python
        import torch
        from cyclekit.keypoints import OPENPOSE_18, Keypoints, PosedImage, mirror

        keypoints = Keypoints(torch.rand(2, 18, 2) * 63, torch.ones(2, 18, dtype=torch.bool))
        posed = PosedImage(torch.rand(2, 3, 64, 64), keypoints)
        again = mirror(mirror(posed, OPENPOSE_18), OPENPOSE_18)
        assert torch.equal(again.image, posed.image)
        ```
    """
    points, visible = posed.keypoints
    check_keypoints(points, visible)
    check_fields(posed.image, points, posed.masks, posed.heatmaps, where)
    skeleton.check_joints(points.shape[1])
    if posed.heatmaps is not None:
        skeleton.check_joints(posed.heatmaps.shape[1])
    chosen = torch.ones_like(visible[:, 0]) if where is None else where
    maps = rearrange(chosen, "b -> b 1 1 1")
    order = torch.tensor(skeleton.mirror, device=points.device)
    last = posed.image.shape[-1] - 1
    swapped = torch.stack((last - points[..., 0], points[..., 1]), -1)[:, order]
    return PosedImage(
        torch.where(maps, hflip(posed.image), posed.image),
        Keypoints(
            torch.where(rearrange(chosen, "b -> b 1 1"), swapped, points),
            torch.where(rearrange(chosen, "b -> b 1"), visible[:, order], visible),
        ),
        None if posed.masks is None else torch.where(maps, hflip(posed.masks), posed.masks),
        None if posed.heatmaps is None else torch.where(maps, hflip(posed.heatmaps)[:, order], posed.heatmaps),
    )


@typed
def warp(
    posed: PosedImage,
    matrices: Float[Tensor, "batch 3 3"],
    skeleton: Skeleton,
    padding: Literal["zeros", "border", "reflection"] = "border",
) -> PosedImage:
    """Move image, keypoints, masks and heatmaps by one affine map for each sample.

    Both images of a pair move alike when they are given the same matrices. Where a matrix mirrors, left and
    right joints trade places, as in `mirror`. Kornia does the warping: the image and the heatmaps with
    bilinear samples, masks with the nearest one; masks and heatmaps are 0 outside the old frame. A warped
    heatmap is scaled with the image; render the new keypoints for Gaussians of the old width.

    Args:
        posed: The image and what belongs to it. Keypoints that leave the frame keep their visibility, and
            a missing (NaN) point stays missing.
        matrices: From old to new pixel coordinates, shape (batch, 3, 3), last row (0, 0, 1);
            `random_transforms` draws some.
        skeleton: Which joints are left and right.
        padding: What the image shows outside the old frame.

    Returns:
        The same fields, moved, of the same sizes.

    Raises:
        ShapeError: `matrices` does not have the annotated shape, or the fields do not fit each other.
        UnknownNameError: `padding` is another word.
        ArgumentError: The points or heatmaps are not as many as the skeleton's joints, or a matrix is no affine map
            that can be undone, which is looked at on the CPU alone: elsewhere the host would wait for it.

    Example:
        ```python
        import torch
        from cyclekit.keypoints import COCO_17, Keypoints, PosedImage, random_transforms, warp

        keypoints = Keypoints(torch.rand(2, 17, 2) * 63, torch.ones(2, 17, dtype=torch.bool))
        posed = PosedImage(torch.rand(2, 3, 64, 64), keypoints)
        moved = warp(posed, random_transforms(2, (64, 64), degrees=10, scale=(0.9, 1.1)), COCO_17)
        assert moved.image.shape == posed.image.shape
        ```
    """
    _check_affine(matrices)
    mirrored = matrices[:, 0, 0] * matrices[:, 1, 1] < matrices[:, 0, 1] * matrices[:, 1, 0]
    image, keypoints, masks, heatmaps = mirror(posed, skeleton, mirrored)
    height, width = image.shape[-2:]
    unmirrored = matrices @ _mirrors(mirrored, width).to(matrices.dtype)
    rest = torch.where(rearrange(mirrored, "b -> b 1 1"), unmirrored, matrices)

    def move(maps: Tensor, mode: str = "bilinear", outside: str = "zeros") -> Tensor:
        exact = full_precision(maps)
        moved = warp_affine(exact, rest[:, :2].to(exact.dtype), (height, width), mode, outside, align_corners=True)
        return moved.to(maps.dtype)

    points = full_precision(keypoints.points)
    return PosedImage(
        move(image, outside=padding),
        Keypoints(
            transform_points(rest.to(points.dtype), points).to(keypoints.points.dtype),
            keypoints.visible,
        ),
        None if masks is None else move(masks, mode="nearest"),
        None if heatmaps is None else move(heatmaps),
    )


def _check_affine(matrices: Tensor) -> None:
    if torch.compiler.is_compiling() or matrices.device.type != "cpu":
        return
    last_row = matrices[:, 2] == matrices.new_tensor([0, 0, 1])
    area = matrices[:, 0, 0] * matrices[:, 1, 1] - matrices[:, 0, 1] * matrices[:, 1, 0]
    if not (last_row.all() and matrices.isfinite().all() and (area != 0).all()):
        raise ArgumentError("matrices: expected finite affine maps with an inverse, each with the last row (0, 0, 1)")


@typed
def random_transforms(
    batch: int,
    size: tuple[int, int],
    flip: int | float = 0.5,
    degrees: int | float = 0,
    translate: int | float = 0,
    scale: tuple[int | float, int | float] = (1, 1),
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
) -> Float[Tensor, "batch 3 3"]:
    """Draw affine maps about the image's centre, for `warp`.

    Args:
        batch: How many to draw.
        size: Height and width of the images, in pixels.
        flip: Probability of mirroring left to right.
        degrees: Largest rotation either way, in degrees.
        translate: Largest shift either way, as a part of the width and of the height.
        scale: Smallest and largest scale.
        generator: Where the randomness comes from; torch's own when None. It must live on `device`.
        device: Where the matrices live.

    Returns:
        Matrices from old to new pixel coordinates, shape (batch, 3, 3), float32.

    Raises:
        ShapeError: An argument does not have the annotated type.
        ArgumentError: `batch` is negative or `size` not positive, `flip` is no probability, `degrees` or `translate`
            is negative or infinite, or `scale` is no ascending pair of positive numbers.

    Example:
        ```python
        import torch
        from cyclekit.keypoints import random_transforms

        matrices = random_transforms(4, (128, 64), degrees=5, generator=torch.Generator().manual_seed(0))
        assert matrices.shape == (4, 3, 3)
        ```
    """
    if not 0 <= flip <= 1:
        raise ArgumentError(f"flip is a probability, 0 to 1; got {flip}")
    if batch < 0:
        raise ArgumentError(f"batch must not be negative; got {batch}")
    check_size(size)
    if not (0 <= degrees < math.inf and 0 <= translate < math.inf):
        raise ArgumentError(f"degrees and translate must be finite and not negative; got {degrees} and {translate}")
    if not 0 < scale[0] <= scale[1] < math.inf:
        raise ArgumentError(f"scale must be (smallest, largest), both positive; got {scale}")
    height, width = size
    draws = torch.rand(5, batch, generator=generator, device=device)
    extent = torch.tensor([width, height], device=device)
    shift = (2 * rearrange(draws[:2], "c b -> b c") - 1) * translate * extent
    factor = scale[0] + (scale[1] - scale[0]) * draws[2]
    angle = (2 * draws[3] - 1) * degrees
    centre = repeat((extent - 1) / 2, "c -> b c", b=batch)
    affine = get_affine_matrix2d(shift, centre, repeat(factor, "b -> b c", c=2), angle)
    return affine @ _mirrors(draws[4] < flip, width)


def _mirrors(which: Tensor, width: int) -> Tensor:
    """For each sample the matrix that mirrors left to right, or the identity."""
    matrices = torch.eye(3, device=which.device).repeat(len(which), 1, 1)
    matrices[:, 0, 0] = torch.where(which, -1.0, 1.0)
    matrices[:, 0, 2] = torch.where(which, width - 1.0, 0.0)
    return matrices
