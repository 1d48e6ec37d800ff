import pytest
import torch

from cyclekit.nets import ImageSizeError, create_discriminator, create_generator


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def conv(before, after, side=3):
    return side * side * before * after + after


def test_counts_worked_out():
    with torch.device("meta"):
        coarse = create_generator("pg2_coarse", 21, 3)
        refine = create_generator("pg2_refine", 6, 3)
        discriminator = create_discriminator("pg2_dcgan", 3)
    widths = [128, 256, 384, 512, 640]
    down = conv(21, 128) + sum(2 * conv(w, w) for w in widths)
    down += sum(conv(w, w + 128) for w in widths[:-1])
    middle = 8 * 4 * 640 * 64 + 64 + 64 * 8 * 4 * 128 + 8 * 4 * 128
    meeting = [768, 1024, 768, 512, 256]
    up = sum(2 * conv(w, w) for w in meeting)
    up += sum(conv(before, after, 1) for before, after in [(768, 512), (1024, 384), (768, 256), (512, 128)])
    assert parameters(coarse) == down + middle + up + conv(256, 3)
    assert round(parameters(coarse) / 1e6, 1) == 70.8  # the published figures
    assert round(parameters(refine) / 1e6, 2) == 6.06
    assert round(parameters(discriminator) / 1e6, 2) == 4.32


@pytest.mark.parametrize("name", ["pg2_coarse", "pg2_refine"])
def test_other_sizes_and_scales(name):
    options = {"image_size": (32, 16)} if name == "pg2_coarse" else {}
    network = create_generator(name, 4, 3, scales=4, base_channels=2, **options)
    assert network(torch.randn(1, 4, 32, 16)).shape == (1, 3, 32, 16)


def test_the_coarse_network_is_made_for_one_size():
    with pytest.raises(ImageSizeError, match=r"with 5 scales needs .* multiples of 16, at least 16; got 128x100"):
        create_generator("pg2_coarse", 21, 3, image_size=(128, 100))
    network = create_generator("pg2_coarse", 4, 3, base_channels=2, image_size=(32, 16))
    with pytest.raises(ImageSizeError, match=r"images of 32x16; got 64x32; create it with image_size=\(64, 32\)"):
        network(torch.randn(1, 4, 64, 32))


def test_the_difference_is_unbounded():
    torch.manual_seed(0)
    network = create_generator("pg2_refine", 2, 1, base_channels=4)
    assert network(1e6 * torch.randn(1, 2, 8, 8)).abs().max() > 1
    with pytest.raises(ValueError, match=r"scales \(=1\) must be at least 2"):
        create_generator("pg2_refine", 2, 1, scales=1)


def test_one_logit_an_image():
    network = create_discriminator("pg2_dcgan", 3, base_channels=2, image_size=(32, 16))
    assert network(torch.randn(4, 3, 32, 16)).shape == (4, 1)
