"""Penalties on the gradient of a discriminator by its inputs.

They differentiate a gradient, which `torch.compile` does not: call them outside of compiled regions.
"""

from collections.abc import Callable
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from cyclekit._typed import typed
from cyclekit.losses._adversarial import Logits, score

Discriminator: TypeAlias = Callable[..., Logits]


def _input_gradient(discriminator: Discriminator, inputs: Tensor) -> Float[Tensor, "batch elements"]:
    inputs = inputs.detach().requires_grad_()
    with torch.enable_grad():
        total = score(discriminator(inputs)).sum()
    (gradient,) = torch.autograd.grad(total, inputs, create_graph=True)
    return gradient.flatten(1)


@typed
def r1_penalty(discriminator: Discriminator, real: Float[Tensor, "batch *shape"]) -> Float[Tensor, ""]:
    """Return the squared norm of the discriminator's gradient at real inputs.

    A sample's score, whose gradient it is, is the mean of its logits, summed over scales, as in the
    adversarial losses.

    Args:
        discriminator: Gives logits for inputs; a tensor or a list of scales, batch first.
        real: Real inputs, joined as the discriminator takes them.

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
    return _input_gradient(discriminator, real).square().sum(1).mean()


@typed
def r2_penalty(discriminator: Discriminator, fake: Float[Tensor, "batch *shape"]) -> Float[Tensor, ""]:
    """Return the squared norm of the discriminator's gradient at generated inputs.

    Args:
        discriminator: Gives logits for inputs; a tensor or a list of scales, batch first.
        fake: Generated inputs, joined as the discriminator takes them; no gradient reaches the generators.

    Returns:
        A scalar, the mean over the batch, to be weighted with γ/2.

    Raises:
        ShapeError: The inputs have no batch axis.

    Source:
        Mescheder et al. 2018, Eq. 10.
    """
    return r1_penalty(discriminator, fake)


@typed
def wgan_gp_penalty(
    discriminator: Discriminator, real: Float[Tensor, "batch *shape"], fake: Float[Tensor, "batch *shape"]
) -> Float[Tensor, ""]:
    """Return how far the discriminator's gradient norm is from 1 between real and generated inputs.

    The points are drawn uniformly on the lines between the samples of the two batches, with torch's own
    random state. Batch normalisation makes a sample's gradient depend on the others': use a discriminator
    without.

    Args:
        discriminator: Gives logits for inputs; a tensor or a list of scales, batch first.
        real: Real inputs, joined as the discriminator takes them.
        fake: Generated inputs of the same shape; no gradient reaches the generators.

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
    gradient = _input_gradient(discriminator, torch.lerp(real.detach(), fake.detach(), share))
    return (torch.linalg.vector_norm(gradient, dim=1) - 1).square().mean()
