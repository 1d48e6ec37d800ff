"""The players' optimisers, their rates, and the average of what they trained."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from cyclekit._timm import import_timm
from cyclekit.graph import CycleGraph, Regularizer
from cyclekit.graph.terms import Side
from cyclekit.model import CycleModel

if TYPE_CHECKING:
    from timm.utils.model_ema import ModelEmaV3


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
        The side whose loss it minimises.
    """
    return "discriminators" if player == "discriminators" or player in graph.discriminators else "generators"


def penalties_of(graph: CycleGraph, player: str) -> frozenset[str]:
    """Return the penalties in a player's loss.

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
        create: Makes an optimiser of parameters: ``lambda p: torch.optim.Adam(p, 2e-4, betas=(0.5, 0.999))``;
            under Accelerate ``lambda p: accelerator.prepare(torch.optim.Adam(p, 2e-4))``.

    Returns:
        Optimisers by player, in the schedule's order.

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


def linear_decay(optimizer: Optimizer, constant: int, decay: int) -> LRScheduler:
    """Keep the rate for some steps, then bring it to 0 in a straight line, where it stays.

    Args:
        optimizer: Whose rate.
        constant: Steps at the full rate.
        decay: Steps from the full rate to 0; the rate stays full where it is 0.

    Returns:
        A scheduler to step once in each training step.

    Raises:
        ValueError: A number of steps is negative.

    Source:
        CycleGAN (arXiv 1703.10593), section 4, and C2GAN's released code: 100 epochs, then 100 of decay.

    Example:
        ```python
        import torch
        from cyclekit.training import linear_decay

        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        schedule = linear_decay(optimizer, constant=2, decay=2)
        rates = []
        for _ in range(6):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step()
        assert rates == [1.0, 1.0, 1.0, 0.5, 0.0, 0.0]
        ```
    """
    if constant < 0 or decay < 0:
        raise ValueError(f"linear_decay(constant={constant}, decay={decay}): steps must be 0 or more")
    return LambdaLR(optimizer, lambda steps: 1.0 - min(1.0, max(0, steps - constant) / decay) if decay else 1.0)


def moving_average(model: CycleModel, decay: float = 0.999, **options: Any) -> "ModelEmaV3":
    """Return timm's exponential moving average of a model's weights and statistics.

    Its ``update(model)`` goes after each training step. Its ``module`` is a `CycleModel` in evaluation mode, to
    generate with and to save. It is a part of a checkpoint as it is.

    Args:
        model: The model, on its device.
        decay: What stays of the average in one step, from 0 to 1.
        **options: Further options of ``timm.utils.ModelEmaV3``: ``use_warmup=True`` averages over fewer
            steps at the beginning, where ``update(model, step.iteration)`` says how many there were.

    Returns:
        The average, which begins as a copy of the model.

    Source:
        Yazici et al. 2019 (arXiv 1806.04498) for GANs; ``timm.utils.ModelEmaV3``.

    Example:
        ```python
        import torch
        from cyclekit import CycleGraph, Image, NetworkSpec
        from cyclekit.training import AdversarialStep, create_optimizers, moving_average

        graph = CycleGraph({"x": Image(), "y": Image()}, maps="x -G-> y*", losses="y* ~ y")
        model = graph.build(generators=NetworkSpec("unet_64", base_channels=4))
        step = AdversarialStep(model, create_optimizers(model, torch.optim.Adam))
        average = moving_average(model)
        batch = {"x": torch.zeros(2, 3, 64, 64), "y": torch.zeros(2, 3, 64, 64)}
        step(batch)
        average.update(model)
        images = average.module.generate(batch)
        ```
    """
    import_timm()
    from timm.utils.model_ema import ModelEmaV3

    return ModelEmaV3(model, decay=decay, **options)
