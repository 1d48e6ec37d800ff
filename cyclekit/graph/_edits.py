"""Edits: new requests from old ones, through the canonical text."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cyclekit._suggest import suggestion
from cyclekit.graph._errors import GraphError
from cyclekit.graph._meaning import Meaning, understand
from cyclekit.graph._parser import parse_adversaries
from cyclekit.graph._plan import Call
from cyclekit.graph._request import Request
from cyclekit.graph._syntax import Flow, Ref, Versus, format_flow, format_versus, names
from cyclekit.graph._terms import Adversary, Comparison, Term, named_terms

PLAYERS = ("generators", "discriminators")


@dataclass(frozen=True)
class _Statement:
    """A flow, the calls it makes, and the term it stands for."""

    place: str
    flow: Flow
    calls: tuple[Call, ...]
    term: Term | None

    @property
    def makes(self) -> set[str]:
        return {name for step in self.flow.steps for name in names(step.outputs)} - {"_"}

    @property
    def reads(self) -> set[str]:
        return set(names(self.flow.reads)) - {"_"}

    @property
    def judges(self) -> set[str]:
        """The discriminators whose heads it uses."""
        return {step.network.name for step in self.flow.steps if step.head is not None}

    def renamed(self, by_call: Mapping[Call, str]) -> "_Statement":
        steps = tuple(
            replace(step, network=Ref(by_call.get(call, step.network.name)))
            for step, call in zip(self.flow.steps, self.calls, strict=True)
        )
        return replace(self, flow=replace(self.flow, steps=steps))


@dataclass(frozen=True)
class _Draft:
    """A graph's statements, each beside the term it stands for, while they are edited."""

    request: Request
    statements: tuple[_Statement, ...]
    adversaries: tuple[tuple[Versus, Term], ...]
    renamed: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    @classmethod
    def of(cls, request: Request, meaning: Meaning) -> "_Draft":
        terms = iter(meaning.terms)
        statements = tuple(
            _Statement(place, flow, calls, next(terms) if flow.target is not None else None)
            for (place, flow), calls in zip(request.flows, meaning.uses.steps, strict=True)
        )
        return cls(request, statements, tuple((versus, next(terms)) for versus in request.judgements))

    @property
    def spoken_of(self) -> set[str]:
        """Every signal in some statement."""
        flows = {name for statement in self.statements for name in (*statement.reads, *statement.makes)}
        return flows | {name for versus, _ in self.adversaries for name in names(versus.reads)}

    @property
    def networks(self) -> set[str]:
        """Every network and function in some statement."""
        flows = {step.network.name for statement in self.statements for step in statement.flow.steps}
        return flows | {versus.discriminator.name for versus, _ in self.adversaries}

    def rename(self, by_call: Mapping[Call, str]) -> "_Draft":
        return replace(self, statements=tuple(statement.renamed(by_call) for statement in self.statements))

    def finish(self, before: "_Draft") -> Request:
        """Return the request for these statements, with the options from before wherever they still apply."""
        old, networks = self.request, self.networks
        gone = before.spoken_of - self.spoken_of
        order = self._still(old.schedule.order, networks | set(PLAYERS))
        stand_ins = tuple(
            replace(stand_in, network=name)
            for stand_in in old.schedule.stand_ins
            for name in self._still([stand_in.network], networks)
        )
        plain = replace(
            old,
            signals={name: domain for name, domain in old.signals.items() if name not in gone},
            **{place: self._text(place) for place in ("cycles", "maps", "losses")},
            adversaries="\n".join(format_versus(versus) for versus, _ in self.adversaries),
            weights={},
            criteria={},
            payers={},
            optional=(),
            functions=tuple(name for name in old.functions if name in networks),
            frozen=self._still(old.frozen, networks),
            schedule=replace(old.schedule, order=order or PLAYERS, stand_ins=stand_ins),
        )
        former = [statement.term for statement in self.statements if statement.term is not None]
        former += [term for _, term in self.adversaries]
        return replace(plain, **_options(understand(plain).terms, former))

    def _text(self, place: str) -> str:
        return "\n".join(format_flow(statement.flow) for statement in self.statements if statement.place == place)

    def _still(self, old: Iterable[str], known: set[str]) -> tuple[str, ...]:
        """Return what old names are called now, where they are known at all."""
        now = (new for name in old for new in self.renamed.get(name, (name,)))
        return tuple(name for name in now if name in known)


def _options(terms: Iterable[Term], former: Iterable[Term]) -> dict[str, Any]:
    """Return what must be said of new terms for them to be weighed and paid as the former ones were."""
    pairs = list(zip(terms, former, strict=True))
    return {
        "weights": {new.name: old.weight for new, old in pairs if new.weight != old.weight},
        "criteria": {new.name: old.criterion for new, old in pairs if new.criterion != old.criterion},
        "payers": {
            new.name: old.player
            for new, old in pairs
            if isinstance(new, Comparison) and isinstance(old, Comparison) and new.player != old.player
        },
        "optional": tuple(new.name for new, old in pairs if old.optional),
    }


def without(request: Request, meaning: Meaning, unwanted: Iterable[str]) -> Request:
    """Drop terms, and what only they made possible."""
    unwanted = tuple(unwanted)
    gone: set[str] = set()
    for name in unwanted:
        found = named_terms(name, meaning.terms)
        if not found:
            known = {term.name for term in meaning.terms} | set(request.discriminators)
            raise GraphError(f"without({name!r}): no term or discriminator of that name{suggestion(name, known)}")
        gone.update(found)
    before = _Draft.of(request, meaning)
    draft = replace(
        before,
        statements=tuple(s for s in before.statements if s.term is None or s.term.name not in gone),
        adversaries=tuple(entry for entry in before.adversaries if entry[1].name not in gone),
    )
    while True:
        lost = set(meaning.uses.makers).difference(*(statement.makes for statement in draft.statements))
        judges = {versus.discriminator.name for versus, _ in draft.adversaries}
        meeting = {
            term.discriminator for _, term in draft.adversaries if isinstance(term, Adversary) and term.generated
        }
        smaller = replace(
            draft,
            statements=tuple(
                s for s in draft.statements if s.place != "losses" or not (lost & s.reads or s.judges - judges)
            ),
            adversaries=tuple(
                (versus, term)
                for versus, term in draft.adversaries
                if versus.discriminator.name in meeting and not lost & set(names(versus.reads))
            ),
        )
        if smaller == draft:
            break
        draft = smaller
    for statement in draft.statements:
        if missing := lost & statement.reads | (statement.judges - judges):
            flow = statement.flow
            what = f"the cycle {flow.label.name}" if flow.label else f"the map {format_flow(flow)}"
            raise GraphError(
                f"without({', '.join(map(repr, unwanted))}): {what} needs {', '.join(sorted(missing))}, "
                "which nothing else makes; take it away as well"
            )
    return draft.finish(before)


def unshare(request: Request, meaning: Meaning, networks: Iterable[str]) -> Request:
    """Give every use of a network a name, and so weights, of its own."""
    before = draft = _Draft.of(request, meaning)
    known = (*meaning.named("generator"), *meaning.named("discriminator"))
    for name in networks:
        if name not in known:
            raise GraphError(f"unshare({name!r}): no network of that name{suggestion(name, known)}")
        calls = [call for call in meaning.uses.calls if call.network == name]
        judged = [term for term in meaning.terms if isinstance(term, Adversary) and term.discriminator == name]
        if calls and judged:
            raise GraphError(f"unshare({name!r}): a discriminator's heads are shared with its judgements")
        fresh = _fresh(name, len(calls or judged), meaning.networks)
        by_term = dict(zip((term.name for term in judged), fresh, strict=False))
        draft = replace(
            draft.rename(dict(zip(calls, fresh, strict=False))),
            adversaries=tuple(
                (replace(versus, discriminator=Ref(by_term.get(term.name, versus.discriminator.name))), term)
                for versus, term in draft.adversaries
            ),
            renamed={**draft.renamed, name: fresh},
        )
    return draft.finish(before)


def _fresh(name: str, uses: int, taken: Iterable[str]) -> tuple[str, ...]:
    if uses < 2:
        raise GraphError(f"unshare({name!r}): it is used once, there is nothing to unshare")
    fresh = tuple(f"{name}_{number}" for number in range(1, uses + 1))
    if clash := set(fresh) & set(taken):
        raise GraphError(f"unshare({name!r}): the name {min(clash)!r} is taken")
    return fresh


def stand_in(request: Request, meaning: Meaning, replaced: Mapping[str, str]) -> Request:
    """Put frozen networks in the place of generators."""
    before = _Draft.of(request, meaning)
    by_call = {call: replaced[call.network] for call in meaning.uses.calls if call.network in replaced}
    order = tuple(name for name in request.schedule.order if name not in replaced)
    frozen = dict.fromkeys((*request.frozen, *replaced.values()))
    changed = replace(
        request,
        schedule=replace(request.schedule, order=order or PLAYERS, stand_ins=()),
        frozen=tuple(name for name in frozen if name not in replaced),
    )
    return replace(before.rename(by_call), request=changed).finish(before)


def replace_adversary(request: Request, meaning: Meaning, text: str) -> Request:
    """Let discriminators judge something else."""
    new = parse_adversaries(text)
    if not new:
        raise GraphError("replace_adversary: the text names no adversary")
    changed = {versus.discriminator.name for versus in new}
    for name in sorted(changed - set(request.discriminators)):
        raise GraphError(
            f"replace_adversary: the graph has no discriminator {name!r}{suggestion(name, request.discriminators)}"
        )
    before = _Draft.of(request, meaning)
    first = {versus.discriminator.name: term for versus, term in reversed(before.adversaries)}
    judged = [(versus, first[versus.discriminator.name]) for versus in new]
    kept = [entry for entry in before.adversaries if entry[0].discriminator.name not in changed]
    adversaries = [
        entry for name in request.discriminators for entry in (*kept, *judged) if entry[0].discriminator.name == name
    ]
    return replace(before, adversaries=tuple(adversaries)).finish(before)
