"""Image metrics, each by the name of the protocol it follows; images lie in [0, 1]."""

from cyclekit.metrics.distributions import (
    Estimate,
    extract_features,
    frechet_distance,
    inception_score,
    kernel_distance,
)
from cyclekit.metrics.images import mask_ssim, ms_ssim, psnr, ssim
from cyclekit.metrics.inception import InceptionFeatures
from cyclekit.metrics.landmarks import dot_f1, landmark_distance, pckh

__all__ = [
    "Estimate",
    "InceptionFeatures",
    "dot_f1",
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
