"""Normalisation, activation, up-sampling and spectral norm, by name; every network chooses through these."""

from collections.abc import Callable, Iterable
from math import gcd
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from cyclekit.errors import ArgumentError
from cyclekit.nets.checks import check_positive

Norm: TypeAlias = Literal["batch", "instance", "instance_affine", "group", "none"]
Activation: TypeAlias = Literal["relu", "leaky_relu", "silu", "gelu", "prelu"]
Upsampling: TypeAlias = Literal["deconv", "nearest", "pixelshuffle"]
FinalActivation: TypeAlias = Literal["tanh", "sigmoid", "none"]
Outputs: TypeAlias = tuple[tuple[FinalActivation, int], ...]
"""What ends each of several outputs, in the order of their channels, and how many channels it has."""
Init: TypeAlias = Literal["normal", "xavier", "kaiming", "c2gan", "default"]

GROUPS = 32


def _group_norm(channels: int) -> nn.Module:
    return nn.GroupNorm(gcd(GROUPS, channels), channels)


def _affine_instance_norm(channels: int) -> nn.Module:
    return nn.InstanceNorm2d(channels, affine=True)


_NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "instance": nn.InstanceNorm2d,
    "instance_affine": _affine_instance_norm,
    "group": _group_norm,
}
_SHIFTED = ("batch", "instance_affine", "group")

_ACTIVATIONS: dict[str, Callable[[float], nn.Module]] = {
    "relu": lambda _: nn.ReLU(inplace=True),
    "leaky_relu": lambda slope: nn.LeakyReLU(slope, inplace=True),
    "silu": lambda _: nn.SiLU(inplace=True),
    "gelu": lambda _: nn.GELU(),
    "prelu": lambda _: nn.PReLU(),
}


def normalisation(name: Norm, channels: int) -> list[nn.Module]:
    """Return the layer called ``name``, or nothing for ``"none"``, to be spliced into a sequence."""
    return [] if name == "none" else [_NORMS[name](channels)]


def needs_bias(norm: Norm) -> bool:
    """Whether a convolution before this normalisation carries a bias, as in the pix2pix release.

    It does not where the normalisation has a shift of its own.
    """
    return norm not in _SHIFTED


def activation_layer(name: Activation, *, slope: float = 0.2) -> nn.Module:
    """Return the activation called ``name``; the slope is the leaky ReLU's below 0."""
    return _ACTIVATIONS[name](slope)


def dropout_layers(probability: float) -> list[nn.Module]:
    """Return a dropout, or nothing for a probability of 0."""
    return [nn.Dropout(probability)] if probability > 0 else []


_FINALS: dict[str, Callable[[], nn.Module]] = {"tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "none": nn.Identity}


class _FinalActivations(nn.Module):
    """An activation for each of several outputs, which lie side by side along the channels."""

    def __init__(self, outputs: Outputs) -> None:
        super().__init__()
        self.channels = [channels for _, channels in outputs]
        self.activations = nn.ModuleList(_FINALS[name]() for name, _ in outputs)

    def forward(self, made: Tensor) -> Tensor:
        parts = made.split(self.channels, dim=1)
        return torch.cat([end(part) for end, part in zip(self.activations, parts, strict=True)], dim=1)


def check_outputs(name: str, outputs: Outputs, out_channels: int) -> None:
    """Raise unless several outputs have as many channels as the network's."""
    check_positive(**{f"{name}[{index}] channels": channels for index, (_, channels) in enumerate(outputs)})
    if sum(channels for _, channels in outputs) != out_channels:
        raise ArgumentError(f"{name} (={outputs}) must have as many channels as the output, {out_channels}")


def final_layers(final: FinalActivation | Outputs, out_channels: int) -> list[nn.Module]:
    """Return what ends a generator, to be spliced into a sequence; it has no weights.

    Args:
        final: ``"tanh"`` for values in [-1, 1], ``"sigmoid"`` in [0, 1], ``"none"`` for any; or of several
            outputs each one's, with its channels.
        out_channels: Channels of the output, which those of several must add up to.
    """
    if isinstance(final, str):
        return [] if final == "none" else [_FINALS[final]()]
    check_outputs("final", final, out_channels)
    first, *others = final
    alike = all(name == first[0] for name, _ in others)
    return final_layers(first[0], out_channels) if alike else [_FinalActivations(final)]


def upsampling(name: Upsampling, in_channels: int, out_channels: int, *, bias: bool, kernel_size: int = 4) -> nn.Module:
    """Return a layer that doubles height and width.

    Args:
        name: ``"deconv"``, a transposed convolution; ``"nearest"``, nearest-neighbour then a 3x3 convolution;
            ``"pixelshuffle"``, a 3x3 convolution to four times the channels, rearranged.
        in_channels: Channels before.
        out_channels: Channels after.
        bias: Whether the convolution carries a bias.
        kernel_size: Of the transposed convolution: 4, or 3.
    """
    if name == "nearest":
        return nn.Sequential(
            nn.Upsample(scale_factor=2, mode="nearest"),
            nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1, bias=bias),
        )
    if name == "pixelshuffle":
        return nn.Sequential(
            nn.Conv2d(in_channels, 4 * out_channels, kernel_size=3, padding=1, bias=bias), nn.PixelShuffle(2)
        )
    return nn.ConvTranspose2d(
        in_channels,
        out_channels,
        kernel_size,
        stride=2,
        padding=1,
        output_padding=kernel_size % 2,
        bias=bias,
    )


def add_spectral_norm(network: nn.Module) -> None:
    """Divide every weight by its largest singular value (Miyato et al., ICLR 2018)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            spectral_norm(module)


def _normal(weight: Tensor) -> Tensor:
    return nn.init.normal_(weight, 0.0, 0.02)


def _kaiming(weight: Tensor) -> Tensor:
    return nn.init.kaiming_normal_(weight, a=0, mode="fan_in")


_SCHEMES: dict[str, Callable[[Tensor], Tensor]] = {
    "normal": _normal,  # DCGAN's and pix2pix's
    "xavier": nn.init.xavier_normal_,
    "kaiming": _kaiming,
    "c2gan": nn.init.xavier_normal_,
}


def finish(network: nn.Module, *, init: Init, spectral_norm: bool) -> None:
    """Draw a network's initial weights, then normalise them; the other order would draw from what was normalised.

    Args:
        network: Whose weights are drawn, in place.
        init: ``"normal"``: N(0, 0.02²), as pix2pix. ``"xavier"``: Xavier-normal with gain 1. ``"kaiming"``:
            He-normal over the inputs. These set biases to 0 and draw the scales of batch normalisation from
            N(1, 0.02²). ``"c2gan"``, as C2GAN's release: Xavier-normal with gain 1, scales of batch
            normalisation from U(0.02, 1), biases as PyTorch draws them. ``"default"``: all as PyTorch drew it.
        spectral_norm: Whether every convolution and linear layer is divided by its largest singular value.
    """
    if init != "default":
        _draw(network, init)
    if spectral_norm:
        add_spectral_norm(network)


def _draw(network: nn.Module, init: Init) -> None:
    released = init == "c2gan"
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            _SCHEMES[init](module.weight)
            if module.bias is not None and not released:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            if released:  # it says uniform(1, 0.02), which the torch of its day took for U(0.02, 1)
                nn.init.uniform_(module.weight, 0.02, 1.0)
            else:
                nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)


def run_with_features(blocks: Iterable[nn.Module], hidden: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Return what the last block gives, and what each one before it gave."""
    *inner, last = blocks
    features: list[Tensor] = []
    for block in inner:
        hidden = block(hidden)
        features.append(hidden)
    return last(hidden), features
