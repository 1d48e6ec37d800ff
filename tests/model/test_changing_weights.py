"""Weights that change with the training step: data in the graph, tensors in the step."""

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cyclekit.graph import CycleGraph, GraphError, Image, Ramp
from cyclekit.training import AdversarialStep, create_optimizers
from tests.model.tiny import batch_of, built

GRAPH = CycleGraph(
    {"x": Image(2), "y": Image(2)},
    maps="x -G-> y* ; y -F-> x*",
    adversaries="D: y* vs y + r1",
    losses="cc_y: y* ~ y ; cc_x: x* ~ x ; l2(y* ~ x)",
    weights={"cc*": Ramp(2, 0, steps=4, after=1), "l2": 3, "cc_x": 5, "D": Ramp(0, 1, steps=2)},
)


def test_a_more_precise_key_comes_first():
    weights = {term.name: term.weight for term in GRAPH.terms}
    assert weights == {
        "cc_y": Ramp(2, 0, steps=4, after=1),
        "cc_x": 5,
        "l2(y* ~ x)": 3,
        "D(y*)": Ramp(0, 1, steps=2),
        "r1(D(y*))": 1,
    }
    assert GRAPH.reweight({"cc*": 1}).term("cc_x").weight == 1


@given(st.integers(0, 10), st.floats(-5, 5), st.floats(-5, 5), st.integers(1, 5), st.integers(0, 5))
def test_a_ramp_is_a_straight_line_between_two_levels(step, start, end, steps, after):
    if start == end:
        return
    ramp = Ramp(start, end, steps=steps, after=after)
    assert ramp.at(min(step, after)) == start
    assert ramp.at(after + steps + step) == pytest.approx(end)
    assert ramp.at(None) == pytest.approx(end)
    middle = ramp.at(after) + ramp.at(after + 2 * steps)
    assert 2 * Ramp(start, end, steps=2 * steps, after=after).at(after + steps) == pytest.approx(middle)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, 0, 0), r"Ramp\(steps=0\): must be a whole number from 1"),
        ((1, 0, 5, -1), r"Ramp\(after=-1\): must be a whole number from 0"),
        ((1, float("inf"), 5), r"Ramp\(end=inf\): a weight is a finite number"),
        ((1, "0", 5), r"Ramp\(end='0'\): a weight is a finite number"),
        ((1, 1, 5), r"Ramp\(1, 1\): a weight that stays is written as a number"),
    ],
)
def test_a_ramp_that_makes_no_sense_is_refused(arguments, message):
    with pytest.raises(GraphError, match=message):
        Ramp(*arguments)


def test_it_is_printed_and_stored():
    row = next(line.split() for line in str(GRAPH).splitlines() if line.startswith("cc_y"))
    assert row == ["cc_y", "2", "to", "0", "l1", "generators", "G"]
    stored = CycleGraph.from_dict(json.loads(json.dumps(GRAPH.to_dict())))
    assert stored == GRAPH
    assert stored.term("cc_y").weight == Ramp(2, 0, steps=4, after=1)
    assert GRAPH.replace(weights={"cc*": Ramp(2, 1, steps=4)}) != GRAPH


def test_the_losses_take_the_present_weight():
    model, batch = built(GRAPH), batch_of(GRAPH)
    for step, cc_y, judged in ((0, 2, 0), (1, 2, 0.5), (3, 1, 1), (None, 0, 1)):
        losses = model.generator_loss(batch, step=step)
        terms = losses.terms
        expected = cc_y * terms["cc_y"] + 5 * terms["cc_x"] + 3 * terms["l2(y* ~ x)"] + judged * terms["D(y*)"]
        torch.testing.assert_close(losses.total, expected)
        told = model.discriminator_loss(batch, losses.signals, step=step)
        torch.testing.assert_close(told.total, (judged * told.terms["D(y*)"] + told.terms["r1(D(y*))"]) / 2)


def test_a_step_hands_the_weight_in_and_compiles_once():
    model, batch = built(GRAPH), batch_of(GRAPH)
    compiled = 0

    def counting(module, inputs):
        nonlocal compiled
        compiled += 1
        return module.forward

    torch._dynamo.reset()
    step = AdversarialStep(
        model,
        create_optimizers(model, lambda w: torch.optim.SGD(w, 0.0)),
        wrap=lambda objective: torch.compile(objective, backend=counting, fullgraph=True),
    )
    totals = [step(batch).losses["generators/total"] for _ in range(4)]
    assert compiled == 2
    for iteration, total in enumerate(totals):
        torch.testing.assert_close(total, model.generator_loss(batch, step=iteration).total.detach())


def test_a_lazy_penalty_keeps_its_ramp():
    graph = GRAPH.replace(weights={"r1": Ramp(1, 3, steps=2)})
    model, batch = built(graph), batch_of(graph)
    objective = model.discriminator_objective(weights={"r1(D(y*))": 4.0})
    assert objective.ramps == {"r1(D(y*))": Ramp(4, 12, steps=2)}
    del batch
