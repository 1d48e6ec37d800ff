"""What a graph knows of its networks, and whether all their uses agree."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from cyclekit.errors import GraphError
from cyclekit.graph._domains import Domain
from cyclekit.graph._plan import Call, expression
from cyclekit.graph._request import Request
from cyclekit.graph._syntax import Versus, format_node, names
from cyclekit.graph._uses import BUILT_IN_FUNCTIONS, Uses

Role = Literal["generator", "discriminator", "function"]


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


def find_networks(request: Request, uses: Uses, domains: Mapping[str, Domain]) -> dict[str, Network]:
    """Return every network and function by name.

    Raises:
        NotationError: Two uses of one network do not agree.
        GraphError: A function is a discriminator.
    """
    if judges := sorted({*request.functions, *BUILT_IN_FUNCTIONS} & set(request.discriminators)):
        raise GraphError(f"{judges[0]!r} is a function and a discriminator: call one of them otherwise")
    survey = _Survey(request, domains)
    for call in uses.calls:
        origin = uses.origins[call.outputs[0]]
        where = (origin.place, origin.step.network.at)
        if call.network in BUILT_IN_FUNCTIONS or call.network in request.functions:
            survey.function(call, where)
        else:
            survey.network(call, where)
    for versus in request.judgements:
        survey.judgement(versus)
    return survey.networks()


class _Survey:
    """Goes through all uses, and remembers each network's first one."""

    def __init__(self, request: Request, domains: Mapping[str, Domain]) -> None:
        self.request = request
        self.domains = domains
        self.takes: dict[str, tuple[str, tuple[Domain, ...]]] = {}
        self.makes: dict[str, tuple[str, tuple[Domain, ...]]] = {}
        self.heads: dict[str, dict[str, int]] = {}
        self.functions: dict[str, Network] = {}

    def network(self, call: Call, where: tuple[str, int]) -> None:
        use = expression(call.network, call.inputs, call.head)
        self.agree("takes", call.network, use, call.inputs, where)
        self.agree("makes", f"{call.network}.{call.head}" if call.head else call.network, use, call.outputs, where)
        if call.head is not None:
            self.heads.setdefault(call.network, {})[call.head] = self.domains[call.outputs[0]].channels

    def function(self, call: Call, where: tuple[str, int]) -> None:
        inputs = tuple(self.domains[value] for value in call.inputs)
        made = tuple(self.domains[value] for value in call.outputs)
        if call.network == "add" and any(not alike(domain, made[0]) for domain in inputs):
            raise self.request.error(
                f"add sums signals of equal channels: {made[0]} is no sum of {_listed(inputs)}", *where
            )
        self.functions.setdefault(call.network, Network(call.network, "function", inputs, made))

    def judgement(self, versus: Versus) -> None:
        name, fake, real = versus.discriminator.name, names(versus.fake), names(versus.real)
        where = ("adversaries", versus.real[0].at)
        if len(fake) != len(real):
            raise self.request.error(
                f"{name} judges {len(fake)} against {len(real)}: both sides hold as many signals, of the "
                "same kinds in the same order",
                *where,
            )
        if fake == real:
            raise self.request.error(f"{name} judges {format_node(fake)} against itself", *where)
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
            raise self.request.error(
                f"{network} {verb} {_listed(first)} in {first_use} and {_listed(found)} in {use}: one "
                "network has one set of channels, in one order",
                *where,
            )

    def networks(self) -> dict[str, Network]:
        judges = self.request.discriminators
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
