"""Two ways to the same gradient in less memory: one cycle after the other, one part of the batch after the other."""

from contextlib import nullcontext

import pytest
import torch

from cyclekit import Image
from cyclekit.graph import CycleGraph
from cyclekit.model import GeneratorObjective, SignalError
from tests.model.tiny import C2GAN, FAMILY, batch_of, built
from tests.training.small import batches, copied, scheduled, stepping, trained

PER_CYCLE = scheduled(backward="per_cycle")


class Meter:
    """Counts what autograd keeps for its backward pass, at the most."""

    def __init__(self):
        self.now = self.peak = 0

    def keeping(self):
        return torch.autograd.graph.saved_tensors_hooks(lambda tensor: Kept(self, tensor), lambda kept: kept.tensor)


class Kept:
    def __init__(self, meter, tensor):
        self.meter, self.tensor, self.bytes = meter, tensor, tensor.nbytes
        meter.now += self.bytes
        meter.peak = max(meter.peak, meter.now)

    def __del__(self):
        self.meter.now -= self.bytes


def played(graph, batch, **options):
    """Return a step's gradients, its losses, and the most that the generators' backward passes keep."""
    model, meter = built(graph), Meter()

    def metered(objective):
        def run(*values):
            with meter.keeping() if isinstance(objective, GeneratorObjective) else nullcontext():
                return objective(*values)

        return run

    step = stepping(model, lambda weights: torch.optim.SGD(weights, 0.0), wrap=metered, **options)
    losses = step(batch).losses
    return {name: weight.grad for name, weight in model.named_parameters()}, losses, meter.peak


def test_per_cycle_is_joint_in_less_memory():
    (batch,) = batches()
    joint, losses, at_once = played(C2GAN, batch)
    per_cycle, losses_per_cycle, in_turns = played(PER_CYCLE, batch)
    torch.testing.assert_close(per_cycle, joint)
    torch.testing.assert_close(losses_per_cycle, losses)
    assert in_turns < 0.6 * at_once


@pytest.mark.parametrize("name", ["cyclegan", "stargan", "combogan", "pg2_first"])
def test_per_cycle_is_joint_for_relatives(name):
    graph = FAMILY[name]
    batch = batch_of(graph)
    joint, losses, _ = played(graph, batch)
    per_cycle, losses_per_cycle, _ = played(scheduled(graph, backward="per_cycle"), batch)
    torch.testing.assert_close(per_cycle, joint)
    torch.testing.assert_close(losses_per_cycle, losses)


def test_per_cycle_passes():
    passes = []
    step = stepping(built(PER_CYCLE), wrap=lambda objective: passes.append(objective.plan.terms) or objective)
    step(batches()[0])
    assert passes == [
        ("I2I2I", "y* ~ y", "D_I(y*)", "D_I(x*)"),
        ("K2G2K", "D_K(Ly*)"),
        ("K2R2K", "D_K(Lx*)"),
        ("D_I(y*)", "D_I(x*)", "D_K(Ly*)", "D_K(Lx*)"),
    ]


def test_what_belongs_to_no_cycle_has_a_pass_of_its_own():
    cyclegan, passes = FAMILY["cyclegan"], []
    graph = scheduled(cyclegan, backward="per_cycle")
    step = stepping(built(graph), wrap=lambda objective: passes.append(objective.plan.terms) or objective)
    step(batch_of(graph))
    assert passes[:-1] == [("forward", "D_A(B*)"), ("backward", "D_B(A*)"), ("idt_A",), ("idt_B",)]


@pytest.mark.parametrize("graph", [C2GAN, PER_CYCLE, scheduled(order=("G_I", "D_I", "G_K", "D_K"))])
def test_parts_of_a_batch_add_up_to_the_batch(graph):
    data = batches(graph, count=4, samples=6)
    whole = trained(graph, data)
    torch.testing.assert_close(trained(graph, data, accumulate=3).state_dict(), whole.state_dict())
    (batch,) = batches(samples=6)
    _, losses, at_once = played(graph, batch)
    _, losses_in_parts, in_parts = played(graph, batch, accumulate=3)
    torch.testing.assert_close(losses_in_parts, losses)
    assert in_parts < 0.5 * at_once


def test_signals_of_the_parts_come_back_in_order():
    (batch,) = batches(samples=4)
    whole, parts = (stepping(built(C2GAN), accumulate=n)(batch).signals for n in (1, 4))
    torch.testing.assert_close(parts, whole)


def test_a_batch_that_cannot_be_divided_changes_nothing():
    model = built(C2GAN)
    step, before = stepping(model, accumulate=2), copied(model)
    with pytest.raises(SignalError, match=r"^a batch of 3 cannot be divided into accumulate=2 equal parts$"):
        step(batches(samples=3)[0])
    torch.testing.assert_close(model.state_dict(), before, rtol=0, atol=0)
    assert step.iteration == 0


@pytest.mark.parametrize("accumulate", [0, -1])
def test_there_is_at_least_one_part(accumulate):
    graph = CycleGraph({"x": Image(1), "y": Image(1)}, maps="x -G-> y*", losses="y* ~ y")
    with pytest.raises(ValueError, match=f"^accumulate: got {accumulate}, expected 1 or more parts$"):
        stepping(built(graph), accumulate=accumulate)
