"""The players' optimisers, their rates, and the average of what they trained."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from inspect import signature
from typing import TYPE_CHECKING, Any

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from cyclekit._timm import import_timm
from cyclekit.errors import ArgumentError, GraphError, ShapeError
from cyclekit.model import CycleModel

if TYPE_CHECKING:
    from timm.utils.model_ema import ModelEmaV3


def weights_of(model: CycleModel) -> dict[str, dict[str, nn.Parameter]]:
    """Return what each player trains: its networks, and criteria and functions with weights of their own.

    These go to the first player that minimises a term of theirs.

    Args:
        model: The model.

    Returns:
        Weights by player and name, in the schedule's order; players without any are left out.
    """
    graph = model.graph
    networks = {**model.generators, **model.discriminators}
    names = {id(weight): name for name, weight in model.named_parameters()}
    helping: set[int] = set()
    found: dict[str, dict[str, nn.Parameter]] = {}
    for player in graph.schedule.order:
        own = graph.networks_of(player)
        if not own:
            continue
        weights = {names[id(weight)]: weight for name in own for weight in networks[name].parameters()}
        for helper in _helpers(model, player):
            for weight in helper.parameters():
                if weight.requires_grad and id(weight) not in helping:
                    helping.add(id(weight))
                    weights[names[id(weight)]] = weight
        found[player] = weights
    return found


def _helpers(model: CycleModel, player: str) -> list[nn.Module]:
    """Return the modules that measure a player's terms, or compute functions for them."""
    graph, side = model.graph, model.graph.side_of(player)
    terms = [
        term.name for term in graph.minimised_by(side) if graph.learners(term, side) & {*graph.networks_of(player)}
    ]
    evaluations = getattr(graph.plan(terms), side).evaluations
    used = [
        *(model.measure(name) for name in terms),
        *(model.function(e.network) for e in evaluations if e.network in graph.all_functions),
    ]
    return [part for part in used if isinstance(part, nn.Module)]


def checked_optimizers(model: CycleModel, optimizers: Mapping[str, Optimizer]) -> dict[str, Optimizer]:
    """Return the players' optimisers in the schedule's order, once each is known to hold its player's weights.

    Args:
        model: The model.
        optimizers: One for each player.

    Raises:
        ShapeError: They are no dict of optimisers, or one needs a closure.
        GraphError: A player has no optimiser, or one holds other weights than the player's.
    """
    if not isinstance(optimizers, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ShapeError(
            f"optimizers: expected a dict of one optimiser for each player, got {_kind(optimizers)}; "
            "make them by create_optimizers(model, lambda weights: torch.optim.Adam(weights, 2e-4))"
        )
    players = weights_of(model)
    if set(players) != set(optimizers):
        raise GraphError(f"the players are {', '.join(players)}; got optimisers for {', '.join(optimizers) or 'none'}")
    owners: dict[int, list[str]] = {}
    for player, weights in players.items():
        for weight in weights.values():
            owners.setdefault(id(weight), []).append(player)
    for player, weights in players.items():
        _check_optimizer(player, optimizers[player], weights, owners)
    return {player: optimizers[player] for player in players}


def _check_optimizer(
    player: str, optimizer: Optimizer, weights: Mapping[str, nn.Parameter], owners: Mapping[int, list[str]]
) -> None:
    if not isinstance(optimizer, Optimizer):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ShapeError(f"optimizers[{player!r}]: expected a torch.optim.Optimizer, got {_kind(optimizer)}")
    closure = signature(optimizer.step).parameters.get("closure")
    if closure is not None and closure.default is closure.empty:
        raise ShapeError(
            f"optimizers[{player!r}]: {type(optimizer).__name__} needs a closure that computes the loss several times "
            "in a step, where players step on losses of one forward pass: choose Adam, for example"
        )
    held = {id(weight) for group in optimizer.param_groups for weight in group["params"]}
    of, mend = f"the optimiser of {player!r}", "make the optimisers by create_optimizers(model, ...)"
    if foreign := [weight for weight in held if weight not in owners]:
        raise GraphError(
            f"{of} holds {len(foreign)} weights that no player of this model trains, of another model perhaps, "
            f"or of a network that was replaced since; {mend} of this very model"
        )
    if others := sorted({owner for weight in held for owner in owners[weight] if player not in owners[weight]}):
        raise GraphError(
            f"{of} holds weights of {', '.join(map(repr, others))}, which would step twice or in the wrong turn; {mend}"
        )
    if missing := [name for name, weight in weights.items() if weight.requires_grad and id(weight) not in held]:
        raise GraphError(
            f"{of} lacks {len(missing)} of its weights, {missing[0]!r} first, which would never train; "
            f"{mend}, or say so by requires_grad_(False) on what shall not train"
        )


def check_model(model: object) -> None:
    """Check that a model is one.

    Raises:
        ShapeError: It is something else.
    """
    if not isinstance(model, CycleModel):
        raise ShapeError(f"model: expected a CycleModel, as graph.build(...) makes it, got {_kind(model)}")


def _kind(value: object) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else f"an instance of {type(value).__name__}"


def create_optimizers(model: CycleModel, create: Callable[[Iterable[nn.Parameter]], Optimizer]) -> dict[str, Optimizer]:
    """Return one optimiser for each player of the graph's schedule that has something to learn.

    Criteria and functions that are modules with weights of their own train with the first player that
    minimises a term of theirs.

    Args:
        model: The model, on its device already.
        create: Makes an optimiser of parameters: ``lambda p: torch.optim.Adam(p, 2e-4, betas=(0.5, 0.999))``;
            under Accelerate ``lambda p: accelerator.prepare(torch.optim.Adam(p, 2e-4))``.

    Returns:
        Optimisers by player, in the schedule's order.

    Raises:
        ShapeError: ``create`` cannot be called, or makes no optimiser.

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
    check_model(model)
    mend = "pass a function of the weights: lambda weights: torch.optim.Adam(weights, 2e-4)"
    if not callable(create):
        raise ShapeError(f"create: expected a function that makes an optimiser, got {_kind(create)}; {mend}")
    optimizers = {player: create(list(weights.values())) for player, weights in weights_of(model).items()}
    for optimizer in optimizers.values():
        if not isinstance(optimizer, Optimizer):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ShapeError(f"create: expected it to return a torch.optim.Optimizer, got {_kind(optimizer)}; {mend}")
    return optimizers


def linear_decay(optimizer: Optimizer, constant: int, decay: int) -> LRScheduler:
    """Keep the rate for some steps, then bring it to 0 in a straight line, where it stays.

    Training steps are counted, not epochs: 100 epochs of 1,000 batches are 100,000 steps. Training on at a rate
    of 0 warns. The released codes of CycleGAN and C2GAN lower the rate once an epoch, and divide by one epoch more
    than they decay for: their last epoch trains at ``1 / (decay + 1)`` of the rate where this ends at ``1 / decay``.

    Args:
        optimizer: Whose rate.
        constant: Steps at the full rate.
        decay: Steps from the full rate to 0; the rate stays full where it is 0.

    Returns:
        A scheduler to step once in each training step.

    Raises:
        ArgumentError: A number of steps is negative, or no whole number.
        ShapeError: `optimizer` is none.

    Source:
        CycleGAN (arXiv 1703.10593), section 4, and C2GAN's released code: 100 epochs, then 100 of decay.

    Example:
        ```python
        import torch
        from cyclekit.training import linear_decay

        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        schedule = linear_decay(optimizer, constant=2, decay=2)
        rates = []
        for _ in range(4):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step()
        assert rates == [1.0, 1.0, 1.0, 0.5]
        assert optimizer.param_groups[0]["lr"] == 0
        ```
    """
    if not isinstance(optimizer, Optimizer):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ShapeError(
            f"optimizer: expected one torch.optim.Optimizer, got {_kind(optimizer)}; make a decay for each"
        )
    if any(type(steps) is not int or steps < 0 for steps in (constant, decay)):
        raise ArgumentError(f"linear_decay(constant={constant}, decay={decay}): steps must be whole numbers, 0 or more")

    def factor(steps: int) -> float:
        if decay and steps == constant + decay + 1:
            warnings.warn(
                f"linear_decay: training goes on at a rate of 0 after {constant + decay} steps; constant and decay "
                "count training steps, not epochs",
                stacklevel=2,
            )
        return 1.0 - min(1.0, max(0, steps - constant) / decay) if decay else 1.0

    return LambdaLR(optimizer, factor)


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

    Raises:
        ArgumentError: ``decay`` is not between 0 and 1.
        ShapeError: ``model`` is none.

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
    check_model(model)
    if not isinstance(decay, int | float) or not 0 <= decay <= 1:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ArgumentError(f"decay: got {decay!r}, expected what stays of the average in one step, from 0 to 1")
    import_timm()
    from timm.utils.model_ema import ModelEmaV3

    return ModelEmaV3(model, decay=decay, **options)
