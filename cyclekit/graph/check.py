"""Whether a graph's arguments fit: each by itself, and all together."""

import reprlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from inspect import cleandoc
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from cyclekit._registry import suggestion
from cyclekit.errors import ArgumentError, GraphError, warn
from cyclekit.graph.domains import Domain, Image, Landmarks, Mask, Noise
from cyclekit.graph.notation import GATES
from cyclekit.graph.resolve import BUILT_IN_FUNCTIONS
from cyclekit.graph.schedule import Ramp, Schedule, StandIn, Weight
from cyclekit.graph.terms import SIDES, Comparison, Regularizer
from cyclekit.graph.values import number

if TYPE_CHECKING:
    from cyclekit.graph.graph import CycleGraph

_FINITE = number("a weight is a finite number, or a Ramp")


def argument(name: str, value: object) -> object:
    """Return an argument of `CycleGraph` in its stored form.

    Raises:
        GraphError: It is of the wrong kind.
    """
    return _ARGUMENTS[name](name, value)


def _text(argument: str, value: object) -> str:
    """Return a text without the indentation its lines have in common."""
    if not isinstance(value, str):
        raise GraphError(f"{argument} must be text, got {_kind(value)}")
    return cleandoc(value)


def _name(argument: str, value: object) -> str:
    """Return a name."""
    if not isinstance(value, str):
        raise GraphError(f"{argument} must be a name, got {_kind(value)}")
    return value


def _names(argument: str, value: object) -> tuple[str, ...]:
    """Return a list of names."""
    if isinstance(value, str):
        raise GraphError(f"{argument} must be a list of names, got the text {value!r}: write [{value!r}]")
    try:
        items = tuple(cast("Iterable[object]", value))
    except TypeError:
        raise GraphError(f"{argument} must be a list of names, got {_kind(value)}") from None
    return tuple(_name(argument, item) for item in items)


def _signals(argument: str, value: object) -> Mapping[str, Domain]:
    """Return the domains of signals."""
    return MappingProxyType({key: _domain(key, domain) for key, domain in _items(argument, value, "names of signals")})


def _weights(argument: str, value: object) -> Mapping[str, Weight]:
    """Return the weights of terms."""
    return MappingProxyType({key: _weight(key, weight) for key, weight in _items(argument, value)})


def _criteria(argument: str, value: object) -> Mapping[str, str]:
    """Return the criteria of terms."""
    return MappingProxyType({key: _name(f"criteria[{key!r}]", criterion) for key, criterion in _items(argument, value)})


def _optional(argument: str, value: object) -> Mapping[str, str | None]:
    """Return the terms that a batch may go without, and the signal that says which of its samples have them."""
    if not isinstance(value, Mapping):
        return MappingProxyType(dict.fromkeys(_names(argument, value)))
    found = dict(_items(argument, value))
    for key, signal in found.items():
        if not isinstance(signal, str | None):
            raise GraphError(f"{argument}[{key!r}] must be a signal's name or None, got {_kind(signal)}")
    return MappingProxyType(found)


def _schedule(argument: str, value: object) -> Schedule:
    """Return the schedule."""
    if value is None:
        return Schedule()
    if not isinstance(value, Schedule):
        raise GraphError(f"{argument} must be a Schedule, got {_kind(value)}")
    return value


def _items(argument: str, value: object, keys: str = "names of terms") -> Iterator[tuple[str, Any]]:
    if value is None:
        return
    if not isinstance(value, Mapping):
        raise GraphError(f"{argument} must be a dict by {keys}, got {_kind(value)}")
    for key, item in cast("Mapping[object, Any]", value).items():
        if not isinstance(key, str):
            raise GraphError(f"{argument} is keyed by {keys}, got {key!r}")
        yield key, item


def _domain(key: str, value: object) -> Domain:
    if not isinstance(value, Domain):
        mend = f"; did you mean {value.__name__}(...)?" if isinstance(value, type) else ""
        raise GraphError(f"signals[{key!r}] must be a domain such as Image(3), got {value!r}{mend}")
    if not key.rstrip("*").isidentifier() or key.rstrip("*") in ("_", "vs", *GATES):
        raise GraphError(
            f"signals names {key!r}: a signal's name is a word, maybe with stars, not '_', 'vs', 'stop' or 'reverse'"
        )
    return value


def _weight(key: str, value: object) -> Weight:
    if isinstance(value, Ramp):
        return value
    try:
        return _FINITE(value)
    except ArgumentError as wanted:
        raise GraphError(f"weights[{key!r}] = {reprlib.repr(value)}: {wanted}") from None


def _kind(value: object) -> str:
    return "None" if value is None else type(value).__name__


_ARGUMENTS = {
    "signals": _signals,
    **dict.fromkeys(("cycles", "maps", "adversaries", "losses"), _text),
    "weights": _weights,
    "criteria": _criteria,
    "adversarial": _name,
    **dict.fromkeys(("functions", "frozen"), _names),
    "optional": _optional,
    "schedule": _schedule,
}


# ---- all together


def check_side(side: object) -> None:
    """Check the name of a side.

    Raises:
        GraphError: It is none.
    """
    if side not in SIDES:
        raise GraphError(f"there is no side {side!r}: choose 'generators' or 'discriminators'")


def check_names(graph: "CycleGraph") -> None:
    """Check that every key and list names what the texts hold.

    Raises:
        GraphError: They do not.
    """
    for term in graph.terms:  # read now, since keys that name no term show there
        if term.name == "total":
            raise GraphError("a term cannot be called 'total', as the sum of all is: choose another label")
    for name in graph.frozen:
        if name not in graph.generators:
            raise GraphError(
                f"frozen names {name!r}, which is no generator of this graph{suggestion(name, graph.generators)}"
            )
    for name in graph.functions:
        if name not in graph.all_functions:
            known = (*graph.generators, *BUILT_IN_FUNCTIONS)
            raise GraphError(f"functions names {name!r}, which no flow uses{suggestion(name, known)}")
    for name, domain in graph.signals.items():
        if isinstance(domain, Noise) and name not in graph.inputs:
            raise GraphError(f"signals[{name!r}] is {domain}, which is drawn, and a map makes it: it is a Vector")
    for term in graph.terms:
        if term.where is None:
            continue
        domain = graph.signals.get(term.where)
        if term.where not in graph.inputs or domain is None or (domain.channels, domain.spatial) != (1, False):
            raise GraphError(
                f"optional says {term.where!r} of the term {term.name!r}: declare it in signals= as a Vector(1), 1 for "
                "the samples of a batch that have what the term needs and 0 for the others"
                + ("" if term.where in graph.domains else suggestion(term.where, graph.inputs))
            )


def check_trainable(graph: "CycleGraph") -> None:
    """Check that every term trains somebody and every generator is trained; warn of idle signals.

    Raises:
        GraphError: One of them does not hold.
    """
    weighed = [term for term in graph.terms if term.weight != 0]
    for term in weighed:
        if not any(graph.learners(term, side) for side in SIDES if term.minimised_by(side)):
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
    judging = {name for term in graph.minimised_by("discriminators") for name in graph.learners(term, "discriminators")}
    for name in graph.discriminators:
        if name not in judging and any(call.network == name for call in graph.calls) and not graph.judges(name):
            raise GraphError(
                f"no term trains {name!r}: it stands in no adversary, and its heads are compared on generated signals "
                f"alone, where they train generators{suggestion(name, [n for n in graph.networks if n != name])}"
            )
    for term in weighed:
        if isinstance(term, Regularizer) and graph.term(term.adversary).weight == 0:
            warn(f"{term.name!r} regularizes the adversary {term.adversary!r}, whose weight is 0")
    if graph.schedule.penalty_interval > 1 and not any(term.measure == "penalty" for term in weighed):
        warn(f"Schedule(penalty_interval={graph.schedule.penalty_interval}): no term of this graph is a penalty")
    _warn_of_near_names(graph)
    needed = {name for term in weighed for name in term.signals}
    needed |= {term.where for term in weighed if term.where}
    for evaluation in graph.evaluations(*needed):
        needed.update((*evaluation.inputs, *evaluation.makes))
    if idle := [name for name in (*graph.inputs, *graph.generated) if name not in needed]:
        warn(f"no loss needs {'the signals' if len(idle) > 1 else 'the signal'} {', '.join(idle)}")


def check_targets(graph: "CycleGraph") -> None:
    """Check that criteria made for one kind of signal compare that kind, and no cross entropy has logits for target.

    Raises:
        GraphError: One does not, or has.
    """
    _check_kinds(graph)
    makers = {value: call for call in graph.calls for value in call.outputs}
    for term in graph.terms:
        if not isinstance(term, Comparison) or term.criterion != "cross_entropy" or term.target is None:
            continue
        maker = makers.get(term.target)
        while maker is not None and maker.network in GATES:
            maker = makers.get(maker.inputs[0])
        if maker is not None and maker.network in graph.networks:
            raise GraphError(
                f"the term {term.name!r} ({term.equation}): a cross entropy is told its target, and {term.target!r} is "
                f"what {maker.network} makes, logits: write it on the left of '~', turn it into probabilities by "
                "-softmax-> or -argmax->, or compare by another criterion"
            )


def _check_kinds(graph: "CycleGraph") -> None:
    for term in graph.terms:
        if not isinstance(term, Comparison) or term.target is None:
            continue
        told, seen = graph.domains[term.target], graph.domains[term.prediction]
        where = f"the term {term.name!r} ({term.equation})"
        if term.criterion in ("cross_entropy", "binary_cross_entropy") and told.bounds is not None:
            raise GraphError(
                f"{where}: a cross entropy is told classes or attributes, and {term.target!r} is {told}: compare by "
                "another criterion, or declare a Label, Classes or a Vector"
            )
        if term.criterion == "cross_entropy" and seen.channels == 1:
            raise GraphError(f"{where}: the cross entropy of one class, {seen}, is always 0: declare two or more")
        if term.criterion == "keypoint_distance":
            for name, domain in ((term.prediction, seen), (term.target, told)):
                if isinstance(domain, Image | Landmarks | Mask):
                    raise GraphError(
                        f"{where}: a keypoint distance compares the joints of heatmaps, and {name!r} is {domain}: "
                        "declare a Heatmap, or compare by another criterion"
                    )


def _warn_of_near_names(graph: "CycleGraph") -> None:
    """Warn of a network that is used once and called as another is, but for case and underscores: a slip."""
    uses = Counter(call.network for call in graph.calls)
    alike: dict[str, list[str]] = {}
    for name in (*graph.networks, *graph.all_functions):
        alike.setdefault(name.casefold().replace("_", ""), []).append(name)
    for names in alike.values():
        for name in names:
            if len(names) > 1 and uses[name] <= 1 and name in graph.networks:
                others = " and ".join(repr(other) for other in names if other != name)
                warn(f"{name!r} is used once, and {others} is called almost the same: are they one network?")
                return


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
    times = Counter(name for player in order for name in graph.networks_of(player))
    for name in graph.networks:
        if name not in graph.frozen and times[name] != 1:
            raise GraphError(
                f"Schedule(order={order}) steps {name!r} {times[name]} times in a training step: each "
                "network that learns steps once"
            )
    for stand_in in graph.schedule.stand_ins:
        _check_stand_in(graph, stand_in)


def _check_stand_in(graph: "CycleGraph", stand_in: StandIn) -> None:
    if stand_in.network not in graph.generators:
        raise GraphError(
            f"StandIn(network={stand_in.network!r}) names no generator{suggestion(stand_in.network, graph.generators)}"
        )
    if stand_in.by in graph.all_functions:
        raise GraphError(f"StandIn(by={stand_in.by!r}) names a function: a stand-in is a network")
    if stand_in.by in graph.networks and stand_in.by not in graph.frozen:
        raise GraphError(
            f"StandIn(by={stand_in.by!r}) names a network that learns: a stand-in is frozen, or used nowhere else"
        )
    for name in stand_in.learning:
        makers = {call.network for call in graph.calls if not set(call.outputs).isdisjoint(graph.term(name).signals)}
        if stand_in.network not in makers:
            raise GraphError(
                f"StandIn(learning=[{name!r}]): that term compares nothing that {stand_in.network!r} makes, which "
                "would not learn from it"
            )
    graph.at_step(stand_in.steps - 1)
