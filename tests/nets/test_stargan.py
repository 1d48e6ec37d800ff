from itertools import pairwise

import pytest
import torch

from cyclekit.nets import ImageSizeError, create_discriminator, create_generator


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_counts_worked_out():
    with torch.device("meta"):
        generator = create_generator("stargan", 8, 3)
        discriminator = create_discriminator("stargan", 3, heads={"cls": 5})
    norms = 2 * (64 + 128 + 256 + 6 * 2 * 256 + 128 + 64)
    steps = 2 * 16 * (64 * 128 + 128 * 256)
    assert parameters(generator) == 49 * 8 * 64 + steps + 6 * 2 * 9 * 256**2 + 49 * 64 * 3 + norms
    widths = [3, 64, 128, 256, 512, 1024, 2048]
    trunk = sum(16 * before * after + after for before, after in pairwise(widths))
    assert parameters(discriminator) == trunk + 9 * 2048 + 5 * 4 * 2048


def test_heads_see_the_whole_image_and_the_source_is_a_map():
    heads = {"cls": 5, "pose": 2}
    network = create_discriminator("stargan", 3, heads=heads, image_size=(32, 16), layers=3, base_channels=2)
    judged = network(torch.randn(2, 3, 32, 16))
    assert {name: tuple(logits.shape) for name, logits in judged.items()} == {
        "source": (2, 1, 4, 2),
        "cls": (2, 5),
        "pose": (2, 2),
    }
    with pytest.raises(ImageSizeError, match=r"built for images of 32x16; got 16x32; create it with image_size="):
        network.check_size(16, 32)


def test_without_heads_any_size():
    network = create_discriminator("stargan", 3, layers=3, base_channels=2)
    assert network(torch.randn(2, 3, 24, 40)).shape == (2, 1, 3, 5)


def test_heads_that_cannot_be():
    with pytest.raises(ValueError, match="'source' is the discriminator's own output"):
        create_discriminator("stargan", 3, heads={"source": 5})
    with pytest.raises(ImageSizeError, match="multiples of 64, at least 64; got 128x100"):
        create_discriminator("stargan", 3, heads={"cls": 5}, image_size=(128, 100))


def test_the_slope_below_zero_is_a_hundredth():
    network = create_discriminator("stargan", 1, layers=1, base_channels=1)
    with torch.no_grad():
        network.blocks[0][0].weight.fill_(1.0)
        network.blocks[0][0].bias.zero_()
        hidden = network.blocks[0](-torch.ones(1, 1, 6, 6))
    assert hidden[0, 0, 1, 1].item() == pytest.approx(-0.16)
