"""What changes from step to step: who steps, what stands in for whom, and weights."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from cyclekit.errors import GraphError
from cyclekit.graph.values import check_fields, list_of, number, one_of, whole, word

_FINITE = number("a weight is a finite number")


@dataclass(frozen=True)
class Ramp:
    """A weight that changes in a straight line over training steps, and stays at its end.

    Args:
        start: The weight at first.
        end: The weight at last.
        steps: Over how many training steps it changes.
        after: The training steps before it begins to change.

    Raises:
        GraphError: A weight is no finite number, or a count is out of range.

    Example:
        ```python
        from cyclekit import Ramp

        fading = Ramp(1, 0, steps=100_000)
        assert (fading.at(0), fading.at(25_000), fading.at(200_000)) == (1.0, 0.75, 0.0)
        ```
    """

    start: float
    end: float
    steps: int
    after: int = 0

    def __post_init__(self) -> None:
        check_fields(self, start=_FINITE, end=_FINITE)
        if self.start == self.end:
            raise GraphError(f"Ramp({self.start:g}, {self.end:g}): a weight that stays is written as a number")
        check_fields(self, steps=whole(least=1), after=whole(least=0))

    def at(self, step: int | None) -> float:
        """Return the weight at a training step.

        Args:
            step: Training steps taken so far; ``None`` is the end.

        Returns:
            The weight.
        """
        passed = 1.0 if step is None else min(1.0, max(0, step - self.after) / self.steps)
        return self.start + (self.end - self.start) * passed

    def is_over(self, step: int) -> bool:
        """Return whether the weight has come down to 0 for good.

        Args:
            step: Training steps taken so far.

        Returns:
            Whether what it weighs need not be computed any more.
        """
        return self.end == 0 and step >= self.after + self.steps

    def __mul__(self, factor: float) -> "Ramp":
        """Return the weight times a number other than 0."""
        if not isinstance(factor, int | float):  # pyright: ignore[reportUnnecessaryIsInstance]
            return NotImplemented
        return Ramp(self.start * factor, self.end * factor, self.steps, self.after)

    __rmul__ = __mul__

    def __str__(self) -> str:
        """Return how tables print it, ``1 to 0``."""
        return f"{self.start:g} to {self.end:g}"


Weight: TypeAlias = float | Ramp
"""A term's factor in a loss, constant or changing."""


def lowest(weight: Weight) -> float:
    """Return a weight at its lowest."""
    return min(weight.start, weight.end) if isinstance(weight, Ramp) else weight


def shown(weight: Weight) -> str:
    """Return a weight as tables print it."""
    return str(weight) if isinstance(weight, Ramp) else f"{weight:g}"


@dataclass(frozen=True)
class StandIn:
    """A frozen network that stands in for a generator early in training, as C2GAN's pose estimator for G_K.

    Adversaries that judge what it makes rest meanwhile: a discriminator is not taught on another network's results.

    Args:
        network: The generator that waits.
        by: The name of the network that takes its place; `CycleGraph.build` is given it under this name.
        steps: For how many steps.
        learning: Comparisons in which the generator itself is used meanwhile, so that it learns: on real images, say.

    Raises:
        GraphError: ``steps`` is not positive, or a network would stand in for itself.

    Example:
        ```python
        from cyclekit import CycleGraph, Heatmap, Image, Ramp
        from cyclekit.graph import Schedule, StandIn

        graph = CycleGraph(
            {"x": Image(3), "y": Image(3), "Lx": Heatmap(18), "Ly": Heatmap(18)},
            cycles="K2G2K: [x, Ly] -G_I-> y* -G_K-> Ly* ~ Ly",
            losses="y* ~ y ; real: x -G_K-> _ ~ Lx",
            weights={"real": Ramp(10, 0, steps=1, after=4999)},
            schedule=Schedule(stand_ins=(StandIn("G_K", by="pose", steps=5000, learning=("real",)),)),
        )
        assert graph.at_step(0).gradient_flow()["K2G2K"] == {"G_I"}
        assert graph.at_step(0).gradient_flow()["real"] == {"G_K"}
        assert "real" not in graph.due("generators", iteration=5000)
        ```
    """

    network: str
    by: str
    steps: int
    learning: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        name = word("must be a network's name")
        learning = list_of(str, "name the terms in a list")
        check_fields(self, network=name, by=name, steps=whole(least=1), learning=learning)
        if self.network == self.by:
            raise GraphError(f"StandIn: {self.network!r} cannot stand in for itself")


@dataclass(frozen=True)
class Schedule:
    """Who steps when, part of the graph.

    Args:
        order: The players in turn. ``"generators"`` and ``"discriminators"`` step all of a kind on one loss;
            a network's name steps that network alone, as the paper's listing does (`Schedule.sequential`):
            a generator on a forward pass of its own, a discriminator on what the latest one generated.
        discriminator_steps: How often each discriminator steps while the generators step once (n critic).
        discriminator_scale: What the discriminators' loss is multiplied with; the paper halves it.
        penalty_interval: A penalty is computed once in so many training steps, and weighs so many times as much
            (StyleGAN2's lazy regularisation, with 16).
        backward: ``"joint"`` back-propagates all generator losses at once; ``"per_cycle"`` one cycle after
            the other, which needs the memory of the largest cycle and computes shared signals again.
        history: How many generated samples each discriminator's pool keeps; 0 for none.
        stand_ins: Networks that are replaced at the beginning.

    Raises:
        GraphError: A count is out of range, or a player stands twice in ``order``.
    """

    order: tuple[str, ...] = ("generators", "discriminators")
    discriminator_steps: int = 1
    discriminator_scale: float = 0.5
    penalty_interval: int = 1
    backward: Literal["joint", "per_cycle"] = "joint"
    history: int = 50
    stand_ins: tuple[StandIn, ...] = ()

    def __post_init__(self) -> None:
        check_fields(
            self,
            order=list_of(str, "name the players in a list"),
            discriminator_steps=whole(least=1),
            discriminator_scale=number("must be a positive number", lambda scale: 0 < scale < math.inf),
            penalty_interval=whole(least=1),
            backward=one_of("joint", "per_cycle"),
            history=whole(least=0),
            stand_ins=list_of(StandIn, "give instances of StandIn in a list"),
        )
        if not self.order or len(set(self.order)) != len(self.order):
            raise GraphError(f"Schedule(order={self.order}): name each player once")
        replaced = [stand_in.network for stand_in in self.stand_ins]
        if len(set(replaced)) != len(replaced):
            raise GraphError(f"Schedule(stand_ins=...): a network is replaced twice in {replaced}")

    @classmethod
    def sequential(cls, *networks: str) -> "Schedule":
        """Step one network after the other, as the paper's listing does.

        Args:
            *networks: The networks' names in their order: ``"G_I", "D_I", "G_K", "D_K"``.

        Returns:
            The schedule, with everything else at its default.
        """
        return cls(order=networks)

    def to_dict(self) -> dict[str, Any]:
        """Return the schedule as JSON-ready data.

        Returns:
            The fields by name.
        """
        return {
            **asdict(self),
            "order": list(self.order),
            "stand_ins": [{**asdict(s), "learning": list(s.learning)} for s in self.stand_ins],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Schedule":
        """Rebuild a schedule from `to_dict`'s data.

        Args:
            data: The fields by name.

        Returns:
            The schedule.
        """
        fields: dict[str, Any] = dict(data)
        fields["order"] = tuple(fields["order"])
        fields["stand_ins"] = tuple(StandIn(**stand_in) for stand_in in fields.get("stand_ins", ()))
        return cls(**fields)
