"""How far a run is: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

_SECONDS_BETWEEN_LINES = 60


class Progress:
    """Shows rate, time left and the newest losses; processes other than the first show nothing.

    Args:
        steps: Training steps of the whole run.
        done: Those that were taken before.
        shown: Whether this process shows anything.
    """

    def __init__(self, steps: int, done: int, shown: bool) -> None:
        self._steps, self._begun_at, self._done = steps, done, done
        self._start = time.monotonic()
        self._said_at = -float("inf")
        self._losses = ""
        self._lines = shown and not sys.stdout.isatty()
        self._bar = _bar(steps, done) if shown and sys.stdout.isatty() else None

    def __enter__(self) -> Self:
        """Show the bar."""
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.stop()

    def update(self, done: int, losses: Mapping[str, float] | None = None) -> None:
        """Say how many steps are taken, and the losses where they were read."""
        self._done = done
        if losses:
            self._losses = "  ".join(f"{side} {losses[side]:.3g}" for side in ("G", "D") if side in losses)
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=done, losses=self._losses)
        elif self._lines and losses:
            now = time.monotonic()
            if done == self._steps or now - self._said_at >= _SECONDS_BETWEEN_LINES:
                self._said_at = now
                print(self._line(now), flush=True)

    def _line(self, now: float) -> str:
        rate = (self._done - self._begun_at) / max(now - self._start, 1e-9)
        left = timedelta(seconds=round((self._steps - self._done) / rate)) if rate else "?"
        speed = f"{rate:.2f} steps/s" if rate >= 1 else f"{1 / rate:.2f} s/step" if rate else ""
        return f"step {self._done} of {self._steps}, {speed}, {left} left  {self._losses}"


def _bar(steps: int, done: int) -> Any:
    from rich import progress

    class Rate(progress.ProgressColumn):
        def render(self, task: progress.Task) -> str:
            return f"{task.speed:.2f} steps/s" if task.speed else ""

    columns = (
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        Rate(),
        progress.TimeElapsedColumn(),
        progress.TimeRemainingColumn(),
        progress.TextColumn("{task.fields[losses]}"),
    )
    bar = progress.Progress(*columns)
    bar.add_task("train", total=steps, completed=done, losses="")
    return bar
