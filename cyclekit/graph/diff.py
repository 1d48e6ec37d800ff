"""What differs between two graphs."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING

from cyclekit.graph.notation import format_flow, format_versus
from cyclekit.graph.schedule import shown
from cyclekit.graph.terms import Term

if TYPE_CHECKING:
    from cyclekit.graph.graph import CycleGraph


def diff(old: "CycleGraph", new: "CycleGraph") -> str:
    """Return one line for each thing that only one of two graphs says (``-``, ``+``), or says otherwise (``~``)."""
    return "\n".join(_lines(old, new))


def _lines(old: "CycleGraph", new: "CycleGraph") -> Iterator[str]:
    yield from _changes("signal", _signals(old), _signals(new))
    yield from _changes("", _statements(old), _statements(new))
    yield from _terms({term.name: term for term in old.terms}, {term.name: term for term in new.terms})
    for name in ("functions", "frozen"):
        yield from _changes(name.removesuffix("s"), _set(getattr(old, name)), _set(getattr(new, name)))
    for entry in fields(old.schedule):
        before, after = getattr(old.schedule, entry.name), getattr(new.schedule, entry.name)
        if before != after:
            yield f"~ schedule {entry.name}: {before!r} -> {after!r}"


def _signals(graph: "CycleGraph") -> dict[str, str]:
    return {name: str(domain) for name, domain in graph.signals.items()}


def _statements(graph: "CycleGraph") -> dict[str, str]:
    """Return every statement by its canonical text, under the argument it stands in."""
    said = graph.statements
    found = {f"{place}: {format_flow(flow)}": "" for place, flow in said.flows}
    return found | {f"adversaries: {format_versus(versus)}": "" for versus in said.adversaries}


def _set(names: object) -> dict[str, str]:
    return dict.fromkeys(names, "")  # pyright: ignore[reportCallIssue, reportArgumentType, reportUnknownVariableType]


def _changes(kind: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    lead = f"{kind} " if kind else ""
    for name in old:
        if name not in new:
            yield f"- {lead}{name} {old[name]}".rstrip()
        elif old[name] != new[name]:
            yield f"~ {lead}{name}: {old[name]} -> {new[name]}"
    yield from (f"+ {lead}{name} {new[name]}".rstrip() for name in new if name not in old)


def _terms(old: Mapping[str, Term], new: Mapping[str, Term]) -> Iterator[str]:
    for name, term in old.items():
        now = new.get(name)
        if now is None:
            yield f"- term {name}"
            continue
        if term.weight != now.weight:
            yield f"~ term {name}: weight {shown(term.weight)} -> {shown(now.weight)}"
        for what in ("criterion", "equation", "optional", "where", "side"):
            before, after = (getattr(each, what, None) for each in (term, now))
            if before != after:
                yield f"~ term {name}: {what} {before} -> {after}"
    yield from (f"+ term {name}" for name in new if name not in old)
