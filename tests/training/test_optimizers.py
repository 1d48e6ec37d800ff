"""Whose weights the optimisers hold, and what trains beside the networks."""

import pytest
import torch
from torch import nn

from cyclekit import CycleGraph, GraphError, Image
from cyclekit.errors import ShapeError
from cyclekit.training import AdversarialStep, create_optimizers
from tests.model.tiny import C2GAN, PIX2PIX, batch_of, built, networks
from tests.training.small import adam, batches, scheduled, stepping


def weights(*modules):
    return [weight for module in modules for weight in module.parameters()]


def swapped(model, _):
    return {"generators": adam(weights(model.discriminators)), "discriminators": adam(weights(model.generators))}


def all_in_both(model, _):
    return {player: adam(weights(model)) for player in ("generators", "discriminators")}


def one_for_both(model, right):
    return {**right, "discriminators": right["generators"]}


def another_models(model, right):
    return create_optimizers(built(C2GAN), adam)


def of_a_copy_alone(model, right):
    return {**right, "discriminators": adam([torch.zeros(1, requires_grad=True)])}


def some(model, right):
    return {**right, "generators": adam(weights(model.generators["G_I"]))}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (swapped, "the optimiser of 'generators' holds weights of 'discriminators', which would step twice or"),
        (all_in_both, "the optimiser of 'generators' holds weights of 'discriminators'"),
        (one_for_both, "the optimiser of 'discriminators' holds weights of 'generators'"),
        (another_models, "the optimiser of 'generators' holds 4 weights that no player of this model trains"),
        (of_a_copy_alone, "the optimiser of 'discriminators' holds 1 weights that no player of this model trains"),
        (some, "the optimiser of 'generators' lacks 2 of its weights, 'generators.G_K.layers.0.weight' first"),
    ],
)
def test_optimisers_hold_their_players_weights(wrong, message):
    model = built(C2GAN)
    with pytest.raises(GraphError, match=f"^{message}.*create_optimizers"):
        AdversarialStep(model, wrong(model, create_optimizers(model, adam)))


def test_one_player_of_several_may_not_be_anothers():
    model = built(scheduled(order=("G_I", "D_I", "G_K", "D_K")))
    right = create_optimizers(model, adam)
    with pytest.raises(GraphError, match=r"^the optimiser of 'G_I' holds weights of 'G_K'"):
        AdversarialStep(model, {**right, "G_I": right["G_K"], "G_K": right["G_I"]})


def test_what_is_frozen_need_not_be_held():
    model = built(C2GAN)
    model.generators["G_K"].requires_grad_(False)
    optimizers = create_optimizers(model, adam)
    optimizers["generators"] = adam(weights(model.generators["G_I"]))
    AdversarialStep(model, optimizers)(batches()[0])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda model: adam(weights(model)), "optimizers: expected a dict .* got an instance of Adam; make them by"),
        (lambda _: torch.optim.Adam, "optimizers: expected a dict .* got the class Adam; make them by create_optim"),
        (
            lambda _: dict.fromkeys(("generators", "discriminators"), torch.optim.Adam),
            r"optimizers\['generators'\]: expected a torch.optim.Optimizer, got the class Adam$",
        ),
    ],
)
def test_optimisers_of_another_kind(wrong, message):
    model = built(PIX2PIX)
    with pytest.raises(ShapeError, match=f"^{message}"):
        AdversarialStep(model, wrong(model))


@pytest.mark.parametrize(
    ("create", "message"),
    [
        (
            lambda model: adam(weights(model)),
            "expected a function that makes an optimiser, got an instance of Adam; pass",
        ),
        (lambda _: lambda _: None, "expected it to return a torch.optim.Optimizer, got an instance of NoneType; pass"),
    ],
)
def test_create_must_make_optimisers(create, message):
    model = built(PIX2PIX)
    with pytest.raises(ShapeError, match=f"^create: {message}.* lambda weights: "):
        create_optimizers(model, create(model))


class Learned(nn.Module):
    """A criterion with a weight of its own, as an uncertainty is."""

    def __init__(self):
        super().__init__()
        self.log_variance = nn.Parameter(torch.zeros(()))

    def forward(self, left, right):
        return (left - right).abs().mean() * (-self.log_variance).exp() + self.log_variance


class Scaled(nn.Module):
    """A function with a weight of its own."""

    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.ones(()))

    def forward(self, signal):
        return signal * self.factor


def with_helpers(**schedule):
    graph = CycleGraph(
        {"x": Image(), "y": Image()},
        maps="x -G-> y* -scaled-> y**",
        functions=["scaled"],
        losses="learned(y** ~ y)",
        adversaries="D: y* vs y",
    )
    graph = scheduled(graph, **schedule)
    model = graph.build(**networks(graph), criteria={"learned": Learned()}, functions={"scaled": Scaled()}).to(
        torch.float64
    )
    return model, {name: weight for name, weight in model.named_parameters() if name.startswith("helpers.")}


@pytest.mark.parametrize("order", [("generators", "discriminators"), ("D", "G"), ("discriminators", "generators")])
def test_helpers_with_weights_train(order):
    model, helpers = with_helpers(order=order)
    assert len(helpers) == 2
    optimizers = create_optimizers(model, adam)
    player = next(name for name in order if name in ("G", "generators"))
    held = {id(weight) for weight in optimizers[player].param_groups[0]["params"]}
    assert held == {id(weight) for weight in (*weights(model.generators), *helpers.values())}
    before = {name: weight.clone() for name, weight in helpers.items()}
    AdversarialStep(model, optimizers)(batch_of(model.graph))
    assert all(not torch.equal(before[name], weight) for name, weight in helpers.items())


def test_a_helper_left_out_is_noticed():
    model, _ = with_helpers()
    optimizers = {
        "generators": adam(weights(model.generators)),
        "discriminators": adam(weights(model.discriminators)),
    }
    with pytest.raises(GraphError, match=r"^the optimiser of 'generators' lacks 2 of its weights, 'helpers\.\d"):
        AdversarialStep(model, optimizers)


def test_what_couples_samples_is_not_divided():
    compared = C2GAN.replace(criteria={"K2G2K": "keypoint_distance"})
    stepping(built(compared))
    with pytest.raises(GraphError, match=r"^accumulate: 'keypoint_distance' of the term '.+' couples the samples"):
        stepping(built(compared), accumulate=2)
    averaged = PIX2PIX.replace(adversarial="relativistic_average")
    stepping(built(averaged))
    with pytest.raises(GraphError, match=r"^accumulate: 'relativistic_average' of the term 'D\(y\*\)' couples"):
        stepping(built(averaged), accumulate=2)
    stepping(built(PIX2PIX.replace(adversarial="relativistic")), accumulate=2)
