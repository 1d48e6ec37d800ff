"""A U-Net over any of timm's backbones."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cyclekit._typed import typed
from cyclekit.errors import ArgumentError
from cyclekit.nets.backbone import Backbone
from cyclekit.nets.checks import check_multiple, check_positive
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
    upsampling,
)
from cyclekit.nets.network import ImageNetwork
from cyclekit.nets.registries import register_generator


class _Doubling(nn.Module):
    """Double the image, join the skip connection, convolve."""

    def __init__(
        self,
        in_channels: int,
        skip_channels: int,
        out_channels: int,
        *,
        norm: Norm,
        activation: Activation,
        upsample: Upsampling,
    ) -> None:
        super().__init__()
        bias = needs_bias(norm)
        self.up = nn.Sequential(
            upsampling(upsample, in_channels, out_channels, bias=bias),
            *normalisation(norm, out_channels),
            activation_layer(activation),
        )
        self.join = nn.Sequential(
            nn.Conv2d(out_channels + skip_channels, out_channels, 3, padding=1, bias=bias),
            *normalisation(norm, out_channels),
            activation_layer(activation),
        )

    def forward(self, hidden: Tensor, skip: Tensor | None) -> Tensor:
        doubled = self.up(hidden)
        return self.join(doubled if skip is None else torch.cat([doubled, skip], dim=1))


class TimmUNet(ImageNetwork):
    """A timm network as encoder, and a decoder with a skip connection at every resolution the encoder offers.

    Args:
        in_channels: Channels of the input, any number.
        out_channels: Channels of the output.
        backbone: A timm model that has ``features_only``, with a weight tag where wanted
            (``"convnext_tiny.fb_in22k"``).
        pretrained: Load the backbone's weights, from timm's cache or the network, as timm does.
        base_channels: The decoder's channels at full resolution; they double at each halving.
        norm: The decoder's: ``"batch"``, ``"instance"``, ``"instance_affine"``, ``"group"`` or ``"none"``.
        activation: The decoder's: ``"relu"``, ``"leaky_relu"``, ``"silu"``, ``"gelu"`` or ``"prelu"``.
        upsample: ``"nearest"``, ``"deconv"`` or ``"pixelshuffle"``.
        final: ``"tanh"`` (in [-1, 1]), ``"sigmoid"`` (in [0, 1]) or ``"none"``; or each output's, with its
            channels: ``(("tanh", 3), ("sigmoid", 1))``.
        spectral_norm: Divide the decoder's weights by their largest singular values.
        init: The decoder's: ``"kaiming"``, ``"normal"``, ``"xavier"``, ``"c2gan"`` or ``"default"``; the encoder's is
            timm's.

    Raises:
        ArgumentError: No such backbone, one that does not halve the image step by step, a count below 1, or an
            unknown name.
        OSError: The backbone's weights cannot be loaded.

    Source:
        Ronneberger et al., U-Net, MICCAI 2015; the encoders are timm's,
        https://github.com/huggingface/pytorch-image-models.

    Example:
        ```python
        import torch
        from cyclekit.nets import create_generator

        network = create_generator("timm_unet", 6, 3, backbone="test_efficientnet", base_channels=4)
        assert network(torch.zeros(2, 6, 64, 64)).shape == (2, 3, 64, 64)
        ```
    """

    @typed
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        backbone: str = "resnet18",
        pretrained: bool = False,
        base_channels: int = 16,
        norm: Norm = "batch",
        activation: Activation = "relu",
        upsample: Upsampling = "nearest",
        final: FinalActivation | Outputs = "tanh",
        spectral_norm: bool = False,
        init: Init = "kaiming",
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        check_positive(in_channels=in_channels, out_channels=out_channels, base_channels=base_channels)
        self.encoder = Backbone(backbone, in_channels, pretrained=pretrained)
        self.deepest = self.encoder.reductions[-1]
        if any(reduction & (reduction - 1) for reduction in self.encoder.reductions):
            raise ArgumentError(
                f"backbone {backbone!r} reduces the image by {self.encoder.reductions}; a U-Net needs powers of two"
            )
        skips = dict(zip(self.encoder.reductions, self.encoder.channels, strict=True))
        self.decoder = nn.ModuleDict()
        width, reduction = skips[self.deepest], self.deepest // 2
        while reduction >= 1:
            after = base_channels * reduction
            self.decoder[str(reduction)] = _Doubling(
                width, skips.get(reduction, 0), after, norm=norm, activation=activation, upsample=upsample
            )
            width, reduction = after, reduction // 2
        self.exit = nn.Sequential(nn.Conv2d(width, out_channels, 3, padding=1), *final_layers(final, out_channels))
        for part in (self.decoder, self.exit):
            finish(part, init=init, spectral_norm=spectral_norm)

    @typed
    def check_size(self, height: int, width: int) -> None:
        """Raise for a size the backbone cannot halve as often as it does, or leave two pixels of."""
        name = f"a U-Net over a backbone that reduces by {self.deepest}"
        check_multiple(name, height, width, multiple=self.deepest, minimum=2 * self.deepest)
        self.encoder.check_size(height, width)

    @typed
    def forward(
        self, image: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels height width"]:
        """Translate images; they are brought to the backbone's statistics inside."""
        self.check_input(image)
        features = dict(zip(self.encoder.reductions, self.encoder(image), strict=True))
        hidden = features[self.deepest]
        for reduction, doubling in self.decoder.items():
            hidden = doubling(hidden, features.get(int(reduction)))
        return self.exit(hidden)


register_generator("timm_unet")(TimmUNet)
