"""The declarative cycle graph."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import KW_ONLY, FrozenInstanceError, asdict, dataclass, field, fields
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, cast

from cyclekit._registry import suggestion
from cyclekit.errors import GraphError
from cyclekit.graph import check, draw, edits
from cyclekit.graph.diff import diff
from cyclekit.graph.domains import Domain, Noise
from cyclekit.graph.latex import latex
from cyclekit.graph.notation import Statements
from cyclekit.graph.options import Keys, adjusted
from cyclekit.graph.plan import (
    Evaluation,
    LossPlan,
    Plan,
    backward_groups,
    find_makers,
    learners,
    plan_loss,
    plan_signals,
)
from cyclekit.graph.resolve import Call, Meaning, Network, resolve
from cyclekit.graph.schedule import Ramp, Schedule, StandIn, Weight
from cyclekit.graph.terms import Side, Term, find_terms

if TYPE_CHECKING:
    from cyclekit.model import CycleModel, ModelOptions


class GraphFields(TypedDict, total=False):
    """The arguments of `CycleGraph`, for `CycleGraph.replace`."""

    signals: Mapping[str, Domain]
    cycles: str
    maps: str
    adversaries: str
    losses: str
    weights: Mapping[str, Weight]
    criteria: Mapping[str, str]
    adversarial: str
    functions: Collection[str]
    frozen: Collection[str]
    optional: Collection[str] | Mapping[str, str | None]
    schedule: Schedule


@dataclass(frozen=True, eq=False, repr=False)
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
        weights: Factors by term, discriminator, pattern (``"cc*"``) or criterion, 1 by default; a `Ramp` changes
            over training steps. A term of weight 0 is not computed, a comparison of negative weight is maximised.
        criteria: Criteria by term, adversarial losses by term or discriminator, by their registered names.
            By default a comparison is ``l1``, with a label or a map of classes ``cross_entropy``.
        adversarial: The default adversarial loss: ``lsgan``, ``log``, ``hinge``.
        functions: Names in flows that are functions without parameters, passed to `build`; ``add`` is known.
        frozen: Generators that are used but not trained.
        optional: Terms that a batch without their signals leaves out; a dict says of a comparison which signal,
            a ``Vector(1)`` of 0 and 1, tells the samples of a batch that have what it needs.
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

    signals: Mapping[str, Domain]
    _: KW_ONLY
    cycles: str = ""
    maps: str = ""
    adversaries: str = ""
    losses: str = ""
    weights: Mapping[str, Weight] = field(default_factory=dict[str, Weight])
    criteria: Mapping[str, str] = field(default_factory=dict[str, str])
    adversarial: str = "lsgan"
    functions: Collection[str] = ()
    frozen: Collection[str] = ()
    optional: Collection[str] | Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])
    schedule: Schedule = field(default_factory=Schedule)

    def __post_init__(self) -> None:
        for name, value in self._arguments().items():
            object.__setattr__(self, name, check.argument(name, value))
        check.check_names(self)
        check.check_targets(self)
        check.check_schedule(self)

    # ------------------------------------------------------------------ what it says

    @property
    def domains(self) -> Mapping[str, Domain]:
        """The domain of every signal, given and generated; a result without a name goes by its expression."""
        return MappingProxyType(self._meaning.domains)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The signals a batch carries."""
        return self._meaning.inputs

    @property
    def generated(self) -> tuple[str, ...]:
        """The signals networks make and the texts name, in order of appearance."""
        return tuple(name for name in self._meaning.uses.makers if "(" not in name)

    @property
    def networks(self) -> Mapping[str, Network]:
        """Every network by name: its role, its inputs and its outputs. Functions are left out."""
        return MappingProxyType({n: net for n, net in self._meaning.networks.items() if net.role != "function"})

    @property
    def generators(self) -> tuple[str, ...]:
        """The generators' names in order of appearance."""
        return self._meaning.named("generator")

    @property
    def discriminators(self) -> tuple[str, ...]:
        """The discriminators' names in order of appearance."""
        return self.statements.discriminators

    @property
    def all_functions(self) -> tuple[str, ...]:
        """The names of maps without parameters, built-in ones included."""
        return self._meaning.named("function")

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """Every comparison, adversary and regularizer, in order of appearance."""
        found = find_terms(self.statements, self._meaning, self.adversarial)
        optional = cast("Mapping[str, str | None]", self.optional)
        return adjusted(found, weights=self.weights, criteria=self.criteria, optional=optional)

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every distinct use of a network in a flow, in order of appearance."""
        return self._meaning.uses.calls

    @property
    def equations(self) -> dict[str, str]:
        """The four texts as they were written, comments included, without common indentation."""
        return {name: getattr(self, name) for name in ("cycles", "maps", "adversaries", "losses")}

    def judges(self, discriminator: str) -> bool:
        """Return whether a discriminator stands in an adversary; one with heads alone is a classifier.

        Args:
            discriminator: Its name.

        Returns:
            Whether it judges.
        """
        return discriminator in self.statements.adversarial

    def term(self, name: str) -> Term:
        """Return a term by its name.

        Args:
            name: As `terms` says it.

        Returns:
            The comparison, adversary or regularizer.

        Raises:
            GraphError: There is no such term.
        """
        if name not in self._by_name:
            raise GraphError(f"no term is called {name!r}{suggestion(name, self._by_name)}")
        return self._by_name[name]

    def side_of(self, player: str) -> Side:
        """Return whether a player is among the generators or the discriminators.

        Args:
            player: An entry of the schedule's order: a side, or a network's name.

        Returns:
            The side whose loss it minimises.
        """
        return "discriminators" if player == "discriminators" or player in self.discriminators else "generators"

    def networks_of(self, player: str) -> tuple[str, ...]:
        """Return the networks that step when a player does.

        Args:
            player: An entry of the schedule's order: a side, or a network's name.

        Returns:
            The networks' names, frozen ones left out.
        """
        kinds = {"generators": self.generators, "discriminators": self.discriminators}
        return tuple(name for name in kinds.get(player, (player,)) if name not in self.frozen)

    # ------------------------------------------------------------------ what follows from it

    def minimised_by(self, side: Side) -> tuple[Term, ...]:
        """Return the terms that a side's loss sums, those of weight 0 left out.

        Args:
            side: ``"generators"`` or ``"discriminators"``.

        Returns:
            The terms in order of appearance; an adversary is a part of both losses.

        Raises:
            GraphError: There is no such side.
        """
        check.check_side(side)
        return tuple(term for term in self.terms if term.weight != 0 and term.minimised_by(side))

    def learners(
        self, term: Term, side: Side, *, stopped: Mapping[str, Collection[int]] = MappingProxyType({})
    ) -> frozenset[str]:
        """Return the networks that receive a term's gradient when a side minimises it.

        Args:
            term: One of `terms`.
            side: ``"generators"`` or ``"discriminators"``.
            stopped: By function or term, the places of the inputs that it passes no gradient to.

        Returns:
            Names of generators, or of discriminators.
        """
        return learners(self._meaning, self.frozen, term, side, stopped)

    def gradient_flow(self) -> dict[str, frozenset[str]]:
        """Return for each term of the generators' loss the networks whose parameters receive its gradient.

        Returns:
            Names of generators by term. In C2GAN ``K2G2K`` trains ``G_I`` as well as ``G_K``.
        """
        return {term.name: self.learners(term, "generators") for term in self.minimised_by("generators")}

    def due(self, player: str, carried: Collection[str] | None = None, iteration: int | None = None) -> tuple[str, ...]:
        """Return the terms that a player minimises in a training step.

        Left out are terms of weight 0, terms that train none of the player's networks (stand-ins do not
        learn), adversaries that judge what a stand-in makes, terms whose weight has come down to 0 (`Ramp`),
        optional terms whose signals a batch lacks, and penalties in the steps between two that pay them
        (`Schedule.penalty_interval`).

        Args:
            player: An entry of the schedule's order: a side, or a network's name.
            carried: The signals a batch carries; everything by default.
            iteration: Training steps taken so far; by default stand-ins have had their time, and penalties
                are due.

        Returns:
            Names of terms, in order of appearance.
        """
        standing = () if iteration is None else self._standing(iteration)
        resting = iteration is not None and iteration % self.schedule.penalty_interval != 0
        lacking = (
            () if carried is None else tuple(n for n, needs in self._optional.items() if needs.difference(carried))
        )
        over = () if iteration is None else self._over(iteration)
        key = (player, standing, resting, lacking, over)
        if key not in self._known_due:
            side, networks, now = self.side_of(player), frozenset(self.networks_of(player)), self._with(standing)
            self._known_due[key] = tuple(
                term.name
                for term, current in zip(self.terms, now.terms, strict=True)  # stand-ins may change a term's name
                if current.weight != 0
                and term.name not in over
                and term.minimised_by(side)
                and not (resting and term.measure == "penalty")
                and term.name not in lacking
                and not networks.isdisjoint(now.learners(current, side))
            )
        return self._known_due[key]

    def resting(self, step: int) -> frozenset[str]:
        """Return the terms that weigh something, but not at a step.

        Args:
            step: Training steps taken so far.

        Returns:
            Names of adversaries that judge what a stand-in makes, and of terms whose weight has come down to 0.
        """
        places = zip(self.terms, self.at_step(step).terms, strict=True)
        return frozenset((*self._over(step), *(was.name for was, now in places if was.weight != 0 and now.weight == 0)))

    def plan(self, terms: Iterable[str] | None = None, *, against_real: Collection[str] = ()) -> Plan:
        """Return what each loss computes, in order: shared evaluations once, unneeded ones not at all.

        Args:
            terms: Plan for these terms alone; by default for all of a weight other than 0.
            against_real: Adversaries whose loss compares with the real side for the generators too, as
                relativistic losses do.

        Returns:
            The plans of both losses.

        Raises:
            GraphError: A named term does not exist.
        """
        chosen = None if terms is None else {self.term(name).name for name in terms}
        return Plan(
            self._plan("generators", chosen, {self.term(name).name for name in against_real}),
            self._plan("discriminators", chosen),
        )

    def backward_groups(self, terms: Iterable[str]) -> list[list[str]]:
        """Return the generators' terms that are back-propagated together, as the schedule wants it.

        Args:
            terms: Names of terms.

        Returns:
            All of them, or each cycle's with those that need nothing but what it makes.

        Raises:
            GraphError: A named term does not exist.
        """
        found = [self.term(name) for name in terms]
        if self.schedule.backward == "joint":
            return [[term.name for term in found]]
        return backward_groups(self._meaning, self._makers, found)

    def evaluations(self, *signals: str, known: Collection[str] = ()) -> tuple[Evaluation, ...]:
        """Return what has to be computed for some generated signals, in order.

        Args:
            *signals: Names of generated signals.
            known: Signals that are there already.

        Returns:
            The evaluations; none for signals the batch carries.

        Raises:
            GraphError: A signal does not exist.
        """
        return self._way(signals, known)[0]

    def requires(self, *signals: str, known: Collection[str] = ()) -> tuple[str, ...]:
        """Return the signals that a batch must carry for some signals.

        Args:
            *signals: Names of signals.
            known: Generated signals that are there already.

        Returns:
            Names of inputs.

        Raises:
            GraphError: A signal does not exist.
        """
        return self._way(signals, known)[1]

    def at_step(self, step: int) -> "CycleGraph":
        """Return the graph that is trained at a step: with stand-ins in place while their time runs.

        Adversaries that judge what a stand-in makes weigh 0 in it.

        Args:
            step: Training steps taken so far.

        Returns:
            This graph once every stand-in has had its time.
        """
        return self._with(self._standing(step))

    def check(self) -> None:
        """Check what need not hold for a graph to be drawn or edited, but must before it is trained.

        `build` calls it.

        Raises:
            GraphError: No term trains a generator, or a term trains nobody.
        """
        check.check_trainable(self)

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
        return edits.without(self._draft, names)

    def unshare(self, *networks: str) -> "CycleGraph":
        """Return a graph with one set of weights for each use: ``G_I`` becomes ``G_I_1``, ``G_I_2``.

        Args:
            *networks: Networks that are used more than once.

        Returns:
            The new graph.

        Raises:
            GraphError: A network does not exist or is used once.
        """
        return edits.unshare(self._draft, networks)

    def reweight(self, weights: Mapping[str, Weight]) -> "CycleGraph":
        """Return a graph with other weights.

        Args:
            weights: Factors as for `CycleGraph`; what is not named keeps its weight.

        Returns:
            The new graph.

        Raises:
            GraphError: A name does not exist, or a weight is neither a finite number nor a `Ramp`.
        """
        new = Keys(self.terms).options(weights, "weights")
        return self.replace(weights={term.name: new.get(term.name, term.weight) for term in self.terms})

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
        return edits.replace_adversary(self._draft, adversaries)

    # ------------------------------------------------------------------ shown and stored

    def __str__(self) -> str:
        """Return the equations and a table: term, weight, criterion, whose loss it is a part of, whom it trains."""
        return draw.text(self)

    def __repr__(self) -> str:
        """Return the graph as the call that makes it."""
        said = (
            f"{entry.name}={value!r}"
            for entry, value in zip(fields(self), self._arguments().values(), strict=True)
            if entry.name == "signals" or (value and value not in (entry.default, Schedule()))
        )
        return f"CycleGraph({', '.join(said)})"

    def to_mermaid(self) -> str:
        """Return the graph as a Mermaid flowchart, for a README or a notebook.

        Returns:
            Text that begins with ``flowchart LR``.
        """
        return draw.mermaid(self)

    def to_latex(self) -> str:
        """Return the objective as a paper prints it: the maps, every term with its expectation, who minimises what.

        Returns:
            An ``aligned`` environment, for a displayed equation; it needs the packages amsmath and amssymb.
        """
        return latex(self)

    def diff(self, other: "CycleGraph") -> str:
        """Return what another graph says otherwise.

        Args:
            other: The other graph.

        Returns:
            One line a difference: ``-`` is said here alone, ``+`` there alone, ``~`` otherwise; empty where both
            are equal.
        """
        return diff(self, other)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Return what a notebook shows: the diagram and the table of terms."""
        del include, exclude
        return {"text/plain": draw.text(self), "text/markdown": draw.markdown(self)}

    def to_dict(self) -> dict[str, Any]:
        """Return the graph as JSON-ready data.

        Returns:
            Data that `from_dict` turns into an equal graph.
        """
        return {
            **self._arguments(),
            "signals": {name: domain.to_dict() for name, domain in self.signals.items()},
            "weights": {key: asdict(w) if isinstance(w, Ramp) else w for key, w in self.weights.items()},
            **{name: list(getattr(self, name)) for name in ("functions", "frozen")},
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
        if not isinstance(data, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise GraphError(f"this is not the data of a graph: expected a dict, got {type(data).__name__}")
        if missing := [name for name in ("signals", "schedule") if name not in data]:
            raise GraphError(f"this is not the data of a graph: {' and '.join(missing)} is missing")
        try:
            arguments = dict(data)
            arguments["signals"] = {name: Domain.from_dict(kind) for name, kind in data["signals"].items()}
            arguments["schedule"] = Schedule.from_dict(data["schedule"])
            weights = dict(data.get("weights", {}))
            arguments["weights"] = {key: Ramp(**w) if isinstance(w, Mapping) else w for key, w in weights.items()}
            return cls(**arguments)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            if isinstance(error, GraphError):
                raise
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
    def statements(self) -> Statements:
        """The four texts, parsed."""
        return Statements.read(self.equations)

    @cached_property
    def _meaning(self) -> Meaning:
        return resolve(self.statements, self.signals, tuple(self.functions))

    @cached_property
    def _by_name(self) -> dict[str, Term]:
        return {term.name: term for term in self.terms}

    @cached_property
    def _ramps(self) -> dict[str, Ramp]:
        return {term.name: term.weight for term in self.terms if isinstance(term.weight, Ramp)}

    @cached_property
    def _makers(self) -> dict[str, Evaluation]:
        return find_makers(self._meaning, self.terms)

    @cached_property
    def _draft(self) -> edits.Draft:
        return edits.Draft.of(self, self.statements, self._meaning)

    @cached_property
    def _optional(self) -> dict[str, frozenset[str]]:
        """The signals a batch must carry for each optional term."""
        drawn = {name for name, domain in self.signals.items() if isinstance(domain, Noise)}
        return {
            term.name: frozenset(self.requires(*term.signals, *filter(None, [term.where]))) - drawn
            for term in self.terms
            if term.optional
        }

    @cached_property
    def _known_due(self) -> dict[tuple[object, ...], tuple[str, ...]]:
        """What `due` has found, since every training step asks."""
        return {}

    @cached_property
    def _earlier(self) -> dict[tuple[StandIn, ...], "CycleGraph"]:
        """The graph while stand-ins take networks' places, by those stand-ins."""
        return {(): self}

    @cached_property
    def _key(self) -> tuple[object, ...]:
        """What is compared: the texts as they are understood, and what the options make of the terms."""
        return (
            frozenset(self.signals.items()),
            self.statements.flows,
            self.statements.adversaries,
            self.terms,
            frozenset(self.functions),
            frozenset(self.frozen),
            self.schedule,
        )

    def _arguments(self) -> dict[str, Any]:
        """Return what makes an equal graph when it is passed to `CycleGraph`."""
        stored = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return {name: dict(value) if isinstance(value, Mapping) else value for name, value in stored.items()}

    def _plan(self, side: Side, chosen: Collection[str] | None, against_real: Collection[str] = ()) -> LossPlan:
        terms = (
            term
            for term in self.minimised_by(side)
            if (chosen is None or term.name in chosen) and self.learners(term, side)
        )
        return plan_loss(self._meaning, self._makers, terms, side, against_real)

    def _standing(self, step: int) -> tuple[StandIn, ...]:
        return tuple(stand_in for stand_in in self.schedule.stand_ins if step < stand_in.steps)

    def _over(self, step: int) -> tuple[str, ...]:
        """Return the terms whose weight has come down to 0."""
        return tuple(name for name, ramp in self._ramps.items() if ramp.is_over(step))

    def _with(self, standing: tuple[StandIn, ...]) -> "CycleGraph":
        if standing not in self._earlier:
            self._earlier[standing] = edits.stand_in(self._draft, standing)
        return self._earlier[standing]

    def _way(self, signals: Iterable[str], known: Collection[str]) -> tuple[tuple[Evaluation, ...], tuple[str, ...]]:
        signals = tuple(signals)
        for name in signals:
            if name not in self._meaning.domains and name not in self._makers:
                raise GraphError(f"no signal is called {name!r}{suggestion(name, [*self.inputs, *self.generated])}")
        return plan_signals(self._makers, signals, known)


def _graph(arguments: dict[str, Any]) -> CycleGraph:
    return CycleGraph(**arguments)


def _refuse(graph: CycleGraph, name: str, *_: object) -> None:
    raise FrozenInstanceError(f"a graph never changes; CycleGraph.replace({name}=...) returns a new one")


# A frozen dataclass refuses by itself, and says less.
type.__setattr__(CycleGraph, "__setattr__", _refuse)
type.__setattr__(CycleGraph, "__delattr__", _refuse)
