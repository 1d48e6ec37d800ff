"""The moving average of the weights."""

import pytest
import torch

from cyclekit import CycleModel
from cyclekit.training import moving_average
from tests.model.tiny import C2GAN, built, networks
from tests.training.runs import Run, with_short_history
from tests.training.small import assert_equal, batches, copied, stepping


def test_it_is_the_average():
    model = built(C2GAN, "batch")
    step = stepping(model)
    average = moving_average(model, 0.75)
    expected = copied(model)
    for batch in batches(count=4):
        step(batch)
        average.update(model)
        for name, weight in model.state_dict().items():
            expected[name] = 0.75 * expected[name] + 0.25 * weight if weight.is_floating_point() else weight.clone()
    torch.testing.assert_close(dict(average.module.state_dict()), expected)
    assert not torch.equal(expected["generators.G_I.layers.0.weight"], model.generators["G_I"].layers[0].weight)


def test_it_grows_longer_where_it_is_asked_to():
    model = built(C2GAN)
    step = stepping(model)
    average = moving_average(model, use_warmup=True)
    first, second = batches(count=2)
    step(first)
    average.update(model, step.iteration)
    assert_equal(average.module.state_dict(), model.state_dict())  # one step is its own average
    step(second)
    average.update(model, step.iteration)
    assert not torch.equal(*(m.generators["G_I"].layers[0].weight for m in (average.module, model)))


def test_it_is_a_model_of_its_own(tmp_path):
    model = built(C2GAN)
    step = stepping(model)
    (batch,) = batches()
    step(batch)  # the model has worked out its objectives by now
    average = moving_average(model)
    before = average.module.generate(batch)
    step(batch)
    assert_equal(average.module.generate(batch), before)
    assert not average.module.training
    assert model.training
    with torch.no_grad():
        made = average.module.generators["G_I"](torch.cat([batch["x"], batch["Ly"]], 1))
    torch.testing.assert_close(before["y*"], made)
    average.module.save_pretrained(tmp_path / "model")
    again = CycleModel.from_pretrained(tmp_path / "model", **networks(C2GAN))
    assert_equal(again.generate(batch), before)


@pytest.mark.parametrize("decay", [2, -0.1, float("nan")])
def test_what_stays_is_a_share(decay):
    with pytest.raises(
        ValueError, match=r"^decay: got \S+, expected what stays of the average in one step, from 0 to 1$"
    ):
        moving_average(built(C2GAN), decay)


@pytest.mark.parametrize("use_warmup", [False, True])
def test_it_resumes(use_warmup, tmp_path):
    graph = with_short_history(C2GAN)
    data = batches(count=6)

    def averaging(seed):
        run = Run(graph, seed)
        run.parts["average"] = moving_average(run.model, 0.6, use_warmup=use_warmup)
        return run

    def play(run, some):
        for batch in some:
            run.play([batch])
            run.parts["average"].update(run.model, run.step.iteration)

    first, second = averaging(0), averaging(1)
    play(first, data[:3])
    folder = first.save(tmp_path)
    play(first, data[3:])
    expected = first.everything()
    second.load(folder)
    play(second, data[3:])
    assert_equal(second.everything(), expected)
