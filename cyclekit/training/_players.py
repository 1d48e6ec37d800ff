"""Who learns when: the players of a schedule, and their optimisers."""

from collections.abc import Callable, Iterable

from torch import nn
from torch.optim import Optimizer

from cyclekit.graph import CycleGraph, Regularizer
from cyclekit.graph.terms import Side
from cyclekit.model import CycleModel


def networks_of(graph: CycleGraph, player: str) -> tuple[str, ...]:
    """Return the networks that step when a player does.

    Args:
        graph: The graph.
        player: An entry of its schedule's order.

    Returns:
        The networks' names, frozen ones left out.
    """
    kinds = {"generators": graph.generators, "discriminators": graph.discriminators}
    return tuple(name for name in kinds.get(player, (player,)) if name not in graph.frozen)


def side_of(graph: CycleGraph, player: str) -> Side:
    """Return whether a player is among the generators or the discriminators.

    Args:
        graph: The graph.
        player: An entry of its schedule's order.

    Returns:
        The side whose terms it pays.
    """
    return "discriminators" if player == "discriminators" or player in graph.discriminators else "generators"


def penalties_of(graph: CycleGraph, player: str) -> frozenset[str]:
    """Return the penalties that a player pays.

    Args:
        graph: The graph.
        player: An entry of its schedule's order.

    Returns:
        The terms' names; none for generators.
    """
    networks = networks_of(graph, player)
    return frozenset(
        term.name
        for term in graph.minimised_by("discriminators")
        if isinstance(term, Regularizer) and term.discriminator in networks
    )


def create_optimizers(model: CycleModel, create: Callable[[Iterable[nn.Parameter]], Optimizer]) -> dict[str, Optimizer]:
    """Return one optimiser for each player of the graph's schedule that has something to learn.

    Args:
        model: The model, on its device already.
        create: Makes an optimiser of parameters: ``lambda p: torch.optim.Adam(p, 2e-4, betas=(0.5, 0.999))``.

    Returns:
        Optimisers by player, in the order of play.

    Source:
        C2GAN (arXiv 1908.00999), section 3.4: Adam, 2e-4, (0.5, 0.999).

    Example:
        ```python
        import torch
        from cyclekit import CycleGraph, Image, NetworkSpec
        from cyclekit.training import create_optimizers

        graph = CycleGraph({"x": Image(), "y": Image()}, maps="x -G-> y*", losses="y* ~ y")
        model = graph.build(generators=NetworkSpec("unet_64", base_channels=4))
        optimizers = create_optimizers(model, lambda p: torch.optim.Adam(p, 2e-4, betas=(0.5, 0.999)))
        assert list(optimizers) == ["generators"]
        ```
    """
    networks = {**model.generators, **model.discriminators}
    optimizers: dict[str, Optimizer] = {}
    for player in model.graph.schedule.order:
        if names := networks_of(model.graph, player):
            optimizers[player] = create(p for name in names for p in networks[name].parameters())
    return optimizers
