"""Options by key: a term's name, what stands for several terms, a pattern."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from cyclekit._registry import suggestion
from cyclekit.errors import GraphError
from cyclekit.graph.schedule import Weight, lowest
from cyclekit.graph.terms import Comparison, Regularizer, Term

Option = TypeVar("Option")


class Keys:
    """What keys stand for: one term by its name, or several by less.

    A more precise key comes first: a term's name, then a discriminator or ``r1(D)``, then a pattern, ``cc*``,
    then a criterion.

    Args:
        terms: The terms of a graph.
    """

    def __init__(self, terms: Iterable[Term]) -> None:
        self.terms = tuple(terms)
        self._signals = {name for term in self.terms for name in term.signals}
        self._names = {compact(term.name): term.name for term in self.terms}
        self._shared: dict[str, list[str]] = {}
        self._criteria: dict[str, list[str]] = {}
        for term in self.terms:
            if term.shared_key:
                self._shared.setdefault(term.shared_key, []).append(term.name)
            self._criteria.setdefault(term.criterion, []).append(term.name)

    def find(self, key: str) -> tuple[int, list[str]]:
        """Return how far a key is from a term's own name, and the names it stands for: none where it is unknown."""
        short = compact(key)
        if short in self._names:
            return 0, [self._names[short]]
        if short in self._shared:
            return 1, self._shared[short]
        if "*" in short:
            pattern = re.compile(".*".join(map(re.escape, short.split("*"))), re.DOTALL)
            return 2, [name for shortened, name in self._names.items() if pattern.fullmatch(shortened)]
        return 3, self._criteria.get(short, [])

    def options(self, options: Mapping[str, Option], argument: str) -> dict[str, Option]:
        """Return options by the terms' names.

        Args:
            options: By key.
            argument: What the options are called.

        Raises:
            GraphError: A key names nothing, or two of one precision name one term.
        """
        found: dict[str, tuple[int, str]] = {}
        for key in options:
            rank, named = self.find(key)
            if rank == 2 and compact(key) in self._signals:
                raise GraphError(
                    f"{argument} names {key!r}, a signal, and as a pattern it would stand for "
                    f"{', '.join(map(repr, named)) or 'no term'}: name the terms"
                )
            if not named:
                raise self.unknown(key, f"{argument} names {key!r}, which is no term of this graph")
            for name in named:
                other_rank, other = found.get(name, (rank + 1, key))
                if other_rank == rank and options[other] != options[key]:
                    raise GraphError(f"{argument} names the term {name!r} by {other!r} and by {key!r}: say one of them")
                if rank < other_rank:
                    found[name] = rank, key
        return {name: options[key] for name, (_, key) in found.items()}

    def unknown(self, key: str, message: str) -> GraphError:
        """Return the error for a key that names nothing, with what is near."""
        near = {term.name for term in self.terms} | {*self._shared}
        return GraphError(f"{message}{suggestion(key, near)}")


def compact(key: str) -> str:
    """Return a term's name without white space, as keys are compared."""
    return "".join(key.split())


def adjusted(
    terms: Iterable[Term],
    *,
    weights: Mapping[str, Weight],
    criteria: Mapping[str, str],
    optional: Mapping[str, str | None],
) -> tuple[Term, ...]:
    """Return terms with their weights and criteria, as the user named them.

    Args:
        terms: The terms.
        weights: By key.
        criteria: By key; one of ``weights`` that is a criterion means what these make of the terms.
        optional: By key, the signal that says for which samples.

    Raises:
        GraphError: A key names no term, or an option does not fit its term.
    """
    keys = Keys(terms)
    measures = keys.options(criteria, "criteria")
    left_out = keys.options(optional, "optional")
    measured = [replace(term, criterion=measures.get(term.name, term.criterion)) for term in keys.terms]
    factors = Keys(measured).options(weights, "weights")
    return tuple(_with_options(term, factors, left_out) for term in measured)


def _with_options(term: Term, weights: Mapping[str, Weight], optional: Mapping[str, str | None]) -> Term:
    weight = weights.get(term.name, term.weight)
    if lowest(weight) < 0 and not isinstance(term, Comparison):
        raise GraphError(
            f"the term {term.name!r} weighs {weight}: an adversary is no comparison that is maximised; "
            "exchange what stands on both sides of 'vs', or weigh it by a positive number"
        )
    if isinstance(term, Comparison):
        return replace(term, weight=weight, optional=term.name in optional, where=optional.get(term.name))
    if optional.get(term.name) is not None:
        raise GraphError(
            f"optional says {optional[term.name]!r} of the term {term.name!r}: a comparison can be computed for some "
            "samples of a batch, an adversary for all or none"
        )
    behind = isinstance(term, Regularizer) and term.adversary in optional
    return replace(term, weight=weight, optional=behind or term.name in optional)
