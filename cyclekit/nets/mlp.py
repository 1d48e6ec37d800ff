"""Fully connected networks: vector to vector, and a discriminator of vectors."""

from jaxtyping import Float
from torch import Tensor, nn

from cyclekit._typed import typed
from cyclekit.nets.checks import MOST_BLOCKS, check_positive
from cyclekit.nets.layers import (
    Activation,
    FinalActivation,
    Init,
    Outputs,
    activation_layer,
    final_layers,
    finish,
    run_with_features,
)
from cyclekit.nets.network import Network
from cyclekit.nets.registries import register_discriminator, register_generator


def _linear(in_channels: int, out_channels: int, *, activation: Activation) -> list[nn.Module]:
    return [nn.Linear(in_channels, out_channels), activation_layer(activation)]


class _Residual(nn.Module):
    """Two linear layers, each with its activation, around which the input is carried."""

    def __init__(self, hidden: int, *, activation: Activation) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_linear(hidden, hidden, activation=activation), *_linear(hidden, hidden, activation=activation)
        )

    def forward(self, vector: Tensor) -> Tensor:
        return vector + self.layers(vector)


class ResidualMLP(Network):
    """A linear layer, residual blocks of two, and a linear layer: a vector to a vector.

    DPIG's pose encoder (18 joints' row, column and visibility to 32 numbers), its pose decoder, and what maps
    noise N(0, 0.2²) to embeddings are this. Its pose decoder has no activation before the blocks, and rounds
    the visibilities, which is for a function of the graph to do.

    Args:
        in_channels: Length of the input.
        out_channels: Length of the output.
        blocks: Number of residual blocks.
        hidden: Width of every layer but the last.
        activation: ``"leaky_relu"`` (as published), ``"relu"``, ``"silu"``, ``"gelu"`` or ``"prelu"``.
        final: ``"none"`` (as published), ``"tanh"`` (in [-1, 1]) or ``"sigmoid"`` (in [0, 1]); or each output's,
            with its channels.
        spectral_norm: Divide every weight by its largest singular value.
        init: ``"xavier"``, ``"normal"``, ``"kaiming"``, ``"c2gan"`` or ``"default"``.

    Raises:
        ArgumentError: A count below 1, or an unknown name.

    Source:
        Ma et al., Disentangled Person Image Generation, CVPR 2018, sections 3.1 and 3.2;
        https://github.com/charliememory/Disentangled-Person-Image-Generation.

    Example:
        ```python
        import torch
        from cyclekit.nets import create_generator

        encode = create_generator("residual_mlp", in_channels=54, out_channels=32, hidden=64)
        assert encode(torch.zeros(2, 54)).shape == (2, 32)
        ```
    """

    @typed
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        blocks: int = 4,
        hidden: int = 512,
        activation: Activation = "leaky_relu",
        final: FinalActivation | Outputs = "none",
        spectral_norm: bool = False,
        init: Init = "xavier",
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        check_positive(in_channels=in_channels, out_channels=out_channels, hidden=hidden)
        check_positive(MOST_BLOCKS, blocks=blocks)
        self.layers = nn.Sequential(
            *_linear(in_channels, hidden, activation=activation),
            *(_Residual(hidden, activation=activation) for _ in range(blocks)),
            nn.Linear(hidden, out_channels),
            *final_layers(final, out_channels),
        )
        finish(self, init=init, spectral_norm=spectral_norm)

    @typed
    def forward(self, vector: Float[Tensor, "batch in_channels"]) -> Float[Tensor, "batch out_channels"]:
        """Map vectors of any range; the output is unbounded unless the network ends in tanh."""
        self.check_input(vector)
        return self.layers(vector)


class MLPDiscriminator(Network):
    """Linear layers that judge a vector, such as an embedding.

    Args:
        in_channels: Length of the vector.
        layers: Number of layers before the logit.
        hidden: Their width.
        activation: ``"leaky_relu"`` (as published), ``"relu"``, ``"silu"``, ``"gelu"`` or ``"prelu"``.
        spectral_norm: Divide every weight by its largest singular value.
        init: ``"kaiming"`` (as published), ``"normal"``, ``"xavier"``, ``"c2gan"`` or ``"default"``.

    Raises:
        ArgumentError: A count below 1, or an unknown name.

    Source:
        Ma et al., Disentangled Person Image Generation, CVPR 2018, section 3.2;
        https://github.com/charliememory/Disentangled-Person-Image-Generation (``FCDiscriminator``).

    Example:
        ```python
        import torch
        from cyclekit.nets import create_discriminator

        D = create_discriminator("mlp", in_channels=32, hidden=64)
        assert D(torch.zeros(2, 32)).shape == (2, 1)
        ```
    """

    @typed
    def __init__(
        self,
        in_channels: int,
        *,
        layers: int = 4,
        hidden: int = 512,
        activation: Activation = "leaky_relu",
        spectral_norm: bool = False,
        init: Init = "kaiming",
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        check_positive(in_channels=in_channels, hidden=hidden)
        check_positive(MOST_BLOCKS, layers=layers)
        widths = [in_channels, *[hidden] * (layers - 1)]
        inner = [nn.Sequential(*_linear(width, hidden, activation=activation)) for width in widths]
        self.blocks = nn.ModuleList([*inner, nn.Linear(hidden, 1)])
        finish(self, init=init, spectral_norm=spectral_norm)

    @typed
    def judge_with_features(
        self, vector: Float[Tensor, "batch in_channels"]
    ) -> tuple[Float[Tensor, "batch 1"], list[Tensor]]:
        """Give what `forward` gives, and the features on the way."""
        self.check_input(vector)
        return run_with_features(self.blocks, vector)

    @typed
    def forward(self, vector: Float[Tensor, "batch in_channels"]) -> Float[Tensor, "batch 1"]:
        """Give one logit for each vector."""
        return self.judge_with_features(vector)[0]


register_generator("residual_mlp")(ResidualMLP)
register_discriminator("mlp")(MLPDiscriminator)
