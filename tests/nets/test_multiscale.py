import torch
from torch import nn

from cyclekit.nets import create_discriminator


def test_each_scale_judges_half_the_size():
    network = create_discriminator("multiscale_patchgan", 3, base_channels=2, norm="none")
    image = torch.randn(1, 3, 32, 48)
    halved = nn.AvgPool2d(3, 2, 1, count_include_pad=False)(image)
    logits = network(image)
    assert len(logits) == 3
    torch.testing.assert_close(logits[0], network.scales[0](image))
    torch.testing.assert_close(logits[1], network.scales[1](halved))


def test_every_scale_has_its_features():
    network = create_discriminator("multiscale_patchgan", 3, base_channels=2, scales=2)
    _, features = network.judge_with_features(torch.randn(1, 3, 32, 32))
    assert [[layer.shape[1] for layer in scale] for scale in features] == [[2, 4, 8, 16]] * 2


def test_the_smallest_size_of_many_scales():
    for scales in (1, 2, 4):
        network = create_discriminator("multiscale_patchgan", 3, base_channels=2, scales=scales)
        least = 2 ** (scales - 1) + 1
        network.check_size(least, least)
        assert len(network(torch.randn(1, 3, least, least))) == scales
