"""From comparisons, adversaries and regularizers as written to terms: named, weighed, paid by somebody."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from cyclekit._registry import suggestion
from cyclekit.errors import GraphError
from cyclekit.graph._domains import Domain, Label
from cyclekit.graph._networks import Network, alike
from cyclekit.graph._plan import expression
from cyclekit.graph._request import Request
from cyclekit.graph._syntax import Flow, Versus, format_flow, format_sides, names
from cyclekit.graph._terms import Adversary, Comparison, Regularizer, Term, named_terms, shared_key
from cyclekit.graph._uses import Uses

Option = TypeVar("Option")

PAID_BY_GENERATORS = ("feature_matching",)
"""Regularizers that are the generators' to pay where ``payers`` says nothing."""


def find_terms(
    request: Request, uses: Uses, domains: Mapping[str, Domain], networks: Mapping[str, Network]
) -> tuple[Term, ...]:
    """Return every comparison, adversary and regularizer, in order of appearance.

    Raises:
        NotationError: One of them makes no sense, or two have one name.
        GraphError: Weights, criteria, payers or optional terms name what is not there.
    """
    generated = _reached(uses, networks, "generator")
    judged = _reached(uses, networks, "discriminator")
    comparing = [(place, flow) for place, flow in request.flows if flow.target is not None]
    terms: list[tuple[str, int, Term]] = []
    for (place, flow), result in zip(comparing, uses.results, strict=True):
        term = _comparison(place, flow, result, domains, generated, judged)
        _check_comparison(request, uses, domains, flow, place, term)
        terms.append((place, flow.at, term))
    for versus, name in zip(request.judgements, _adversary_names(request.judgements), strict=True):
        fake, real = names(versus.fake), names(versus.real)
        adversary = Adversary(
            name=name,
            discriminator=versus.discriminator.name,
            criterion=request.adversarial,
            weight=1.0,
            fake=fake,
            real=real,
            generated=not generated.isdisjoint(fake),
        )
        terms.append(("adversaries", versus.fake[0].at, adversary))
        terms += [("adversaries", ref.at, _regularizer(adversary, ref.name)) for ref in versus.regularizers]
    _check_judges(request, terms, generated)
    _check_names(request, terms, networks)
    return _adjusted(request, [term for _, _, term in terms])


def _reached(uses: Uses, networks: Mapping[str, Network], role: str) -> set[str]:
    """Return the values that a network of some role is a part of making."""
    found: set[str] = set()
    for value in uses.order:
        call = uses.makers.get(value)
        if call and (networks[call.network].role == role or not found.isdisjoint(call.inputs)):
            found.add(value)
    return found


def _comparison(
    place: str,
    flow: Flow,
    prediction: str,
    domains: Mapping[str, Domain],
    generated: set[str],
    judged: set[str],
) -> Comparison:
    target, *extras = names(flow.compared)[1:]
    sides = {prediction, target}
    usual = "cross_entropy" if isinstance(domains[target], Label) else "l1"
    return Comparison(
        name=flow.label.name if flow.label else format_flow(flow),
        kind="cycle" if place == "cycles" else "loss",
        player="discriminators" if sides & judged and not sides & generated else "generators",
        criterion=flow.criterion.name if flow.criterion else usual,
        weight=1.0,
        prediction=prediction,
        target=target,
        extras=tuple(extras),
    )


def _regularizer(adversary: Adversary, criterion: str) -> Regularizer:
    return Regularizer(
        name=expression(criterion, [adversary.name]),
        adversary=adversary.name,
        discriminator=adversary.discriminator,
        player="generators" if criterion in PAID_BY_GENERATORS else "discriminators",
        criterion=criterion,
        weight=1.0,
        fake=adversary.fake,
        real=adversary.real,
    )


def _check_comparison(
    request: Request, uses: Uses, domains: Mapping[str, Domain], flow: Flow, place: str, term: Comparison
) -> None:
    prediction, target = term.prediction, term.target
    at = flow.compared[1].at
    if prediction == target:
        raise request.error(f"{prediction!r} is compared with itself", place, at)
    if not alike(domains[prediction], domains[target]):
        raise request.error(
            f"{prediction} is {domains[prediction]} and {target} is {domains[target]}: they cannot be compared",
            place,
            at,
        )
    if place != "cycles":
        return
    if not flow.steps:
        raise request.error("a cycle passes through at least one network", place, flow.compared[0].at)
    passed = _ancestors(uses, prediction)
    if target not in passed:
        raise request.error(
            f"the cycle {term.name} does not return: it compares with {target!r}, but {prediction!r} is made "
            f"from {', '.join(passed)}; a flow that is no cycle belongs in maps=, its comparison in losses=",
            place,
            at,
        )


def _ancestors(uses: Uses, value: str) -> list[str]:
    """Return the values that a value is made from, those without a name left out."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        call = uses.makers.get(waiting.pop())
        new = set(call.inputs if call else ()) - found
        found |= new
        waiting += new
    return [name for name in uses.order if name in found and "(" not in name]


def _adversary_names(judgements: tuple[Versus, ...]) -> list[str]:
    """Call an adversary by what differs between its sides, at more length where two would be alike."""

    def differing(versus: Versus) -> str:
        pairs = zip(versus.fake, versus.real, strict=True)
        return expression(versus.discriminator.name, (fake.name for fake, real in pairs if fake != real))

    def whole(versus: Versus) -> str:
        return expression(versus.discriminator.name, names(versus.fake))

    def both(versus: Versus) -> str:
        return f"{versus.discriminator.name}: {format_sides(versus)}"

    found = [differing(versus) for versus in judgements]
    longer_names: tuple[Callable[[Versus], str], ...] = (whole, both)
    for longer in longer_names:
        counts = Counter(found)
        found = [longer(versus) if counts[name] > 1 else name for versus, name in zip(judgements, found, strict=True)]
    return found


def _check_judges(request: Request, terms: Iterable[tuple[str, int, Term]], generated: set[str]) -> None:
    """Check that every discriminator meets a generated signal on its fake side."""
    first: dict[str, tuple[int, Adversary]] = {}
    meeting: set[str] = set()
    for _, at, term in terms:
        if isinstance(term, Adversary):
            first.setdefault(term.discriminator, (at, term))
            if term.generated:
                meeting.add(term.discriminator)
    for name, (at, term) in first.items():
        if name not in meeting:
            swapped = not generated.isdisjoint(term.real)
            mend = "; the generated side stands before 'vs', not after it" if swapped else ""
            raise request.error(
                f"{name} never meets a generated signal: what stands before 'vs' is made by no generator{mend}",
                "adversaries",
                at,
            )


def _check_names(request: Request, terms: Iterable[tuple[str, int, Term]], networks: Mapping[str, Network]) -> None:
    seen: set[str] = set()
    for place, at, term in terms:
        if term.name in seen:
            mend = "" if place == "adversaries" else ": write a name and a colon before one of them"
            raise request.error(f"two terms are called {term.name!r}{mend}", place, at)
        if term.name in networks:
            raise request.error(f"{term.name!r} names a network already; call the term otherwise", place, at)
        seen.add(term.name)


def _adjusted(request: Request, terms: list[Term]) -> tuple[Term, ...]:
    """Give the terms their weights, criteria and payers, as the user named them."""
    weights = _by_term(request.weights, terms, "weights")
    criteria = _by_term(request.criteria, terms, "criteria")
    payers = _by_term(request.payers, terms, "payers")
    optional = _by_term(dict.fromkeys(request.optional, True), terms, "optional")
    adjusted: list[Term] = []
    for term in terms:
        left_out_with = term.adversary if isinstance(term, Regularizer) else term.name
        changed = replace(
            term,
            weight=weights.get(term.name, term.weight),
            criterion=criteria.get(term.name, term.criterion),
            optional=optional.get(term.name, optional.get(left_out_with, False)),
        )
        if not isinstance(changed, Adversary):
            changed = replace(changed, player=payers.get(term.name, changed.player))
        elif term.name in payers:
            raise GraphError(f"payers[{term.name!r}]: an adversary is paid by both sides")
        adjusted.append(changed)
    return tuple(adjusted)


def _by_term(options: Mapping[str, Option], terms: list[Term], argument: str) -> dict[str, Option]:
    """Return options by the terms' names; a term's own comes before one that stands for several."""
    shared = {key for term in terms if (key := shared_key(term))}
    found: dict[str, Option] = {}
    for key in sorted(options, key=lambda key: "".join(key.split()) not in shared):
        named = named_terms(key, terms)
        if not named:
            known = {term.name for term in terms} | shared
            raise GraphError(f"{argument} names {key!r}, which is no term of this graph{suggestion(key, known)}")
        found.update(dict.fromkeys(named, options[key]))
    return found
