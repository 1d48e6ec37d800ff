"""Adversarial losses by name, from a discriminator's logits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from cyclekit._precision import full_precision
from cyclekit._registry import Registry
from cyclekit._typed import typed
from cyclekit.errors import ArgumentError

Logits: TypeAlias = Float[Tensor, "..."] | Sequence[Float[Tensor, "..."]]
"""A discriminator's answer: one tensor of any shape, or one for each scale."""

Scalar: TypeAlias = Float[Tensor, ""]


@runtime_checkable
class AdversarialLoss(Protocol):
    """The losses of a discriminator and of the generators it judges.

    Logits are the discriminator's bare outputs, without a sigmoid: a tensor of any shape, averaged over all
    its elements, or a list or tuple of tensors, one a scale, whose losses are summed as pix2pixHD does.
    """

    @property
    def needs_real(self) -> bool:
        """Whether the generators' loss compares with the logits of real inputs."""
        ...

    def generator(self, fake: Logits, real: Logits | None = None) -> Scalar:
        """Return what the generators minimise.

        Args:
            fake: Logits of generated inputs.
            real: Logits of real inputs, looked at only if `needs_real`.

        Returns:
            A scalar.
        """
        ...

    def discriminator(self, real: Logits, fake: Logits) -> Scalar:
        """Return what the discriminator minimises: its real part plus its fake part, not halved.

        Args:
            real: Logits of real inputs.
            fake: Logits of generated inputs.

        Returns:
            A scalar.
        """
        ...


_registry: Registry[AdversarialLoss] = Registry("adversarial loss", "cyclekit.adversarial_losses")


@typed
def create_adversarial_loss(name: str, **options: object) -> AdversarialLoss:
    """Create the adversarial loss registered under a name.

    | name | discriminator minimises, over real r and fake f | generators minimise |
    | --- | --- | --- |
    | `lsgan` | E (r - 1)² + E f² | E (f - 1)² |
    | `log` | -E log σ(r) - E log(1 - σ(f)) | E log(1 - σ(f)) |
    | `nonsaturating` | as `log` | -E log σ(f) |
    | `hinge` | E max(0, 1 - r) + E max(0, 1 + f) | -E f |
    | `wgan` | -E r + E f | -E f |
    | `undecided` | as `log` | -½ E log σ(f) - ½ E log(1 - σ(f)) |
    | `relativistic` | -E log σ(r - f) | -E log σ(f - r) |
    | `relativistic_average` | -E log σ(r - E f) - E log(1 - σ(f - E r)) | the same with r and f exchanged |

    Args:
        name: A registered name.
        **options: Passed on unaltered; the losses above take none.

    Returns:
        The loss, stateless.

    Raises:
        UnknownNameError: Nothing is registered under `name`.
        OptionError: The loss takes no such option.

    Source:
        `log`: Goodfellow et al. 2014, Eq. 1, and C2GAN, Eq. 2; `nonsaturating`: Goodfellow et al. 2014,
        section 3; `undecided`: DRIT (arXiv 1808.00948), Eq. 1; `lsgan`: Mao et al. 2017, Eq. 9, without its
        halves; `hinge`: Lim and Ye 2017, Miyato et al. 2018; `wgan`: Arjovsky et al. 2017; `relativistic`,
        `relativistic_average`: Jolicoeur-Martineau 2018 (RSGAN, RaSGAN).

    Example:
        ```python
        import torch
        from cyclekit.losses import create_adversarial_loss

        loss = create_adversarial_loss("lsgan")
        real, fake = torch.ones(2, 1, 30, 30), torch.zeros(2, 1, 30, 30)
        assert loss.discriminator(real, fake) == 0
        assert loss.generator(fake) == 1
        ```
    """
    _registry.check_options(name, options)
    return _registry.create(name, **options)


def list_adversarial_losses(pattern: str = "*") -> list[str]:
    """List the adversarial losses.

    Args:
        pattern: A glob pattern, such as `"relativistic*"`.

    Returns:
        The registered names that match, in natural order.
    """
    return _registry.list(pattern)


def register_adversarial_loss(
    name: str, *, override: bool = False
) -> Callable[[Callable[..., AdversarialLoss]], Callable[..., AdversarialLoss]]:
    """Return a decorator that registers a factory of adversarial losses.

    Args:
        name: The name `create_adversarial_loss` shall know it by.
        override: Replace what is registered under that name.

    Returns:
        The decorator; it gives the factory back unaltered.

    Raises:
        ArgumentError: The name is taken and `override` is false.

    Example:
        ```python
        import torch
        from cyclekit.losses import PointwiseLoss, create_adversarial_loss, register_adversarial_loss

        @register_adversarial_loss("absolute")
        def absolute():
            return PointwiseLoss(on_real=from_one, on_fake=torch.abs, to_fool=from_one)

        def from_one(logits):
            return (logits - 1).abs()

        assert create_adversarial_loss("absolute").generator(torch.zeros(4)) == 1
        ```
    """
    return _registry.register(name, override=override)


def score(logits: Logits) -> Float[Tensor, " batch"]:
    """Return each sample's mean logit, summed over scales."""
    return torch.stack([scale.reshape(len(scale), -1).mean(1) for scale in as_scales(logits)]).sum(0)


def as_scales(logits: Logits) -> Sequence[Tensor]:
    """Return logits as a list of scales in full precision."""
    scales = [logits] if isinstance(logits, Tensor) else logits
    if not scales:
        raise ArgumentError("logits: got an empty list, expected a tensor for each of the discriminator's scales")
    return [full_precision(scale) for scale in scales]


def _summed(cost: Callable[[Tensor], Tensor], logits: Logits) -> Tensor:
    return torch.stack([cost(scale).mean() for scale in as_scales(logits)]).sum()


def confusion(loss: AdversarialLoss, left: Logits, right: Logits) -> Scalar:
    """Return what the makers of both sides minimise where ``left <> right`` are to be confused.

    That is the discriminator's own loss with the sides exchanged, unless the loss has a method ``confusion``.

    Args:
        loss: The adversarial loss.
        left: Logits of what stands before ``<>``, which the discriminator takes for generated.
        right: Logits of what stands after it.

    Returns:
        A scalar.
    """
    own = getattr(loss, "confusion", None)
    return loss.discriminator(real=left, fake=right) if own is None else own(left, right)


@dataclass(frozen=True)
class PointwiseLoss:
    """An adversarial loss that judges every logit by itself, real and fake apart.

    Args:
        on_real: The discriminator's cost of a real logit, element by element.
        on_fake: The discriminator's cost of a fake logit.
        to_fool: The generators' cost of a fake logit.

    Example:
        ```python
        import torch
        from cyclekit.losses import PointwiseLoss

        wgan = PointwiseLoss(on_real=torch.neg, on_fake=torch.positive, to_fool=torch.neg)
        assert wgan.discriminator(real=torch.ones(2, 1), fake=torch.zeros(2, 1)) == -1
        ```
    """

    on_real: Callable[[Tensor], Tensor]
    on_fake: Callable[[Tensor], Tensor]
    to_fool: Callable[[Tensor], Tensor]
    needs_real: bool = field(default=False, init=False, repr=False)

    @typed
    def generator(self, fake: Logits, real: Logits | None = None) -> Scalar:
        """Return the generators' loss; `real` is not looked at.

        Args:
            fake: Logits of generated inputs, a tensor or one a scale.
            real: Ignored.

        Returns:
            A scalar.

        Raises:
            ArgumentError: A list of scales is empty.
        """
        return _summed(self.to_fool, fake)

    @typed
    def discriminator(self, real: Logits, fake: Logits) -> Scalar:
        """Return the discriminator's loss, its real part plus its fake part.

        Args:
            real: Logits of real inputs, a tensor or one a scale.
            fake: Logits of generated inputs, likewise.

        Returns:
            A scalar.

        Raises:
            ArgumentError: A list of scales is empty, or the other side has another number of them.
        """
        scales = len(as_scales(real)), len(as_scales(fake))
        if scales[0] != scales[1]:
            raise ArgumentError(f"real and fake logits: got {scales[0]} and {scales[1]} scales, expected as many")
        return _summed(self.on_real, real) + _summed(self.on_fake, fake)


# Functions with names, not lambdas, so that a model holding a loss can be pickled.
def _squared(logits: Tensor) -> Tensor:
    return logits.square()


def _squared_from_one(logits: Tensor) -> Tensor:
    return (logits - 1).square()


def _log_of_rejection(logits: Tensor) -> Tensor:
    """log(1 - σ(x))."""
    return F.logsigmoid(-logits)


def _cost_of_rejection(logits: Tensor) -> Tensor:
    """-log σ(x)."""
    return -F.logsigmoid(logits)


def _cost_of_acceptance(logits: Tensor) -> Tensor:
    """-log(1 - σ(x))."""
    return -F.logsigmoid(-logits)


def _below_margin(logits: Tensor) -> Tensor:
    return F.relu(1 - logits)


def _above_margin(logits: Tensor) -> Tensor:
    return F.relu(1 + logits)


@register_adversarial_loss("lsgan")
def _lsgan() -> AdversarialLoss:
    return PointwiseLoss(on_real=_squared_from_one, on_fake=_squared, to_fool=_squared_from_one)


@register_adversarial_loss("log")
def _log() -> AdversarialLoss:
    return PointwiseLoss(on_real=_cost_of_rejection, on_fake=_cost_of_acceptance, to_fool=_log_of_rejection)


@register_adversarial_loss("nonsaturating")
def _nonsaturating() -> AdversarialLoss:
    return PointwiseLoss(on_real=_cost_of_rejection, on_fake=_cost_of_acceptance, to_fool=_cost_of_rejection)


@dataclass(frozen=True)
class _UndecidedLoss(PointwiseLoss):
    """An adversarial loss whose generators want the discriminator not to know, on either side."""

    def confusion(self, left: Logits, right: Logits) -> Scalar:
        return self.generator(left) + self.generator(right)


def _cost_of_decision(logits: Tensor) -> Tensor:
    """-½ log σ(x) - ½ log(1 - σ(x)), the least at 0."""
    return -(F.logsigmoid(logits) + F.logsigmoid(-logits)) / 2


@register_adversarial_loss("undecided")
def _undecided() -> AdversarialLoss:
    return _UndecidedLoss(on_real=_cost_of_rejection, on_fake=_cost_of_acceptance, to_fool=_cost_of_decision)


@register_adversarial_loss("hinge")
def _hinge() -> AdversarialLoss:
    return PointwiseLoss(on_real=_below_margin, on_fake=_above_margin, to_fool=torch.neg)


@register_adversarial_loss("wgan")
def _wgan() -> AdversarialLoss:
    return PointwiseLoss(on_real=torch.neg, on_fake=torch.positive, to_fool=torch.neg)


@dataclass(frozen=True)
class RelativisticLoss:
    """An adversarial loss that asks which of two inputs looks more real.

    By itself (`relativistic`) it compares each fake logit with the real logit in its place and has no
    separate fake part. Averaged (`relativistic_average`) it compares each logit with the mean of the other
    side. Real logits are constants to the generators.

    Args:
        average: Compare with the other side's mean.
    """

    average: bool = False

    @property
    def couples_samples(self) -> bool:
        """Whether the loss of a batch is another one than the mean over its parts."""
        return self.average

    needs_real: bool = field(default=True, init=False, repr=False)

    @typed
    def generator(self, fake: Logits, real: Logits | None = None) -> Scalar:
        """Return the generators' loss.

        Args:
            fake: Logits of generated inputs, a tensor or one a scale.
            real: Logits of real inputs of the same shapes.

        Returns:
            A scalar.

        Raises:
            ArgumentError: `real` is missing, or does not match `fake`.
        """
        if real is None:
            raise ArgumentError("real: got None, expected the logits of real inputs, which a relativistic loss needs")
        return self._compared(fake, [scale.detach() for scale in as_scales(real)])

    @typed
    def discriminator(self, real: Logits, fake: Logits) -> Scalar:
        """Return the discriminator's loss.

        Args:
            real: Logits of real inputs, a tensor or one a scale.
            fake: Logits of generated inputs of the same shapes.

        Returns:
            A scalar.

        Raises:
            ArgumentError: `real` and `fake` do not match.
        """
        return self._compared(real, fake)

    def _compared(self, winner: Logits, loser: Logits) -> Tensor:
        winners, losers = as_scales(winner), as_scales(loser)
        shapes, others = [tuple(one.shape) for one in winners], [tuple(one.shape) for one in losers]
        if shapes != others:
            raise ArgumentError(
                f"real and fake logits: got shapes {shapes} and {others}, expected equal ones to compare"
            )
        margin = self._margin_to_mean if self.average else self._margin
        return torch.stack([margin(*pair) for pair in zip(winners, losers, strict=True)]).sum()

    @staticmethod
    def _margin(winner: Tensor, loser: Tensor) -> Tensor:
        return _cost_of_rejection(winner - loser).mean()

    @staticmethod
    def _margin_to_mean(winner: Tensor, loser: Tensor) -> Tensor:
        return _cost_of_rejection(winner - loser.mean()).mean() + _cost_of_acceptance(loser - winner.mean()).mean()


register_adversarial_loss("relativistic")(RelativisticLoss)


@register_adversarial_loss("relativistic_average")
def _relativistic_average() -> AdversarialLoss:
    return RelativisticLoss(average=True)
