from itertools import pairwise

import pytest
import torch
from torch import nn

from cyclekit.nets import create_generator


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def convolution(before, after, side):
    return before * after * side * side + after


def test_counts_worked_out():
    with torch.device("meta"):
        nine = create_generator("resnet_9blocks", 3, 3)
        whole = create_generator("pix2pixhd_global", 36, 3)
    # instance normalisation has no weights, so every convolution has a bias
    ends = convolution(3, 64, 7) + convolution(64, 3, 7)
    steps = [(64, 128), (128, 256), (256, 128), (128, 64)]
    assert parameters(nine) == 11_378_179
    assert parameters(nine) == (ends + sum(convolution(*step, 3) for step in steps) + 9 * 2 * convolution(256, 256, 3))
    widths = [64, 128, 256, 512, 1024]
    steps = [*pairwise(widths), *pairwise(reversed(widths))]
    assert parameters(whole) == (
        convolution(36, 64, 7)
        + convolution(64, 3, 7)
        + sum(convolution(*step, 3) for step in steps)
        + 9 * 2 * convolution(1024, 1024, 3)
    )


def test_two_halves_make_one_generator():
    whole = create_generator("resnet_9blocks", 3, 2, base_channels=4).eval()
    encode = create_generator("resnet_encoder", 3, 16).eval()
    decode = create_generator("resnet_decoder", 16, 2).eval()
    weights = list(whole.state_dict().values())
    for half in (encode, decode):
        own = half.state_dict()
        half.load_state_dict({name: weights.pop(0) for name in own})
    assert not weights
    image = torch.randn(1, 3, 16, 24)
    torch.testing.assert_close(decode(encode(image)), whole(image))


@pytest.mark.parametrize("name", ["resnet_encoder", "resnet_decoder"])
def test_a_latent_is_a_multiple_of_four(name):
    channels = {"resnet_encoder": (3, 18), "resnet_decoder": (18, 3)}[name]
    with pytest.raises(ValueError, match=r"(in|out)_channels \(=18\) must be a multiple of 4"):
        create_generator(name, *channels)


@pytest.mark.parametrize(("option", "value"), [("activation", "prelu"), ("upsample", "nearest"), ("norm", "group")])
def test_options_change_the_layers(option, value):
    network = create_generator("resnet_6blocks", 3, 3, base_channels=2, **{option: value})
    kind = {"prelu": nn.PReLU, "nearest": nn.Upsample, "group": nn.GroupNorm}[value]
    assert any(isinstance(module, kind) for module in network.modules())
    assert network(torch.randn(1, 3, 8, 12)).shape == (1, 3, 8, 12)


def test_the_local_enhancer_adds_to_the_coarse_features():
    network = create_generator("pix2pixhd_local", 3, 2, base_channels=2, norm="none").eval()
    image = torch.randn(1, 3, 64, 96)
    # a 3x3 mean that counts no padding, written out
    ones = torch.ones(1, 1, 3, 3)
    inside = nn.functional.conv2d(torch.ones(1, 1, 64, 96), ones, stride=2, padding=1)
    sums = nn.functional.conv2d(image.transpose(0, 1), ones, stride=2, padding=1).transpose(0, 1)
    expected = network.enhance(network.entry(image) + network.coarse(sums / inside))
    torch.testing.assert_close(network(image), expected)
    assert expected.shape == (1, 2, 64, 96)
