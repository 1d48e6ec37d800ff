"""`cyclekit draw`: a run's samples and curves, whether it ended, was stopped or was killed."""

from dataclasses import dataclass
from pathlib import Path

from accelerate import PartialState

from cyclekit._files import whole_file
from cyclekit.command.evaluate import samples_of
from cyclekit.command.pictures import open_pictures
from cyclekit.command.runs import Run, open_run
from cyclekit.data import SignalDataset
from cyclekit.errors import DataError, UsageError
from cyclekit.training import Curves, sample_picture


@dataclass
class Options:
    """Draw what a run's newest model makes of some samples, and its loss curves, from what the run left."""

    run: Path
    """The run's folder, or one of its checkpoints."""
    rows: int = 6
    """How many samples."""


def run(options: Options) -> None:
    """Draw both."""
    if options.rows < 1:
        raise UsageError(f"--rows {options.rows}: must be 1 or more")
    found = open_run(options.run)
    model = found.model().to(PartialState().device)
    samples = samples_of(_pictures(found), options.rows)
    picture = found.file("samples.png")
    whole_file(picture, sample_picture(model, samples, options.rows).save)
    print(f"{picture}: {found.newest} on {options.rows} samples")
    if (state := found.part("curves")) is None:
        print("there are no curves: the run was stopped before its first checkpoint")
        return
    curves = Curves(model.graph)
    curves.load_state_dict(state)
    picture = found.file("losses.png")
    curves.draw(picture)
    print(f"{picture}: {len(curves.points)} points")
    if curves.watched:
        curves.draw_watched(found.file("watched.png"))


def _pictures(run: Run) -> SignalDataset:
    """Return the pictures to test with, or those to train on where there are no others."""
    try:
        return open_pictures(run, "test")
    except DataError:
        return open_pictures(run, "train")
