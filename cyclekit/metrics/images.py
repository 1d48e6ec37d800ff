"""How like an image is to the one it should be, by named protocol."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from kornia.filters import filter2d_separable, get_gaussian_kernel1d
from torch import Tensor

from cyclekit._typed import typed
from cyclekit.errors import ArgumentError
from cyclekit.metrics.ranges import check_images, check_mask, check_positive_range

Protocol = Literal["skimage", "gaussian", "gaussian_own_range", "posegan"]

_SIGMA = 1.5
_K1, _K2 = 0.01, 0.03
_LEVELS = 255  # between black and white in a file
_ROUNDING = 1e-3  # in grey levels; less than this below a whole one is what float32 makes of that one
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
    | `gaussian_own_range` | 11x11 Gaussian, σ = 1.5 px | population | of `image`, its maximum less its minimum |
    | `posegan` | 13x13 Gaussian, σ = 1.5 px, of 8-bit images | population | of `image`, its maximum less its minimum |

    All of them average over the channels, and over the places where the window lies inside the image; the 13x13
    window may reach one pixel beyond the border, which repeats the outermost.

    PoseGAN scored with scikit-image before 0.15 (March 2019), whose Gaussian has 13 taps, and cut what it generated
    to 8 bits. `posegan` does both, so nothing flows back through it; a value less than a thousandth below a grey
    level counts as that level. The same call of scikit-image since 0.15, on images that are not cut, is
    `gaussian_own_range`; the two differ by up to some thousandths.

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
        protocol: A name of the table.
        data_range: What the largest value may be above the smallest; by default the protocol's own. The 8 bits of
            ``"posegan"`` are of images in [0, 1] all the same.

    Returns:
        One value per image in [-1, 1], in float64; 1 for equal images, NaN where a pixel is not finite.

    Raises:
        ArgumentError: The window is larger than the image, `data_range` is no positive number, or the images lie far
            outside of [0, 1].

    Source:
        Wang et al., Image quality assessment, IEEE TIP 2004, equation 13 (``gaussian``);
        ``skimage.metrics.structural_similarity`` (``skimage``); Siarohin et al., Deformable GANs, CVPR 2018,
        ``ssim_score`` in ``test.py`` of https://github.com/AliaksandrSiarohin/pose-gan (``posegan``), with
        ``skimage.measure.compare_ssim`` of scikit-image 0.14.
    """
    if data_range is not None:
        check_positive_range(data_range)
    _check_pair(image, target, 1.0 if data_range is None or protocol == "posegan" else data_range)
    if protocol == "posegan":
        image, target = (_in_grey_levels(one) for one in (image, target))
    unit = _LEVELS if protocol == "posegan" else 1
    if data_range is not None:
        scale = _scale(unit * data_range, image)
    elif protocol in ("posegan", "gaussian_own_range"):
        values = image.double().flatten(1)
        # A constant image has no range at all; one grey level is the least that another can have.
        scale = (values.amax(dim=1) - values.amin(dim=1)).clamp_min(unit / _LEVELS)
    else:
        scale = _scale(1, image)
    windows = {"skimage": _UNIFORM, "posegan": _GAUSSIAN_13}
    similarity, _ = _maps(image, target, scale, windows.get(protocol, _GAUSSIAN))
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
        mask: 1 where the figure is, 0 elsewhere; in [0, 1].
        protocol: As in [`ssim`][cyclekit.metrics.ssim]; ``"posegan"`` takes the masked image's range.
        data_range: What the largest value may be above the smallest; by default the protocol's own.

    Returns:
        One value per image in [-1, 1], in float64; NaN for an image whose mask is empty, which has no figure to
        score.

    Raises:
        ArgumentError: The mask does not lie in [0, 1], or as for [`ssim`][cyclekit.metrics.ssim].

    Source:
        Ma et al., Pose Guided Person Image Generation, NeurIPS 2017, section 4; the code of PoseGAN.
    """
    check_mask(mask)
    score = ssim(image * mask, target * mask, protocol, data_range)
    return score.where(mask.flatten(1).any(dim=1), torch.nan)


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
        ArgumentError: A side is under 176 px, so that the window does not fit the smallest scale, `data_range` is no
            positive number, or the images lie far outside of [0, `data_range`].

    Source:
        Wang et al., Multi-scale structural similarity, Asilomar 2003, equation 7.
    """
    smallest = _GAUSSIAN.side * 2 ** (len(_SCALE_WEIGHTS) - 1)
    if min(image.shape[2:]) < smallest:
        raise ArgumentError(f"ms_ssim needs sides of at least {smallest} px, got {_sides(image)}")
    check_positive_range(data_range)
    _check_pair(image, target, data_range)
    scale = _scale(data_range, image)
    score = image.new_ones(image.shape[:2], dtype=torch.float64)
    x, y = image.double(), target.double()
    for level, weight in enumerate(_SCALE_WEIGHTS):
        if level:
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
        similarity, contrast = _maps(x, y, scale, _GAUSSIAN)
        term = similarity if level == len(_SCALE_WEIGHTS) - 1 else contrast
        score = score * term.mean(dim=(2, 3)).relu() ** weight
    return score.mean(dim=1)


class _Window(NamedTuple):
    """How local means are taken: the side that must fit into an image, and the factor of variances."""

    side: int
    mean: Callable[[Tensor], Tensor]
    correction: float = 1.0


def _maps(image: Tensor, target: Tensor, scale: Tensor, window: _Window) -> tuple[Tensor, Tensor]:
    """Return the maps of similarity and of its contrast-structure factor, in float64.

    Float32 does not do: the variances are differences of nearly equal numbers, beside constants of 1e-4.
    """
    side, mean, correction = window
    if min(image.shape[2:]) < side:
        raise ArgumentError(f"the {side}x{side} window is larger than the image, {_sides(image)}")
    x, y = image.double(), target.double()
    c1, c2 = ((k * scale.view(-1, 1, 1, 1)) ** 2 for k in (_K1, _K2))
    mean_x, mean_y = mean(x), mean(y)
    variances = correction * (mean(x * x) + mean(y * y) - mean_x**2 - mean_y**2)
    covariance = correction * (mean(x * y) - mean_x * mean_y)
    contrast = (2 * covariance + c2) / (variances + c2)
    return contrast * (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1), contrast


def _uniform_mean(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 7, stride=1)


def _gaussian_mean(x: Tensor, taps: int = 11) -> Tensor:
    kernel = get_gaussian_kernel1d(taps, _SIGMA, device=x.device, dtype=x.dtype)
    return filter2d_separable(x, kernel, kernel, padding="valid")


def _gaussian_mean_13(x: Tensor) -> Tensor:
    """Thirteen taps where eleven fit, as scikit-image 0.14 cropped its maps; beyond the border it mirrors."""
    return _gaussian_mean(F.pad(x, (1, 1, 1, 1), mode="replicate"), taps=13)


_UNIFORM = _Window(7, _uniform_mean, correction=49 / 48)
_GAUSSIAN = _Window(11, _gaussian_mean)
_GAUSSIAN_13 = _Window(11, _gaussian_mean_13)


def _in_grey_levels(images: Tensor) -> Tensor:
    """Cut images in [0, 1] to whole grey levels, as a conversion to bytes does."""
    return (_LEVELS * images.double() + _ROUNDING).floor()


def _scale(data_range: float, image: Tensor) -> Tensor:
    return image.new_full((len(image),), data_range, dtype=torch.float64)


def _check_pair(image: Tensor, target: Tensor, data_range: float) -> None:
    check_images("image", image, data_range)
    check_images("target", target, data_range)


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
        ArgumentError: `data_range` is no positive number, or the images lie far outside of [0, `data_range`].

    Source:
        ``skimage.metrics.peak_signal_noise_ratio``.
    """
    check_positive_range(data_range)
    _check_pair(image, target, data_range)
    error = (image.double() - target.double()).square().mean(dim=(1, 2, 3))
    return 10 * (data_range**2 / error).log10()
