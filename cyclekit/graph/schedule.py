"""Who steps when."""

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from cyclekit.errors import GraphError


@dataclass(frozen=True)
class StandIn:
    """A frozen network that stands in for a generator early in training, as C2GAN's pose estimator for G_K.

    Args:
        network: The generator that waits.
        by: The name of the network that takes its place; `CycleGraph.build` is given it under this name.
        steps: For how many steps.

    Raises:
        GraphError: ``steps`` is not positive, or a network would stand in for itself.
    """

    network: str
    by: str
    steps: int

    def __post_init__(self) -> None:
        _check_whole("StandIn", "steps", self.steps, least=1)
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
        if isinstance(self.order, str):
            raise GraphError(f"Schedule(order={self.order!r}): name the players in a list")
        object.__setattr__(self, "order", tuple(self.order))
        object.__setattr__(self, "stand_ins", tuple(self.stand_ins))
        if not self.order or len(set(self.order)) != len(self.order):
            raise GraphError(f"Schedule(order={self.order}): name each player once")
        _check_whole("Schedule", "discriminator_steps", self.discriminator_steps, least=1)
        _check_whole("Schedule", "penalty_interval", self.penalty_interval, least=1)
        _check_whole("Schedule", "history", self.history, least=0)
        if not 0 < self.discriminator_scale <= sys.float_info.max:
            raise GraphError(f"Schedule(discriminator_scale={self.discriminator_scale}): must be a positive number")
        if self.backward not in ("joint", "per_cycle"):
            raise GraphError(f"Schedule(backward={self.backward!r}): choose 'joint' or 'per_cycle'")
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
        return {**asdict(self), "order": list(self.order), "stand_ins": [asdict(s) for s in self.stand_ins]}

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


def _check_whole(kind: str, name: str, value: object, *, least: int) -> None:
    if type(value) is not int or value < least:
        raise GraphError(f"{kind}({name}={value!r}): must be a whole number from {least}")
