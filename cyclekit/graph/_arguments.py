"""A graph's arguments, each checked by itself and brought to its stored form."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from inspect import cleandoc
from typing import Any, cast

from cyclekit.errors import GraphError
from cyclekit.graph._domains import Domain
from cyclekit.graph._schedule import Schedule
from cyclekit.graph._terms import Player


def text(argument: str, value: object) -> str:
    """Return a text without the indentation its lines have in common."""
    if not isinstance(value, str):
        raise GraphError(f"{argument} must be text, got {_kind(value)}")
    return cleandoc(value)


def name(argument: str, value: object) -> str:
    """Return a name."""
    if not isinstance(value, str):
        raise GraphError(f"{argument} must be a name, got {_kind(value)}")
    return value


def names(argument: str, value: object) -> tuple[str, ...]:
    """Return a list of names."""
    if isinstance(value, str):
        raise GraphError(f"{argument} must be a list of names, got the text {value!r}: write [{value!r}]")
    if not isinstance(value, Iterable):
        raise GraphError(f"{argument} must be a list of names, got {_kind(value)}")
    return tuple(name(argument, item) for item in cast("Iterable[object]", value))


def signals(value: object) -> dict[str, Domain]:
    """Return the domains of signals."""
    return {key: _domain(key, domain) for key, domain in _items("signals", value, "names of signals")}


def weights(value: object) -> dict[str, float]:
    """Return the weights of terms."""
    return {key: _weight(key, weight) for key, weight in _items("weights", value)}


def criteria(value: object) -> dict[str, str]:
    """Return the criteria of terms."""
    return {key: name(f"criteria[{key!r}]", criterion) for key, criterion in _items("criteria", value)}


def payers(value: object) -> dict[str, Player]:
    """Return the payers of terms."""
    return {key: _payer(key, payer) for key, payer in _items("payers", value)}


def schedule(value: object) -> Schedule:
    """Return the schedule, the usual one where none is given."""
    if value is None:
        return Schedule()
    if not isinstance(value, Schedule):
        raise GraphError(f"schedule must be a Schedule, got {_kind(value)}")
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
    if not key.rstrip("*").isidentifier() or key.rstrip("*") in ("_", "vs"):
        raise GraphError(f"signals names {key!r}: a signal's name is a word, maybe with stars, not '_' or 'vs'")
    return value


def _weight(key: str, value: object) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= sys.float_info.max:
        raise GraphError(f"weights[{key!r}] = {value!r}: a weight is a finite number, zero or more")
    return float(value)


def _payer(key: str, value: object) -> Player:
    if value not in ("generators", "discriminators"):
        raise GraphError(f"payers[{key!r}] = {value!r}: choose 'generators' or 'discriminators'")
    return value


def _kind(value: object) -> str:
    return "None" if value is None else type(value).__name__
