"""Which use of a network makes which value.

One use has one name wherever it stands, also where it was written ``_``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from hashlib import blake2s

from cyclekit._registry import suggestion
from cyclekit.graph._plan import Call, expression
from cyclekit.graph._request import Request
from cyclekit.graph._syntax import Flow, Ref, Step, names

BUILT_IN_FUNCTIONS = ("add",)
"""Maps without parameters that every model knows: ``add`` sums its inputs."""
_LONGEST_USE = 200


@dataclass(frozen=True)
class Origin:
    """Where a value is made first."""

    place: str
    step: Step
    ref: Ref


@dataclass(frozen=True)
class Uses:
    """Every distinct use of a network in the flows.

    Args:
        calls: In order of appearance.
        makers: Which call makes a value.
        origins: Where a value is made first.
        steps: For each flow, the call of each step.
        results: For each flow that compares, the value on the left of its ``~``.
        order: Every value after those it is made from.
    """

    calls: tuple[Call, ...]
    makers: Mapping[str, Call]
    origins: Mapping[str, Origin]
    steps: tuple[tuple[Call, ...], ...]
    results: tuple[str, ...]
    order: tuple[str, ...]


def find_uses(request: Request) -> Uses:
    """Find every distinct use of a network.

    Raises:
        NotationError: A signal is unknown, made twice, made from itself, or a use contradicts another one.
    """
    reading = _Reading(request, {})
    while True:  # a name that is found late is used in the next round, one arrow further on
        reading.read()
        if reading.calls == reading.former:
            break
        reading = _Reading(request, reading.calls)
    makers = {output: call for call in reading.calls.values() for output in call.outputs}
    _check_known(request, makers)
    order = _order(request, makers, reading.origins)
    calls = reading.calls
    return Uses(
        calls=tuple(calls.values()),
        makers=makers,
        origins=reading.origins,
        steps=tuple(tuple(calls[use] for use in uses) for uses in reading.steps),
        results=tuple(reading.results),
        order=order,
    )


@dataclass
class _Reading:
    """One round through all flows, with the names of uses that the round before found."""

    request: Request
    former: Mapping[str, Call]
    calls: dict[str, Call] = field(default_factory=dict[str, Call])
    origins: dict[str, Origin] = field(default_factory=dict[str, Origin])
    makers: dict[str, str] = field(default_factory=dict[str, str])
    steps: list[list[str]] = field(default_factory=list[list[str]])
    results: list[str] = field(default_factory=list[str])

    def read(self) -> None:
        for place, flow in self.request.flows:
            self.read_flow(place, flow)

    def read_flow(self, place: str, flow: Flow) -> None:
        written: tuple[Ref, ...] = ()
        values: tuple[str, ...] = ()
        self.steps.append([])
        for step in flow.steps:
            _check_step(self.request, place, step)
            if step.inputs != written:
                self.check_named(place, step.inputs)
                values = names(step.inputs)
            written, values = step.outputs, self.outputs(place, step, values)
        if flow.result is not None:
            made = dict(zip(names(written), values, strict=True))
            self.results.append(made.get(flow.result.name, flow.result.name))

    def check_named(self, place: str, refs: tuple[Ref, ...]) -> None:
        for ref in refs:
            if ref.name == "_":
                raise self.request.error(
                    "'_' can be read only by the arrow right after it; give the signal a name",
                    place,
                    ref.at,
                )

    def outputs(self, place: str, step: Step, inputs: tuple[str, ...]) -> tuple[str, ...]:
        """Return the values a step makes, under the one name each has."""
        head = step.head.name if step.head else None
        use = _short(expression(step.network.name, inputs, head))
        self.steps[-1].append(use)
        former = self.calls.get(use) or self.former.get(use)
        if former is not None and len(former.outputs) != len(step.outputs):
            raise self.request.error(
                f"{use} makes {_count(former.outputs)} elsewhere and {_count(step.outputs)} here",
                place,
                step.outputs[0].at,
            )
        unnamed = [use] if len(step.outputs) == 1 else [f"{use}[{i}]" for i in range(len(step.outputs))]
        before = unnamed if former is None else former.outputs
        outputs = tuple(
            self.named(place, ref, *called) for ref, *called in zip(step.outputs, unnamed, before, strict=True)
        )
        for ref, output in zip(step.outputs, outputs, strict=True):
            self.origins.setdefault(output, Origin(place, step, ref))
            if (other := self.makers.setdefault(output, use)) != use:
                raise self.request.error(
                    f"{output!r} is made twice, by {other} and by {use}: give one of them another name",
                    place,
                    ref.at,
                )
        if len(set(outputs)) != len(outputs):
            raise self.request.error(f"{use} makes one signal twice", place, step.outputs[0].at)
        self.calls[use] = Call(step.network.name, head, inputs, outputs)
        return outputs

    def named(self, place: str, ref: Ref, unnamed: str, before: str) -> str:
        if ref.name == "_":
            return before
        if before not in (unnamed, ref.name):
            raise self.request.error(
                f"{unnamed} is called {before!r} elsewhere and {ref.name!r} here: one use has one name",
                place,
                ref.at,
            )
        return ref.name


def _check_step(request: Request, place: str, step: Step) -> None:
    name = step.network.name
    judges = name in request.discriminators
    if step.head is None and judges:
        raise request.error(
            f"{name} is a discriminator: its judgement is said with 'vs'; a flow may use one of its heads, "
            f"-{name}.cls->",
            place,
            step.network.at,
        )
    if step.head is not None and not judges:
        raise request.error(
            f"{name!r} has no head {step.head.name!r}: only discriminators have heads, and no adversary is "
            f"called {name!r}{suggestion(name, request.discriminators)}",
            place,
            step.network.at,
        )
    if len(step.outputs) != 1 and (step.head is not None or name in BUILT_IN_FUNCTIONS):
        use = f"{name}.{step.head.name}" if step.head else name
        raise request.error(f"{use} makes one signal, not {len(step.outputs)}", place, step.outputs[0].at)


def _check_known(request: Request, makers: Mapping[str, Call]) -> None:
    known = {*request.signals, *makers, "_"}
    reads = [(place, ref) for place, flow in request.flows for ref in flow.reads]
    reads += [("adversaries", ref) for versus in request.judgements for ref in versus.reads]
    for place, ref in reads:
        if ref.name not in known:
            starred = ref.name.endswith("*")
            reason = "no map makes it" if starred else "it is neither in signals= nor made by a map"
            near = suggestion(ref.name, [name for name in known if "(" not in name and name != "_"])
            raise request.error(f"unknown signal {ref.name!r}: {reason}{near}", place, ref.at)


def _order(request: Request, makers: Mapping[str, Call], origins: Mapping[str, Origin]) -> tuple[str, ...]:
    """Return every value after those it is made from."""
    sorter = TopologicalSorter({value: call.inputs for value, call in makers.items()})
    try:
        return tuple(sorter.static_order())
    except CycleError as error:
        loop: list[str] = error.args[1]
        origin = origins[loop[1]]
        raise request.error(
            f"a loop: {' -> '.join(loop)}: none of these can be made first",
            origin.place,
            origin.step.network.at,
        ) from None


def _short(use: str) -> str:
    """Return a bounded name: expressions of results without a name nest, and may double at each arrow."""
    if len(use) <= _LONGEST_USE:
        return use
    return f"{use.partition('(')[0]}(…{blake2s(use.encode(), digest_size=6).hexdigest()})"


def _count(outputs: tuple[object, ...]) -> str:
    return f"{len(outputs)} signal{'s' if len(outputs) > 1 else ''}"
