"""What a graph means: its calls, domains, networks and terms, free of contradictions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cyclekit._registry import suggestion
from cyclekit.errors import GraphError
from cyclekit.graph._demands import find_terms
from cyclekit.graph._domains import Domain
from cyclekit.graph._inference import infer_domains
from cyclekit.graph._networks import Network, Role, find_networks
from cyclekit.graph._plan import Call
from cyclekit.graph._request import Request
from cyclekit.graph._terms import Term
from cyclekit.graph._uses import BUILT_IN_FUNCTIONS, Uses, find_uses


@dataclass(frozen=True)
class Meaning:
    """What a graph means.

    Args:
        uses: The distinct uses of networks, and which makes what.
        domains: The domain of every signal, given or made.
        networks: Every network and function.
        terms: Every comparison, adversary and regularizer.
        inputs: The signals a batch carries.
    """

    uses: Uses
    domains: Mapping[str, Domain]
    networks: Mapping[str, Network]
    terms: tuple[Term, ...]
    inputs: tuple[str, ...]

    def named(self, role: Role) -> tuple[str, ...]:
        """Return the names of all networks of a role."""
        return tuple(name for name, network in self.networks.items() if network.role == role)

    def role(self, call: Call) -> Role:
        """Return what a call's network does."""
        return self.networks[call.network].role

    def upstream(self, values: Iterable[str], *, through: Iterable[Role] | None = None) -> list[Call]:
        """Return the calls that values come from.

        Args:
            values: Names of values.
            through: Roles whose inputs are followed on; all where nothing is said.

        Returns:
            The calls, each once.
        """
        found: dict[Call, None] = {}
        waiting = list(values)
        while waiting:
            call = self.uses.makers.get(waiting.pop())
            if call is not None and call not in found:
                found[call] = None
                if through is None or self.role(call) in through:
                    waiting += call.inputs
        return list(found)


def understand(request: Request) -> Meaning:
    """Work out what the texts and arguments mean together.

    Raises:
        NotationError: They contradict each other at some place.
        GraphError: Another argument does not fit them.
    """
    uses = find_uses(request)
    domains = infer_domains(request, uses)
    networks = find_networks(request, uses, domains)
    terms = find_terms(request, uses, domains, networks)
    inputs = tuple(name for name in request.signals if name not in uses.makers)
    meaning = Meaning(uses, domains, networks, terms, inputs)
    _check_lists(request, meaning)
    return meaning


def _check_lists(request: Request, meaning: Meaning) -> None:
    generators, functions = meaning.named("generator"), meaning.named("function")
    for name in request.frozen:
        if name not in generators:
            raise GraphError(
                f"frozen names {name!r}, which is no generator of this graph{suggestion(name, generators)}"
            )
    for name in request.functions:
        if name not in functions:
            known = (*generators, *BUILT_IN_FUNCTIONS)
            raise GraphError(f"functions names {name!r}, which no flow uses{suggestion(name, known)}")
