"""Paired and unpaired samples in one batch: a comparison for those that have what it needs."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclekit.graph import CycleGraph, GraphError, Image, Vector
from cyclekit.training import AdversarialStep, create_optimizers
from tests.model.tiny import batch_of, built

GRAPH = CycleGraph(
    {"x": Image(2), "y": Image(2), "paired": Vector(1)},
    cycles="there: x -G-> y* -F-> x* ~ x",
    adversaries="D: y* vs y",
    losses="y* ~ y ; ssim(y* ~ y)",
    optional={"y* ~ y": "paired", "ssim(y* ~ y)": "paired", "D": None},
)


@settings(max_examples=8, deadline=None)
@given(st.lists(st.booleans(), min_size=4, max_size=4))
def test_a_comparison_is_the_mean_over_the_samples_that_have_it(paired):
    model, batch = built(GRAPH), batch_of(GRAPH, samples=4, size=12)
    batch["paired"] = torch.tensor(paired, dtype=torch.float64)[:, None]
    batch["y"][~torch.tensor(paired)] = 0
    losses = model.generator_loss(batch)
    chosen = {name: value[torch.tensor(paired)] for name, value in batch.items()}
    if any(paired):
        expected = model.generator_loss(chosen, terms=["y* ~ y", "ssim(y* ~ y)"]).terms
    else:
        expected = dict.fromkeys(("y* ~ y", "ssim(y* ~ y)"), torch.zeros((), dtype=torch.float64))
    for name, loss in expected.items():
        torch.testing.assert_close(losses.terms[name], loss)
    torch.testing.assert_close(losses.terms["there"], (losses.signals["x*"] - batch["x"]).abs().mean())


def test_a_sample_without_it_gives_no_gradient():
    model, batch = built(GRAPH), batch_of(GRAPH, samples=2, size=12)
    batch["x"].requires_grad_()
    batch["paired"] = torch.tensor([[1.0], [0.0]], dtype=torch.float64)
    loss = model.generator_loss(batch, terms=["y* ~ y"]).terms["y* ~ y"]
    (slope,) = torch.autograd.grad(loss, batch["x"])
    assert slope[0].abs().sum() > 0
    assert slope[1].abs().sum() == 0


def test_a_batch_without_the_signal_leaves_the_term_out():
    model, batch = built(GRAPH), batch_of(GRAPH)
    del batch["paired"]
    assert list(model.generator_loss(batch).terms) == ["there", "D(y*)"]


def test_it_is_printed_and_kept_by_edits():
    assert "optional: y* ~ y (where paired), ssim(y* ~ y) (where paired), D" in str(GRAPH)
    assert CycleGraph.from_dict(GRAPH.to_dict()) == GRAPH
    assert GRAPH.without("ssim(y* ~ y)").term("y* ~ y").where == "paired"
    assert GRAPH.replace(optional=["y* ~ y"]).term("y* ~ y").where is None


def test_what_couples_samples_is_refused():
    class Coupling(torch.nn.Module):
        couples_samples = True

        def forward(self, left, right):
            return (left - right.mean()).abs().mean()

    graph = GRAPH.replace(losses="own(y* ~ y)", optional={"own(y* ~ y)": "paired"})
    with pytest.raises(GraphError, match="'own' compares the samples of a batch with each other"):
        graph.build(generators="unet_64", discriminators="patchgan_16", criteria={"own": Coupling()})
    model = built(GRAPH)
    optimizers = create_optimizers(model, lambda w: torch.optim.SGD(w, 0.1))
    with pytest.raises(
        GraphError, match="accumulate: the term 'y\\* ~ y' is computed for the samples that 'paired' tells"
    ):
        AdversarialStep(model, optimizers, accumulate=2)
