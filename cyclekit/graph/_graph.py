"""The declarative cycle graph."""

import warnings
from collections.abc import Iterable, Mapping
from functools import cached_property
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from cyclekit._suggest import suggestion
from cyclekit.graph import _draw, _edits
from cyclekit.graph._domains import Domain
from cyclekit.graph._errors import GraphError, GraphWarning
from cyclekit.graph._notation import parse_adversaries, parse_cycles, parse_losses, parse_maps
from cyclekit.graph._plan import Call, Evaluation, Plan, PlayerPlan, expression, ordered
from cyclekit.graph._resolve import Network, Request, resolve
from cyclekit.graph._schedule import Schedule
from cyclekit.graph._terms import Adversary, Comparison, Player, Term, named_terms

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
        signals: The domain of every signal a batch carries, and of generated signals whose domain follows from
            nothing else.
        cycles: Named flows that return to a signal they came through: ``I2I2I: x -G-> y* -F-> x* ~ x``.
        maps: Flows that are no cycle: ``[x, Ly] -G-> y*``.
        adversaries: ``D: [x, y*] vs [x, y]``; the left side is generated, the right side trains only ``D``.
        losses: Further comparisons: ``y* ~ y``, with maps of their own (``idt: B -G-> _ ~ B``) or a named
            criterion (``masked(y* ~ y, M)``).
        weights: Factors by term or by discriminator; 1 where nothing is said. A term of weight 0 is not computed.
        criteria: Criteria by term, adversarial losses by term or discriminator, by their registered names. Where
            nothing is said a comparison is ``l1``, with a label ``cross_entropy``.
        payers: ``"generators"`` or ``"discriminators"`` by comparison, where it is not as usual: a comparison of
            a discriminator's head on real inputs is the discriminators' to pay, every other the generators'.
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
        texts = {"cycles": cycles, "maps": maps, "adversaries": adversaries, "losses": losses}
        for name, text in texts.items():
            if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise GraphError(f"{name} must be text, got {type(text).__name__}")
        for argument, names in (("functions", functions), ("frozen", frozen), ("optional", optional)):
            if isinstance(names, str):
                raise GraphError(
                    f"{argument} must be a list of names, got the text {names!r}: write [{names!r}]"
                )
        _check_domains(signals)
        texts = {name: cleandoc(text) for name, text in texts.items()}
        request = Request(
            signals=dict(signals),
            texts=texts,
            cycles=parse_cycles(texts["cycles"]),
            maps=parse_maps(texts["maps"]),
            losses=parse_losses(texts["losses"]),
            adversaries=parse_adversaries(texts["adversaries"]),
            weights=dict(weights or {}),
            criteria=dict(criteria or {}),
            payers=dict(payers or {}),
            adversarial=adversarial,
            functions=tuple(functions),
            frozen=tuple(frozen),
            optional=tuple(optional),
        )
        self.request = request
        self._resolved = resolve(request)
        self._schedule = schedule or Schedule()
        self._check_schedule()
        object.__setattr__(self, "_sealed", True)

    # ------------------------------------------------------------------ what it says

    @property
    def signals(self) -> dict[str, Domain]:
        """The domain of every signal, given and generated, by name."""
        return dict(self._resolved.domains)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The signals a batch carries."""
        return self._resolved.inputs

    @property
    def generated(self) -> tuple[str, ...]:
        """The signals networks make and the texts name, in order of appearance."""
        return tuple(name for name in self._resolved.makers if "(" not in name)

    @property
    def networks(self) -> dict[str, Network]:
        """Every network by name: its role, its inputs and its outputs. Functions are left out."""
        return {name: net for name, net in self._resolved.networks.items() if net.role != "function"}

    @property
    def generators(self) -> tuple[str, ...]:
        """The generators' names in order of appearance."""
        return tuple(name for name, net in self.networks.items() if net.role == "generator")

    @property
    def discriminators(self) -> tuple[str, ...]:
        """The discriminators' names in order of appearance."""
        return self.request.discriminators

    @property
    def functions(self) -> tuple[str, ...]:
        """The names of maps without parameters, built-in ones included."""
        return tuple(name for name, net in self._resolved.networks.items() if net.role == "function")

    @property
    def frozen(self) -> tuple[str, ...]:
        """The generators that are used but not trained."""
        return self.request.frozen

    @property
    def terms(self) -> tuple[Term, ...]:
        """Every comparison and adversary, in order of appearance."""
        return self._resolved.terms

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every distinct use of a network in a flow, in order of appearance."""
        return self._resolved.calls

    @property
    def schedule(self) -> Schedule:
        """Who steps when."""
        return self._schedule

    @property
    def equations(self) -> dict[str, str]:
        """The four texts as they were written, comments included, without common indentation."""
        return dict(self.request.texts)

    def term(self, name: str) -> Term:
        """Return a term by its name.

        Args:
            name: As `terms` says it.

        Returns:
            The comparison or adversary.

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
        paid: list[Term] = []
        for term in self.terms:
            if isinstance(term, Adversary):
                pays = player == "discriminators" or term.generated
            else:
                pays = term.player == player
            if pays and term.weight > 0:
                paid.append(term)
        return tuple(paid)

    def learners(self, term: Term, player: Player) -> frozenset[str]:
        """Return the networks that receive a term's gradient when a player pays it.

        Args:
            term: One of `terms`.
            player: ``"generators"`` or ``"discriminators"``.

        Returns:
            Names of generators, or of discriminators.
        """
        roles = self._resolved.networks
        values = term.signals if isinstance(term, Comparison) else term.fake
        calls = [call for value in values for call in self._resolved.upstream.get(value, ())]
        if player == "generators":
            names = {call.network for call in calls if roles[call.network].role == "generator"}
            return frozenset(names - set(self.frozen))
        if isinstance(term, Adversary):
            return frozenset({term.discriminator})
        return frozenset(call.network for call in calls if roles[call.network].role == "discriminator")

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
            if name not in self._resolved.domains and name not in self._makers:
                raise GraphError(
                    f"no signal is called {name!r}{suggestion(name, [*self.inputs, *self.generated])}"
                )
        return ordered(signals, self._makers)

    def at_step(self, step: int) -> "CycleGraph":
        """Return the graph that is trained at a step: with stand-ins in place while their time runs.

        Args:
            step: Steps taken so far.

        Returns:
            This graph once every stand-in has had its time.
        """
        replaced = {s.network: s.by for s in self.schedule.stand_ins if step < s.steps}
        return _edits.stand_in(self, replaced) if replaced else self

    def check(self) -> None:
        """Check what need not hold for a graph to be drawn or edited, but must before it is trained.

        `build` calls it.

        Raises:
            GraphError: No term trains a generator, or a term trains nobody.
        """
        pending = [t for t in self.terms if t.weight > 0]
        for term in pending:
            players: list[Player] = ["generators"] if isinstance(term, Comparison) else ["discriminators"]
            if isinstance(term, Comparison) and term.player == "discriminators":
                players = ["discriminators"]
            if not any(self.learners(term, player) for player in players):
                raise GraphError(
                    f"the term {term.name!r} ({term.equation}) trains nobody: no network that learns makes its "
                    "signals; give it a generated signal, or weight 0"
                )
        trained = {name for learners in self.gradient_flow().values() for name in learners}
        for name in self.generators:
            if name not in trained and name not in self.frozen:
                raise GraphError(
                    f"no term trains the generator {name!r}: compare one of its results, judge it by a "
                    "discriminator, or declare it in frozen="
                )
        needed = {value for term in pending for value in self._needs(term)}
        idle = [name for name in (*self.inputs, *self.generated) if name not in needed]
        if idle:
            warnings.warn(f"no loss needs the signals {', '.join(idle)}", GraphWarning, stacklevel=3)

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
        return CycleGraph(**{**self._fields(), **fields})  # pyright: ignore[reportArgumentType]

    def without(self, *names: str) -> "CycleGraph":
        """Return a graph without some cycles, losses, adversaries or discriminators.

        A cycle takes along the adversaries and losses whose signals nothing else makes.

        Args:
            *names: Names of terms or of discriminators.

        Returns:
            The new graph.

        Raises:
            GraphError: A name does not exist, or something that stays needs what would go.
        """
        return _edits.without(self, names)

    def unshare(self, *networks: str) -> "CycleGraph":
        """Return a graph with one set of weights for each use: ``G_I`` becomes ``G_I_1``, ``G_I_2``.

        Args:
            *networks: Networks that are used more than once.

        Returns:
            The new graph.

        Raises:
            GraphError: A network does not exist or is used once.
        """
        return _edits.unshare(self, networks)

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
        return _edits.replace_adversary(self, adversaries)

    # ------------------------------------------------------------------ shown and stored

    def __str__(self) -> str:
        """Return the equations and a table: term, weight, criterion, who pays, who learns."""
        return _draw.text(self)

    def __repr__(self) -> str:
        """Return the graph as the call that makes it."""
        fields = ", ".join(f"{name}={value!r}" for name, value in self._fields().items() if value)
        return f"CycleGraph({fields})"

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
        request = self.request
        return {
            "signals": {name: domain.to_dict() for name, domain in request.signals.items()},
            **request.texts,
            "weights": dict(request.weights),
            "criteria": dict(request.criteria),
            "payers": dict(request.payers),
            "adversarial": request.adversarial,
            "functions": list(request.functions),
            "frozen": list(request.frozen),
            "optional": list(request.optional),
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
        fields = dict(data)
        try:
            signals = {name: Domain.from_dict(domain) for name, domain in fields.pop("signals").items()}
            schedule = Schedule.from_dict(fields.pop("schedule"))
            return cls(signals, schedule=schedule, **fields)
        except (KeyError, TypeError, AttributeError) as error:
            raise GraphError(f"this is not the data of a graph: {error}") from error

    def __eq__(self, other: object) -> bool:
        """Whether both say the same; white space and comments do not count."""
        return isinstance(other, CycleGraph) and self._key == other._key

    def __hash__(self) -> int:
        """Hash what is compared."""
        return hash(self._key)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as data."""
        return (CycleGraph.from_dict, (self.to_dict(),))

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse to change a graph."""
        if "_sealed" in self.__dict__:
            raise AttributeError(f"a graph never changes; CycleGraph.replace({name}=...) returns a new one")
        object.__setattr__(self, name, value)

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
        request = self.request
        return (
            tuple(request.signals.items()),
            request.cycles,
            request.maps,
            request.losses,
            request.adversaries,
            self.terms,
            frozenset(request.functions),
            frozenset(request.frozen),
            self.schedule,
        )

    def _fields(self) -> dict[str, Any]:
        request = self.request
        return {
            "signals": dict(request.signals),
            **request.texts,
            "weights": dict(request.weights),
            "criteria": dict(request.criteria),
            "payers": dict(request.payers),
            "adversarial": request.adversarial,
            "functions": request.functions,
            "frozen": request.frozen,
            "optional": request.optional,
            "schedule": self.schedule,
        }

    @cached_property
    def _makers(self) -> dict[str, Evaluation]:
        """Which evaluation makes each value, judgements included."""
        roles = self._resolved.networks
        makers: dict[str, Evaluation] = {}
        judged: dict[tuple[str, tuple[str, ...]], dict[str, str]] = {}
        for call in self.calls:
            if call.head is not None:
                judged.setdefault((call.network, call.inputs), {})[call.head] = call.outputs[0]
            else:
                evaluation = Evaluation(call.network, call.inputs, call.outputs)
                makers.update(dict.fromkeys(call.outputs, evaluation))
        for term in self.terms:
            if isinstance(term, Adversary):
                judged.setdefault((term.discriminator, term.fake), {})
                judged.setdefault((term.discriminator, term.real), {})
        for (network, inputs), heads in judged.items():
            if roles[network].role == "discriminator":
                judgement = expression(network, inputs)
                evaluation = Evaluation(network, inputs, (judgement,), tuple(heads.items()))
                makers.update(dict.fromkeys(evaluation.makes, evaluation))
        return makers

    def _wanted(self, term: Term, player: Player) -> tuple[str, ...]:
        """Return the values a player needs for a term."""
        if isinstance(term, Comparison):
            return term.signals
        fake = expression(term.discriminator, term.fake)
        if player == "generators":
            return (fake,)
        return (fake, expression(term.discriminator, term.real))

    def _needs(self, term: Term) -> set[str]:
        """Return every signal that a term needs, directly or on the way."""
        signals = set(term.signals)
        for value in term.signals:
            for call in self._resolved.upstream.get(value, ()):
                signals.update((*call.inputs, *call.outputs))
        return signals

    def _plan(self, player: Player, chosen: set[str] | None) -> PlayerPlan:
        terms = [term for term in self.paid_by(player) if chosen is None or term.name in chosen]
        makers = self._makers
        if player == "discriminators":
            makers = {value: maker for value, maker in makers.items() if not self._is_generated(value)}
        wanted = [value for term in terms for value in self._wanted(term, player)]
        evaluations = ordered(wanted, makers)
        made = {value for evaluation in evaluations for value in evaluation.makes}
        read = dict.fromkeys([value for e in evaluations for value in e.inputs] + wanted)
        needed = [value for value in read if value not in made]
        return PlayerPlan(
            evaluations,
            tuple(term.name for term in terms),
            tuple(value for value in needed if value in self.inputs),
            tuple(value for value in needed if value not in self.inputs),
        )

    def _is_generated(self, value: str) -> bool:
        """Whether a value comes from a generator without a discriminator's judgement on the way."""
        roles = {
            self._resolved.networks[call.network].role for call in self._resolved.upstream.get(value, ())
        }
        return "generator" in roles and "discriminator" not in roles

    def _check_schedule(self) -> None:
        known = ("generators", "discriminators", *self.networks)
        for player in self.schedule.order:
            if player not in known:
                raise GraphError(
                    f"Schedule(order=...) names {player!r}, no network{suggestion(player, known)}"
                )
        trained = [name for name in self.networks if name not in self.frozen]
        kinds = {"generators": set(self.generators), "discriminators": set(self.discriminators)}
        stepping = [name for player in self.schedule.order for name in kinds.get(player, {player})]
        for name in trained:
            if stepping.count(name) != 1:
                raise GraphError(
                    f"Schedule(order={self.schedule.order}) steps {name!r} {stepping.count(name)} times a round: "
                    "each network that learns steps once"
                )
        for stand_in in self.schedule.stand_ins:
            if stand_in.network not in self.generators:
                raise GraphError(
                    f"StandIn(network={stand_in.network!r}) names no generator"
                    f"{suggestion(stand_in.network, self.generators)}"
                )
            if stand_in.by in self.discriminators:
                raise GraphError(
                    f"StandIn(by={stand_in.by!r}): a discriminator cannot stand in for a generator"
                )


def _check_domains(signals: Mapping[str, Domain]) -> None:
    for name, domain in signals.items():
        if not isinstance(domain, Domain):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise GraphError(
                f"signals[{name!r}] must be a domain such as Image(3), got {domain!r}"
                + (f"; did you mean {domain.__name__}(...)?" if isinstance(domain, type) else "")
            )
        if not name.rstrip("*").isidentifier() or name in ("_", "vs"):
            raise GraphError(
                f"signals names {name!r}: a signal's name is a word, maybe with stars, not '_' or 'vs'"
            )
