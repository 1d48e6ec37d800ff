"""What a graph asks for: comparisons, adversaries seen from both sides, and what regularizes these."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, TypeVar

from cyclekit._registry import suggestion
from cyclekit.errors import GraphError
from cyclekit.graph.domains import Label
from cyclekit.graph.notation import (
    Flow,
    Statements,
    Versus,
    expression,
    format_flow,
    format_node,
    format_sides,
    names,
)
from cyclekit.graph.resolve import Meaning, Role, alike

Side = Literal["generators", "discriminators"]
SIDES: tuple[Side, ...] = ("generators", "discriminators")
Measure = Literal["criterion", "adversarial loss", "penalty"]
Option = TypeVar("Option")

FEATURES = "features"
"""The head that is a discriminator's features, layer by layer."""

MINIMISED_BY_GENERATORS = ("feature_matching",)
"""Regularizers that are a part of the generators' loss; all others are penalties of the discriminators'."""


@dataclass(frozen=True)
class Comparison:
    """``prediction ~ target``, measured by a criterion.

    Args:
        name: How weights, logs and edits call it.
        kind: ``"cycle"`` where it closes a cycle, ``"loss"`` otherwise.
        side: Whose loss it is a part of.
        criterion: The criterion's registered name.
        weight: Its factor in that loss.
        prediction: The signal on the left of ``~``.
        target: The signal on the right.
        extras: Further signals the criterion takes, a mask for example.
        optional: Whether a batch without its signals leaves it out instead of failing.
    """

    name: str
    kind: Literal["cycle", "loss"]
    side: Side
    criterion: str
    weight: float
    prediction: str
    target: str
    extras: tuple[str, ...] = ()
    optional: bool = False

    discriminator: ClassVar[None] = None
    """A comparison has none; adversaries and regularizers do."""
    shared_key: ClassVar[None] = None
    measure: ClassVar[Measure] = "criterion"

    @property
    def signals(self) -> tuple[str, ...]:
        """Every signal it reads."""
        return (self.prediction, self.target, *self.extras)

    @property
    def made(self) -> tuple[str, ...]:
        """The signals whose makers it trains."""
        return self.signals

    def minimised_by(self, side: Side) -> bool:
        """Whether it is a part of a side's loss, if it weighs anything.

        Args:
            side: ``"generators"`` or ``"discriminators"``.

        Returns:
            Whether it is `side`'s.
        """
        return side == self.side

    def needs(self, side: Side) -> tuple[str, ...]:
        """Return the values that it is computed from.

        Args:
            side: The side that minimises it.

        Returns:
            Its signals.
        """
        del side
        return self.signals

    @property
    def equation(self) -> str:
        """The comparison as it is written."""
        if self.extras:
            return f"{self.criterion}({self.prediction} ~ {self.target}, {', '.join(self.extras)})"
        return f"{self.prediction} ~ {self.target}"


@dataclass(frozen=True)
class Adversary:
    """``discriminator: [fake] vs [real]``: the discriminator tells both sides apart, generators make it fail.

    Args:
        name: How weights, logs and edits call it.
        discriminator: The discriminator's name.
        criterion: The adversarial loss's registered name.
        weight: Its factor in both sides' losses.
        fake: The signals judged as generated.
        real: The signals judged as real; they train the discriminator alone, whatever they hold.
        generated: Whether ``fake`` holds a generated signal, so that generators learn from it.
        optional: Whether a batch without its signals leaves it out instead of failing.
    """

    name: str
    discriminator: str
    criterion: str
    weight: float
    fake: tuple[str, ...]
    real: tuple[str, ...]
    generated: bool = True
    optional: bool = False

    measure: ClassVar[Measure] = "adversarial loss"

    @property
    def signals(self) -> tuple[str, ...]:
        """Every signal it reads."""
        return (*self.fake, *self.real)

    @property
    def made(self) -> tuple[str, ...]:
        """The signals whose makers it trains: those judged as generated."""
        return self.fake

    def minimised_by(self, side: Side) -> bool:
        """Whether it is a part of a side's loss, if it weighs anything.

        Args:
            side: ``"generators"`` or ``"discriminators"``.

        Returns:
            True for the discriminators, and for the generators where ``fake`` holds a generated signal.
        """
        return side == "discriminators" or self.generated

    def needs(self, side: Side) -> tuple[str, ...]:
        """Return the values that it is computed from.

        Args:
            side: The side that minimises it.

        Returns:
            What the discriminator says of the fake side, and for the discriminators of the real side too.
        """
        judged = (self.fake,) if side == "generators" else (self.fake, self.real)
        return tuple(expression(self.discriminator, signals) for signals in judged)

    @property
    def equation(self) -> str:
        """The adversary as it is written."""
        return f"{self.discriminator}: {format_node(self.fake)} vs {format_node(self.real)}"

    @property
    def shared_key(self) -> str:
        """The key that stands for all adversaries of its discriminator: ``D``."""
        return self.discriminator


@dataclass(frozen=True)
class Regularizer:
    """``+ name`` behind an adversary: a penalty on the discriminator's gradient, or a match of its features.

    Args:
        name: How weights, logs and edits call it: ``r1(D(y*))``.
        adversary: The name of the adversary it stands behind.
        discriminator: The discriminator's name.
        side: Whose loss it is a part of: the discriminators' for a penalty on the gradient, the generators'
            for what compares the features of both sides.
        criterion: The penalty's or the criterion's registered name.
        weight: Its factor in that loss.
        fake: The signals judged as generated.
        real: The signals judged as real.
        optional: Whether a batch without its signals leaves it out instead of failing.
    """

    name: str
    adversary: str
    discriminator: str
    side: Side
    criterion: str
    weight: float
    fake: tuple[str, ...]
    real: tuple[str, ...]
    optional: bool = False

    @property
    def measure(self) -> Measure:
        """What measures it: a penalty, or a criterion on features."""
        return "penalty" if self.side == "discriminators" else "criterion"

    @property
    def signals(self) -> tuple[str, ...]:
        """Every signal it reads."""
        return (*self.fake, *self.real)

    @property
    def made(self) -> tuple[str, ...]:
        """The signals whose makers it trains: those judged as generated."""
        return self.fake

    def minimised_by(self, side: Side) -> bool:
        """Whether it is a part of a side's loss, if it weighs anything.

        Args:
            side: ``"generators"`` or ``"discriminators"``.

        Returns:
            Whether it is `side`'s.
        """
        return side == self.side

    def needs(self, side: Side) -> tuple[str, ...]:
        """Return the values that it is computed from.

        Args:
            side: The side that minimises it.

        Returns:
            The discriminator's features of both sides; for a penalty the signals themselves, since it
            differentiates by them.
        """
        return self.signals if side == "discriminators" else self.features

    @property
    def equation(self) -> str:
        """The regularizer behind its adversary, as it is written."""
        return f"{self.discriminator}: {format_node(self.fake)} vs {format_node(self.real)} + {self.written}"

    @property
    def features(self) -> tuple[str, str]:
        """What the discriminator's features of both sides are called, the generated side's first."""
        fake, real = (expression(self.discriminator, side, FEATURES) for side in (self.fake, self.real))
        return fake, real

    @property
    def written(self) -> str:
        """How the text calls it: ``r1``."""
        return self.name.partition("(")[0]

    @property
    def shared_key(self) -> str:
        """The key that stands for its like at the same discriminator: ``r1(D)``."""
        return f"{self.written}({self.discriminator})"


Term = Comparison | Adversary | Regularizer
"""What a graph asks for: one of the three."""


def terms_by_key(terms: Iterable[Term]) -> dict[str, list[str]]:
    """Return the names that each key stands for: a term's, or those of all terms of ``D`` or ``r1(D)``."""
    found: dict[str, list[str]] = {}
    for term in terms:
        if term.shared_key:
            found.setdefault(term.shared_key, []).append(term.name)
    return found | {compact(term.name): [term.name] for term in terms}


def compact(key: str) -> str:
    """Return a term's name without white space, as keys are compared."""
    return "".join(key.split())


# ---- from statements to terms


def find_terms(statements: Statements, meaning: Meaning, adversarial: str) -> tuple[Term, ...]:
    """Return every comparison, adversary and regularizer of weight 1, in order of appearance.

    Args:
        statements: The texts, parsed.
        meaning: What they mean.
        adversarial: The adversarial loss of every adversary.

    Raises:
        NotationError: One of them makes no sense, or two have one name.
    """
    generated = _reached(meaning, "generator")
    judged = _reached(meaning, "discriminator")
    comparing = [(place, flow) for place, flow in statements.flows if flow.target is not None]
    terms: list[tuple[str, int, Term]] = []
    for (place, flow), result in zip(comparing, meaning.uses.results, strict=True):
        term = _comparison(place, flow, result, meaning, generated, judged)
        _check_comparison(statements, meaning, flow, place, term)
        terms.append((place, flow.at, term))
    for versus, name in zip(statements.adversaries, _adversary_names(statements.adversaries), strict=True):
        fake, real = names(versus.fake), names(versus.real)
        adversary = Adversary(
            name=name,
            discriminator=versus.discriminator.name,
            criterion=adversarial,
            weight=1.0,
            fake=fake,
            real=real,
            generated=not generated.isdisjoint(fake),
        )
        terms.append(("adversaries", versus.fake[0].at, adversary))
        terms += [("adversaries", ref.at, _regularizer(adversary, ref.name)) for ref in versus.regularizers]
    _check_discriminators(statements, terms, generated)
    _check_names(statements, meaning, terms)
    return tuple(term for _, _, term in terms)


def adjusted(
    terms: Iterable[Term], *, weights: Mapping[str, float], criteria: Mapping[str, str], optional: Iterable[str]
) -> tuple[Term, ...]:
    """Return terms with their weights and criteria, as the user named them.

    Raises:
        GraphError: A key names no term.
    """
    terms = tuple(terms)
    factors = _by_term(weights, terms, "weights")
    measures = _by_term(criteria, terms, "criteria")
    left_out = _by_term(dict.fromkeys(optional, True), terms, "optional")
    return tuple(
        replace(
            term,
            weight=factors.get(term.name, term.weight),
            criterion=measures.get(term.name, term.criterion),
            optional=left_out.get(term.name, isinstance(term, Regularizer) and left_out.get(term.adversary, False)),
        )
        for term in terms
    )


def _by_term(options: Mapping[str, Option], terms: tuple[Term, ...], argument: str) -> dict[str, Option]:
    """Return options by the terms' names; a term's own comes before one that stands for several."""
    known = terms_by_key(terms)
    shared = {term.shared_key for term in terms}
    found: dict[str, Option] = {}
    for key in sorted(options, key=lambda key: compact(key) not in shared):
        if compact(key) not in known:
            names_and_keys = {term.name for term in terms} | {key for key in shared if key}
            raise GraphError(
                f"{argument} names {key!r}, which is no term of this graph{suggestion(key, names_and_keys)}"
            )
        found.update(dict.fromkeys(known[compact(key)], options[key]))
    return found


def _reached(meaning: Meaning, role: Role) -> set[str]:
    """Return the values that a network of some role is a part of making."""
    found: set[str] = set()
    for value in meaning.uses.order:
        call = meaning.uses.makers.get(value)
        if call and (meaning.role(call) == role or not found.isdisjoint(call.inputs)):
            found.add(value)
    return found


def _comparison(
    place: str,
    flow: Flow,
    prediction: str,
    meaning: Meaning,
    generated: set[str],
    judged: set[str],
) -> Comparison:
    target, *extras = names(flow.compared)[1:]
    sides = {prediction, target}
    default = "cross_entropy" if isinstance(meaning.domains[target], Label) else "l1"
    return Comparison(
        name=flow.label.name if flow.label else format_flow(flow),
        kind="cycle" if place == "cycles" else "loss",
        side="discriminators" if sides & judged and not sides & generated else "generators",
        criterion=flow.criterion.name if flow.criterion else default,
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
        side="generators" if criterion in MINIMISED_BY_GENERATORS else "discriminators",
        criterion=criterion,
        weight=1.0,
        fake=adversary.fake,
        real=adversary.real,
    )


def _check_comparison(statements: Statements, meaning: Meaning, flow: Flow, place: str, term: Comparison) -> None:
    prediction, target, domains = term.prediction, term.target, meaning.domains
    at = flow.compared[1].at
    if prediction == target:
        raise statements.error(f"{prediction!r} is compared with itself", place, at)
    if not alike(domains[prediction], domains[target]):
        raise statements.error(
            f"{prediction} is {domains[prediction]} and {target} is {domains[target]}: they cannot be compared",
            place,
            at,
        )
    if place != "cycles":
        return
    if not flow.steps:
        raise statements.error("a cycle passes through at least one network", place, flow.compared[0].at)
    if target not in _ancestors(meaning, prediction):
        passed = [name for name in meaning.uses.order if name in _ancestors(meaning, prediction) and "(" not in name]
        raise statements.error(
            f"the cycle {term.name} does not return: it compares with {target!r}, but {prediction!r} is made "
            f"from {', '.join(passed)}; a flow that is no cycle belongs in maps=, its comparison in losses=",
            place,
            at,
        )


def _ancestors(meaning: Meaning, value: str) -> set[str]:
    """Return the values that a value is made from."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        call = meaning.uses.makers.get(waiting.pop())
        new = set(call.inputs if call else ()) - found
        found |= new
        waiting += new
    return found


def _adversary_names(adversaries: tuple[Versus, ...]) -> list[str]:
    """Call an adversary by what differs between its sides, at more length where two would be alike."""

    def differing(versus: Versus) -> str:
        pairs = zip(versus.fake, versus.real, strict=True)
        return expression(versus.discriminator.name, (fake.name for fake, real in pairs if fake != real))

    def whole(versus: Versus) -> str:
        return expression(versus.discriminator.name, names(versus.fake))

    def both(versus: Versus) -> str:
        return f"{versus.discriminator.name}: {format_sides(versus)}"

    found = [differing(versus) for versus in adversaries]
    longer_names: tuple[Callable[[Versus], str], ...] = (whole, both)
    for longer in longer_names:
        counts = Counter(found)
        found = [longer(versus) if counts[name] > 1 else name for versus, name in zip(adversaries, found, strict=True)]
    return found


def _check_discriminators(statements: Statements, terms: Iterable[tuple[str, int, Term]], generated: set[str]) -> None:
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
            raise statements.error(
                f"{name} never meets a generated signal: what stands before 'vs' is made by no generator{mend}",
                "adversaries",
                at,
            )


def _check_names(statements: Statements, meaning: Meaning, terms: Iterable[tuple[str, int, Term]]) -> None:
    seen: set[str] = set()
    for place, at, term in terms:
        if term.name in seen:
            mend = "" if place == "adversaries" else ": write a name and a colon before one of them"
            raise statements.error(f"two terms are called {term.name!r}{mend}", place, at)
        if term.name in meaning.networks:
            raise statements.error(f"{term.name!r} names a network already; call the term otherwise", place, at)
        seen.add(term.name)
