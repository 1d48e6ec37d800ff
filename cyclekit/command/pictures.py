"""The pictures that a run was trained on, or was not."""

from pathlib import Path

from cyclekit.command.folders import Reading, Split, find_material
from cyclekit.command.runs import OPTIONS_FILE, Run
from cyclekit.command.sizes import size_of
from cyclekit.data import SignalDataset
from cyclekit.errors import UsageError


def open_pictures(run: Run, split: Split, data: Path | None = None) -> SignalDataset:
    """Return a run's pictures, read as the run read them.

    Args:
        run: The run.
        split: Those to train on, or those to test with.
        data: A folder in the layout of the run's; the run's own by default.

    Raises:
        UsageError: The run's options do not say how.
        DataError: The pictures are not there.
    """
    told = run.options
    try:
        reading = Reading(
            told["fit"], told["direction"], told["panels"], tuple(told["attributes"]), bool(told["exclusive"])
        )
        folder, size = data or Path(str(told["data"])), size_of(told["size"])
    except (KeyError, TypeError) as error:
        raise UsageError(f"{run.folder / OPTIONS_FILE} does not say how pictures are read: {error}") from error
    if size is None:
        raise UsageError(f"{run.folder / OPTIONS_FILE} does not say at which size pictures are read")
    return find_material(str(told["paper"]), folder, reading, told.get("channels")).open(split, size)
