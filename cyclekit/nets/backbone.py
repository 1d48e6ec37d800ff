"""timm's feature pyramids, with what the networks over them must know."""

from typing import Any

from torch import Tensor, nn

from cyclekit._timm import create_features, statistics
from cyclekit.errors import ImageSizeError


class Backbone(nn.Module):
    """A timm network's features, channels first, one tensor for each resolution.

    Args:
        name: A timm model that has ``features_only``.
        in_channels: Channels of the input; timm fits pretrained weights to any number.
        pretrained: Load timm's weights.

    Attributes:
        reductions: For each feature, how many input pixels one of its pixels spans, ascending.
        channels: For each feature, its channels.
    """

    def __init__(self, name: str, in_channels: int, *, pretrained: bool) -> None:
        super().__init__()
        self.network = create_features(name, pretrained=pretrained, in_chans=in_channels)
        network: Any = self.network
        reductions, channels = network.feature_info.reduction(), network.feature_info.channels()
        # of several features at one resolution (ViT's all are) the deepest is the one to use
        last = {reduction: index for index, reduction in enumerate(reductions)}
        self._kept = sorted(last.values(), key=lambda index: reductions[index])
        self.reductions: list[int] = [reductions[index] for index in self._kept]
        self.channels: list[int] = [channels[index] for index in self._kept]
        self._channels_last = str(getattr(network, "output_fmt", None)) in ("NHWC", "Format.NHWC")
        config: dict[str, Any] = getattr(network, "pretrained_cfg", None) or {}
        self._only = tuple(config["input_size"][1:]) if config.get("fixed_input_size") else None
        self._name = name
        mean, deviation = statistics(self.network, in_channels)
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("std", deviation, persistent=False)

    def check_size(self, height: int, width: int) -> None:
        """Raise when the backbone has one size and this is another."""
        if self._only not in (None, (height, width)):
            raise ImageSizeError(
                f"{self._name!r} takes images of {self._only[0]}x{self._only[1]} only; got {height}x{width}; "
                "resize the images or choose a convolutional backbone"
            )

    def forward(self, image: Tensor) -> list[Tensor]:
        normalised = ((image + 1) / 2 - self.get_buffer("mean")) / self.get_buffer("std")
        features = self.network(normalised)
        kept = [features[index] for index in self._kept]
        return [feature.permute(0, 3, 1, 2) for feature in kept] if self._channels_last else kept
