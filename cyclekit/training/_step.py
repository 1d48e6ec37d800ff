"""One round of play: every player steps as the graph's schedule says."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from cyclekit.graph import Adversary, Comparison, CycleGraph, GraphError, PlayerPlan
from cyclekit.model import CycleModel, Losses
from cyclekit.pool import HistoryPool
from cyclekit.training._players import networks_of


class Round(NamedTuple):
    """What a round of play came to. Nothing here has waited for the device.

    Args:
        losses: Detached scalars by player and name: ``generators/total`` and ``discriminators/total`` are
            weighted, ``generators/I2I2I`` and its like are not.
        signals: The generated signals by name, detached.
    """

    losses: dict[str, Tensor]
    signals: dict[str, Tensor]


class AdversarialStep:
    """Steps every player of a model once, in the order of the graph's schedule.

    By default the generators step on the whole objective in one backward pass, then the discriminators, on
    the same generated signals and on a history of earlier ones. Where discriminators step first, they judge
    signals generated for them.

    Args:
        model: The model, on its device, in training mode.
        optimizers: An optimiser for each player, as `create_optimizers` makes them.
        backward: Computes the gradients of a loss; ``accelerator.backward`` under Accelerate.
        wrap: Applied to each objective once: ``torch.compile``, or ``accelerator.prepare``.
        seed: Of the history pools.

    Raises:
        GraphError: A player has no optimiser.

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
        played = step({"x": torch.zeros(2, 3, 64, 64), "y": torch.zeros(2, 3, 64, 64)})
        assert "generators/y* ~ y" in played.losses
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
    ) -> None:
        schedule = model.graph.schedule
        for player in schedule.order:
            if player not in optimizers and networks_of(model.graph, player):
                raise GraphError(
                    f"no optimiser for the player {player!r}; there are {', '.join(optimizers) or 'none'}"
                )
        self.model = model
        self.optimizers = dict(optimizers)
        self.rounds = 0
        device = next(model.parameters()).device
        self.pools = nn.ModuleDict(
            {
                name: HistoryPool(schedule.history, seed + number)
                for number, name in enumerate(model.graph.discriminators)
            }
        ).to(device)
        self._backward = backward
        self._wrap = wrap
        # What a player runs follows from the terms a batch allows and from who stands in; worked out once.
        self._moves: dict[tuple[object, ...], list[_Move]] = {}

    def __call__(self, batch: Mapping[str, Tensor]) -> Round:
        """Play one round.

        Args:
            batch: The graph's input signals by name, images and maps in [-1, 1], on the model's device.

        Returns:
            The losses and the generated signals.

        Raises:
            SignalError: A signal is missing or does not fit its domain.
        """
        graph = self.model.graph
        generators_turn = (self.rounds + 1) % graph.schedule.discriminator_steps == 0
        losses: dict[str, Tensor] = {}
        signals: dict[str, Tensor] = {}
        for player, optimizer in self.optimizers.items():
            if player == "discriminators" or player in graph.discriminators:
                signals = signals or self.model.generate(batch)
                paid = self._step_discriminators(player, batch, signals, optimizer)
            elif generators_turn:
                paid = self._step_generators(player, batch, signals, optimizer)
            else:
                continue
            losses.update({f"{player}/{name}": loss for name, loss in paid.items()})
        self.rounds += 1
        return Round(losses, signals)

    def state_dict(self) -> dict[str, Any]:
        """Return optimisers, pools and the count of rounds.

        Returns:
            What `load_state_dict` takes; the model's weights are not in it.
        """
        return {
            "rounds": self.rounds,
            "pools": self.pools.state_dict(),
            "optimizers": {player: optimizer.state_dict() for player, optimizer in self.optimizers.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up where `state_dict` was called.

        Args:
            state: What it returned.
        """
        self.rounds = state["rounds"]
        self.pools.load_state_dict(state["pools"])
        for player, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][player])

    def _step_generators(
        self, player: str, batch: Mapping[str, Tensor], signals: dict[str, Tensor], optimizer: Optimizer
    ) -> dict[str, Tensor]:
        paid: dict[str, Tensor] = {}
        optimizer.zero_grad()
        fresh: dict[str, Tensor] = {}
        for move in self._moves_of(player, self.model.active_terms(batch, "generators")):
            part = move.run(self.model.checked(batch, move.plan.inputs))
            self._backward(part.total)
            _add(paid, part)
            fresh = {**{name: value.detach() for name, value in part.signals.items()}, **fresh}
        optimizer.step()
        signals.update(fresh)
        return paid

    def _step_discriminators(
        self, player: str, batch: Mapping[str, Tensor], signals: dict[str, Tensor], optimizer: Optimizer
    ) -> dict[str, Tensor]:
        paid: dict[str, Tensor] = {}
        optimizer.zero_grad()
        for move in self._moves_of(player, self.model.active_terms(batch, "discriminators")):
            if missing := [name for name in move.plan.given if name not in signals]:
                signals.update(self.model.generate({**batch, **signals}, missing))
            fakes = self.model.fakes(batch, signals)
            history = {name: self.pools[judge](fakes[name]) for name, judge in move.judges.items()}
            part = move.run(self.model.checked(batch, move.plan.inputs), signals, history)
            self._backward(part.total)
            _add(paid, part)
        optimizer.step()
        return paid

    def _moves_of(self, player: str, active: tuple[str, ...]) -> list["_Move"]:
        model, schedule = self.model, self.model.graph.schedule
        standing_in = tuple(s.network for s in schedule.stand_ins if self.rounds < s.steps)
        key = (player, active, standing_in)
        if key in self._moves:
            return self._moves[key]
        now = model.graph.at_step(self.rounds)
        names = tuple(name for name in networks_of(model.graph, player) if name in now.networks)
        side = (
            "discriminators" if player == "discriminators" or player in now.discriminators else "generators"
        )
        terms = tuple(name for name in active if now.learners(now.term(name), side) & set(names))
        if side == "discriminators":
            objectives = [model.discriminator_objective(terms, networks=names)] if terms else []
        else:
            groups = _backward_groups(now, terms)
            objectives = [
                model.generator_objective(group, networks=names, step=self.rounds) for group in groups
            ]
        moves: list[_Move] = []
        for objective in objectives:
            owned = [now.term(name) for name in objective.plan.terms]
            judges = {t.name: t.discriminator for t in owned if isinstance(t, Adversary) and t.generated}
            moves.append(_Move(self._wrap(objective) if self._wrap else objective, objective.plan, judges))
        self._moves[key] = moves
        return moves


class _Move(NamedTuple):
    """One backward pass of one player: its objective, compiled or wrapped, and what that reads."""

    run: Callable[..., Losses]
    plan: PlayerPlan
    judges: dict[str, str]


def _add(paid: dict[str, Tensor], part: Losses) -> None:
    total = part.total.detach()
    paid["total"] = paid["total"] + total if "total" in paid else total
    paid.update({name: loss.detach() for name, loss in part.terms.items()})


def _backward_groups(graph: CycleGraph, terms: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return the terms that are back-propagated together: all of them, or each cycle's with what it makes."""
    if graph.schedule.backward == "joint":
        return [terms] if terms else []
    made = {
        name: {
            value
            for e in graph.plan([name]).generators.evaluations
            for value in e.makes
            if value in graph.generated
        }
        for name in terms
    }
    cycles = [name for name in terms if _closes_cycle(graph, name)]
    groups: dict[str, list[str]] = {name: [name] for name in cycles}
    for name in terms:
        if name not in groups:
            home = next((cycle for cycle in cycles if made[name] <= made[cycle]), name)
            groups.setdefault(home, []).append(name)
    return [tuple(group) for group in groups.values()]


def _closes_cycle(graph: CycleGraph, name: str) -> bool:
    term = graph.term(name)
    return isinstance(term, Comparison) and term.kind == "cycle"
