"""What a batch must carry."""

from collections.abc import Collection, Iterable, Mapping
from math import isfinite
from typing import TypeAlias

import torch
from torch import Tensor

from cyclekit.errors import SignalError, SignalWarning, warn
from cyclekit.graph import Classes, Comparison, CycleGraph, Domain, Label, Latent, Mask

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
    check_mapping(batch)
    found: dict[str, Tensor] = {}
    for name in names:
        if name not in batch:
            raise SignalError(
                f"the batch carries no {name!r} ({domains[name]}); it carries {', '.join(map(str, batch)) or 'nothing'}"
            )
        found[name] = _fitting(name, batch[name], domains[name], dtype)
        if found[name].numel() == 0:
            raise SignalError(
                f"{name!r} holds no values: its shape is {tuple(batch[name].shape)}; a batch has one sample or more"
            )
    if len({value.device for value in found.values()}) > 1:
        places = ", ".join(f"{name!r} is on {value.device}" for name, value in found.items())
        raise SignalError(f"one batch is on one device, the model's: {places}; move it by .to(...)")
    _check_alike("samples", {name: value.shape[:1] for name, value in found.items()})
    maps = {
        name: value.shape[2:]
        for name, value in found.items()
        if domains[name].spatial and not isinstance(domains[name], Latent)
    }
    _check_alike("pixels (height, width)", maps)
    return found


def check_mapping(batch: Batch) -> None:
    """Raise unless signals come by name."""
    if not isinstance(batch, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise SignalError(f"a batch is a dict of signals by name, {{'x': images, ...}}, got {type(batch).__name__}")


def _fitting(name: str, value: Tensor, domain: Domain, dtype: torch.dtype) -> Tensor:
    if not isinstance(value, Tensor):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise SignalError(f"{name!r} must be a tensor, got {type(value).__name__}")
    if value.layout != torch.strided:
        raise SignalError(f"{name!r} is a sparse tensor: use .to_dense()")
    if isinstance(domain, Label):
        _check_label(name, value, domain)
        if value.ndim == 1:
            return _one_hot(name, value, domain, dtype)
    if isinstance(domain, Classes):
        _check_classes(name, value, domain)
        if value.ndim == 3:
            return _one_hot(name, value, domain, dtype)
    if not value.is_floating_point():
        mend = "use .float()" if domain.bounds is None else f"scale the values to [0, 1] and use {domain}.normalize"
        raise SignalError(f"{name!r} must hold floating-point numbers, got {value.dtype}: {mend}")
    axes = ("batch", "channels", "height", "width") if domain.spatial else ("batch", "channels")
    if value.ndim != len(axes) or value.shape[1] != domain.channels:
        raise SignalError(
            f"{name!r} is {domain}: expected ({', '.join(axes)}) with {domain.channels} channels, "
            f"got {tuple(value.shape)}"
        )
    return value


def _check_classes(name: str, value: Tensor, domain: Classes) -> None:
    """Say how a map of classes is given, where it is given in another way."""
    integer = not value.is_floating_point() and value.dtype != torch.bool
    if (value.ndim == 3 and integer) or (value.ndim == 4 and value.is_floating_point()):
        return
    if value.ndim == 3:
        mend = "classes are integers: use .long()"
    elif value.ndim == 4 and value.shape[1] == 1 and integer:
        mend = "classes have no axis of channels: use .squeeze(1)"
    else:
        mend = "a one-hot map is floating-point: use .float()"
    raise SignalError(
        f"{name!r} is {domain}: expected classes as integers (batch, height, width), or one-hot as floating-point "
        f"numbers (batch, {domain.channels}, height, width); got {value.dtype} of shape {tuple(value.shape)}: {mend}"
    )


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


def _one_hot(name: str, classes: Tensor, domain: Label | Classes, dtype: torch.dtype) -> Tensor:
    count, ignore = domain.channels, getattr(domain, "ignore", None)
    # On an accelerator the range goes unchecked: looking would wait for the device.
    if classes.device.type == "cpu" and not torch.compiler.is_compiling():
        wrong = (classes < 0) | (classes >= count)
        if ignore is not None:
            wrong &= classes != ignore
        if wrong.any():
            beside = "" if ignore is None else f" and {ignore}"
            raise SignalError(
                f"{name!r} is {domain}: expected classes 0 to {count - 1}{beside}, got {classes[wrong][0]:d}"
            )
    known = torch.arange(count, device=classes.device).reshape(1, -1, *[1] * (classes.ndim - 1))
    return (classes[:, None] == known).to(dtype)


def _check_alike(what: str, sizes: Mapping[str, tuple[int, ...]]) -> None:
    first = next(iter(sizes), "")
    for name, size in sizes.items():
        if size != sizes[first]:
            raise SignalError(
                f"one batch has one size: {first!r} has {_by(sizes[first])} {what} and {name!r} {_by(size)}"
            )


def _by(size: tuple[int, ...]) -> str:
    return "x".join(map(str, size))


def check_dtypes(batch: Batch, dtypes: Collection[torch.dtype]) -> None:
    """Check that signals are of a type that the model's weights have, or that autocast brings there.

    Raises:
        SignalError: One is not.
    """
    for name, value in batch.items():
        cast = torch.is_autocast_enabled(value.device.type) and value.dtype != torch.float64
        if value.dtype not in dtypes and not cast:
            got, wanted = (str(dtype).removeprefix("torch.") for dtype in (value.dtype, min(dtypes, key=str)))
            mend = {"float32": "float", "float64": "double", "float16": "half"}.get(wanted, wanted)
            raise SignalError(f"{name!r} is {got} and the model's weights {wanted}: use .{mend}()")


def check_values(batch: Batch, graph: CycleGraph) -> None:
    """Look at the values of a batch, once: it waits for the device.

    Args:
        batch: The signals of a batch by name, as `checked_signals` returned them.
        graph: Says what they are, and what terms do with them.

    Raises:
        SignalError: Values are not finite or out of any range a model works in.

    Warns:
        SignalWarning: Values are those of pictures in [0, 1], where a model works in [-1, 1].
    """
    comparisons = [term for term in graph.terms if isinstance(term, Comparison)]
    told = {term.target for term in comparisons if term.criterion == "cross_entropy"}
    attributes = {term.target for term in comparisons if term.criterion == "binary_cross_entropy"}
    flags = {term.where for term in comparisons}
    for name, value in batch.items():
        domain = graph.domains[name]
        if value.is_meta:
            raise SignalError(f"{name!r} is on the device 'meta', where tensors hold no values: move it by .to(...)")
        low, high = (bound.item() for bound in torch.aminmax(value.detach().float()))
        if not (isfinite(low) and isfinite(high)):
            raise SignalError(f"{name!r} holds NaN or infinite values: look at the data that makes it")
        seen = f"{name!r} is {domain}, its values go from {low:.4g} to {high:.4g}"
        if name in flags and ((value != 0) & (value != 1)).any():
            raise SignalError(f"{seen}: it tells which samples have what a term needs, by 1, and which have not, by 0")
        if name in attributes and not -1e-3 <= low <= high <= 1 + 1e-3:
            raise SignalError(
                f"{seen}: the target of a binary cross entropy is 1 where an attribute holds, 0 elsewhere"
            )
        if domain.bounds is not None:
            _check_range(seen, domain, low, high)
        elif isinstance(domain, Mask) and not -1e-3 <= low <= high <= 1 + 1e-3:
            raise SignalError(f"{seen}: a mask is 1 inside its region and 0 outside{_of_bytes(high)}")
        elif isinstance(domain, Classes) and name in told:
            sums = value.sum(1)
            if low < 0 or not torch.allclose(sums * (sums - 1), torch.zeros_like(sums), atol=1e-3):
                raise SignalError(
                    f"{name!r} is {domain} and the target of a cross entropy: expected one class a pixel, as integers "
                    "(batch, height, width) or one-hot, or none at all"
                )
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
