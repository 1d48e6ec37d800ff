"""Edits: new graphs from old ones, through the canonical text."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from cyclekit._registry import suggestion
from cyclekit.errors import GraphError
from cyclekit.graph.notation import (
    Flow,
    Ref,
    Statements,
    Versus,
    format_flow,
    format_versus,
    names,
    parse_adversaries,
)
from cyclekit.graph.options import Keys
from cyclekit.graph.resolve import Call, Meaning
from cyclekit.graph.schedule import Schedule, StandIn
from cyclekit.graph.terms import SIDES, Adversary, Regularizer, Term

if TYPE_CHECKING:
    from cyclekit.graph.graph import CycleGraph


@dataclass(frozen=True)
class _Flow:
    """A flow as written, the calls it makes, and the term it stands for."""

    place: str
    flow: Flow
    calls: tuple[Call, ...]
    term: Term | None

    @property
    def makes(self) -> set[str]:
        return {name for step in self.flow.steps for name in names(step.outputs)} - {"_"}

    @property
    def reads(self) -> set[str]:
        return {ref.signal.name for ref in self.flow.reads} - {"_"}

    @property
    def judges(self) -> set[str]:
        """The discriminators whose heads it uses."""
        return {step.network.name for step in self.flow.steps if step.head is not None}

    @property
    def name(self) -> str:
        """What the term is called that it stands for."""
        return self.flow.label.name if self.flow.label else format_flow(self.flow)

    def renamed(self, by_call: Mapping[Call, str]) -> "_Flow":
        steps = tuple(
            replace(step, network=Ref(by_call.get(call, step.network.name)))
            for step, call in zip(self.flow.steps, self.calls, strict=True)
        )
        return replace(self, flow=replace(self.flow, steps=steps))


@dataclass(frozen=True)
class _Adversary:
    """An adversary as written, the term it stands for, and those of its regularizers; a new one has none."""

    versus: Versus
    term: Adversary
    regularizers: tuple[Regularizer | None, ...]

    @property
    def judge(self) -> str:
        return self.versus.discriminator.name

    def without(self, gone: set[str]) -> "_Adversary":
        written = zip(self.versus.regularizers, self.regularizers, strict=True)
        kept = [(ref, term) for ref, term in written if term is None or term.name not in gone]
        refs, terms = (tuple(ref for ref, _ in kept), tuple(term for _, term in kept))
        return replace(self, versus=replace(self.versus, regularizers=refs), regularizers=terms)


@dataclass(frozen=True)
class Draft:
    """A graph's statements, each beside the term it stands for, while they are edited."""

    graph: "CycleGraph"
    meaning: Meaning
    statements: tuple[_Flow, ...]
    adversaries: tuple[_Adversary, ...]
    renamed: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    @classmethod
    def of(cls, graph: "CycleGraph", said: Statements, meaning: Meaning) -> "Draft":
        """Return the draft of a graph as it is."""
        terms = iter(graph.terms)
        statements = tuple(
            _Flow(place, flow, calls, next(terms) if flow.results else None)
            for (place, flow), calls in zip(said.flows, meaning.uses.steps, strict=True)
        )
        # an adversary's regularizers follow it, both in the text and among the terms
        adversaries = tuple(
            _Adversary(versus, cast("Adversary", term), cast("tuple[Regularizer, ...]", behind))
            for versus in said.adversaries
            for term, *behind in [tuple(islice(terms, 1 + len(versus.regularizers)))]
        )
        return cls(graph, meaning, statements, adversaries)

    @property
    def spoken_of(self) -> set[str]:
        """Every signal in some statement."""
        flows = {name for statement in self.statements for name in (*statement.reads, *statement.makes)}
        return flows | {ref.signal.name for adversary in self.adversaries for ref in adversary.versus.reads}

    @property
    def networks(self) -> set[str]:
        """Every network and function in some statement."""
        flows = {step.network.name for statement in self.statements for step in statement.flow.steps}
        return flows | {adversary.judge for adversary in self.adversaries}

    def rename(self, by_call: Mapping[Call, str]) -> "Draft":
        return replace(self, statements=tuple(statement.renamed(by_call) for statement in self.statements))

    def finish(
        self, before: "Draft", *, schedule: Schedule | None = None, frozen: tuple[str, ...] | None = None
    ) -> "CycleGraph":
        """Return the graph of these statements, with the options from before wherever they still apply."""
        old, networks = self.graph, self.networks
        schedule = old.schedule if schedule is None else schedule
        gone = before.spoken_of - self.spoken_of
        order = self._still(schedule.order, networks | set(SIDES))
        stand_ins = tuple(
            replace(stand_in, network=name, learning=self._learning(stand_in, name))
            for stand_in in schedule.stand_ins
            for name in self._still([stand_in.network], networks)
        )
        plain = old.replace(
            signals={name: domain for name, domain in old.signals.items() if name not in gone},
            cycles=self._text("cycles"),
            maps=self._text("maps"),
            losses=self._text("losses"),
            adversaries="\n".join(format_versus(adversary.versus) for adversary in self.adversaries),
            weights={},
            criteria={},
            optional={},
            functions=tuple(name for name in old.functions if name in networks),
            frozen=self._still(old.frozen if frozen is None else frozen, networks),
            schedule=replace(schedule, order=order or SIDES, stand_ins=stand_ins),
        )
        former: list[Term | None] = [statement.term for statement in self.statements if statement.term is not None]
        for adversary in self.adversaries:
            former += [adversary.term, *adversary.regularizers]
        return plain.replace(**_options(plain.terms, former))

    def _text(self, place: str) -> str:
        return "\n".join(format_flow(statement.flow) for statement in self.statements if statement.place == place)

    def _learning(self, stand_in: StandIn, network: str) -> tuple[str, ...]:
        """Return what the terms are called now in which a network learns behind its stand-in."""
        return tuple(
            statement.name
            for statement in self.statements
            if statement.term is not None
            and statement.term.name in stand_in.learning
            and network in (step.network.name for step in statement.flow.steps)
        )

    def _still(self, old: Iterable[str], known: set[str]) -> tuple[str, ...]:
        """Return what old names are called now, where they are known at all."""
        now = (new for name in old for new in self.renamed.get(name, (name,)))
        return tuple(name for name in now if name in known)


def _options(terms: Iterable[Term], former: Iterable[Term | None]) -> dict[str, Any]:
    """Return what must be said of new terms for them to be weighed and measured as the former ones were."""
    pairs = [(new, old) for new, old in zip(terms, former, strict=True) if old is not None]
    return {
        "weights": {new.name: old.weight for new, old in pairs if new.weight != old.weight},
        "criteria": {new.name: old.criterion for new, old in pairs if new.criterion != old.criterion},
        "optional": {new.name: old.where for new, old in pairs if old.optional},
    }


def without(before: Draft, unwanted: Iterable[str]) -> "CycleGraph":
    """Drop terms, and what only they made possible."""
    unwanted, keys = tuple(unwanted), Keys(before.graph.terms)
    gone: set[str] = set()
    for name in unwanted:
        _, found = keys.find(name)
        if not found:
            raise keys.unknown(name, f"without({name!r}): no term or discriminator of that name")
        gone.update(found)
    draft = replace(
        before,
        statements=tuple(s for s in before.statements if s.term is None or s.term.name not in gone),
        adversaries=tuple(entry.without(gone) for entry in before.adversaries if entry.term.name not in gone),
    )
    made = {name for name in before.meaning.uses.makers if "(" not in name}
    classifiers = set(before.graph.discriminators) - {entry.judge for entry in before.adversaries}
    while True:
        lost = made.difference(*(statement.makes for statement in draft.statements))
        judges = {entry.judge for entry in draft.adversaries} | classifiers
        meeting = {entry.judge for entry in draft.adversaries if entry.term.generated}
        smaller = replace(
            draft,
            statements=tuple(
                s for s in draft.statements if s.place != "losses" or not (lost & s.reads or s.judges - judges)
            ),
            adversaries=tuple(
                entry
                for entry in draft.adversaries
                if entry.judge in meeting and not lost & {ref.signal.name for ref in entry.versus.reads}
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


def unshare(before: Draft, networks: Iterable[str]) -> "CycleGraph":
    """Give every use of a network a name, and so weights, of its own."""
    draft, graph = before, before.graph
    known = (*graph.generators, *graph.discriminators)
    for name in networks:
        if name not in known:
            raise GraphError(f"unshare({name!r}): no network of that name{suggestion(name, known)}")
        calls = [call for call in graph.calls if call.network == name]
        judged = [term for term in graph.terms if isinstance(term, Adversary) and term.discriminator == name]
        if calls and judged:
            raise GraphError(f"unshare({name!r}): a discriminator's heads are shared with its judgements")
        fresh = _fresh(name, len(calls or judged), before.meaning.networks)
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


def stand_in(before: Draft, standing: Iterable[StandIn]) -> "CycleGraph":
    """Put frozen networks in the place of generators; adversaries that judge what they make rest."""
    graph, by_network = before.graph, {entry.network: entry for entry in standing}
    made: set[str] = set()
    statements: list[_Flow] = []
    for statement in before.statements:
        found = {call: by_network[call.network] for call in statement.calls if call.network in by_network}
        replaced = {call: entry for call, entry in found.items() if statement.name not in entry.learning}
        made.update(output for call in replaced for output in call.outputs)
        statements.append(statement.renamed({call: entry.by for call, entry in replaced.items()}))
    learning = {name for name, entry in by_network.items() if entry.learning}
    order = tuple(name for name in graph.schedule.order if name not in by_network or name in learning)
    frozen = dict.fromkeys((*graph.frozen, *(entry.by for entry in by_network.values())))
    now = replace(before, statements=tuple(statements)).finish(
        before,
        schedule=replace(graph.schedule, order=order or SIDES, stand_ins=()),
        frozen=tuple(name for name in frozen if name not in by_network),
    )
    resting = {
        entry.name
        for entry in graph.terms
        if isinstance(entry, Adversary) and made.intersection(entry.made("generators"))
    }
    places = zip(graph.terms, now.terms, strict=True)
    idle = [term.name for was, term in places if getattr(was, "adversary", was.name) in resting]
    return now.reweight(dict.fromkeys(idle, 0.0)) if idle else now


def replace_adversary(before: Draft, text: str) -> "CycleGraph":
    """Let discriminators judge something else."""
    graph, new = before.graph, parse_adversaries(text)
    if not new:
        raise GraphError("replace_adversary: the text names no adversary")
    changed = {versus.discriminator.name for versus in new}
    for name in sorted(changed - set(graph.discriminators)):
        raise GraphError(
            f"replace_adversary: the graph has no discriminator {name!r}{suggestion(name, graph.discriminators)}"
        )
    first = {entry.judge: entry for entry in reversed(before.adversaries)}
    judged = [_like(first[versus.discriminator.name], versus) for versus in new]
    kept = [entry for entry in before.adversaries if entry.judge not in changed]
    adversaries = [entry for name in graph.discriminators for entry in (*kept, *judged) if entry.judge == name]
    return replace(before, adversaries=tuple(adversaries)).finish(before)


def _like(former: _Adversary, versus: Versus) -> _Adversary:
    """Return a adversary that is weighed as a former one was, as far as it has the same regularizers."""
    known = {term.written: term for term in former.regularizers if term is not None}
    return _Adversary(versus, former.term, tuple(known.get(ref.name) for ref in versus.regularizers))
