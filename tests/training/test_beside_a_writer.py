"""Reading while another process writes finds a whole checkpoint every time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cyclekit import CycleModel
from cyclekit.training import CheckpointError, latest_checkpoint, load_checkpoint
from tests.training.damaging import trained
from tests.training.small import assert_equal, copied


def test_every_load_finds_all_of_it(tmp_path):
    program = [sys.executable, "-m", "tests.training.writing", str(tmp_path)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    writer = subprocess.Popen(program, cwd=Path(__file__).parents[2], env=environment, stdout=subprocess.PIPE)
    try:
        assert writer.stdout.readline() == b"writing\n"
        model, parts = trained()
        weights, met = copied(model), set()
        for _ in range(2000):  # the writer may have little of the processor
            met.add(latest_checkpoint(tmp_path / "run").name)
            load_checkpoint(tmp_path / "run", model, parts)
            assert_equal(CycleModel.from_pretrained(tmp_path / "run").state_dict(), weights)
            assert_equal(CycleModel.from_pretrained(tmp_path / "model").state_dict(), weights)
            assert writer.poll() is None
            if len(met) > 10:
                break
        assert len(met) > 10  # they did meet
    finally:
        writer.kill()
        writer.communicate()


def test_a_checkpoint_that_a_later_one_replaced_is_said(tmp_path):
    model, parts = trained()
    (tmp_path / "step-00000002").mkdir()
    with pytest.raises(CheckpointError, match=r"step-00000001 holds no checkpoint: training.pt is missing$"):
        load_checkpoint(tmp_path / "step-00000001", model, parts)
