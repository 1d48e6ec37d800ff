"""The multi-scale discriminator of pix2pixHD."""

from jaxtyping import Float
from torch import Tensor, nn

from cyclekit._typed import typed
from cyclekit.nets.checks import check_depth, check_minimum
from cyclekit.nets.layers import Activation, Init, Norm
from cyclekit.nets.network import ImageNetwork
from cyclekit.nets.patchgan import PatchGAN
from cyclekit.nets.registries import register_discriminator


class MultiscalePatchGAN(ImageNetwork):
    """PatchGANs of equal make at several resolutions, each half the one before.

    Args:
        in_channels: Channels of the input.
        scales: Number of resolutions.
        layers: Number of convolutions with stride 2 in each.
        base_channels: Channels after the first convolution.
        norm: ``"instance"`` (as published), ``"batch"``, ``"instance_affine"``, ``"group"`` or ``"none"``.
        activation: ``"leaky_relu"`` (as published), ``"relu"``, ``"silu"``, ``"gelu"`` or ``"prelu"``.
        spectral_norm: Divide every weight by its largest singular value.
        init: ``"normal"``, ``"xavier"``, ``"kaiming"``, ``"c2gan"`` or ``"default"``.

    Raises:
        ArgumentError: A count below 1, or an unknown name.

    Source:
        Wang et al., High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs, CVPR
        2018, section 3.2; https://github.com/NVIDIA/pix2pixHD.

    Example:
        ```python
        import torch
        from cyclekit.nets import create_discriminator

        D = create_discriminator("multiscale_patchgan", 3, base_channels=4)
        image = torch.zeros(1, 3, 32, 32)
        assert [logits.shape[-1] for logits in D(image)] == [7, 5, 4]
        assert len(D.judge_with_features(image)[1][0]) == 4
        ```
    """

    @typed
    def __init__(
        self,
        in_channels: int,
        *,
        scales: int = 3,
        layers: int = 3,
        base_channels: int = 64,
        norm: Norm = "instance",
        activation: Activation = "leaky_relu",
        spectral_norm: bool = False,
        init: Init = "normal",
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        check_depth(scales=scales)
        self.scales = nn.ModuleList(
            PatchGAN(
                in_channels,
                layers=layers,
                base_channels=base_channels,
                norm=norm,
                activation=activation,
                spectral_norm=spectral_norm,
                padding=2,
                init=init,
            )
            for _ in range(scales)
        )
        self.halve = nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)

    @typed
    def check_size(self, height: int, width: int) -> None:
        """Raise for images too small for the coarsest scale."""
        # a side of n becomes (n + 1) // 2, and the coarsest scale needs 2
        minimum = 2 ** (len(self.scales) - 1) + 1
        check_minimum(f"a PatchGAN at {len(self.scales)} scales", height, width, minimum=minimum)

    @typed
    def judge_with_features(
        self, image: Float[Tensor, "batch in_channels height width"]
    ) -> tuple[list[Tensor], list[list[Tensor]]]:
        """Give what `forward` gives, and the features on the way."""
        self.check_input(image)
        logits: list[Tensor] = []
        features: list[list[Tensor]] = []
        for index, scale in enumerate(self.scales):
            image = image if index == 0 else self.halve(image)
            judged, layers = scale.judge_with_features(image)  # pyright: ignore[reportCallIssue]
            logits.append(judged)
            features.append(layers)
        return logits, features

    @typed
    def forward(self, image: Float[Tensor, "batch in_channels height width"]) -> list[Tensor]:
        """Give the logits of every patch, one map for each scale, the finest first."""
        return self.judge_with_features(image)[0]


register_discriminator("multiscale_patchgan")(MultiscalePatchGAN)
