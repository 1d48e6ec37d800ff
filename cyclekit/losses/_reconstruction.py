"""Element-wise distances between an image and the one it should be."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from cyclekit._typed import typed
from cyclekit.losses._criteria import register_criterion
from cyclekit.losses._precision import full_precision


@register_criterion("l1")
@typed
def l1(prediction: Float[Tensor, "*shape"], target: Float[Tensor, "*shape"]) -> Float[Tensor, ""]:
    """Return the mean absolute difference.

    Args:
        prediction: Of any shape.
        target: Of the same shape.

    Returns:
        A scalar, not negative.

    Raises:
        ShapeError: The shapes differ.

    Source:
        Isola et al. 2017 (pix2pix), Eq. 3; C2GAN, Eq. 12.
    """
    return F.l1_loss(full_precision(prediction), full_precision(target))


@register_criterion("l2")
@typed
def l2(prediction: Float[Tensor, "*shape"], target: Float[Tensor, "*shape"]) -> Float[Tensor, ""]:
    """Return the mean squared difference.

    Args:
        prediction: Of any shape.
        target: Of the same shape.

    Returns:
        A scalar, not negative.

    Raises:
        ShapeError: The shapes differ.
    """
    return F.mse_loss(full_precision(prediction), full_precision(target))


@register_criterion("charbonnier")
@typed
def charbonnier(
    prediction: Float[Tensor, "*shape"], target: Float[Tensor, "*shape"], epsilon: float = 1e-3
) -> Float[Tensor, ""]:
    """Return the mean of the absolute difference with its kink at 0 rounded off.

    Args:
        prediction: Of any shape.
        target: Of the same shape.
        epsilon: The loss of equal elements, and about how far the rounding reaches.

    Returns:
        A scalar, at least `epsilon`: the mean of the root of (prediction - target)² + epsilon².

    Raises:
        ShapeError: The shapes differ.

    Source:
        Lai et al. 2017 (LapSRN).
    """
    squared = (full_precision(prediction) - full_precision(target)).square()
    return (squared + epsilon**2).sqrt().mean()


@register_criterion("masked")
@typed
def masked_l1(
    prediction: Float[Tensor, "batch channels height width"],
    target: Float[Tensor, "batch channels height width"],
    mask: Float[Tensor, "batch 1 height width"],
) -> Float[Tensor, ""]:
    """Return the mean absolute difference with every pixel weighted by 1 + mask.

    Args:
        prediction: Images.
        target: Images of the same shape.
        mask: 1 where a difference counts twice, 0 where it counts once.

    Returns:
        A scalar, not negative: the mean of |prediction - target| · (1 + mask) over all elements.

    Raises:
        ShapeError: The shapes do not fit.

    Source:
        Ma et al. 2017 (PG2), the pose mask loss, as their code averages it.

    Example:
        ```python
        import torch
        from cyclekit.losses import masked_l1

        image, mask = torch.ones(1, 3, 2, 2), torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
        assert masked_l1(image, torch.zeros_like(image), mask) == 1.25
        ```
    """
    difference = (full_precision(prediction) - full_precision(target)).abs()
    return (difference * (1 + full_precision(mask))).mean()
