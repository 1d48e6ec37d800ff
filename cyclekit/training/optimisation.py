"""How weights are optimised: the optimiser, the rates of each network, and how they fall, in training steps."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from inspect import signature
from typing import Any, Literal

import torch
from torch import nn
from torch.optim import Optimizer

from cyclekit._typed import typed
from cyclekit.errors import ArgumentError, GraphError, UnknownNameError
from cyclekit.model import CycleModel
from cyclekit.papers import Recipe


@dataclass(frozen=True, kw_only=True)
class Optimisation:
    """How a run's weights are optimised, as plain data.

    Args:
        optimizer: The optimiser's name in ``torch.optim``.
        rate: The learning rate.
        rates: By network, where it is another one.
        betas: Adam's betas.
        weight_decay: The optimiser's.
        decay: What the rate does: ``"linear"`` stays for `constant` steps and falls to 0 in `decaying`, ``"halving"``
            halves every `decaying` steps, ``"none"`` stays.
        constant: Steps at the full rate.
        decaying: Steps in which it falls, or between two halvings.
        average: The decay of a moving average of the weights, which then generates; ``None`` for none.

    Raises:
        ArgumentError: A number is out of its range.
        UnknownNameError: ``torch.optim`` has no such optimiser.

    Example:
        ```python
        from cyclekit import papers
        from cyclekit.training import Optimisation

        cyclegan = Optimisation.of(papers.cyclegan().recipe, batches_per_epoch=1000)
        assert cyclegan.factor(100_000) == 1.0
        assert cyclegan.factor(150_000) == 0.5
        ```
    """

    optimizer: str = "Adam"
    rate: float = 2e-4
    rates: Mapping[str, float] = field(default_factory=dict[str, float])
    betas: tuple[float, float] = (0.5, 0.999)
    weight_decay: float = 0.0
    decay: Literal["linear", "halving", "none"] = "none"
    constant: int = 0
    decaying: int = 0
    average: float | None = None

    def __post_init__(self) -> None:
        known = getattr(torch.optim, self.optimizer, None)
        if not (isinstance(known, type) and issubclass(known, Optimizer)):
            raise UnknownNameError(f"torch.optim has no optimiser {self.optimizer!r}; Adam and RMSprop are the usual")
        for name, rate in {
            "rate": self.rate,
            **{f"rates[{name!r}]": rate for name, rate in self.rates.items()},
        }.items():
            if not isinstance(rate, int | float) or not 0 < rate < float("inf"):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise ArgumentError(f"{name}: got {rate!r}, expected a positive number")
        if self.optimizer == "LBFGS":
            raise ArgumentError("optimizer: LBFGS evaluates a loss several times in a step; a training step does once")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ArgumentError(f"betas: got {self.betas}, expected two numbers from 0, below 1")
        if self.average is not None and not 0 <= self.average < 1:
            raise ArgumentError(f"average: got {self.average}, expected what stays in one step, from 0, below 1")
        if self.constant < 0 or self.decaying < 0 or (self.decay == "halving" and not self.decaying):
            raise ArgumentError(
                f"decay={self.decay!r}, constant={self.constant}, decaying={self.decaying}: steps must be 0 or more, "
                "and 1 or more between two halvings"
            )

    @classmethod
    @typed
    def of(cls, recipe: Recipe, batches_per_epoch: int) -> "Optimisation":
        """Return a paper's own, its epochs counted in training steps.

        Args:
            recipe: A paper's.
            batches_per_epoch: Training steps in an epoch; a loader knows it.

        Returns:
            What `fit` takes.
        """
        each = batches_per_epoch if recipe.unit == "epochs" else 1
        return cls(
            optimizer=recipe.optimizer,
            rate=recipe.rate,
            rates=dict(recipe.rates),
            betas=recipe.betas,
            weight_decay=recipe.weight_decay,
            decay=recipe.decay,
            constant=recipe.constant * each,
            decaying=recipe.decaying * each,
            average=recipe.average,
        )

    @property
    def end(self) -> int | None:
        """The step from which the rate is 0; ``None`` where it never is."""
        return self.constant + self.decaying if self.decay == "linear" and self.decaying else None

    @typed
    def factor(self, step: int) -> float:
        """Return what all rates are multiplied by.

        Args:
            step: Training steps taken so far.

        Returns:
            From 1 down to 0.
        """
        if self.decay == "halving":
            return 0.5 ** (step // self.decaying)
        if self.end is None:
            return 1.0
        return 1.0 - min(1.0, max(0, step - self.constant) / self.decaying)

    def create(self, model: CycleModel, weights: Iterable[nn.Parameter]) -> Optimizer:
        """Return an optimiser of a player's weights, each network's at its own rate.

        Args:
            model: Whose weights they are.
            weights: One player's, as `create_optimizers` gives them.

        Returns:
            The optimiser; with torch's fused kernels where it has them, since those never wait for the device.

        Raises:
            GraphError: `rates` names a network that the model has not.
        """
        networks = {**model.generators, **model.discriminators}
        if unknown := sorted(self.rates.keys() - networks.keys()):
            raise GraphError(f"rates: the graph has no network {unknown[0]!r}; its networks are {', '.join(networks)}")
        rates = {id(weight): rate for name, rate in self.rates.items() for weight in networks[name].parameters()}
        groups: dict[float, list[nn.Parameter]] = {}
        for weight in weights:
            groups.setdefault(rates.get(id(weight), self.rate), []).append(weight)
        make = getattr(torch.optim, self.optimizer)
        takes = signature(make).parameters
        options: dict[str, Any] = {"betas": tuple(self.betas), "fused": True, "weight_decay": self.weight_decay}
        made: Optimizer = make(
            [{"params": held, "lr": rate, "base_rate": rate} for rate, held in groups.items()],
            **{name: value for name, value in options.items() if name in takes},
        )
        return made

    def set_rates(self, optimizers: Mapping[str, Optimizer], step: int) -> None:
        """Set every rate to what it is at a training step.

        The rate follows from the step alone, so that nothing of it has to be kept or resumed.

        Args:
            optimizers: Those that `create` made.
            step: Training steps taken so far.
        """
        factor = self.factor(step)
        for optimizer in optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = group["base_rate"] * factor
