"""A graph with networks."""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, TypeAlias, TypedDict, Unpack

import torch
from torch import Tensor, nn

from cyclekit._files import whole_folder
from cyclekit._registry import suggestion
from cyclekit._timm import fetching_nothing
from cyclekit._typed import typed
from cyclekit.errors import (
    ArgumentError,
    FolderError,
    GraphError,
    PretrainedError,
    SignalError,
    TrainingDivergedError,
    UnknownNameError,
)
from cyclekit.graph import Adversary, CycleGraph, Noise, StandIn
from cyclekit.graph.terms import Side
from cyclekit.losses import (
    AdversarialLoss,
    Criterion,
    Penalty,
    create_adversarial_loss,
    create_criterion,
    create_penalty,
)
from cyclekit.model.advice import (
    check_discriminators,
    check_flow,
    chosen_or_default,
    criteria_fit,
    find_stops,
    functions_fit,
)
from cyclekit.model.batch import Batch, check_dtypes, check_mapping, check_values, checked_signals
from cyclekit.model.card import ModelCard
from cyclekit.model.evaluation import Evaluator, Part, Values, one_tensor
from cyclekit.model.files import FILES, not_finite, one_line, read_model, write_model
from cyclekit.model.hub import fetched, is_repository, pushed
from cyclekit.model.objectives import (
    DiscriminatorObjective,
    GeneratorObjective,
    Losses,
    Measures,
)
from cyclekit.model.parts import (
    NetworkChoice,
    NetworkChoices,
    check_sizes,
    choices_by_name,
    create_network,
    functions_of,
)
from cyclekit.nets import NetworkSpec

Measured: TypeAlias = Criterion | AdversarialLoss | Penalty


class ModelOptions(TypedDict, total=False):
    """The options of `CycleGraph.build`: those of `CycleModel`."""

    generators: NetworkChoices
    discriminators: NetworkChoices
    functions: Mapping[str, Callable[..., Tensor]]
    criteria: Mapping[str, Measured]
    size: tuple[int, int]


class CycleModel(nn.Module):
    """The networks of a graph, what they generate, and the losses of both sides.

    Uses of one network that do not depend on each other run as one joined batch, unless it holds batch
    normalisation or keeps statistics. A module of your own that treats each sample alone says so by an attribute
    ``joins_batches = True``; otherwise it gets its batches one by one.

    Frozen generators and stand-ins stay in evaluation mode.

    Args:
        graph: What is computed and minimised.
        generators: A registered name, a `cyclekit.nets.NetworkSpec`, or a module, for every generator; or a
            dict of these by network. Channels follow from the graph. Stand-ins are given by their names.
        discriminators: Likewise.
        functions: The graph's own functions by name: each takes its input signals, and returns its outputs.
        criteria: Criteria, adversarial losses and penalties that are not registered, by the names the graph
            calls them.
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
        generated = model.generator_loss(batch)
        generated.total.backward()
        judged = model.discriminator_loss(batch, generated.signals)
        assert list(judged.terms) == ["D(y*)"]
        ```
    """

    def __init__(
        self,
        graph: CycleGraph,
        *,
        generators: NetworkChoices | None = None,
        discriminators: NetworkChoices | None = None,
        functions: Mapping[str, Callable[..., Tensor]] | None = None,
        criteria: Mapping[str, Measured] | None = None,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        graph.check()
        self._graph = graph
        self._noise = tuple(name for name in graph.inputs if isinstance(graph.signals[name], Noise))
        generators = chosen_or_default(graph, "generators", generators)
        discriminators = chosen_or_default(graph, "discriminators", discriminators)
        self.specs: dict[str, NetworkSpec | None] = {}
        self._stand_ins = tuple(s.by for s in graph.schedule.stand_ins if s.by not in graph.generators)
        self.generators = self._create("generators", graph.generators, generators, self._stand_ins)
        self.discriminators = self._create("discriminators", graph.discriminators, discriminators)
        self._functions = functions_of(graph, functions or {})
        self._measures = _measures(graph, criteria or {})
        # Criteria and functions that are modules move with the model.
        helpers = (
            *self._functions.values(),
            *self._measures.criteria.values(),
            *self._measures.adversarial.values(),
            *self._measures.penalties.values(),
        )
        self.helpers = nn.ModuleList([part for part in helpers if isinstance(part, nn.Module)])
        self._looked = False
        self._resting = tuple(dict.fromkeys((*graph.frozen, *self._stand_ins)))
        criteria_fit(graph, self._measures.criteria)
        functions_fit(graph, self._functions)
        self._stops = find_stops(graph, self._functions, self._measures)
        self.train()
        self._built: tuple[nn.Module, ...] = ()
        self._evaluators: dict[tuple[StandIn, ...], Evaluator] = {}
        self._objectives: dict[tuple[object, ...], Any] = {}
        # Made now, so that a whole loss compiles: modules cannot be made inside a compiled region.
        self.generator_objective()
        self.discriminator_objective()
        if size is not None:
            plan = graph.plan()
            evaluations = (*plan.generators.evaluations, *plan.discriminators.evaluations)
            check_sizes(graph, evaluations, self._evaluator(None).parts, size)
        check_flow(graph, self.gradient_flow())
        check_discriminators(graph, dict(self.discriminators.items()))

    # ------------------------------------------------------------------ use

    @property
    def graph(self) -> CycleGraph:
        """The graph, which stays: another one is another model."""
        return self._graph

    @graph.setter
    def graph(self, graph: CycleGraph) -> None:
        raise AttributeError(
            "a model keeps its graph: build another model from the new one, with this one's networks as modules "
            "(generators=dict(model.generators)) where they are to stay"
        )

    def gradient_flow(self) -> dict[str, frozenset[str]]:
        """Return for each term of the generators' loss the networks whose parameters receive its gradient.

        This is `CycleGraph.gradient_flow` with what only the built model knows: functions and criteria that pass no
        gradient to some of their inputs, as autograd found on tiny tensors when the model was built, and networks
        whose parameters all have ``requires_grad=False``.

        Returns:
            Names of generators by term.
        """
        resting = {
            name for name, network in self.generators.items() if not any(p.requires_grad for p in network.parameters())
        }
        return {
            term.name: self.graph.learners(term, "generators", stopped=self._stops) - resting
            for term in self.graph.minimised_by("generators")
        }

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Return the generated signals that a batch allows, with gradient, in the mode the networks are in.

        Args:
            batch: Signals by name, as for `generate`.

        Returns:
            The generated signals by name, images and maps in [-1, 1].

        Raises:
            SignalError: A signal does not fit its domain.
        """
        known = self._known(batch)
        batch = self.with_noise(batch)
        return self._values(batch, known, self._possible(batch, known))

    def with_noise(self, batch: Batch, generator: torch.Generator | None = None) -> Batch:
        """Return a batch with the `cyclekit.Noise` that it lacks, drawn anew.

        `forward`, `generate` and the losses call it, and a training step once for all of them.

        Args:
            batch: Signals by name.
            generator: Draws the numbers, on its own device; by default torch's, on the batch's.

        Returns:
            The batch itself where it lacks none, or a new one, of as many samples as its first signal.

        Raises:
            SignalError: The batch is no dict, or carries no signal that says how many samples there are.
        """
        check_mapping(batch)
        lacking = [name for name in self._noise if name not in batch]
        if not lacking:
            return batch
        known = (value for name, value in batch.items() if name in self.graph.domains and isinstance(value, Tensor))  # pyright: ignore[reportUnnecessaryIsInstance]
        like = next(known, None)
        if like is None or like.ndim == 0:
            raise SignalError(
                f"noise is drawn for {', '.join(map(repr, lacking))}, but the batch carries no signal that says for "
                f"how many samples; pass one of {', '.join(self.graph.inputs)}"
            )
        dtype, device = self._dtype(), like.device
        drawn = {
            name: torch.randn(
                len(like),
                self.graph.signals[name].channels,
                dtype=dtype,
                device=device if generator is None else generator.device,
                generator=generator,
            ).to(device)
            for name in lacking
        }
        return {**batch, **drawn}

    def generate(
        self,
        batch: Batch,
        signals: Iterable[str] | None = None,
        *,
        step: int | None = None,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Return generated signals, without gradient.

        The networks run in the mode they are in: call ``model.eval()`` first for what a trained model is to show,
        since in training mode dropout draws and batch normalisation looks at the batch. No statistics change.
        The values of the first batch that a model sees are looked at (`check_values`), of later ones names, types and
        shapes alone, so that nothing waits for the device.

        Args:
            batch: Signals by name: images and maps ``(batch, channels, height, width)`` in [-1, 1], vectors
                ``(batch, channels)``, labels one-hot or as integers ``(batch,)``. Generated signals among
                them are taken as they are.
            signals: What to generate; by default everything the batch's signals allow.
            step: Training steps taken so far, for stand-ins; by default they have had their time.
            generator: Draws the noise that the batch does not carry; one of the same seed draws the same again.

        Returns:
            The generated signals by name, images and maps in [-1, 1].

        Raises:
            SignalError: A signal is missing or does not fit its domain.
            GraphError: A name in ``signals`` is no generated signal.
        """
        known = self._known(batch)
        if not (self._looked or torch.compiler.is_compiling()):
            self.check_values({name: batch[name] for name in self.graph.inputs if name in batch})
        batch = self.with_noise(batch, generator)
        if signals is None:
            chosen = self._possible(batch, known)
        elif isinstance(signals, str):
            raise GraphError(f"signals must be a list of names, got the text {signals!r}: write [{signals!r}]")
        else:
            chosen = tuple(signals)
            for name in chosen:
                if name not in self.graph.generated:
                    raise GraphError(f"{name!r} is no generated signal{suggestion(name, self.graph.generated)}")
        with torch.no_grad(), _kept_statistics(self):
            values = self._values(batch, known, chosen, step)
        return {name: values[name] for name in chosen}

    def generator_loss(self, batch: Batch, *, terms: Iterable[str] | None = None, step: int | None = None) -> Losses:
        """Return the generators' loss; the discriminators' weights take no gradient from it.

        Args:
            batch: The input signals by name, as for `generate`.
            terms: Names of the terms to compute; by default all of a weight other than 0.
            step: Training steps taken so far, for stand-ins and weights that change; by default all have had their
                time.

        Returns:
            Total, terms, and the generated signals with their gradient, and the noise that was drawn.

        Raises:
            SignalError: A signal is missing or does not fit its domain.
            GraphError: A named term does not exist.
        """
        full = self.with_noise(batch)
        objective = self.generator_objective(self._present_terms(full, "generators", terms, step), step=step)
        losses = objective(self.checked(full, objective.plan.inputs), self.present_weights(objective, step))
        drawn = {name: full[name] for name in self._noise if name not in batch}
        return Losses(losses.total, losses.terms, {**losses.signals, **drawn})

    def present_weights(
        self, objective: GeneratorObjective | DiscriminatorObjective, step: int | None
    ) -> dict[str, Tensor]:
        """Return the weights that change over training, at a step.

        Args:
            objective: Whose terms.
            step: Training steps taken so far; ``None`` is the end.

        Returns:
            Scalars by term, on the model's device.
        """
        _check_step(step)
        if not objective.ramps:
            return {}
        device = next(self.parameters()).device
        return {name: torch.full((), ramp.at(step), device=device) for name, ramp in objective.ramps.items()}

    def discriminator_loss(
        self,
        batch: Batch,
        signals: Batch | None = None,
        history: Batch | None = None,
        *,
        terms: Iterable[str] | None = None,
        step: int | None = None,
    ) -> Losses:
        """Return the discriminators' loss; the generators take no gradient from it.

        Args:
            batch: The input signals by name, as for `generate`.
            signals: Generated signals, and noise, as `generator_loss` returned them; what is missing is generated.
            history: By adversary, the tuple to judge as generated instead, as `fakes` gives it, from a history pool.
            terms: Names of the terms to compute; by default all of a weight other than 0.
            step: Training steps taken so far, for stand-ins and weights that change; by default all have had their
                time.

        Returns:
            Total, scaled by the schedule's factor, and terms.

        Raises:
            SignalError: A signal is missing or does not fit its domain.
            GraphError: A named term does not exist.
        """
        for name in history or ():
            self.graph.term(name)
        for name in signals or ():
            if name not in self.graph.domains:
                raise SignalError(
                    f"signals names {name!r}, which nothing makes{suggestion(name, self.graph.generated)}"
                )
        batch = self._with_drawn(batch, signals or {})
        objective = self.discriminator_objective(self._present_terms(batch, "discriminators", terms, step))
        with torch.no_grad():
            given = self._values(batch, signals or {}, objective.plan.given)
        weights = self.present_weights(objective, step)
        return objective(self.checked(batch, objective.plan.inputs), given, history, weights)

    def fakes(self, batch: Batch, signals: Batch, *, terms: Iterable[str] | None = None) -> dict[str, Tensor]:
        """Return what each adversary judges as generated, for history pools.

        Args:
            batch: The input signals by name.
            signals: Generated signals, as `generator_loss` returned them; what is missing is generated.
            terms: Names of the adversaries; by default all of a weight other than 0.

        Returns:
            By adversary, the signals of its fake tuple as one tensor, detached: joined along the channels, or
            flat where its discriminator takes them one by one. An adversary with ``<>`` has none.

        Raises:
            SignalError: A signal is missing or does not fit its domain.
            GraphError: A named term does not exist.
        """
        batch = self._with_drawn(batch, signals)
        active = self.active_terms(batch, "discriminators", terms)
        adversaries = [
            term
            for term in self.graph.minimised_by("discriminators")
            if isinstance(term, Adversary) and term.generated and not term.confused and term.name in active
        ]
        judged = dict.fromkeys(name for term in adversaries for name in term.fake)
        with torch.no_grad():
            values = self._values(batch, signals, tuple(judged))
        pack = self._evaluator(None).pack
        return {term.name: pack(term.discriminator, term.fake, values).detach() for term in adversaries}

    def generator_objective(
        self,
        terms: Iterable[str] | None = None,
        *,
        networks: Iterable[str] | None = None,
        step: int | None = None,
    ) -> GeneratorObjective:
        """Return the generators' loss as a module, to compile or to wrap: ``objective(batch) -> Losses``.

        Args:
            terms: Names of the terms to compute; by default all of a weight other than 0.
            networks: The generators that learn; by default all but frozen ones.
            step: Training steps taken so far, for stand-ins.

        Returns:
            The module, the same for the same arguments; its submodules are the generators that learn.

        Raises:
            GraphError: A named term does not exist.
        """
        evaluator = self._evaluator(step)
        graph = evaluator.graph
        self._check_networks(networks, "generators")
        names = self.graph.due("generators") if terms is None else tuple(terms)
        learning = tuple(
            name
            for name in (graph.generators if networks is None else networks)
            if name in graph.generators and name not in graph.frozen
        )
        key = ("generators", names, learning, evaluator)
        if key not in self._objectives:
            # A stand-in may change how a term is called; its place stays, and it is reported as ever.
            places = {term.name: now for term, now in zip(self.graph.terms, graph.terms, strict=True)}
            summed = {name: places[name] for name in names}
            against_real = [
                term.name
                for term in summed.values()
                if isinstance(term, Adversary) and self._measures.adversarial[term.criterion].needs_real
            ]
            plan = graph.plan([term.name for term in summed.values()], against_real=against_real).generators
            summed = {name: term for name, term in summed.items() if term.name in plan.terms}
            self._objectives[key] = GeneratorObjective(evaluator, plan, summed, learning, self._measures)
        return self._objectives[key]

    def discriminator_objective(
        self,
        terms: Iterable[str] | None = None,
        *,
        networks: Iterable[str] | None = None,
        weights: Mapping[str, float] | None = None,
    ) -> DiscriminatorObjective:
        """Return the discriminators' loss as a module: ``objective(batch, signals, history) -> Losses``.

        Args:
            terms: Names of the terms to compute; by default all of a weight other than 0.
            networks: The discriminators that learn; by default all.
            weights: What terms weigh besides their own weight, as a penalty does that is computed once in
                so many steps.

        Returns:
            The module, the same for the same arguments; its submodules are the discriminators that learn.

        Raises:
            GraphError: A named term does not exist.
        """
        evaluator = self._evaluator(None)
        names = self.graph.due("discriminators") if terms is None else tuple(terms)
        self._check_networks(networks, "discriminators")
        learning = self.graph.discriminators if networks is None else tuple(networks)
        factors = {self.graph.term(name).name: factor for name, factor in (weights or {}).items() if factor != 1}
        key = ("discriminators", names, learning, tuple(sorted(factors.items())), evaluator)
        if key not in self._objectives:
            plan = self.graph.plan(names).discriminators
            terms_of = {name: self.graph.term(name) for name in plan.terms}
            summed = {n: replace(term, weight=factors.get(n, 1) * term.weight) for n, term in terms_of.items()}
            self._objectives[key] = DiscriminatorObjective(evaluator, plan, summed, learning, self._measures)
        return self._objectives[key]

    def active_terms(self, batch: Batch, side: Side, terms: Iterable[str] | None = None) -> tuple[str, ...]:
        """Return the terms of a side's loss for a batch: optional ones only where it carries their signals.

        Args:
            batch: Signals by name.
            side: ``"generators"`` or ``"discriminators"``.
            terms: Names of the terms to choose from; by default all of a weight other than 0.

        Returns:
            Names of terms, in order of appearance.

        Raises:
            GraphError: A named term does not exist.
        """
        chosen = None if terms is None else {self.graph.term(name).name for name in terms}
        return tuple(name for name in self.graph.due(side, batch) if chosen is None or name in chosen)

    def check_values(self, batch: Batch) -> None:
        """Look at the values of a batch: once, before a training, or when something looks wrong.

        `checked` looks at names, types and shapes alone, so that nothing waits for the device; this waits.

        Args:
            batch: Signals by name.

        Raises:
            SignalError: A signal does not fit its domain, holds NaN, or is out of the range a model works in:
                bytes, masks of 255, several classes at once under a cross entropy.

        Warns:
            SignalWarning: Values are those of pictures in [0, 1], where a model works in [-1, 1].
        """
        check_values(self.checked(batch, [name for name in self.graph.domains if name in batch]), self.graph)
        self._looked = True

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
        dtype = self._dtype()
        found = checked_signals(batch, names, self._evaluator(None).domains, dtype)
        if any(value.dtype != dtype for value in found.values()):
            check_dtypes(found, {weight.dtype for weight in self.parameters()} or {dtype})
        return found

    def function(self, name: str) -> Callable[..., Tensor]:
        """Return one of the graph's functions.

        Args:
            name: Its name.

        Returns:
            What was passed to `CycleGraph.build`, or the built-in one.

        Raises:
            GraphError: The graph has no such function.
        """
        if name not in self._functions:
            raise GraphError(f"{name!r} is no function of this graph{suggestion(name, self._functions)}")
        return self._functions[name]

    def measure(self, term: str) -> Measured:
        """Return what measures a term: a criterion, an adversarial loss or a penalty.

        Args:
            term: The name of a term of a weight other than 0.

        Returns:
            The same object in every term of one measure.

        Raises:
            GraphError: There is no such term, or its weight is 0.
        """
        found = self.graph.term(term)
        if found.weight == 0:
            raise GraphError(f"the term {term!r} weighs 0, so nothing measures it")
        return self._measures.of(found)

    def train(self, mode: bool = True) -> Self:
        """Set training or evaluation mode; frozen generators and stand-ins stay in evaluation mode.

        Args:
            mode: Whether to train.

        Returns:
            The model itself.
        """
        super().train(mode)
        for name in self._resting:
            self.generators[name].eval()
        return self

    # ------------------------------------------------------------------ kept

    @typed
    def save_pretrained(self, folder: str | Path) -> None:
        """Write graph, networks' specs and weights into a folder, whole or not at all.

        The weights of stand-ins, which training alone needs, are left out.

        Args:
            folder: Where to; made, or replaced as a whole where it holds an earlier model.

        Raises:
            FolderError: The folder holds other files too, which replacing it would lose, or it is the
                working directory.
            TrainingDivergedError: A weight is not finite; what the folder held stays.
            ShapeError: ``folder`` is no path.
            OSError: The folder cannot be written into.
        """
        folder = Path(folder)
        others = [path.name for path in folder.iterdir() if path.name not in FILES] if folder.is_dir() else []
        if others:
            raise FolderError(f"{folder} holds {others[0]!r}, which is no model's; choose a folder for the model alone")
        with whole_folder(folder) as draft:
            self.write(draft)

    def write(self, folder: Path) -> None:
        """Write the files of `save_pretrained` into an existing folder.

        Args:
            folder: Where to.

        Raises:
            TrainingDivergedError: A weight is not finite.
        """
        weights = self.own_weights()
        if bad := not_finite(weights):
            raise TrainingDivergedError(
                f"the model's {bad} is not finite, and is not written: save it as it was before, from a checkpoint"
            )
        write_model(folder, self.graph, self.specs, weights)

    def push_to_hub(
        self, repository: str, *, card: ModelCard | None = None, private: bool = False, token: str | None = None
    ) -> str:
        """Share the model on the Hugging Face hub, with a card that says what it is and what it is not for.

        Args:
            repository: ``"owner/name"``; made where it is missing.
            card: What the graph cannot know: data, scores, licence.
            private: Whether a repository that is made is private.
            token: The hub's; by default the one that ``hf auth login`` keeps.

        Returns:
            The address of the commit.

        Raises:
            HubError: The hub refuses, or cannot be reached.
        """
        text = (card or ModelCard()).text(self.graph, self.specs)
        return pushed(repository, self.save_pretrained, text, private=private, token=token)

    @classmethod
    def from_pretrained(
        cls, folder: str | Path, *, revision: str | None = None, **options: Unpack[ModelOptions]
    ) -> Self:
        """Rebuild a model from `save_pretrained`'s folder alone, or from one that was pushed to the hub.

        Args:
            folder: Where it was written; of a folder that holds a run's checkpoints, the latest is taken. Where
                there is no such folder, ``"owner/name"`` is a repository of the Hugging Face hub.
            revision: A branch, tag or commit of the repository.
            **options: Modules, functions and criteria of your own that the folder cannot hold, as for
                `CycleGraph.build`. A stand-in is needed to go on training alone: without it the model's graph has
                none. Of pretrained networks nothing is downloaded: they are built without weights,
                which the folder has.

        Returns:
            The model in evaluation mode, in the dtype it was saved in; ``model.train()`` goes on training. Networks
            of the folder are on the CPU, modules of your own where they were.

        Raises:
            PretrainedError: The folder holds no model, or a damaged one, or weights of other networks.
            GraphError: A network is a module of your own that was not passed.
            HubError: The repository cannot be fetched.
        """
        folder = fetched(str(folder), revision) if is_repository(folder) else Path(folder)
        graph, specs, weights = read_model(folder)
        passed = options.get("generators", {})
        own = passed if isinstance(passed, Mapping) else {}
        stand_ins = tuple(s for s in graph.schedule.stand_ins if s.by in own or s.by in graph.generators)
        if stand_ins != graph.schedule.stand_ins:
            graph = graph.replace(schedule=replace(graph.schedule, stand_ins=stand_ins))
        named = dict.fromkeys((*graph.generators, *(stand_in.by for stand_in in stand_ins)))
        options["generators"] = _with_saved("generators", named, passed, specs, folder)
        options["discriminators"] = _with_saved(
            "discriminators", graph.discriminators, options.get("discriminators", {}), specs, folder
        )
        try:
            with fetching_nothing():  # all weights are in the folder
                model = cls(graph, **options)
        except GraphError:
            raise
        except Exception as error:  # specs of something else go wrong in any way
            raise PretrainedError(f"{folder} holds networks that cannot be built: {one_line(error)}") from error
        for name, held in (*model.named_parameters(), *model.named_buffers()):
            if name in weights:
                held.data = held.data.to(weights[name].dtype)
        try:
            model.load_own_weights(weights)
        except RuntimeError as error:
            raise PretrainedError(f"{folder} holds weights of other networks: {one_line(error)}") from error
        return model.eval()

    def own_weights(self) -> dict[str, Tensor]:
        """Return all weights and buffers but those of stand-ins, which the user passes.

        Returns:
            What a saved model holds, by the names of `state_dict`.
        """
        waiting = tuple(f"generators.{name}." for name in self._stand_ins)
        return {name: weight for name, weight in self.state_dict().items() if not name.startswith(waiting)}

    def load_own_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Take up what `own_weights` gave; stand-ins keep theirs.

        Args:
            weights: By name.

        Raises:
            RuntimeError: They are another model's.
        """
        self.load_state_dict(
            {**self.state_dict(), **weights} if weights.keys() == self.own_weights().keys() else weights
        )

    # ------------------------------------------------------------------ inside

    def _create(
        self, kind: str, names: Sequence[str], choices: NetworkChoices, stand_ins: Sequence[str] = ()
    ) -> nn.ModuleDict:
        chosen = choices_by_name(kind, names, choices, stand_ins)
        networks = nn.ModuleDict()
        for name in (*names, *stand_ins):
            networks[name], self.specs[name] = create_network(name, chosen[name], self.graph.networks.get(name))
        return networks

    def _check_networks(self, networks: Iterable[str] | None, kind: str) -> None:
        known = tuple(getattr(self, kind))
        for name in networks or ():
            if name not in known:
                raise GraphError(f"networks names {name!r}, which is none of the {kind}{suggestion(name, known)}")

    def _evaluator(self, step: int | None) -> Evaluator:
        networks = (*self.generators.values(), *self.discriminators.values())
        if networks != self._built:
            self._built = networks
            self._evaluators.clear()
            self._objectives.clear()
        _check_step(step)
        now = tuple(s for s in self.graph.schedule.stand_ins if step is not None and step < s.steps)
        if now not in self._evaluators:
            graph = self.graph if step is None else self.graph.at_step(step)
            parts: dict[str, Part] = {**self._functions, **self.generators, **self.discriminators}
            self._evaluators[now] = Evaluator(graph, parts)
        return self._evaluators[now]

    def _dtype(self) -> torch.dtype:
        return next((weight.dtype for weight in self.parameters()), torch.get_default_dtype())

    def _with_drawn(self, batch: Batch, signals: Batch) -> Batch:
        """Return a batch with the noise that signals were made of, and what is missing drawn anew."""
        drawn = {name: signals[name] for name in self._noise if name in signals}
        return self.with_noise({**batch, **drawn} if drawn else batch)

    def _present_terms(
        self, batch: Batch, side: Side, terms: Iterable[str] | None, step: int | None
    ) -> tuple[str, ...]:
        """Return the active terms, but those that rest at a step."""
        active = self.active_terms(batch, side, terms)
        resting = () if step is None else self.graph.resting(step)
        return tuple(name for name in active if name not in resting)

    def _known(self, batch: Batch) -> dict[str, Tensor]:
        """Return the generated signals that a batch carries ready-made."""
        if not isinstance(batch, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            self.checked(batch, ())
        return {name: batch[name] for name in self.graph.generated if name in batch}

    def _possible(self, batch: Batch, known: Batch) -> tuple[str, ...]:
        """Return the generated signals that a batch allows."""
        return tuple(
            name
            for name in self.graph.generated
            if name in known or all(given in batch for given in self.graph.requires(name, known=known))
        )

    def _values(
        self, batch: Batch, known: Batch, wanted: tuple[str, ...], step: int | None = None
    ) -> dict[str, Tensor]:
        """Return some values, computed where they are not known."""
        evaluator = self._evaluator(step)
        evaluations = evaluator.graph.evaluations(*wanted, known=known)
        values: Values = {**known, **self.checked(batch, evaluator.graph.requires(*wanted, known=known))}
        evaluator.run(evaluator.group(evaluations), values)
        return {name: one_tensor(values[name], name) for name in wanted}


_CREATE: dict[str, Callable[[str], Measured]] = {
    "criterion": create_criterion,
    "penalty": create_penalty,
    "adversarial loss": create_adversarial_loss,
}


@contextmanager
def _kept_statistics(model: nn.Module) -> Generator[None]:
    """Give modules in training mode their buffers back, which batch normalisation changes at every pass."""
    if torch.compiler.is_compiling():
        yield
        return
    buffers = [buffer for module in model.modules() if module.training for buffer in module.buffers(recurse=False)]
    before = [buffer.clone() for buffer in buffers]
    try:
        yield
    finally:
        for buffer, value in zip(buffers, before, strict=True):
            buffer.copy_(value)


def _check_step(step: object) -> None:
    if step is not None and (type(step) is not int or step < 0):
        raise ArgumentError(f"step: got {step!r}, expected the training steps taken so far, a whole number from 0")


def _measures(graph: CycleGraph, own: Mapping[str, Measured]) -> Measures:
    """Return criteria, adversarial losses and penalties for a graph's terms."""
    used = {term.criterion for term in graph.terms}
    for name in own:
        if name not in used:
            raise GraphError(f"criteria passes {name!r}, which no term uses{suggestion(name, used)}")
    found: dict[str, dict[str, Any]] = {kind: {} for kind in _CREATE}
    for term in graph.terms:
        kind, name = term.measure, term.criterion
        if term.weight == 0 or name in found[kind]:
            continue
        try:
            measure = own[name] if name in own else _CREATE[kind](name)
        except UnknownNameError as error:
            raise GraphError(f"the term {term.name!r}: {error}; or pass build(criteria={{{name!r}: ...}})") from None
        if isinstance(measure, type):
            raise GraphError(
                f"the term {term.name!r} is measured by a {kind}, and {name!r} is the class {measure.__name__}: make "
                f"one of it, {measure.__name__}(...)"
            )
        if not (isinstance(measure, AdversarialLoss) if kind == "adversarial loss" else callable(measure)):
            article = "an" if kind == "adversarial loss" else "a"
            raise GraphError(
                f"the term {term.name!r} is measured by {article} {kind}, got {type(measure).__name__} for {name!r}"
            )
        found[kind][name] = measure
    return Measures(found["criterion"], found["adversarial loss"], found["penalty"])


def _with_saved(
    kind: str,
    names: Iterable[str],
    passed: NetworkChoices,
    specs: Mapping[str, NetworkSpec | None],
    folder: Path,
) -> dict[str, NetworkChoice]:
    """Return the networks of a saved model, with the user's own modules in their places."""
    own = [name for name in names if specs.get(name) is None]
    chosen: dict[str, NetworkChoice] = {name: spec for name, spec in specs.items() if name in names and spec}
    chosen.update(passed if isinstance(passed, Mapping) else dict.fromkeys(own, passed))
    for name in own:
        if name not in chosen:
            raise GraphError(f"{folder}: {name!r} is a module of your own; pass {kind}={{{name!r}: module}}")
    return chosen
