"""Distances between features, a network's or a discriminator's."""

from collections.abc import Sequence
from typing import TypeAlias

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor

from cyclekit._typed import typed
from cyclekit.losses._criteria import Criterion, register_criterion
from cyclekit.losses._precision import full_precision
from cyclekit.losses._reconstruction import l1

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
        ValueError: There is no feature, or their shapes differ.

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
        raise ValueError(f"features: got shapes {shapes} against {expected}, expected one or more in equal pairs")
    weights = weights or [1.0] * len(shapes)
    if len(weights) != len(shapes):
        raise ValueError(f"weights: got {len(weights)}, expected one for each of the {len(shapes)} features")
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
    return einsum(features, features, "b c h w, b d h w -> b c d") / features[0].numel()
