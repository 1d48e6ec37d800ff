"""Drawn pairs: every identity in several states, every ordered pair of its states, drawn when it is first asked for."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor
from torch.utils.data import Dataset

from cyclekit.data import DataError, Drawing

IDENTITIES = {"train": 200, "test": 32}
STATES = {"train": 8, "test": 4}


class EmbeddedPairs(Dataset[dict[str, Tensor]], ABC):
    """Pairs (x, y) of one identity in two states, with both states' keypoints.

    Args:
        split: ``"train"`` or ``"test"``; no identity is in both.
        size: Height and width.
        identities: How many; by default 200 to train and 32 to test.
        seed: Everything follows from it.

    Raises:
        DataError: There is no such split, or no identity is asked for.
    """

    identity_numbers: int
    state_numbers: int

    def __init__(self, split: str, size: tuple[int, int], *, identities: int | None = None, seed: int = 0) -> None:
        if split not in IDENTITIES:
            raise DataError(f"the embedded data has the splits {', '.join(IDENTITIES)}, got {split!r}")
        count = IDENTITIES[split] if identities is None else identities
        if count < 1:
            raise DataError(f"identities must be 1 or more, got {count}")
        self.size = size
        self.states = STATES[split]
        numbers = [self._numbers(seed, split, identity) for identity in range(count)]
        self._traits = torch.cat([identity for identity, _ in numbers])
        self._states = torch.cat([state for _, state in numbers])
        self._drawn: dict[int, tuple[Tensor, Tensor]] = {}
        self.points, self.visible = self.joints(self._traits, self._states)
        """Joints of every drawing, (drawings, joints, 2) in pixels, and which show; `drawings_of` has the order."""

    @abstractmethod
    def joints(self, identity: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return joints (batch, joints, 2) in pixels, and which of them are visible."""

    @abstractmethod
    def draw(self, identity: Tensor, state: Tensor) -> Tensor:
        """Return pictures (batch, 3, h, w) in [0, 1]."""

    @property
    @abstractmethod
    def drawing(self) -> Drawing:
        """How joints become pictures or heatmaps."""

    def __len__(self) -> int:
        """Return the number of ordered pairs."""
        return len(self._states) * (self.states - 1)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Return ``x``, ``y``, ``Lx`` and ``Ly`` in [-1, 1]."""
        (x, Lx), (y, Ly) = map(self._drawing, self.drawings_of(index))
        return {"x": _signed(x), "y": _signed(y), "Lx": _signed(Lx), "Ly": _signed(Ly)}

    def drawings_of(self, index: int) -> tuple[int, int]:
        """Return which drawings are x and y of a pair."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        x, other = divmod(index, self.states - 1)
        identity, state = divmod(x, self.states)
        return x, identity * self.states + (state + 1 + other) % self.states

    def _drawing(self, number: int) -> tuple[Tensor, Tensor]:
        """Return a picture and its keypoints as bytes; what one identity does is drawn together, and kept."""
        identity, state = divmod(number, self.states)
        if identity not in self._drawn:
            own = slice(identity * self.states, (identity + 1) * self.states)
            pictures = self.draw(self._traits[own], self._states[own])
            keypoints = self.drawing.draw(self.points[own], self.visible[own], self.size)
            self._drawn[identity] = _bytes(pictures), _bytes(keypoints)
        pictures, keypoints = self._drawn[identity]
        return pictures[state], keypoints[state]

    def _numbers(self, seed: int, split: str, identity: int) -> tuple[Tensor, Tensor]:
        """Return an identity's traits in [0, 1], once for each state, and the states in [-1, 1]."""
        side = list(IDENTITIES).index(split)
        random = torch.Generator().manual_seed((seed * len(IDENTITIES) + side) * 1_000_003 + identity)
        traits = torch.rand(1, self.identity_numbers, generator=random)
        states = torch.rand(self.states, self.state_numbers, generator=random) * 2 - 1
        return traits.expand(self.states, -1), states


def _bytes(picture: Tensor) -> Tensor:
    return (picture * 255).round().byte()


def _signed(picture: Tensor) -> Tensor:
    return picture.float() / 127.5 - 1
