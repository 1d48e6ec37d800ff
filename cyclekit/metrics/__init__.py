"""Image metrics, each by the name of the protocol it follows; images lie in [0, 1]."""

from cyclekit.metrics._distributions import (
    Estimate,
    extract_features,
    frechet_distance,
    inception_score,
    kernel_distance,
)
from cyclekit.metrics._inception import InceptionFeatures
from cyclekit.metrics._keypoints import landmark_distance, pckh
from cyclekit.metrics._psnr import psnr
from cyclekit.metrics._ssim import mask_ssim, ms_ssim, ssim

__all__ = [
    "Estimate",
    "InceptionFeatures",
    "extract_features",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
    "landmark_distance",
    "mask_ssim",
    "ms_ssim",
    "pckh",
    "psnr",
    "ssim",
]
