"""How like an image is to the one it should be, by named protocol."""

from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from kornia.filters import filter2d_separable, get_gaussian_kernel1d
from torch import Tensor

from cyclekit._typed import typed

Protocol = Literal["skimage", "gaussian", "posegan"]

_UNIFORM, _GAUSSIAN = 7, 11  # window sides in pixels
_SIGMA = 1.5
_K1, _K2 = 0.01, 0.03
_GREY_LEVEL = 1 / 255  # the least data range an image can show; a constant one has none at all
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang et al. 2003, section 3.2


@typed
def ssim(
    image: Float[Tensor, "batch channels height width"],
    target: Float[Tensor, "batch channels height width"],
    protocol: Protocol = "skimage",
    data_range: float | None = None,
) -> Float[Tensor, " batch"]:
    """Return each image's structural similarity under a named protocol.

    Published values differ by protocol more than by method, so each needs its protocol beside it:

    | protocol | window | covariance | data range, when not given |
    | --- | --- | --- | --- |
    | `skimage` | 7x7 uniform | sample | 1 |
    | `gaussian` | 11x11 Gaussian, σ = 1.5 px | population | 1 |
    | `posegan` | 11x11 Gaussian, σ = 1.5 px | population | of `image`, its maximum less its minimum |

    All of them average over the places where the window lies inside the image, and over the channels.

    ```python
    import torch
    from cyclekit.metrics import ssim

    target = torch.rand(2, 3, 32, 32)
    noisy = (target + 0.1 * torch.randn_like(target)).clamp(0, 1)
    print(ssim(noisy, target), ssim(noisy, target, protocol="posegan"))
    ```

    Args:
        image: Generated images in [0, 1]; bring a model's [-1, 1] there with ``(image + 1) / 2``.
        target: Real images on the same scale.
        protocol: ``"skimage"``, ``"gaussian"`` or ``"posegan"``.
        data_range: What the largest value may be above the smallest; by default the protocol's own.

    Returns:
        One value per image in [-1, 1], in float64; 1 for equal images, NaN where a pixel is not finite.

    Raises:
        ValueError: The window is larger than the image, or `data_range` is not positive.

    Source:
        Wang et al., Image quality assessment, IEEE TIP 2004, equation 13 (``gaussian``);
        ``skimage.metrics.structural_similarity`` (``skimage``); Siarohin et al., Deformable GANs, CVPR 2018,
        and its released code (``posegan``).
    """
    if data_range is not None:
        scale = _given(data_range, image)
    elif protocol == "posegan":
        values = image.double().flatten(1)
        scale = (values.amax(dim=1) - values.amin(dim=1)).clamp_min(_GREY_LEVEL)
    else:
        scale = image.new_ones(len(image), dtype=torch.float64)
    similarity, _ = _maps(image, target, scale, uniform=protocol == "skimage")
    return similarity.mean(dim=(1, 2, 3))


@typed
def mask_ssim(
    image: Float[Tensor, "batch channels height width"],
    target: Float[Tensor, "batch channels height width"],
    mask: Float[Tensor, "batch 1 height width"],
    protocol: Protocol = "posegan",
    data_range: float | None = None,
) -> Float[Tensor, " batch"]:
    """Return each image's SSIM after both images are multiplied by a mask, scored over the full frame.

    PG2 and PoseGAN use the mask of the *target* pose; the mask of the source pose asks how much of the source
    figure is left. What the mask leaves out is black in both and counts as similar, so the values lie above
    those of [`ssim`][cyclekit.metrics.ssim].

    ```python
    import torch
    from cyclekit.metrics import mask_ssim

    target = torch.rand(2, 3, 32, 16)
    mask = torch.zeros(2, 1, 32, 16)
    mask[..., 8:24, 4:12] = 1
    print(mask_ssim(target * mask, target, mask))  # what lies outside does not count
    ```

    Args:
        image: Generated images in [0, 1].
        target: Real images on the same scale.
        mask: 1 where the figure is, 0 elsewhere.
        protocol: As in [`ssim`][cyclekit.metrics.ssim]; ``"posegan"`` takes the masked image's range.
        data_range: What the largest value may be above the smallest; by default the protocol's own.

    Returns:
        One value per image in [-1, 1], in float64.

    Raises:
        ValueError: The window is larger than the image, or `data_range` is not positive.

    Source:
        Ma et al., Pose Guided Person Image Generation, NeurIPS 2017, section 4; the code of PoseGAN.
    """
    return ssim(image * mask, target * mask, protocol, data_range)


@typed
def ms_ssim(
    image: Float[Tensor, "batch channels height width"],
    target: Float[Tensor, "batch channels height width"],
    data_range: float = 1.0,
) -> Float[Tensor, " batch"]:
    """Return each image's structural similarity over five scales, halved by averaging 2x2 pixels.

    Negative contrast terms count as 0. Channels are scored apart and averaged.

    ```python
    import torch
    from cyclekit.metrics import ms_ssim

    target = torch.rand(1, 3, 176, 176)
    print(ms_ssim(target, target))  # 1
    ```

    Args:
        image: Generated images in [0, 1], both sides at least 176 px.
        target: Real images on the same scale.
        data_range: What the largest value may be above the smallest.

    Returns:
        One value per image in [0, 1], in float64.

    Raises:
        ValueError: A side is under 176 px, so that the window does not fit the smallest scale, or `data_range`
            is not positive.

    Source:
        Wang et al., Multi-scale structural similarity, Asilomar 2003, equation 7.
    """
    smallest = _GAUSSIAN * 2 ** (len(_SCALE_WEIGHTS) - 1)
    if min(image.shape[2:]) < smallest:
        raise ValueError(f"ms_ssim needs sides of at least {smallest} px, got {_sides(image)}")
    scale = _given(data_range, image)
    score = image.new_ones(image.shape[:2], dtype=torch.float64)
    x, y = image.double(), target.double()
    for level, weight in enumerate(_SCALE_WEIGHTS):
        if level:
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
        similarity, contrast = _maps(x, y, scale, uniform=False)
        term = similarity if level == len(_SCALE_WEIGHTS) - 1 else contrast
        score = score * term.mean(dim=(2, 3)).relu() ** weight
    return score.mean(dim=1)


def _maps(image: Tensor, target: Tensor, scale: Tensor, *, uniform: bool) -> tuple[Tensor, Tensor]:
    """Return the maps of similarity and of its contrast-structure factor, in float64.

    Float32 does not do: the variances are differences of nearly equal numbers, beside constants of 1e-4.
    """
    window = _UNIFORM if uniform else _GAUSSIAN
    if min(image.shape[2:]) < window:
        raise ValueError(f"the {window}x{window} window is larger than the image, {_sides(image)}")
    x, y = image.double(), target.double()
    c1, c2 = ((k * scale.view(-1, 1, 1, 1)) ** 2 for k in (_K1, _K2))
    mean: Callable[[Tensor], Tensor] = _uniform_mean if uniform else _gaussian_mean
    mean_x, mean_y = mean(x), mean(y)
    sample = window**2 / (window**2 - 1) if uniform else 1.0
    variances = sample * (mean(x * x) + mean(y * y) - mean_x**2 - mean_y**2)
    covariance = sample * (mean(x * y) - mean_x * mean_y)
    contrast = (2 * covariance + c2) / (variances + c2)
    return contrast * (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1), contrast


def _given(data_range: float, image: Tensor) -> Tensor:
    if not data_range > 0:
        raise ValueError(f"data_range must be positive, got {data_range}")
    return image.new_full((len(image),), data_range, dtype=torch.float64)


def _uniform_mean(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, _UNIFORM, stride=1)


def _gaussian_mean(x: Tensor) -> Tensor:
    kernel = get_gaussian_kernel1d(_GAUSSIAN, _SIGMA, device=x.device, dtype=x.dtype)
    return filter2d_separable(x, kernel, kernel, padding="valid")


def _sides(image: Tensor) -> str:
    return f"{image.shape[2]}x{image.shape[3]} px"


@typed
def psnr(
    image: Float[Tensor, "batch channels height width"],
    target: Float[Tensor, "batch channels height width"],
    data_range: float = 1.0,
) -> Float[Tensor, " batch"]:
    """Return each image's peak signal-to-noise ratio, ``10 log10(data_range² / mean squared error)``.

    The mean runs over one image's pixels and channels together, as in scikit-image. The scripts that the
    C2GAN authors point to give 5.99 dB more on images in [0, 1].

    ```python
    import torch
    from cyclekit.metrics import psnr

    target = torch.zeros(2, 3, 8, 8)
    print(psnr(target + 0.1, target))  # 20 dB each
    ```

    Args:
        image: Generated images in [0, 1]; bring a model's [-1, 1] there with ``(image + 1) / 2``.
        target: Real images on the same scale.
        data_range: What the largest value may be above the smallest.

    Returns:
        One value per image in dB, in float64; infinite for equal images.

    Raises:
        ValueError: `data_range` is not positive.

    Source:
        ``skimage.metrics.peak_signal_noise_ratio``.
    """
    if not data_range > 0:
        raise ValueError(f"data_range must be positive, got {data_range}")
    error = (image.double() - target.double()).square().mean(dim=(1, 2, 3))
    return 10 * (data_range**2 / error).log10()
