"""StarGAN's generator, and its discriminator, which also classifies."""

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor, nn

from cyclekit._typed import typed
from cyclekit.errors import ArgumentError
from cyclekit.nets.checks import (
    MOST_BLOCKS,
    check_depth,
    check_exact,
    check_heads,
    check_minimum,
    check_multiple,
    check_positive,
)
from cyclekit.nets.layers import (
    Activation,
    FinalActivation,
    Init,
    Norm,
    Outputs,
    Upsampling,
    activation_layer,
    final_layers,
    finish,
    needs_bias,
    normalisation,
    run_with_features,
    upsampling,
)
from cyclekit.nets.network import ImageNetwork
from cyclekit.nets.registries import register_discriminator, register_generator
from cyclekit.nets.resnet import ResidualBlock


class StarGANGenerator(ImageNetwork):
    """Two halvings, residual blocks, two doublings; zero padding.

    The target label or vector comes tiled over the image, as further input channels.

    Args:
        in_channels: Channels of the image and of the tiled label together.
        out_channels: Channels of the output.
        blocks: Number of residual blocks.
        base_channels: Channels after the first convolution.
        norm: ``"instance_affine"`` (as published, but always with the batch's own statistics),
            ``"instance"``, ``"batch"``, ``"group"`` or ``"none"``.
        activation: ``"relu"`` (as published), ``"leaky_relu"``, ``"silu"``, ``"gelu"`` or ``"prelu"``.
        upsample: ``"deconv"`` (as published), ``"nearest"`` or ``"pixelshuffle"``.
        final: ``"tanh"`` (in [-1, 1]), ``"sigmoid"`` (in [0, 1]) or ``"none"``; or each output's, with its
            channels: ``(("tanh", 3), ("sigmoid", 1))``.
        spectral_norm: Divide every weight by its largest singular value.
        init: ``"default"`` (as published), ``"normal"``, ``"xavier"``, ``"c2gan"`` or ``"kaiming"``.

    Raises:
        ArgumentError: A count below 1, or an unknown name.

    Source:
        Choi et al., StarGAN: Unified Generative Adversarial Networks for Multi-Domain Image-to-Image
        Translation, CVPR 2018, table 4; https://github.com/yunjey/stargan.
    """

    @typed
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        blocks: int = 6,
        base_channels: int = 64,
        norm: Norm = "instance_affine",
        activation: Activation = "relu",
        upsample: Upsampling = "deconv",
        final: FinalActivation | Outputs = "tanh",
        spectral_norm: bool = False,
        init: Init = "default",
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        check_positive(in_channels=in_channels, out_channels=out_channels)
        check_positive(base_channels=base_channels)
        check_positive(MOST_BLOCKS, blocks=blocks)
        bias = needs_bias(norm)
        layers: list[nn.Module] = [
            nn.Conv2d(in_channels, base_channels, 7, padding=3, bias=bias),
            *normalisation(norm, base_channels),
            activation_layer(activation),
        ]
        for channels in (base_channels, 2 * base_channels):
            layers += [
                nn.Conv2d(channels, 2 * channels, 4, stride=2, padding=1, bias=bias),
                *normalisation(norm, 2 * channels),
                activation_layer(activation),
            ]
        layers += [
            ResidualBlock(4 * base_channels, norm=norm, activation=activation, padding="zeros") for _ in range(blocks)
        ]
        for channels in (4 * base_channels, 2 * base_channels):
            layers += [
                upsampling(upsample, channels, channels // 2, bias=bias),
                *normalisation(norm, channels // 2),
                activation_layer(activation),
            ]
        layers += [nn.Conv2d(base_channels, out_channels, 7, padding=3, bias=False), *final_layers(final, out_channels)]
        self.layers = nn.Sequential(*layers)
        finish(self, init=init, spectral_norm=spectral_norm)

    @typed
    def check_size(self, height: int, width: int) -> None:
        """Raise unless both sides are multiples of 4, at least 8."""
        check_multiple("StarGAN's generator", height, width, multiple=4, minimum=8)

    @typed
    def forward(
        self, image: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels height width"]:
        """Translate an image, joined with its tiled label."""
        self.check_input(image)
        return self.layers(image)


class StarGANDiscriminator(ImageNetwork):
    """A PatchGAN of strided convolutions with, beside the source's map, heads that see the whole image.

    Args:
        in_channels: Channels of the input.
        heads: Further outputs, each a name and its number of logits (``{"cls": 5}``).
        image_size: Height and width of the images, in pixels; the heads are made for it. Without heads any
            size of at least 2 to the power of ``layers`` will do.
        layers: Number of strided convolutions; the channels double at each.
        base_channels: Channels after the first convolution.
        norm: ``"none"`` (as published), ``"instance"``, ``"instance_affine"``, ``"batch"`` or ``"group"``;
            the first and the last strided convolution have none.
        activation: ``"leaky_relu"`` (as published, with slope 0.01), ``"relu"``, ``"silu"``, ``"gelu"`` or
            ``"prelu"``.
        spectral_norm: Divide every weight by its largest singular value.
        init: ``"default"`` (as published), ``"normal"``, ``"xavier"``, ``"c2gan"`` or ``"kaiming"``.

    Raises:
        ArgumentError: An image size the layers do not divide, a head called ``"source"``, a count below 1, or an
            unknown name.

    Source:
        Choi et al., StarGAN, CVPR 2018, table 5; https://github.com/yunjey/stargan.

    Example:
        ```python
        import torch
        from cyclekit.nets import create_discriminator

        D = create_discriminator("stargan", 3, heads={"cls": 5}, image_size=(64, 64), base_channels=4)
        judged = D(torch.zeros(2, 3, 64, 64))
        assert judged["source"].shape == (2, 1, 1, 1)
        assert judged["cls"].shape == (2, 5)
        ```
    """

    @typed
    def __init__(
        self,
        in_channels: int,
        *,
        heads: Mapping[str, int] | None = None,
        image_size: tuple[int, int] = (128, 128),
        layers: int = 6,
        base_channels: int = 64,
        norm: Norm = "none",
        activation: Activation = "leaky_relu",
        spectral_norm: bool = False,
        init: Init = "default",
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        check_positive(in_channels=in_channels, base_channels=base_channels)
        check_depth(layers=layers)
        heads = dict(heads or {})
        if "source" in heads:
            raise ArgumentError("'source' is the discriminator's own output; call the head something else")
        check_heads(heads)
        check_positive(height=image_size[0], width=image_size[1])
        if heads:
            check_multiple("StarGAN's discriminator", *image_size, multiple=2**layers)
        self.image_size = image_size
        self.strided = layers
        self.blocks = nn.ModuleList(
            [nn.Sequential(nn.Conv2d(in_channels, base_channels, 4, 2, 1), activation_layer(activation, slope=0.01))]
        )
        for layer in range(1, layers):
            channels = base_channels * 2**layer
            inner = norm if layer < layers - 1 else "none"
            self.blocks.append(
                nn.Sequential(
                    nn.Conv2d(channels // 2, channels, 4, 2, 1, bias=needs_bias(inner)),
                    *normalisation(inner, channels),
                    activation_layer(activation, slope=0.01),
                )
            )
        width = base_channels * 2 ** (layers - 1)
        self.source = nn.Conv2d(width, 1, 3, padding=1, bias=False)
        kernel = (image_size[0] // 2**layers, image_size[1] // 2**layers)
        self.heads = nn.ModuleDict(
            {
                name: nn.Sequential(nn.Conv2d(width, size, kernel, bias=False), nn.Flatten())
                for name, size in heads.items()
            }
        )
        finish(self, init=init, spectral_norm=spectral_norm)

    @typed
    def check_size(self, height: int, width: int) -> None:
        """Raise for a size the layers or the heads cannot take."""
        if self.heads:
            check_exact("StarGAN's discriminator with heads", height, width, size=self.image_size)
        else:
            check_minimum("StarGAN's discriminator", height, width, minimum=2**self.strided)

    @typed
    def judge_with_features(
        self, image: Float[Tensor, "batch in_channels height width"]
    ) -> tuple[Float[Tensor, "batch 1 rows columns"] | dict[str, Tensor], list[Tensor]]:
        """Give what `forward` gives, and the features on the way."""
        self.check_input(image)
        hidden, features = run_with_features(self.blocks, image)
        features.append(hidden)
        if not self.heads:
            return self.source(hidden), features
        heads = {name: head(hidden) for name, head in self.heads.items()}
        return {"source": self.source(hidden), **heads}, features

    @typed
    def forward(
        self, image: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch 1 rows columns"] | dict[str, Tensor]:
        """Give logits, or with heads a dict of ``"source"`` and of each head's logits (batch classes)."""
        return self.judge_with_features(image)[0]


register_generator("stargan")(StarGANGenerator)
register_discriminator("stargan")(StarGANDiscriminator)
