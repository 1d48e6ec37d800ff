"""Criteria by name: what a term of a graph compares its signals with, element by element or by class."""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from cyclekit._precision import full_precision
from cyclekit._registry import Registry
from cyclekit._typed import check_keywords, typed
from cyclekit.errors import ArgumentError

Criterion: TypeAlias = Callable[..., Tensor]
"""Called with a prediction, a target, and what else it needs; returns a scalar tensor."""

Registered = TypeVar("Registered", bound=Callable[..., Tensor | nn.Module])

_registry: Registry[Tensor | nn.Module] = Registry("criterion", "cyclekit.criteria")


@typed
def create_criterion(name: str, **options: object) -> Criterion:
    """Create the criterion registered under a name.

    Args:
        name: A registered name.
        **options: Keywords of the function, bound to it, or of the module's constructor.

    Returns:
        A function or a module: `criterion(prediction, target, *extras)` gives a scalar.

    Raises:
        UnknownNameError: Nothing is registered under `name`.
        OptionError: The criterion takes no such option.

    Example:
        ```python
        import torch
        from cyclekit.losses import create_criterion

        l1 = create_criterion("l1")
        assert l1(torch.ones(2, 3, 4, 4), torch.zeros(2, 3, 4, 4)) == 1
        ```
    """
    return configured(_registry, name, options)


def list_criteria(pattern: str = "*") -> list[str]:
    """List the criteria.

    Args:
        pattern: A glob pattern, such as `"*cross_entropy"`.

    Returns:
        The registered names that match, in natural order.
    """
    return _registry.list(pattern)


def register_criterion(name: str, *, override: bool = False) -> Callable[[Registered], Registered]:
    """Return a decorator that registers a criterion: a function, or a class of modules or a partial of it.

    Args:
        name: The name `create_criterion` shall know it by.
        override: Replace what is registered under that name.

    Returns:
        The decorator; it gives the criterion back unaltered.

    Raises:
        ArgumentError: The name is taken and `override` is false.

    Example:
        ```python
        import torch
        from cyclekit.losses import create_criterion, register_criterion

        @register_criterion("darker")
        def darker(prediction, target, margin=0.0):
            return (target - prediction - margin).relu().mean()

        assert create_criterion("darker", margin=0.5)(torch.zeros(2), torch.ones(2)) == 0.5
        ```
    """
    return _registry.register(name, override=override)


def configured(registry: Registry[Any], name: str, options: Mapping[str, object]) -> Callable[..., Tensor]:
    """Return a registered function with options bound to it, or an object of a registered class made with them.

    Raises:
        UnknownNameError: Nothing is registered under `name`.
        OptionError: It takes no such option.
        ShapeError: An option is of another type.
    """
    registry.check_options(name, options)
    measure = registry.factory(name)
    made_by = measure.func if isinstance(measure, functools.partial) else measure
    check_keywords(made_by, options, f"{registry.kind} {name!r}")
    if isinstance(made_by, type):
        return measure(**options)
    return functools.partial(measure, **options) if options else measure


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
        epsilon: The loss of equal elements, and about how far the rounding reaches; positive.

    Returns:
        A scalar, at least `epsilon`: the mean of the root of (prediction - target)² + epsilon².

    Raises:
        ShapeError: The shapes differ.
        ArgumentError: `epsilon` is not positive.

    Source:
        Lai et al. 2017 (LapSRN).
    """
    if not 0 < epsilon < math.inf:
        raise ArgumentError(f"epsilon: got {epsilon}, expected a positive number, without which there is no slope at 0")
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


def _at_every_position(prediction: Tensor, target: Tensor) -> Tensor:
    positions = (1,) * (prediction.ndim - target.ndim)
    return full_precision(target).reshape(*target.shape, *positions).expand_as(prediction)


@register_criterion("cross_entropy")
@typed
def cross_entropy(
    prediction: Float[Tensor, "batch classes *positions"], target: Float[Tensor, "batch classes *given"]
) -> Float[Tensor, ""]:
    """Return the cross-entropy of one label out of several, or of one class out of several at each pixel.

    Args:
        prediction: Logits; at every position of a map, the whole map's label or that position's class is expected.
        target: One-hot labels, or probabilities that sum to 1; a map of them where each position has its own.
            Positions that are 0 in every class are not counted.

    Returns:
        A scalar in nats, the mean over batch and positions; 0 where none is counted.

    Raises:
        ShapeError: The number of samples or of classes differs.
        ArgumentError: The target is a map of another size than the prediction.

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
    if target.ndim == 2:
        return F.cross_entropy(full_precision(prediction), _at_every_position(prediction, target))
    if prediction.shape != target.shape:
        raise ArgumentError(
            f"target: got shape {tuple(target.shape)}, expected the prediction's {tuple(prediction.shape)}"
        )
    classes = full_precision(target)
    costs = -(classes * F.log_softmax(full_precision(prediction), dim=1)).sum(1)
    return costs.sum() / classes.sum().clamp(min=1)


@register_criterion("kl")
@typed
def kl_divergence(
    mean: Float[Tensor, "batch *shape"], log_variance: Float[Tensor, "batch *shape"] | None = None
) -> Float[Tensor, ""]:
    """Return how far normal distributions are from the standard one: their Kullback-Leibler divergence.

    Args:
        mean: Their means.
        log_variance: The logarithms of their variances; by default the variances are 1.

    Returns:
        A scalar in nats, not negative: summed over the elements of a sample, averaged over the batch.

    Raises:
        ShapeError: The shapes differ.

    Source:
        Kingma and Welling 2013 (arXiv 1312.6114), appendix B.

    Example:
        ```python
        import torch
        from cyclekit.losses import kl_divergence

        assert kl_divergence(torch.ones(4, 8), torch.zeros(4, 8)) == 4
        ```
    """
    mean = full_precision(mean)
    elements = mean.square()
    if log_variance is not None:
        log_variance = full_precision(log_variance)
        elements = elements + log_variance.exp() - log_variance - 1
    return elements.flatten(1).sum(1).mean() / 2


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
