"""From flows to what they mean: calls, domains, networks, terms; and whether they contradict each other."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from cyclekit._suggest import suggestion
from cyclekit.graph._domains import Domain, Label
from cyclekit.graph._errors import GraphError, NotationError
from cyclekit.graph._notation import Flow, Ref, Step, Versus, format_flow, format_node
from cyclekit.graph._plan import Call, expression
from cyclekit.graph._terms import Adversary, Comparison, Player, Term, named_terms

Role = Literal["generator", "discriminator", "function"]
CallKey = tuple[str, str | None, tuple[str, ...]]

BUILT_IN_FUNCTIONS = ("add",)
"""Maps without parameters that every model knows: ``add`` sums its inputs."""


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
class Request:
    """The arguments of a graph, as given, with its texts parsed."""

    signals: Mapping[str, Domain]
    texts: Mapping[str, str]
    cycles: tuple[Flow, ...]
    maps: tuple[Flow, ...]
    losses: tuple[Flow, ...]
    adversaries: tuple[Versus, ...]
    weights: Mapping[str, float]
    criteria: Mapping[str, str]
    payers: Mapping[str, Player]
    adversarial: str
    functions: tuple[str, ...]
    frozen: tuple[str, ...]
    optional: tuple[str, ...]

    def error(self, message: str, place: str, at: int) -> NotationError:
        """Return the error for a place in one of the texts."""
        return NotationError(message, field=place, text=self.texts[place], at=at)

    @property
    def flows(self) -> Iterator[tuple[str, Flow]]:
        """Every flow, with the text it stands in."""
        for place, flows in (("cycles", self.cycles), ("maps", self.maps), ("losses", self.losses)):
            for flow in flows:
                yield place, flow

    @property
    def discriminators(self) -> tuple[str, ...]:
        """The discriminators' names in order of appearance."""
        return tuple(dict.fromkeys(versus.discriminator.name for versus in self.adversaries))


@dataclass(frozen=True)
class Resolved:
    """What a graph means."""

    calls: tuple[Call, ...]
    domains: Mapping[str, Domain]
    networks: Mapping[str, Network]
    terms: tuple[Term, ...]
    inputs: tuple[str, ...]
    makers: Mapping[str, Call]
    upstream: Mapping[str, tuple[Call, ...]]


def resolve(request: Request) -> Resolved:
    """Work out what the parsed texts mean.

    Raises:
        NotationError: They contradict each other at some place.
        GraphError: Another argument does not fit them.
    """
    calls, results, origins = _calls(request)
    makers = {output: call for call in calls.values() for output in call.outputs}
    _check_signals(request, makers)
    upstream = _upstream(request, calls, makers, origins)
    domains = _domains(request, results, origins)
    networks = _networks(request, calls, domains, origins)
    _check_comparisons(request, domains, results)
    terms = _terms(request, domains, networks, upstream, results)
    _check_names(request, networks)
    inputs = tuple(name for name in request.signals if name not in makers)
    return Resolved(tuple(calls.values()), domains, networks, terms, inputs, makers, upstream)


@dataclass(frozen=True)
class _Origin:
    """Where a value is made."""

    place: str
    step: Step
    ref: Ref


def _calls(request: Request) -> tuple[dict[CallKey, Call], dict[int, str], dict[str, _Origin]]:
    """Return every distinct use of a network, the value left of each flow's ``~``, and where values are made.

    One use has one name wherever it stands, also where it was written ``_``; a name that is found late is used
    in the next round.
    """
    known: dict[CallKey, Call] = {}
    while True:
        calls: dict[CallKey, Call] = {}
        results: dict[int, str] = {}
        origins: dict[str, _Origin] = {}
        makers: dict[str, CallKey] = {}
        for place, flow in request.flows:
            open_names: tuple[Ref, ...] = ()
            open_values: tuple[str, ...] = ()
            for step in flow.steps:
                _check_step(request, place, step)
                inputs = tuple(
                    _read(request, place, ref, position, step, open_names, open_values)
                    for position, ref in enumerate(step.inputs)
                )
                head = step.head.name if step.head else None
                key = (step.network.name, head, inputs)
                former = calls.get(key) or known.get(key)
                outputs = _outputs(request, place, step, key, former)
                for ref, output in zip(step.outputs, outputs, strict=True):
                    origins.setdefault(output, _Origin(place, step, ref))
                    other = makers.setdefault(output, key)
                    if other != key:
                        raise request.error(
                            f"{output!r} is made twice, by {expression(other[0], other[2], other[1])} and by "
                            f"{expression(key[0], key[2], key[1])}: give one of them another name",
                            place,
                            ref.at,
                        )
                calls[key] = Call(step.network.name, head, inputs, outputs)
                open_names, open_values = step.outputs, outputs
            if flow.result is not None:
                results[id(flow)] = (
                    open_values[0] if flow.steps and open_names == (flow.result,) else flow.result.name
                )
        if calls == known:
            return calls, results, origins
        known = calls


def _read(
    request: Request,
    place: str,
    ref: Ref,
    position: int,
    step: Step,
    open_names: tuple[Ref, ...],
    open_values: tuple[str, ...],
) -> str:
    if ref.name != "_":
        return ref.name
    if step.inputs != open_names:
        raise request.error(
            "'_' can be read only by the arrow right after it; give the signal a name", place, ref.at
        )
    return open_values[position]


def _outputs(request: Request, place: str, step: Step, key: CallKey, former: Call | None) -> tuple[str, ...]:
    if former is not None and len(former.outputs) != len(step.outputs):
        raise request.error(
            f"{expression(key[0], key[2], key[1])} makes {len(former.outputs)} signal(s) elsewhere and "
            f"{len(step.outputs)} here",
            place,
            step.outputs[0].at,
        )
    outputs: list[str] = []
    for position, ref in enumerate(step.outputs):
        anonymous = expression(key[0], key[2], key[1]) + (f"[{position}]" if len(step.outputs) > 1 else "")
        before = former.outputs[position] if former is not None else anonymous
        if ref.name == "_":
            outputs.append(before)
        elif before in (anonymous, ref.name):
            outputs.append(ref.name)
        else:
            raise request.error(
                f"{anonymous} is called {before!r} elsewhere and {ref.name!r} here: one evaluation has one name",
                place,
                ref.at,
            )
    return tuple(outputs)


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
    if step.head is not None and len(step.outputs) != 1:
        raise request.error("a head makes one signal", place, step.outputs[0].at)
    if name in BUILT_IN_FUNCTIONS and len(step.outputs) != 1:
        raise request.error(f"{name!r} makes one signal", place, step.outputs[0].at)


def _check_signals(request: Request, makers: Mapping[str, Call]) -> None:
    known = {*request.signals, *makers}

    def check(place: str, ref: Ref) -> None:
        if ref.name == "_" or ref.name in known:
            return
        if ref.name.endswith("*"):
            reason = "no map makes it"
        else:
            reason = "it is neither in signals= nor made by a map"
        named = [name for name in known if "(" not in name]
        raise request.error(
            f"unknown signal {ref.name!r}: {reason}{suggestion(ref.name, named)}", place, ref.at
        )

    for place, flow in request.flows:
        for step in flow.steps:
            for ref in step.inputs:
                check(place, ref)
        for ref in (
            *([flow.result] if flow.result else []),
            *([flow.target] if flow.target else []),
            *flow.extras,
        ):
            check(place, ref)
    for versus in request.adversaries:
        for ref in (*versus.fake, *versus.real):
            check("adversaries", ref)


def _upstream(
    request: Request,
    calls: Mapping[CallKey, Call],
    makers: Mapping[str, Call],
    origins: Mapping[str, _Origin],
) -> dict[str, tuple[Call, ...]]:
    """Return for every made value the calls it comes from, itself included."""
    found: dict[str, tuple[Call, ...]] = {}
    for start in calls.values():
        # An explicit stack: arbitrarily long chains are no reason to exhaust Python's.
        stack: list[tuple[Call, bool]] = [(start, False)]
        active: dict[Call, None] = {}
        while stack:
            call, done = stack.pop()
            if call.outputs[0] in found:
                continue
            if done:
                active.pop(call, None)
                before = [made for value in call.inputs for made in found.get(value, ())]
                for output in call.outputs:
                    found[output] = tuple(dict.fromkeys([*before, call]))
                continue
            active[call] = None
            stack.append((call, True))
            for value in call.inputs:
                maker = makers.get(value)
                if maker is None or maker.outputs[0] in found:
                    continue
                if maker in active:
                    raise request.error(
                        f"a loop: {value!r} is made from {call.outputs[0]!r}, which is made from {value!r}",
                        origins[call.outputs[0]].place,
                        origins[call.outputs[0]].step.network.at,
                    )
                stack.append((maker, False))
    return found


def _domains(
    request: Request, results: Mapping[int, str], origins: Mapping[str, _Origin]
) -> dict[str, Domain]:
    domains: dict[str, Domain] = dict(request.signals)
    pairs = [(results[id(flow)], flow.target.name) for _, flow in request.flows if flow.target is not None]
    for versus in request.adversaries:
        pairs += [(fake.name, real.name) for fake, real in zip(versus.fake, versus.real, strict=False)]
    # A star's domain is its base name's, whatever else it is compared with.
    pairs = [(name, name.rstrip("*")) for name in origins if name.endswith("*")] + pairs
    changed = True
    while changed:
        changed = False
        for left, right in (*pairs, *((right, left) for left, right in pairs)):
            if left not in domains and right in domains:
                domains[left] = domains[right]
                changed = True
                break
    for value, origin in origins.items():
        if value not in domains:
            mend = "give it a name, and that name" if origin.ref.name == "_" else "give it"
            raise request.error(
                f"the domain of {origin.ref.name!r} is not known: {mend} a domain in signals=, compare it with a "
                "signal, or call it after a signal with a star",
                origin.place,
                origin.ref.at,
            )
    return domains


def _networks(
    request: Request,
    calls: Mapping[CallKey, Call],
    domains: Mapping[str, Domain],
    origins: Mapping[str, _Origin],
) -> dict[str, Network]:
    functions = {*BUILT_IN_FUNCTIONS, *request.functions}
    uses: dict[str, tuple[str, tuple[Domain, ...]]] = {}
    outputs: dict[str, tuple[str, tuple[Domain, ...]]] = {}
    heads: dict[str, dict[str, int]] = {}

    def agree(
        seen: dict[str, tuple[str, tuple[Domain, ...]]],
        network: str,
        use: str,
        found: tuple[Domain, ...],
        verb: str,
        where: tuple[str, int],
    ) -> None:
        before_use, before = seen.setdefault(network, (use, found))
        if [domain.channels for domain in before] != [domain.channels for domain in found]:
            raise request.error(
                f"{network} {verb} {_domain_list(before)} in {before_use} and {_domain_list(found)} in {use}: "
                "one network has one set of channels",
                *where,
            )

    for call in calls.values():
        if call.network in functions:
            continue
        origin = origins[call.outputs[0]]
        where = (origin.place, origin.step.network.at)
        use = expression(call.network, call.inputs, call.head)
        agree(uses, call.network, use, tuple(domains[value] for value in call.inputs), "takes", where)
        made = tuple(domains[value] for value in call.outputs)
        if call.head is None:
            agree(outputs, call.network, use, made, "makes", where)
        else:
            channels = heads.setdefault(call.network, {}).setdefault(call.head, made[0].channels)
            if channels != made[0].channels:
                raise request.error(
                    f"{call.network}.{call.head} has {channels} channels elsewhere and {made[0].channels} here",
                    *where,
                )
    for versus in request.adversaries:
        if len(versus.fake) != len(versus.real):
            raise request.error(
                f"{versus.discriminator.name} judges {len(versus.fake)} signal(s) against {len(versus.real)}: "
                "both sides hold the same kinds in the same order",
                "adversaries",
                versus.real[0].at,
            )
        if [ref.name for ref in versus.fake] == [ref.name for ref in versus.real]:
            raise request.error(
                f"{versus.discriminator.name} judges {format_node(versus.fake)} against itself",
                "adversaries",
                versus.real[0].at,
            )
        for side in (versus.fake, versus.real):
            name = versus.discriminator.name
            use = expression(name, (ref.name for ref in side))
            found = tuple(domains[ref.name] for ref in side)
            agree(uses, name, use, found, "takes", ("adversaries", side[0].at))
    networks: dict[str, Network] = {}
    for name, (_, inputs) in uses.items():
        role: Role = "discriminator" if name in request.discriminators else "generator"
        made = outputs.get(name, ("", ()))[1]
        networks[name] = Network(name, role, inputs, made, tuple(sorted(heads.get(name, {}).items())))
    for call in calls.values():
        if call.network in functions:
            inputs = tuple(domains[value] for value in call.inputs)
            made = tuple(domains[value] for value in call.outputs)
            if call.network == "add" and any(domain.channels != made[0].channels for domain in inputs):
                raise request.error(
                    f"add sums signals of equal channels; here stand {_domain_list(inputs)} and {made[0]}",
                    origins[call.outputs[0]].place,
                    origins[call.outputs[0]].step.network.at,
                )
            networks.setdefault(call.network, Network(call.network, "function", inputs, made))
    return networks


def _domain_list(domains: Iterable[Domain]) -> str:
    return " + ".join(str(domain) for domain in domains)


def _check_comparisons(request: Request, domains: Mapping[str, Domain], results: Mapping[int, str]) -> None:
    for place, flow in request.flows:
        if flow.target is None or flow.result is None:
            continue
        prediction, target = results[id(flow)], flow.target.name
        if prediction == target:
            raise request.error(f"{prediction!r} is compared with itself", place, flow.target.at)
        if domains[prediction].channels != domains[target].channels:
            raise request.error(
                f"{prediction} is {domains[prediction]} and {target} is {domains[target]}: they cannot be compared",
                place,
                flow.target.at,
            )
        if place == "cycles":
            _check_returns(request, flow)


def _check_returns(request: Request, flow: Flow) -> None:
    if flow.label is None or flow.target is None or flow.result is None:
        return
    if not flow.steps:
        raise request.error("a cycle passes through at least one network", "cycles", flow.result.at)
    passed = dict.fromkeys(ref.name for step in flow.steps for ref in (*step.inputs, *step.outputs))
    if flow.target.name not in passed:
        raise request.error(
            f"the cycle {flow.label.name} does not return: it is compared with {flow.target.name!r}, but passes "
            f"through {', '.join(name for name in passed if name != '_')}; a flow that is no cycle belongs in "
            "maps=, its comparison in losses=",
            "cycles",
            flow.target.at,
        )


def _terms(
    request: Request,
    domains: Mapping[str, Domain],
    networks: Mapping[str, Network],
    upstream: Mapping[str, tuple[Call, ...]],
    results: Mapping[int, str],
) -> tuple[Term, ...]:
    def roles(signals: Iterable[str]) -> set[Role]:
        return {networks[call.network].role for value in signals for call in upstream.get(value, ())}

    terms: list[tuple[str, int, Term]] = []
    for place, flow in request.flows:
        if flow.target is None:
            continue
        prediction = results[id(flow)]
        name = flow.label.name if flow.label else format_flow(flow)
        by_head = "discriminator" in roles([prediction, flow.target.name])
        on_real = "generator" not in roles([prediction, flow.target.name])
        player: Player = "discriminators" if by_head and on_real else "generators"
        criterion = "cross_entropy" if isinstance(domains[flow.target.name], Label) else "l1"
        if flow.criterion is not None:
            criterion = flow.criterion.name
        term = Comparison(
            name=name,
            kind="cycle" if place == "cycles" else "loss",
            player=player,
            criterion=criterion,
            weight=1.0,
            prediction=prediction,
            target=flow.target.name,
            extras=tuple(ref.name for ref in flow.extras),
        )
        terms.append((place, flow.at, term))
    names = _adversary_names(request)
    for versus, name in zip(request.adversaries, names, strict=True):
        fake = tuple(ref.name for ref in versus.fake)
        adversary = Adversary(
            name=name,
            discriminator=versus.discriminator.name,
            criterion=request.adversarial,
            weight=1.0,
            fake=fake,
            real=tuple(ref.name for ref in versus.real),
            generated="generator" in roles(fake),
        )
        terms.append(("adversaries", versus.discriminator.at, adversary))
    for discriminator in request.discriminators:
        own = [
            term
            for _, _, term in terms
            if isinstance(term, Adversary) and term.discriminator == discriminator
        ]
        if not any(term.generated for term in own):
            at = next(v.fake[0].at for v in request.adversaries if v.discriminator.name == discriminator)
            raise request.error(
                f"{discriminator} never meets a generated signal: what stands before 'vs' is made by no generator",
                "adversaries",
                at,
            )
    _check_term_names(request, terms, networks)
    return _adjusted(request, [term for _, _, term in terms])


def _adversary_names(request: Request) -> list[str]:
    """Call an adversary by what differs between its sides, at more length where two would be called the same."""

    def differing(versus: Versus) -> str:
        pairs = zip(versus.fake, versus.real, strict=True)
        return expression(versus.discriminator.name, (fake.name for fake, real in pairs if fake != real))

    def whole(versus: Versus) -> str:
        return expression(versus.discriminator.name, (fake.name for fake in versus.fake))

    def both(versus: Versus) -> str:
        return f"{versus.discriminator.name}: {format_node(versus.fake)} vs {format_node(versus.real)}"

    names = [differing(versus) for versus in request.adversaries]
    for longer in (whole, both):
        names = [
            longer(versus) if names.count(name) > 1 else name
            for versus, name in zip(request.adversaries, names, strict=True)
        ]
    return names


def _check_term_names(
    request: Request, terms: list[tuple[str, int, Term]], networks: Mapping[str, Network]
) -> None:
    seen: set[str] = set()
    for place, at, term in terms:
        if term.name in seen:
            raise request.error(
                f"two terms are called {term.name!r}: write a name and a colon before one of them", place, at
            )
        if term.name in networks:
            raise request.error(f"{term.name!r} names a network already; call the term otherwise", place, at)
        seen.add(term.name)


def _adjusted(request: Request, terms: list[Term]) -> tuple[Term, ...]:
    """Give the terms their weights, criteria and payers, as the user named them."""
    for argument, options in (("weights", request.weights), ("criteria", request.criteria)):
        if not all(isinstance(key, str) for key in options):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise GraphError(f"{argument} is keyed by the names of terms, got {list(options)}")
    weights: dict[str, float] = {}
    for key, value in request.weights.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise GraphError(f"weights[{key!r}] = {value!r}: a weight is a finite number, zero or more")
        weights.update({name: float(value) for name in _named(key, terms, "weights")})
    criteria: dict[str, str] = {}
    for key, value in request.criteria.items():
        criteria.update(dict.fromkeys(_named(key, terms, "criteria"), value))
    payers: dict[str, Player] = {}
    for key, value in request.payers.items():
        if value not in ("generators", "discriminators"):
            raise GraphError(f"payers[{key!r}] = {value!r}: choose 'generators' or 'discriminators'")
        payers.update(dict.fromkeys(_named(key, terms, "payers"), value))
    optional = {name for key in request.optional for name in _named(key, terms, "optional")}
    for term in terms:
        if isinstance(term, Adversary) and term.name in payers:
            raise GraphError(f"payers[{term.name!r}]: an adversary is paid by both sides")
    adjusted = (
        replace(
            term,
            weight=weights.get(term.name, term.weight),
            criterion=criteria.get(term.name, term.criterion),
            optional=term.name in optional,
        )
        for term in terms
    )
    return tuple(
        replace(term, player=payers[term.name])
        if isinstance(term, Comparison) and term.name in payers
        else term
        for term in adjusted
    )


def _named(key: str, terms: Iterable[Term], argument: str) -> list[str]:
    names = named_terms(key, terms)
    if not names:
        known = {term.name for term in terms} | {t.discriminator for t in terms if isinstance(t, Adversary)}
        raise GraphError(f"{argument} names {key!r}, which is no term of this graph{suggestion(key, known)}")
    return names


def _check_names(request: Request, networks: Mapping[str, Network]) -> None:
    generators = [name for name, network in networks.items() if network.role == "generator"]
    for name in request.frozen:
        if name not in generators:
            raise GraphError(
                f"frozen names {name!r}, which is no generator of this graph{suggestion(name, generators)}"
            )
    for name in request.functions:
        if name not in networks:
            raise GraphError(
                f"functions names {name!r}, which no flow uses{suggestion(name, [*generators, *BUILT_IN_FUNCTIONS])}"
            )
