"""Adversarial losses and criteria, each by name."""

from cyclekit.losses.adversarial import (
    AdversarialLoss,
    PointwiseLoss,
    RelativisticLoss,
    confusion,
    create_adversarial_loss,
    list_adversarial_losses,
    register_adversarial_loss,
)
from cyclekit.losses.criteria import (
    Criterion,
    binary_cross_entropy,
    charbonnier,
    create_criterion,
    cross_entropy,
    kl_divergence,
    l1,
    l2,
    list_criteria,
    masked_l1,
    register_criterion,
)
from cyclekit.losses.features import PerceptualLoss, feature_matching, gram_distance
from cyclekit.losses.image import nearest_neighbour, ssim_loss, total_variation
from cyclekit.losses.keypoints import foreground_l1, keypoint_distance
from cyclekit.losses.penalties import (
    Penalty,
    create_penalty,
    list_penalties,
    r1_penalty,
    r2_penalty,
    register_penalty,
    wgan_gp_penalty,
)

__all__ = [
    "AdversarialLoss",
    "Criterion",
    "Penalty",
    "PerceptualLoss",
    "PointwiseLoss",
    "RelativisticLoss",
    "binary_cross_entropy",
    "charbonnier",
    "confusion",
    "create_adversarial_loss",
    "create_criterion",
    "create_penalty",
    "cross_entropy",
    "feature_matching",
    "foreground_l1",
    "gram_distance",
    "keypoint_distance",
    "kl_divergence",
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
