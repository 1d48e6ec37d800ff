"""Gradient penalties and feature matching, named behind an adversary."""

import pytest
import torch
from torch import nn
from torch._dynamo.testing import CompileCounter

from cyclekit import CycleGraph, GraphError, Image, NetworkSpec, Schedule
from cyclekit.model import NetworkOutputError
from cyclekit.training import AdversarialStep, create_optimizers
from tests.model.tiny import PIX2PIX, STARGAN, TinyGenerator, TinyJudge, batch_of, built

REGULARIZED = PIX2PIX.replace(
    adversaries="D: [x, y*] vs [x, y] + r1 + wgan_gp + feature_matching",
    adversarial="lsgan",
    weights={"r1(D)": 5, "wgan_gp(D)": 10, "feature_matching(D)": 2},
)


def squared_slope(judge, point):
    point = point.clone().requires_grad_()
    (slope,) = torch.autograd.grad(judge(point).sum(), point, create_graph=True)
    return slope.pow(2).sum((1, 2, 3))


def test_the_discriminator_pays_its_penalties_as_the_papers_write_them():
    model, batch = built(REGULARIZED), batch_of(REGULARIZED)
    signals = model.generate(batch)
    judge = model.discriminators["D"]
    fake, real = (torch.cat([batch["x"], y], 1) for y in (signals["y*"], batch["y"]))
    torch.manual_seed(3)
    paid = model.discriminator_loss(batch, signals)
    torch.manual_seed(3)
    share = torch.rand(len(real), 1, 1, 1, dtype=torch.float64)
    expected = {
        "D(y*)": (judge(real) - 1).pow(2).mean() + judge(fake).pow(2).mean(),
        "r1(D(y*))": squared_slope(judge, real).mean(),
        "wgan_gp(D(y*))": (squared_slope(judge, real + share * (fake - real)).sqrt() - 1).pow(2).mean(),
    }
    torch.testing.assert_close(paid.terms, expected)
    total = (expected["D(y*)"] + 5 * expected["r1(D(y*))"] + 10 * expected["wgan_gp(D(y*))"]) / 2
    weights = list(judge.parameters())
    torch.testing.assert_close(paid.total, total)
    torch.testing.assert_close(torch.autograd.grad(paid.total, weights), torch.autograd.grad(total, weights))


def test_the_generators_match_features_but_not_logits():
    model, batch = built(REGULARIZED), batch_of(REGULARIZED)
    paid = model.generator_loss(batch)
    judge = model.discriminators["D"]
    fake, real = (torch.cat([batch["x"], y], 1) for y in (paid.signals["y*"], batch["y"]))
    expected = (judge.trunk(fake) - judge.trunk(real)).abs().mean()
    assert set(paid.terms) == {"y* ~ y", "D(y*)", "feature_matching(D(y*))"}
    torch.testing.assert_close(paid.terms["feature_matching(D(y*))"], expected)
    paid.total.backward()
    assert all(weight.grad is None for weight in judge.parameters())
    assert all(weight.grad is not None for weight in model.generators.parameters())


def test_features_and_logits_come_of_one_evaluation():
    model, batch = built(REGULARIZED), batch_of(REGULARIZED)
    runs: list[int] = []
    model.discriminators["D"].trunk.register_forward_hook(lambda *inputs: runs.append(len(inputs[1][0])))
    model.generator_loss(batch)
    assert runs == [4]  # generated and real side by side
    runs.clear()
    model.discriminator_loss(batch, terms=["D(y*)"])
    assert runs == [4]


def test_penalties_judge_what_the_history_holds():
    graph = PIX2PIX.replace(adversaries="D: [x, y*] vs [x, y] + r2")
    model, batch = built(graph), batch_of(graph)
    history = {"D(y*)": torch.randn(2, 6, 6, 6, dtype=torch.float64)}
    paid = model.discriminator_loss(batch, history=history)
    expected = squared_slope(model.discriminators["D"], history["D(y*)"]).mean()
    torch.testing.assert_close(paid.terms["r2(D(y*))"], expected)


@pytest.mark.parametrize(
    ("behind", "judge"),
    [
        ("r1 + feature_matching", NetworkSpec("patchgan_16", norm="batch", spectral_norm=True)),
        ("wgan_gp + feature_matching", NetworkSpec("patchgan_16", norm="instance")),
        ("r2 + feature_matching", NetworkSpec("multiscale_patchgan", scales=2, layers=1, norm="batch")),
        ("r1", NetworkSpec("pixelgan", norm="none")),
        ("wgan_gp", NetworkSpec("stargan", layers=2)),
    ],
    ids=str,
)
def test_both_losses_are_one_graph(behind, judge):
    torch.compiler.reset()
    graph = PIX2PIX.replace(adversaries=f"D: [x, y*] vs [x, y] + {behind}")
    spec = NetworkSpec(judge.name, **{"base_channels": 2, "init": "xavier", **judge.options})
    models = [
        graph.build(generators=TinyGenerator(3, (Image(3),)), discriminators=spec).to(torch.float64) for _ in range(2)
    ]
    models[1].load_state_dict(models[0].state_dict())
    batch, compiled = batch_of(graph, size=16), CompileCounter()
    for compile in (True, False):
        model = models[compile]
        player = model.generator_objective(), model.discriminator_objective()
        if compile:
            player = [torch.compile(objective, fullgraph=True, backend=compiled) for objective in player]
        paid = player[0](batch)
        torch.manual_seed(0)
        judged = player[1](batch, {name: value.detach() for name, value in paid.signals.items()})
        (paid.total + judged.total).backward()
    assert compiled.frame_count == 2
    torch.testing.assert_close(models[0].state_dict(), models[1].state_dict())
    for one, other in zip(models[0].parameters(), models[1].parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)
    torch.compiler.reset()


def test_a_penalty_leaves_statistics_as_they_are():
    graph = PIX2PIX.replace(adversaries="D: [x, y*] vs [x, y] + r1")
    model, batch = built(graph, "batch"), batch_of(graph)
    signals = model.generate(batch)
    before = {name: value.clone() for name, value in model.discriminators.named_buffers()}
    model.discriminator_loss(batch, signals, terms=["r1(D(y*))"])
    torch.testing.assert_close(dict(model.discriminators.named_buffers()), before)


def test_a_step_trains_with_them():
    model, batch = built(REGULARIZED), batch_of(REGULARIZED, samples=4)
    step = AdversarialStep(model, create_optimizers(model, torch.optim.Adam), accumulate=2)
    before = [weight.clone() for weight in model.parameters()]
    losses = step(batch).losses
    assert {"generators/feature_matching(D(y*))", "discriminators/r1(D(y*))"} < set(losses)
    assert all(not torch.equal(weight, old) for weight, old in zip(model.parameters(), before, strict=True))


def test_penalties_may_be_computed_now_and_then():
    graph = REGULARIZED.replace(schedule=Schedule(penalty_interval=3, history=0))
    model, batch = built(graph), batch_of(graph)
    runs: list[nn.Module] = []
    step = AdversarialStep(
        model, create_optimizers(model, torch.optim.SGD), wrap=lambda objective: runs.append(objective) or objective
    )
    assert len(runs) == 3  # the generators', the discriminators' with and without penalties
    computed = [set(step(batch).losses) for _ in range(7)]
    assert ["discriminators/r1(D(y*))" in names for names in computed] == [True, False, False] * 2 + [True]
    assert all("generators/feature_matching(D(y*))" in names for names in computed)


def test_a_penalty_weighs_more_where_it_is_computed_less_often():
    graph = PIX2PIX.replace(adversaries="D: [x, y*] vs [x, y] + r1")
    often, seldom = (built(graph.replace(schedule=Schedule(penalty_interval=n, history=0))) for n in (1, 3))
    batch = batch_of(graph)
    # the loss of the model is that of its graph; the interval is the step's
    losses = [model.discriminator_loss(batch) for model in (often, seldom)]
    torch.testing.assert_close(*(made.total for made in losses))
    step = AdversarialStep(seldom, create_optimizers(seldom, lambda weights: torch.optim.SGD(weights, 0.0)))
    totals = [step(batch).losses["discriminators/total"] for _ in range(2)]
    penalty = graph.schedule.discriminator_scale * losses[0].terms["r1(D(y*))"]
    torch.testing.assert_close(totals[0], (losses[0].total + 2 * penalty).detach())
    torch.testing.assert_close(totals[1], (losses[0].total - penalty).detach())


def test_the_iteration_says_when_penalties_are_due():
    graph = CycleGraph(
        {"x": Image(), "y": Image(), "z": Image()},
        maps="x -G-> y*",
        adversaries="D: y* vs y ; E: [x, y*] vs [x, z] + r1",
        optional=["E"],
        schedule=Schedule(penalty_interval=2, history=0),
    )
    model = built(graph)
    whole = batch_of(graph)
    part = {name: whole[name] for name in ("x", "y")}
    step = AdversarialStep(model, create_optimizers(model, torch.optim.SGD))
    computed = ["discriminators/r1(E(y*))" in step(batch).losses for batch in [part, whole, whole] * 2]
    assert computed == [False, False, True, False, True, False]
    step(whole)
    other = AdversarialStep(model, create_optimizers(model, torch.optim.SGD))
    other.load_state_dict(step.state_dict())
    assert "discriminators/r1(E(y*))" not in other(whole).losses
    assert "discriminators/r1(E(y*))" in other(whole).losses


@pytest.mark.parametrize("penalty", ["r1", "r2", "wgan_gp"])
@pytest.mark.parametrize("backend", [None, "aot_eager"])
def test_penalties_are_summed_in_single_precision(penalty, backend):
    torch.compiler.reset()
    graph = PIX2PIX.replace(adversaries=f"D: y* vs y + {penalty}")
    model = built(graph).to(torch.float32)
    batch = batch_of(graph, dtype=torch.float32)
    objective = model.discriminator_objective()
    if backend:
        objective = torch.compile(objective, fullgraph=True, backend=backend)
    torch.manual_seed(0)
    exact = objective(batch, model.generate(batch)).terms
    with torch.autocast("cpu", torch.bfloat16):
        torch.manual_seed(0)
        paid = objective(batch, model.generate(batch))
    paid.total.backward()
    found = paid.terms[f"{penalty}(D(y*))"]
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, exact[f"{penalty}(D(y*))"], rtol=0.1, atol=1e-3)
    torch.compiler.reset()


def test_a_whole_model_in_half_precision_sums_penalties_in_single():
    model = built(REGULARIZED).to(torch.bfloat16)
    batch = batch_of(REGULARIZED, dtype=torch.bfloat16)
    paid = model.discriminator_loss(batch).terms
    assert {name: loss.dtype for name, loss in paid.items()} == dict.fromkeys(paid, torch.float32)


def test_a_players_own_errors_name_the_term():
    graph = PIX2PIX.replace(adversaries="D: [x, y*] vs [x, y] + gp")
    options = {"generators": TinyGenerator(3, (Image(),)), "discriminators": TinyJudge(6)}
    batch = batch_of(graph, dtype=torch.float32)
    with pytest.raises(TypeError, match="positional arguments") as error:
        graph.build(**options, criteria={"gp": lambda judge, real: judge(real).mean()}).discriminator_loss(batch)
    assert error.value.__notes__ == ["while computing gp(D(y*))"]
    with pytest.raises(
        ValueError, match=r"the term 'gp\(D\(y\*\)\)': 'gp' must return a scalar tensor, got \(2, 1, 3, 3\)"
    ):
        graph.build(**options, criteria={"gp": lambda judge, real, fake: judge(real)}).discriminator_loss(batch)


def test_a_player_alone_pays_its_penalty():
    graph = CycleGraph(
        {"x": Image(), "y": Image()}, maps="x -G-> y*", adversaries="D: y* vs y + r1 ; E: y* vs y", losses="y* ~ y"
    )
    model, batch = built(graph), batch_of(graph)
    model.discriminator_objective(networks=["E"])(batch, model.generate(batch)).total.backward()
    assert all(weight.grad is None for weight in model.discriminators["D"].parameters())
    assert all(weight.grad is not None for weight in model.discriminators["E"].parameters())


def test_regularizers_of_ones_own():
    def flat(discriminator, real, fake):
        return (discriminator(real) - discriminator(fake)).square().mean()

    def farthest(fake, real):
        return torch.stack([(one - other).abs().max() for one, other in zip(fake, real, strict=True)]).sum()

    graph = PIX2PIX.replace(
        adversaries="D: [x, y*] vs [x, y] + flat + feature_matching", criteria={"feature_matching(D)": "farthest"}
    )
    options = {"generators": TinyGenerator(3, (Image(),)), "discriminators": TinyJudge(6)}
    with pytest.raises(GraphError, match=r"no penalty is called 'flat'.*criteria=\{'flat': \.\.\.\}"):
        graph.build(**options)
    model = graph.build(**options, criteria={"flat": flat, "farthest": farthest})
    batch = batch_of(graph, dtype=torch.float32)
    assert model.generator_loss(batch).terms["feature_matching(D(y*))"] > 0
    assert model.discriminator_loss(batch).terms["flat(D(y*))"] > 0


def test_optional_regularizers_go_with_their_adversary():
    graph = PIX2PIX.replace(
        adversaries="D: [x, y*] vs [x, y] + r1", losses="near: y* ~ x", optional=["D"], weights={"near": 1}
    )
    model, batch = built(graph), batch_of(graph)
    assert graph.term("r1(D(y*))").optional
    assert set(model.active_terms({"x": batch["x"]}, "discriminators")) == set()
    assert set(model.active_terms(batch, "discriminators")) == {"D(y*)", "r1(D(y*))"}


def test_heads_and_features_together():
    graph = STARGAN.replace(adversaries="D: y* vs x + r1 + feature_matching")
    model, batch = built(graph), batch_of(graph)
    matched = [term.name for term in graph.terms if term.name.startswith("feature_matching")]
    assert matched
    assert all(model.generator_loss(batch).terms[name] > 0 for name in matched)
    assert model.discriminator_loss(batch).total.isfinite()


def test_a_discriminator_without_features_says_how_to_have_some():
    graph = PIX2PIX.replace(adversaries="D: [x, y*] vs [x, y] + feature_matching")
    judge = nn.Sequential()
    judge.add_module("features", nn.Conv2d(6, 1, 3))  # layers of that name are no method
    model = graph.build(generators=TinyGenerator(3, (Image(),)), discriminators=judge)
    message = r"D must return a dict of 'source' and 'features', or have a method judge_with_features, got Tensor"
    with pytest.raises(NetworkOutputError, match=message):
        model.generator_loss(batch_of(graph, dtype=torch.float32))
