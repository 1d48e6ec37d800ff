"""A graph with networks."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias, TypedDict, Unpack

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from cyclekit._files import whole_folder
from cyclekit._objectives import (
    Batch,
    DiscriminatorObjective,
    Evaluator,
    GeneratorObjective,
    Losses,
    NetworkOutputError,
    Value,
)
from cyclekit._suggest import suggestion
from cyclekit.graph import Adversary, Comparison, CycleGraph, Domain, GraphError, Label, Latent, PlayerPlan
from cyclekit.graph._plan import expression
from cyclekit.graph._terms import Player
from cyclekit.losses import AdversarialLoss, Criterion, create_adversarial_loss, create_criterion
from cyclekit.nets import (
    ChecksSize,
    ImageSizeError,
    NetworkSpec,
    create_discriminator,
    create_generator,
)

__all__ = ["CycleModel", "Losses", "ModelOptions", "NetworkOutputError", "SignalError"]

NetworkChoice: TypeAlias = str | NetworkSpec | nn.Module
NetworkChoices: TypeAlias = NetworkChoice | Mapping[str, NetworkChoice]

GRAPH_FILE = "graph.json"
NETWORKS_FILE = "networks.json"
WEIGHTS_FILE = "model.safetensors"


class SignalError(ValueError):
    """A batch that lacks a signal, or carries one that does not fit its domain."""


class ModelOptions(TypedDict, total=False):
    """The options of `CycleGraph.build`: those of `CycleModel`."""

    generators: NetworkChoices
    discriminators: NetworkChoices
    functions: Mapping[str, Callable[..., Tensor]]
    criteria: Mapping[str, Criterion | AdversarialLoss]
    size: tuple[int, int]


class CycleModel(nn.Module):
    """The networks of a graph, what they generate, and what both players pay.

    Args:
        graph: What is computed and paid.
        generators: A registered name, a `cyclekit.nets.NetworkSpec`, or a module, for every generator; or a dict of these
            by network. Channels follow from the graph. A module is shared by nobody: give one for each network.
        discriminators: Likewise.
        functions: The graph's own functions by name: each takes its input signals and returns one tensor.
        criteria: Criteria and adversarial losses that are not registered, by the names the graph calls them.
        size: Height and width of the images, to find networks that cannot take them before the first batch.

    Raises:
        GraphError: The graph cannot be trained, or a network, function or criterion is missing or unknown.
        ImageSizeError: A network cannot take images of ``size``.

    Example:
        ```python
        import torch
        from cyclekit import CycleGraph, Image, NetworkSpec

        graph = CycleGraph(
            signals={"x": Image(3), "y": Image(3)},
            maps="x -G-> y*",
            adversaries="D: [x, y*] vs [x, y]",
            losses="y* ~ y",
        )
        model = graph.build(
            generators=NetworkSpec("unet_64", base_channels=4),
            discriminators=NetworkSpec("patchgan_16", base_channels=4),
        )
        batch = {"x": torch.zeros(2, 3, 64, 64), "y": torch.zeros(2, 3, 64, 64)}
        paid = model.generator_loss(batch)
        paid.total.backward()
        judged = model.discriminator_loss(batch, paid.signals)
        assert list(judged.terms) == ["D(y*)"]
        ```
    """

    def __init__(
        self,
        graph: CycleGraph,
        *,
        generators: NetworkChoices = "unet_256",
        discriminators: NetworkChoices = "patchgan_70",
        functions: Mapping[str, Callable[..., Tensor]] | None = None,
        criteria: Mapping[str, Criterion | AdversarialLoss] | None = None,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        graph.check()
        self.graph = graph
        self.specs: dict[str, NetworkSpec | None] = {}
        self.generators = nn.ModuleDict(self._networks("generators", graph.generators, generators))
        stand_ins = tuple(dict.fromkeys(stand_in.by for stand_in in graph.schedule.stand_ins))
        missing = [name for name in stand_ins if name not in self.generators]
        if missing:
            self.generators.update(self._stand_ins(missing, generators))
        self.discriminators = nn.ModuleDict(
            self._networks("discriminators", graph.discriminators, discriminators)
        )
        self._functions = _functions(graph, functions or {})
        self._own_criteria = dict(criteria or {})
        made = {name: self._criterion(name) for name in {term.criterion: None for term in graph.terms}}
        self._made_criteria = made
        # Criteria that are modules (a perceptual network) move with the model.
        self.criteria = nn.ModuleDict(
            {name: part for name, part in made.items() if isinstance(part, nn.Module)}
        )
        self._cache: dict[tuple[object, ...], GeneratorObjective | DiscriminatorObjective] = {}
        for name in {*graph.frozen, *stand_ins}:
            self.generators[name].requires_grad_(False)
        if size is not None:
            self._check_size(*size)

    # ------------------------------------------------------------------ use

    def generate(self, batch: Batch, signals: Iterable[str] | None = None) -> dict[str, Tensor]:
        """Return generated signals, without gradient.

        Args:
            batch: Signals by name: images and maps ``(batch, channels, height, width)`` in [-1, 1], vectors
                ``(batch, channels)``, labels one-hot or as integers ``(batch,)``.
            signals: What to generate; everything the batch's signals allow where nothing is said.

        Returns:
            The generated signals by name, images and maps in [-1, 1].

        Raises:
            SignalError: A signal is missing or does not fit its domain.
            GraphError: A name in ``signals`` is no generated signal.
        """
        if signals is None:
            chosen = tuple(name for name in self.graph.generated if self._lacks(name, batch) == ())
        else:
            chosen = tuple(signals)
            for name in chosen:
                if name not in self.graph.generated:
                    raise GraphError(
                        f"{name!r} is no generated signal{suggestion(name, self.graph.generated)}"
                    )
        values = self._computed(batch, chosen)
        return {name: values[name] for name in chosen}

    def generator_loss(
        self, batch: Batch, *, terms: Iterable[str] | None = None, step: int | None = None
    ) -> Losses:
        """Return what the generators pay; the discriminators' weights take no gradient from it.

        Args:
            batch: The input signals by name, as for `generate`.
            terms: Names of the terms to compute; all of positive weight where nothing is said.
            step: Steps taken so far, for stand-ins; they have had their time where nothing is said.

        Returns:
            Total, terms, and the generated signals with their gradient.

        Raises:
            SignalError: A signal is missing or does not fit its domain.
        """
        objective = self.generator_objective(self.active_terms(batch, "generators", terms), step=step)
        return objective(self.checked(batch, objective.plan.inputs))

    def discriminator_loss(
        self,
        batch: Batch,
        signals: Batch | None = None,
        history: Batch | None = None,
        *,
        terms: Iterable[str] | None = None,
    ) -> Losses:
        """Return what the discriminators pay; the generators take no gradient from it.

        Args:
            batch: The input signals by name, as for `generate`.
            signals: Generated signals, as `generator_loss` returned them; what is missing is generated.
            history: By adversary, the joined tuple to judge as generated instead, from a history pool.
            terms: Names of the terms to compute; all of positive weight where nothing is said.

        Returns:
            Total, scaled by the schedule's factor, and terms.

        Raises:
            SignalError: A signal is missing or does not fit its domain.
        """
        objective = self.discriminator_objective(self.active_terms(batch, "discriminators", terms))
        given = self._given(batch, signals or {}, objective.plan.given)
        return objective(self.checked(batch, objective.plan.inputs), given, history)

    def fakes(self, batch: Batch, signals: Batch) -> dict[str, Tensor]:
        """Return what each adversary judges as generated, for history pools.

        Args:
            batch: The input signals by name.
            signals: Generated signals, as `generator_loss` returned them.

        Returns:
            By adversary, the signals of its fake tuple joined along the channels, detached.
        """
        evaluator = self._evaluator(None)
        joined: dict[str, Tensor] = {}
        for name in self.active_terms(batch, "discriminators", None):
            term = self.graph.term(name)
            if isinstance(term, Adversary) and term.generated:
                values: dict[str, Value] = {**batch, **signals}
                joined[name] = evaluator.join(term.fake, values).detach()
        return joined

    def generator_objective(
        self,
        terms: Iterable[str] | None = None,
        *,
        networks: Iterable[str] | None = None,
        step: int | None = None,
    ) -> GeneratorObjective:
        """Return the generators' loss as a module, to compile or to wrap: ``objective(batch) -> Losses``.

        Args:
            terms: Names of the terms to compute; all of positive weight where nothing is said.
            networks: The generators that learn; all but frozen ones where nothing is said.
            step: Steps taken so far, for stand-ins.

        Returns:
            The module; its submodules are the generators that learn.
        """
        graph = self._graph_at(step)
        names = tuple(term.name for term in graph.paid_by("generators")) if terms is None else tuple(terms)
        learning = tuple(name for name in graph.generators if name not in graph.frozen)
        if networks is not None:
            learning = tuple(name for name in networks if name in learning)
        key = ("generators", names, learning, graph)
        if key not in self._cache:
            evaluator = self._evaluator(graph)
            plan = _with_real(graph, graph.plan(names).generators, self._made_criteria)
            self._cache[key] = GeneratorObjective(evaluator, plan, learning, self._by_term(plan.terms))
        return self._cache[key]  # pyright: ignore[reportReturnType]

    def discriminator_objective(
        self, terms: Iterable[str] | None = None, *, networks: Iterable[str] | None = None
    ) -> DiscriminatorObjective:
        """Return the discriminators' loss as a module: ``objective(batch, signals, history) -> Losses``.

        Args:
            terms: Names of the terms to compute; all of positive weight where nothing is said.
            networks: The discriminators that learn; all where nothing is said.

        Returns:
            The module; its submodules are the discriminators that learn.
        """
        names = tuple(t.name for t in self.graph.paid_by("discriminators")) if terms is None else tuple(terms)
        learning = self.graph.discriminators if networks is None else tuple(networks)
        key = ("discriminators", names, learning)
        if key not in self._cache:
            plan = self.graph.plan(names).discriminators
            self._cache[key] = DiscriminatorObjective(
                self._evaluator(None), plan, learning, self._by_term(plan.terms)
            )
        return self._cache[key]  # pyright: ignore[reportReturnType]

    def active_terms(
        self, batch: Batch, player: Player, terms: Iterable[str] | None = None
    ) -> tuple[str, ...]:
        """Return the terms a player pays for a batch: optional ones only where it carries their signals.

        Args:
            batch: Signals by name.
            player: ``"generators"`` or ``"discriminators"``.
            terms: Names of the terms to choose from; all of positive weight where nothing is said.

        Returns:
            Names of terms, in order of appearance.

        Raises:
            GraphError: A named term does not exist.
        """
        chosen = None if terms is None else {self.graph.term(name).name for name in terms}
        return tuple(
            term.name
            for term in self.graph.paid_by(player)
            if (chosen is None or term.name in chosen)
            and not (term.optional and any(self._lacks(name, batch) for name in term.signals))
        )

    def checked(self, batch: Batch, names: Iterable[str]) -> dict[str, Tensor]:
        """Return the named signals of a batch, once they are known to fit their domains.

        Args:
            batch: Signals by name.
            names: Those that are needed.

        Returns:
            The signals; integer labels have become one-hot.

        Raises:
            SignalError: One is missing or does not fit: the message names it, its domain, and what came.
        """
        signals = self.graph.signals
        found: dict[str, Tensor] = {}
        for name in names:
            if name not in batch:
                raise SignalError(
                    f"the batch carries no {name!r} ({signals[name]}); it carries {', '.join(batch) or 'nothing'}"
                )
            found[name] = _fitting(name, batch[name], signals[name])
        _check_alike(found, signals)
        return found

    # ------------------------------------------------------------------ kept

    def save_pretrained(self, folder: str | Path) -> None:
        """Write graph, networks' specs and weights into a folder, whole or not at all.

        Args:
            folder: Where to; made, or replaced as a whole.
        """
        with whole_folder(Path(folder)) as draft:
            self.write(draft)

    def write(self, folder: Path) -> None:
        """Write the files of `save_pretrained` into an existing folder.

        Args:
            folder: Where to.
        """
        specs = {name: None if spec is None else spec.to_dict() for name, spec in self.specs.items()}
        (folder / GRAPH_FILE).write_text(json.dumps(self.graph.to_dict(), indent=2) + "\n")
        (folder / NETWORKS_FILE).write_text(json.dumps(specs, indent=2) + "\n")
        weights = {name: weight.detach().contiguous() for name, weight in self.state_dict().items()}
        save_file(weights, folder / WEIGHTS_FILE)

    @classmethod
    def from_pretrained(cls, folder: str | Path, **options: Unpack[ModelOptions]) -> "CycleModel":
        """Rebuild a model from `save_pretrained`'s folder alone.

        Args:
            folder: Where it was written.
            **options: Modules, functions and criteria of your own that the folder cannot hold, as for
                `CycleGraph.build`.

        Returns:
            The model, on the CPU.

        Raises:
            FileNotFoundError: The folder holds no model.
            GraphError: A network is a module of your own that was not passed, or the files are no graph.
        """
        folder = Path(folder)
        for file in (GRAPH_FILE, NETWORKS_FILE, WEIGHTS_FILE):
            if not (folder / file).is_file():
                raise FileNotFoundError(f"{folder} holds no model: {file} is missing")
        graph = CycleGraph.from_dict(json.loads((folder / GRAPH_FILE).read_text()))
        specs: dict[str, Any] = json.loads((folder / NETWORKS_FILE).read_text())
        chosen: dict[str, dict[str, NetworkChoice]] = {}
        for kind in ("generators", "discriminators"):
            passed = options.get(kind, {})
            own = dict(passed) if isinstance(passed, Mapping) else {}
            for name, spec in specs.items():
                if (name in graph.discriminators) == (kind == "discriminators") and name not in own:
                    if spec is None:
                        raise GraphError(
                            f"{folder}: {name!r} is a module of your own; pass {kind}={{{name!r}: module}}"
                        )
                    own[name] = NetworkSpec.from_dict(spec)
            chosen[kind] = own
        model = cls(graph, **{**options, **chosen})  # pyright: ignore[reportArgumentType]
        model.load_state_dict(load_file(folder / WEIGHTS_FILE))
        return model

    # ------------------------------------------------------------------ inside

    def _networks(self, kind: str, names: Iterable[str], choices: NetworkChoices) -> dict[str, nn.Module]:
        names = tuple(names)
        if isinstance(choices, Mapping):
            known = (*names, *(stand_in.by for stand_in in self.graph.schedule.stand_ins))
            for name in choices:
                if name not in known:
                    raise GraphError(
                        f"{kind} names {name!r}, no network of this graph{suggestion(name, known)}"
                    )
            for name in names:
                if name not in choices:
                    raise GraphError(
                        f"{kind} says nothing of {name!r}; it names {', '.join(choices) or 'nothing'}"
                    )
            by_name = {name: choices[name] for name in names}
        else:
            if isinstance(choices, nn.Module) and len(names) > 1:
                raise GraphError(
                    f"{kind} is one module, but the graph has {', '.join(names)}: give a dict with a module for each"
                )
            by_name = dict.fromkeys(names, choices)
        return {name: self._network(name, choice) for name, choice in by_name.items()}

    def _network(self, name: str, choice: NetworkChoice) -> nn.Module:
        if isinstance(choice, nn.Module):
            self.specs[name] = None
            return choice
        spec = NetworkSpec(choice) if isinstance(choice, str) else choice
        network = self.graph.networks[name]
        self.specs[name] = spec
        if network.role == "discriminator":
            return create_discriminator(
                spec.name, network.in_channels, heads=dict(network.heads) or None, **spec.options
            )
        return create_generator(spec.name, network.in_channels, network.out_channels, **spec.options)

    def _stand_ins(self, names: Iterable[str], choices: NetworkChoices) -> dict[str, nn.Module]:
        found: dict[str, nn.Module] = {}
        for name in names:
            choice = choices.get(name) if isinstance(choices, Mapping) else None
            if not isinstance(choice, nn.Module):
                raise GraphError(
                    f"the stand-in {name!r} is a frozen module of yours: pass generators={{{name!r}: module}}"
                )
            self.specs[name] = None
            found[name] = choice
        return found

    def _criterion(self, name: str) -> Criterion | AdversarialLoss:
        if name in self._own_criteria:
            return self._own_criteria[name]
        term = next(term for term in self.graph.terms if term.criterion == name)
        try:
            return create_criterion(name) if isinstance(term, Comparison) else create_adversarial_loss(name)
        except ValueError as error:
            raise GraphError(
                f"the term {term.name!r}: {error}; or pass build(criteria={{{name!r}: ...}})"
            ) from None

    def _by_term(self, names: Iterable[str]) -> dict[str, Criterion | AdversarialLoss]:
        return {name: self._made_criteria[self.graph.term(name).criterion] for name in names}

    def _evaluator(self, graph: CycleGraph | None) -> Evaluator:
        return Evaluator(graph or self.graph, {**self._functions, **self.generators, **self.discriminators})

    def _graph_at(self, step: int | None) -> CycleGraph:
        return self.graph if step is None else self.graph.at_step(step)

    def _lacks(self, signal: str, batch: Batch) -> tuple[str, ...]:
        """Return the input signals that a batch lacks for a signal."""
        evaluations = self.graph.evaluations(signal)
        made = {value for evaluation in evaluations for value in evaluation.makes}
        read = {value for evaluation in evaluations for value in evaluation.inputs} | {signal}
        return tuple(sorted(name for name in read - made if name not in batch))

    def _given(self, batch: Batch, signals: Batch, needed: Iterable[str]) -> dict[str, Tensor]:
        missing = tuple(name for name in needed if name not in signals)
        return {**signals, **self._computed(batch, missing, signals)} if missing else dict(signals)

    @torch.no_grad()
    def _computed(
        self, batch: Batch, chosen: tuple[str, ...], known: Batch | None = None
    ) -> dict[str, Tensor]:
        evaluations = tuple(
            e for e in self.graph.evaluations(*chosen) if not set(e.makes) <= set(known or {})
        )
        made = {value for evaluation in evaluations for value in evaluation.makes} | set(known or {})
        inputs = dict.fromkeys(value for e in evaluations for value in e.inputs if value not in made)
        values: dict[str, Value] = {**(known or {}), **self.checked(batch, inputs)}
        evaluator = self._evaluator(None)
        evaluator.run(evaluator.group(evaluations), values)
        return values  # pyright: ignore[reportReturnType]

    def _check_size(self, height: int, width: int) -> None:
        signals = self.graph.signals
        players = self.graph.plan()
        for evaluation in (*players.generators.evaluations, *players.discriminators.evaluations):
            part = dict(self.generators.items()) | dict(self.discriminators.items())
            network = part.get(evaluation.network)
            domains = [signals[name] for name in evaluation.inputs]
            at_image_size = all(not isinstance(domain, Latent) for domain in domains)
            if (
                at_image_size
                and any(domain.spatial for domain in domains)
                and isinstance(network, ChecksSize)
            ):
                try:
                    network.check_size(height, width)
                except ImageSizeError as error:
                    raise ImageSizeError(f"{evaluation}: {error}") from None


def _with_real(
    graph: CycleGraph, plan: PlayerPlan, criteria: Mapping[str, Criterion | AdversarialLoss]
) -> PlayerPlan:
    """Add the judgements of real tuples that relativistic losses compare with."""
    real: list[str] = []
    for name in plan.terms:
        term = graph.term(name)
        if isinstance(term, Adversary) and getattr(criteria[term.criterion], "needs_real", False):
            real.append(expression(term.discriminator, term.real))
    if not real:
        return plan
    evaluations = dict.fromkeys((*plan.evaluations, *graph.evaluations(*real)))
    read = dict.fromkeys((*plan.inputs, *(value for e in evaluations for value in e.inputs)))
    return PlayerPlan(
        tuple(evaluations), plan.terms, tuple(value for value in read if value in graph.inputs), plan.given
    )


def _functions(
    graph: CycleGraph, functions: Mapping[str, Callable[..., Tensor]]
) -> dict[str, Callable[..., Tensor]]:
    known: dict[str, Callable[..., Tensor]] = {"add": _add, **functions}
    for name in functions:
        if name not in graph.functions:
            raise GraphError(
                f"functions passes {name!r}, which the graph does not use{suggestion(name, graph.functions)}"
            )
    for name in graph.functions:
        if name not in known:
            raise GraphError(
                f"the graph's function {name!r} is missing: pass build(functions={{{name!r}: ...}})"
            )
    return {name: known[name] for name in graph.functions}


def _add(*signals: Tensor) -> Tensor:
    return torch.stack(signals).sum(0)


def _fitting(name: str, value: Tensor, domain: Domain) -> Tensor:
    if not isinstance(value, Tensor):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise SignalError(f"{name!r} must be a tensor, got {type(value).__name__}")
    if isinstance(domain, Label) and value.ndim == 1 and not value.is_floating_point():
        return nn.functional.one_hot(value, domain.channels).float()
    if not value.is_floating_point():
        raise SignalError(
            f"{name!r} must hold floating-point numbers, got {value.dtype}: scale the values to [0, 1] and use "
            f"{type(domain).__name__}({domain.channels}).normalize"
        )
    shape = "(batch, channels, height, width)" if domain.spatial else "(batch, channels)"
    if value.ndim != (4 if domain.spatial else 2) or value.shape[1] != domain.channels:
        raise SignalError(
            f"{name!r} is {domain}: expected {shape} with {domain.channels} channels, got {tuple(value.shape)}"
        )
    return value


def _check_alike(found: Mapping[str, Tensor], signals: Mapping[str, Domain]) -> None:
    """Check that all signals have one batch size, and all images one size."""
    first = next(iter(found.items()), None)
    picture = next(
        ((n, t) for n, t in found.items() if signals[n].spatial and not isinstance(signals[n], Latent)), None
    )
    for name, value in found.items():
        if first is not None and value.shape[0] != first[1].shape[0]:
            raise SignalError(
                f"{name!r} holds {value.shape[0]} samples and {first[0]!r} {first[1].shape[0]}: one batch has one size"
            )
        if picture is None or not signals[name].spatial or isinstance(signals[name], Latent):
            continue
        if value.shape[2:] != picture[1].shape[2:]:
            raise SignalError(
                f"{name!r} is {tuple(value.shape[2:])} (height, width) and {picture[0]!r} {tuple(picture[1].shape[2:])}: "
                "resize them alike"
            )
