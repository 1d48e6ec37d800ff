"""A run killed at any moment resumes from its last complete checkpoint, and ends as one that never was."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.training.killing import GRAPH, MOMENTS, STEPS
from tests.training.runs import Run
from tests.training.small import assert_equal, batches

# What is the newest complete checkpoint afterwards, and how much of another one lies about.
EXPECTED = {
    "before the first checkpoint": (None, 0),
    "between two checkpoints": ("step-00000002", 0),
    "amid the weights": ("step-00000002", 1),
    "between weights and state": ("step-00000002", 1),
    "amid the state": ("step-00000002", 1),
    "before the folder takes its place": ("step-00000002", 1),
    "after the folder took its place": ("step-00000004", 0),
    "between the two renames": ("step-00000002", 2),
    "amid the removal of the former": ("step-00000004", 1),
    "at the end": ("step-00000008", 0),
}


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed")
    program = [sys.executable, "-m", "tests.training.killing", str(folder)]
    # Autograd refuses to be forked once it has seen a GPU.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(program, cwd=Path(__file__).parents[2], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def uninterrupted():
    run = Run(GRAPH)
    run.play(batches(GRAPH, count=STEPS))
    return run.everything()


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_run_ends_as_one_never_killed(moment, killed, uninterrupted):
    result = torch.load(killed / "results.pt")[moment]
    latest, drafts = EXPECTED[moment]
    assert result["killed"] == -9
    assert result["latest"] == latest
    assert len([name for name in result["left"] if name.startswith(".")]) == drafts
    assert result["resumed"] == 0
    assert result["end"] == ["step-00000008"]
    assert_equal(torch.load(killed / f"{moment}.pt", weights_only=True), uninterrupted)
