"""Penalties on the gradient of a discriminator by its inputs."""

from collections.abc import Callable
from typing import Literal, Protocol, TypeAlias, TypeVar, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from cyclekit._precision import full_precision
from cyclekit._registry import Registry
from cyclekit._typed import typed
from cyclekit.losses.adversarial import Logits, Scalar, as_scales, score
from cyclekit.losses.criteria import configured

Discriminator: TypeAlias = Callable[..., Logits]


Reduction: TypeAlias = Literal["sum", "mean"]


@runtime_checkable
class Penalty(Protocol):
    """A penalty on a discriminator's gradient: ``penalty(discriminator, real, fake)`` gives a scalar."""

    def __call__(self, discriminator: Discriminator, real: Tensor, fake: Tensor) -> Scalar:
        """Return the penalty.

        Args:
            discriminator: Gives logits for inputs; a tensor or a list of scales, batch first.
            real: Real inputs, joined as the discriminator takes them, batch first.
            fake: Generated inputs of the same shape.

        Returns:
            A scalar that back-propagates to the discriminator's weights.
        """
        ...


Registered = TypeVar("Registered", bound=Callable[..., Tensor | Penalty])

_registry: Registry[Tensor | Penalty] = Registry("penalty", "cyclekit.penalties")


@typed
def create_penalty(name: str, **options: object) -> Penalty:
    """Create the penalty registered under a name.

    | name | at | discriminator minimises, over its gradient ∇ by the input |
    | --- | --- | --- |
    | `r1` | real inputs | E ‖∇‖² |
    | `r2` | generated inputs | E ‖∇‖² |
    | `wgan_gp` | points between both | E (‖∇‖ - 1)² |

    Args:
        name: A registered name.
        **options: Keywords of the function, bound to it, or of the class's constructor.

    Returns:
        The penalty.

    Raises:
        UnknownNameError: Nothing is registered under `name`.
        ShapeError: The penalty takes no such option.

    Example:
        ```python
        import torch
        from cyclekit.losses import create_penalty

        penalty = create_penalty("r1")
        assert penalty(lambda x: 3 * x[:, :1], real=torch.rand(4, 2), fake=torch.rand(4, 2)) == 9
        ```
    """
    return configured(_registry, name, options)


def list_penalties(pattern: str = "*") -> list[str]:
    """List the penalties.

    Args:
        pattern: A glob pattern, such as `"r*"`.

    Returns:
        The registered names that match, in natural order.
    """
    return _registry.list(pattern)


def register_penalty(name: str, *, override: bool = False) -> Callable[[Registered], Registered]:
    """Return a decorator that registers a penalty: a function, or a class whose objects are called as one.

    Args:
        name: The name graphs and `create_penalty` shall know it by.
        override: Replace what is registered under that name.

    Returns:
        The decorator; it gives the penalty back unaltered.

    Raises:
        ArgumentError: The name is taken and `override` is false.

    Example:
        ```python
        import torch
        from cyclekit.losses import create_penalty, register_penalty

        @register_penalty("centred")
        def centred(discriminator, real, fake):
            return discriminator(real).mean().square()

        assert create_penalty("centred")(torch.neg, torch.full((2, 1), 3.0), torch.zeros(2, 1)) == 9
        ```
    """
    return _registry.register(name, override=override)


def _input_gradient(
    discriminator: Discriminator, inputs: Tensor, reduction: Reduction
) -> Float[Tensor, "batch elements"]:
    def total(inputs: Tensor) -> Tensor:
        logits = discriminator(inputs)
        if reduction == "mean":
            return score(logits).sum()
        return torch.stack([full_precision(scale).sum() for scale in as_scales(logits)]).sum()

    if torch.compiler.is_compiling():
        # The same gradient in the form that torch.compile can differentiate once more.
        return full_precision(torch.func.grad(total)(inputs.detach())).flatten(1)
    inputs = inputs.detach().requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(total(inputs), inputs, create_graph=True)
    return full_precision(gradient).flatten(1)


@typed
def r1_penalty(
    discriminator: Discriminator, real: Float[Tensor, "batch *shape"], *, reduction: Reduction = "sum"
) -> Float[Tensor, ""]:
    """Return the squared norm of the discriminator's gradient at real inputs.

    The gradient is that of the sum of a sample's logits, over patches and scales, as StarGAN's and CUT's code has it,
    so that published weights fit; ``reduction="mean"`` takes the mean over the patches of each scale.

    Args:
        discriminator: Gives logits for inputs; a tensor or a list of scales, batch first.
        real: Real inputs, joined as the discriminator takes them.
        reduction: ``"sum"`` or ``"mean"``: what of a sample's logits the gradient is taken of.

    Returns:
        A scalar, the mean over the batch, to be weighted with γ/2.

    Raises:
        ShapeError: The inputs have no batch axis.

    Source:
        Mescheder et al. 2018, Eq. 9.

    Example:
        ```python
        import torch
        from cyclekit.losses import r1_penalty

        penalty = r1_penalty(lambda x: 3 * x[:, :1], torch.rand(4, 2))
        assert penalty == 9
        ```
    """
    return _input_gradient(discriminator, real, reduction).square().sum(1).mean()


@typed
def r2_penalty(
    discriminator: Discriminator, fake: Float[Tensor, "batch *shape"], *, reduction: Reduction = "sum"
) -> Float[Tensor, ""]:
    """Return the squared norm of the discriminator's gradient at generated inputs.

    Args:
        discriminator: Gives logits for inputs; a tensor or a list of scales, batch first.
        fake: Generated inputs, joined as the discriminator takes them; no gradient reaches the generators.
        reduction: ``"sum"`` or ``"mean"``: what of a sample's logits the gradient is taken of.

    Returns:
        A scalar, the mean over the batch, to be weighted with γ/2.

    Raises:
        ShapeError: The inputs have no batch axis.

    Source:
        Mescheder et al. 2018, Eq. 10.
    """
    return r1_penalty(discriminator, fake, reduction=reduction)


@typed
def wgan_gp_penalty(
    discriminator: Discriminator,
    real: Float[Tensor, "batch *shape"],
    fake: Float[Tensor, "batch *shape"],
    *,
    reduction: Reduction = "sum",
) -> Float[Tensor, ""]:
    """Return how far the discriminator's gradient norm is from 1 between real and generated inputs.

    The points are drawn uniformly on the lines between the samples of the two batches, with torch's own
    random state. Batch normalisation makes a sample's gradient depend on the others': use a discriminator
    without.

    Args:
        discriminator: Gives logits for inputs; a tensor or a list of scales, batch first.
        real: Real inputs, joined as the discriminator takes them.
        fake: Generated inputs of the same shape; no gradient reaches the generators.
        reduction: ``"sum"`` or ``"mean"``: what of a sample's logits the gradient is taken of.

    Returns:
        A scalar, the mean over the batch of (‖gradient‖ - 1)², usually weighted with 10.

    Raises:
        ShapeError: The shapes differ.

    Source:
        Gulrajani et al. 2017, Eq. 3.

    Example:
        ```python
        import torch
        from cyclekit.losses import wgan_gp_penalty

        penalty = wgan_gp_penalty(lambda x: 3 * x[:, :1], torch.rand(4, 2), torch.rand(4, 2))
        assert penalty == 4
        ```
    """
    share = torch.rand(len(real), *[1] * (real.ndim - 1), dtype=real.dtype, device=real.device)
    gradient = _input_gradient(discriminator, torch.lerp(real.detach(), fake.detach().to(real.dtype), share), reduction)
    return (torch.linalg.vector_norm(gradient, dim=1) - 1).square().mean()


@register_penalty("r1")
def _r1(discriminator: Discriminator, real: Tensor, fake: Tensor, *, reduction: Reduction = "sum") -> Scalar:
    return r1_penalty(discriminator, real, reduction=reduction)


@register_penalty("r2")
def _r2(discriminator: Discriminator, real: Tensor, fake: Tensor, *, reduction: Reduction = "sum") -> Scalar:
    return r2_penalty(discriminator, fake, reduction=reduction)


register_penalty("wgan_gp")(wgan_gp_penalty)
