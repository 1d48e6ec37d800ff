"""One run at a time in a folder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cyclekit import CycleKitError
from cyclekit.training import RunInUseError, run_lock

HOLDER = """
import os, sys, time
from cyclekit.training import run_lock

with run_lock(sys.argv[1]):
    if os.fork() == 0:  # as a data loader's worker, which outlives its parent for a while
        time.sleep(60)
        os._exit(0)
    print("held", flush=True)
    sys.stdin.read()
"""


def holding(folder):
    program = [sys.executable, "-c", HOLDER, str(folder)]
    holder = subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2], start_new_session=True
    )
    assert holder.stdout.readline() == b"held\n"
    return holder


def test_a_second_run_is_told_in_one_line(tmp_path):
    folder = tmp_path / "runs" / "faces"
    with run_lock(folder):
        with pytest.raises(
            RunInUseError, match=r"faces is in use by another run \(this very process\): wait"
        ) as caught:
            run_lock(folder).__enter__()
        assert "\n" not in str(caught.value)
        assert isinstance(caught.value, CycleKitError)
        with run_lock(tmp_path / "runs" / "persons"):
            pass
    with run_lock(str(folder)):
        pass


def test_a_killed_run_holds_nothing(tmp_path):
    holder = holding(tmp_path)
    try:
        with pytest.raises(
            RunInUseError, match=rf"in use by another run \(process {holder.pid} on \S+\): wait for its end"
        ):
            run_lock(tmp_path).__enter__()
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        with run_lock(tmp_path):  # though its child is still there
            pass
    finally:
        os.killpg(holder.pid, signal.SIGKILL)
        holder.stdin.close()
        holder.stdout.close()


def test_a_run_that_fails_lets_go(tmp_path):
    with pytest.raises(ZeroDivisionError), run_lock(tmp_path):
        raise ZeroDivisionError
    with run_lock(tmp_path):
        pass


def test_a_folder_that_cannot_be_written_into(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError), run_lock(tmp_path / "file"):
        pass
