import pytest
import torch
from torch import nn

from cyclekit.nets import create_discriminator, create_generator, load_pix2pix_weights
from tests.nets import released

NORMS = {"batch": nn.BatchNorm2d, "instance": nn.InstanceNorm2d}
PAIRS = {
    "unet_64": (
        lambda norm: create_generator("unet_64", 3, 2, base_channels=3, norm=norm),
        lambda norm: released.UnetGenerator(3, 2, 6, 3, NORMS[norm]),
    ),
    "unet_128": (
        lambda norm: create_generator("unet_128", 3, 2, base_channels=2, norm=norm),
        lambda norm: released.UnetGenerator(3, 2, 7, 2, NORMS[norm]),
    ),
    "unet_256": (
        lambda norm: create_generator("unet_256", 3, 2, base_channels=1, norm=norm),
        lambda norm: released.UnetGenerator(3, 2, 8, 1, NORMS[norm]),
    ),
    "resnet_6blocks": (
        lambda norm: create_generator("resnet_6blocks", 3, 2, base_channels=3, norm=norm),
        lambda norm: released.ResnetGenerator(3, 2, 3, 6, NORMS[norm]),
    ),
    "resnet_9blocks": (
        lambda norm: create_generator("resnet_9blocks", 3, 2, base_channels=3, norm=norm, dropout=0.5),
        lambda norm: released.ResnetGenerator(3, 2, 3, 9, NORMS[norm], dropout=True),
    ),
    "patchgan_70": (
        lambda norm: create_discriminator("patchgan_70", 3, base_channels=3, norm=norm),
        lambda norm: released.NLayerDiscriminator(3, 3, 3, NORMS[norm]),
    ),
    "patchgan_286": (
        lambda norm: create_discriminator("patchgan_286", 3, base_channels=2, norm=norm),
        lambda norm: released.NLayerDiscriminator(3, 2, 5, NORMS[norm]),
    ),
    "pixelgan": (
        lambda norm: create_discriminator("pixelgan", 3, base_channels=3, norm=norm),
        lambda norm: released.PixelDiscriminator(3, 3, NORMS[norm]),
    ),
}
SIZES = {"unet_128": 128, "unet_256": 256, "patchgan_286": 96}


def learned(network):
    """Weights and statistics that are nobody's initial ones."""
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            tensor.uniform_(0.5, 1.5) if "running_var" in name else tensor.normal_(0.0, 0.3)
    return network


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", PAIRS)
def test_released_weights_give_the_same_outputs(name, norm):
    torch.manual_seed(0)
    own, theirs = PAIRS[name][0](norm), learned(PAIRS[name][1](norm))
    load_pix2pix_weights(own, theirs.state_dict())
    size = SIZES.get(name, 64)
    image = torch.randn(2, 3, size, size)
    for mode in (False, True):
        outputs = []
        for network in (own, theirs):
            torch.manual_seed(1)  # the same dropout
            outputs.append(network.train(mode)(image))
        torch.testing.assert_close(*outputs, rtol=1e-4, atol=1e-5)
    # training moved the running statistics alike
    for mine, yours in zip(own.buffers(), theirs.buffers(), strict=True):
        torch.testing.assert_close(mine, yours)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ["unet_256", "unet_128", "resnet_9blocks", "resnet_6blocks", "patchgan_70"])
def test_every_layer_gives_the_same_in_the_order_they_run(name, norm):
    torch.manual_seed(0)
    own, theirs = PAIRS[name][0](norm).eval(), learned(PAIRS[name][1](norm)).eval()
    load_pix2pix_weights(own, theirs.state_dict())
    logs: list[list[torch.Tensor]] = [[], []]
    for network, log in zip((own, theirs), logs, strict=True):
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d | nn.InstanceNorm2d):
                module.register_forward_hook(lambda _, __, given, log=log: log.append(given.clone()))
        size = SIZES.get(name, 64)
        network(torch.linspace(-1, 1, 3 * size * size).view(1, 3, size, size))
    assert len(logs[0]) > 5
    for mine, yours in zip(*logs, strict=True):
        torch.testing.assert_close(mine, yours, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["unet_256", "resnet_9blocks", "patchgan_70"])
@pytest.mark.parametrize("norm", NORMS)
def test_parameter_counts_at_full_width(name, norm):
    kind = NORMS[norm]
    with torch.device("meta"):
        if name == "patchgan_70":
            own, theirs = (
                create_discriminator(name, 3, norm=norm),
                released.NLayerDiscriminator(3, 64, 3, kind),
            )
        else:
            own = create_generator(name, 3, 3, norm=norm)
            theirs = (
                released.UnetGenerator(3, 3, 8, 64, kind)
                if name == "unet_256"
                else released.ResnetGenerator(3, 3, 64, 9, kind)
            )
    assert sum(p.numel() for p in own.parameters()) == sum(p.numel() for p in theirs.parameters())


def test_keys_sorted_by_letter_and_behind_a_prefix():
    theirs = learned(released.ResnetGenerator(3, 2, 3, 9, nn.BatchNorm2d)).eval()
    weights = {f"module.{key}": value for key, value in sorted(theirs.state_dict().items())}
    own = create_generator("resnet_9blocks", 3, 2, base_channels=3, norm="batch").eval()
    load_pix2pix_weights(own, weights)
    image = torch.randn(1, 3, 16, 16)
    torch.testing.assert_close(own(image), theirs(image))


def test_old_files():
    theirs = learned(released.ResnetGenerator(3, 2, 3, 6, nn.InstanceNorm2d)).eval()
    weights = dict(theirs.state_dict())
    # once instance normalisation saved statistics, and batch normalisation no count
    weights |= {"model.2.running_mean": torch.zeros(3), "model.2.running_var": torch.ones(3)}
    own = create_generator("resnet_6blocks", 3, 2, base_channels=3).eval()
    load_pix2pix_weights(own, weights)
    image = torch.randn(1, 3, 16, 16)
    torch.testing.assert_close(own(image), theirs(image))

    theirs = learned(released.PixelDiscriminator(3, 2, nn.BatchNorm2d)).eval()
    weights = {key: value for key, value in theirs.state_dict().items() if "num_batches" not in key}
    own = create_discriminator("pixelgan", 3, base_channels=2).eval()
    load_pix2pix_weights(own, weights)
    torch.testing.assert_close(own(image), theirs(image))


def test_what_does_not_correspond_is_named_and_changes_nothing():
    weights = released.NLayerDiscriminator(3, 4, 3, nn.BatchNorm2d).state_dict()
    cases = [
        (
            {"base_channels": 2},
            r"released 'model\.0\.weight' is \(4, 3, 4, 4\) where .* 'blocks\.0\.0\.weight' is",
        ),
        (
            {"base_channels": 4, "norm": "instance"},
            r"the release has 8 layers with weights, the network 5; create .* release's depth",
        ),
        (
            {"base_channels": 4, "norm": "group"},
            r"layer 'model\.3' has bias, num_batches_tracked, running_mean",
        ),
    ]
    for options, message in cases:
        network = create_discriminator("patchgan_70", 3, **options)
        before = {key: value.clone() for key, value in network.state_dict().items()}
        with pytest.raises(ValueError, match=message):
            load_pix2pix_weights(network, weights)
        torch.testing.assert_close(dict(network.state_dict()), before)
    nine = released.ResnetGenerator(3, 2, 3, 9, nn.InstanceNorm2d).state_dict()
    network = create_generator("resnet_6blocks", 3, 2, base_channels=3)
    with pytest.raises(ValueError, match="the release has 24 layers with weights, the network 18"):
        load_pix2pix_weights(network, nine)
