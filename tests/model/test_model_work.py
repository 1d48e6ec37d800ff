"""How often networks run, and who gets gradients."""

from collections import Counter

import pytest
import torch
from torch import nn

from cyclekit import GraphWarning, Image, Schedule, StandIn
from cyclekit.graph import CycleGraph
from tests.model.tiny import C2GAN, FAMILY, TinyGenerator, TinyJudge, batch_of, built, networks

# DualGAN is declared without the clipping of its critics that its loop does.
pytestmark = pytest.mark.filterwarnings("ignore:.*is a wgan without a penalty")


class Counted(nn.Module):
    """Counts a network's forward passes and the samples they held."""

    def __init__(self, network, name, passes, samples, joins_batches=True):
        super().__init__()
        self.network, self.name, self.passes, self.samples = network, name, passes, samples
        self.joins_batches = joins_batches

    def forward(self, joined):
        self.passes[self.name] += 1
        self.samples[self.name] += len(joined)
        return self.network(joined)


def counted(graph, norm="none", joins_batches=True):
    passes, samples = Counter(), Counter()
    parts = {
        kind: {name: Counted(part, name, passes, samples, joins_batches) for name, part in by_name.items()}
        for kind, by_name in networks(graph, norm).items()
    }
    return graph.build(**parts).to(torch.float64), passes, samples


@pytest.mark.parametrize(("norm", "joins_batches"), [("batch", True), ("none", False)])
def test_each_evaluation_runs_once(norm, joins_batches):
    model, passes, samples = counted(C2GAN, norm, joins_batches)
    batch = batch_of(C2GAN, samples=2)
    paid = model.generator_loss(batch)
    assert passes == {"G_I": 2, "G_K": 2, "D_I": 2, "D_K": 2}
    assert samples == {"G_I": 4, "G_K": 4, "D_I": 4, "D_K": 4}
    passes.clear()
    model.discriminator_loss(batch, paid.signals, model.fakes(batch, paid.signals))
    assert passes == {"D_I": 4, "D_K": 4}


def test_independent_uses_join():
    model, passes, samples = counted(C2GAN)
    batch = batch_of(C2GAN, samples=2)
    paid = model.generator_loss(batch)
    # x* needs y*, so that G_I runs twice; everything else is joined
    assert passes == {"G_I": 2, "G_K": 1, "D_I": 1, "D_K": 1}
    assert samples == {"G_I": 4, "G_K": 4, "D_I": 4, "D_K": 4}
    passes.clear()
    samples.clear()
    model.discriminator_loss(batch, paid.signals)
    assert passes == {"D_I": 1, "D_K": 1}
    assert samples == {"D_I": 8, "D_K": 8}


def test_what_no_chosen_term_needs_is_not_computed():
    model, passes, _ = counted(C2GAN)
    paid = model.generator_loss(batch_of(C2GAN), terms=["y* ~ y"])
    assert passes == {"G_I": 1}
    assert list(paid.signals) == ["y*"]
    light = C2GAN.reweight({"K2R2K": 0, "D_I(x*)": 0, "D_K": 0, "D_I": 0})
    with pytest.warns(GraphWarning, match=r"Lx\*"):
        model, passes, _ = counted(light)
    model.generator_loss(batch_of(light))
    assert passes == {"G_I": 2, "G_K": 1}


def test_missing_fakes_are_generated_without_gradient():
    model, passes, _ = counted(C2GAN)
    batch = batch_of(C2GAN)
    signals = model.generate(batch)
    passes.clear()
    known = {name: signals[name] for name in ("y*", "x*", "Ly*")}
    judged = model.discriminator_loss(batch, known)
    assert passes["G_I"] == 0
    assert passes["G_K"] == 1
    judged.total.backward()
    assert all(weight.grad is None for weight in model.generators.parameters())
    torch.testing.assert_close(judged.terms, model.discriminator_loss(batch, signals).terms)


def trained_by(loss, model):
    """Return the networks that get a gradient that is not all zero."""
    parts = {**model.generators, **model.discriminators}
    weights = {name: [w for w in part.parameters() if w.requires_grad] for name, part in parts.items()}
    flat = [weight for group in weights.values() for weight in group]
    found = dict(zip(map(id, flat), torch.autograd.grad(loss, flat, retain_graph=True, allow_unused=True), strict=True))
    return {
        name
        for name, group in weights.items()
        if any(found[id(weight)] is not None and found[id(weight)].abs().sum() > 0 for weight in group)
    }


@pytest.mark.parametrize("cycle", ["K2G2K", "K2R2K"])
def test_keypoint_cycles_train_the_image_generator(cycle):
    model, batch = built(C2GAN), batch_of(C2GAN)
    assert trained_by(model.generator_loss(batch).terms[cycle], model) == {"G_I", "G_K"}
    # and the one loss that is back-propagated carries it
    model.generator_loss(batch, terms=[cycle]).total.backward()
    for network in model.generators.values():
        assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in network.parameters())


@pytest.mark.parametrize("name", FAMILY)
def test_learners_are_those_that_get_gradient(name):
    graph = FAMILY[name]
    model, batch = built(graph), batch_of(graph, samples=3)
    paid = model.generator_loss(batch)
    assert set(paid.terms) == set(graph.gradient_flow())
    for term, loss in paid.terms.items():
        assert trained_by(loss, model) == graph.learners(graph.term(term), "generators"), term
    judged = model.discriminator_loss(batch, paid.signals)
    assert set(judged.terms) == {term.name for term in graph.minimised_by("discriminators")}
    for term, loss in judged.terms.items():
        assert trained_by(loss, model) == graph.learners(graph.term(term), "discriminators"), term


@pytest.mark.parametrize("name", FAMILY)
def test_neither_player_trains_the_other(name):
    graph = FAMILY[name]
    model, batch = built(graph), batch_of(graph)
    paid = model.generator_loss(batch)
    paid.total.backward()
    assert all(weight.grad is None for weight in model.discriminators.parameters())
    assert all(weight.requires_grad for weight in model.discriminators.parameters())
    model.zero_grad()
    if graph.discriminators:
        model.discriminator_loss(batch, paid.signals).total.backward()
        assert all(weight.grad is None for weight in model.generators.parameters())
        assert all(weight.grad is not None for weight in model.discriminators.parameters())


def test_flags_come_back_after_an_exception():
    class Broken(TinyJudge):
        def forward(self, joined):
            raise RuntimeError("broken")

    parts = networks(C2GAN)
    parts["discriminators"]["D_K"] = Broken(7)
    model = C2GAN.build(**parts)
    with pytest.raises(
        RuntimeError, match=r"D_K\(y\*, Ly\*\) and D_K\(x\*, Lx\*\): D_K was given .* and failed: broken"
    ):
        model.generator_loss(batch_of(C2GAN, dtype=torch.float32))
    assert all(weight.requires_grad for weight in model.parameters())


def test_flags_that_were_off_stay_off():
    model, batch = built(C2GAN), batch_of(C2GAN)
    source = model.discriminators["D_I"].source.requires_grad_(False)
    model.generator_loss(batch)
    assert not any(weight.requires_grad for weight in source.parameters())


def test_frozen_generators_pass_gradient_and_take_none():
    graph = C2GAN.replace(frozen=["G_K"])
    model, batch = built(graph, "batch"), batch_of(graph)
    model.train()
    assert model.generators["G_I"].training
    assert not model.generators["G_K"].training
    before = {name: value.clone() for name, value in model.generators["G_K"].state_dict().items()}
    paid = model.generator_loss(batch)
    paid.total.backward()
    assert all(weight.grad is None for weight in model.generators["G_K"].parameters())
    assert trained_by(model.generator_loss(batch).terms["K2G2K"], model) == {"G_I"}
    torch.testing.assert_close(model.generators["G_K"].state_dict(), before, rtol=0, atol=0)


def test_only_named_networks_learn():
    model, batch = built(C2GAN), batch_of(C2GAN)
    objective = model.generator_objective(["K2G2K"], networks=["G_K"])
    assert list(objective.networks) == ["G_K"]
    objective(batch).total.backward()
    assert all(weight.grad is None for weight in model.generators["G_I"].parameters())
    assert all(weight.grad is not None for weight in model.generators["G_K"].parameters())
    objective = model.discriminator_objective(networks=["D_I"])
    assert list(objective.networks) == ["D_I"]
    objective(batch, model.generate(batch)).total.backward()
    assert all(weight.grad is None for weight in model.discriminators["D_K"].parameters())


def warmed_up():
    graph = C2GAN.replace(losses="y* ~ y ; x -G_K-> _ ~ Lx", schedule=Schedule(stand_ins=(StandIn("G_K", "pose", 3),)))
    parts = networks(graph)
    torch.manual_seed(5)
    parts["generators"]["pose"] = TinyGenerator(3, (graph.domains["Ly"],), "batch")
    return graph, graph.build(**parts).to(torch.float64)


def test_a_stand_in_takes_a_generators_place_for_its_time():
    graph, model = warmed_up()
    batch = batch_of(graph)
    pose, G_K = model.generators["pose"], model.generators["G_K"]
    assert not pose.training
    early = model.generator_loss(batch, step=2)
    # the comparison of G_K(x) trains nobody while pose stands there, and D_K is no judge of pose: both are left out
    idle = {"x -G_K-> _ ~ Lx", "D_K(Ly*)", "D_K(Lx*)"}
    assert set(early.terms) == {t.name for t in graph.minimised_by("generators")} - idle
    assert set(model.generator_loss(batch).terms) == {t.name for t in graph.minimised_by("generators")}
    torch.testing.assert_close(early.signals["Ly*"], pose(early.signals["y*"]))
    assert trained_by(early.terms["K2G2K"], model) == {"G_I"}
    early.total.backward()
    assert all(weight.grad is None for weight in (*pose.parameters(), *G_K.parameters()))
    torch.testing.assert_close(model.generate(batch, ["Ly*"], step=0)["Ly*"], early.signals["Ly*"])
    late = model.generator_loss(batch, step=3)
    torch.testing.assert_close(late.signals["Ly*"], G_K(late.signals["y*"]))
    assert trained_by(late.terms["K2G2K"], model) == {"G_I", "G_K"}
    torch.testing.assert_close(late.total, model.generator_loss(batch).total)


def test_the_real_side_trains_no_generator_even_where_it_is_compared():
    graph = CycleGraph(
        {"x": Image(3), "y": Image(3)},
        maps="x -G-> y* ; y -H-> x*",
        adversaries="D: x* vs y*",
        losses="y* ~ y",
        adversarial="relativistic",
    )
    model, batch = built(graph), batch_of(graph)
    paid = model.generator_loss(batch)
    assert trained_by(paid.terms["D(x*)"], model) == {"H"} == graph.learners(graph.term("D(x*)"), "generators")
    D = model.discriminators["D"]
    expected = -torch.nn.functional.logsigmoid(D(paid.signals["x*"]) - D(paid.signals["y*"])).mean()
    torch.testing.assert_close(paid.terms["D(x*)"], expected)
    judged = model.discriminator_loss(batch, paid.signals).terms["D(x*)"]
    expected = -torch.nn.functional.logsigmoid(D(paid.signals["y*"]) - D(paid.signals["x*"])).mean()
    torch.testing.assert_close(judged, expected)
