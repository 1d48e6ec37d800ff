"""Maps of classes: integers at the door, logits from a generator, cross entropy per pixel."""

import pytest
import torch
from torch.nn import functional as F

from cyclekit.errors import SignalError
from cyclekit.graph import Classes, CycleGraph, GraphError, Image
from tests.model.tiny import built

GRAPH = CycleGraph(
    {"x": Image(2), "s": Classes(4, ignore=255)},
    maps="x -S-> s* -softmax-> p -G-> x*",
    losses="s* ~ s ; x* ~ x ; fixed: x -S-> _ -argmax-> hard -G-> _ ~ x",
)


def batch():
    torch.manual_seed(0)
    classes = torch.randint(4, (2, 6, 6))
    classes[0, :2] = 255
    return {"x": torch.rand(2, 2, 6, 6, dtype=torch.float64) * 2 - 1, "s": classes}


def test_domains_terms_and_learners():
    assert [str(GRAPH.domains[name]) for name in ("s*", "p", "hard")] == ["Classes(4, ignore=255)"] * 3
    assert GRAPH.term("s* ~ s").criterion == "cross_entropy"
    assert GRAPH.gradient_flow() == {"s* ~ s": {"S"}, "x* ~ x": {"S", "G"}, "fixed": {"G"}}


def test_integers_are_compared_pixel_by_pixel_and_ignored_ones_are_not():
    model = built(GRAPH)
    losses = model.generator_loss(batch())
    expected = F.cross_entropy(losses.signals["s*"], batch()["s"], ignore_index=255)
    torch.testing.assert_close(losses.terms["s* ~ s"], expected)
    one_hot = F.one_hot(batch()["s"].clamp(max=4), 5)[..., :4].permute(0, 3, 1, 2).double()
    again = model.generator_loss({**batch(), "s": one_hot})
    torch.testing.assert_close(again.terms["s* ~ s"], expected)


def test_a_batch_without_any_class_costs_nothing():
    nothing = {**batch(), "s": torch.full((2, 6, 6), 255)}
    assert built(GRAPH).generator_loss(nothing).terms["s* ~ s"] == 0


def test_softmax_and_argmax():
    made = built(GRAPH).generate(batch())
    torch.testing.assert_close(made["p"], made["s*"].softmax(1))
    torch.testing.assert_close(made["hard"].argmax(1), made["s*"].argmax(1))
    assert set(made["hard"].unique().tolist()) == {0.0, 1.0}


def test_logits_are_no_target_even_behind_a_stop():
    with pytest.raises(
        GraphError, match="a cross entropy is told its target, and 'stop\\(a\\)' is what S makes, logits"
    ):
        CycleGraph(
            {"x": Image(2), "y": Image(2), "a": Classes(4), "b": Classes(4)},
            maps="x -S-> a ; y -S-> b",
            losses="b ~ stop(a)",
        )
    graph = CycleGraph(
        {"x": Image(2), "y": Image(2), "a": Classes(4), "b": Classes(4)},
        maps="x -S-> a -softmax-> p ; y -S-> b",
        losses="b ~ stop(p)",
    )
    assert graph.gradient_flow() == {"b ~ stop(p)": {"S"}}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (torch.full((2, 6, 6), 4), "expected classes 0 to 3 and 255, got 4"),
        (torch.zeros(2, 6, 6), "classes are integers: use .long()"),
        (torch.zeros(2, 1, 6, 6, dtype=torch.long), "classes have no axis of channels: use .squeeze(1)"),
        (torch.zeros(2, 4, 6, 6, dtype=torch.long), "a one-hot map is floating-point: use .float()"),
        (torch.full((2, 4, 6, 6), 0.5, dtype=torch.float64), "expected one class a pixel"),
    ],
)
def test_maps_given_in_another_way_are_named(value, message):
    model = built(GRAPH)
    with pytest.raises(SignalError) as caught:
        model.check_values({**batch(), "s": value})
    assert message in str(caught.value)


@pytest.mark.parametrize("ignore", [0, 3, "255", 1.5, True])
def test_ignore_is_no_class(ignore):
    with pytest.raises(GraphError, match="ignore must be an integer that is none of the classes 0 to 3"):
        Classes(4, ignore=ignore)
