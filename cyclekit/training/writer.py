"""A run's checkpoints: written off the critical path, and those kept that shall be."""

import time
from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from typing import Any

from cyclekit._files import newest_step
from cyclekit.model import CycleModel
from cyclekit.training.checkpoint import Snapshot, Stateful, take_snapshot, write_snapshot
from cyclekit.training.keeping import Checkpoints, Saved
from cyclekit.training.processes import agree, is_first


class CheckpointWriter:
    """Writes a run's checkpoints; one of their parts itself, since they say what is kept.

    Args:
        root: The folder that holds them.
        when: When they are written, and which are kept.
    """

    def __init__(self, root: Path, when: Checkpoints) -> None:
        self._root = root
        self._when = when
        self._saved: dict[int, Saved] = {}
        self._since = time.monotonic()
        self._thread: Thread | None = None
        self._problem: Exception | None = None

    @property
    def late(self) -> bool:
        """Whether the time for the next one has come."""
        return self._when.minutes is not None and time.monotonic() - self._since >= 60 * self._when.minutes

    def is_due(self, iteration: int) -> bool:
        """Return whether one is written at a step, whatever the time."""
        return self._when.steps is not None and iteration % self._when.steps == 0

    def save(
        self, iteration: int, model: CycleModel, parts: Mapping[str, Stateful], score: float | None = None
    ) -> None:
        """Copy the state, and write it while training goes on. Of several processes every one calls this.

        Raises:
            OSError: This one, or the one before it, could not be written; all processes raise it.
            TrainingDivergedError: Something is not finite; nothing is written.
        """
        self.wait()
        self._saved[iteration] = Saved(time.time(), score)
        snapshot = take_snapshot(iteration, model, parts, copied=self._when.background)
        self._saved = {step: self._saved[step] for step in self._when.kept(self._saved)}
        if is_first():
            self._thread = Thread(target=self._write, args=(snapshot, {*self._saved}), name="checkpoint")
            self._thread.start()
        if not self._when.background:
            self.wait()
        self._since = time.monotonic()

    def wait(self) -> None:
        """Wait until what was begun is written.

        Raises:
            OSError: It could not be; all processes raise it.
        """
        self._join()
        problem, self._problem = self._problem, None
        agree(problem)

    @property
    def newest(self) -> Path | None:
        """The newest that is whole, once what was begun is written."""
        self._join()
        return newest_step(self._root)

    def state_dict(self) -> dict[str, Any]:
        """Return what is known of the checkpoints that are kept."""
        return {"saved": {step: list(saved) for step, saved in self._saved.items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` returned."""
        self._saved = {step: Saved(*saved) for step, saved in state["saved"].items()}

    def _join(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _write(self, snapshot: Snapshot, kept: set[int]) -> None:
        try:
            write_snapshot(self._root, snapshot, kept)
        except Exception as error:  # said by the next `wait`
            self._problem = error
