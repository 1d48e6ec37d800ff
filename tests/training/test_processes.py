"""Two processes with `DistributedDataParallel` around each objective learn what one does from the joined batch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.training.processes import CASES, GRAPHS, SAMPLES, STEPS
from tests.training.resuming import GRAPH
from tests.training.runs import Run
from tests.training.small import assert_equal, batches, trained


def run(module, folder):
    program = [sys.executable, "-m", f"tests.training.{module}", str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(program, cwd=Path(__file__).parents[2], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def trained_in_two(tmp_path_factory):
    return run("processes", tmp_path_factory.mktemp("processes"))


@pytest.fixture(scope="module")
def resumed_in_two(tmp_path_factory):
    return run("resuming", tmp_path_factory.mktemp("resuming"))


@pytest.fixture(scope="module")
def learned(trained_in_two):
    folder = trained_in_two
    return [torch.load(folder / f"{rank}.pt")["learned"] for rank in (0, 1)]


def test_processes_synchronise_at_the_last_part_alone(trained_in_two):
    syncs = torch.load(trained_in_two / "0.pt")["syncs"]
    assert syncs["joint", "none", 1] > 0
    assert syncs["joint", "none", 2] == syncs["joint", "none", 1]
    assert syncs["regularized", "none", 2] == syncs["regularized", "instance", 1]


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


@pytest.mark.parametrize("rank", [0, 1])
def test_a_resumed_run_of_two_processes_is_one_run(rank, resumed_in_two):
    found = torch.load(resumed_in_two / f"{rank}.pt", weights_only=True)
    assert_equal(found["resumed"], found["expected"])


def test_processes_have_something_to_keep_each(resumed_in_two):
    """Pools and random numbers differ, so that the test above can fail."""
    first, second = (torch.load(resumed_in_two / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    assert not torch.equal(first["pools"]["D_I.stored_0"], second["pools"]["D_I.stored_0"])
    assert first["expected"]["noise"][1] != second["expected"]["noise"][1]


def test_what_one_process_cannot_do_both_say(resumed_in_two):
    for rank in (0, 1):
        found = torch.load(resumed_in_two / f"{rank}.pt", weights_only=True)
        assert found["refused"] == ["NotADirectoryError", "FolderError", "RunInUseError"]


def test_one_process_takes_up_what_two_have_saved(resumed_in_two):
    (folder,) = (resumed_in_two / "run").glob("step-*")
    alone = Run(GRAPH)
    assert alone.load(folder) == 4
    first = torch.load(resumed_in_two / "0.pt", weights_only=True)
    assert_equal(dict(alone.step.pools.state_dict()), first["pools"])
