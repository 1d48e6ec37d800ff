"""Adversarial losses and criteria, each by name."""

from cyclekit.losses._adversarial import (
    AdversarialLoss,
    PointwiseLoss,
    RelativisticLoss,
    create_adversarial_loss,
    list_adversarial_losses,
    register_adversarial_loss,
)
from cyclekit.losses._classification import binary_cross_entropy, cross_entropy
from cyclekit.losses._criteria import Criterion, create_criterion, list_criteria, register_criterion
from cyclekit.losses._features import feature_matching, gram_distance
from cyclekit.losses._image import nearest_neighbour, ssim_loss, total_variation
from cyclekit.losses._keypoints import keypoint_distance
from cyclekit.losses._penalties import (
    Penalty,
    create_penalty,
    list_penalties,
    r1_penalty,
    r2_penalty,
    register_penalty,
    wgan_gp_penalty,
)
from cyclekit.losses._perceptual import PerceptualLoss
from cyclekit.losses._reconstruction import charbonnier, l1, l2, masked_l1

__all__ = [
    "AdversarialLoss",
    "Criterion",
    "Penalty",
    "PerceptualLoss",
    "PointwiseLoss",
    "RelativisticLoss",
    "binary_cross_entropy",
    "charbonnier",
    "create_adversarial_loss",
    "create_criterion",
    "create_penalty",
    "cross_entropy",
    "feature_matching",
    "gram_distance",
    "keypoint_distance",
    "l1",
    "l2",
    "list_adversarial_losses",
    "list_criteria",
    "list_penalties",
    "masked_l1",
    "nearest_neighbour",
    "r1_penalty",
    "r2_penalty",
    "register_adversarial_loss",
    "register_criterion",
    "register_penalty",
    "ssim_loss",
    "total_variation",
    "wgan_gp_penalty",
]
