"""A stand-in early in training: who learns meanwhile, who rests, what is saved."""

import pytest
import torch

from cyclekit import CycleModel
from cyclekit.graph import GraphError, Ramp, Schedule, StandIn
from cyclekit.training import AdversarialStep, create_optimizers, latest_checkpoint, load_checkpoint, save_checkpoint
from tests.model.tiny import C2GAN, TinyGenerator, batch_of, networks

GRAPH = C2GAN.replace(
    losses="y* ~ y ; real: x -G_K-> _ ~ Lx",
    weights={**C2GAN.weights, "real": Ramp(10, 0, steps=1, after=2)},
    schedule=Schedule(stand_ins=(StandIn("G_K", "pose", 3, learning=("real",)),)),
)


def estimator():
    torch.manual_seed(5)
    return TinyGenerator(3, (GRAPH.domains["Ly"],), "batch").to(torch.float64)


def model_of(graph=GRAPH):
    parts = networks(graph)
    parts["generators"]["pose"] = estimator()
    return graph.build(**parts).to(torch.float64)


def stepped(model, graph=GRAPH, count=1):
    step = AdversarialStep(model, create_optimizers(model, lambda w: torch.optim.SGD(w, 0.1)))
    return step, [step(batch_of(graph)) for _ in range(count)]


@pytest.mark.parametrize("order", [("generators", "discriminators"), ("G_I", "D_I", "G_K", "D_K")])
def test_a_generator_learns_on_real_images_behind_its_stand_in(order):
    """One step of plain torch, by hand: G_K's gradient is that of its own term, D_K does not move."""
    schedule = Schedule(order=order, stand_ins=GRAPH.schedule.stand_ins)
    model = model_of(GRAPH.replace(schedule=schedule))
    batch = batch_of(GRAPH)
    G_I, G_K = model.generators["G_I"], model.generators["G_K"]
    pose, D_I = model.generators["pose"], model.discriminators["D_I"]
    before = {name: weight.clone() for name, weight in model.state_dict().items()}

    y = G_I(torch.cat((batch["x"], batch["Ly"]), 1))
    x = G_I(torch.cat((y, batch["Lx"]), 1))
    judged = [D_I(torch.cat(values, 1)) for values in ((batch["x"], batch["Ly"], y), (batch["y"], batch["Lx"], x))]
    weight = {term.name: term.weight for term in GRAPH.terms}
    expected = (
        weight["I2I2I"] * (x - batch["x"]).abs().mean()
        + weight["K2G2K"] * (pose(y) - batch["Ly"]).abs().mean()
        + weight["K2R2K"] * (pose(x) - batch["Lx"]).abs().mean()
        + weight["y* ~ y"] * (y - batch["y"]).abs().mean()
        + sum((logits - 1).square().mean() for logits in judged)
    )
    real = 10 * (G_K(batch["x"]) - batch["Lx"]).abs().mean()
    grads = torch.autograd.grad(expected, list(G_I.parameters()))
    grads += torch.autograd.grad(real, list(G_K.parameters()))

    _, (result,) = stepped(model)
    moved = [*G_I.parameters(), *G_K.parameters()]
    named = [
        f"generators.{network}.{name}"
        for network in ("G_I", "G_K")
        for name, _ in model.generators[network].named_parameters()
    ]
    for weight_now, name, grad in zip(moved, named, grads, strict=True):
        torch.testing.assert_close(weight_now, before[name] - 0.1 * grad)
    for name, value in model.state_dict().items():
        if name.startswith(("discriminators.D_K", "generators.pose")):
            assert torch.equal(value, before[name]), name
    assert not any("D_K" in name for name in result.losses if "/" in name and not name.endswith("total"))


def test_the_generator_takes_over_and_its_warm_up_ends():
    model = model_of()
    _, results = stepped(model, count=4)
    assert ["generators/real" in result.losses for result in results] == [True, True, True, False]
    assert ["discriminators/D_K(Ly*)" in result.losses for result in results] == [False, False, False, True]
    batch = batch_of(GRAPH)
    late = model.generate(batch, ["y*", "Ly*"], step=3)
    torch.testing.assert_close(late["Ly*"], model.generators["G_K"](late["y*"]).detach())


def test_both_losses_say_the_same_as_the_step():
    model, batch = model_of(), batch_of(GRAPH)
    early = model.generator_loss(batch, step=2)
    assert "real" in early.terms
    assert "D_K(Ly*)" not in early.terms
    assert "D_K(Ly*)" not in model.discriminator_loss(batch, early.signals, step=2).terms
    late = model.generator_loss(batch, step=3)
    assert "real" not in late.terms
    assert "D_K(Ly*)" in model.discriminator_loss(batch, late.signals, step=3).terms


def test_a_saved_model_is_used_without_the_estimator_and_trained_on_with_it(tmp_path):
    model = model_of()
    model.save_pretrained(tmp_path / "model")
    model.eval()
    parts = {kind: {k: v for k, v in chosen.items() if k != "pose"} for kind, chosen in networks(GRAPH).items()}
    used = CycleModel.from_pretrained(tmp_path / "model", **parts)
    assert used.graph.schedule.stand_ins == ()
    assert "pose" not in used.generators
    batch = batch_of(GRAPH)
    for name, value in model.generate(batch).items():
        torch.testing.assert_close(used.generate(batch)[name], value)
    parts["generators"]["pose"] = estimator()
    trained_on = CycleModel.from_pretrained(tmp_path / "model", **parts)
    assert trained_on.graph == GRAPH
    assert not any("pose" in name for name in model.own_weights())


def test_a_checkpoint_is_resumed_with_the_estimator_passed_again(tmp_path):
    model = model_of()
    step, _ = stepped(model, count=1)
    save_checkpoint(tmp_path, 1, model, {"step": step})
    again = model_of()
    other, _ = stepped(again, count=0)
    assert load_checkpoint(latest_checkpoint(tmp_path), again, {"step": other}) == 1
    first, second = step(batch_of(GRAPH)), other(batch_of(GRAPH))
    for name, loss in first.losses.items():
        assert torch.equal(loss, second.losses[name])


def test_edits_keep_what_is_learned_behind_a_stand_in():
    graph = GRAPH.unshare("G_K")
    stand_ins = {entry.network: entry.learning for entry in graph.schedule.stand_ins}
    assert sorted(stand_ins.values()) == [(), (), ("real",)]
    assert GRAPH.without("real").schedule.stand_ins[0].learning == ()
    assert type(GRAPH).from_dict(GRAPH.to_dict()) == GRAPH


@pytest.mark.parametrize(
    ("learning", "message"),
    [
        (("y* ~ y",), r"StandIn\(learning=\['y\* ~ y'\]\): that term compares nothing that 'G_K' makes"),
        (("reel",), "no term is called 'reel'"),
    ],
)
def test_a_term_that_teaches_the_generator_nothing_is_refused(learning, message):
    with pytest.raises(GraphError, match=message):
        GRAPH.replace(schedule=Schedule(stand_ins=(StandIn("G_K", "pose", 3, learning=learning),)))
    with pytest.raises(GraphError, match="name the terms in a list"):
        StandIn("G_K", "pose", 3, learning="real")  # pyright: ignore[reportArgumentType]
