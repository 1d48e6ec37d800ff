import json

import pytest
import torch
from torch import nn

from cyclekit.errors import ShapeError
from cyclekit.nets import ImageSizeError, NetworkSpec, UNet, create_generator

CONVOLUTIONS = nn.Conv2d | nn.ConvTranspose2d


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


# 4x4 kernels throughout; the published counts
@pytest.mark.parametrize(
    ("in_channels", "norm", "count"),
    [
        (6, "batch", 54_417_027),
        (3, "batch", 54_413_955),
        (6, "instance", 54_412_675),
        (3, "instance", 54_409_603),
    ],
)
def test_published_parameter_counts(in_channels, norm, count):
    with torch.device("meta"):
        assert parameters(create_generator("unet_256", in_channels, 3, norm=norm)) == count


@pytest.mark.parametrize(("name", "levels"), [("unet_64", 6), ("unet_128", 7), ("unet_256", 8), ("unet_512", 9)])
def test_layers_in_the_order_they_run(name, levels):
    with torch.device("meta"):
        network = create_generator(name, 6, 3)
        ran = []
        for module in network.modules():
            if not list(module.children()):
                module.register_forward_hook(lambda module, *_: ran.append(module))
        network(torch.zeros(2, 6, 2**levels, 2**levels))
    expected = [(nn.Conv2d, 6, 64)]
    deep = levels - 4
    for before, after in [(64, 128), (128, 256), (256, 512), *[(512, 512)] * deep]:
        expected += [nn.LeakyReLU, (nn.Conv2d, before, after), nn.BatchNorm2d]
    expected.pop()  # the bottleneck has none
    expected += [nn.ReLU, (nn.ConvTranspose2d, 512, 512), nn.BatchNorm2d]
    expected += [nn.ReLU, (nn.ConvTranspose2d, 1024, 512), nn.BatchNorm2d, nn.Dropout] * (deep - 1)
    for before, after in [(1024, 256), (512, 128), (256, 64)]:
        expected += [nn.ReLU, (nn.ConvTranspose2d, before, after), nn.BatchNorm2d]
    expected += [nn.ReLU, (nn.ConvTranspose2d, 128, 3), nn.Tanh]
    assert [
        (type(module), module.in_channels, module.out_channels) if isinstance(module, CONVOLUTIONS) else type(module)
        for module in ran
    ] == expected


ACTIVATIONS = {
    "relu": lambda x: x.clamp(min=0),
    "leaky_relu": lambda x: torch.where(x > 0, x, 0.2 * x),
    "silu": lambda x: x / (1 + (-x).exp()),
    "gelu": lambda x: x * (1 + torch.erf(x / 2**0.5)) / 2,
    "prelu": lambda x: torch.where(x > 0, x, 0.25 * x),
}


@pytest.mark.parametrize(
    "activation", [("leaky_relu", "relu"), ("silu", "gelu"), ("gelu", "leaky_relu"), ("prelu", "silu"), "silu", "relu"]
)
def test_equals_the_arithmetic_written_out(activation):
    network = UNet(2, 3, levels=5, base_channels=2, norm="none", dropout=0.0, activation=activation).double()
    both = (activation, activation) if isinstance(activation, str) else activation
    encoding, decoding = (ACTIVATIONS[name] for name in both)
    weights = [
        value for module in network.modules() if isinstance(module, CONVOLUTIONS) for value in module.parameters()
    ]
    pairs = list(zip(weights[::2], weights[1::2], strict=True))
    image = torch.randn(1, 2, 64, 32, dtype=torch.float64)
    x, skips = image, []
    for level, (weight, bias) in enumerate(pairs[:5]):
        x = nn.functional.conv2d(x, weight, bias, stride=2, padding=1)
        x = x if level == 4 else encoding(x)
        skips.append(x)
    x = skips.pop()
    for weight, bias in pairs[5:]:
        x = nn.functional.conv_transpose2d(decoding(x), weight, bias, stride=2, padding=1)
        x = torch.cat([skips.pop(), x], dim=1) if skips else x.tanh()
    torch.testing.assert_close(network(image), x)


def test_full_resolution_adds_a_convolution_at_each_end_and_a_skip_between_them():
    network = UNet(2, 3, levels=5, base_channels=4, norm="none", dropout=0.0, full_resolution=True).double()
    inner = UNet(4, 4, levels=5, base_channels=4, norm="none", dropout=0.0, final="none").double()
    before, after = network.stem[0], network.decoder[-1][1]
    taken = iter(
        module
        for module in network.modules()
        if isinstance(module, CONVOLUTIONS) and module is not before and module is not after
    )
    for module in inner.modules():
        if isinstance(module, CONVOLUTIONS):
            module.load_state_dict(next(taken).state_dict())
    image = torch.randn(1, 2, 64, 32, dtype=torch.float64)
    skip = ACTIVATIONS["leaky_relu"](nn.functional.conv2d(image, before.weight, before.bias, padding=1))
    joined = torch.cat([skip, inner(skip)], dim=1).clamp(min=0)
    expected = nn.functional.conv2d(joined, after.weight, after.bias, padding=1).tanh()
    torch.testing.assert_close(network(image), expected)


def test_non_square_sizes():
    network = create_generator("unet_64", 3, 3, base_channels=2)
    assert network(torch.zeros(1, 3, 128, 64)).shape == (1, 3, 128, 64)


def test_the_bottleneck_trains_at_one_pixel_and_one_image():
    for norm in ("batch", "instance", "group"):
        network = create_generator("unet_64", 3, 3, base_channels=2, norm=norm)
        assert network(torch.randn(1, 3, 64, 64)).isfinite().all()


def test_a_size_it_cannot_take():
    network = create_generator("unet_128", 3, 3, base_channels=1)
    message = (
        "a U-Net with 7 levels needs height and width to be multiples of 128, at least 128; got 128x64; "
        "resize or pad the images to 128x128, or choose a network with fewer downsamplings, such as resnet_6blocks"
    )
    with pytest.raises(ImageSizeError, match=message):
        network.check_size(128, 64)
    with pytest.raises(ImageSizeError, match=message):
        network(torch.zeros(1, 3, 128, 64))


def test_activations_survive_a_file():
    spec = NetworkSpec("unet_64", activation=("gelu", "silu"), base_channels=2)
    again = NetworkSpec.from_dict(json.loads(json.dumps(spec.to_dict())))
    network = create_generator(again.name, 3, 3, **again.options)
    kinds = [type(module) for module in network.modules() if isinstance(module, nn.GELU | nn.SiLU)]
    assert kinds == [nn.GELU] * 5 + [nn.SiLU] * 6


def test_activations_that_cannot_be():
    with pytest.raises(ShapeError, match=r"argument 'activation': expected .*, got \('relu', 'relu', 'relu'\)"):
        UNet(3, 3, activation=("relu", "relu", "relu"))
    with pytest.raises(ValueError, match="argument 'activation': there is no 'rely'; did you mean 'relu'"):
        UNet(3, 3, activation=("leaky_relu", "rely"))


def test_too_few_levels():
    with pytest.raises(ValueError, match=r"levels \(=4\) must be at least 5"):
        UNet(3, 3, levels=4)
