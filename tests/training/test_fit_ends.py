"""However a run of `fit` ends, it goes on as if nothing had been; several processes are one run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.training.fitting import KILLS, STEPS, weights
from tests.training.small import assert_equal


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    program = [sys.executable, "-m", "tests.training.fitting", str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(program, cwd=Path(__file__).parents[2], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def ended(runs):
    return torch.load(runs / "ended.pt")


@pytest.mark.parametrize("name", [*(f"killed-{number}" for number in range(KILLS)), "SIGINT", "SIGTERM"])
def test_a_run_that_was_ended_comes_to_the_same(name, runs, ended):
    assert ended[name] in ({"SIGINT": {130}, "SIGTERM": {143}}.get(name, {-9, 0}))
    assert weights(runs / name)["name"] == STEPS
    assert_equal(weights(runs / name), weights(runs / "whole"))


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_run_that_is_told_to_end_leaves_what_there_is_and_says_how_to_go_on(name, runs, ended):
    left = ended[f"{name} left"]
    assert {"samples.png", "losses.png", "model/model.safetensors", "checkpoints/step-00000007"} <= {*left}
    assert "checkpoints/step-00000006" not in left
    line = (runs / f"{name}.txt").read_text().splitlines()[-1]
    assert line.startswith(f"{name}: stopped after 7 of {STEPS} steps; resume the run to go on from ")
    assert line.endswith("checkpoints/step-00000007")


def test_a_run_that_is_not_watched_says_plain_lines(runs):
    lines = (runs / "killed-0.txt").read_text().splitlines()
    assert any(line.startswith("resuming after ") for line in lines) or len(lines) == 2
    assert lines[-1].startswith(f"step {STEPS} of {STEPS}, ")
    assert " left  G " in lines[-1]


def test_two_processes_are_one_run(runs, ended):
    assert ended["two"] == [0, 0]
    one, two = weights(runs / "one"), weights(runs / "two")
    torch.testing.assert_close(two["step"]["optimizers"], one["step"]["optimizers"])
    first, second = (load_file(runs / name / "model" / "model.safetensors") for name in ("one", "two"))
    torch.testing.assert_close(second, first)
    assert (runs / "joined" / "said-1.txt").read_text() == ""


def test_a_dead_process_ends_the_others_with_one_message(runs, ended):
    assert ended["dead"] == [1, 256 - 9]
    said = (runs / "dead" / "said-0.txt").read_text()
    ends = [line for line in said.splitlines() if "has ended" in line]
    assert ends == [
        "ProcessLostError: another of the run's 2 processes has ended: "
        f"go on from {runs / 'lost' / 'checkpoints' / 'step-00000002'}"
    ]
    assert "Traceback" not in said
