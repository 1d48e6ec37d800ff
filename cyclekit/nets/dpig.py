"""DPIG's encoders of appearance, from images to vectors."""

import math
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from cyclekit._typed import typed
from cyclekit.errors import ArgumentError
from cyclekit.nets.checks import check_depth, check_exact, check_minimum, check_positive
from cyclekit.nets.layers import Activation, FinalActivation, Init, Outputs, final_layers, finish
from cyclekit.nets.network import ImageNetwork
from cyclekit.nets.pg2 import Pair, convolution
from cyclekit.nets.registries import register_generator


class DPIGStem(ImageNetwork):
    """One residual block at full resolution, whose features DPIG crops into body regions and background.

    Args:
        in_channels: Channels of the image.
        out_channels: Channels of the features; 128 in the release.
        activation: ``"relu"`` (as published), ``"leaky_relu"``, ``"silu"``, ``"gelu"`` or ``"prelu"``.
        final: ``"none"`` (as published), ``"tanh"`` (in [-1, 1]) or ``"sigmoid"`` (in [0, 1]); or each output's,
            with its channels.
        spectral_norm: Divide every weight by its largest singular value.
        init: ``"xavier"``, ``"normal"``, ``"kaiming"``, ``"c2gan"`` or ``"default"``.

    Raises:
        ArgumentError: A channel count below 1, or an unknown name.

    Source:
        Ma et al., Disentangled Person Image Generation, CVPR 2018, section 3.1;
        https://github.com/charliememory/Disentangled-Person-Image-Generation.
    """

    @typed
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        activation: Activation = "relu",
        final: FinalActivation | Outputs = "none",
        spectral_norm: bool = False,
        init: Init = "xavier",
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        check_positive(in_channels=in_channels, out_channels=out_channels)
        self.layers = nn.Sequential(
            convolution(in_channels, out_channels, activation=activation),
            Pair(out_channels, out_channels, residual=True, activation=activation),
            *final_layers(final, out_channels),
        )
        finish(self, init=init, spectral_norm=spectral_norm)

    @typed
    def check_size(self, height: int, width: int) -> None:
        """Raise for images of less than 2x2 pixels."""
        check_minimum("DPIG's stem", height, width, minimum=2)

    @typed
    def forward(
        self, image: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels height width"]:
        """Give the features of an image in [-1, 1]."""
        self.check_input(image)
        return self.layers(image)


class DPIGEncoder(ImageNetwork):
    """An image, or a region cropped from it, to a vector: residual blocks at several scales, one linear layer.

    DPIG encodes seven body regions of 48x48 into 32 numbers each, with one network, and the background of the
    whole image into 128 with another. Its decoder, from the tiled vectors and the pose, is ``pg2_coarse``.

    Args:
        in_channels: Channels of the image, or of the features.
        out_channels: Length of the vector.
        image_size: Height and width of the images, in pixels; the linear layer is made for it.
        scales: Number of resolutions, each half the one before.
        base_channels: Channels at the first scale; the i-th has i times as many.
        entry: Whether a convolution to ``base_channels`` comes first; without, as in the release, the input is
            what `DPIGStem` gave, with ``base_channels`` channels.
        activation: ``"relu"`` (as published), ``"leaky_relu"``, ``"silu"``, ``"gelu"`` or ``"prelu"``.
        final: ``"none"`` (as published), ``"tanh"`` (in [-1, 1]) or ``"sigmoid"`` (in [0, 1]); or each output's,
            with its channels.
        spectral_norm: Divide every weight by its largest singular value.
        init: ``"xavier"``, ``"normal"``, ``"kaiming"``, ``"c2gan"`` or ``"default"``.

    Raises:
        ArgumentError: Input channels other than ``base_channels`` where no convolution comes first, a count or a
            side below 1, or an unknown name.

    Source:
        Ma et al., Disentangled Person Image Generation, CVPR 2018, section 3.1;
        https://github.com/charliememory/Disentangled-Person-Image-Generation.

    Example:
        ```python
        import torch
        from cyclekit.nets import create_generator

        encode = create_generator("dpig_encoder", in_channels=3, out_channels=32, base_channels=4)
        assert encode(torch.zeros(2, 3, 48, 48)).shape == (2, 32)
        ```
    """

    makes = "vectors"

    @typed
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        image_size: tuple[int, int] = (48, 48),
        scales: int = 5,
        base_channels: int = 128,
        entry: bool = True,
        activation: Activation = "relu",
        final: FinalActivation | Outputs = "none",
        spectral_norm: bool = False,
        init: Init = "xavier",
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        check_positive(in_channels=in_channels, out_channels=out_channels)
        check_positive(base_channels=base_channels, height=image_size[0], width=image_size[1])
        check_depth(scales=scales)
        if not entry and in_channels != base_channels:
            raise ArgumentError(
                f"without entry, in_channels (={in_channels}) must equal base_channels (={base_channels}): "
                "the first residual block carries the input around itself"
            )
        self.image_size = image_size
        widths = [base_channels * (scale + 1) for scale in range(scales)]
        layers: list[nn.Module] = [convolution(in_channels, base_channels, activation=activation)] if entry else []
        layers.append(Pair(base_channels, base_channels, residual=True, activation=activation))
        for before, after in pairwise(widths):
            layers += [
                convolution(before, after, stride=2, activation=activation),
                Pair(after, after, residual=True, activation=activation),
            ]
        smallest = [math.ceil(side / 2 ** (scales - 1)) for side in image_size]
        layers += [nn.Flatten(), nn.Linear(widths[-1] * math.prod(smallest), out_channels)]
        layers += final_layers(final, out_channels)
        self.layers = nn.Sequential(*layers)
        finish(self, init=init, spectral_norm=spectral_norm)

    @typed
    def check_size(self, height: int, width: int) -> None:
        """Raise for any size but the one the linear layer was made for."""
        check_exact("DPIG's encoder", height, width, size=self.image_size)

    @typed
    def forward(self, image: Float[Tensor, "batch in_channels height width"]) -> Float[Tensor, "batch out_channels"]:
        """Encode an image in [-1, 1], or features of any range, as a vector."""
        self.check_input(image)
        return self.layers(image)


register_generator("dpig_stem")(DPIGStem)
register_generator("dpig_encoder")(DPIGEncoder)
