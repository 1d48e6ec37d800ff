"""One run at a time in a folder."""

import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from cyclekit.errors import RunInUseError, ShapeError
from cyclekit.training.processes import agree, is_first

LOCK_FILE = ".lock"
_LOCKED_BYTE = 1 << 30  # far behind the text, which Windows lets nobody read where it is locked
_held: set[Path] = set()  # the system's locks do not tell two runs of one process apart


@contextmanager
def run_lock(folder: str | Path) -> Generator[None]:
    """Keep every other run out of a folder while the block runs.

    The system itself holds the lock, and lets it go when the process ends, however that ends: nothing has to be
    cleaned up after a kill. Of several processes of one run the first holds it for all.

    Args:
        folder: The run's folder; made where it is missing. A small hidden file stays in it.

    Yields:
        Nothing.

    Raises:
        RunInUseError: Another run holds it; the message is one line.
        ShapeError: `folder` is no path.
        OSError: The folder cannot be written into.

    Example:
        ```python
        from cyclekit.training import run_lock

        with run_lock("runs/faces"):
            ...  # train, save checkpoints
        ```
    """
    if not isinstance(folder, str | Path):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ShapeError(f"folder: expected a str or a Path, got {type(folder).__name__}")
    path = Path(folder).resolve() / LOCK_FILE
    file, problem = None, None
    if is_first():
        try:
            file = _locked(path, folder)
        except OSError as error:
            problem = error
    agree(problem)
    try:
        yield
    finally:
        if file is not None:
            _held.discard(path)
            file.close()


def _locked(path: Path, folder: str | Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path in _held:
        raise RunInUseError(_in_use(folder, "this very process"))
    file = path.open("a+b")
    try:
        _lock(file)
    except (BlockingIOError, PermissionError) as error:
        file.seek(0)
        owner = file.read(200).decode("utf-8", errors="replace").strip()
        file.close()
        raise RunInUseError(_in_use(folder, owner or "another process")) from error
    except OSError:
        file.close()
        raise
    file.truncate(0)
    file.write(f"process {os.getpid()} on {socket.gethostname()}\n".encode())
    file.flush()
    _held.add(path)
    return file


def _in_use(folder: str | Path, owner: str) -> str:
    return f"{folder} is in use by another run ({owner}): wait for its end, or choose another folder"


if os.name == "nt":  # pragma: no cover
    import msvcrt

    def _lock(file: BinaryIO) -> None:
        file.seek(_LOCKED_BYTE)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: BinaryIO) -> None:
        # Unlike those of flock, these locks are not inherited by a data loader's processes.
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _LOCKED_BYTE)
