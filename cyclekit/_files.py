"""Folders that appear whole or not at all."""

import os
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_folder(folder: Path) -> Generator[Path]:
    """Give a fresh folder to write into; it takes ``folder``'s place when the block ends without an error.

    A folder that is there already steps aside first, to a name that `standing` knows, so that one of the two
    can be read at every moment. A process that dies meanwhile leaves either, and at most a hidden leftover.

    Raises:
        NotADirectoryError: ``folder`` is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; choose the name of a folder")
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = _hidden(folder)
    draft.mkdir()
    try:
        yield draft
        for path in (*draft.rglob("*"), draft):
            _flush(path)
        if folder.exists():
            remove(_aside(folder))  # left by a process that died before it could
            folder.rename(_aside(folder))
        draft.rename(folder)
        _flush(folder.parent)
        remove(_aside(folder))
    finally:
        shutil.rmtree(draft, ignore_errors=True)  # what the block left behind when it failed


def standing(folder: Path) -> Path:
    """Return where a folder's files are: its own name, or the one it has while another takes its place."""
    aside = _aside(folder.resolve())
    return aside if not folder.exists() and aside.is_dir() else folder


def remove(folder: Path) -> None:
    """Remove a folder at once: nobody finds half of it under its name, not even after a kill."""
    if folder.is_dir():
        rubbish = _hidden(folder)
        folder.rename(rubbish)
        shutil.rmtree(rubbish, ignore_errors=True)


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}-old")


def _hidden(folder: Path) -> Path:
    return folder.with_name(f".{folder.name.lstrip('.').removesuffix('-old')}-{secrets.token_hex(8)}")


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
