"""A graph as text and as a picture."""

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, cast

from cyclekit.graph.schedule import Schedule, lowest, shown
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
    rows = table(graph)
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    rows.insert(1, tuple("-" * width for width in widths))
    lines = "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
    signals = "signals: " + ", ".join(f"{name} {domain}" for name, domain in graph.domains.items() if "(" not in name)
    return "\n\n".join([signals, *blocks, *_options(graph), lines])


def markdown(graph: "CycleGraph") -> str:
    """Return the flowchart and the table of the terms as Markdown."""
    header, *rows = ([cell.replace("*", r"\*") for cell in row] for row in table(graph))
    lines = [header, ["---"] * len(header), *rows]
    shown = "\n".join(f"| {' | '.join(row)} |" for row in lines)
    return f"```mermaid\n{mermaid(graph)}\n```\n\n{shown}\n"


def table(graph: "CycleGraph") -> list[tuple[str, ...]]:
    """Return the table of the terms, its header first: what each side minimises, and whom that trains."""
    rows: list[tuple[str, ...]] = [("term", "weight", "criterion", "minimised by", "trains")]
    for side in SIDES:
        rows += [_row(graph, term, side) for term in graph.terms if term.minimised_by(side)]
    return rows


def _options(graph: "CycleGraph") -> list[str]:
    """Return what is said beside the equations, where it is not the default."""
    default, said = Schedule(), graph.schedule
    values = [(entry.name, getattr(said, entry.name), getattr(default, entry.name)) for entry in fields(said)]
    changed = [f"{name}={value!r}" for name, value, usual in values if value != usual]
    lists = [(name, getattr(graph, name)) for name in ("functions", "frozen")]
    optional = cast("Mapping[str, str | None]", graph.optional)
    lists.append(("optional", [f"{key} (where {signal})" if signal else key for key, signal in optional.items()]))
    lines = [f"{name}: {', '.join(names)}" for name, names in lists if names]
    if changed:
        lines.append(f"schedule: {', '.join(changed)}")
    return ["\n".join(lines)] if lines else []


def _row(graph: "CycleGraph", term: Term, side: Side) -> tuple[str, ...]:
    learners = graph.learners(term, side)
    straight = graph.learners(term, side, stopped={"reverse": (0,)})
    trains = ", ".join(name if name in straight else f"reverse({name})" for name in sorted(learners)) or "nobody"
    said = f"{side}, maximised" if lowest(term.weight) < 0 else side
    return (term.name, shown(term.weight), term.criterion, said, trains)


def mermaid(graph: "CycleGraph") -> str:
    """Return a flowchart: signals are round, networks are boxes, comparisons dotted, discriminators below."""
    identifiers: dict[str, str] = {}

    def identifier(value: str) -> str:
        return identifiers.setdefault(value, f"s{len(identifiers)}")

    arrows: list[str] = []
    for number, call in enumerate(graph.calls):
        arrows.append(f'    n{number}["{call.use}"]')
        arrows += [f"    {identifier(value)} --> n{number}" for value in call.inputs]
        arrows += [f"    n{number} --> {identifier(value)}" for value in call.outputs]
    for number, term in enumerate(graph.terms):
        if isinstance(term, Adversary):
            behind = [t.written for t in graph.terms if isinstance(t, Regularizer) and t.adversary == term.name]
            arrows.append(f'    d{number}{{{{"{" + ".join([term.equation, *behind])}"}}}}')
            arrows += [f"    {identifier(value)} -.-> d{number}" for value in dict.fromkeys(term.made("generators"))]
        elif isinstance(term, Comparison):
            label = f"{term.name if term.kind == 'cycle' else term.criterion}, {shown(term.weight)}"
            if term.target is None:
                arrows.append(f'    t{number}[/"{label}"/]')
                arrows += [f"    {identifier(value)} -.- t{number}" for value in term.signals]
            else:
                arrows.append(f'    {identifier(term.prediction)} -. "{label}" .- {identifier(term.target)}')
    nodes = [f'    {name}(["{value}"])' for value, name in identifiers.items()]
    return "\n".join(["flowchart LR", *nodes, *arrows])
