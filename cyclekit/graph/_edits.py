"""Edits: new requests from old ones, through the canonical text."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, cast

from cyclekit._registry import suggestion
from cyclekit.errors import GraphError
from cyclekit.graph._meaning import Meaning, understand
from cyclekit.graph._parser import parse_adversaries
from cyclekit.graph._plan import Call
from cyclekit.graph._request import Request
from cyclekit.graph._syntax import Flow, Ref, Versus, format_flow, format_versus, names
from cyclekit.graph._terms import Adversary, Regularizer, Term, named_terms, shared_key

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
class _Judgement:
    """An adversary as written, the term it stands for, and those of its regularizers; a new one has none."""

    versus: Versus
    term: Adversary
    regularizers: tuple[Regularizer | None, ...]

    @property
    def judge(self) -> str:
        return self.versus.discriminator.name

    def without(self, gone: set[str]) -> "_Judgement":
        written = zip(self.versus.regularizers, self.regularizers, strict=True)
        kept = [(ref, term) for ref, term in written if term is None or term.name not in gone]
        refs, terms = (tuple(ref for ref, _ in kept), tuple(term for _, term in kept))
        return replace(self, versus=replace(self.versus, regularizers=refs), regularizers=terms)


@dataclass(frozen=True)
class _Draft:
    """A graph's statements, each beside the term it stands for, while they are edited."""

    request: Request
    statements: tuple[_Statement, ...]
    adversaries: tuple[_Judgement, ...]
    renamed: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    @classmethod
    def of(cls, request: Request, meaning: Meaning) -> "_Draft":
        terms = iter(meaning.terms)
        statements = tuple(
            _Statement(place, flow, calls, next(terms) if flow.target is not None else None)
            for (place, flow), calls in zip(request.flows, meaning.uses.steps, strict=True)
        )
        # an adversary's regularizers follow it, both in the text and among the terms
        judgements = tuple(
            _Judgement(versus, cast("Adversary", term), cast("tuple[Regularizer, ...]", behind))
            for versus in request.judgements
            for term, *behind in [tuple(islice(terms, 1 + len(versus.regularizers)))]
        )
        return cls(request, statements, judgements)

    @property
    def spoken_of(self) -> set[str]:
        """Every signal in some statement."""
        flows = {name for statement in self.statements for name in (*statement.reads, *statement.makes)}
        return flows | {name for judgement in self.adversaries for name in names(judgement.versus.reads)}

    @property
    def networks(self) -> set[str]:
        """Every network and function in some statement."""
        flows = {step.network.name for statement in self.statements for step in statement.flow.steps}
        return flows | {judgement.judge for judgement in self.adversaries}

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
            adversaries="\n".join(format_versus(judgement.versus) for judgement in self.adversaries),
            weights={},
            criteria={},
            payers={},
            optional=(),
            functions=tuple(name for name in old.functions if name in networks),
            frozen=self._still(old.frozen, networks),
            schedule=replace(old.schedule, order=order or PLAYERS, stand_ins=stand_ins),
        )
        former: list[Term | None] = [statement.term for statement in self.statements if statement.term is not None]
        for judgement in self.adversaries:
            former += [judgement.term, *judgement.regularizers]
        return replace(plain, **_options(understand(plain).terms, former))

    def _text(self, place: str) -> str:
        return "\n".join(format_flow(statement.flow) for statement in self.statements if statement.place == place)

    def _still(self, old: Iterable[str], known: set[str]) -> tuple[str, ...]:
        """Return what old names are called now, where they are known at all."""
        now = (new for name in old for new in self.renamed.get(name, (name,)))
        return tuple(name for name in now if name in known)


def _options(terms: Iterable[Term], former: Iterable[Term | None]) -> dict[str, Any]:
    """Return what must be said of new terms for them to be weighed and paid as the former ones were."""
    pairs = [(new, old) for new, old in zip(terms, former, strict=True) if old is not None]
    return {
        "weights": {new.name: old.weight for new, old in pairs if new.weight != old.weight},
        "criteria": {new.name: old.criterion for new, old in pairs if new.criterion != old.criterion},
        "payers": {
            new.name: old.player
            for new, old in pairs
            if not isinstance(new, Adversary) and not isinstance(old, Adversary) and new.player != old.player
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
            known = {term.name for term in meaning.terms} | {key for term in meaning.terms if (key := shared_key(term))}
            raise GraphError(f"without({name!r}): no term or discriminator of that name{suggestion(name, known)}")
        gone.update(found)
    before = _Draft.of(request, meaning)
    draft = replace(
        before,
        statements=tuple(s for s in before.statements if s.term is None or s.term.name not in gone),
        adversaries=tuple(entry.without(gone) for entry in before.adversaries if entry.term.name not in gone),
    )
    while True:
        lost = set(meaning.uses.makers).difference(*(statement.makes for statement in draft.statements))
        judges = {entry.judge for entry in draft.adversaries}
        meeting = {entry.judge for entry in draft.adversaries if entry.term.generated}
        smaller = replace(
            draft,
            statements=tuple(
                s for s in draft.statements if s.place != "losses" or not (lost & s.reads or s.judges - judges)
            ),
            adversaries=tuple(
                entry
                for entry in draft.adversaries
                if entry.judge in meeting and not lost & set(names(entry.versus.reads))
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
                replace(
                    entry, versus=replace(entry.versus, discriminator=Ref(by_term.get(entry.term.name, entry.judge)))
                )
                for entry in draft.adversaries
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
    first = {entry.judge: entry for entry in reversed(before.adversaries)}
    judged = [_like(first[versus.discriminator.name], versus) for versus in new]
    kept = [entry for entry in before.adversaries if entry.judge not in changed]
    adversaries = [entry for name in request.discriminators for entry in (*kept, *judged) if entry.judge == name]
    return replace(before, adversaries=tuple(adversaries)).finish(before)


def _like(former: _Judgement, versus: Versus) -> _Judgement:
    """Return a judgement that is weighed as a former one was, as far as it has the same regularizers."""
    known = {term.written: term for term in former.regularizers if term is not None}
    return _Judgement(versus, former.term, tuple(known.get(ref.name) for ref in versus.regularizers))
