"""Distances between images that look at neighbouring pixels."""

import kornia
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from cyclekit._precision import full_precision, without_autocast
from cyclekit._typed import typed
from cyclekit.errors import ArgumentError
from cyclekit.losses.criteria import register_criterion


@register_criterion("ssim")
@typed
def ssim_loss(
    prediction: Float[Tensor, "batch channels height width"],
    target: Float[Tensor, "batch channels height width"],
    window: int = 11,
) -> Float[Tensor, ""]:
    """Return one minus the mean structural similarity.

    Args:
        prediction: Images in [-1, 1].
        target: Images in [-1, 1].
        window: Side of the Gaussian window in pixels, odd; its σ is 1.5 pixels.

    Returns:
        A scalar in [0, 2], 0 for equal images.

    Raises:
        ShapeError: The shapes differ.
        ArgumentError: `window` is even or not positive, or the images are too small for it.

    Source:
        Zhao et al. 2017, over all pixels with reflected borders, as `kornia.metrics.ssim`.
    """
    if window % 2 == 0 or window < 1:
        raise ArgumentError(f"window: got {window}, expected an odd number of pixels")
    if min(prediction.shape[-2:]) <= window // 2:
        height, width = prediction.shape[-2:]
        raise ArgumentError(
            f"images: got {height}x{width} pixels, too few for a window of {window}; pass a smaller one"
        )
    x, y = ((full_precision(image) + 1) / 2 for image in (prediction, target))
    with without_autocast(x):
        return 1 - _ssim(x, y, window).mean()


def _ssim(x: Tensor, y: Tensor, window: int) -> Tensor:
    # By hand because `kornia.metrics.ssim` copies its σ to the device in each call, for which the host waits.
    offsets = torch.arange(window, device=x.device, dtype=x.dtype) - window // 2
    kernel = (-0.5 * (offsets / 1.5).square()).softmax(0)[None]
    means = kornia.filters.filter2d_separable(torch.cat((x, y, x * x, y * y, x * y)), kernel, kernel)
    mean_x, mean_y, mean_xx, mean_yy, mean_xy = means.chunk(5)
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x.square() + mean_y.square() + c1)
    variances = mean_xx - mean_x.square() + mean_yy - mean_y.square()
    return luminance * (2 * (mean_xy - mean_x * mean_y) + c2) / (variances + c2)


@register_criterion("total_variation")
@typed
def total_variation(image: Float[Tensor, "batch channels height width"]) -> Float[Tensor, ""]:
    """Return the mean absolute difference of vertical neighbours plus that of horizontal ones.

    Args:
        image: Images or masks.

    Returns:
        A scalar, not negative, 0 for flat images.

    Raises:
        ShapeError: `image` is no batch of images.
        ArgumentError: The images are less than two pixels high or wide, so that there is nothing to compare.

    Source:
        Rudin et al. 1992, in the anisotropic form; `kornia.losses.total_variation`.

    Example:
        ```python
        import torch
        from cyclekit.losses import total_variation

        stripes = torch.tensor([0.0, 1.0, 0.0, 1.0]).expand(1, 3, 4, 4)
        assert total_variation(stripes) == 1
        ```
    """
    height, width = image.shape[-2:]
    if min(height, width) < 2:
        raise ArgumentError(f"images: got {height}x{width} pixels, expected at least 2x2 for neighbours to compare")
    return kornia.losses.total_variation(full_precision(image), reduction="mean").mean()


_WIDEST = 31
"""The widest neighbourhood: PoseGAN's is 5, and time grows with the square."""


@register_criterion("nearest_neighbour")
@typed
def nearest_neighbour(
    prediction: Float[Tensor, "batch channels height width"],
    target: Float[Tensor, "batch channels height width"],
    size: int = 3,
) -> Float[Tensor, ""]:
    """Return the distance of each pixel to the most similar one in the target's neighbourhood of its place.

    Args:
        prediction: Images or feature maps.
        target: Maps of the same shape.
        size: Side of the neighbourhood in pixels, odd, at most 31: every pixel is compared with size² others.

    Returns:
        A scalar, not negative: absolute differences summed over channels, averaged over pixels.

    Raises:
        ShapeError: The shapes differ.
        ArgumentError: `size` is even, not positive, or more than 31.

    Source:
        Siarohin et al. 2018 (PoseGAN); `nn_loss` in `conditional_gan.py` of `AliaksandrSiarohin/pose-gan`.

    Example:
        ```python
        import torch
        from cyclekit.losses import l1, nearest_neighbour

        image = torch.rand(1, 3, 8, 8)
        shifted = image.roll(1, dims=-1)
        assert nearest_neighbour(shifted[..., 1:], image[..., 1:]) < 3 * l1(shifted[..., 1:], image[..., 1:])
        ```
    """
    if size % 2 == 0 or not 1 <= size <= _WIDEST:
        raise ArgumentError(f"size: got {size}, expected an odd number of pixels, 1 to {_WIDEST}")
    prediction, target = full_precision(prediction), full_precision(target)
    height, width = prediction.shape[-2:]
    # Infinitely far beyond the border, so that no pixel there is the nearest.
    padded = F.pad(target, (size // 2,) * 4, value=torch.inf)
    with torch.no_grad():  # which neighbour it is has no gradient; so only the chosen one is kept for backward
        least = torch.full_like(prediction[:, :1], torch.inf)
        choice = torch.zeros_like(least, dtype=torch.long)
        for shift in range(size**2):
            y, x = divmod(shift, size)
            distance = (prediction - padded[..., y : y + height, x : x + width]).abs().sum(1, keepdim=True)
            closer = distance < least
            least, choice = torch.where(closer, distance, least), torch.where(closer, shift, choice)
        row = torch.arange(height, device=target.device)[:, None] + choice // size
        column = torch.arange(width, device=target.device) + choice % size
        index = (row * padded.shape[-1] + column).flatten(2).expand(-1, target.shape[1], -1)
    nearest = padded.flatten(2).gather(2, index).view_as(prediction)
    return (prediction - nearest).abs().sum(1).mean()
