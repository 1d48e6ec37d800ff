"""Slips that once trained nothing, or something else, without a word."""

import pytest
import torch
from torch import nn

from cyclekit import CycleGraph, GraphError, Image
from cyclekit.errors import ShapeError, SignalError
from cyclekit.graph import Classes
from cyclekit.training import AdversarialStep, create_optimizers
from tests.model.tiny import TinyGenerator, batch_of, networks

GRAPH = CycleGraph(
    {"x": Image(3), "y": Image(3)}, maps="x -G-> y*", adversaries="D: [x, y*] vs [x, y]", losses="y* ~ y"
)


def batch(graph=GRAPH, samples=2):
    return batch_of(graph, samples, dtype=torch.float32)


def stepping(graph=GRAPH, model=None, create=torch.optim.Adam, **options):
    model = model or graph.build(**networks(graph))
    return AdversarialStep(model, create_optimizers(model, create), **options)


def test_pixels_without_a_class_do_not_add_up_in_parts():
    graph = CycleGraph({"x": Image(3), "s": Classes(4, ignore=255)}, maps="x -S-> s*", losses="s* ~ s")
    with pytest.raises(GraphError, match=r"does not count the pixels that Classes\(4, ignore=255\) ignores"):
        stepping(graph, accumulate=2)
    stepping(graph.replace(signals={"x": Image(3), "s": Classes(4)}), accumulate=2)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda model: model.generators.update({"G": TinyGenerator(3, (Image(3),))}), "G"),
        (lambda model: model.double(), "the model"),
    ],
)
def test_a_model_that_changed_is_not_trained(change, what):
    step = stepping()
    step(batch())
    change(step.model)
    with pytest.raises(GraphError, match=f"{what} changed since this step was made"):
        step(batch())
    assert step.iteration == 1


def test_a_wrap_gives_what_computes():
    with pytest.raises(ShapeError, match="wrap: expected it to return what computes the losses, got NoneType"):
        stepping(wrap=lambda objective: None)


def test_an_optimiser_that_needs_a_closure_is_refused():
    with pytest.raises(ShapeError, match="LBFGS needs a closure that computes the loss several times"):
        stepping(create=torch.optim.LBFGS)


def test_evaluation_mode_is_said():
    step = stepping()
    step.model.eval()
    with pytest.warns(UserWarning, match=r"trains in evaluation mode.*call model.train\(\)"):
        step(batch())


class Detaching(nn.Module):
    def __init__(self, part):
        super().__init__()
        self.part = part

    def forward(self, x):
        return self.part(x).detach()


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_a_step_without_gradients_is_no_step(context):
    step = stepping()
    with context(), pytest.raises(GraphError, match=r"has no gradient: the step runs under torch.no_grad\(\)"):
        step(batch())
    assert step.iteration == 0


def test_a_network_that_detaches_is_named():
    graph = GRAPH.replace(maps="x -G-> y* -F-> z*", losses="y* ~ y ; z* ~ x")
    parts = networks(graph)
    parts["generators"]["F"] = Detaching(parts["generators"]["F"])
    with pytest.raises(GraphError, match="F gets no gradient from the loss of 'generators'"):
        stepping(graph, graph.build(**parts))(batch())
    parts = networks(GRAPH)
    parts["discriminators"]["D"] = Detaching(parts["discriminators"]["D"])
    with pytest.raises(GraphError, match=r"the loss of 'D\(y\*\)' has no gradient|D gets no gradient"):
        stepping(model=GRAPH.build(**parts))(batch())


def test_types_are_looked_at_in_every_step():
    step = stepping()
    step(batch())
    with pytest.raises(SignalError, match="'y' is float64 and the model's weights float32"):
        step(batch() | {"y": batch()["y"].double()})
