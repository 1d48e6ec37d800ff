"""Image metrics, each under the name of the protocol it follows; one value per image, images in [0, 1]."""

from cyclekit.metrics._psnr import psnr
from cyclekit.metrics._ssim import mask_ssim, ms_ssim, ssim

__all__ = ["mask_ssim", "ms_ssim", "psnr", "ssim"]
