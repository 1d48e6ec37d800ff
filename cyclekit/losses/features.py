"""Distances between features: a discriminator's, or a trained network's."""

import functools
from collections.abc import Callable, Sequence
from typing import Self, TypeAlias

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor, nn

from cyclekit._precision import full_precision, without_autocast
from cyclekit._timm import create_features, statistics
from cyclekit._typed import typed
from cyclekit.errors import ArgumentError, OptionError
from cyclekit.losses.criteria import Criterion, create_criterion, l1, register_criterion

Features: TypeAlias = Sequence[Float[Tensor, "..."]]


@register_criterion("feature_matching")
@typed
def feature_matching(
    prediction: Features | Sequence[Features], target: Features | Sequence[Features]
) -> Float[Tensor, ""]:
    """Return the mean absolute difference of features, summed over layers and scales.

    Args:
        prediction: A discriminator's features of generated inputs, batch first: a list of layers, or a list
            of scales of them.
        target: Its features of real inputs in the same structure; constants to the generators.

    Returns:
        A scalar, not negative.

    Raises:
        ArgumentError: There is no feature, or their shapes differ.

    Source:
        Wang et al. 2018 (pix2pixHD), Eq. 4 and 5.

    Example:
        ```python
        import torch
        from cyclekit.losses import feature_matching

        fake = [torch.ones(1, 8, 4, 4), torch.ones(1, 16, 2, 2)]
        assert feature_matching(fake, [torch.zeros(1, 8, 4, 4), torch.zeros(1, 16, 2, 2)]) == 2
        ```
    """
    return summed_distance(l1, _layers(prediction), [layer.detach() for layer in _layers(target)])


def _layers(features: Features | Sequence[Features]) -> list[Tensor]:
    return [layer for scale in features for layer in ([scale] if isinstance(scale, Tensor) else scale)]


def summed_distance(
    distance: Criterion,
    predicted: Sequence[Tensor],
    wanted: Sequence[Tensor],
    weights: Sequence[float] | None = None,
) -> Tensor:
    """Return the weighted sum of the distances of features in pairs; all weights are 1 if none are given."""
    shapes, expected = ([tuple(layer.shape) for layer in layers] for layers in (predicted, wanted))
    if not shapes or shapes != expected:
        raise ArgumentError(f"features: got shapes {shapes} against {expected}, expected one or more in equal pairs")
    weights = weights or [1.0] * len(shapes)
    if len(weights) != len(shapes):
        raise ArgumentError(f"weights: got {len(weights)}, expected one for each of the {len(shapes)} features")
    pairs = zip(predicted, wanted, weights, strict=True)
    return torch.stack([weight * distance(one, other) for one, other, weight in pairs]).sum()


@register_criterion("gram")
@typed
def gram_distance(
    prediction: Float[Tensor, "batch channels height width"],
    target: Float[Tensor, "batch channels target_height target_width"],
) -> Float[Tensor, ""]:
    """Return the squared distance of two maps' Gram matrices, which forget where a feature was.

    Args:
        prediction: Feature maps, or images.
        target: Maps with as many channels.

    Returns:
        A scalar, not negative, the mean over the batch of the squared Frobenius norm.

    Raises:
        ShapeError: The number of samples or of channels differs.

    Source:
        Johnson et al. 2016, Eq. 3 and 4.

    Example:
        ```python
        import torch
        from cyclekit.losses import gram_distance

        image = torch.rand(1, 3, 8, 8)
        assert gram_distance(image, image.flip(-1)) < 1e-12
        ```
    """
    return (_gram(prediction) - _gram(target)).square().sum((1, 2)).mean()


def _gram(features: Tensor) -> Tensor:
    features = full_precision(features)
    with without_autocast(features):
        return einsum(features, features, "b c h w, b d h w -> b c d") / features[0].numel()


_VGG_MAPS = (0, 1, 2, 3, 4)


class _TimmFeatures(nn.Module):
    """A timm backbone's features of images in [-1, 1]."""

    mean: Tensor
    std: Tensor

    def __init__(self, name: str, *, pretrained: bool, **options: object) -> None:
        super().__init__()
        self.network = create_features(name, pretrained=pretrained, **options)
        mean, deviation = statistics(self.network)
        self.register_buffer("mean", mean)
        self.register_buffer("std", deviation)

    def forward(self, image: Tensor) -> list[Tensor]:
        return self.network(((image + 1) / 2 - self.mean) / self.std)


@register_criterion("perceptual")
class PerceptualLoss(nn.Module):
    """The distance of two images' features in a frozen network.

    The network is no part of the model: it moves with it, but its weights are neither in `parameters()` nor
    in the `state_dict`, and it stays in evaluation mode. Registered as `perceptual`, and with
    `distance="gram"` as `style`; `distance="nearest_neighbour"` is PoseGAN's.

    Args:
        backbone: The name of any timm model that has `features_only`, or a module of your own that gives a
            list of feature maps for an image; it is frozen.
        layers: Which of a timm model's feature maps to compare, as timm counts them. By default all, but the first
            five of a VGG: relu1_2, relu2_2, relu3_4, relu4_4, relu5_4 of `vgg19`, without the pooled map that timm
            adds.
        weights: One for each feature map; 1 by default.
        distance: What two feature maps are compared with: a criterion or its name.
        pretrained: Load a timm model's pretrained weights, which may download them.
        **timm_options: To `timm.create_model`, such as `pretrained_cfg_overlay={"file":
            "weights.safetensors"}` for weights in a file.

    Raises:
        OptionError: `layers` or options of timm are given beside a module of your own.
        UnknownNameError: timm has no model of this name.
        OSError: The model's weights cannot be loaded.

    Source:
        Johnson et al. 2016. pix2pixHD's VGG loss is alike, with relu1_1 to relu5_1 and the weights 1/32,
        1/16, 1/8, 1/4 and 1.

    Example:
        ```python
        import torch
        from cyclekit.losses import PerceptualLoss

        loss = PerceptualLoss("test_resnet", layers=(0, 1), pretrained=False)
        image = torch.rand(1, 3, 32, 32) * 2 - 1
        assert loss(image, image) == 0
        ```
    """

    def __init__(
        self,
        backbone: str | nn.Module = "vgg19",
        *,
        layers: Sequence[int] | None = None,
        weights: Sequence[float] | None = None,
        distance: str | Criterion = "l1",
        pretrained: bool = True,
        **timm_options: object,
    ) -> None:
        super().__init__()
        if layers is not None:
            timm_options["out_indices"] = tuple(layers)
        if isinstance(backbone, str):
            if layers is None and backbone.startswith("vgg"):
                timm_options["out_indices"] = _VGG_MAPS
            backbone = _TimmFeatures(backbone, pretrained=pretrained, **timm_options)
        elif timm_options:
            raise OptionError(f"{', '.join(timm_options)}: for a timm model by name, not for a module of your own")
        self._frozen = (backbone.requires_grad_(False).eval(),)  # in a tuple, so that it is no submodule
        self.weights = weights
        self.distance = create_criterion(distance) if isinstance(distance, str) else distance

    @typed
    def forward(
        self,
        prediction: Float[Tensor, "batch channels height width"],
        target: Float[Tensor, "batch channels height width"],
    ) -> Float[Tensor, ""]:
        """Return the weighted sum of the layers' distances.

        Args:
            prediction: Images in [-1, 1] with the network's channels; for a timm model 3, or 1, which is
                repeated.
            target: Images likewise.

        Returns:
            A scalar, not negative.

        Raises:
            ShapeError: The shapes differ.
            ArgumentError: There are not as many weights as feature maps.
        """
        (network,) = self._frozen
        return summed_distance(self.distance, network(prediction), network(target), self.weights)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        (network,) = self._frozen
        network._apply(fn)
        return super()._apply(fn, recurse)


register_criterion("style")(functools.partial(PerceptualLoss, distance="gram"))
