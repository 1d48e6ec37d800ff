"""Mistakes that a user makes, and what is said of each before a model trains on it."""

import re

import pytest
import torch
from torch import nn

from cyclekit import CycleGraph, CycleModel, GraphError, GraphWarning, Heatmap, Image, Label, Mask, NetworkSpec
from cyclekit.errors import NetworkOutputError, SignalError, SignalWarning
from cyclekit.keypoints import render_heatmaps
from tests.model.tiny import C2GAN, PIX2PIX, TinyGenerator, TinyJudge, batch_of, built, networks

SIGNALS = {"x": Image(3), "y": Image(3)}
PLAIN = CycleGraph(SIGNALS, maps="x -G-> y*", losses="y* ~ y")


def tiny(outputs=3):
    return TinyGenerator(3, (Image(outputs),))


# ------------------------------------------------------------------ the model keeps what it is


def test_a_models_graph_stays():
    model = built(PIX2PIX)
    with pytest.raises(AttributeError, match="a model keeps its graph: build another model from the new one"):
        model.graph = PIX2PIX.reweight({"D": 2})
    assert model.graph is PIX2PIX


def test_a_users_module_is_left_as_it_was():
    estimator = tiny()
    graph = CycleGraph(
        {**SIGNALS, "e": Image(3)}, maps="x -G-> y* ; y* -E-> e* ; y -E-> e", losses="e* ~ e", frozen=["E"]
    )
    model = graph.build(generators={"G": tiny(), "E": estimator})
    batch = batch_of(graph, dtype=torch.float32)
    model.generator_loss(batch).total.backward()
    assert all(weight.requires_grad and weight.grad is None for weight in estimator.parameters())
    assert all(weight.grad is not None for weight in model.generators["G"].parameters())


def test_a_module_that_cannot_learn_is_no_learner():
    graph = CycleGraph(SIGNALS, maps="x -G-> y* -F-> x*", losses="y* ~ y ; x* ~ x")
    resting = tiny().requires_grad_(False)
    with pytest.warns(GraphWarning, match=r"the term 'x\* ~ x' does not train F: .*requires_grad=False"):
        model = graph.build(generators={"G": tiny(), "F": resting})
    assert model.gradient_flow() == {"y* ~ y": {"G"}, "x* ~ x": {"G"}}
    assert graph.gradient_flow()["x* ~ x"] == {"G", "F"}
    with pytest.raises(GraphError, match=r"the term 'y\* ~ y' \(y\* ~ y\) trains nobody: .*requires_grad=False"):
        PLAIN.build(generators=resting)


def test_a_function_that_detaches_is_found():
    graph = CycleGraph(SIGNALS, maps="x -G-> y* ; y* -cut-> c", functions=["cut"], losses="y* ~ y ; c ~ y")
    with pytest.raises(GraphError, match=r"the term 'c ~ y' \(c ~ y\) trains nobody: a function or its criterion"):
        graph.build(generators=tiny(), functions={"cut": lambda y: y.detach()})
    model = graph.build(generators=tiny(), functions={"cut": lambda y: y * 2})
    assert model.gradient_flow() == graph.gradient_flow()


def test_what_a_criterion_ignores_is_found():
    graph = CycleGraph(SIGNALS, maps="x -G-> m ; x -F-> m*", losses="mine(m ~ m*) ; m* ~ y ; m ~ y")
    with pytest.warns(GraphWarning, match="does not train F: a function or its criterion passes no gradient"):
        model = graph.build(generators={"G": tiny(), "F": tiny()}, criteria={"mine": lambda one, other: one.mean()})
    assert model.gradient_flow()["mine(m ~ m*)"] == {"G"}
    measured = {
        name
        for name, network in model.generators.items()
        if torch.autograd.grad(
            model.generator_loss(batch_of(graph, dtype=torch.float32)).terms["mine(m ~ m*)"],
            list(network.parameters()),
            allow_unused=True,
        )[0]
        is not None
    }
    assert measured == {"G"}


# ------------------------------------------------------------------ values


def value_batch(**values):
    torch.manual_seed(0)
    return {"x": torch.rand(2, 3, 16, 16) * 2 - 1, "y": torch.rand(2, 3, 16, 16) * 2 - 1} | values


GRAPH_OF_MANY = CycleGraph(
    {**SIGNALS, "L": Heatmap(2), "M": Mask(), "c": Label(3)},
    maps="[x, L] -G-> y*",
    adversaries="D: y* vs y",
    losses="masked(y* ~ y, M) ; y -D.cls-> _ ~ c",
)


def many(**values):
    return value_batch(
        **{"L": torch.rand(2, 2, 16, 16) * 2 - 1, "M": torch.ones(2, 1, 16, 16), "c": torch.tensor([0, 2]), **values}
    )


def test_sound_values_pass():
    built(GRAPH_OF_MANY).float().check_values(many())


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "x",
            torch.full((2, 3, 16, 16), 200.0),
            r"'x' is Image\(3\), .* from 200 to 200: .*\[-1, 1\]; divide bytes by 255",
        ),
        ("x", torch.full((2, 3, 16, 16), float("nan")), "'x' holds NaN or infinite values"),
        ("y", torch.full((2, 3, 16, 16), float("inf")), "'y' holds NaN or infinite values"),
        ("M", torch.full((2, 1, 16, 16), 255.0), "'M' is Mask.*a mask is 1 inside its region and 0 outside; divide"),
        ("c", torch.ones(2, 3), r"its rows do not sum to 1: .*'binary_cross_entropy' and a Vector\(3\)"),
    ],
)
def test_values_that_no_model_works_with(name, value, message):
    with pytest.raises(SignalError, match=message):
        built(GRAPH_OF_MANY).float().check_values(many(**{name: value}))


def test_an_empty_batch_is_refused():
    with pytest.raises(SignalError, match=r"'x' holds no values: its shape is \(0, 3, 8, 8\)"):
        built(PIX2PIX).float().check_values({"x": torch.zeros(0, 3, 8, 8), "y": torch.zeros(0, 3, 8, 8)})


def test_pictures_and_heatmaps_in_their_own_range_are_warned_of():
    model = built(GRAPH_OF_MANY).float()
    with pytest.warns(SignalWarning, match=r"'x' is Image\(3\).*no value is below 0.*Image\(3\).normalize"):
        model.check_values(many(x=torch.rand(2, 3, 16, 16)))
    heatmaps = render_heatmaps(torch.tensor([[[4.0, 4.0], [9.0, 9.0]]] * 2), (16, 16), 2.0)
    with pytest.warns(SignalWarning, match=r"'L' is Heatmap\(2\).*bring them from \(0.0, 1.0\) to \[-1, 1\]"):
        model.check_values(many(L=heatmaps))
    model.check_values(many(L=GRAPH_OF_MANY.signals["L"].normalize(heatmaps)))


# ------------------------------------------------------------------ batches and labels


@pytest.mark.parametrize(
    ("label", "mend"),
    [
        (torch.eye(3, dtype=torch.int64)[:2], r"use \.float\(\)"),
        (torch.eye(3, dtype=torch.bool)[:2], r"use \.float\(\)"),
        (torch.tensor([[0], [1]]), r"use \.squeeze\(1\)$"),
        (torch.tensor([[0.0], [1.0]]), r"use \.squeeze\(1\)\.long\(\)"),
        (torch.tensor([0.0, 1.0]), r"classes are integers: use \.long\(\)"),
        (torch.tensor([True, False]), r"classes are integers: use \.long\(\)"),
    ],
)
def test_a_label_given_in_another_way_is_told_how(label, mend):
    if label.ndim == 2 and label.is_floating_point():
        with pytest.raises(SignalError, match="'c' is Label"):
            built(GRAPH_OF_MANY).float().check_values(many(c=label))
        return
    with pytest.raises(SignalError, match=rf"'c' is Label\(3\): expected classes as integers .*: .*{mend}"):
        built(GRAPH_OF_MANY).float().check_values(many(c=label))


def test_a_batch_is_a_dict():
    model = built(PIX2PIX)
    for call in (model.generator_loss, model.discriminator_loss, model.generate, model):
        for batch in ((torch.zeros(1), torch.zeros(1)), [torch.zeros(1)], torch.zeros(1)):
            with pytest.raises(SignalError, match=r"a batch is a dict of signals by name, .*, got (tuple|list|Tensor)"):
                call(batch)


def test_names_of_signals_are_a_list():
    with pytest.raises(GraphError, match=re.escape("signals must be a list of names, got the text 'y*': write ['y*']")):
        built(PIX2PIX).generate(batch_of(PIX2PIX), "y*")


def test_objectives_of_networks_that_are_not_there():
    model = built(PIX2PIX)
    with pytest.raises(GraphError, match="networks names 'Q', which is none of the generators"):
        model.generator_objective(networks=["Q"])
    with pytest.raises(GraphError, match="networks names 'G', which is none of the discriminators"):
        model.discriminator_objective(networks=["G"])


# ------------------------------------------------------------------ what networks and criteria give back


def test_features_are_not_taken_for_scales():
    class Returning(TinyJudge):
        def forward(self, joined):
            return self.judge_with_features(joined)

    model = PIX2PIX.build(generators=tiny(), discriminators=Returning(6))
    with pytest.raises(NetworkOutputError, match=r"must return logits, or a list of logits .* features belong in a"):
        model.generator_loss(batch_of(PIX2PIX, dtype=torch.float32))


def test_only_modules_that_allow_it_share_a_batch():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.runs = nn.Conv2d(3, 3, 1), []

        def forward(self, joined):
            self.runs.append(len(joined))
            return self.layer(joined)

    graph = CycleGraph(SIGNALS, maps="x -G-> a ; y -G-> b", losses="a ~ y ; b ~ x")
    for allowed, runs in ((False, [2, 2]), (True, [4])):
        network = Counting()
        network.joins_batches = allowed
        graph.build(generators=network).generator_loss(value_batch())
        assert network.runs == runs
    network = Counting()
    graph.build(generators=network).generator_loss(value_batch())
    assert network.runs == [2, 2]


def test_sizes_that_differ_name_the_term():
    model = PLAIN.build(generators=nn.Conv2d(3, 3, 3))
    with pytest.raises(
        NetworkOutputError, match=re.escape("the term 'y* ~ y': y* has shape (2, 3, 14, 14) and y (2, 3, 16, 16)")
    ):
        model.generator_loss(value_batch())


@pytest.mark.parametrize(
    ("criterion", "message"),
    [
        (
            lambda one: one.mean(),
            r"'y\* ~ y' gives 'mine' 2 signals \(y\*, y\), and it takes one",
        ),
        (lambda a, b, c: (a - b + c).mean(), r"gives 'mine' 2 signals"),
    ],
)
def test_a_criterion_of_another_arity_is_found_when_built(criterion, message):
    with pytest.raises(GraphError, match=message):
        PLAIN.replace(criteria={"y* ~ y": "mine"}).build(generators=tiny(), criteria={"mine": criterion})


def test_a_criterion_that_returns_a_number():
    model = PLAIN.replace(criteria={"y* ~ y": "mine"}).build(generators=tiny(), criteria={"mine": lambda a, b: 0.5})
    with pytest.raises(NetworkOutputError, match=r"the term 'y\* ~ y': 'mine' must return a scalar tensor, got float"):
        model.generator_loss(value_batch())


# ------------------------------------------------------------------ modes


def test_generate_moves_no_statistics():
    model = built(C2GAN, "batch")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    made = model.generate(batch_of(C2GAN))
    assert not any(signal.requires_grad for signal in made.values())
    torch.testing.assert_close(model.state_dict(), before, rtol=0, atol=0)


def test_a_model_can_be_called():
    model, batch = built(C2GAN), batch_of(C2GAN)
    made = model(batch)
    assert set(made) == set(C2GAN.generated)
    assert all(signal.requires_grad for signal in made.values())
    torch.testing.assert_close({k: v.detach() for k, v in made.items()}, model.generate(batch))


def test_what_build_chooses_is_said():
    with (
        pytest.warns(GraphWarning, match="generators of G: build.. chooses 'unet_256'"),
        pytest.warns(GraphWarning, match="discriminators of D: build.. chooses 'patchgan_70'"),
        torch.device("meta"),
    ):
        PIX2PIX.build()


def test_size_is_height_and_width():
    for size in (64, (64,), (64, 64, 3), "64x64", (64.0, 64), (0, 64)):
        with pytest.raises(GraphError, match=r"size must be \(height, width\), two positive integers, got"):
            PIX2PIX.build(**networks(PIX2PIX), size=size)
    with pytest.raises(GraphError, match=re.escape("got 64: write (64, 64)")):
        PIX2PIX.build(**networks(PIX2PIX), size=64)


# ------------------------------------------------------------------ names and adversaries


def test_a_slip_in_a_networks_name_is_warned_of():
    graph = CycleGraph(SIGNALS, cycles="one: x -G_A-> y* -G_B-> x* ~ x ; two: y -G_b-> x** -G_A-> y** ~ y")
    with pytest.warns(GraphWarning, match="'G_B' is used once, and 'G_b' is called almost the same"):
        graph.check()


def test_a_function_taken_for_a_network_is_warned_of():
    graph = CycleGraph(SIGNALS, maps="x -G-> y* -crop-> c*", losses="c* ~ y ; y* ~ y")
    with pytest.warns(GraphWarning, match=r"'crop' is taken for a network, .* declare functions=\['crop'\]"):
        graph.build(generators=NetworkSpec("unet_64", base_channels=2))
    with pytest.raises(GraphError, match=r"functions passes 'crop', which the graph takes for a network: declare"):
        graph.build(generators={"G": tiny(), "crop": tiny()}, functions={"crop": lambda y: y})


def test_adversaries_that_contradict_each_other_are_warned_of():
    graph = CycleGraph(SIGNALS, maps="x -G-> f ; y -F-> g", adversaries="D: f vs g ; g vs f", losses="f ~ y ; g ~ x")
    with pytest.warns(GraphWarning, match="D is trained to contradict itself: D: f vs g, and the other way round"):
        graph.build(generators={"G": tiny(), "F": tiny()}, discriminators=TinyJudge(3))


def test_critics_without_what_their_loss_needs_are_warned_of():
    bare = PIX2PIX.replace(adversarial="wgan")
    with pytest.warns(GraphWarning, match=r"'D\(y\*\)' is a wgan without a penalty"):
        bare.build(**networks(bare))
    penalised = bare.replace(adversaries="D: [x, y*] vs [x, y] + wgan_gp")
    penalised.build(**networks(penalised))
    with pytest.warns(
        GraphWarning, match="'wgan_gp' takes each sample's gradient alone, and D normalises over the batch"
    ):
        penalised.build(**networks(penalised, "batch"))


def test_logits_are_no_target_of_a_cross_entropy():
    signals = {"x": Image(3), "c": Label(3)}
    text = {"maps": "x -G-> y* ; y* -C-> k* ; x -C-> k", "adversaries": "D: y* vs x"}
    with pytest.raises(GraphError, match=r"a cross entropy is told its target, and 'k' is what C makes, logits"):
        CycleGraph({**signals, "k*": Label(3)}, **text, losses="k* ~ k ; k ~ c")
    CycleGraph({**signals, "k*": Label(3)}, **text, losses="l2: k* ~ k ; k ~ c", criteria={"l2": "l2"})


def test_data_that_is_no_graph_says_what_it_is():
    for data in ("x", 3, None, [1]):
        with pytest.raises(GraphError, match="this is not the data of a graph: expected a dict, got"):
            CycleGraph.from_dict(data)
    with pytest.raises(GraphError, match="this is not the data of a graph: signals and schedule is missing"):
        CycleGraph.from_dict({})


def test_an_error_shows_the_neighbourhood_of_a_long_line():
    text = " ; ".join(f"x{i} -G-> y{i}*" for i in range(5000)) + " -> z"
    with pytest.raises(GraphError) as caught:
        CycleGraph(SIGNALS, maps=text)
    message, line, caret = str(caught.value).split("\n")
    assert len(str(caught.value)) < 1000
    assert line[caret.index("^") :].startswith("-> z")
    assert message.startswith("maps, line 1: an arrow carries a network's name")


def test_from_pretrained_is_ready_to_generate(tmp_path):
    spec = NetworkSpec("unet_64", base_channels=2)
    model = PLAIN.build(generators=spec)
    model.save_pretrained(tmp_path / "model")
    again = CycleModel.from_pretrained(tmp_path / "model")
    assert not any(module.training for module in again.modules())


def test_a_model_can_be_built_where_autograd_is_off():
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            model = PLAIN.build(generators=tiny())
        assert model.gradient_flow() == {"y* ~ y": {"G"}}
