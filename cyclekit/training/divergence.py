"""Noticing that a training has diverged, without waiting for the device in every step."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from cyclekit.errors import TrainingDivergedError

_NEVER = torch.iinfo(torch.int64).max
_MEND = (
    "go on from the last checkpoint with a lower learning rate, and look at the batches for values out of range or NaN"
)


class LossWatch:
    """Keeps on the device in which iteration a loss first was not finite."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, ...], Tensor] = {}

    def note(self, losses: Mapping[str, Tensor], iteration: int) -> None:
        """Look at a step's losses without reading them.

        Args:
            losses: Scalars by name.
            iteration: The step's number.
        """
        if losses:
            names = tuple(losses)
            finite = torch.stack(list(losses.values())).isfinite()
            first = self._first.get(names)
            if first is None:
                first = torch.full_like(finite, _NEVER, dtype=torch.int64)
            self._first[names] = torch.where(finite, first, first.clamp(max=iteration))

    def check(self) -> None:
        """Read what was noted.

        Raises:
            TrainingDivergedError: A loss was not finite.
        """
        first_bad: dict[str, int] = {}
        for names, noted in self._first.items():
            for name, first in zip(names, noted.tolist(), strict=True):
                if first < first_bad.get(name, _NEVER):
                    first_bad[name] = first
        if first_bad:
            # A term says more than the total it is a part of.
            name = min(first_bad, key=lambda name: (first_bad[name], name.endswith("/total")))
            first = first_bad[name]
            raise TrainingDivergedError(f"the loss {name!r} is not finite since training step {first + 1}: {_MEND}")

    def clear(self) -> None:
        """Forget what was noted."""
        self._first.clear()


def check_finite(state: Mapping[str, Any]) -> None:
    """Check that every tensor of a state is finite, with one look at each device.

    Args:
        state: By whose they are, tensors in dicts, lists and tuples.

    Raises:
        TrainingDivergedError: One is not; the message names it.
    """
    finite: dict[torch.device, dict[str, Tensor]] = {}
    for name, tensor in _tensors(state, ()):
        finite.setdefault(tensor.device, {})[name] = tensor.isfinite().all()
    for flags in finite.values():
        for name, good in zip(flags, torch.stack(list(flags.values())).tolist(), strict=True):
            if not good:
                raise TrainingDivergedError(f"{name} is not finite, and is not written: {_MEND}")


def _tensors(value: object, path: tuple[str, ...]) -> Iterator[tuple[str, Tensor]]:
    if isinstance(value, Tensor):
        if value.is_floating_point() or value.is_complex():
            yield f"{path[0]} {'.'.join(path[1:])}", value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _tensors(part, (*path, str(key)))
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for index, part in enumerate(value):
            yield from _tensors(part, (*path, str(index)))
