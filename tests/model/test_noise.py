"""Signals that are drawn: once a step for all of it, repeatably, and as an unbroken run would."""

import pytest
import torch

from cyclekit.errors import SignalError
from cyclekit.graph import CycleGraph, Image, Noise
from cyclekit.training import AdversarialStep, create_optimizers, load_checkpoint, save_checkpoint
from tests.model.tiny import built

GRAPH = CycleGraph(
    {"x": Image(2), "y": Image(2), "z": Noise(4)},
    maps="[x, z] -G-> y*",
    adversaries="D: [y*, z] vs [y, z]",
    losses="y* -E-> _ ~ z ; y* ~ y",
    optional=["y* ~ y"],
)


def batch(samples=3):
    values = torch.linspace(-1, 1, samples * 2 * 36, dtype=torch.float64).reshape(samples, 2, 6, 6)
    return {"x": values, "y": values.flip(0)}


def test_what_a_batch_lacks_is_drawn_from_the_standard_normal():
    model = built(GRAPH)
    full = model.with_noise({"x": torch.zeros(5_000, 2, 1, 1, dtype=torch.float64)})
    assert full["z"].shape == (5_000, 4)
    assert full["z"].dtype == torch.float64
    assert full["z"].mean().item() == pytest.approx(0, abs=0.03)
    assert full["z"].std().item() == pytest.approx(1, abs=0.03)
    assert model.with_noise(full) is full


def test_generation_is_repeatable_by_a_generator():
    model = built(GRAPH)

    def made(seed):
        return model.generate({"x": batch()["x"]}, generator=torch.Generator().manual_seed(seed))["y*"]

    assert torch.equal(made(1), made(1))
    assert not torch.equal(made(1), made(2))
    carried = {"x": batch()["x"], "z": torch.zeros(3, 4, dtype=torch.float64)}
    assert torch.equal(model.generate(carried)["y*"], model.generate(carried)["y*"])


def test_both_losses_see_the_noise_that_the_signals_were_made_of():
    model = built(GRAPH)
    losses = model.generator_loss(batch())
    judged = model.discriminator_loss(batch(), losses.signals)
    again = model.discriminator_loss({**batch(), "z": losses.signals["z"]}, {"y*": losses.signals["y*"]})
    torch.testing.assert_close(judged.terms, again.terms, rtol=0, atol=0)
    torch.testing.assert_close(
        losses.terms["y* -E-> _ ~ z"],
        (model.generators["E"](losses.signals["y*"]) - losses.signals["z"]).abs().mean(),
    )


def test_an_optional_term_waits_for_no_noise():
    model = built(GRAPH)
    assert "y* ~ y" in model.generator_loss(batch()).terms
    assert "y* ~ y" not in model.generator_loss({"x": batch()["x"]}).terms


def test_a_step_draws_once_for_all_players():
    model = built(GRAPH)
    step = AdversarialStep(model, create_optimizers(model, lambda w: torch.optim.SGD(w, 0.0)))
    torch.manual_seed(3)
    stepped = step(batch())
    torch.manual_seed(3)
    noise = torch.randn(3, 4, dtype=torch.float64)
    known = {**batch(), "z": noise}
    losses = model.generator_loss(known)
    for name, loss in losses.terms.items():
        torch.testing.assert_close(stepped.losses[f"generators/{name}"], loss)
    judged = model.discriminator_loss(known, losses.signals)
    torch.testing.assert_close(stepped.losses["discriminators/D(y*)"], judged.terms["D(y*)"])


def test_a_resumed_run_draws_what_an_unbroken_one_would(tmp_path):
    def begun():
        torch.manual_seed(0)
        model = built(GRAPH)
        return model, AdversarialStep(model, create_optimizers(model, lambda w: torch.optim.Adam(w, 1e-2)))

    whole, step = begun()
    torch.manual_seed(7)
    for _ in range(2):
        step(batch())
    save_checkpoint(tmp_path, 2, whole, {"step": step})
    step(batch())
    model, step = begun()
    load_checkpoint(tmp_path, model, {"step": step})
    step(batch())
    for before, after in zip(whole.parameters(), model.parameters(), strict=True):
        assert torch.equal(before, after)


def test_noise_needs_to_know_for_how_many_samples():
    with pytest.raises(SignalError, match="noise is drawn for 'z', but the batch carries no signal that says"):
        built(GRAPH).generate({})
