"""Drawn pictures as data to train on."""

from collections.abc import Mapping

from torch import Tensor

from cyclekit.data import SignalDataset
from cyclekit.graph import Domain


class Drawn(SignalDataset):
    """Signals held in memory, in one or more sides that are independent of each other.

    Args:
        signals: The domain of each signal.
        *sides: Signals that belong together, by name, as many of each; pictures as bytes, labels as integers.
    """

    def __init__(self, signals: Mapping[str, Domain], *sides: Mapping[str, Tensor]) -> None:
        self.sides = sides
        self.signals = {name: signals[name] for side in sides for name in side}

    @property
    def lengths(self) -> tuple[int, ...]:
        """How many samples each side has."""
        return tuple(len(next(iter(side.values()))) for side in self.sides)

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """The signals of each side."""
        return tuple(map(tuple, self.sides))

    def __len__(self) -> int:
        """Return the number of samples of the longest side."""
        return max(self.lengths)

    def __getitem__(self, index: int | tuple[int, ...]) -> dict[str, Tensor]:
        """Return a sample, of each side one."""
        if isinstance(index, int):
            if not 0 <= index < len(self):
                raise IndexError(index)
            index = tuple(index % length for length in self.lengths)
        return {
            name: values[number]
            for side, number in zip(self.sides, index, strict=True)
            for name, values in side.items()
        }
