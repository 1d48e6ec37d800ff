"""What must hold before a graph is trained, and of its schedule."""

from typing import TYPE_CHECKING

from cyclekit._registry import suggestion
from cyclekit.errors import GraphError, warn
from cyclekit.graph._schedule import StandIn
from cyclekit.graph._terms import Adversary, Player, Regularizer

if TYPE_CHECKING:
    from cyclekit.graph._graph import CycleGraph


def check_trainable(graph: "CycleGraph") -> None:
    """Check that every term trains somebody and every generator is trained; warn of idle signals.

    Raises:
        GraphError: One of them does not hold.
    """
    weighed = [term for term in graph.terms if term.weight > 0]
    for term in weighed:
        payer: Player = "discriminators" if isinstance(term, Adversary) else term.player
        if not graph.learners(term, payer):
            raise GraphError(
                f"the term {term.name!r} ({term.equation}) trains nobody: no network that learns makes its "
                "signals; give it a generated signal, or weight 0"
            )
    trained = {name for names in graph.gradient_flow().values() for name in names}
    for name in graph.generators:
        if name not in trained and name not in graph.frozen:
            raise GraphError(
                f"no term trains the generator {name!r}: compare one of its results, judge it by a "
                "discriminator, or declare it in frozen="
            )
    for term in weighed:
        if isinstance(term, Regularizer) and graph.term(term.adversary).weight == 0:
            warn(f"{term.name!r} regularizes the adversary {term.adversary!r}, whose weight is 0")
    needed = {name for term in weighed for name in term.signals}
    for evaluation in graph.evaluations(*needed):
        needed.update((*evaluation.inputs, *evaluation.makes))
    if idle := [name for name in (*graph.inputs, *graph.generated) if name not in needed]:
        warn(f"no loss needs {'the signals' if len(idle) > 1 else 'the signal'} {', '.join(idle)}")


def check_schedule(graph: "CycleGraph") -> None:
    """Check that the schedule names the graph's networks, and steps each once.

    Raises:
        GraphError: It does not.
    """
    order = graph.schedule.order
    known = ("generators", "discriminators", *graph.networks)
    for player in order:
        if player not in known:
            raise GraphError(f"Schedule(order=...) names {player!r}, no network{suggestion(player, known)}")
    kinds = {"generators": graph.generators, "discriminators": graph.discriminators}
    stepping = [name for player in order for name in kinds.get(player, (player,))]
    for name in graph.networks:
        if name not in graph.frozen and stepping.count(name) != 1:
            raise GraphError(
                f"Schedule(order={order}) steps {name!r} {stepping.count(name)} times a round: each network "
                "that learns steps once"
            )
    for stand_in in graph.schedule.stand_ins:
        _check_stand_in(graph, stand_in)


def _check_stand_in(graph: "CycleGraph", stand_in: StandIn) -> None:
    if stand_in.network not in graph.generators:
        raise GraphError(
            f"StandIn(network={stand_in.network!r}) names no generator{suggestion(stand_in.network, graph.generators)}"
        )
    if stand_in.by in graph.functions:
        raise GraphError(f"StandIn(by={stand_in.by!r}) names a function: a stand-in is a network")
    if stand_in.by in graph.networks and stand_in.by not in graph.frozen:
        raise GraphError(
            f"StandIn(by={stand_in.by!r}) names a network that learns: a stand-in is frozen, or used nowhere else"
        )
    graph.at_step(stand_in.steps - 1)
