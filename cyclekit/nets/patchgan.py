"""PatchGAN discriminators, and the 1x1 PixelGAN."""

from functools import partial

from jaxtyping import Float
from torch import Tensor, nn

from cyclekit._typed import typed
from cyclekit.errors import ArgumentError
from cyclekit.nets.checks import check_depth, check_minimum, check_positive
from cyclekit.nets.layers import (
    Activation,
    Init,
    Norm,
    activation_layer,
    finish,
    needs_bias,
    normalisation,
    run_with_features,
)
from cyclekit.nets.network import ImageNetwork
from cyclekit.nets.registries import register_discriminator


class PatchGAN(ImageNetwork):
    """A convolutional discriminator that judges every patch of an image on its own.

    ``patchgan_{16,70,286}`` have 1, 3 and 5 strided convolutions; the number is the receptive field.

    Args:
        in_channels: Channels of the input.
        layers: Number of convolutions with stride 2.
        base_channels: Channels after the first convolution; they double up to eight times that.
        norm: ``"batch"``, ``"instance"``, ``"instance_affine"``, ``"group"`` or ``"none"``; the first and the
            last convolution have none.
        activation: ``"leaky_relu"`` (as published), ``"relu"``, ``"silu"``, ``"gelu"`` or ``"prelu"``.
        spectral_norm: Divide every weight by its largest singular value.
        padding: Of every convolution: 1 (pix2pix) or 2 (pix2pixHD).
        init: ``"normal"``, ``"xavier"``, ``"kaiming"``, ``"c2gan"`` or ``"default"``.

    Raises:
        ArgumentError: A count below 1, or an unknown name.

    Source:
        Isola et al., CVPR 2017, section 3.2.2 and appendix 6.1.2;
        https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix. C2GAN's D_I and D_K are ``patchgan_70``.
    """

    @typed
    def __init__(
        self,
        in_channels: int,
        *,
        layers: int = 3,
        base_channels: int = 64,
        norm: Norm = "batch",
        activation: Activation = "leaky_relu",
        spectral_norm: bool = False,
        padding: int = 1,
        init: Init = "normal",
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        check_positive(in_channels=in_channels, base_channels=base_channels)
        check_depth(layers=layers)
        check_positive(padding=padding)
        if padding not in (1, 2):
            raise ArgumentError(f"padding (={padding}) must be 1 or 2")
        # with padding 1 the last two convolutions must meet at least 3x3; padding 2 never runs out of pixels,
        # but normalisation must not meet a single one
        self.minimum_size = 3 * 2**layers if padding == 1 else 2
        widths = [base_channels * min(2**layer, 8) for layer in range(layers + 1)]
        self.blocks = nn.ModuleList(
            [nn.Sequential(nn.Conv2d(in_channels, widths[0], 4, 2, padding), activation_layer(activation))]
        )
        for layer in range(1, layers + 1):
            stride = 2 if layer < layers else 1
            self.blocks.append(
                nn.Sequential(
                    nn.Conv2d(widths[layer - 1], widths[layer], 4, stride, padding, bias=needs_bias(norm)),
                    *normalisation(norm, widths[layer]),
                    activation_layer(activation),
                )
            )
        self.blocks.append(nn.Sequential(nn.Conv2d(widths[-1], 1, 4, 1, padding)))
        finish(self, init=init, spectral_norm=spectral_norm)

    @typed
    def check_size(self, height: int, width: int) -> None:
        """Raise for images too small for one patch."""
        strided = len(self.blocks) - 2
        check_minimum(f"a PatchGAN with {strided} strided layers", height, width, minimum=self.minimum_size)

    @typed
    def judge_with_features(
        self, image: Float[Tensor, "batch in_channels height width"]
    ) -> tuple[Float[Tensor, "batch 1 rows columns"], list[Tensor]]:
        """Give what `forward` gives, and the features on the way."""
        self.check_input(image)
        return run_with_features(self.blocks, image)

    @typed
    def forward(self, image: Float[Tensor, "batch in_channels height width"]) -> Float[Tensor, "batch 1 rows columns"]:
        """Give a logit for every patch: 30x30 of a 256x256 image with ``patchgan_70``."""
        return self.judge_with_features(image)[0]


class PixelGAN(ImageNetwork):
    """A discriminator of 1x1 convolutions that judges every pixel on its own.

    Args:
        in_channels: Channels of the input.
        base_channels: Channels after the first convolution, doubled after the second.
        norm: ``"batch"``, ``"instance"``, ``"instance_affine"``, ``"group"`` or ``"none"``.
        activation: ``"leaky_relu"`` (as published), ``"relu"``, ``"silu"``, ``"gelu"`` or ``"prelu"``.
        spectral_norm: Divide every weight by its largest singular value.
        init: ``"normal"``, ``"xavier"``, ``"kaiming"``, ``"c2gan"`` or ``"default"``.

    Raises:
        ArgumentError: A count below 1, or an unknown name.

    Source:
        Isola et al., CVPR 2017, appendix 6.1.2; https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix.
    """

    @typed
    def __init__(
        self,
        in_channels: int,
        *,
        base_channels: int = 64,
        norm: Norm = "batch",
        activation: Activation = "leaky_relu",
        spectral_norm: bool = False,
        init: Init = "normal",
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        check_positive(in_channels=in_channels, base_channels=base_channels)
        bias = needs_bias(norm)
        self.blocks = nn.ModuleList(
            [
                nn.Sequential(nn.Conv2d(in_channels, base_channels, 1), activation_layer(activation)),
                nn.Sequential(
                    nn.Conv2d(base_channels, 2 * base_channels, 1, bias=bias),
                    *normalisation(norm, 2 * base_channels),
                    activation_layer(activation),
                ),
                nn.Conv2d(2 * base_channels, 1, 1, bias=bias),
            ]
        )
        finish(self, init=init, spectral_norm=spectral_norm)

    @typed
    def check_size(self, height: int, width: int) -> None:
        """Raise for images of less than 2x2 pixels, which normalisation cannot train on."""
        check_minimum("a PixelGAN", height, width, minimum=2)

    @typed
    def judge_with_features(
        self, image: Float[Tensor, "batch in_channels height width"]
    ) -> tuple[Float[Tensor, "batch 1 height width"], list[Tensor]]:
        """Give what `forward` gives, and the features on the way."""
        self.check_input(image)
        return run_with_features(self.blocks, image)

    @typed
    def forward(self, image: Float[Tensor, "batch in_channels height width"]) -> Float[Tensor, "batch 1 height width"]:
        """Give a logit for every pixel."""
        return self.judge_with_features(image)[0]


for _field, _layers in ((16, 1), (70, 3), (286, 5)):
    register_discriminator(f"patchgan_{_field}")(partial(PatchGAN, layers=_layers))
register_discriminator("pixelgan")(PixelGAN)
