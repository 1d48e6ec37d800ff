"""Label losses for discriminators that also classify."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from cyclekit._typed import typed
from cyclekit.losses._criteria import register_criterion
from cyclekit.losses._precision import full_precision


def _at_every_position(prediction: Tensor, target: Tensor) -> Tensor:
    positions = (1,) * (prediction.ndim - target.ndim)
    return full_precision(target).reshape(*target.shape, *positions).expand_as(prediction)


@register_criterion("cross_entropy")
@typed
def cross_entropy(
    prediction: Float[Tensor, "batch classes *positions"], target: Float[Tensor, "batch classes"]
) -> Float[Tensor, ""]:
    """Return the cross-entropy of one label out of several.

    Args:
        prediction: Logits; at every position of a map, the whole map's label is expected.
        target: One-hot labels, or probabilities that sum to 1.

    Returns:
        A scalar in nats, the mean over batch and positions.

    Raises:
        ShapeError: The number of samples or of classes differs.

    Source:
        Choi et al. 2018 (StarGAN), Eq. 2 and 3, for labels that exclude one another.

    Example:
        ```python
        import math
        import torch
        from cyclekit.losses import cross_entropy

        loss = cross_entropy(torch.zeros(2, 5), torch.eye(5)[:2])
        assert math.isclose(loss.item(), math.log(5), rel_tol=1e-6)
        ```
    """
    return F.cross_entropy(full_precision(prediction), _at_every_position(prediction, target))


@register_criterion("binary_cross_entropy")
@typed
def binary_cross_entropy(
    prediction: Float[Tensor, "batch classes *positions"], target: Float[Tensor, "batch classes"]
) -> Float[Tensor, ""]:
    """Return the cross-entropy of attributes that each hold or do not.

    Args:
        prediction: Logits; at every position of a map, the whole map's attributes are expected.
        target: Attributes in [0, 1].

    Returns:
        A scalar in nats, summed over attributes and averaged over batch and positions.

    Raises:
        ShapeError: The number of samples or of attributes differs.

    Source:
        StarGAN's released code for CelebA (`yunjey/stargan`, `solver.py`).
    """
    elements = F.binary_cross_entropy_with_logits(
        full_precision(prediction), _at_every_position(prediction, target), reduction="none"
    )
    return elements.sum(1).mean()
