"""A discriminator over a frozen timm network."""

from collections.abc import Iterable
from typing import cast

from jaxtyping import Float
from torch import Tensor, nn

from cyclekit._typed import typed
from cyclekit.nets.backbone import Backbone
from cyclekit.nets.checks import check_minimum, check_positive
from cyclekit.nets.layers import Activation, Init, activation_layer, finish, run_with_features
from cyclekit.nets.network import ImageNetwork
from cyclekit.nets.registries import register_discriminator


class TimmProjected(ImageNetwork):
    """Small trained heads over the features of a frozen, pretrained network, one for each resolution.

    The heads are two convolutions; Projected GAN's random feature mixing is left out. The backbone stays in
    evaluation mode and takes no gradient of its own, but passes gradients on to the image.

    Args:
        in_channels: Channels of the input, any number.
        backbone: A timm model that has ``features_only``.
        pretrained: Load the backbone's weights, from timm's cache or the network, as timm does. Without them
            the features are random.
        features: Number of resolutions judged, from the deepest on; fewer where the backbone has fewer.
        base_channels: Channels inside every head.
        activation: The heads': ``"leaky_relu"``, ``"relu"``, ``"silu"``, ``"gelu"`` or ``"prelu"``.
        spectral_norm: Divide the heads' weights by their largest singular values.
        init: The heads': ``"normal"``, ``"xavier"``, ``"kaiming"``, ``"c2gan"`` or ``"default"``.

    Raises:
        ArgumentError: No such backbone, a count below 1, or an unknown name.
        OSError: The backbone's weights cannot be loaded.

    Source:
        Sauer et al., Projected GANs Converge Faster, NeurIPS 2021, section 3;
        https://github.com/autonomousvision/projected-gan.

    Example:
        ```python
        import torch
        from cyclekit.nets import create_discriminator

        D = create_discriminator("timm_projected", 3, backbone="test_efficientnet", pretrained=False)
        assert [logits.shape[-1] for logits in D(torch.zeros(1, 3, 64, 64))] == [16, 8, 4, 2]
        ```
    """

    @typed
    def __init__(
        self,
        in_channels: int,
        *,
        backbone: str = "tf_efficientnet_lite0",
        pretrained: bool = True,
        features: int = 4,
        base_channels: int = 64,
        activation: Activation = "leaky_relu",
        spectral_norm: bool = True,
        init: Init = "normal",
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        check_positive(in_channels=in_channels, features=features, base_channels=base_channels)
        self.backbone = Backbone(backbone, in_channels, pretrained=pretrained).requires_grad_(False).eval()
        self.judged = min(features, len(self.backbone.channels))
        self.heads = nn.ModuleList(
            nn.ModuleList(
                [
                    nn.Sequential(nn.Conv2d(channels, base_channels, 3, padding=1), activation_layer(activation)),
                    nn.Conv2d(base_channels, 1, 3, padding=1),
                ]
            )
            for channels in self.backbone.channels[-self.judged :]
        )
        finish(self.heads, init=init, spectral_norm=spectral_norm)

    def train(self, mode: bool = True) -> "TimmProjected":
        """Set the heads' mode; the backbone stays in evaluation mode.

        Args:
            mode: Training, or evaluation.

        Returns:
            The network itself.
        """
        super().train(mode)
        self.backbone.eval()
        return self

    @typed
    def check_size(self, height: int, width: int) -> None:
        """Raise for images smaller than what one pixel of the deepest feature spans."""
        deepest = self.backbone.reductions[-1]
        check_minimum(f"a backbone that reduces by {deepest}", height, width, minimum=deepest)
        self.backbone.check_size(height, width)

    @typed
    def judge_with_features(
        self, image: Float[Tensor, "batch in_channels height width"]
    ) -> tuple[list[Tensor], list[list[Tensor]]]:
        """Give what `forward` gives, and the features on the way."""
        self.check_input(image)
        seen = self.backbone(image)[-self.judged :]
        heads = cast("Iterable[nn.ModuleList]", self.heads)
        judged = [run_with_features(head, feature) for head, feature in zip(heads, seen, strict=True)]
        return [logits for logits, _ in judged], [features for _, features in judged]

    @typed
    def forward(self, image: Float[Tensor, "batch in_channels height width"]) -> list[Tensor]:
        """Give logits of every resolution, the finest first; images are brought to the backbone's statistics inside."""
        return self.judge_with_features(image)[0]


register_discriminator("timm_projected")(TimmProjected)
