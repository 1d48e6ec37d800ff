"""MUNIT's encoder of styles, from images to vectors."""

from jaxtyping import Float
from torch import Tensor, nn

from cyclekit._typed import typed
from cyclekit.nets.checks import check_depth, check_minimum, check_positive
from cyclekit.nets.layers import (
    Activation,
    FinalActivation,
    Init,
    Outputs,
    activation_layer,
    final_layers,
    finish,
)
from cyclekit.nets.network import ImageNetwork
from cyclekit.nets.registries import register_generator
from cyclekit.nets.resnet import entry_layers


class StyleEncoder(ImageNetwork):
    """An image to a vector that says nothing of places: halvings without normalisation, the mean over all pixels.

    It is without normalisation because that would take away the means and spreads that are the style.

    Args:
        in_channels: Channels of the image.
        out_channels: Length of the vector.
        downsamplings: Number of halvings; the channels double at the first two.
        base_channels: Channels after the first convolution.
        activation: ``"relu"`` (as published), ``"leaky_relu"``, ``"silu"``, ``"gelu"`` or ``"prelu"``.
        final: ``"none"`` (as published), ``"tanh"`` (in [-1, 1]) or ``"sigmoid"`` (in [0, 1]); or each output's,
            with its channels.
        spectral_norm: Divide every weight by its largest singular value.
        init: ``"kaiming"`` (as published), ``"normal"``, ``"xavier"``, ``"c2gan"`` or ``"default"``.

    Raises:
        ArgumentError: A count below 1, or an unknown name.

    Source:
        Huang et al., Multimodal Unsupervised Image-to-Image Translation, ECCV 2018, appendix B.1;
        https://github.com/NVlabs/MUNIT.

    Example:
        ```python
        import torch
        from cyclekit.nets import create_generator

        encode = create_generator("style_encoder", 3, 8, base_channels=4)
        assert encode(torch.zeros(2, 3, 64, 48)).shape == (2, 8)
        ```
    """

    makes = "vectors"

    @typed
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        downsamplings: int = 4,
        base_channels: int = 64,
        activation: Activation = "relu",
        final: FinalActivation | Outputs = "none",
        spectral_norm: bool = False,
        init: Init = "kaiming",
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        check_positive(in_channels=in_channels, out_channels=out_channels, base_channels=base_channels)
        check_depth(downsamplings=downsamplings)
        self.downsamplings = downsamplings
        layers = entry_layers(in_channels, base_channels, norm="none", activation=activation)
        width = base_channels
        for level in range(downsamplings):
            wider = 2 * width if level < 2 else width
            layers += [
                nn.Conv2d(width, wider, 4, stride=2, padding=1, padding_mode="reflect"),
                activation_layer(activation),
            ]
            width = wider
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, out_channels)]
        self.layers = nn.Sequential(*layers, *final_layers(final, out_channels))
        finish(self, init=init, spectral_norm=spectral_norm)

    @typed
    def check_size(self, height: int, width: int) -> None:
        """Raise for images too small for the halvings, or for the first convolution to reflect."""
        check_minimum("a style encoder", height, width, minimum=max(4, 2**self.downsamplings))

    @typed
    def forward(self, image: Float[Tensor, "batch in_channels height width"]) -> Float[Tensor, "batch out_channels"]:
        """Encode an image in [-1, 1] as a vector of any range."""
        self.check_input(image)
        return self.layers(image)


register_generator("style_encoder")(StyleEncoder)
