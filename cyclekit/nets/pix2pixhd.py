"""The coarse-to-fine generator of pix2pixHD."""

from jaxtyping import Float
from torch import Tensor, nn

from cyclekit._typed import typed
from cyclekit.nets.checks import MOST_BLOCKS, check_depth, check_multiple, check_positive, check_probability
from cyclekit.nets.layers import Activation, FinalActivation, Init, Norm, Outputs, Upsampling, finish
from cyclekit.nets.network import ImageNetwork
from cyclekit.nets.registries import register_generator
from cyclekit.nets.resnet import (
    ResidualBlock,
    decoding_layers,
    doubling_layers,
    encoding_layers,
    entry_layers,
    exit_layers,
    halving_layers,
)


class Pix2PixHDLocal(ImageNetwork):
    """A global generator at half the resolution, whose features a local enhancer takes up at the full one.

    Train ``pix2pixhd_global`` first, or all of this at once.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        base_channels: Channels after the enhancer's first convolution; the global generator has twice as
            many.
        downsamplings: Number of halvings in the global generator.
        global_blocks: Residual blocks in the global generator.
        local_blocks: Residual blocks in the enhancer.
        norm: ``"instance"`` (as published), ``"batch"``, ``"instance_affine"``, ``"group"`` or ``"none"``.
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
        Wang et al., High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs, CVPR
        2018, section 3.2 and figure 3; https://github.com/NVIDIA/pix2pixHD.
    """

    @typed
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        base_channels: int = 32,
        downsamplings: int = 4,
        global_blocks: int = 9,
        local_blocks: int = 3,
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
        check_positive(MOST_BLOCKS, global_blocks=global_blocks, local_blocks=local_blocks)
        check_depth(downsamplings=downsamplings)
        check_probability(dropout=dropout)
        self.downsamplings = downsamplings
        coarse = 2 * base_channels
        width = coarse * 2**downsamplings
        self.halve = nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)
        self.coarse = nn.Sequential(
            *encoding_layers(in_channels, coarse, downsamplings, norm=norm, activation=activation),
            *(ResidualBlock(width, norm=norm, activation=activation, dropout=dropout) for _ in range(global_blocks)),
            *decoding_layers(coarse, downsamplings, norm=norm, activation=activation, upsample=upsample),
        )
        self.entry = nn.Sequential(
            *entry_layers(in_channels, base_channels, norm=norm, activation=activation),
            *halving_layers(base_channels, norm=norm, activation=activation),
        )
        self.enhance = nn.Sequential(
            *(ResidualBlock(coarse, norm=norm, activation=activation, dropout=dropout) for _ in range(local_blocks)),
            *doubling_layers(coarse, norm=norm, activation=activation, upsample=upsample),
            *exit_layers(base_channels, out_channels, final=final),
        )
        finish(self, init=init, spectral_norm=spectral_norm)

    @typed
    def check_size(self, height: int, width: int) -> None:
        """Raise unless both sides can be halved as often as needed, and leave two pixels to reflect."""
        multiple = 2 ** (self.downsamplings + 1)
        name = f"a local enhancer over {self.downsamplings} downsamplings"
        check_multiple(name, height, width, multiple=multiple, minimum=2 * multiple)

    @typed
    def forward(
        self, image: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels height width"]:
        """Translate images."""
        self.check_input(image)
        return self.enhance(self.entry(image) + self.coarse(self.halve(image)))


register_generator("pix2pixhd_local")(Pix2PixHDLocal)
