"""A run that goes on where another one stopped ends as one run."""

import pytest
import torch

from cyclekit import StandIn
from cyclekit.training import latest_checkpoint
from tests.model.tiny import C2GAN
from tests.training.runs import Run, with_short_history
from tests.training.small import assert_equal, batches

GRAPHS = {
    "joint": with_short_history(C2GAN),
    "per_cycle": with_short_history(C2GAN, backward="per_cycle"),
    "sequential": with_short_history(C2GAN, order=("G_I", "D_I", "G_K", "D_K")),
    "critic": with_short_history(C2GAN, order=("discriminators", "generators"), discriminator_steps=3),
    "stand_in": with_short_history(C2GAN, stand_ins=(StandIn("G_K", "pose", 5),)),
}


@pytest.mark.parametrize(("name", "accumulate"), [*((name, 1) for name in GRAPHS), ("joint", 2)])
def test_a_resumed_run_is_one_run(name, accumulate, tmp_path):
    graph = GRAPHS[name]
    data = batches(graph, count=8)
    whole = Run(graph, accumulate=accumulate)
    whole.play(data)
    expected = whole.everything()

    first = Run(graph, accumulate=accumulate)
    first.play(data[:4])
    folder = first.save(tmp_path)
    first.play(data[4:])
    assert_equal(first.everything(), expected)  # writing a checkpoint changes nothing

    second = Run(graph, seed=1, accumulate=accumulate)
    assert second.load(folder) == second.step.iteration == 4
    second.play(data[4:])
    assert_equal(second.everything(), expected)


def test_random_numbers_matter_here(tmp_path):
    """Without its random state a resumed run ends elsewhere, so that the tests of this file can fail."""
    graph = GRAPHS["joint"]
    data = batches(graph, count=8)
    whole = Run(graph)
    whole.play(data)
    first, second = Run(graph), Run(graph, seed=1)
    first.play(data[:4])
    second.load(first.save(tmp_path))
    torch.manual_seed(1)
    second.play(data[4:])
    assert not torch.equal(*(run.model.generators["G_I"][1].layers[0].weight for run in (whole, second)))


def test_a_run_resumed_twice_in_one_process(tmp_path):
    graph = GRAPHS["joint"]
    data = batches(graph, count=6)
    run = Run(graph)
    run.play(data[:3])
    folder = run.save(tmp_path)
    run.play(data[3:])
    expected = run.everything()
    run.load(folder)
    run.play(data[3:])
    assert_equal(run.everything(), expected)
    assert run.save(tmp_path) == latest_checkpoint(tmp_path) == tmp_path / "step-00000006"
