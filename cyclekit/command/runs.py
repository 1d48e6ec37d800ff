"""A run's folder, read: its options, its graph, its newest model."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclekit._files import read_files, standing
from cyclekit.command.options import read_yaml
from cyclekit.errors import CheckpointError, CycleKitError, UsageError
from cyclekit.papers import create_paper

if TYPE_CHECKING:
    from cyclekit.graph import CycleGraph
    from cyclekit.model import CycleModel

OPTIONS_FILE = "options.yaml"


@dataclass(frozen=True)
class Run:
    """A run that `cyclekit train` began, or a script of one's own by `cyclekit.training.fit`.

    Args:
        folder: Its folder.
        options: What it was told, with every default worked out.
        chosen: The checkpoint that was asked for, in place of the newest model.
    """

    folder: Path
    options: dict[str, Any]
    chosen: Path | None = None

    @property
    def checkpoint(self) -> Path | None:
        """The checkpoint that was asked for, or the newest."""
        from cyclekit.training import latest_checkpoint

        return self.chosen or latest_checkpoint(self.folder / "checkpoints")

    @property
    def newest(self) -> Path:
        """Where the model is: the checkpoint asked for, the one left at the end, or a checkpoint written later.

        Raises:
            UsageError: It has left none yet.
        """
        if self.chosen is not None:
            return self.chosen
        left = standing(self.folder / "model")
        found = [path for path in (left, self.checkpoint) if path is not None and path.is_dir()]
        if not found:
            raise UsageError(f"{self.folder} holds no model yet: the run was stopped before its first checkpoint")
        return max(found, key=lambda path: path.stat().st_mtime_ns)

    def file(self, name: str) -> Path:
        """Return where a result goes: into the run's folder, named after the checkpoint where one was asked for."""
        path = self.folder / name
        return path if self.chosen is None else path.with_stem(f"{path.stem}-{self.chosen.name}")

    def graph(self) -> "CycleGraph":
        """Return the graph of its newest model.

        Raises:
            PretrainedError: The model is damaged.
        """
        from cyclekit.model.files import read_model

        return read_model(self.newest).graph

    def model(self) -> "CycleModel":
        """Return its newest model, in evaluation mode; its moving average where it keeps one.

        Raises:
            PretrainedError: The model is damaged.
            CheckpointError: The checkpoint is.
        """
        from cyclekit.model import CycleModel

        paper, newest = self.options.get("paper"), self.newest
        own = {} if paper is None else {name: getattr(create_paper(paper), name) for name in ("functions", "criteria")}
        saved = CycleModel.from_pretrained(newest, **own)
        if newest == self.checkpoint and (average := self.part("average")) is not None:
            saved.load_state_dict({name.removeprefix("module."): value for name, value in average.items()})
        return saved

    def part(self, name: str) -> "dict[str, Any] | None":
        """Return the state of a part in its newest checkpoint; nothing where there is no such part.

        Raises:
            CheckpointError: The checkpoint is damaged.
        """
        folder = self.checkpoint
        if folder is None:
            return None
        import torch

        from cyclekit.training.checkpoint import TRAINING_FILE

        try:
            (content,) = read_files(folder, (TRAINING_FILE,)).values()
            state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
            return state["parts"].get(name)
        except Exception as error:  # broken bytes have no exception of their own
            raise CheckpointError(f"{folder / TRAINING_FILE} cannot be read: {error}") from error


def open_run(folder: Path) -> Run:
    """Return the run of a paper in a folder, or that of a checkpoint, ``RUN/checkpoints/step-00000100``.

    Raises:
        UsageError: There is none, or its options cannot be read.
    """
    found = open_fit(folder)
    if "paper" not in found.options:
        raise UsageError(
            f"{found.folder / OPTIONS_FILE} names no paper: a run of a script of one's own is used by that script, or "
            "from Python by CycleModel.from_pretrained; export --web takes it"
        )
    return found


def open_fit(folder: Path) -> Run:
    """Return the run in a folder or of a checkpoint, whether it is a paper's or of a script's own.

    Raises:
        UsageError: There is none, or its options cannot be read.
    """
    chosen = folder if folder.parent.name == "checkpoints" and folder.is_dir() else None
    folder = folder if chosen is None else folder.parents[1]
    file = folder / OPTIONS_FILE
    if not file.is_file():
        around = next((parent for parent in folder.resolve().parents[:2] if (parent / OPTIONS_FILE).is_file()), None)
        begin = f"begin one by cyclekit train --out {folder}"
        raise UsageError(
            f"{folder} holds no run, for it lacks {OPTIONS_FILE}: "
            + (begin if around is None else f"it is part of the run {around}; did you mean that?")
        )
    options = read_yaml(file)
    try:
        if "paper" in options:
            create_paper(options["paper"])
    except (TypeError, CycleKitError) as error:
        raise UsageError(f"{file} cannot be read as a run's options: {error}") from error
    return Run(folder, options, chosen)
