"""Projections of features, position by position."""

from jaxtyping import Float
from torch import Tensor, nn

from cyclekit._typed import typed
from cyclekit.nets.checks import check_multiple, check_positive
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


class PointwiseMLP(ImageNetwork):
    """Two linear layers at every position: a projection of features, as contrastive losses compare them.

    Args:
        in_channels: Channels of the features.
        out_channels: Channels of the projection.
        hidden: Channels between the layers.
        activation: ``"relu"`` (as published), ``"leaky_relu"``, ``"silu"``, ``"gelu"`` or ``"prelu"``.
        final: ``"none"`` (as published), ``"tanh"`` (in [-1, 1]) or ``"sigmoid"`` (in [0, 1]); or each output's,
            with its channels.
        spectral_norm: Divide every weight by its largest singular value.
        init: ``"normal"``, ``"xavier"``, ``"kaiming"``, ``"c2gan"`` or ``"default"``.

    Raises:
        ArgumentError: A count below 1, or an unknown name.

    Source:
        Park et al., Contrastive Learning for Unpaired Image-to-Image Translation, ECCV 2020, section 3.
    """

    @typed
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        hidden: int = 256,
        activation: Activation = "relu",
        final: FinalActivation | Outputs = "none",
        spectral_norm: bool = False,
        init: Init = "normal",
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        check_positive(in_channels=in_channels, out_channels=out_channels, hidden=hidden)
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, hidden, 1),
            activation_layer(activation),
            nn.Conv2d(hidden, out_channels, 1),
            *final_layers(final, out_channels),
        )
        finish(self, init=init, spectral_norm=spectral_norm)

    @typed
    def check_size(self, height: int, width: int) -> None:
        """Raise for features without pixels."""
        check_multiple("a pointwise projection", height, width, multiple=1)

    @typed
    def forward(
        self, features: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels height width"]:
        """Return the projection at every position.

        Args:
            features: Of any range.

        Returns:
            Features of any range, or in that of `final`.
        """
        self.check_input(features)
        return self.layers(features)


register_generator("pointwise_mlp")(PointwiseMLP)
