"""What a batch must carry."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import torch
from torch import Tensor

from cyclekit.errors import SignalError
from cyclekit.graph import Domain, Label, Latent

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
    if isinstance(domain, Label) and value.ndim == 1 and not value.is_floating_point():
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
