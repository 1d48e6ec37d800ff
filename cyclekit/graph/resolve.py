"""From statements to what they mean: which use of a network makes which signal, of which domain.

One use has one name wherever it stands, also where it was written ``_``.
"""

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from hashlib import blake2s
from types import MappingProxyType
from typing import Literal

from cyclekit._registry import suggestion
from cyclekit.errors import GraphError
from cyclekit.graph.domains import Domain, Noise, Vector
from cyclekit.graph.notation import GATES, Flow, Ref, Statements, Step, Versus, expression, format_node, names, used

BUILT_IN_FUNCTIONS = ("add", "argmax", "sample", "softmax")
"""Maps without parameters that every model knows; what they make is like what they take.

``add`` sums its inputs; ``sample`` draws from normal distributions of a mean and, if there is one, a log variance;
``softmax`` turns logits into probabilities, ``argmax`` into the likeliest class, one-hot.
"""

_MOST_INPUTS = {"argmax": 1, "sample": 2, "softmax": 1}

KEEPING = frozenset({*BUILT_IN_FUNCTIONS, *GATES})
"""What makes values like those it takes."""

STOPPED = {"stop": (0,), "argmax": (0,)}
"""The places of the inputs that passes no gradient on."""

Role = Literal["generator", "discriminator", "function"]

_LONGEST_USE = 200
_Links = dict[str, list[str]]


@dataclass(frozen=True)
class Call:
    """One use of a network or function on signals.

    Args:
        network: The network's or function's name.
        head: The discriminator's head whose output is meant, or ``None``.
        inputs: The values it reads.
        outputs: The values it makes.
        stopped: Whether the network is used as it is, so that its weights learn nothing from this use.
    """

    network: str
    head: str | None
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    stopped: bool = False

    @property
    def use(self) -> str:
        """The network as this use writes it: ``G_I``, ``D.cls``, ``stop(E)``."""
        return used(self.network, self.head, stopped=self.stopped)

    def __str__(self) -> str:
        """Return ``G_I(x, Ly) -> y*``."""
        return f"{expression(self.use, self.inputs)} -> {', '.join(self.outputs)}"


@dataclass(frozen=True)
class Network:
    """What a graph knows of a network.

    Args:
        name: The network's name.
        role: What it does.
        inputs: The domains it reads, in order.
        outputs: The domains it makes, in order; empty for a discriminator.
        heads: For a discriminator: further heads, and how many channels each has.
    """

    name: str
    role: Role
    inputs: tuple[Domain, ...]
    outputs: tuple[Domain, ...] = ()
    heads: tuple[tuple[str, int], ...] = ()

    @property
    def in_channels(self) -> int:
        """Channels of all inputs, joined."""
        return sum(domain.channels for domain in self.inputs)

    @property
    def out_channels(self) -> int:
        """Channels of all outputs, joined."""
        return sum(domain.channels for domain in self.outputs)


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
        calls: In order of appearance; signals read in a gate come last.
        makers: Which call makes a value.
        origins: Where a value is made first.
        steps: For each flow, the call of each step.
        results: For each flow that is measured, the values its criterion reads first.
        order: Every value after those it is made from.
    """

    calls: tuple[Call, ...]
    makers: Mapping[str, Call]
    origins: Mapping[str, Origin]
    steps: tuple[tuple[Call, ...], ...]
    results: tuple[tuple[str, ...], ...]
    order: tuple[str, ...]


@dataclass(frozen=True)
class Meaning:
    """What a graph's statements mean, free of contradictions.

    Args:
        uses: The distinct uses of networks, and which makes what.
        domains: The domain of every signal, given or made.
        networks: Every network and function.
            inputs: The signals a batch carries.
    """

    uses: Uses
    domains: Mapping[str, Domain]
    networks: Mapping[str, Network]
    inputs: tuple[str, ...]

    def named(self, role: Role) -> tuple[str, ...]:
        """Return the names of all networks of a role."""
        return tuple(name for name, network in self.networks.items() if network.role == role)

    def role(self, call: Call) -> Role:
        """Return what a call's network does."""
        return self.networks[call.network].role

    def upstream(
        self,
        values: Iterable[str],
        *,
        through: Collection[Role] = ("generator", "discriminator", "function"),
        stopped: Mapping[str, Collection[int]] = MappingProxyType({}),
    ) -> list[Call]:
        """Return the calls that values come from.

        Args:
            values: Names of values.
            through: Roles whose inputs are followed on; all by default.
            stopped: By function or network, the places of the inputs that are not followed on.

        Returns:
            The calls, each once.
        """
        found: dict[Call, None] = {}
        waiting = list(values)
        while waiting:
            call = self.uses.makers.get(waiting.pop())
            if call is not None and call not in found:
                found[call] = None
                if self.role(call) in through:
                    ends = stopped.get(call.network, ())
                    waiting += [value for place, value in enumerate(call.inputs) if place not in ends]
        return list(found)


def resolve(statements: Statements, signals: Mapping[str, Domain], functions: tuple[str, ...]) -> Meaning:
    """Work out what statements mean.

    Args:
        statements: The texts, parsed.
        signals: The domains that are declared.
        functions: The names in flows that are functions.

    Raises:
        NotationError: They contradict each other at some place.
        GraphError: A function is a discriminator.
    """
    uses = _find_uses(statements, signals)
    domains = _infer_domains(statements, uses, signals, functions)
    networks = _find_networks(statements, uses, domains, functions)
    return Meaning(uses, domains, networks, tuple(name for name in signals if name not in uses.makers))


# ---- which use of a network makes which value


def _find_uses(statements: Statements, signals: Mapping[str, Domain]) -> Uses:
    """Find every distinct use of a network.

    Raises:
        NotationError: A signal is unknown, made twice, made from itself, or a use contradicts another one.
    """
    reading = _Reading(statements, _named_ahead(statements))
    while True:  # until every use goes by the name it has, wherever in the text that stands
        reading.read()
        if reading.calls == reading.former:
            break
        reading = _Reading(statements, reading.calls)
    calls = reading.calls
    gated: list[Call] = []
    for ref, place in statements.gates.items():
        gated.append(Call(ref.name.partition("(")[0], None, (ref.signal.name,), (ref.name,)))
        step = Step((ref.signal,), Ref(gated[-1].network, ref.at), None, (ref,))
        reading.origins.setdefault(ref.name, Origin(place, step, ref))
    makers = {output: call for call in (*calls.values(), *gated) for output in call.outputs}
    _check_known(statements, signals, makers)
    order = _order(statements, makers, reading.origins)
    return Uses(
        calls=(*calls.values(), *gated),
        makers=makers,
        origins=reading.origins,
        steps=tuple(tuple(calls[use] for use in uses) for uses in reading.steps),
        results=tuple(reading.results),
        order=order,
    )


def _named_ahead(statements: Statements) -> dict[str, Call]:
    """Return the uses under the names that the whole text gives, so that one reading finds them all.

    Two uses of one network on the same inputs are one, and so are their results, under whatever names: this is the
    congruence closure of the flows, in nearly linear time.
    """
    values = _Values()
    steps: list[tuple[Step, list[int], list[int]]] = []
    for _, flow in statements.flows:
        written: tuple[Ref, ...] = ()
        made: list[int] = []
        for step in flow.steps:
            inputs = made if step.inputs == written else [values.named(ref.name) for ref in step.inputs]
            written, made = step.outputs, [values.named(ref.name) for ref in step.outputs]
            values.use((step.network.name, step.head and step.head.name, step.stopped), inputs, made)
            steps.append((step, inputs, made))
    called: dict[int, str] = {}
    for step, _, made in steps:
        for ref, value in zip(step.outputs, made, strict=True):
            if ref.name != "_":
                called.setdefault(values.find(value), ref.name)
    for name, value in values.names.items():
        called.setdefault(values.find(value), name)
    found: dict[str, Call] = {}
    for step, inputs, made in steps:
        head = step.head.name if step.head else None
        given = tuple(called.setdefault(values.find(value), "_") for value in inputs)
        use = _short(expression(step.network.name, given, head, stopped=step.stopped))
        unnamed = [use] if len(made) == 1 else [f"{use}[{place}]" for place in range(len(made))]
        outputs = tuple(
            called.setdefault(values.find(value), name) if ref.name == "_" else ref.name
            for ref, value, name in zip(step.outputs, made, unnamed, strict=True)
        )
        found.setdefault(use, Call(step.network.name, head, given, outputs, step.stopped))
    return found


class _Values:
    """Values by number, equal ones joined; a use is a network, a head and the values it reads."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self._parents: list[int] = []
        self._readers: list[list[tuple[tuple[object, ...], list[int], list[int]]]] = []
        self._uses: dict[tuple[object, ...], list[int]] = {}

    def named(self, name: str) -> int:
        """Return a name's value; ``_`` is a new one each time."""
        if name in self.names:
            return self.names[name]
        value = len(self._parents)
        self._parents.append(value)
        self._readers.append([])
        if name != "_":
            self.names[name] = value
        return value

    def find(self, value: int) -> int:
        """Return the value that stands for all that are equal to this one."""
        while self._parents[value] != value:
            self._parents[value] = value = self._parents[self._parents[value]]
        return value

    def use(self, network: tuple[object, ...], inputs: list[int], outputs: list[int]) -> None:
        """Take note of a use; what equal uses make is equal."""
        for value in inputs:
            self._readers[self.find(value)].append((network, inputs, outputs))
        waiting = [(network, inputs, outputs)]
        while waiting:
            network, inputs, outputs = waiting.pop()
            known = self._uses.setdefault((network, *map(self.find, inputs)), outputs)
            for left, right in zip(known, outputs, strict=False):
                waiting += self._join(self.find(left), self.find(right))

    def _join(self, left: int, right: int) -> list[tuple[tuple[object, ...], list[int], list[int]]]:
        """Make two values one; return the uses that read the one of fewer readers, under its new number."""
        if left == right:
            return []
        few, many = sorted((left, right), key=lambda value: len(self._readers[value]))
        self._parents[few] = many
        moved, self._readers[few] = self._readers[few], []
        self._readers[many] += moved
        return moved


@dataclass
class _Reading:
    """One reading of all flows, with the names of uses that the one before found."""

    statements: Statements
    former: Mapping[str, Call]
    calls: dict[str, Call] = field(default_factory=dict[str, Call])
    origins: dict[str, Origin] = field(default_factory=dict[str, Origin])
    makers: dict[str, str] = field(default_factory=dict[str, str])
    steps: list[list[str]] = field(default_factory=list[list[str]])
    results: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])

    def read(self) -> None:
        for place, flow in self.statements.flows:
            self.read_flow(place, flow)

    def read_flow(self, place: str, flow: Flow) -> None:
        written: tuple[Ref, ...] = ()
        values: tuple[str, ...] = ()
        self.steps.append([])
        for step in flow.steps:
            _check_step(self.statements, place, step)
            if step.inputs != written:
                self.check_named(place, step.inputs)
                values = names(step.inputs)
            written, values = step.outputs, self.outputs(place, step, values)
        if flow.results:
            self.results.append(values if flow.results == written else names(flow.results))

    def check_named(self, place: str, refs: tuple[Ref, ...]) -> None:
        for ref in refs:
            if ref.name == "_":
                raise self.statements.error(
                    "'_' can be read only by the arrow right after it; give the signal a name",
                    place,
                    ref.at,
                )

    def outputs(self, place: str, step: Step, inputs: tuple[str, ...]) -> tuple[str, ...]:
        """Return the values a step makes, under the one name each has."""
        head = step.head.name if step.head else None
        use = _short(expression(step.network.name, inputs, head, stopped=step.stopped))
        self.steps[-1].append(use)
        former = self.calls.get(use) or self.former.get(use)
        if former is not None and len(former.outputs) != len(step.outputs):
            raise self.statements.error(
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
                raise self.statements.error(
                    f"{output!r} is made twice, by {other} and by {use}: give one of them another name",
                    place,
                    ref.at,
                )
        if len(set(outputs)) != len(outputs):
            raise self.statements.error(f"{use} makes one signal twice", place, step.outputs[0].at)
        self.calls[use] = Call(step.network.name, head, inputs, outputs, step.stopped)
        return outputs

    def named(self, place: str, ref: Ref, unnamed: str, before: str) -> str:
        if ref.name == "_":
            return before
        if before not in (unnamed, ref.name):
            raise self.statements.error(
                f"{unnamed} is called {before!r} elsewhere and {ref.name!r} here: one use has one name",
                place,
                ref.at,
            )
        return ref.name


def _check_step(statements: Statements, place: str, step: Step) -> None:
    name = step.network.name
    judges = name in statements.adversarial
    if step.head is None and judges:
        raise statements.error(
            f"{name} is a discriminator: its judgement is said with 'vs'; a flow may use one of its heads, "
            f"-{name}.cls->",
            place,
            step.network.at,
        )
    if step.head is not None and not judges and name in statements.headless:
        raise statements.error(
            f"{name!r} has no head {step.head.name!r}: only discriminators have heads, and no adversary is "
            f"called {name!r}{suggestion(name, statements.adversarial)}",
            place,
            step.network.at,
        )
    if len(step.outputs) != 1 and (step.head is not None or name in BUILT_IN_FUNCTIONS):
        use = f"{name}.{step.head.name}" if step.head else name
        raise statements.error(f"{use} makes one signal, not {len(step.outputs)}", place, step.outputs[0].at)


def _check_known(statements: Statements, signals: Mapping[str, Domain], makers: Mapping[str, Call]) -> None:
    known = {*signals, *makers, "_"}
    reads = [(place, ref.signal) for place, flow in statements.flows for ref in flow.reads]
    reads += [("adversaries", ref.signal) for versus in statements.adversaries for ref in versus.reads]
    for place, ref in reads:
        if ref.name not in known:
            starred = ref.name.endswith("*")
            reason = "no map makes it" if starred else "it is neither in signals= nor made by a map"
            near = suggestion(ref.name, [name for name in known if "(" not in name and name != "_"])
            raise statements.error(f"unknown signal {ref.name!r}: {reason}{near}", place, ref.at)


def _order(statements: Statements, makers: Mapping[str, Call], origins: Mapping[str, Origin]) -> tuple[str, ...]:
    """Return every value after those it is made from."""
    sorter = TopologicalSorter({value: call.inputs for value, call in makers.items()})
    try:
        return tuple(sorter.static_order())
    except CycleError as error:
        loop: list[str] = error.args[1]
        origin = origins[loop[1]]
        raise statements.error(
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


# ---- which domain each signal has: declared, or inferred from what it must be like


def _infer_domains(
    statements: Statements, uses: Uses, signals: Mapping[str, Domain], functions: tuple[str, ...]
) -> dict[str, Domain]:
    """Return the domain of every signal, given or made.

    A signal that is not declared takes the domain of its name without stars, or else of what it is compared
    with or judged against, or else of what its network makes or takes elsewhere, or else, where a function makes it,
    of what that takes first.

    Raises:
        NotationError: Nothing says what some signal is.
    """
    known: dict[str, Domain] = dict(signals)
    links: _Links = defaultdict(list)
    rules = (_stars(uses), _comparisons(statements, uses), _ports(statements, uses, functions))
    for kind in (*rules, _functions(uses, functions)):
        for left, right in kind:
            links[left].append(right)
        _spread(known, links)
    for value, origin in uses.origins.items():
        if value not in known:
            mend = "give it a name, and that name" if origin.ref.name == "_" else "give it"
            raise statements.error(
                f"the domain of {origin.ref.name!r} is not known: {mend} a domain in signals=, compare it "
                "with a signal, or call it after a signal with a star",
                origin.place,
                origin.ref.at,
            )
    # what networks make of noise is drawn by nobody
    made = {name: Vector(d.channels) if isinstance(d := known[name], Noise) else d for name in uses.makers}
    return {**signals, **{name: domain for name, domain in made.items() if name not in signals}}


def _spread(known: dict[str, Domain], links: Mapping[str, list[str]]) -> None:
    waiting = deque(known)
    while waiting:
        name = waiting.popleft()
        for other in links.get(name, ()):
            if other not in known:
                known[other] = known[name]
                waiting.append(other)


def _stars(uses: Uses) -> Iterable[tuple[str, str]]:
    return ((name.rstrip("*"), name) for name in uses.makers if name.endswith("*"))


def _comparisons(statements: Statements, uses: Uses) -> Iterable[tuple[str, str]]:
    measured = [flow for _, flow in statements.flows if flow.results]
    pairs = [
        (result, flow.target.name)
        for flow, (result, *_) in zip(measured, uses.results, strict=True)
        if flow.target is not None
    ]
    for versus in statements.adversaries:
        pairs += [(fake.name, real.name) for fake, real in zip(versus.fake, versus.real, strict=False)]
    return _both_ways(pairs)


def _ports(statements: Statements, uses: Uses, functions: tuple[str, ...]) -> Iterable[tuple[str, str]]:
    """Link what stands in the same place of the same network, by a name no signal can have."""
    pairs: list[tuple[str, str]] = []
    for number, call in enumerate(uses.calls):
        if call.network in KEEPING:
            pairs += [(f"{call.network} {number}", value) for value in (*call.inputs, *call.outputs)]
        elif call.network not in functions:
            pairs += [(f"{call.network} in {i}", value) for i, value in enumerate(call.inputs)]
            out = f"{call.network}.{call.head} out" if call.head else f"{call.network} out"
            pairs += [(f"{out} {i}", value) for i, value in enumerate(call.outputs)]
    for versus in statements.adversaries:
        for side in (versus.fake, versus.real):
            pairs += [(f"{versus.discriminator.name} in {i}", ref.name) for i, ref in enumerate(side)]
    return _both_ways(pairs)


def _functions(uses: Uses, functions: tuple[str, ...]) -> Iterable[tuple[str, str]]:
    """Link what a function makes to what it takes first: where nothing else is said, it keeps the kind."""
    return ((call.inputs[0], call.outputs[0]) for call in uses.calls if call.network in functions)


def _both_ways(pairs: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    return (pair for left, right in pairs for pair in ((left, right), (right, left)))


# ---- what is known of each network, and whether all its uses agree


def _find_networks(
    statements: Statements, uses: Uses, domains: Mapping[str, Domain], functions: tuple[str, ...]
) -> dict[str, Network]:
    """Return every network and function by name.

    Raises:
        NotationError: Two uses of one network do not agree.
        GraphError: A function is a discriminator.
    """
    if judges := sorted({*functions, *BUILT_IN_FUNCTIONS} & set(statements.discriminators)):
        raise GraphError(f"{judges[0]!r} is a function and a discriminator: call one of them otherwise")
    survey = _Survey(statements, domains)
    for call in uses.calls:
        origin = uses.origins[call.outputs[0]]
        where = (origin.place, origin.step.network.at)
        if call.network in KEEPING or call.network in functions:
            survey.function(call, where)
        else:
            survey.network(call, where)
    for versus in statements.adversaries:
        survey.adversary(versus)
    return survey.networks()


class _Survey:
    """Goes through all uses, and remembers each network's first one."""

    def __init__(self, statements: Statements, domains: Mapping[str, Domain]) -> None:
        self.statements = statements
        self.domains = domains
        self.takes: dict[str, tuple[str, tuple[Domain, ...]]] = {}
        self.makes: dict[str, tuple[str, tuple[Domain, ...]]] = {}
        self.heads: dict[str, dict[str, int]] = {}
        self.functions: dict[str, Network] = {}

    def network(self, call: Call, where: tuple[str, int]) -> None:
        use = expression(call.use, call.inputs)
        self.agree("takes", call.network, use, call.inputs, where)
        self.agree("makes", f"{call.network}.{call.head}" if call.head else call.network, use, call.outputs, where)
        if call.head is not None:
            self.heads.setdefault(call.network, {})[call.head] = self.domains[call.outputs[0]].channels

    def function(self, call: Call, where: tuple[str, int]) -> None:
        inputs = tuple(self.domains[value] for value in call.inputs)
        made = tuple(self.domains[value] for value in call.outputs)
        name, add = call.network, call.network == "add"
        if len(inputs) > (most := _MOST_INPUTS.get(name, len(inputs))):
            raise self.statements.error(f"{name} takes {_count(call.inputs[:most])}, not {len(inputs)}", *where)
        if name in KEEPING and any(not alike(domain, made[0]) for domain in inputs):
            rule = "add sums signals of equal channels" if add else f"{name} keeps the channels"
            kind = "sum" if add else "result"
            raise self.statements.error(f"{rule}: {made[0]} is no {kind} of {_listed(inputs)}", *where)
        self.functions.setdefault(call.network, Network(call.network, "function", inputs, made))

    def adversary(self, versus: Versus) -> None:
        name, fake, real = versus.discriminator.name, names(versus.fake), names(versus.real)
        where = ("adversaries", versus.real[0].at)
        if len(fake) != len(real):
            raise self.statements.error(
                f"{name} judges {len(fake)} against {len(real)}: both sides hold as many signals, of the "
                "same kinds in the same order",
                *where,
            )
        if fake == real:
            raise self.statements.error(f"{name} judges {format_node(fake)} against itself", *where)
        for side, values in ((versus.fake, fake), (versus.real, real)):
            self.agree("takes", name, expression(name, values), values, ("adversaries", side[0].at))

    def agree(
        self,
        verb: Literal["takes", "makes"],
        network: str,
        use: str,
        values: Iterable[str],
        where: tuple[str, int],
    ) -> None:
        found = tuple(self.domains[value] for value in values)
        seen = self.takes if verb == "takes" else self.makes
        first_use, first = seen.setdefault(network, (use, found))
        if len(first) != len(found) or not all(map(alike, first, found)):
            raise self.statements.error(
                f"{network} {verb} {_listed(first)} in {first_use} and {_listed(found)} in {use}: one "
                "network has one set of channels, in one order",
                *where,
            )

    def networks(self) -> dict[str, Network]:
        judges = self.statements.discriminators
        found = {
            name: Network(
                name,
                "discriminator" if name in judges else "generator",
                inputs,
                () if name in judges else self.makes[name][1],
                tuple(sorted(self.heads.get(name, {}).items())),
            )
            for name, (_, inputs) in self.takes.items()
        }
        return found | self.functions


def alike(left: Domain, right: Domain) -> bool:
    """Whether values of two domains have the same layout."""
    return (left.channels, left.spatial) == (right.channels, right.spatial)


def _listed(domains: Iterable[Domain]) -> str:
    return " + ".join(str(domain) for domain in domains)
