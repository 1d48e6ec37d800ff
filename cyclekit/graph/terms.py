"""What a graph asks for: comparisons, adversaries seen from both sides, and what regularizes these."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

from cyclekit.graph.domains import Classes, Label
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
from cyclekit.graph.schedule import Weight

Side = Literal["generators", "discriminators"]
SIDES: tuple[Side, ...] = ("generators", "discriminators")
Measure = Literal["criterion", "adversarial loss", "penalty"]

FEATURES = "features"
"""The head that is a discriminator's features, layer by layer."""

MINIMISED_BY_GENERATORS = ("feature_matching",)
"""Regularizers that are a part of the generators' loss; all others are penalties of the discriminators'."""


@dataclass(frozen=True)
class Comparison:
    """``prediction ~ target``, measured by a criterion; or a signal measured by itself, ``kl(mu, logvar)``.

    Args:
        name: How weights, logs and edits call it.
        kind: ``"cycle"`` where it closes a cycle, ``"loss"`` otherwise.
        side: Whose loss it is a part of.
        criterion: The criterion's registered name.
        weight: Its factor in that loss; where it is negative, that side maximises it.
        prediction: The signal on the left of ``~``, or the first one of a one-sided term.
        target: The signal on the right; ``None`` of a one-sided term.
        extras: Further signals the criterion takes, a mask for example.
        optional: Whether a batch without its signals leaves it out instead of failing.
        where: The signal that says which samples of a batch it is computed for; ``None`` for all of them.
    """

    name: str
    kind: Literal["cycle", "loss"]
    side: Side
    criterion: str
    weight: Weight
    prediction: str
    target: str | None
    extras: tuple[str, ...] = ()
    optional: bool = False
    where: str | None = None

    discriminator: ClassVar[None] = None
    """A comparison has none; adversaries and regularizers do."""
    shared_key: ClassVar[None] = None
    measure: ClassVar[Measure] = "criterion"

    @property
    def signals(self) -> tuple[str, ...]:
        """Every signal its criterion takes."""
        return (self.prediction, *([] if self.target is None else [self.target]), *self.extras)

    def made(self, side: Side) -> tuple[str, ...]:
        """Return the signals whose makers it trains.

        Args:
            side: The side that minimises it.

        Returns:
            Its signals.
        """
        del side
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
        return self.signals if self.where is None else (*self.signals, self.where)

    @property
    def equation(self) -> str:
        """The comparison as it is written."""
        if self.target is None:
            return expression(self.criterion, self.signals)
        if self.extras:
            return f"{self.criterion}({self.prediction} ~ {self.target}, {', '.join(self.extras)})"
        return f"{self.prediction} ~ {self.target}"


@dataclass(frozen=True)
class Adversary:
    """``discriminator: [fake] vs [real]``: the discriminator tells both sides apart, generators make it fail.

    With ``<>`` in place of ``vs`` the makers of either side do.

    Args:
        name: How weights, logs and edits call it.
        discriminator: The discriminator's name.
        criterion: The adversarial loss's registered name.
        weight: Its factor in both sides' losses.
        fake: The signals judged as generated.
        real: The signals judged as real; they train the discriminator alone, whatever they hold.
        generated: Whether it judges a generated signal.
        trains: Whether generators learn from it: not all it judges of theirs is stopped.
        optional: Whether a batch without its signals leaves it out instead of failing.
        confused: Whether it is ``fake <> real``, which generators of either side make fail.
    """

    name: str
    discriminator: str
    criterion: str
    weight: Weight
    fake: tuple[str, ...]
    real: tuple[str, ...]
    generated: bool = True
    trains: bool = True
    optional: bool = False
    confused: bool = False

    measure: ClassVar[Measure] = "adversarial loss"
    where: ClassVar[None] = None

    @property
    def signals(self) -> tuple[str, ...]:
        """Every signal it reads."""
        return (*self.fake, *self.real)

    def made(self, side: Side) -> tuple[str, ...]:
        """Return the signals whose makers it trains.

        Args:
            side: The side that minimises it.

        Returns:
            Those judged as generated, and of ``<>`` both sides'.
        """
        del side
        return (*self.fake, *self.real) if self.confused else self.fake

    def minimised_by(self, side: Side) -> bool:
        """Whether it is a part of a side's loss, if it weighs anything.

        Args:
            side: ``"generators"`` or ``"discriminators"``.

        Returns:
            True for the discriminators, and for the generators where they learn from it.
        """
        return side == "discriminators" or self.trains

    def needs(self, side: Side) -> tuple[str, ...]:
        """Return the values that it is computed from.

        Args:
            side: The side that minimises it.

        Returns:
            What the discriminator says of the fake side, and for the discriminators of the real side too, as for
            the generators of ``<>``.
        """
        judged = (self.fake, self.real) if self.confused or side == "discriminators" else (self.fake,)
        return tuple(expression(self.discriminator, signals) for signals in judged)

    @property
    def equation(self) -> str:
        """The adversary as it is written."""
        sign = "<>" if self.confused else "vs"
        return f"{self.discriminator}: {format_node(self.fake)} {sign} {format_node(self.real)}"

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
    weight: Weight
    fake: tuple[str, ...]
    real: tuple[str, ...]
    optional: bool = False

    where: ClassVar[None] = None

    @property
    def measure(self) -> Measure:
        """What measures it: a penalty, or a criterion on features."""
        return "penalty" if self.side == "discriminators" else "criterion"

    @property
    def signals(self) -> tuple[str, ...]:
        """Every signal it reads."""
        return (*self.fake, *self.real)

    def made(self, side: Side) -> tuple[str, ...]:
        """Return the signals whose makers it trains.

        Args:
            side: The side that minimises it.

        Returns:
            Those judged as generated.
        """
        del side
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
    trained = _reached(meaning, "generator", but="stop")
    judged = _reached(meaning, "discriminator")
    measured = [(place, flow) for place, flow in statements.flows if flow.results]
    terms: list[tuple[str, int, Term]] = []
    for (place, flow), results in zip(measured, meaning.uses.results, strict=True):
        term = _comparison(place, flow, results, meaning, trained, judged)
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
            generated=not generated.isdisjoint((*fake, *real) if versus.confused else fake),
            trains=not trained.isdisjoint((*fake, *real) if versus.confused else fake),
            confused=versus.confused,
        )
        terms.append(("adversaries", versus.fake[0].at, adversary))
        terms += [("adversaries", ref.at, _regularizer(adversary, ref.name)) for ref in versus.regularizers]
    _check_discriminators(statements, terms, generated)
    _check_names(statements, meaning, terms)
    return tuple(term for _, _, term in terms)


def _reached(meaning: Meaning, role: Role, but: str = "") -> set[str]:
    """Return the values that a network of some role is a part of making, ``but`` through a gate."""
    found: set[str] = set()
    for value in meaning.uses.order:
        call = meaning.uses.makers.get(value)
        if call and call.network != but and (meaning.role(call) == role or not found.isdisjoint(call.inputs)):
            found.add(value)
    return found


def _comparison(
    place: str,
    flow: Flow,
    results: tuple[str, ...],
    meaning: Meaning,
    trained: set[str],
    judged: set[str],
) -> Comparison:
    prediction, *others = results
    target = flow.target.name if flow.target else None
    sides = {*results} if target is None else {prediction, target}
    classes = target is not None and isinstance(meaning.domains[target], Label | Classes)
    return Comparison(
        name=flow.label.name if flow.label else format_flow(flow),
        kind="cycle" if place == "cycles" else "loss",
        side="discriminators" if sides & judged and not sides & trained else "generators",
        criterion=flow.criterion.name if flow.criterion else "cross_entropy" if classes else "l1",
        weight=1.0,
        prediction=prediction,
        target=target,
        extras=(*others, *names(flow.extras)),
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
    if target is None:
        return
    at = flow.measured[1].at
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
        raise statements.error("a cycle passes through at least one network", place, flow.results[0].at)
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
        pairs = [pair for pair in zip(versus.fake, versus.real, strict=True) if pair[0] != pair[1]]
        judged = [fake.name for fake, _ in pairs] + [real.name for _, real in pairs if versus.confused]
        return expression(versus.discriminator.name, judged)

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
