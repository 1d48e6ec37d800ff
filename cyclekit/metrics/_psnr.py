"""Peak signal-to-noise ratio."""

from jaxtyping import Float
from torch import Tensor

from cyclekit._typed import typed


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
