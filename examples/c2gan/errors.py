"""Bad input ends in one clear line."""

from collections.abc import Generator
from contextlib import contextmanager
import sys

from cyclekit import GraphError
from cyclekit.model import SignalError
from cyclekit.nets import ImageSizeError, OptionError
from cyclekit.training import CheckpointError
from examples.c2gan.data import DataError


class UsageError(ValueError):
    """Options that do not go together."""


_EXPECTED = (UsageError, DataError, GraphError, SignalError, ImageSizeError, OptionError, CheckpointError, OSError, ValueError)


@contextmanager
def clear_errors() -> Generator[None]:
    """Turn what a user can mend into one line and a non-zero exit; everything else keeps its traceback."""
    try:
        yield
    except KeyboardInterrupt:
        sys.exit("interrupted; the same command with --resume goes on from the last checkpoint")
    except _EXPECTED as error:
        sys.exit(f"error: {' '.join(str(error).split())}")
