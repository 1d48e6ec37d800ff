"""`cyclekit show`: what a paper or a run computes, minimises and follows."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from cyclekit._registry import suggestion
from cyclekit.command.runs import open_run
from cyclekit.errors import UsageError
from cyclekit.graph import CycleGraph
from cyclekit.papers import create_paper, list_papers


@dataclass
class Options:
    """Show a paper or a run: how it is trained, its equations, who learns from what, and what is computed."""

    what: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PAPER|RUN")]
    """A paper's name, or the folder of a run."""
    latex: bool = False
    """Its objective in LaTeX, and nothing else."""
    diagram: bool = False
    """Its diagram as Mermaid text, and nothing else."""


def run(options: Options) -> None:
    """Print it."""
    if options.latex and options.diagram:
        raise UsageError("--latex and --diagram each show one thing: choose one of them")
    graph, about = _found(options.what)
    if options.latex or options.diagram:
        print(graph.to_latex() if options.latex else graph.to_mermaid())
        return
    parts = {**about, "model": str(graph), "plan": str(graph.plan()), "diagram": graph.to_mermaid()}
    print("\n\n".join(f"{title}\n{'=' * len(title)}\n{text}" for title, text in parts.items()))


def _found(what: str) -> tuple[CycleGraph, Mapping[str, str]]:
    """Return a paper's or a run's graph, and what is said of it."""
    if what in list_papers():
        paper = create_paper(what)
        notes = {"notes": "\n".join(paper.notes)} if paper.notes else {}
        return paper.graph, {"source": str(paper.source), "recipe": str(paper.recipe), **notes}
    if not Path(what).is_dir():
        raise UsageError(f"{what!r} is neither a paper nor the folder of a run{suggestion(what, list_papers())}")
    run = open_run(Path(what))
    return run.graph(), {"options": "\n".join(f"{name}: {value}" for name, value in run.options.items())}
