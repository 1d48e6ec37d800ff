import pytest
import torch

from cyclekit.nets import ImageSizeError, create_discriminator


@pytest.mark.parametrize(
    ("in_channels", "norm", "count"),
    [
        (9, "batch", 2_771_777),
        (6, "batch", 2_768_705),
        (9, "instance", 2_770_881),
        (6, "instance", 2_767_809),
    ],
)
def test_published_parameter_counts(in_channels, norm, count):
    with torch.device("meta"):
        network = create_discriminator("patchgan_70", in_channels, norm=norm)
    assert sum(parameter.numel() for parameter in network.parameters()) == count


def test_a_256_image_gives_30x30_patches():
    with torch.device("meta"):
        network = create_discriminator("patchgan_70", 9)
        assert network(torch.zeros(1, 9, 256, 256)).shape == (1, 1, 30, 30)


@pytest.mark.parametrize(("name", "field"), [("patchgan_16", 16), ("patchgan_70", 70), ("patchgan_286", 286)])
def test_the_receptive_field_is_the_number(name, field):
    network = create_discriminator(name, 1, base_channels=1, norm="none", init="default").double()
    for parameter in network.parameters():
        torch.nn.init.uniform_(parameter, 0.1, 1.0)  # no gradient may cancel
    size = 2 * field + field % 2 + 36
    size += -size % 32
    image = torch.rand(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    logits = network(image)
    middle = logits.shape[-1] // 2
    logits[0, 0, middle, middle].backward()
    assert [(image.grad != 0).any(dim=dim).sum().item() for dim in (2, 3)] == [field, field]


def test_pixelgan_judges_each_pixel_alone():
    network = create_discriminator("pixelgan", 2, base_channels=3, norm="none")
    image = torch.randn(1, 2, 4, 6)
    changed = image.clone()
    changed[0, :, 1, 2] += 1
    differs = (network(image) != network(changed)).squeeze()
    assert differs[1, 2]
    assert differs.sum() == 1


@pytest.mark.parametrize(("name", "least"), [("patchgan_16", 6), ("patchgan_70", 24), ("patchgan_286", 96)])
@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_the_smallest_size_trains_and_a_smaller_one_is_refused(name, least, norm):
    network = create_discriminator(name, 3, base_channels=2, norm=norm)
    assert network(torch.randn(1, 3, least, least)).shape == (1, 1, 1, 1)
    with pytest.raises(ImageSizeError, match=f"at least {least}; got {least}x{least - 1}"):
        network(torch.randn(1, 3, least, least - 1))


def test_features_are_what_every_layer_before_the_logits_gives():
    network = create_discriminator("patchgan_70", 3, base_channels=2).eval()
    image = torch.randn(2, 3, 32, 32)
    logits, features = network.judge_with_features(image)
    assert [tuple(feature.shape[1:]) for feature in features] == [
        (2, 16, 16),
        (4, 8, 8),
        (8, 4, 4),
        (16, 3, 3),
    ]
    torch.testing.assert_close(network.blocks[-1](features[-1]), logits)


def test_wrong_padding():
    with pytest.raises(ValueError, match=r"padding \(=3\) must be 1 or 2"):
        create_discriminator("patchgan_70", 3, padding=3)
