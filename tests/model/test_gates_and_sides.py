"""Gradients stopped and turned round, one-sided terms, two-sided adversaries, classifiers: by autograd."""

import pytest
import torch
from torch.nn import functional as F

from cyclekit.graph import CycleGraph, GraphError, Image, Label, Latent, Noise, Vector
from tests.model.tiny import batch_of, built

PICTURES = {"x": Image(2), "y": Image(2)}


def slopes(loss, *modules):
    """Return for each module whether a loss has a gradient by its weights."""
    found = []
    for module in modules:
        grads = torch.autograd.grad(loss, list(module.parameters()), allow_unused=True, retain_graph=True)
        found.append(any(g is not None and g.abs().sum() > 0 for g in grads))
    return found


def test_a_stopped_signal_trains_its_makers_nothing():
    graph = CycleGraph(PICTURES, maps="x -G-> y* ; y -F-> x*", losses="m: y* ~ stop(x*) ; x* ~ x")
    assert graph.gradient_flow() == {"m": {"G"}, "x* ~ x": {"F"}}
    model, batch = built(graph), batch_of(graph)
    losses = model.generator_loss(batch)
    assert slopes(losses.terms["m"], *model.generators.values()) == [True, False]
    expected = (model.generators["G"](batch["x"]) - model.generators["F"](batch["y"])).abs().mean()
    torch.testing.assert_close(losses.terms["m"], expected)


def test_a_stopped_signal_feeds_a_network():
    graph = CycleGraph(PICTURES, maps="x -G-> y1 ; [stop(y1), x] -F-> y*", losses="y* ~ y ; y1 ~ y")
    assert graph.gradient_flow() == {"y* ~ y": {"F"}, "y1 ~ y": {"G"}}
    assert [str(e) for e in graph.plan().generators.evaluations] == ["G(x) -> y1", "stop(y1)", "F(stop(y1), x) -> y*"]
    assert "stop" in graph.to_mermaid()


def test_a_stopped_network_passes_the_gradient_and_takes_none():
    graph = CycleGraph(
        {"A": Image(2), "z": Noise(3), "B": Image(2)},
        maps="[A, z] -G-> B* ; B -E-> e",
        losses="lr: B* -stop(E)-> _ ~ z ; enc: e ~ z",
    )
    assert graph.gradient_flow() == {"lr": {"G"}, "enc": {"E"}}
    model, batch = built(graph), batch_of(graph)
    losses = model.generator_loss(batch)
    assert slopes(losses.terms["lr"], model.generators["G"], model.generators["E"]) == [True, False]
    assert all(weight.requires_grad for weight in model.generators["E"].parameters())
    by_hand = (model.generators["E"](losses.signals["B*"]) - batch["z"]).abs().mean()
    torch.testing.assert_close(losses.terms["lr"], by_hand)
    assert "stop(E)" in str(graph)
    # alone, the term holds no network that it does not train: processes would wait for its gradient
    assert list(model.generator_objective(["lr"]).networks) == ["G"]


def test_a_reversed_signal_turns_the_gradient_round():
    signals = {"x": Image(2), "c": Label(3), "h": Latent(2), "y": Image(2)}
    maps, losses = "x -E-> h -G-> y*", "y* ~ y ; dom: {} -C-> _ ~ c"
    straight = CycleGraph(signals, maps=maps, losses=losses.format("h"))
    turned = CycleGraph(signals, maps=maps, losses=losses.format("reverse(h)"))
    assert turned.gradient_flow()["dom"] == {"E", "C"}
    assert str(turned).splitlines()[-1].split()[-2:] == ["C,", "reverse(E)"]
    models, batch = [built(graph) for graph in (straight, turned)], batch_of(straight)
    terms = [model.generator_loss(batch).terms["dom"] for model in models]
    torch.testing.assert_close(*terms)
    for name, sign in (("E", -1), ("C", 1)):
        before, after = (
            torch.autograd.grad(term, list(model.generators[name].parameters()), retain_graph=True)
            for term, model in zip(terms, models, strict=True)
        )
        torch.testing.assert_close([sign * gradient for gradient in before], list(after))


def test_one_sided_terms_over_signals_and_flows():
    graph = CycleGraph(
        {"x": Image(2), "mu": Vector(3), "logvar": Vector(3), "f": Vector(2), "g": Vector(2)},
        maps="x -E-> [mu, logvar] ; x -F-> [f, g] ; [x, mu] -G-> x*",
        losses="kl(mu, logvar) ; smooth: total_variation(x*) ; kl(x -F-> [_, _]) ; x* ~ x",
        weights={"kl": 0.01, "smooth": 2},
    )
    assert [(term.name, term.weight) for term in graph.terms] == [
        ("kl(mu, logvar)", 0.01),
        ("smooth", 2),
        ("kl(x -F-> [_, _])", 0.01),
        ("x* ~ x", 1),
    ]
    assert graph.gradient_flow()["kl(mu, logvar)"] == {"E"}
    assert graph.gradient_flow()["kl(x -F-> [_, _])"] == {"F"}
    assert graph.term("kl(mu, logvar)").equation == "kl(mu, logvar)"
    model, batch = built(graph), batch_of(graph)
    losses = model.generator_loss(batch)
    mean, log_variance = losses.signals["mu"], losses.signals["logvar"]
    normal = torch.distributions.Normal(mean, (log_variance / 2).exp())
    expected = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0)).sum(1).mean()
    torch.testing.assert_close(losses.terms["kl(mu, logvar)"], expected)


def test_a_comparison_of_negative_weight_is_maximised():
    graph = CycleGraph(PICTURES, maps="x -G-> a ; y -G-> b", losses="a ~ y ; ds: a ~ b", weights={"ds": -2})
    row = next(line.split() for line in str(graph).splitlines() if line.startswith("ds"))
    assert row == ["ds", "-2", "l1", "generators,", "maximised", "G"]
    losses = built(graph).generator_loss(batch_of(graph))
    torch.testing.assert_close(losses.total, losses.terms["a ~ y"] - 2 * losses.terms["ds"])


def test_both_sides_of_a_confusion_try_to_make_it_fail():
    signals = {"x": Image(2), "y": Image(2), "cx": Latent(2), "cy": Latent(2)}
    graph = CycleGraph(
        signals, maps="x -E_x-> cx ; y -E_y-> cy", adversaries="D: cx <> cy", losses="cx -G-> _ ~ x", adversarial="log"
    )
    name = "D(cx, cy)"
    assert graph.gradient_flow()[name] == {"E_x", "E_y"}
    model, batch = built(graph), batch_of(graph)
    losses = model.generator_loss(batch)
    left, right = (model.discriminators["D"](losses.signals[each]) for each in ("cx", "cy"))
    # the discriminator takes the left side for generated: its makers want the other answer, on both sides
    torch.testing.assert_close(losses.terms[name], (F.softplus(-left) + F.softplus(right)).mean())
    assert slopes(losses.terms[name], *(model.generators[each] for each in ("E_x", "E_y", "G"))) == [True, True, False]
    judged = model.discriminator_loss(batch, losses.signals)
    torch.testing.assert_close(judged.terms[name], (F.softplus(left) + F.softplus(-right)).mean())
    assert model.fakes(batch, losses.signals) == {}

    undecided = built(graph.replace(adversarial="undecided")).generator_loss(batch)
    odds = [torch.sigmoid(logits) for logits in (left, right)]  # DRIT's Eq. 1
    expected = -sum((torch.log(odd) / 2 + torch.log(1 - odd) / 2).mean() for odd in odds)
    torch.testing.assert_close(undecided.terms[name], expected)


def test_a_classifier_learns_from_real_inputs_beside_the_discriminators():
    graph = CycleGraph(
        PICTURES | {"c": Label(3)},
        maps="x -G-> y*",
        adversaries="D: y* vs y",
        losses="real: x -C.cls-> _ ~ c ; fake: y* -C.cls-> _ ~ c ; known: stop(y*) -C.cls-> _ ~ c",
    )
    assert graph.discriminators == ("D", "C")
    assert {term.name: term.side for term in graph.terms[:3]} == {
        "real": "discriminators",
        "fake": "generators",
        "known": "discriminators",
    }
    assert graph.gradient_flow()["fake"] == {"G"}
    assert graph.learners(graph.term("real"), "discriminators") == {"C"}
    model, batch = built(graph), batch_of(graph)
    losses = model.generator_loss(batch)
    assert slopes(losses.terms["fake"], model.generators["G"], model.discriminators["C"]) == [True, False]
    judged = model.discriminator_loss(batch, losses.signals)
    for name, signal in (("real", batch["x"]), ("known", losses.signals["y*"])):
        logits = model.discriminators["C"](signal.detach())["cls"]
        torch.testing.assert_close(judged.terms[name], F.cross_entropy(logits, batch["c"]))
        assert slopes(judged.terms[name], model.discriminators["C"]) == [True]


def test_a_classifier_that_no_term_trains_is_refused():
    graph = CycleGraph(
        PICTURES | {"c": Label(3)}, maps="x -G-> y*", adversaries="D_I: y* vs y", losses="y* -D_J.cls-> _ ~ c"
    )
    with pytest.raises(GraphError, match=r"no term trains 'D_J': .*did you mean 'D_I'"):
        graph.check()


def test_several_statements_in_a_criterion():
    graph = CycleGraph(
        PICTURES | {"h": Latent(2)}, maps="x -G-> y*", losses="ssim(y* -F-> h ; [h, x] -H-> _ ~ y) ; y* ~ y"
    )
    (name, *_) = (term.name for term in graph.terms)
    assert name == "y* -F-> h ; ssim([h, x] -H-> _ ~ y)"
    assert graph.gradient_flow()[name] == {"G", "F", "H"}
    assert graph == graph.replace(losses="y* -F-> h ; ssim([h, x] -H-> _ ~ y) ; y* ~ y")


def test_a_function_gives_the_domain_of_what_it_takes_on():
    graph = CycleGraph(
        PICTURES | {"f": Latent(4)}, maps="x -E-> f -warp-> g -G-> y*", functions=["warp"], losses="y* ~ y"
    )
    assert str(graph.domains["g"]) == "Latent(4)"


def test_what_stops_and_samples_is_drawn_from_its_distribution():
    graph = CycleGraph(
        {"x": Image(2), "mu": Vector(3), "logvar": Vector(3)},
        maps="x -E-> [mu, logvar] ; [mu, logvar] -sample-> e -G-> x*",
        losses="x* ~ x",
    )
    assert graph.gradient_flow()["x* ~ x"] == {"E", "G"}
    sample = built(graph, functions={}).function("sample")
    mean, log_variance = torch.full((20_000, 1), 3.0), torch.full((20_000, 1), 2.0)
    drawn = sample(mean, log_variance)
    assert drawn.mean().item() == pytest.approx(3, abs=0.1)
    assert drawn.var().item() == pytest.approx(torch.e**2, rel=0.1)
