"""Folders that appear whole or not at all, and reading them beside who writes them."""

import hashlib
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path

from cyclekit.errors import FolderError, PretrainedError

SUMS_FILE = "SHA256SUMS"
"""Every other file's checksum, as ``sha256sum`` writes and checks it; written last."""

_COMPLETE = re.compile(r"step-(\d{8,})")
_ASIDE = re.compile(r"\.(step-\d{8,})-old")  # a checkpoint while another takes its place


@contextmanager
def whole_folder(folder: Path) -> Generator[Path]:
    """Give a fresh folder to write into; it takes ``folder``'s place when the block ends without an error.

    A folder that is there already steps aside first, to a name that `standing` knows, so that one of the two
    can be read at every moment. A process that dies meanwhile leaves either, and at most a hidden leftover.

    Raises:
        NotADirectoryError: ``folder`` is a file.
        FolderError: ``folder`` is the working directory, or holds it.
    """
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; choose the name of a folder")
    name, folder = folder, folder.resolve()
    if Path.cwd().is_relative_to(folder):
        raise FolderError(f"{name} is the working directory, or holds it; choose the name of a folder in it")
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = _hidden(folder)
    draft.mkdir()
    try:
        yield draft
        _write_sums(draft)
        for path in (*draft.rglob("*"), draft):
            _flush(path)
        if folder.exists():
            remove(_aside(folder))  # left by a process that died before it could
            _rename(folder, _aside(folder))
        _rename(draft, folder)
        _flush(folder.parent)
        with suppress(OSError):  # a reader may hold it; the next one removes it
            remove(_aside(folder))
    finally:
        shutil.rmtree(draft, ignore_errors=True)  # what the block left behind when it failed


def newest_step(root: Path) -> Path | None:
    """Return the newest of the folders ``step-00000100`` that are whole."""
    names = [path.name for path in root.iterdir()] if root.is_dir() else []
    found = {*filter(_COMPLETE.fullmatch, names), *(aside[1] for aside in map(_ASIDE.fullmatch, names) if aside)}
    return max((root / name for name in found), key=step_of, default=None)


def step_of(folder: Path) -> int:
    """Return 100 of ``step-00000100``."""
    return int(folder.name.removeprefix("step-"))


def standing(folder: Path) -> Path:
    """Return where a folder's files are.

    That is its own name, or the one it has while another takes its place, or the newest of its ``step-...``.
    """
    aside = _aside(folder.resolve())
    if not folder.exists():
        return aside if aside.is_dir() else folder
    newest = newest_step(folder)
    return standing(newest) if newest else folder


def read_files(folder: Path, names: Iterable[str]) -> dict[str, bytes]:
    """Return the contents of some files that were written together, whatever is written meanwhile.

    Raises:
        FileNotFoundError: One is missing, or the file of their checksums.
        PretrainedError: One is damaged.
    """
    names = tuple(names)
    while True:
        before = _identity(folder)
        try:
            return _checked(standing(folder), names)
        except (OSError, ValueError):
            if _identity(folder) == before:
                raise


def remove(folder: Path) -> None:
    """Remove a folder at once: nobody finds half of it under its name, not even after a kill."""
    if folder.is_dir():
        rubbish = _hidden(folder)
        _rename(folder, rubbish)
        shutil.rmtree(rubbish, ignore_errors=True)


def _checked(folder: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    contents: dict[str, bytes] = {}
    for name in (*names, SUMS_FILE):
        if not (folder / name).is_file():
            mend = "; if the other files are as they should be, write it by sha256sum" if name == SUMS_FILE else ""
            raise FileNotFoundError(f"{name} is missing{mend}")
        contents[name] = (folder / name).read_bytes()
    sums = _parsed(contents.pop(SUMS_FILE))
    for name in names:
        if name not in sums:
            raise PretrainedError(f"{folder / SUMS_FILE} cannot be read: it is damaged, and has no checksum of {name}")
        if sums[name] != hashlib.sha256(contents[name]).hexdigest():
            raise PretrainedError(f"{folder / name} cannot be read: it is damaged, as {SUMS_FILE} says")
    return contents


def _parsed(sums: bytes) -> dict[str, str]:
    lines = [line.split(maxsplit=1) for line in sums.decode("utf-8", errors="replace").splitlines()]
    return {line[1].removeprefix("*"): line[0] for line in lines if len(line) == 2}


def _write_sums(folder: Path) -> None:
    lines: list[str] = []
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n")
    (folder / SUMS_FILE).write_text("".join(lines), encoding="utf-8", newline="\n")


def _identity(folder: Path) -> tuple[object, ...]:
    place = standing(folder)
    try:
        found = place.stat()
    except OSError:
        return (place,)
    return place, found.st_ino, found.st_mtime_ns


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}-old")


def _hidden(folder: Path) -> Path:
    return folder.with_name(f".{folder.name.removeprefix('.').removesuffix('-old')}-{secrets.token_hex(8)}")


def _rename(old: Path, new: Path) -> None:
    for pause in (0.01, 0.03, 0.1, 0.3, 0.6):
        try:
            old.rename(new)
        except PermissionError:  # Windows renames no folder while anybody reads a file in it
            time.sleep(pause)
        else:
            return
    old.rename(new)


def _flush(path: Path) -> None:
    """Bring a file to the disk, and a folder where the system does that: Windows opens none."""
    if path.is_file():
        with path.open("r+b") as file:
            os.fsync(file.fileno())
        return
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def whole_file(path: Path, write: Callable[[Path], object]) -> None:
    """Let a file appear whole or not at all.

    Args:
        path: The file.
        write: Writes it under another name that it is given, of the same suffix.
    """
    with tempfile.TemporaryDirectory(prefix=".", dir=path.parent) as folder:
        draft = Path(folder) / path.name
        write(draft)
        os.replace(draft, path)
