"""A training that diverges is noticed, and the last good checkpoint stays."""

import pytest
import torch

from cyclekit import CycleKitError
from cyclekit.model import SignalError
from cyclekit.training import TrainingDivergedError, latest_checkpoint, load_checkpoint, save_checkpoint
from tests.blind import Blind
from tests.model.tiny import C2GAN, PIX2PIX, built
from tests.training.small import assert_equal, batches, copied, stepping


def fused(weights):
    return torch.optim.Adam(weights, 0.02, fused=True)


def test_a_batch_with_nan_is_noticed_at_the_next_look():
    step = stepping(built(C2GAN), fused)
    first, second, *rest = batches(count=5)
    second["y"][0, 0, 0, 0] = torch.nan
    step(first)
    step.check_finite()
    with Blind():  # and nothing waits for the device meanwhile
        for batch in (second, *rest):
            step(batch)
    with pytest.raises(
        TrainingDivergedError, match=r"^the loss 'generators/y\* ~ y' is not finite since training step 2:"
    ):
        step.check_finite()
    assert issubclass(TrainingDivergedError, CycleKitError)
    assert issubclass(TrainingDivergedError, ArithmeticError)


def test_a_rate_that_explodes_is_noticed():
    step = stepping(built(PIX2PIX), lambda weights: torch.optim.SGD(weights, 1e30))
    for batch in batches(PIX2PIX, count=30):
        step(batch)
    with pytest.raises(TrainingDivergedError, match="since training step"):
        step.check_finite()


def test_after_a_load_it_begins_anew(tmp_path):
    model = built(PIX2PIX)
    step = stepping(model)
    good, bad = batches(PIX2PIX, count=2)
    step(good)
    folder = save_checkpoint(tmp_path, 1, model, {"step": step})
    bad["x"][0] = torch.inf
    step(bad)
    with pytest.raises(TrainingDivergedError):
        step.check_finite()
    load_checkpoint(folder, model, {"step": step})
    step(good)
    step.check_finite()


class Part:
    def __init__(self, state):
        self.state = state

    def state_dict(self):
        return self.state

    def load_state_dict(self, state):
        self.state = state


def test_what_is_not_finite_is_not_written(tmp_path):
    model = built(PIX2PIX)
    step = stepping(model)
    good, bad = batches(PIX2PIX, count=2)
    step(good)
    folder = save_checkpoint(tmp_path, 1, model, {"step": step})
    before = copied(model)
    bad["y"][1] = torch.nan
    step(bad)
    with pytest.raises(TrainingDivergedError, match=r"^the model's \S+ is not finite, and is not written"):
        save_checkpoint(tmp_path, 2, model, {"step": step})
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]
    model.load_state_dict(before)
    with pytest.raises(TrainingDivergedError, match=r"^the part 'step''s \S+ is not finite"):
        save_checkpoint(tmp_path, 2, model, {"step": step})
    with pytest.raises(TrainingDivergedError, match=r"^the part 'own''s state\.1 is not finite"):
        save_checkpoint(tmp_path, 2, model, {"own": Part({"state": (1.0, torch.tensor(torch.inf))})})
    assert latest_checkpoint(tmp_path) == folder
    load_checkpoint(folder, model, {"step": step})
    assert_equal(model.state_dict(), before)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_an_empty_batch_is_refused(accumulate):
    model = built(PIX2PIX)
    step, before = stepping(model, accumulate=accumulate), copied(model)
    with pytest.raises(SignalError, match=r"^'x' holds no samples: leave empty batches out$"):
        step(batches(PIX2PIX, samples=0)[0])
    assert_equal(model.state_dict(), before)
    assert step.iteration == 0
