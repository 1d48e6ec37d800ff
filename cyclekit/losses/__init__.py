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
from cyclekit.losses._reconstruction import l1, l2, masked_l1

__all__ = [
    "AdversarialLoss",
    "Criterion",
    "PointwiseLoss",
    "RelativisticLoss",
    "binary_cross_entropy",
    "create_adversarial_loss",
    "create_criterion",
    "cross_entropy",
    "l1",
    "l2",
    "list_adversarial_losses",
    "list_criteria",
    "masked_l1",
    "register_adversarial_loss",
    "register_criterion",
]
