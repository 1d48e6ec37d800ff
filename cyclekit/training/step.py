"""One training step: every player steps as the graph's schedule says."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from cyclekit.errors import GraphError, SignalError
from cyclekit.graph import Adversary, Comparison, CycleGraph, LossPlan, Term
from cyclekit.model import CycleModel, DiscriminatorObjective, GeneratorObjective, Losses
from cyclekit.pool import HistoryPool
from cyclekit.training.players import networks_of, penalties_of, side_of

Run: TypeAlias = Callable[..., Losses]
Wrap: TypeAlias = Callable[[nn.Module], Run]
_Objective: TypeAlias = GeneratorObjective | DiscriminatorObjective


class Move(NamedTuple):
    """One backward pass of one player.

    Args:
        run: Its objective, compiled or wrapped.
        plan: What that reads.
        judges: The discriminator of each adversary whose generated side passes a history pool.
    """

    run: Run
    plan: LossPlan
    judges: Mapping[str, str]


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

    def of(self, player: str, active: tuple[str, ...], iteration: int) -> list[Move]:
        """Return a player's moves; none where no term trains it.

        Args:
            player: An entry of the schedule's order.
            active: The terms that a batch allows.
            iteration: Training steps taken so far, which decide about stand-ins.
        """
        stand_ins = self._model.graph.schedule.stand_ins
        standing_in = tuple(stand_in for stand_in in stand_ins if iteration < stand_in.steps)
        key = (player, active, standing_in)
        if key not in self._known:
            self._known[key] = [self._move(objective) for objective in self._objectives(player, active, iteration)]
        return self._known[key]

    def _objectives(self, player: str, active: tuple[str, ...], iteration: int) -> list[_Objective]:
        graph = self._model.graph
        now, side, networks = graph.at_step(iteration), side_of(graph, player), networks_of(graph, player)
        # A stand-in may change how a term is called; its place stays.
        places = {term.name: current for term, current in zip(graph.terms, now.terms, strict=True)}
        terms = {name: places[name] for name in active if now.learners(places[name], side) & {*networks}}
        if not terms:
            return []
        if side == "discriminators":
            # Computed once in so many steps, a penalty weighs so many times as much.
            interval = graph.schedule.penalty_interval
            weights = dict.fromkeys(penalties_of(graph, player) & {*terms}, float(interval))
            return [self._model.discriminator_objective(terms, networks=networks, weights=weights)]
        groups = _groups(now, terms)
        return [self._model.generator_objective(group, networks=networks, step=iteration) for group in groups]

    def _move(self, objective: _Objective) -> Move:
        if objective not in self._wrapped:
            self._wrapped[objective] = self._wrap(objective) if self._wrap else objective
        judges: dict[str, str] = {}
        if isinstance(objective, DiscriminatorObjective):
            terms = [self._model.graph.term(name) for name in objective.plan.terms]
            judges = {t.name: t.discriminator for t in terms if isinstance(t, Adversary) and t.generated}
        return Move(self._wrapped[objective], objective.plan, judges)


def _groups(graph: CycleGraph, terms: Mapping[str, Term]) -> list[list[str]]:
    """Return the terms that are back-propagated together: all, or each cycle's with those of what it makes."""
    if graph.schedule.backward == "joint":
        return [list(terms)]
    made = {
        name: {
            value
            for evaluation in graph.plan([term.name]).generators.evaluations
            if evaluation.network not in graph.discriminators
            for value in evaluation.makes
        }
        for name, term in terms.items()
    }
    cycles = [name for name, term in terms.items() if isinstance(term, Comparison) and term.kind == "cycle"]
    groups = {name: [name] for name in cycles}
    for name in terms:
        if name not in cycles:
            home = next((cycle for cycle in cycles if made[name] <= made[cycle]), name)
            groups.setdefault(home, []).append(name)
    return list(groups.values())


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
        GraphError: A player has no optimiser, or an optimiser no player.
        ValueError: `accumulate` is not positive.

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
        schedule = model.graph.schedule
        players = [player for player in schedule.order if networks_of(model.graph, player)]
        if set(players) != set(optimizers):
            raise GraphError(
                f"the players are {', '.join(players)}; got optimisers for {', '.join(optimizers) or 'none'}"
            )
        if accumulate < 1:
            raise ValueError(f"accumulate: got {accumulate}, expected 1 or more parts")
        self.model = model
        self.optimizers = {player: optimizers[player] for player in players}
        self.iteration = 0
        pools = {
            name: HistoryPool(schedule.history, seed + number) for number, name in enumerate(model.graph.discriminators)
        }
        self.pools = nn.ModuleDict(pools).to(next(model.parameters()).device)
        self.accumulate = accumulate
        self._backward = backward
        self._moves = Moves(model, wrap)
        for player in players:
            # Wrapped before anything is generated: DistributedDataParallel makes the processes' weights equal.
            terms = tuple(term.name for term in model.graph.minimised_by(side_of(model.graph, player)))
            for iteration in sorted({0, schedule.penalty_interval - 1}):
                self._moves.of(player, self._due(player, terms, iteration), 0)

    def __call__(self, batch: Mapping[str, Tensor]) -> StepResult:
        """Take one training step.

        Args:
            batch: The graph's input signals by name, images and maps in [-1, 1], on the model's device.

        Returns:
            The losses and the generated signals.

        Raises:
            SignalError: A signal is missing or does not fit its domain, or the batch cannot be divided.
        """
        graph = self.model.graph
        generators_turn = (self.iteration + 1) % graph.schedule.discriminator_steps == 0
        losses: dict[str, Tensor] = {}
        signals: dict[str, Tensor] = {}
        for player, optimizer in self.optimizers.items():
            side = side_of(graph, player)
            judging = side == "discriminators"
            due = self._due(player, self.model.active_terms(batch, side), self.iteration)
            moves = self._moves.of(player, due, self.iteration)
            if not moves or not (judging or generators_turn):
                continue
            optimizer.zero_grad()
            for move in moves:
                result = self._judge(move, batch, signals) if judging else self._generate(move, batch)
                signals.update(result.signals)
                total = losses.get(f"{player}/total", 0) + result.total
                losses |= {f"{player}/total": total, **{f"{player}/{k}": loss for k, loss in result.terms.items()}}
            optimizer.step()
        self.iteration += 1
        return StepResult(losses, signals)

    def state_dict(self) -> dict[str, Any]:
        """Return optimisers, pools and the iteration.

        Returns:
            What `load_state_dict` takes; the model's weights are not in it.
        """
        return {
            "iteration": self.iteration,
            "pools": self.pools.state_dict(),
            "optimizers": {player: optimizer.state_dict() for player, optimizer in self.optimizers.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up where `state_dict` was called.

        Args:
            state: What it returned.
        """
        self.iteration = state["iteration"]
        self.pools.load_state_dict(state["pools"])
        for player, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][player])

    def _due(self, player: str, active: tuple[str, ...], iteration: int) -> tuple[str, ...]:
        """Leave penalties out but in every so many-th iteration."""
        graph = self.model.graph
        waiting = penalties_of(graph, player) if iteration % graph.schedule.penalty_interval else frozenset[str]()
        return tuple(name for name in active if name not in waiting)

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
        parts: list[Losses] = []
        for part in zip(*map(self._parts, values), strict=True):
            made = move.run(*part)
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


def _detached(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach() for name, value in values.items()}
