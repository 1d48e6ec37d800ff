"""The history pool: a discriminator also meets what the generators made some time ago."""

from collections.abc import Mapping, Sequence
from itertools import count, takewhile
from typing import TypeAlias

import torch
from jaxtyping import Int, Shaped
from torch import Tensor, nn

from cyclekit._typed import typed
from cyclekit.errors import ArgumentError, CheckpointError

Sample: TypeAlias = Shaped[Tensor, "batch ..."] | tuple[Shaped[Tensor, "_ ..."], ...]

_SLOT_BITS = 2**62 - 1


def _shifted(bits: Tensor, places: int) -> Tensor:
    """Shift right without the sign."""
    return (bits >> places) & (2 ** (64 - places) - 1)


def _splitmix64(seed: Tensor, position: Tensor) -> Tensor:
    """Return 64 random bits for each position of the sequence that a seed begins.

    A sequence that can be entered anywhere needs no state beside the count. Unlike `torch.Generator` it gives
    the same numbers on every device, goes on when a checkpoint moves to another one, and compiles.

    Source: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators"; int64 wraps around.
    """
    bits = seed + (position + 1) * -0x61C8864680B583EB
    bits = (bits ^ _shifted(bits, 30)) * -0x40A7B892E31B1A47
    bits = (bits ^ _shifted(bits, 27)) * -0x6B2FB644ECCEEE15
    return bits ^ _shifted(bits, 31)


class HistoryPool(nn.Module):
    """A store of generated samples, from which a discriminator gets either the new ones or older ones.

    The samples of a batch are taken in order. While the pool is not full, each is stored and comes back
    itself. After that, with probability 1/2, a stored sample drawn uniformly comes back and the new one takes
    its place; otherwise the new one comes back and is not stored. A batch may be larger than the pool.

    The state is tensors: `size` rows for every tensor of a sample, allocated at the first call (or by
    `load_state_dict`), the seed, and the number of samples seen, from which the random choices follow. So a
    resumed pool goes on with the same sequence, on any device, and no call waits for the device. Keep the
    pool out of what `DistributedDataParallel` wraps, which would overwrite every process's samples with the
    first's.

    Args:
        size: Samples to hold; 0 hands every sample through.
        seed: Begins the sequence of random choices; a whole number of 64 bits, negative ones included.

    Raises:
        ShapeError: `size` or `seed` is no whole number.
        ArgumentError: `size` is negative, or `seed` has more than 64 bits.

    Source:
        Shrivastava et al. 2017, section 2.3; `util/image_pool.py` of `junyanz/pytorch-CycleGAN-and-pix2pix`.

    Example:
        ```python
        import torch
        from cyclekit.pool import HistoryPool

        pool = HistoryPool(size=50)
        fake, condition = torch.rand(4, 3, 8, 8), torch.rand(4, 18, 8, 8)
        fake, condition = pool((fake, condition))
        ```
    """

    seed: Int[Tensor, ""]
    seen: Int[Tensor, ""]

    @typed
    def __init__(self, size: int = 50, seed: int = 0) -> None:
        super().__init__()
        if size < 0:
            raise ArgumentError(f"size: got {size}, expected 0 (no pool) or more")
        if not -(2**63) <= seed < 2**63:
            raise ArgumentError(f"seed: got {seed}, expected a whole number of 64 bits, -2**63 to 2**63 - 1")
        self.size = size
        self._tensors = 0
        self.register_buffer("seed", torch.tensor(seed, dtype=torch.int64))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self.register_load_state_dict_pre_hook(self._make_room)  # pyright: ignore[reportUnknownMemberType]

    @typed
    def forward(self, sample: Sample) -> Sample:
        """Exchange a batch of samples with the pool.

        Args:
            sample: New samples, of any shape and dtype behind the batch axis; a tuple of tensors stays
                together.

        Returns:
            New and older samples in the same structure, detached.

        Raises:
            ArgumentError: The samples differ from the stored ones in number of tensors, shape, dtype or device,
                or the tensors of a tuple differ in batch size.
        """
        parts = tuple(part.detach() for part in ((sample,) if isinstance(sample, Tensor) else sample))
        if not parts:
            raise ArgumentError("sample: got an empty tuple, expected a tensor, or a tuple of one or more")
        if len({len(part) for part in parts}) > 1:
            shapes = [tuple(part.shape) for part in parts]
            raise ArgumentError(f"sample: got tensors of shapes {shapes}, expected the same batch size for all")
        if self.size and parts and len(parts[0]):
            parts = self._exchange(parts)
        return parts[0] if isinstance(sample, Tensor) else parts

    def extra_repr(self) -> str:
        """Return the size, for `print`."""
        return f"size={self.size}"

    def _exchange(self, parts: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        if not self._tensors:
            self.to(parts[0].device)
            self._allocate(parts)
        stored = [self.get_buffer(f"stored_{index}") for index in range(self._tensors)]
        if (got := _kinds(parts)) != (held := _kinds(stored)):
            raise ArgumentError(
                f"sample: got {' and '.join(got)}, but this pool holds {' and '.join(held)}; "
                "make a pool for each kind of sample, and move it with .to() when the model moves"
            )
        order = torch.arange(len(parts[0]), device=parts[0].device)
        position = self.seen + order
        draw = _splitmix64(self.seed, position)
        filling = position < self.size
        slot = torch.where(filling, position, (draw & _SLOT_BITS) % self.size)
        swaps = ~filling & (draw < 0)

        # writer[i, j] is j where sample j goes to sample i's slot and -1 elsewhere, so that the largest is
        # the last to write there; -1 stands for the row that the pool holds already.
        shares_slot = (slot[:, None] == slot) & (filling | swaps)
        writer = torch.where(shares_slot, order, -1)
        last = writer.amax(1)
        previous = torch.where(order < order[:, None], writer, -1).amax(1)

        exchanged: list[Tensor] = []
        for part, memory in zip(parts, stored, strict=True):
            held_rows = memory[slot]
            column = (-1,) + (1,) * (part.ndim - 1)
            older = torch.where((previous >= 0).view(column), part[previous], held_rows)
            # Several rows may go to one slot: they are equal then, so that their order does not matter.
            memory[slot] = torch.where((last >= 0).view(column), part[last], held_rows)
            exchanged.append(torch.where(swaps.view(column), older, part))
        self.seen += len(order)
        return tuple(exchanged)

    def _allocate(self, samples: Sequence[Tensor]) -> None:
        for index in range(self._tensors):
            delattr(self, f"stored_{index}")
        for index, sample in enumerate(samples):
            rows = torch.zeros(self.size, *sample.shape[1:], dtype=sample.dtype, device=self.seen.device)
            self.register_buffer(f"stored_{index}", rows)
        self._tensors = len(samples)

    @staticmethod
    def _make_room(pool: "HistoryPool", state_dict: Mapping[str, Tensor], prefix: str, *_: object) -> None:
        """Allocate as a saved state needs, which may be that of an empty pool."""
        names = takewhile(state_dict.__contains__, (f"{prefix}stored_{index}" for index in count()))
        rows = [state_dict[name] for name in names]
        for row in rows:
            if not isinstance(row, Tensor) or row.ndim < 1 or len(row) != pool.size:  # pyright: ignore[reportUnnecessaryIsInstance]
                got = f"{len(row)} samples" if isinstance(row, Tensor) and row.ndim else type(row).__name__  # pyright: ignore[reportUnnecessaryIsInstance]
                raise CheckpointError(f"the state is another pool's: it holds {got}, and this one {pool.size}")
        pool._allocate(rows)


def _kinds(tensors: Sequence[Tensor]) -> list[str]:
    return [f"{one.dtype} of shape {tuple(one.shape[1:])} on {one.device}" for one in tensors]
