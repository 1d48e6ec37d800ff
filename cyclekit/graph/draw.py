"""A graph as text and as a picture."""

from dataclasses import fields
from typing import TYPE_CHECKING

from cyclekit.graph.schedule import Schedule
from cyclekit.graph.terms import SIDES, Adversary, Comparison, Regularizer, Side, Term

if TYPE_CHECKING:
    from cyclekit.graph.graph import CycleGraph


def text(graph: "CycleGraph") -> str:
    """Return the equations, what else is said, and a table of the terms."""
    blocks = [
        f"{name}:\n" + "\n".join(f"  {line}" for line in lines.split("\n"))
        for name, lines in graph.equations.items()
        if lines
    ]
    rows: list[tuple[str, ...]] = [("term", "weight", "criterion", "minimised by", "trains")]
    for side in SIDES:
        rows += [_row(graph, term, side) for term in graph.terms if term.minimised_by(side)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    rows.insert(1, tuple("-" * width for width in widths))
    table = "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
    signals = "signals: " + ", ".join(f"{name} {domain}" for name, domain in graph.domains.items() if "(" not in name)
    return "\n\n".join([signals, *blocks, *_options(graph), table])


def _options(graph: "CycleGraph") -> list[str]:
    """Return what is said beside the equations, where it is not the default."""
    default, said = Schedule(), graph.schedule
    values = [(entry.name, getattr(said, entry.name), getattr(default, entry.name)) for entry in fields(said)]
    changed = [f"{name}={value!r}" for name, value, usual in values if value != usual]
    lists = [(name, getattr(graph, name)) for name in ("functions", "frozen", "optional")]
    lines = [f"{name}: {', '.join(names)}" for name, names in lists if names]
    if changed:
        lines.append(f"schedule: {', '.join(changed)}")
    return ["\n".join(lines)] if lines else []


def _row(graph: "CycleGraph", term: Term, side: Side) -> tuple[str, ...]:
    trains = ", ".join(sorted(graph.learners(term, side))) or "nobody"
    return (term.name, f"{term.weight:g}", term.criterion, side, trains)


def mermaid(graph: "CycleGraph") -> str:
    """Return a flowchart: signals are round, networks are boxes, comparisons dotted, discriminators below."""
    identifiers: dict[str, str] = {}

    def identifier(value: str) -> str:
        return identifiers.setdefault(value, f"s{len(identifiers)}")

    arrows: list[str] = []
    for number, call in enumerate(graph.calls):
        name = call.network if call.head is None else f"{call.network}.{call.head}"
        arrows.append(f'    n{number}["{name}"]')
        arrows += [f"    {identifier(value)} --> n{number}" for value in call.inputs]
        arrows += [f"    n{number} --> {identifier(value)}" for value in call.outputs]
    for number, term in enumerate(graph.terms):
        if isinstance(term, Adversary):
            behind = [t.written for t in graph.terms if isinstance(t, Regularizer) and t.adversary == term.name]
            arrows.append(f'    d{number}{{{{"{" + ".join([term.equation, *behind])}"}}}}')
            arrows += [f"    {identifier(value)} -.-> d{number}" for value in dict.fromkeys(term.fake)]
        elif isinstance(term, Comparison):
            label = f"{term.name}, {term.weight:g}" if term.kind == "cycle" else f"{term.criterion}, {term.weight:g}"
            arrows.append(f'    {identifier(term.prediction)} -. "{label}" .- {identifier(term.target)}')
    nodes = [f'    {name}(["{value}"])' for value, name in identifiers.items()]
    return "\n".join(["flowchart LR", *nodes, *arrows])
