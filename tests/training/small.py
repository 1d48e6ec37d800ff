"""A C2GAN small enough to train in tests, and batches for it."""

import resource
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from cyclekit import CycleGraph, CycleModel
from cyclekit.training import AdversarialStep, create_optimizers
from tests.model.tiny import C2GAN, built

SIZE = 6


def scheduled(graph: CycleGraph = C2GAN, **options: Any) -> CycleGraph:
    """Return a graph with some of its schedule replaced."""
    return graph.replace(schedule=replace(graph.schedule, **options))


def batches(graph: CycleGraph = C2GAN, count: int = 1, samples: int = 2) -> list[dict[str, Tensor]]:
    """Return different batches of noise in float64."""
    numbers = torch.Generator().manual_seed(7)
    return [
        {
            name: torch.rand(samples, graph.domains[name].channels, SIZE, SIZE, generator=numbers).double() * 2 - 1
            for name in graph.inputs
        }
        for _ in range(count)
    ]


def adam(weights: Iterable[nn.Parameter]) -> torch.optim.Adam:
    return torch.optim.Adam(weights, 0.02, betas=(0.5, 0.999))


def stepping(
    model: CycleModel, create: Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer] = adam, **options: Any
) -> AdversarialStep:
    """Return a step with optimisers for all players."""
    return AdversarialStep(model, create_optimizers(model, create), **options)


def trained(graph: CycleGraph, data: Iterable[dict[str, Tensor]], norm: str = "none", **options: Any) -> CycleModel:
    """Return a graph's model after some steps."""
    model = built(graph, norm)
    step = stepping(model, **options)
    for batch in data:
        step(batch)
    return model


def copied(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def changed(model: CycleModel, before: dict[str, Tensor]) -> set[str]:
    """Return the networks of which any weight or statistic is another one than before."""
    now = model.state_dict()
    return {name.split(".")[1] for name, value in before.items() if not torch.equal(value, now[name])}


def assert_equal(left: object, right: object) -> None:
    """Assert equality bit for bit."""
    torch.testing.assert_close(left, right, rtol=0, atol=0)


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let the system refuse to write more, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
