"""The two generators and the discriminator of PG2, pose-guided person generation."""

import math
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cyclekit._typed import typed
from cyclekit.errors import ArgumentError
from cyclekit.nets.checks import check_depth, check_exact, check_multiple, check_positive
from cyclekit.nets.layers import (
    Activation,
    FinalActivation,
    Init,
    Norm,
    Outputs,
    activation_layer,
    final_layers,
    finish,
    needs_bias,
    normalisation,
    run_with_features,
)
from cyclekit.nets.network import ImageNetwork
from cyclekit.nets.registries import register_discriminator, register_generator


def convolution(
    in_channels: int, out_channels: int, *, kernel: int = 3, stride: int = 1, activation: Activation
) -> nn.Module:
    """Return a convolution with its activation."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2),
        activation_layer(activation),
    )


class Pair(nn.Module):
    """Two 3x3 convolutions, each with its activation; the input is carried around them where asked."""

    def __init__(self, in_channels: int, out_channels: int, *, residual: bool, activation: Activation) -> None:
        super().__init__()
        self.residual = residual
        self.layers = nn.Sequential(
            convolution(in_channels, out_channels, activation=activation),
            convolution(out_channels, out_channels, activation=activation),
        )

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden + self.layers(hidden) if self.residual else self.layers(hidden)


class PG2Coarse(ImageNetwork):
    """PG2's first stage: residual blocks at five scales, a fully connected bottleneck, skip connections.

    Args:
        in_channels: Channels of the condition image and the target pose together (3 + 18).
        out_channels: Channels of the output.
        image_size: Height and width of the images, in pixels; the bottleneck is made for it.
        scales: Number of resolutions, each half the one before.
        base_channels: Channels at the first scale; the i-th has i times as many.
        latent: Width of the bottleneck.
        activation: ``"relu"`` (as published), ``"leaky_relu"``, ``"silu"``, ``"gelu"`` or ``"prelu"``.
        final: ``"tanh"`` (in [-1, 1]), ``"sigmoid"`` (in [0, 1]) or ``"none"`` (as published); or each output's,
            with its channels: ``(("tanh", 3), ("sigmoid", 1))``.
        spectral_norm: Divide every weight by its largest singular value.
        init: ``"xavier"``, ``"normal"``, ``"kaiming"``, ``"c2gan"`` or ``"default"``.

    Raises:
        ArgumentError: An image size the scales do not divide, a count below 1, or an unknown name.

    Source:
        Ma et al., Pose Guided Person Image Generation, NIPS 2017, section 3.1 (G1);
        https://github.com/charliememory/Pose-Guided-Person-Image-Generation.
    """

    @typed
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        image_size: tuple[int, int] = (128, 64),
        scales: int = 5,
        base_channels: int = 128,
        latent: int = 64,
        activation: Activation = "relu",
        final: FinalActivation | Outputs = "tanh",
        spectral_norm: bool = False,
        init: Init = "xavier",
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        check_positive(in_channels=in_channels, out_channels=out_channels, latent=latent)
        check_positive(base_channels=base_channels)
        check_depth(scales=scales)
        halvings = scales - 1
        check_positive(height=image_size[0], width=image_size[1])
        check_multiple(f"PG2's first stage with {scales} scales", *image_size, multiple=2**halvings)
        self.image_size = image_size
        widths = [base_channels * (scale + 1) for scale in range(scales)]
        smallest = (image_size[0] // 2**halvings, image_size[1] // 2**halvings)

        self.entry = convolution(in_channels, base_channels, activation=activation)
        self.encoder = nn.ModuleList(Pair(width, width, residual=True, activation=activation) for width in widths)
        self.down = nn.ModuleList(
            convolution(before, after, stride=2, activation=activation) for before, after in pairwise(widths)
        )
        self.bottleneck = nn.Sequential(
            nn.Flatten(),
            nn.Linear(widths[-1] * math.prod(smallest), latent),
            nn.Linear(latent, base_channels * math.prod(smallest)),
            nn.Unflatten(1, (base_channels, *smallest)),
        )
        entering = [base_channels, *reversed(widths[:-1])]
        meeting = [width + skip for width, skip in zip(entering, reversed(widths), strict=True)]
        self.decoder = nn.ModuleList(Pair(width, width, residual=True, activation=activation) for width in meeting)
        self.up = nn.ModuleList(
            nn.Sequential(
                nn.Upsample(scale_factor=2, mode="nearest"),
                convolution(before, after, kernel=1, activation=activation),
            )
            for before, after in zip(meeting, entering[1:], strict=False)
        )
        self.exit = nn.Sequential(
            nn.Conv2d(meeting[-1], out_channels, 3, padding=1), *final_layers(final, out_channels)
        )
        finish(self, init=init, spectral_norm=spectral_norm)

    @typed
    def check_size(self, height: int, width: int) -> None:
        """Raise for any size but the one the bottleneck was made for."""
        check_exact("PG2's first stage", height, width, size=self.image_size)

    @typed
    def forward(
        self, image: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels height width"]:
        """Draw the coarse person from the condition image and the target pose."""
        self.check_input(image)
        hidden = self.entry(image)
        skips: list[Tensor] = []
        for index, pair in enumerate(self.encoder):
            hidden = pair(hidden if index == 0 else self.down[index - 1](hidden))
            skips.append(hidden)
        hidden = self.bottleneck(hidden)
        for index, pair in enumerate(self.decoder):
            hidden = hidden if index == 0 else self.up[index - 1](hidden)
            hidden = pair(torch.cat([hidden, skips.pop()], dim=1))
        return self.exit(hidden)


class PG2Refine(ImageNetwork):
    """PG2's second stage: a U-Net without bottleneck that draws what is to be added to the coarse image.

    A difference of images reaches from -2 to 2, so nothing bounds the output, whatever the graph calls it.

    Args:
        in_channels: Channels of the condition image and the coarse image together (3 + 3).
        out_channels: Channels of the output.
        scales: Number of resolutions, each half the one before.
        base_channels: Channels at the first scale and in the whole decoder; the encoder's i-th has i times as
            many.
        activation: ``"relu"`` (as published), ``"leaky_relu"``, ``"silu"``, ``"gelu"`` or ``"prelu"``.
        spectral_norm: Divide every weight by its largest singular value.
        init: ``"xavier"``, ``"normal"``, ``"kaiming"``, ``"c2gan"`` or ``"default"``.

    Raises:
        ArgumentError: A count below 1, fewer than 2 scales, or an unknown name.

    Source:
        Ma et al., Pose Guided Person Image Generation, NIPS 2017, section 3.2 (G2);
        https://github.com/charliememory/Pose-Guided-Person-Image-Generation.
    """

    @typed
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        scales: int = 3,
        base_channels: int = 128,
        activation: Activation = "relu",
        spectral_norm: bool = False,
        init: Init = "xavier",
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        check_positive(in_channels=in_channels, out_channels=out_channels, base_channels=base_channels)
        check_depth(scales=scales)
        if scales < 2:
            raise ArgumentError(f"scales (={scales}) must be at least 2")
        self.scales = scales
        widths = [base_channels * (scale + 1) for scale in range(scales)]
        self.entry = convolution(in_channels, base_channels, activation=activation)
        self.encoder = nn.ModuleList(
            Pair(before, after, residual=False, activation=activation)
            for before, after in zip([base_channels, *widths], widths, strict=False)
        )
        self.down = nn.ModuleList(convolution(width, width, stride=2, activation=activation) for width in widths[:-1])
        # as released, the deepest scale meets itself and the first has no skip connection
        entering = [widths[-1], *[base_channels] * (scales - 1)]
        skips = [*reversed(widths[1:]), 0]
        self.decoder = nn.ModuleList(
            Pair(width + skip, base_channels, residual=False, activation=activation)
            for width, skip in zip(entering, skips, strict=True)
        )
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.exit = nn.Sequential(nn.Conv2d(base_channels, out_channels, 3, padding=1))
        finish(self, init=init, spectral_norm=spectral_norm)

    @typed
    def check_size(self, height: int, width: int) -> None:
        """Raise unless both sides can be halved as often as there are scales but one."""
        multiple = 2 ** (self.scales - 1)
        check_multiple(f"PG2's second stage with {self.scales} scales", height, width, multiple=multiple)

    @typed
    def forward(
        self, image: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels height width"]:
        """Draw the difference to the coarse image, from the condition image and the coarse one."""
        self.check_input(image)
        hidden = self.entry(image)
        skips: list[Tensor] = []
        for index, pair in enumerate(self.encoder):
            hidden = pair(hidden if index == 0 else self.down[index - 1](hidden))
            skips.append(hidden)
        for index, pair in enumerate(self.decoder):
            if index > 0:
                hidden = self.up(hidden)
            if index < self.scales - 1:
                hidden = torch.cat([hidden, skips[-1 - index]], dim=1)
            hidden = pair(hidden)
        return self.exit(hidden)


class PG2Discriminator(ImageNetwork):
    """PG2's DCGAN discriminator: four strided 5x5 convolutions and one linear layer over the whole image.

    Args:
        in_channels: Channels of the input.
        image_size: Height and width of the images, in pixels, multiples of 16; the last layer is made for it.
        base_channels: Channels after the first convolution; they double at each.
        norm: ``"batch"`` (as published), ``"instance"``, ``"instance_affine"``, ``"group"`` or ``"none"``;
            the first convolution has none.
        activation: ``"leaky_relu"`` (as published), ``"relu"``, ``"silu"``, ``"gelu"`` or ``"prelu"``.
        spectral_norm: Divide every weight by its largest singular value.
        init: ``"normal"`` (as published), ``"xavier"``, ``"kaiming"``, ``"c2gan"`` or ``"default"``.

    Raises:
        ArgumentError: An image size that 16 does not divide, a count below 1, or an unknown name.

    Source:
        Ma et al., Pose Guided Person Image Generation, NIPS 2017, section 3.2;
        https://github.com/charliememory/Pose-Guided-Person-Image-Generation.
    """

    @typed
    def __init__(
        self,
        in_channels: int,
        *,
        image_size: tuple[int, int] = (128, 64),
        base_channels: int = 64,
        norm: Norm = "batch",
        activation: Activation = "leaky_relu",
        spectral_norm: bool = False,
        init: Init = "normal",
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        check_positive(in_channels=in_channels, base_channels=base_channels)
        check_positive(height=image_size[0], width=image_size[1])
        check_multiple("PG2's discriminator", *image_size, multiple=16)
        self.image_size = image_size
        widths = [base_channels * 2**layer for layer in range(4)]
        self.blocks = nn.ModuleList(
            [nn.Sequential(nn.Conv2d(in_channels, base_channels, 5, 2, 2), activation_layer(activation))]
        )
        for before, after in pairwise(widths):
            self.blocks.append(
                nn.Sequential(
                    nn.Conv2d(before, after, 5, 2, 2, bias=needs_bias(norm)),
                    *normalisation(norm, after),
                    activation_layer(activation),
                )
            )
        rows, columns = image_size[0] // 16, image_size[1] // 16
        self.blocks.append(nn.Sequential(nn.Flatten(), nn.Linear(widths[-1] * rows * columns, 1)))
        finish(self, init=init, spectral_norm=spectral_norm)

    @typed
    def check_size(self, height: int, width: int) -> None:
        """Raise for any size but the one the last layer was made for."""
        check_exact("PG2's discriminator", height, width, size=self.image_size)

    @typed
    def judge_with_features(
        self, image: Float[Tensor, "batch in_channels height width"]
    ) -> tuple[Float[Tensor, "batch 1"], list[Tensor]]:
        """Give what `forward` gives, and the features on the way."""
        self.check_input(image)
        return run_with_features(self.blocks, image)

    @typed
    def forward(self, image: Float[Tensor, "batch in_channels height width"]) -> Float[Tensor, "batch 1"]:
        """Give one logit for each image."""
        return self.judge_with_features(image)[0]


register_generator("pg2_coarse")(PG2Coarse)
register_generator("pg2_refine")(PG2Refine)
register_discriminator("pg2_dcgan")(PG2Discriminator)
