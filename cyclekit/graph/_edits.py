"""Edits: new graphs from old ones, through the canonical text."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cyclekit._suggest import suggestion
from cyclekit.graph._errors import GraphError
from cyclekit.graph._notation import (
    Flow,
    Ref,
    Step,
    Versus,
    format_flow,
    format_versus,
    parse_adversaries,
)
from cyclekit.graph._schedule import Schedule
from cyclekit.graph._terms import Comparison, Term, named_terms

if TYPE_CHECKING:
    from cyclekit.graph._graph import CycleGraph


@dataclass(frozen=True)
class _Draft:
    """A graph's statements, each beside the term it stands for, while they are edited."""

    graph: "CycleGraph"
    flows: tuple[tuple[str, Flow, Term | None], ...]
    adversaries: tuple[tuple[Versus, Term], ...]
    renamed: Mapping[str, tuple[str, ...]]
    schedule: Schedule
    frozen: tuple[str, ...]

    def map_flows(self, edit: Callable[[Flow], Flow]) -> "_Draft":
        return replace(self, flows=tuple((place, edit(flow), term) for place, flow, term in self.flows))

    def names(self) -> set[str]:
        """Every signal that is still spoken of."""
        flows = [flow for _, flow, _ in self.flows]
        return {name for flow in flows for name in (*_reads(flow), *_makes(flow))} | {
            ref.name for versus, _ in self.adversaries for ref in (*versus.fake, *versus.real)
        }

    def made(self) -> set[str]:
        return {name for _, flow, _ in self.flows for name in _makes(flow)}

    def build(self) -> "CycleGraph":
        """Return the graph of these statements, with the old options wherever they still apply."""
        texts = {
            place: "\n".join(format_flow(flow) for where, flow, _ in self.flows if where == place)
            for place in ("cycles", "maps", "losses")
        }
        texts["adversaries"] = "\n".join(format_versus(versus) for versus, _ in self.adversaries)
        names = self.names()
        dropped = {name for name in _draft(self.graph).names() if name not in names}
        signals = {name: domain for name, domain in self.graph.request.signals.items() if name not in dropped}
        used = {step.network.name for _, flow, _ in self.flows for step in flow.steps} | {
            versus.discriminator.name for versus, _ in self.adversaries
        }

        def spread(old: Iterable[str]) -> tuple[str, ...]:
            return tuple(new for name in old for new in self.renamed.get(name, (name,)))

        players = ("generators", "discriminators")
        stand_ins = tuple(
            replace(stand_in, network=network)
            for stand_in in self.schedule.stand_ins
            for network in spread([stand_in.network])
            if network in used
        )
        order = tuple(name for name in spread(self.schedule.order) if name in used or name in players)
        plain = self.graph.replace(
            **texts,  # pyright: ignore[reportArgumentType]
            signals=signals,
            weights={},
            criteria={},
            payers={},
            optional=(),
            functions=tuple(name for name in self.graph.request.functions if name in used),
            frozen=tuple(name for name in spread(self.frozen) if name in used),
            schedule=replace(self.schedule, order=order or players, stand_ins=stand_ins),
        )
        former = [term for _, _, term in self.flows if term is not None] + [
            term for _, term in self.adversaries
        ]
        return plain.replace(**_options(plain.terms, former))  # pyright: ignore[reportArgumentType]


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


def _draft(graph: "CycleGraph") -> _Draft:
    terms = iter(graph.terms)
    flows = tuple(
        (place, flow, next(terms) if flow.target is not None else None) for place, flow in graph.request.flows
    )
    adversaries = tuple((versus, next(terms)) for versus in graph.request.adversaries)
    return _Draft(graph, flows, adversaries, {}, graph.schedule, graph.frozen)


def _reads(flow: Flow) -> set[str]:
    refs = [ref for step in flow.steps for ref in step.inputs]
    refs += [ref for ref in (flow.result, flow.target, *flow.extras) if ref is not None]
    return {ref.name for ref in refs} - {"_"}


def _makes(flow: Flow) -> set[str]:
    return {ref.name for step in flow.steps for ref in step.outputs} - {"_"}


def without(graph: "CycleGraph", names: Iterable[str]) -> "CycleGraph":
    """Drop terms, and what only they made possible."""
    gone: set[str] = set()
    for name in names:
        found = named_terms(name, graph.terms)
        if not found:
            known = {term.name for term in graph.terms} | set(graph.discriminators)
            raise GraphError(
                f"without({name!r}): no term or discriminator of that name{suggestion(name, known)}"
            )
        gone.update(found)
    draft = _draft(graph)
    draft = replace(
        draft,
        flows=tuple(entry for entry in draft.flows if entry[2] is None or entry[2].name not in gone),
        adversaries=tuple(entry for entry in draft.adversaries if entry[1].name not in gone),
    )
    while True:
        lost = set(graph.generated) - draft.made()
        judges = {versus.discriminator.name for versus, _ in draft.adversaries}
        smaller = replace(
            draft,
            flows=tuple(
                (place, flow, term)
                for place, flow, term in draft.flows
                if place != "losses" or not (lost & _reads(flow) or _heads(flow) - judges)
            ),
            adversaries=tuple(
                entry
                for entry in draft.adversaries
                if not lost & {ref.name for ref in (*entry[0].fake, *entry[0].real)}
            ),
        )
        if smaller == draft:
            break
        draft = smaller
    for _, flow, _ in draft.flows:
        if missing := lost & _reads(flow):
            what = f"the cycle {flow.label.name}" if flow.label else f"the map {format_flow(flow)}"
            raise GraphError(
                f"without({', '.join(repr(name) for name in names)}): {what} needs {', '.join(sorted(missing))}, "
                "which nothing else makes; take it away as well"
            )
    return draft.build()


def _heads(flow: Flow) -> set[str]:
    return {step.network.name for step in flow.steps if step.head is not None}


def unshare(graph: "CycleGraph", networks: Iterable[str]) -> "CycleGraph":
    """Give every use of a network a name, and so weights, of its own."""
    draft = _draft(graph)
    for name in networks:
        if name not in graph.networks:
            raise GraphError(f"unshare({name!r}): no network of that name{suggestion(name, graph.networks)}")
        calls = [call for call in graph.calls if call.network == name]
        uses = [call.outputs[0] for call in calls]
        if name in graph.discriminators:
            if calls:
                raise GraphError(
                    f"unshare({name!r}): a discriminator with heads is shared by its head's terms"
                )
            uses = [term.name for versus, term in draft.adversaries if versus.discriminator.name == name]
        if len(uses) < 2:
            raise GraphError(f"unshare({name!r}): it is used once, there is nothing to unshare")
        fresh = _fresh(name, len(uses), {*graph.networks, *graph.functions})
        draft = replace(draft, renamed={**draft.renamed, name: fresh})
        by_use = dict(zip(uses, fresh, strict=True))
        if name in graph.discriminators:
            draft = replace(
                draft,
                adversaries=tuple(
                    (
                        replace(versus, discriminator=Ref(by_use.get(term.name, versus.discriminator.name))),
                        term,
                    )
                    for versus, term in draft.adversaries
                ),
            )
        else:
            flows = zip(draft.flows, _draft(graph).flows, strict=True)
            draft = replace(
                draft,
                flows=tuple(
                    (place, _with_uses(graph, flow, original, by_use), term)
                    for (place, flow, term), (_, original, _) in flows
                ),
            )
    return draft.build()


def _with_uses(graph: "CycleGraph", flow: Flow, original: Flow, by_use: Mapping[str, str]) -> Flow:
    """Rename a network use by use; ``original`` still carries the names that say which use a step is."""
    steps: list[Step] = []
    before: tuple[str, ...] = ()
    for step, was in zip(flow.steps, original.steps, strict=True):
        inputs = tuple(
            before[position] if ref.name == "_" else ref.name for position, ref in enumerate(was.inputs)
        )
        head = was.head.name if was.head else None
        call = next(
            c for c in graph.calls if (c.network, c.head, c.inputs) == (was.network.name, head, inputs)
        )
        before = call.outputs
        network = by_use.get(call.outputs[0], step.network.name)
        steps.append(replace(step, network=Ref(network)))
    return replace(flow, steps=tuple(steps))


def _fresh(name: str, count: int, taken: Iterable[str]) -> tuple[str, ...]:
    names = [f"{name}_{number}" for number in range(1, count + 1)]
    if clash := set(names) & set(taken):
        raise GraphError(f"unshare({name!r}): the name {min(clash)!r} is taken")
    return tuple(names)


def stand_in(graph: "CycleGraph", replaced: Mapping[str, str]) -> "CycleGraph":
    """Put frozen networks in the place of generators."""

    def rename(flow: Flow) -> Flow:
        names = (replaced.get(step.network.name, step.network.name) for step in flow.steps)
        steps = (replace(step, network=Ref(name)) for step, name in zip(flow.steps, names, strict=True))
        return replace(flow, steps=tuple(steps))

    draft = _draft(graph).map_flows(rename)
    order = tuple(name for name in graph.schedule.order if name not in replaced)
    frozen = dict.fromkeys((*graph.frozen, *replaced.values()))
    return replace(
        draft,
        schedule=replace(graph.schedule, order=order, stand_ins=()),
        frozen=tuple(name for name in frozen if name not in replaced),
    ).build()


def replace_adversary(graph: "CycleGraph", text: str) -> "CycleGraph":
    """Let discriminators judge something else."""
    new = parse_adversaries(text)
    if not new:
        raise GraphError("replace_adversary: the text names no adversary")
    names = {versus.discriminator.name for versus in new}
    for name in sorted(names - set(graph.discriminators)):
        raise GraphError(
            f"replace_adversary: the graph has no discriminator {name!r}{suggestion(name, graph.discriminators)}"
        )
    draft = _draft(graph)
    terms = {versus.discriminator.name: term for versus, term in reversed(draft.adversaries)}
    adversaries: list[tuple[Versus, Term]] = []
    for discriminator in graph.discriminators:
        if discriminator in names:
            adversaries += [(v, terms[discriminator]) for v in new if v.discriminator.name == discriminator]
        else:
            adversaries += [
                entry for entry in draft.adversaries if entry[0].discriminator.name == discriminator
            ]
    return replace(draft, adversaries=tuple(adversaries)).build()
