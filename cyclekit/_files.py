"""Folders that appear whole or not at all."""

import ctypes
import os
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_HERE = -100  # AT_FDCWD: relative paths start at the working directory
_EXCHANGE = 2  # RENAME_EXCHANGE


@contextmanager
def whole_folder(folder: Path) -> Generator[Path]:
    """Give a fresh folder to write into; it takes ``folder``'s place when the block ends without an error.

    A process that dies meanwhile leaves ``folder`` as it was, and at most a hidden leftover beside it.

    Raises:
        NotADirectoryError: ``folder`` is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; choose the name of a folder")
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.parent / f".{folder.name}-{secrets.token_hex(8)}"
    draft.mkdir()
    try:
        yield draft
        for path in (*draft.rglob("*"), draft):
            _flush(path)
        if folder.exists():
            _exchange(draft, folder)
        else:
            draft.replace(folder)
        _flush(folder.parent)
    finally:
        # What the block left behind when it failed, or the folder whose place was taken.
        shutil.rmtree(draft, ignore_errors=True)


def _exchange(new: Path, old: Path) -> None:
    """Exchange two folders, in one move where system and file system can."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    if rename and rename(_HERE, os.fsencode(new), _HERE, os.fsencode(old), _EXCHANGE) == 0:
        return
    aside = new.with_name(f"{new.name}-old")
    old.replace(aside)
    new.replace(old)
    aside.replace(new)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
