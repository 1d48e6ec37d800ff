"""Losses are as exact under autocast as without it."""

import pytest
import torch
from torch import nn

from cyclekit.losses import (
    PerceptualLoss,
    create_adversarial_loss,
    create_criterion,
    create_penalty,
    list_adversarial_losses,
    list_criteria,
    list_penalties,
)

HALVES = [torch.bfloat16, torch.float16]
NETWORKS = {"perceptual", "style", "feature_matching"}  # a trained network's, or a list of features


def images(noise=0.01):
    torch.manual_seed(0)
    target = torch.rand(2, 3, 16, 16) * 2 - 1
    return (target + noise * torch.randn_like(target)).clamp(-0.99, 0.99).requires_grad_(), target


def signals_of(name):
    if name == "cross_entropy":
        return torch.randn(2, 5, requires_grad=True), torch.eye(5)[:2]
    if name == "binary_cross_entropy":
        return torch.randn(2, 5, requires_grad=True), (torch.rand(2, 5) > 0.5).float()
    if name == "total_variation":
        return images()[:1]
    return (*images(), torch.ones(2, 1, 16, 16)) if name == "masked" else images()


def value_and_gradient(compute, prediction, half=None):
    with torch.autocast("cpu", half, enabled=half is not None):
        value = compute()
    (gradient,) = torch.autograd.grad(value, prediction)
    return value.detach(), gradient


@pytest.mark.parametrize("half", HALVES, ids=str)
@pytest.mark.parametrize("name", sorted({*list_criteria()} - NETWORKS))
def test_a_criterion_is_exact_under_autocast(name, half):
    torch.manual_seed(1)
    criterion, signals = create_criterion(name), signals_of(name)
    exact = value_and_gradient(lambda: criterion(*signals), signals[0])
    found = value_and_gradient(lambda: criterion(*signals), signals[0], half)
    torch.testing.assert_close(found, exact, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("half", HALVES, ids=str)
@pytest.mark.parametrize("name", list_adversarial_losses())
def test_an_adversarial_loss_is_exact_under_autocast(name, half):
    torch.manual_seed(1)
    loss = create_adversarial_loss(name)
    fake, real = torch.randn(2, 1, 5, 5, requires_grad=True), torch.randn(2, 1, 5, 5)
    for compute in (
        lambda: loss.generator(fake, real) if loss.needs_real else loss.generator(fake),
        lambda: loss.discriminator(real, fake),
    ):
        exact = value_and_gradient(compute, fake)
        found = value_and_gradient(compute, fake, half)
        torch.testing.assert_close(found, exact, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("half", HALVES, ids=str)
@pytest.mark.parametrize("name", list_penalties())
def test_a_penalty_is_finite_and_near_under_autocast(name, half):
    torch.manual_seed(1)
    discriminator = nn.Sequential(nn.Conv2d(3, 8, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 4, 1, 1))
    prediction, target = images()
    penalty = create_penalty(name)
    torch.manual_seed(2)
    exact = penalty(discriminator, target, prediction)
    torch.manual_seed(2)
    with torch.autocast("cpu", half):
        found = penalty(discriminator, target, prediction)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, exact, rtol=0.05, atol=1e-3)


@pytest.mark.parametrize("half", HALVES, ids=str)
@pytest.mark.parametrize("distance", ["l1", "gram"])
def test_features_of_a_network_are_finite_and_near_under_autocast(distance, half):
    torch.manual_seed(1)
    loss = PerceptualLoss("test_resnet", distance=distance, pretrained=False)
    prediction, target = images(0.3)
    exact = loss(prediction, target)
    with torch.autocast("cpu", half):
        found = loss(prediction, target)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, exact, rtol=0.1, atol=1e-3)


def test_a_vgg_gives_the_five_maps_of_the_literature():
    loss = PerceptualLoss("vgg11", weights=[1 / 32, 1 / 16, 1 / 8, 1 / 4, 1], pretrained=False)
    prediction, target = (torch.rand(1, 3, 32, 32) * 2 - 1 for _ in range(2))
    assert loss(prediction, target) > 0
    (network,) = loss._frozen
    assert [tuple(layer.shape[1:]) for layer in network(target)] == [
        (64, 32, 32),
        (128, 16, 16),
        (256, 8, 8),
        (512, 4, 4),
        (512, 2, 2),
    ]
