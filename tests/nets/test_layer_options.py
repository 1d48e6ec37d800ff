import math

import pytest
import torch
from torch import nn

from cyclekit.nets import create_discriminator, create_generator


def convolutions(network):
    return [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.ConvTranspose2d)]


@pytest.mark.parametrize(
    ("init", "deviation"),
    [
        ("normal", lambda fan_in, fan_out: 0.02),
        ("xavier", lambda fan_in, fan_out: math.sqrt(2 / (fan_in + fan_out))),
        ("kaiming", lambda fan_in, fan_out: math.sqrt(2 / fan_in)),
    ],
)
def test_initial_deviations(init, deviation):
    torch.manual_seed(0)
    network = create_discriminator("patchgan_70", 16, base_channels=16, init=init)
    for convolution in convolutions(network)[:-1]:
        out_channels, in_channels, *kernel = convolution.weight.shape
        area = math.prod(kernel)
        expected = deviation(in_channels * area, out_channels * area)
        assert convolution.weight.std().item() == pytest.approx(expected, rel=0.1)
    assert all((module.bias == 0).all() for module in network.modules() if getattr(module, "bias", None) is not None)
    scales = torch.cat([module.weight for module in network.modules() if isinstance(module, nn.BatchNorm2d)])
    assert scales.mean().item() == pytest.approx(1.0, abs=0.01)
    assert scales.std().item() == pytest.approx(0.02, rel=0.3)


def test_initial_weights_of_c2gans_release():
    """Xavier's deviations, batch normalisation's scales uniform in [0.02, 1], biases as PyTorch draws them."""
    torch.manual_seed(0)
    network = create_generator("unet_64", 16, 3, base_channels=16, init="c2gan")
    for layer in convolutions(network)[:-1]:
        fan_out, fan_in, *kernel = layer.weight.shape
        expected = math.sqrt(2 / ((fan_in + fan_out) * math.prod(kernel)))
        assert layer.weight.std().item() == pytest.approx(expected, rel=0.1)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    scales = torch.cat([module.weight for module in norms])
    assert scales.min() >= 0.02
    assert scales.max() <= 1
    assert scales.mean().item() == pytest.approx(0.51, abs=0.03)
    assert scales.std().item() == pytest.approx(0.98 / math.sqrt(12), rel=0.1)
    assert not any(module.bias.any() for module in norms)
    torch.manual_seed(0)
    left = create_generator("unet_64", 16, 3, base_channels=16, init="default")
    assert convolutions(network)[-1].bias.all()
    torch.testing.assert_close(convolutions(network)[-1].bias, convolutions(left)[-1].bias)


def test_default_initialisation_is_torchs():
    torch.manual_seed(3)
    network = create_discriminator("pixelgan", 2, base_channels=2, init="default")
    torch.manual_seed(3)
    torch.testing.assert_close(network.blocks[0][0].weight, nn.Conv2d(2, 2, 1).weight)


@pytest.mark.parametrize(
    ("norm", "bias"),
    [("batch", False), ("instance_affine", False), ("group", False), ("instance", True), ("none", True)],
)
def test_no_bias_beside_a_shift(norm, bias):
    network = create_generator("unet_64", 3, 3, base_channels=4, norm=norm)
    *inner, last = convolutions(network)
    assert {convolution.bias is not None for convolution in inner} == {bias}
    assert last.bias is not None


def test_group_norm_takes_any_width():
    groups = [
        module.num_groups
        for module in create_generator("unet_64", 3, 3, base_channels=6, norm="group").modules()
        if isinstance(module, nn.GroupNorm)
    ]
    # widths 12, 24, 48, 48 down; 48, 48, 24, 12, 6 up
    assert groups == [4, 8, 16, 16, 16, 16, 8, 4, 2]
