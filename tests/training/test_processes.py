"""Two processes with `DistributedDataParallel` around each objective learn what one does from the joined batch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.training.processes import CASES, GRAPHS, SAMPLES, STEPS
from tests.training.small import assert_equal, batches, trained


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    program = [sys.executable, "-m", "tests.training.processes", str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(program, cwd=Path(__file__).parents[2], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [torch.load(folder / f"{rank}.pt") for rank in (0, 1)]


@pytest.mark.parametrize("case", CASES)
def test_both_processes_have_the_same_weights(case, learned):
    first, second = (weights[case] for weights in learned)
    kept = [name for name in first if "running" not in name]  # each process has statistics of its own
    assert_equal([first[name] for name in kept], [second[name] for name in kept])


@pytest.mark.parametrize("case", [case for case in CASES if case[0] != "history" and case[1] != "batch"])
def test_they_learn_from_the_joined_batch(case, learned):
    name, norm, accumulate = case
    single = trained(GRAPHS[name], batches(count=STEPS, samples=SAMPLES), norm, accumulate=accumulate)
    torch.testing.assert_close(learned[0][case], single.state_dict())
