"""The U-Net generator of pix2pix."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cyclekit._typed import typed
from cyclekit.errors import ArgumentError
from cyclekit.nets.checks import check_depth, check_multiple, check_positive, check_probability
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


class UNet(ImageNetwork):
    """An encoder and a decoder with a skip connection at every level.

    Each level halves the image with a 4x4 convolution; channels double up to eight times ``base_channels``.
    The names ``unet_{64,128,256,512}`` have 6, 7, 8 and 9 levels, so that an image of that size reaches the
    bottleneck as one pixel; any size whose sides are multiples of 2 to the power of ``levels`` will do.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        levels: Number of halvings, at least 5.
        base_channels: Channels after the first level.
        norm: ``"batch"``, ``"instance"``, ``"instance_affine"``, ``"group"`` or ``"none"``; the outermost
            level and the bottleneck have none.
        activation: The encoder's and the decoder's, or one name for both: ``"leaky_relu"`` and ``"relu"`` (as
            published), ``"silu"``, ``"gelu"`` or ``"prelu"``. Skip connections carry activated features.
        dropout: Probability in the decoder's levels between the bottleneck's and the last four.
        upsample: ``"deconv"`` (as published), ``"nearest"`` or ``"pixelshuffle"``.
        full_resolution: A 3x3 convolution before the first halving and another one after the last doubling, with a
            skip connection between them, as in Ronneberger et al.'s U-Net: details of one pixel need not pass
            the strided convolutions. pix2pix has neither.
        final: ``"tanh"`` (in [-1, 1]), ``"sigmoid"`` (in [0, 1]) or ``"none"``; or each output's, with its
            channels: ``(("tanh", 3), ("sigmoid", 1))``.
        spectral_norm: Divide every weight by its largest singular value.
        init: ``"normal"``, ``"xavier"``, ``"kaiming"``, ``"c2gan"`` or ``"default"``.

    Raises:
        ArgumentError: Too few levels, a channel count below 1, a dropout outside [0, 1), or an unknown name.

    Source:
        Isola et al., Image-to-Image Translation with Conditional Adversarial Networks, CVPR 2017,
        appendix 6.1; https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix. C2GAN's G_I and G_K are
        ``unet_256``. ``full_resolution`` after Ronneberger et al., U-Net, MICCAI 2015 (arXiv 1505.04597).

    Example:
        ```python
        import torch
        from cyclekit.nets import UNet

        network = UNet(3, 3, levels=5, base_channels=4)
        assert network(torch.zeros(1, 3, 64, 32)).shape == (1, 3, 64, 32)
        ```
    """

    @typed
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        levels: int = 8,
        base_channels: int = 64,
        norm: Norm = "batch",
        activation: Activation | tuple[Activation, Activation] = ("leaky_relu", "relu"),
        dropout: float = 0.5,
        upsample: Upsampling = "deconv",
        full_resolution: bool = False,
        final: FinalActivation | Outputs = "tanh",
        spectral_norm: bool = False,
        init: Init = "normal",
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        check_positive(in_channels=in_channels, out_channels=out_channels, base_channels=base_channels)
        check_depth(levels=levels)
        check_probability(dropout=dropout)
        if levels < 5:
            raise ArgumentError(f"levels (={levels}) must be at least 5")
        encoding, decoding = (activation, activation) if isinstance(activation, str) else activation
        self.levels = levels
        widths = [base_channels * min(2**level, 8) for level in range(levels)]
        bias = needs_bias(norm)

        self.stem: nn.Module | None = None
        if full_resolution:
            self.stem = nn.Sequential(nn.Conv2d(in_channels, base_channels, 3, padding=1), activation_layer(encoding))
        first = base_channels if full_resolution else in_channels
        self.encoder = nn.ModuleList()
        for level, (before, after) in enumerate(zip([first, *widths], widths, strict=False)):
            outermost, bottleneck = level == 0, level == levels - 1
            self.encoder.append(
                nn.Sequential(
                    nn.Conv2d(before, after, 4, stride=2, padding=1, bias=bias),
                    *([] if outermost or bottleneck else normalisation(norm, after)),
                    # the skip connection carries it too: in the release it runs in place
                    *([] if bottleneck else [activation_layer(encoding)]),
                )
            )

        self.decoder = nn.ModuleList()
        for level in reversed(range(1, levels)):
            before = widths[level] if level == levels - 1 else 2 * widths[level]
            self.decoder.append(
                nn.Sequential(
                    activation_layer(decoding),
                    upsampling(upsample, before, widths[level - 1], bias=bias),
                    *normalisation(norm, widths[level - 1]),
                    *(dropout_layers(dropout) if 4 <= level < levels - 1 else []),
                )
            )
        if full_resolution:
            self.decoder.append(
                nn.Sequential(
                    activation_layer(decoding),
                    upsampling(upsample, 2 * widths[0], base_channels, bias=bias),
                    *normalisation(norm, base_channels),
                )
            )
            last = nn.Conv2d(2 * base_channels, out_channels, 3, padding=1)
        else:
            last = upsampling(upsample, 2 * widths[0], out_channels, bias=True)
        self.decoder.append(nn.Sequential(activation_layer(decoding), last, *final_layers(final, out_channels)))
        finish(self, init=init, spectral_norm=spectral_norm)

    @typed
    def check_size(self, height: int, width: int) -> None:
        """Raise unless both sides are multiples of 2 to the power of ``levels``."""
        check_multiple(f"a U-Net with {self.levels} levels", height, width, multiple=2**self.levels)

    @typed
    def forward(
        self, image: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels height width"]:
        """Translate images."""
        self.check_input(image)
        features: list[Tensor] = []
        hidden = image
        if self.stem is not None:
            hidden = self.stem(hidden)
            features.append(hidden)
        for down in self.encoder:
            hidden = down(hidden)
            features.append(hidden)
        hidden = self.decoder[0](features.pop())
        for up in self.decoder[1:]:
            hidden = up(torch.cat([features.pop(), hidden], dim=1))
        return hidden


for _size, _levels in ((64, 6), (128, 7), (256, 8), (512, 9)):
    register_generator(f"unet_{_size}")(partial(UNet, levels=_levels))
