"""`cyclekit list`: what is there, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

import tyro

from cyclekit._registry import suggestion
from cyclekit.errors import UsageError
from cyclekit.papers import create_paper, list_papers

Kind: TypeAlias = Literal["papers", "generators", "discriminators", "criteria", "losses", "penalties"]


@dataclass
class Options:
    """List the papers, or what their models can be built of, by name."""

    pattern: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PATTERN")] = "*"
    """A glob pattern, such as '*cycle*'."""
    of: Kind = "papers"
    """What is listed: losses are adversarial ones."""


def run(options: Options) -> None:
    """Print the names that match."""
    listed = _lists(options.of)
    names = listed(options.pattern)
    if not names:
        raise UsageError(
            f"none of the {options.of} matches {options.pattern!r}{suggestion(options.pattern, listed('*'))}"
        )
    if options.of != "papers":
        print("\n".join(names))
        return
    rows = [(name, create_paper(name).source) for name in names]
    widths = max(len(name) for name, _ in rows), max(len(source.venue) for _, source in rows)
    for name, source in rows:
        print(f"{name:<{widths[0]}}  {source.venue:<{widths[1]}}  {source.title}")


def _lists(kind: Kind) -> Callable[[str], list[str]]:
    if kind == "papers":
        return list_papers
    # These rooms import torch, which a list of papers need not wait for.
    from cyclekit.losses import list_adversarial_losses, list_criteria, list_penalties
    from cyclekit.nets import list_discriminators, list_generators

    return {
        "generators": list_generators,
        "discriminators": list_discriminators,
        "criteria": list_criteria,
        "losses": list_adversarial_losses,
        "penalties": list_penalties,
    }[kind]
