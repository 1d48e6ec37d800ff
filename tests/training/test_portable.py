"""Saving where the system refuses what Linux does."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from cyclekit import CycleModel
from cyclekit.training import load_checkpoint, save_checkpoint
from tests.training.damaging import trained
from tests.training.small import assert_equal


def no_folder_is_opened(monkeypatch):
    """As on Windows."""
    opened = os.open

    def refusing(path, *args, **kwargs):
        if Path(path).is_dir():
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", refusing)
    monkeypatch.setattr(shutil, "_use_fd_functions", False)  # nor does rmtree there


def no_folder_is_flushed(monkeypatch):
    """As on some network file systems."""
    flushed = os.fsync

    def refusing(descriptor):
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(errno.EINVAL, "Invalid argument")
        return flushed(descriptor)

    monkeypatch.setattr(os, "fsync", refusing)


def only_what_may_be_written_is_flushed(monkeypatch):
    """As on Windows, where fsync of a file that is open for reading is refused."""
    flushed = os.fsync

    def refusing(descriptor):
        with open(f"/proc/self/fdinfo/{descriptor}") as info:
            flags = int(next(line for line in info if line.startswith("flags")).split()[1], 8)
        if flags & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")
        return flushed(descriptor)

    monkeypatch.setattr(os, "fsync", refusing)


def a_reader_is_there_at_first(monkeypatch):
    """As on Windows, where no folder is renamed while a file in it is open."""
    renamed, tries = Path.rename, {}

    def refusing(path, other):
        tries[path] = tries.get(path, 0) + 1
        if tries[path] < 3:
            raise PermissionError(errno.EACCES, "Access is denied", str(path))
        return renamed(path, other)

    monkeypatch.setattr(Path, "rename", refusing)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors are looked up in /proc")
@pytest.mark.parametrize(
    "refuse",
    [no_folder_is_opened, no_folder_is_flushed, only_what_may_be_written_is_flushed, a_reader_is_there_at_first],
)
def test_checkpoints_and_models_are_saved(refuse, monkeypatch, tmp_path):
    model, parts = trained()
    refuse(monkeypatch)
    for _ in range(2):
        folder = save_checkpoint(tmp_path / "run", 1, model, parts)
        model.save_pretrained(tmp_path / "model")
    assert load_checkpoint(folder, model, parts) == 1
    assert_equal(CycleModel.from_pretrained(tmp_path / "model").state_dict(), model.state_dict())
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_dir()) == ["model", "run", "step-00000001"]


def test_an_error_of_the_disk_is_not_suppressed(monkeypatch, tmp_path):
    model, parts = trained()

    def failing(descriptor):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(OSError, match="Input/output error"):
        save_checkpoint(tmp_path / "run", 1, model, parts)
    assert list((tmp_path / "run").iterdir()) == []


def test_all_files_may_be_read_by_the_same_people(tmp_path):
    model, parts = trained()
    folder = save_checkpoint(tmp_path, 1, model, parts)
    assert len({path.stat().st_mode for path in folder.iterdir()}) == 1
