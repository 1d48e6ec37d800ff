"""One training step: every player steps as the graph's schedule says."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from cyclekit.errors import ArgumentError, GraphError, ShapeError, SignalError, warn
from cyclekit.graph import Adversary, Classes, Comparison, LossPlan, Term
from cyclekit.graph.terms import SIDES
from cyclekit.model import CycleModel, DiscriminatorObjective, GeneratorObjective, Losses
from cyclekit.pool import HistoryPool
from cyclekit.training.divergence import LossWatch
from cyclekit.training.players import check_model, checked_optimizers

Run: TypeAlias = Callable[..., Losses]
Wrap: TypeAlias = Callable[[nn.Module], Run]
_Objective: TypeAlias = GeneratorObjective | DiscriminatorObjective


class Move(NamedTuple):
    """One backward pass of one player.

    Args:
        run: Its objective, compiled or wrapped.
        objective: The objective itself.
        judges: The discriminator of each adversary whose generated side passes a history pool.
    """

    run: Run
    objective: _Objective
    judges: Mapping[str, str]

    @property
    def plan(self) -> LossPlan:
        """What it reads."""
        return self.objective.plan


class Moves:
    """The moves of every player, each worked out when it is first needed.

    Args:
        model: The model.
        wrap: Applied to each objective once.
    """

    def __init__(self, model: CycleModel, wrap: Wrap | None) -> None:
        self._model = model
        self._wrap = wrap
        self._known: dict[tuple[object, ...], list[Move]] = {}
        self._wrapped: dict[_Objective, Run] = {}

    def of(self, player: str, due: tuple[str, ...], iteration: int) -> list[Move]:
        """Return a player's moves; none where nothing is due.

        Args:
            player: An entry of the schedule's order.
            due: The terms it minimises in this step, as `CycleGraph.due` gives them.
            iteration: Training steps taken so far, which decide about stand-ins.
        """
        key = (player, due, self._model.graph.at_step(iteration))
        if key not in self._known:
            self._known[key] = [self._move(objective) for objective in self._objectives(player, due, iteration)]
        return self._known[key]

    def _objectives(self, player: str, due: tuple[str, ...], iteration: int) -> list[_Objective]:
        graph, networks = self._model.graph, self._model.graph.networks_of(player)
        if not due:
            return []
        if graph.side_of(player) == "discriminators":
            # Computed once in so many steps, a penalty weighs so many times as much.
            penalties = [name for name in due if graph.term(name).measure == "penalty"]
            weights = dict.fromkeys(penalties, float(graph.schedule.penalty_interval))
            return [self._model.discriminator_objective(due, networks=networks, weights=weights)]
        # A stand-in may change how a term is called; its place stays.
        now = graph.at_step(iteration)
        called = {current.name: term.name for term, current in zip(graph.terms, now.terms, strict=True)}
        groups = now.backward_groups(name for name, before in called.items() if before in due)
        return [
            self._model.generator_objective([called[name] for name in group], networks=networks, step=iteration)
            for group in groups
        ]

    def _wrapping(self, objective: _Objective) -> Run:
        run = self._wrap(objective) if self._wrap else objective
        if not callable(run):
            raise ShapeError(f"wrap: expected it to return what computes the losses, got {type(run).__name__}")
        return run

    def _move(self, objective: _Objective) -> Move:
        if objective not in self._wrapped:
            self._wrapped[objective] = self._wrapping(objective)
        judges: dict[str, str] = {}
        if isinstance(objective, DiscriminatorObjective):
            terms = [self._model.graph.term(name) for name in objective.plan.terms]
            judges = {
                t.name: t.discriminator for t in terms if isinstance(t, Adversary) and t.generated and not t.confused
            }
        return Move(self._wrapped[objective], objective, judges)


class StepResult(NamedTuple):
    """What a training step came to. Nothing here has waited for the device.

    Attributes:
        losses: Detached scalars by player and name, of the players that stepped: ``generators/total`` and
            ``discriminators/total`` are weighted, ``generators/I2I2I`` and its like are not.
        signals: The generated signals by name, detached.
    """

    losses: dict[str, Tensor]
    signals: dict[str, Tensor]


class AdversarialStep:
    """Steps every player of a model once, in the order of the graph's schedule.

    By default the generators step on the whole objective in one backward pass, then the discriminators, on
    the same generated signals and on a history of earlier ones. Where discriminators step first, they judge
    signals generated for them. A player that nothing in a batch trains does not step.

    Args:
        model: The model, on its device, in training mode.
        optimizers: An optimiser for each player, as `create_optimizers` makes them.
        backward: Computes the gradients of a loss; ``accelerator.backward`` under Accelerate.
        wrap: Applied to each objective once: ``torch.compile``, ``DistributedDataParallel``, or
            ``accelerator.prepare``.
        seed: Of the history pools.
        accumulate: Each player works through a batch in this many equal parts before it steps once: the
            gradient of the whole batch in the memory of a part. Batch normalisation sees the parts.

    Attributes:
        iteration: Training steps taken so far.
        pools: A history pool for each discriminator, by name.

    Raises:
        GraphError: A player has no optimiser, or one that holds other weights than the player's; or a loss
            couples the samples of a batch that shall be divided.
        ShapeError: An argument is something else, an optimiser alone for example.
        ArgumentError: `accumulate` is not positive, or `seed` no number.

    Source:
        C2GAN (arXiv 1908.00999), section 3.4; the history as in CycleGAN (arXiv 1703.10593).

    Example:
        ```python
        import torch
        from cyclekit import CycleGraph, Image, NetworkSpec
        from cyclekit.training import AdversarialStep, create_optimizers

        graph = CycleGraph(
            {"x": Image(), "y": Image()},
            maps="x -G-> y*",
            adversaries="D: [x, y*] vs [x, y]",
            losses="y* ~ y",
        )
        model = graph.build(
            generators=NetworkSpec("unet_64", base_channels=4),
            discriminators=NetworkSpec("patchgan_16", base_channels=4),
        )
        step = AdversarialStep(model, create_optimizers(model, torch.optim.Adam))
        result = step({"x": torch.zeros(2, 3, 64, 64), "y": torch.zeros(2, 3, 64, 64)})
        assert "generators/y* ~ y" in result.losses
        ```
    """

    def __init__(
        self,
        model: CycleModel,
        optimizers: Mapping[str, Optimizer],
        *,
        backward: Callable[[Tensor], Any] = torch.autograd.backward,
        wrap: Callable[[nn.Module], Callable[..., Losses]] | None = None,
        seed: int = 0,
        accumulate: int = 1,
    ) -> None:
        check_model(model)
        schedule = model.graph.schedule
        if type(seed) is not int or abs(seed) >= 2**62:
            raise ArgumentError(f"seed: got {seed!r}, expected a whole number of at most 62 bits")
        if not callable(backward) or not (wrap is None or callable(wrap)):
            raise ShapeError("backward and wrap: expected functions, such as accelerator.backward and torch.compile")
        if type(accumulate) is not int or accumulate < 1:
            raise ArgumentError(f"accumulate: got {accumulate!r}, expected 1 or more parts")
        if accumulate > 1:
            _check_parts_add_up(model)
        self.model = model
        self.optimizers = checked_optimizers(model, optimizers)
        self.iteration = 0
        pools = {
            name: HistoryPool(schedule.history, seed + number) for number, name in enumerate(model.graph.discriminators)
        }
        self.pools = nn.ModuleDict(pools).to(next(model.parameters()).device)
        self.accumulate = accumulate
        self._backward = backward
        self._moves = Moves(model, wrap)
        self._watch = LossWatch()
        self._looked = False
        self._taught: set[str] = set()
        self._made_for = _networks(model)
        for player in self.optimizers:
            # Wrapped before anything is generated: DistributedDataParallel makes the processes' weights equal.
            for iteration in sorted({0, schedule.penalty_interval - 1}):
                due = model.graph.due(player, iteration=iteration)
                self._moves.of(player, due, iteration)

    def __call__(self, batch: Mapping[str, Tensor]) -> StepResult:
        """Take one training step. The first batch's values are looked at once (`CycleModel.check_values`).

        Args:
            batch: The graph's input signals by name, images and maps in [-1, 1], on the model's device.

        Returns:
            The losses and the generated signals.

        Raises:
            SignalError: A signal is missing, holds no samples or does not fit its domain, or the batch cannot
                be divided.
            GraphError: The model is not the one the step was made for any more, or a network gets no gradient.
        """
        if not isinstance(batch, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise SignalError(f"a batch is a dict of tensors by the signals' names, got a {type(batch).__name__}")
        for name, value in batch.items():
            if isinstance(value, Tensor) and value.ndim and not len(value):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise SignalError(f"{name!r} holds no samples: leave empty batches out")
        self._check_model()
        batch = self.model.with_noise(batch)
        if not self._looked:
            self.model.check_values(batch)
            self._looked = True
        graph = self.model.graph
        generators_turn = (self.iteration + 1) % graph.schedule.discriminator_steps == 0
        losses: dict[str, Tensor] = {}
        signals: dict[str, Tensor] = {}
        for player, optimizer in self.optimizers.items():
            judging = graph.side_of(player) == "discriminators"
            moves = self._moves.of(player, graph.due(player, batch, self.iteration), self.iteration)
            if not moves or not (judging or generators_turn):
                continue
            optimizer.zero_grad()
            for move in moves:
                result = self._judge(move, batch, signals) if judging else self._generate(move, batch)
                signals.update(result.signals)
                total = losses.get(f"{player}/total", 0) + result.total
                losses |= {f"{player}/total": total, **{f"{player}/{k}": loss for k, loss in result.terms.items()}}
            self._check_gradients(player, moves)
            optimizer.step()
        self._watch.note(losses, self.iteration)
        self.iteration += 1
        return StepResult(losses, signals)

    def _check_model(self) -> None:
        """Refuse to train weights that the networks do not have any more."""
        if (now := _networks(self.model)) != self._made_for:
            changed = [name for name, network in now.items() if network != self._made_for.get(name)]
            raise GraphError(
                f"{' and '.join(changed) or 'the model'} changed since this step was made, whose optimisers hold the "
                "former weights: make optimisers and step after networks are replaced, and after .to() and .double()"
            )
        if not (self._looked or self.model.training):
            warn(
                "the model trains in evaluation mode, where dropout and batch normalisation rest: call model.train()",
                UserWarning,
            )

    def _check_gradients(self, player: str, moves: list[Move]) -> None:
        """Look once whether a player's networks got a gradient at all, whatever it is: that waits for nothing."""
        if player in self._taught:
            return
        self._taught.add(player)
        flow, side = self.model.gradient_flow(), self.model.graph.side_of(player)
        due = [name for move in moves for name in move.objective.terms_by_name]
        taught = {n for t in due for n in flow.get(t, ()) or self.model.graph.learners(self.model.graph.term(t), side)}
        for name, network in ((n, net) for move in moves for n, net in move.objective.networks.items()):
            weights = [weight for weight in network.parameters() if weight.requires_grad]
            if name in taught and weights and all(weight.grad is None for weight in weights):
                raise GraphError(
                    f"{name} gets no gradient from the loss of {player!r}: it, or what comes behind it, detaches what "
                    "it makes or runs under torch.no_grad()"
                )

    def check_finite(self) -> None:
        """Check that every loss has been finite so far; call it where losses are read, as it waits for the device.

        Raises:
            TrainingDivergedError: A loss was not; the message names the first one, and its training step.
        """
        self._watch.check()

    def state_dict(self) -> dict[str, Any]:
        """Return optimisers, pools and the iteration.

        Returns:
            What `load_state_dict` takes; the model's weights are not in it.
        """
        return {
            "iteration": self.iteration,
            "pools": self.pools.state_dict(),
            "kinds": {player: _kind(optimizer) for player, optimizer in self.optimizers.items()},
            "optimizers": {player: optimizer.state_dict() for player, optimizer in self.optimizers.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up where `state_dict` was called.

        Args:
            state: What it returned.

        Raises:
            ArgumentError: It is the state of other optimisers, or of something else.
        """
        if type(state["iteration"]) is not int or state["iteration"] < 0:
            raise ArgumentError(f"the iteration is {state['iteration']!r}")
        kinds = {player: _kind(optimizer) for player, optimizer in self.optimizers.items()}
        if state["kinds"] != kinds:
            raise ArgumentError(f"the optimisers are {state['kinds']} there and {kinds} here")
        self._watch.clear()
        self.iteration = state["iteration"]
        self.pools.load_state_dict(state["pools"])
        for player, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][player])

    def _generate(self, move: Move, batch: Mapping[str, Tensor]) -> Losses:
        return self._run(move, self.model.checked(batch, move.plan.inputs))

    def _judge(self, move: Move, batch: Mapping[str, Tensor], signals: Mapping[str, Tensor]) -> Losses:
        missing = [name for name in move.plan.given if name not in signals]
        made = self.model.generate({**batch, **signals}, missing, step=self.iteration) if missing else {}
        given = {name: made[name] if name in made else signals[name] for name in move.plan.given}
        fakes = self.model.fakes(batch, given, terms=move.judges)
        history = {name: self.pools[judge](fakes[name]) for name, judge in move.judges.items()}
        result = self._run(move, self.model.checked(batch, move.plan.inputs), given, history)
        return result._replace(signals=made)

    def _run(self, move: Move, *values: Mapping[str, Tensor]) -> Losses:
        """Back-propagate an objective's loss, part by part of the batch; return its mean, detached."""
        weights = self.model.present_weights(move.objective, self.iteration)
        changing = {"weights": weights} if weights else {}
        parts: list[Losses] = []
        for number, part in enumerate(zip(*map(self._parts, values), strict=True), start=1):
            # Several processes add their gradients up once, after the last part.
            alone = nullcontext if number == self.accumulate else getattr(move.run, "no_sync", nullcontext)
            with alone():
                made = move.run(*part, **changing)
                if not made.total.requires_grad:
                    raise GraphError(
                        f"the loss of {', '.join(map(repr, made.terms))} has no gradient: the step runs under "
                        "torch.no_grad(), or networks detach what they make, or their weights have requires_grad=False"
                    )
                self._backward(made.total / self.accumulate)
            parts.append(Losses(made.total.detach(), _detached(made.terms), _detached(made.signals)))
        if len(parts) == 1:
            return parts[0]
        return Losses(
            torch.stack([part.total for part in parts]).mean(0),
            {name: torch.stack([part.terms[name] for part in parts]).mean(0) for name in parts[0].terms},
            {name: torch.cat([part.signals[name] for part in parts]) for name in parts[0].signals},
        )

    def _parts(self, values: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
        count = self.accumulate
        for value in values.values():
            if len(value) % count:
                raise SignalError(f"a batch of {len(value)} cannot be divided into accumulate={count} equal parts")
        return [{name: value.chunk(count)[i] for name, value in values.items()} for i in range(count)]


def _networks(model: CycleModel) -> dict[str, object]:
    """Return what a step is made for: networks, and where their weights are and of which type."""
    weight = next(model.parameters())
    return {**model.generators, **model.discriminators, "the model": (weight.dtype, weight.device)}


def _kind(optimizer: Optimizer) -> str:
    return type(getattr(optimizer, "optimizer", optimizer)).__name__  # behind Accelerate's


def _check_parts_add_up(model: CycleModel) -> None:
    """Refuse to divide a batch for a loss that compares its samples with each other."""
    for side in SIDES:
        for term in model.graph.minimised_by(side):
            measure = model.measure(term.name)
            if term.where:
                raise GraphError(
                    f"accumulate: the term {term.name!r} is computed for the samples that {term.where!r} tells, whose "
                    "number differs from part to part, so that they would not add up to it; leave accumulate at 1"
                )
            if (domain := _ignoring(model, term)) is not None:
                raise GraphError(
                    f"accumulate: the term {term.name!r} does not count the pixels that {domain} ignores, whose number "
                    "differs from part to part, so that they would not add up to it; leave accumulate at 1"
                )
            if getattr(getattr(measure, "func", measure), "couples_samples", False):
                raise GraphError(
                    f"accumulate: {term.criterion!r} of the term {term.name!r} couples the samples of a batch, so that "
                    "parts would not add up to it; leave accumulate at 1, or choose another one"
                )


def _ignoring(model: CycleModel, term: Term) -> Classes | None:
    """Return the domain of a comparison's target that has pixels without a class."""
    target = model.graph.domains.get(term.target or "") if isinstance(term, Comparison) else None
    return target if isinstance(target, Classes) and target.ignore is not None else None


def _detached(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach() for name, value in values.items()}
