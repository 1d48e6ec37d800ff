"""What a batch must carry."""

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import TypeAlias

import torch
from torch import Tensor

from cyclekit.errors import SignalError, SignalWarning, warn
from cyclekit.graph import Domain, Label, Latent, Mask

Batch: TypeAlias = Mapping[str, Tensor]


def checked_signals(
    batch: Batch, names: Iterable[str], domains: Mapping[str, Domain], dtype: torch.dtype
) -> dict[str, Tensor]:
    """Return the named signals of a batch, once they are known to fit their domains and each other.

    Nothing but types and shapes is looked at, so nothing waits for a device.

    Args:
        batch: Signals by name.
        names: Those that are needed.
        domains: The domain of each.
        dtype: What integer labels become as one-hot vectors.

    Raises:
        SignalError: One is missing or does not fit.
    """
    if not isinstance(batch, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise SignalError(f"a batch is a dict of signals by name, {{'x': images, ...}}, got {type(batch).__name__}")
    found: dict[str, Tensor] = {}
    for name in names:
        if name not in batch:
            raise SignalError(
                f"the batch carries no {name!r} ({domains[name]}); it carries {', '.join(batch) or 'nothing'}"
            )
        found[name] = _fitting(name, batch[name], domains[name], dtype)
    _check_alike("samples", {name: value.shape[:1] for name, value in found.items()})
    maps = {
        name: value.shape[2:]
        for name, value in found.items()
        if domains[name].spatial and not isinstance(domains[name], Latent)
    }
    _check_alike("pixels (height, width)", maps)
    return found


def _fitting(name: str, value: Tensor, domain: Domain, dtype: torch.dtype) -> Tensor:
    if not isinstance(value, Tensor):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise SignalError(f"{name!r} must be a tensor, got {type(value).__name__}")
    if isinstance(domain, Label):
        _check_label(name, value, domain)
        if value.ndim == 1:
            return _one_hot(name, value, domain.channels, dtype)
    if not value.is_floating_point():
        raise SignalError(
            f"{name!r} must hold floating-point numbers, got {value.dtype}: "
            f"scale the values to [0, 1] and use {domain}.normalize"
        )
    axes = ("batch", "channels", "height", "width") if domain.spatial else ("batch", "channels")
    if value.ndim != len(axes) or value.shape[1] != domain.channels:
        raise SignalError(
            f"{name!r} is {domain}: expected ({', '.join(axes)}) with {domain.channels} channels, "
            f"got {tuple(value.shape)}"
        )
    return value


def _check_label(name: str, value: Tensor, domain: Label) -> None:
    """Say how a label is given, where it is given in another way."""
    integer = not value.is_floating_point() and value.dtype != torch.bool
    if (value.ndim == 1 and integer) or (value.ndim == 2 and value.is_floating_point()):
        return
    if value.ndim == 1:
        mend = "classes are integers: use .long()"
    elif value.ndim == 2 and value.shape[1] == 1 and domain.channels > 1:
        mend = "classes have one axis: use .squeeze(1)" + ("" if integer else ".long()")
    else:
        mend = "a one-hot label is floating-point: use .float()"
    raise SignalError(
        f"{name!r} is {domain}: expected classes as integers (batch,), or one-hot as floating-point numbers "
        f"(batch, {domain.channels}); got {value.dtype} of shape {tuple(value.shape)}: {mend}"
    )


def _one_hot(name: str, labels: Tensor, classes: int, dtype: torch.dtype) -> Tensor:
    # On an accelerator the range goes unchecked: looking would wait for the device.
    if labels.device.type == "cpu" and not torch.compiler.is_compiling():
        wrong = labels[(labels < 0) | (labels >= classes)]
        if len(wrong):
            raise SignalError(f"{name!r} is Label({classes}): expected classes 0 to {classes - 1}, got {wrong[0]:d}")
    return (labels[:, None] == torch.arange(classes, device=labels.device)).to(dtype)


def _check_alike(what: str, sizes: Mapping[str, tuple[int, ...]]) -> None:
    first = next(iter(sizes), "")
    for name, size in sizes.items():
        if size != sizes[first]:
            raise SignalError(
                f"one batch has one size: {first!r} has {_by(sizes[first])} {what} and {name!r} {_by(size)}"
            )


def _by(size: tuple[int, ...]) -> str:
    return "x".join(map(str, size))


def check_values(batch: Batch, domains: Mapping[str, Domain], told: Iterable[str]) -> None:
    """Look at the values of a batch, once: it waits for the device.

    Args:
        batch: The signals of a batch by name, as `checked_signals` returned them.
        domains: The domain of each.
        told: Signals that are the target of a cross entropy.

    Raises:
        SignalError: Values are not finite or out of any range a model works in.

    Warns:
        SignalWarning: Values are those of pictures in [0, 1], where a model works in [-1, 1].
    """
    told = frozenset(told)
    for name, value in batch.items():
        domain = domains[name]
        if value.numel() == 0:
            raise SignalError(
                f"{name!r} holds no values: its shape is {tuple(value.shape)}; a batch has one sample or more"
            )
        low, high = (bound.item() for bound in torch.aminmax(value.detach().float()))
        if not (isfinite(low) and isfinite(high)):
            raise SignalError(f"{name!r} holds NaN or infinite values: look at the data that makes it")
        seen = f"{name!r} is {domain}, its values go from {low:.4g} to {high:.4g}"
        if domain.bounds is not None:
            _check_range(seen, domain, low, high)
        elif isinstance(domain, Mask) and not -1e-3 <= low <= high <= 1 + 1e-3:
            raise SignalError(f"{seen}: a mask is 1 inside its region and 0 outside{_of_bytes(high)}")
        elif isinstance(domain, Label) and name in told:
            sums = value.sum(1)
            if low < 0 or not torch.allclose(sums, torch.ones_like(sums), atol=1e-3):
                raise SignalError(
                    f"{name!r} is {domain} and the target of a cross entropy, but its rows do not sum to 1: for "
                    f"several classes at once use the criterion 'binary_cross_entropy' and a Vector({domain.channels})"
                )


def _check_range(seen: str, domain: Domain, low: float, high: float) -> None:
    kind = type(domain).__name__
    mend = f"bring them from {domain.bounds} to [-1, 1] by {domain}.normalize"
    if low < -1.5 or high > 1.5:
        raise SignalError(f"{seen}: a model works in [-1, 1]{_of_bytes(high)}, then {mend}")
    if 0 <= low <= 0.05 and high > 0.5:
        warn(
            f"{seen}: no value is below 0, where a model works in [-1, 1]; if this {kind} is in its own range, {mend}",
            SignalWarning,
        )


def _of_bytes(high: float) -> str:
    return "; divide bytes by 255" if high > 2 else ""
