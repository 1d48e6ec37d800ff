"""Which checkpoints of a run are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from cyclekit.errors import ArgumentError


class Saved(NamedTuple):
    """What is known of a checkpoint without reading it.

    Attributes:
        time: When it was written, in seconds since 1970.
        score: Of the metric that tells the best, or ``None`` where none was measured.
    """

    time: float
    score: float | None = None


@dataclass(frozen=True, kw_only=True)
class Checkpoints:
    """When checkpoints are written, and which are kept.

    Args:
        minutes: Written when so many have passed since the last one, at the next look at the losses; ``None``:
            not by time. A checkpoint of 1.6 GB every 15 minutes is nothing, every 100 steps it eats the run.
        steps: Written every so many training steps; ``None``: not by steps.
        last: How many of the newest are kept.
        best: A metric's name, as the run's ``metrics`` gives it (``"PSNR"``, ``"C2GAN/PSNR"`` where they are nested):
            the checkpoint with the best value is kept, and it is measured with every checkpoint.
        higher: Whether more of it is better.
        daily: Whether the newest of every day (in UTC) is kept.
        background: Whether a thread writes, from a copy in the host's memory, while training goes on.

    Raises:
        ArgumentError: A number is out of its range.

    Example:
        ```python
        from cyclekit.training import Checkpoints

        keep = Checkpoints(minutes=30, last=3, best="FID", higher=False, daily=True)
        ```
    """

    minutes: float | None = 15.0
    steps: int | None = None
    last: int = 1
    best: str | None = None
    higher: bool = True
    daily: bool = False
    background: bool = True

    def __post_init__(self) -> None:
        for name in ("minutes", "steps", "last"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ArgumentError(f"Checkpoints({name}={value!r}): must be more than 0")

    def kept(self, saved: Mapping[int, Saved]) -> set[int]:
        """Return which checkpoints are kept.

        Args:
            saved: Those that there are, by the training steps taken before them.

        Returns:
            The steps of those that stay. Asked after each new checkpoint or once for all, the answer is the same.
        """
        newest = sorted(saved)
        keep = set(newest[-self.last :])
        if self.daily:
            keep |= {*{datetime.fromtimestamp(saved[step].time, UTC).date(): step for step in newest}.values()}
        if self.best:
            sign = 1 if self.higher else -1
            scored = [(sign * one.score, step) for step, one in saved.items() if one.score is not None]
            keep |= {max(scored)[1]} if scored else set()
        return keep
