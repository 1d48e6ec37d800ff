"""Bad input ends in one clear line."""

import os
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from cyclekit import CycleKitError


class UsageError(ValueError):
    """Options that do not go together."""


class DataError(ValueError):
    """Data that is not there, or not as it should be: the message names the folder or file, and the mend."""


_EXPECTED = (
    UsageError,
    DataError,
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


@contextmanager
def clear_errors() -> Generator[None]:
    """Turn what a user can mend into one line and a non-zero exit; everything else keeps its traceback."""
    try:
        yield
    except KeyboardInterrupt:
        sys.exit("interrupted; the same command with --resume goes on from the last checkpoint")
    except _EXPECTED as error:
        first = os.environ.get("RANK", "0") == "0"  # of several processes one says it
        sys.exit(f"error: {' '.join(str(error).split())}" if first else 1)
