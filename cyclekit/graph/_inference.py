"""Which domain each signal has: declared, or inferred from what it must be like."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping

from cyclekit.graph._domains import Domain
from cyclekit.graph._request import Request
from cyclekit.graph._uses import Uses

Links = dict[str, list[str]]


def infer_domains(request: Request, uses: Uses) -> dict[str, Domain]:
    """Return the domain of every signal, given or made.

    A signal that is not declared takes the domain of its name without stars, or else of what it is compared
    with or judged against, or else of what its network makes or takes elsewhere.

    Raises:
        NotationError: Nothing says what some signal is.
    """
    known: dict[str, Domain] = dict(request.signals)
    links: Links = defaultdict(list)
    for kind in (_stars(uses), _comparisons(request, uses), _ports(request, uses)):
        for left, right in kind:
            links[left].append(right)
        _spread(known, links)
    for value, origin in uses.origins.items():
        if value not in known:
            mend = "give it a name, and that name" if origin.ref.name == "_" else "give it"
            raise request.error(
                f"the domain of {origin.ref.name!r} is not known: {mend} a domain in signals=, compare it "
                "with a signal, or call it after a signal with a star",
                origin.place,
                origin.ref.at,
            )
    return {name: known[name] for name in (*request.signals, *uses.makers)}


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


def _comparisons(request: Request, uses: Uses) -> Iterable[tuple[str, str]]:
    compared = (flow.target.name for _, flow in request.flows if flow.target is not None)
    pairs = list(zip(uses.results, compared, strict=True))
    for versus in request.judgements:
        pairs += [(fake.name, real.name) for fake, real in zip(versus.fake, versus.real, strict=False)]
    return _both_ways(pairs)


def _ports(request: Request, uses: Uses) -> Iterable[tuple[str, str]]:
    """Link what stands in the same place of the same network, by a name no signal can have."""
    pairs: list[tuple[str, str]] = []
    for number, call in enumerate(uses.calls):
        if call.network == "add":
            pairs += [(f"add {number}", value) for value in (*call.inputs, *call.outputs)]
        elif call.network not in request.functions:
            pairs += [(f"{call.network} in {i}", value) for i, value in enumerate(call.inputs)]
            out = f"{call.network}.{call.head} out" if call.head else f"{call.network} out"
            pairs += [(f"{out} {i}", value) for i, value in enumerate(call.outputs)]
    for versus in request.judgements:
        for side in (versus.fake, versus.real):
            pairs += [(f"{versus.discriminator.name} in {i}", ref.name) for i, ref in enumerate(side)]
    return _both_ways(pairs)


def _both_ways(pairs: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    return (pair for left, right in pairs for pair in ((left, right), (right, left)))
