"""A whole step: compiled without a recompilation, and without a look at a tensor's values."""

from dataclasses import replace

import pytest
import torch
from torch._dynamo.testing import CompileCounter

from cyclekit import CycleGraph, Image
from tests.blind import Blind
from tests.model.tiny import C2GAN, STARGAN, batch_of, built
from tests.training.small import adam, batches, scheduled, stepping

SCHEDULES = {
    "joint": (C2GAN, 2),
    "per_cycle": (scheduled(backward="per_cycle"), 3 + 1),
    "sequential": (scheduled(order=("G_I", "D_I", "G_K", "D_K")), 4),
    "critic": (scheduled(order=("discriminators", "generators"), discriminator_steps=2), 2),
    "stargan": (STARGAN.replace(schedule=replace(STARGAN.schedule, history=50)), 2),  # heads beside a history
}


@pytest.fixture
def _fresh_compiler():
    torch.compiler.reset()
    yield
    torch.compiler.reset()


@pytest.mark.usefixtures("_fresh_compiler")
@pytest.mark.parametrize(("name", "accumulate"), [*((name, 1) for name in SCHEDULES), ("joint", 2)])
def test_steps_compile_once(name, accumulate):
    graph, objectives = SCHEDULES[name]
    counter = CompileCounter()
    model, twin = built(graph), built(graph)
    compiled = stepping(model, wrap=lambda o: torch.compile(o, fullgraph=True, backend=counter), accumulate=accumulate)
    eager = stepping(twin, accumulate=accumulate)
    batch = batch_of(graph, samples=2)
    for _ in range(5):
        torch.testing.assert_close(compiled(batch), eager(batch))
        assert counter.frame_count <= objectives
    assert counter.frame_count == objectives
    torch.testing.assert_close(model.state_dict(), twin.state_dict())


@pytest.mark.usefixtures("_fresh_compiler")
def test_more_objectives_compile_than_dynamo_recompiles_one_function():
    counter = CompileCounter()
    count = torch._dynamo.config.recompile_limit + 1
    for number in range(count):
        graph = CycleGraph({"x": Image(1), "y": Image(1)}, maps="x -G-> y*", losses=f"pixels_{number}: y* ~ y")
        torch.compile(built(graph).generator_objective(), fullgraph=True, backend=counter)(batch_of(graph))
    assert counter.frame_count == count


def fused(weights):
    return torch.optim.Adam(weights, 0.02, fused=True)


def foreach(weights):
    return torch.optim.Adam(weights, 0.02, foreach=True)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_whole_step_reads_nothing_on_the_host(name):
    graph = SCHEDULES[name][0]
    step = stepping(built(graph, "batch"), fused, accumulate=2)
    batch = batch_of(graph, samples=2)
    step(batch)  # the first batch's values are looked at
    with Blind():
        for _ in range(60 // (2 * len(graph.discriminators))):  # the pools fill up and start to exchange
            played = step(batch)
    assert all(pool.seen > pool.size for pool in step.pools.values())
    assert played.losses


@pytest.mark.parametrize("create", [adam, foreach])
def test_adam_reads_its_own_step_count_alone(create):
    """Unless it is fused or capturable, Adam keeps its count of steps on the CPU, and reads it there."""
    step = stepping(built(C2GAN), create)
    step(batches()[0])
    counts = [state["step"] for optimizer in step.optimizers.values() for state in optimizer.state.values()]
    assert all(count.device.type == "cpu" for count in counts)
    with Blind(), pytest.raises(AssertionError, match="_local_scalar_dense"):
        step(batches()[0])
    with Blind(counts):
        step(batches()[0])


def test_the_blind_mode_sees():
    seen, unseen = torch.ones(1), torch.ones(1)
    with Blind([seen]):
        seen.item()
        with pytest.raises(AssertionError, match="_local_scalar_dense"):
            unseen.item()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("create", [adam, fused])
def test_no_synchronisation_on_a_gpu(create):
    step = stepping(built(C2GAN).cuda(), create)
    batch = {name: value.cuda() for name, value in batches()[0].items()}
    step(batch)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(30):
            step(batch)
    finally:
        torch.cuda.set_sync_debug_mode("default")
