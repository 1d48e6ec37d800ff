"""Under Accelerate: its optimisers as they are, and the gradient scaler's state in a checkpoint."""

import pytest
import torch
from accelerate import Accelerator
from accelerate.optimizer import AcceleratedOptimizer

from cyclekit.training import AdversarialStep, create_optimizers, linear_decay, load_checkpoint, save_checkpoint
from tests.model.tiny import PIX2PIX, built
from tests.training.small import adam, assert_equal, batches, trained


class Scaled:
    """A run whose gradients are scaled, by more after every other step, as in half precision."""

    def __init__(self, *, keeps_scaler):
        Accelerator(cpu=True)
        self.scaler = torch.amp.GradScaler("cpu", init_scale=4.0, growth_interval=2)
        self.model = built(PIX2PIX)
        optimizers = create_optimizers(
            self.model, lambda weights: AcceleratedOptimizer(adam(weights), False, self.scaler)
        )
        self.step = AdversarialStep(self.model, optimizers, backward=lambda loss: self.scaler.scale(loss).backward())
        self.parts = {"step": self.step} | ({"scaler": self.scaler} if keeps_scaler else {})

    def play(self, data):
        for batch in data:
            self.step(batch)


@pytest.mark.parametrize("keeps_scaler", [True, False])
def test_a_scaler_goes_on_where_it_was_if_it_is_a_part(keeps_scaler, tmp_path):
    data = batches(PIX2PIX, count=6)
    whole = Scaled(keeps_scaler=keeps_scaler)
    whole.play(data[:3])
    folder = save_checkpoint(tmp_path, 3, whole.model, whole.parts)
    at_save = whole.scaler.get_scale()
    assert at_save > 4
    whole.play(data[3:])
    again = Scaled(keeps_scaler=keeps_scaler)
    load_checkpoint(folder, again.model, again.parts)
    assert (again.scaler.get_scale() == at_save) == keeps_scaler
    again.play(data[3:])
    assert (again.scaler.state_dict() == whole.scaler.state_dict()) == keeps_scaler
    if keeps_scaler:
        assert_equal(again.model.state_dict(), whole.model.state_dict())


def test_prepared_optimisers_need_nothing_more():
    accelerator = Accelerator(cpu=True)
    model = built(PIX2PIX)
    optimizers = create_optimizers(model, lambda weights: accelerator.prepare(adam(weights)))
    assert all(isinstance(optimizer, AcceleratedOptimizer) for optimizer in optimizers.values())
    rates = {player: linear_decay(optimizer, 2, 3) for player, optimizer in optimizers.items()}
    step = AdversarialStep(model, optimizers, backward=accelerator.backward, wrap=accelerator.prepare)
    found, data = [], batches(PIX2PIX, count=3)
    for batch in data:
        found.append(optimizers["generators"].param_groups[0]["lr"])
        step(batch)
        for rate in rates.values():
            rate.step()
    assert found == [0.02, 0.02, 0.02]
    assert optimizers["generators"].param_groups[0]["lr"] == pytest.approx(0.02 * 2 / 3)
    assert_equal(model.state_dict(), trained(PIX2PIX, data).state_dict())
