"""What a player runs in a round: its objectives, one backward pass each."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from torch import nn

from cyclekit.graph import Adversary, Comparison, CycleGraph, LossPlan, Term
from cyclekit.model import CycleModel, DiscriminatorObjective, GeneratorObjective, Losses
from cyclekit.training._players import networks_of, side_of

Run: TypeAlias = Callable[..., Losses]
Wrap: TypeAlias = Callable[[nn.Module], Run]
_Objective: TypeAlias = GeneratorObjective | DiscriminatorObjective


class Move(NamedTuple):
    """One backward pass of one player.

    Args:
        run: Its objective, compiled or wrapped.
        plan: What that reads.
        judges: The discriminator of each adversary whose generated side passes a history pool.
    """

    run: Run
    plan: LossPlan
    judges: Mapping[str, str]


class Moves:
    """The moves of every player, each worked out when it is first needed.

    Args:
        model: The model.
        wrap: Applied to each objective once.
    """

    def __init__(self, model: CycleModel, wrap: Wrap | None) -> None:
        self._model = model
        self._wrap = wrap
        self._known: dict[tuple[object, ...], list[Move]] = {}
        self._wrapped: dict[_Objective, Run] = {}

    def of(self, player: str, active: tuple[str, ...], rounds: int) -> list[Move]:
        """Return a player's moves; none where no term trains it.

        Args:
            player: An entry of the schedule's order.
            active: The terms that a batch allows.
            rounds: Rounds played so far, which decide about stand-ins.
        """
        stand_ins = self._model.graph.schedule.stand_ins
        standing_in = tuple(stand_in for stand_in in stand_ins if rounds < stand_in.steps)
        key = (player, active, standing_in)
        if key not in self._known:
            self._known[key] = [self._move(objective) for objective in self._objectives(player, active, rounds)]
        return self._known[key]

    def _objectives(self, player: str, active: tuple[str, ...], rounds: int) -> list[_Objective]:
        graph = self._model.graph
        now, side, networks = graph.at_step(rounds), side_of(graph, player), networks_of(graph, player)
        # A stand-in may change how a term is called; its place stays.
        places = {term.name: current for term, current in zip(graph.terms, now.terms, strict=True)}
        terms = {name: places[name] for name in active if now.learners(places[name], side) & {*networks}}
        if not terms:
            return []
        if side == "discriminators":
            return [self._model.discriminator_objective(terms, networks=networks)]
        return [self._model.generator_objective(group, networks=networks, step=rounds) for group in _groups(now, terms)]

    def _move(self, objective: _Objective) -> Move:
        if objective not in self._wrapped:
            self._wrapped[objective] = self._wrap(objective) if self._wrap else objective
        judges: dict[str, str] = {}
        if isinstance(objective, DiscriminatorObjective):
            paid = [self._model.graph.term(name) for name in objective.plan.terms]
            judges = {t.name: t.discriminator for t in paid if isinstance(t, Adversary) and t.generated}
        return Move(self._wrapped[objective], objective.plan, judges)


def _groups(graph: CycleGraph, terms: Mapping[str, Term]) -> list[list[str]]:
    """Return the terms that are back-propagated together: all, or each cycle's with those of what it makes."""
    if graph.schedule.backward == "joint":
        return [list(terms)]
    made = {
        name: {
            value
            for evaluation in graph.plan([term.name]).generators.evaluations
            if evaluation.network not in graph.discriminators
            for value in evaluation.makes
        }
        for name, term in terms.items()
    }
    cycles = [name for name, term in terms.items() if isinstance(term, Comparison) and term.kind == "cycle"]
    groups = {name: [name] for name in cycles}
    for name in terms:
        if name not in cycles:
            home = next((cycle for cycle in cycles if made[name] <= made[cycle]), name)
            groups.setdefault(home, []).append(name)
    return list(groups.values())
