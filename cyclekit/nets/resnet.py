"""The residual generator of CycleGAN and pix2pixHD, whole and in two halves."""

from functools import partial
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from cyclekit._typed import typed
from cyclekit.errors import ArgumentError
from cyclekit.nets.checks import MOST_BLOCKS, check_depth, check_multiple, check_positive, check_probability
from cyclekit.nets.layers import (
    Activation,
    FinalActivation,
    Init,
    Norm,
    Outputs,
    Upsampling,
    activation_layer,
    dropout_layers,
    final_layers,
    finish,
    needs_bias,
    normalisation,
    upsampling,
)
from cyclekit.nets.network import ImageNetwork
from cyclekit.nets.registries import register_generator


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around which the input is carried."""

    def __init__(
        self,
        channels: int,
        *,
        norm: Norm,
        activation: Activation = "relu",
        dropout: float = 0.0,
        padding: Literal["reflect", "zeros"] = "reflect",
    ) -> None:
        super().__init__()
        bias = needs_bias(norm)
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, padding_mode=padding, bias=bias),
            *normalisation(norm, channels),
            activation_layer(activation),
            *dropout_layers(dropout),
            nn.Conv2d(channels, channels, 3, padding=1, padding_mode=padding, bias=bias),
            *normalisation(norm, channels),
        )

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden + self.layers(hidden)


def entry_layers(in_channels: int, channels: int, *, norm: Norm, activation: Activation) -> list[nn.Module]:
    """Return the 7x7 convolution that opens the network."""
    return [
        nn.Conv2d(in_channels, channels, 7, padding=3, padding_mode="reflect", bias=needs_bias(norm)),
        *normalisation(norm, channels),
        activation_layer(activation),
    ]


def halving_layers(channels: int, *, norm: Norm, activation: Activation) -> list[nn.Module]:
    """Return layers that halve the image and double the channels."""
    return [
        nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1, bias=needs_bias(norm)),
        *normalisation(norm, 2 * channels),
        activation_layer(activation),
    ]


def doubling_layers(channels: int, *, norm: Norm, activation: Activation, upsample: Upsampling) -> list[nn.Module]:
    """Return layers that double the image and halve the channels."""
    return [
        upsampling(upsample, channels, channels // 2, bias=needs_bias(norm), kernel_size=3),
        *normalisation(norm, channels // 2),
        activation_layer(activation),
    ]


def exit_layers(channels: int, out_channels: int, *, final: FinalActivation | Outputs) -> list[nn.Module]:
    """Return the 7x7 convolution that closes the network."""
    return [
        nn.Conv2d(channels, out_channels, 7, padding=3, padding_mode="reflect"),
        *final_layers(final, out_channels),
    ]


def encoding_layers(
    in_channels: int, base_channels: int, downsamplings: int, *, norm: Norm, activation: Activation
) -> list[nn.Module]:
    """Return the entry and every halving."""
    layers = entry_layers(in_channels, base_channels, norm=norm, activation=activation)
    for level in range(downsamplings):
        layers += halving_layers(base_channels * 2**level, norm=norm, activation=activation)
    return layers


def decoding_layers(
    base_channels: int, downsamplings: int, *, norm: Norm, activation: Activation, upsample: Upsampling
) -> list[nn.Module]:
    """Return every doubling."""
    layers: list[nn.Module] = []
    for level in reversed(range(downsamplings)):
        layers += doubling_layers(base_channels * 2 ** (level + 1), norm=norm, activation=activation, upsample=upsample)
    return layers


class ResNetGenerator(ImageNetwork):
    """Halvings, residual blocks at low resolution, doublings; reflection padding throughout.

    ``resnet_6blocks`` and ``resnet_9blocks`` (CycleGAN's for 128 and 256 pixels) halve twice;
    ``pix2pixhd_global`` (pix2pixHD's G1) has 9 blocks and halves four times.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        blocks: Number of residual blocks.
        downsamplings: Number of halvings; the channels double at each.
        base_channels: Channels after the first convolution.
        norm: ``"instance"`` (as CycleGAN), ``"batch"``, ``"instance_affine"``, ``"group"`` or ``"none"``.
        activation: ``"relu"`` (as published), ``"leaky_relu"``, ``"silu"``, ``"gelu"`` or ``"prelu"``.
        dropout: Probability inside every residual block.
        upsample: ``"deconv"`` (as published), ``"nearest"`` or ``"pixelshuffle"``.
        final: ``"tanh"`` (in [-1, 1]), ``"sigmoid"`` (in [0, 1]) or ``"none"``; or each output's, with its
            channels: ``(("tanh", 3), ("sigmoid", 1))``.
        spectral_norm: Divide every weight by its largest singular value.
        init: ``"normal"``, ``"xavier"``, ``"kaiming"``, ``"c2gan"`` or ``"default"``.

    Raises:
        ArgumentError: A count below 1, a dropout outside [0, 1), or an unknown name.

    Source:
        Zhu et al., Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks, ICCV
        2017, appendix 7.2; Wang et al., High-Resolution Image Synthesis with Conditional GANs, CVPR 2018,
        section 3.2; https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix,
        https://github.com/NVIDIA/pix2pixHD.

    Example:
        ```python
        import torch
        from cyclekit.nets import create_generator

        network = create_generator("resnet_6blocks", 3, 3, base_channels=4)
        assert network(torch.zeros(1, 3, 32, 16)).shape == (1, 3, 32, 16)
        ```
    """

    @typed
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        blocks: int = 9,
        downsamplings: int = 2,
        base_channels: int = 64,
        norm: Norm = "instance",
        activation: Activation = "relu",
        dropout: float = 0.0,
        upsample: Upsampling = "deconv",
        final: FinalActivation | Outputs = "tanh",
        spectral_norm: bool = False,
        init: Init = "normal",
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        check_positive(in_channels=in_channels, out_channels=out_channels, base_channels=base_channels)
        check_positive(MOST_BLOCKS, blocks=blocks)
        check_depth(downsamplings=downsamplings)
        check_probability(dropout=dropout)
        self.downsamplings = downsamplings
        width = base_channels * 2**downsamplings
        self.layers = nn.Sequential(
            *encoding_layers(in_channels, base_channels, downsamplings, norm=norm, activation=activation),
            *(ResidualBlock(width, norm=norm, activation=activation, dropout=dropout) for _ in range(blocks)),
            *decoding_layers(base_channels, downsamplings, norm=norm, activation=activation, upsample=upsample),
            *exit_layers(base_channels, out_channels, final=final),
        )
        finish(self, init=init, spectral_norm=spectral_norm)

    @typed
    def check_size(self, height: int, width: int) -> None:
        """Raise unless both sides can be halved as often as needed, and leave two pixels to reflect."""
        multiple = 2**self.downsamplings
        name = f"a residual generator with {self.downsamplings} downsamplings"
        check_multiple(name, height, width, multiple=multiple, minimum=2 * multiple)

    @typed
    def forward(
        self, image: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels height width"]:
        """Translate images."""
        self.check_input(image)
        return self.layers(image)


class ResNetEncoder(ImageNetwork):
    """The first half of a residual generator: an image to a latent a quarter its size.

    With `ResNetDecoder` it makes up a 9-block generator; ComboGAN trains one pair for each domain and
    combines any encoder with any decoder.

    Args:
        in_channels: Channels of the image.
        out_channels: Channels of the latent, a multiple of 4; a quarter of it comes after the first
            convolution.
        blocks: Number of residual blocks.
        norm: ``"instance"``, ``"batch"``, ``"instance_affine"``, ``"group"`` or ``"none"``.
        activation: ``"relu"``, ``"leaky_relu"``, ``"silu"``, ``"gelu"`` or ``"prelu"`` (as ComboGAN).
        dropout: Probability inside every residual block.
        final: ``"none"`` (as published), ``"tanh"`` (in [-1, 1]) or ``"sigmoid"`` (in [0, 1]); or each output's,
            with its channels.
        spectral_norm: Divide every weight by its largest singular value.
        init: ``"normal"``, ``"xavier"``, ``"kaiming"``, ``"c2gan"`` or ``"default"``.

    Raises:
        ArgumentError: A latent whose channels 4 does not divide, a count below 1, a dropout outside [0, 1), or
            an unknown name.

    Source:
        Anoosheh et al., ComboGAN: Unrestrained Scalability for Image Domain Translation, CVPR workshops 2018;
        https://github.com/AAnoosheh/ComboGAN.

    Example:
        ```python
        import torch
        from cyclekit.nets import create_generator

        encode = create_generator("resnet_encoder", 3, 16)
        decode = create_generator("resnet_decoder", 16, 3)
        latent = encode(torch.zeros(1, 3, 32, 32))
        assert latent.shape == (1, 16, 8, 8)
        assert decode(latent).shape == (1, 3, 32, 32)
        ```
    """

    @typed
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        blocks: int = 4,
        norm: Norm = "instance",
        activation: Activation = "relu",
        dropout: float = 0.0,
        final: FinalActivation | Outputs = "none",
        spectral_norm: bool = False,
        init: Init = "normal",
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        check_positive(in_channels=in_channels, out_channels=out_channels)
        check_positive(MOST_BLOCKS, blocks=blocks)
        check_probability(dropout=dropout)
        base_channels = _quarter("out_channels", out_channels)
        self.layers = nn.Sequential(
            *encoding_layers(in_channels, base_channels, 2, norm=norm, activation=activation),
            *(ResidualBlock(out_channels, norm=norm, activation=activation, dropout=dropout) for _ in range(blocks)),
            *final_layers(final, out_channels),
        )
        finish(self, init=init, spectral_norm=spectral_norm)

    @typed
    def check_size(self, height: int, width: int) -> None:
        """Raise unless both sides are multiples of 4, at least 8."""
        check_multiple("a residual encoder", height, width, multiple=4, minimum=8)

    @typed
    def forward(
        self, image: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels height//4 width//4"]:
        """Encode images as latents."""
        self.check_input(image)
        return self.layers(image)


class ResNetDecoder(ImageNetwork):
    """The second half of a residual generator: a latent to an image four times its size.

    Args:
        in_channels: Channels of the latent, a multiple of 4.
        out_channels: Channels of the image.
        blocks: Number of residual blocks.
        norm: ``"instance"``, ``"batch"``, ``"instance_affine"``, ``"group"`` or ``"none"``.
        activation: ``"relu"``, ``"leaky_relu"``, ``"silu"``, ``"gelu"`` or ``"prelu"`` (as ComboGAN).
        dropout: Probability inside every residual block.
        upsample: ``"deconv"``, ``"nearest"`` or ``"pixelshuffle"``.
        final: ``"tanh"`` (in [-1, 1]), ``"sigmoid"`` (in [0, 1]) or ``"none"``; or each output's, with its
            channels: ``(("tanh", 3), ("sigmoid", 1))``.
        spectral_norm: Divide every weight by its largest singular value.
        init: ``"normal"``, ``"xavier"``, ``"kaiming"``, ``"c2gan"`` or ``"default"``.

    Raises:
        ArgumentError: A latent whose channels 4 does not divide, a count below 1, a dropout outside [0, 1), or
            an unknown name.

    Source:
        Anoosheh et al., ComboGAN, CVPR workshops 2018; https://github.com/AAnoosheh/ComboGAN.
    """

    @typed
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        blocks: int = 5,
        norm: Norm = "instance",
        activation: Activation = "relu",
        dropout: float = 0.0,
        upsample: Upsampling = "deconv",
        final: FinalActivation | Outputs = "tanh",
        spectral_norm: bool = False,
        init: Init = "normal",
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        check_positive(in_channels=in_channels, out_channels=out_channels)
        check_positive(MOST_BLOCKS, blocks=blocks)
        check_probability(dropout=dropout)
        base_channels = _quarter("in_channels", in_channels)
        self.layers = nn.Sequential(
            *(ResidualBlock(in_channels, norm=norm, activation=activation, dropout=dropout) for _ in range(blocks)),
            *decoding_layers(base_channels, 2, norm=norm, activation=activation, upsample=upsample),
            *exit_layers(base_channels, out_channels, final=final),
        )
        finish(self, init=init, spectral_norm=spectral_norm)

    @typed
    def check_size(self, height: int, width: int) -> None:
        """Raise for latents of less than 2x2 pixels, which cannot be reflected."""
        check_multiple("a residual decoder", height, width, multiple=1, minimum=2)

    @typed
    def forward(
        self, latent: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels 4*height 4*width"]:
        """Decode what the encoder gave."""
        self.check_input(latent)
        return self.layers(latent)


def _quarter(name: str, channels: int) -> int:
    if channels % 4:
        raise ArgumentError(f"{name} (={channels}) must be a multiple of 4")
    return channels // 4


register_generator("resnet_6blocks")(partial(ResNetGenerator, blocks=6, downsamplings=2))
register_generator("resnet_9blocks")(partial(ResNetGenerator, blocks=9, downsamplings=2))
register_generator("pix2pixhd_global")(partial(ResNetGenerator, blocks=9, downsamplings=4))
register_generator("resnet_encoder")(ResNetEncoder)
register_generator("resnet_decoder")(ResNetDecoder)
