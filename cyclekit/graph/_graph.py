"""The declarative cycle graph."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import cached_property
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from cyclekit._registry import suggestion
from cyclekit.errors import GraphError
from cyclekit.graph import _arguments, _draw, _edits
from cyclekit.graph._check import check_schedule, check_trainable
from cyclekit.graph._domains import Domain
from cyclekit.graph._meaning import understand
from cyclekit.graph._networks import Network
from cyclekit.graph._plan import Call, Evaluation, Plan, PlayerPlan, ordered
from cyclekit.graph._planner import learners, makers, plan_player
from cyclekit.graph._request import Request
from cyclekit.graph._schedule import Schedule
from cyclekit.graph._terms import Player, Term, named_terms

if TYPE_CHECKING:
    from cyclekit.model import CycleModel, ModelOptions


class GraphFields(TypedDict, total=False):
    """The arguments of `CycleGraph`, for `CycleGraph.replace`."""

    signals: Mapping[str, Domain]
    cycles: str
    maps: str
    adversaries: str
    losses: str
    weights: Mapping[str, float]
    criteria: Mapping[str, str]
    payers: Mapping[str, Player]
    adversarial: str
    functions: Iterable[str]
    frozen: Iterable[str]
    optional: Iterable[str]
    schedule: Schedule


class CycleGraph:
    """A model declared in the notation of the papers: immutable data that says what is trained, and how.

    Args:
        signals: The domain of every signal a batch carries, and of generated signals whose domain follows
            from nothing else.
        cycles: Named flows that return to a signal they came through: ``I2I2I: x -G-> y* -F-> x* ~ x``.
        maps: Flows that are no cycle: ``[x, Ly] -G-> y*``.
        adversaries: ``D: [x, y*] vs [x, y]``; the left side is generated, the right side trains only ``D``.
            Penalties and feature matching follow: ``D: y* vs y + r1 + feature_matching``.
        losses: Further comparisons: ``y* ~ y``, with maps of their own (``idt: B -G-> _ ~ B``) or a named
            criterion (``masked(y* ~ y, M)``).
        weights: Factors by term or by discriminator; 1 where nothing is said. A term of weight 0 is not
            computed.
        criteria: Criteria by term, adversarial losses by term or discriminator, by their registered names.
            Where nothing is said a comparison is ``l1``, with a label ``cross_entropy``.
        payers: ``"generators"`` or ``"discriminators"`` by comparison or regularizer, where it is not as
            usual: penalties, and comparisons of a discriminator's head on real inputs, are the
            discriminators' to pay, all else the generators'.
        adversarial: The adversarial loss where ``criteria`` says nothing: ``lsgan``, ``log``, ``hinge``.
        functions: Names in flows that are functions without parameters, passed to `build`; ``add`` is known.
        frozen: Generators that are used but not trained.
        optional: Terms that a batch without their signals leaves out.
        schedule: Who steps when.

    Raises:
        NotationError: A text cannot be read, or contradicts itself; the place is marked by a caret.
        GraphError: Another argument does not fit the texts.

    Source:
        The notation is that of C2GAN (arXiv 1908.00999), Eq. 1, 6 and 7.

    Example:
        ```python
        from cyclekit import CycleGraph, Image

        pix2pix = CycleGraph(
            signals={"x": Image(3), "y": Image(3)},
            maps="x -G-> y*",
            adversaries="D: [x, y*] vs [x, y]",
            losses="y* ~ y",
            weights={"y* ~ y": 100},
        )
        assert pix2pix.generators == ("G",)
        assert pix2pix.networks["D"].in_channels == 6
        ```
    """

    def __init__(
        self,
        signals: Mapping[str, Domain],
        *,
        cycles: str = "",
        maps: str = "",
        adversaries: str = "",
        losses: str = "",
        weights: Mapping[str, float] | None = None,
        criteria: Mapping[str, str] | None = None,
        payers: Mapping[str, Player] | None = None,
        adversarial: str = "lsgan",
        functions: Iterable[str] = (),
        frozen: Iterable[str] = (),
        optional: Iterable[str] = (),
        schedule: Schedule | None = None,
    ) -> None:
        self._request = Request(
            signals=_arguments.signals(signals),
            cycles=_arguments.text("cycles", cycles),
            maps=_arguments.text("maps", maps),
            adversaries=_arguments.text("adversaries", adversaries),
            losses=_arguments.text("losses", losses),
            weights=_arguments.weights(weights),
            criteria=_arguments.criteria(criteria),
            payers=_arguments.payers(payers),
            adversarial=_arguments.name("adversarial", adversarial),
            functions=_arguments.names("functions", functions),
            frozen=_arguments.names("frozen", frozen),
            optional=_arguments.names("optional", optional),
            schedule=_arguments.schedule(schedule),
        )
        self._meaning = understand(self._request)
        check_schedule(self)
        object.__setattr__(self, "_sealed", True)

    # ------------------------------------------------------------------ what it says

    @property
    def signals(self) -> dict[str, Domain]:
        """The domain of every signal, given and generated; a result without a name goes by its expression."""
        return dict(self._meaning.domains)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The signals a batch carries."""
        return self._meaning.inputs

    @property
    def generated(self) -> tuple[str, ...]:
        """The signals networks make and the texts name, in order of appearance."""
        return tuple(name for name in self._meaning.uses.makers if "(" not in name)

    @property
    def networks(self) -> dict[str, Network]:
        """Every network by name: its role, its inputs and its outputs. Functions are left out."""
        return {name: net for name, net in self._meaning.networks.items() if net.role != "function"}

    @property
    def generators(self) -> tuple[str, ...]:
        """The generators' names in order of appearance."""
        return self._meaning.named("generator")

    @property
    def discriminators(self) -> tuple[str, ...]:
        """The discriminators' names in order of appearance."""
        return self._request.discriminators

    @property
    def functions(self) -> tuple[str, ...]:
        """The names of maps without parameters, built-in ones included."""
        return self._meaning.named("function")

    @property
    def frozen(self) -> tuple[str, ...]:
        """The generators that are used but not trained."""
        return self._request.frozen

    @property
    def terms(self) -> tuple[Term, ...]:
        """Every comparison, adversary and regularizer, in order of appearance."""
        return self._meaning.terms

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every distinct use of a network in a flow, in order of appearance."""
        return self._meaning.uses.calls

    @property
    def schedule(self) -> Schedule:
        """Who steps when."""
        return self._request.schedule

    @property
    def equations(self) -> dict[str, str]:
        """The four texts as they were written, comments included, without common indentation."""
        return {name: getattr(self._request, name) for name in ("cycles", "maps", "adversaries", "losses")}

    def term(self, name: str) -> Term:
        """Return a term by its name.

        Args:
            name: As `terms` says it.

        Returns:
            The comparison, adversary or regularizer.

        Raises:
            GraphError: There is no such term.
        """
        for term in self.terms:
            if term.name == name:
                return term
        raise GraphError(f"no term is called {name!r}{suggestion(name, [term.name for term in self.terms])}")

    # ------------------------------------------------------------------ what follows from it

    def paid_by(self, player: Player) -> tuple[Term, ...]:
        """Return the terms of positive weight that a player pays.

        Args:
            player: ``"generators"`` or ``"discriminators"``.

        Returns:
            The terms in order of appearance; an adversary is paid by both players.
        """
        return tuple(term for term in self.terms if term.weight > 0 and term.paid_by(player))

    def learners(self, term: Term, player: Player) -> frozenset[str]:
        """Return the networks that receive a term's gradient when a player pays it.

        Args:
            term: One of `terms`.
            player: ``"generators"`` or ``"discriminators"``.

        Returns:
            Names of generators, or of discriminators.
        """
        return learners(self._meaning, self.frozen, term, player)

    def gradient_flow(self) -> dict[str, frozenset[str]]:
        """Return for each term the generators pay the networks whose parameters receive its gradient.

        Returns:
            Names of generators by term. In C2GAN ``K2G2K`` trains ``G_I`` as well as ``G_K``.
        """
        return {term.name: self.learners(term, "generators") for term in self.paid_by("generators")}

    def plan(self, terms: Iterable[str] | None = None) -> Plan:
        """Return what each player computes, in order: shared evaluations once, unneeded ones not at all.

        Args:
            terms: Plan for these terms alone; all of positive weight where nothing is said.

        Returns:
            The plans of both players.

        Raises:
            GraphError: A named term does not exist.
        """
        chosen = None if terms is None else {self.term(name).name for name in terms}
        return Plan(self._plan("generators", chosen), self._plan("discriminators", chosen))

    def evaluations(self, *signals: str) -> tuple[Evaluation, ...]:
        """Return what has to be computed for some generated signals, in order.

        Args:
            *signals: Names of generated signals.

        Returns:
            The evaluations; none for signals the batch carries.

        Raises:
            GraphError: A signal does not exist.
        """
        for name in signals:
            if name not in self._meaning.domains and name not in self._makers:
                raise GraphError(f"no signal is called {name!r}{suggestion(name, [*self.inputs, *self.generated])}")
        return ordered(signals, self._makers)

    def at_step(self, step: int) -> "CycleGraph":
        """Return the graph that is trained at a step: with stand-ins in place while their time runs.

        Args:
            step: Steps taken so far.

        Returns:
            This graph once every stand-in has had its time.
        """
        replaced = {s.network: s.by for s in self.schedule.stand_ins if step < s.steps}
        return self._edited(_edits.stand_in(self._request, self._meaning, replaced)) if replaced else self

    def check(self) -> None:
        """Check what need not hold for a graph to be drawn or edited, but must before it is trained.

        `build` calls it.

        Raises:
            GraphError: No term trains a generator, or a term trains nobody.
        """
        check_trainable(self)

    # ------------------------------------------------------------------ edits

    def replace(self, **fields: Unpack[GraphFields]) -> "CycleGraph":
        """Return a graph with some arguments replaced.

        Args:
            **fields: Arguments of `CycleGraph`.

        Returns:
            The new graph.

        Raises:
            GraphError: The new arguments do not fit.
        """
        return CycleGraph(**{**self._arguments(), **fields})  # pyright: ignore[reportArgumentType]

    def without(self, *names: str) -> "CycleGraph":
        """Return a graph without some cycles, losses, adversaries or discriminators.

        A cycle takes along the adversaries and losses whose signals nothing else makes, and every discriminator
        that meets no generated signal any more.

        Args:
            *names: Names of terms or of discriminators.

        Returns:
            The new graph.

        Raises:
            GraphError: A name does not exist, or something that stays needs what would go.
        """
        return self._edited(_edits.without(self._request, self._meaning, names))

    def unshare(self, *networks: str) -> "CycleGraph":
        """Return a graph with one set of weights for each use: ``G_I`` becomes ``G_I_1``, ``G_I_2``.

        Args:
            *networks: Networks that are used more than once.

        Returns:
            The new graph.

        Raises:
            GraphError: A network does not exist or is used once.
        """
        return self._edited(_edits.unshare(self._request, self._meaning, networks))

    def reweight(self, weights: Mapping[str, float]) -> "CycleGraph":
        """Return a graph with other weights.

        Args:
            weights: Factors by term or by discriminator; what is not named keeps its weight.

        Returns:
            The new graph.

        Raises:
            GraphError: A name does not exist, or a weight is no finite number, zero or more.
        """
        merged = {term.name: term.weight for term in self.terms}
        for key, weight in weights.items():
            merged.update(dict.fromkeys(named_terms(key, self.terms) or [key], weight))
        return self.replace(weights=merged)

    def replace_adversary(self, adversaries: str) -> "CycleGraph":
        """Return a graph in which some discriminators judge something else.

        Args:
            adversaries: Lines as in ``adversaries=``; every discriminator named here judges just this.

        Returns:
            The new graph.

        Raises:
            NotationError: The text cannot be read, or names what the graph has not.
            GraphError: A discriminator is new to the graph.
        """
        return self._edited(_edits.replace_adversary(self._request, self._meaning, adversaries))

    # ------------------------------------------------------------------ shown and stored

    def __str__(self) -> str:
        """Return the equations and a table: term, weight, criterion, who pays, who learns."""
        return _draw.text(self)

    def __repr__(self) -> str:
        """Return the graph as the call that makes it."""
        usual = {name: parameter.default for name, parameter in signature(CycleGraph).parameters.items()}
        said = (
            f"{name}={value!r}"
            for name, value in self._arguments().items()
            if usual[name] is Parameter.empty or (value and value not in (usual[name], Schedule()))
        )
        return f"CycleGraph({', '.join(said)})"

    def to_mermaid(self) -> str:
        """Return the graph as a Mermaid flowchart, for a README or a notebook.

        Returns:
            Text that begins with ``flowchart LR``.
        """
        return _draw.mermaid(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the graph as JSON-ready data.

        Returns:
            Data that `from_dict` turns into an equal graph.
        """
        return {
            **self._arguments(),
            "signals": {name: domain.to_dict() for name, domain in self._request.signals.items()},
            **{name: list(getattr(self._request, name)) for name in ("functions", "frozen", "optional")},
            "schedule": self.schedule.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "CycleGraph":
        """Rebuild a graph from `to_dict`'s data.

        Args:
            data: The arguments by name.

        Returns:
            An equal graph.

        Raises:
            GraphError: The data is no graph.
        """
        try:
            arguments = dict(data)
            arguments["signals"] = {name: Domain.from_dict(kind) for name, kind in data["signals"].items()}
            arguments["schedule"] = Schedule.from_dict(data["schedule"])
            return cls(**arguments)
        except (KeyError, TypeError, AttributeError) as error:
            raise GraphError(f"this is not the data of a graph: {type(error).__name__}: {error}") from error

    def __eq__(self, other: object) -> bool:
        """Whether both say the same; white space and comments do not count."""
        return isinstance(other, CycleGraph) and self._key == other._key

    def __hash__(self) -> int:
        """Hash what is compared."""
        return hash(self._key)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as data."""
        return (_graph, (self._arguments(),))

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse to change a graph."""
        if "_sealed" in self.__dict__:
            raise AttributeError(f"a graph never changes; CycleGraph.replace({name}=...) returns a new one")
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        """Refuse to change a graph."""
        raise AttributeError(f"a graph never changes; {name} cannot be deleted")

    def build(self, **options: "Unpack[ModelOptions]") -> "CycleModel":
        """Return a model with networks for this graph; see `cyclekit.CycleModel` for the options.

        Args:
            **options: ``generators``, ``discriminators``, ``functions``, ``criteria``, ``size``.

        Returns:
            An ``nn.Module``.
        """
        from cyclekit.model import CycleModel  # torch enters here, not with the graph

        return CycleModel(self, **options)

    # ------------------------------------------------------------------ inside

    @cached_property
    def _key(self) -> tuple[object, ...]:
        request = self._request
        return (
            frozenset(request.signals.items()),
            request.flows,
            request.judgements,
            self.terms,
            frozenset(request.functions),
            frozenset(request.frozen),
            self.schedule,
        )

    @cached_property
    def _makers(self) -> dict[str, Evaluation]:
        return makers(self._meaning)

    def _arguments(self) -> dict[str, Any]:
        """Return what makes an equal graph when it is passed to `CycleGraph`."""
        stored = {entry.name: getattr(self._request, entry.name) for entry in fields(Request)}
        return {name: dict(value) if isinstance(value, Mapping) else value for name, value in stored.items()}

    def _edited(self, request: Request) -> "CycleGraph":
        return CycleGraph(**{entry.name: getattr(request, entry.name) for entry in fields(Request)})

    def _plan(self, player: Player, chosen: set[str] | None) -> PlayerPlan:
        terms = (
            term
            for term in self.paid_by(player)
            if (chosen is None or term.name in chosen) and self.learners(term, player)
        )
        return plan_player(self._meaning, self._makers, terms, player)


def _graph(arguments: dict[str, Any]) -> CycleGraph:
    return CycleGraph(**arguments)
