"""Which samples a step trains on: from the seed and the step alone."""

import hashlib
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.utils.data import Sampler

from cyclekit._typed import typed
from cyclekit.data.dataset import Index
from cyclekit.errors import ArgumentError


class ResumableBatches(Sampler[list[Index]]):
    """Batches of shuffled indices without end, that can begin at any step and be dealt to any number of processes.

    Each side runs through its samples in a new order every time, and a batch goes on over the end of a run, so that
    every sample is seen as often as any other. What all processes see together at a step is what one process with
    as many times the batch would see.

    Args:
        lengths: How many samples there are; or, of sides that are drawn independently, how many each has.
        batch_size: Samples of one process at one step.
        seed: The order follows from it.
        start: The step to begin at.
        processes: How many processes train.
        process: Which of them this one is, from 0.

    Raises:
        ArgumentError: A number is out of its range.

    Example:
        ```python
        from itertools import islice
        from cyclekit.data import ResumableBatches

        unbroken = list(islice(ResumableBatches(10, batch_size=4), 6))
        resumed = list(islice(ResumableBatches(10, batch_size=4, start=3), 3))
        assert resumed == unbroken[3:]
        ```
    """

    @typed
    def __init__(
        self,
        lengths: int | Sequence[int],
        batch_size: int,
        *,
        seed: int = 0,
        start: int = 0,
        processes: int = 1,
        process: int = 0,
    ) -> None:
        self._bare = isinstance(lengths, int)
        self.lengths = (lengths,) if isinstance(lengths, int) else tuple(lengths)
        if not self.lengths or min(self.lengths) < 1:
            raise ArgumentError(f"lengths must each be 1 or more; got {lengths}")
        if batch_size < 1 or start < 0:
            raise ArgumentError(f"batch_size must be 1 or more and start 0 or more; got {batch_size} and {start}")
        if not 0 <= process < processes:
            raise ArgumentError(f"process must be from 0 to processes - 1; got process {process} of {processes}")
        self.batch_size = batch_size
        self.seed = seed
        self.start = start
        self.processes = processes
        self.process = process
        self._orders: dict[int, tuple[int, list[int]]] = {}

    @typed
    def __iter__(self) -> Iterator[list[Index]]:
        """Yield this process's batches from the step `start` on."""
        whole = self.batch_size * self.processes
        place = self.start * whole + self.process * self.batch_size
        while True:
            places = range(place, place + self.batch_size)
            sides = [[self._at(side, at) for at in places] for side in range(len(self.lengths))]
            yield list(sides[0]) if self._bare or len(sides) == 1 else list(zip(*sides, strict=True))
            place += whole

    def _at(self, side: int, place: int) -> int:
        """Return which sample of a side stands at a place of its endless order."""
        run, place = divmod(place, self.lengths[side])
        if self._orders.get(side, (-1,))[0] != run:
            random = torch.Generator().manual_seed(mixed_seed(self.seed, side, run))
            self._orders[side] = (run, torch.randperm(self.lengths[side], generator=random).tolist())
        return self._orders[side][1][place]


class StepRandom:
    """The random numbers of one step's batch, the same however many processes share it.

    Numbers are drawn on the CPU for the samples of all processes, of which each takes its own: so nothing depends on
    the device, and nothing waits for it.

    Args:
        seed: The run's seed.
        step: The training step.
        batch_size: Samples of one process.
        processes: How many processes train.
        process: Which of them this one is, from 0.
    """

    def __init__(self, seed: int, step: int, batch_size: int, processes: int = 1, process: int = 0) -> None:
        self.batch_size = batch_size
        self._all = batch_size * processes
        self._own = slice(process * batch_size, (process + 1) * batch_size)
        self._generator = torch.Generator().manual_seed(mixed_seed(seed, "transform", step))

    def uniform(self, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Draw a number for each sample.

        Args:
            low: The least.
            high: The greatest.

        Returns:
            A number for each of this process's samples, shape (batch,), on the CPU.
        """
        return low + (high - low) * torch.rand(self._all, generator=self._generator)[self._own]


def mixed_seed(*parts: int | str) -> int:
    """Return one seed for a tuple of numbers; no two tuples share theirs but by the rarest chance."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1
