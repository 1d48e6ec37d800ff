"""What was asked for: a graph's arguments, and its texts, parsed."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from cyclekit.errors import NotationError
from cyclekit.graph._domains import Domain
from cyclekit.graph._parser import parse_adversaries, parse_cycles, parse_losses, parse_maps
from cyclekit.graph._schedule import Schedule
from cyclekit.graph._syntax import Flow, Versus
from cyclekit.graph._terms import Player


@dataclass(frozen=True)
class Request:
    """The arguments of a graph, as given."""

    signals: Mapping[str, Domain]
    cycles: str
    maps: str
    adversaries: str
    losses: str
    weights: Mapping[str, float]
    criteria: Mapping[str, str]
    payers: Mapping[str, Player]
    adversarial: str
    functions: tuple[str, ...]
    frozen: tuple[str, ...]
    optional: tuple[str, ...]
    schedule: Schedule

    @cached_property
    def flows(self) -> tuple[tuple[str, Flow], ...]:
        """Every flow, with the argument it stands in."""
        parsed = (
            ("cycles", parse_cycles(self.cycles)),
            ("maps", parse_maps(self.maps)),
            ("losses", parse_losses(self.losses)),
        )
        return tuple((place, flow) for place, flows in parsed for flow in flows)

    @cached_property
    def judgements(self) -> tuple[Versus, ...]:
        """Every adversary."""
        return parse_adversaries(self.adversaries)

    @cached_property
    def discriminators(self) -> tuple[str, ...]:
        """The discriminators' names in order of appearance."""
        return tuple(dict.fromkeys(versus.discriminator.name for versus in self.judgements))

    def error(self, message: str, place: str, at: int) -> NotationError:
        """Return the error for a place in one of the texts."""
        return NotationError(message, field=place, text=getattr(self, place), at=at)
