"""Bad input ends in one clear line."""

import os
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from cyclekit import CycleKitError
from cyclekit.training import let_first_speak


class UsageError(ValueError):
    """Options that do not go together."""


_EXPECTED = (
    UsageError,
    CycleKitError,
    OSError,
)


def make_folder(folder: Path) -> None:
    """Make a folder to write into, or say why that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(f"--out {folder} cannot be written into: {error.strerror or error}") from error


def first_process() -> bool:
    """Whether this is the process that speaks, of several."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def clear_errors(again: str = "the same command with --resume") -> Generator[None]:
    """Turn what a user can mend into one line and a non-zero exit; everything else keeps its traceback.

    Args:
        again: What goes on after an interruption.
    """
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(f"interrupted; {again} goes on from the last checkpoint")
    except _EXPECTED as error:
        let_first_speak()
        named = isinstance(error, OSError) and error.filename is not None and error.strerror
        said = f"{error.filename}: {error.strerror}" if named else str(error)
        sys.exit(f"error: {' '.join(said.split())}")
