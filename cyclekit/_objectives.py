"""The two objectives: one player's loss as one forward of one module."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]

from cyclekit.graph import Adversary, Comparison, CycleGraph, Evaluation, PlayerPlan
from cyclekit.graph._plan import expression, grouped
from cyclekit.losses import AdversarialLoss, Criterion
from cyclekit.nets import ImageSizeError

Batch: TypeAlias = Mapping[str, Tensor]
Judgement: TypeAlias = Tensor | list[Tensor] | dict[str, Tensor]
Value: TypeAlias = Tensor | Judgement
Parts: TypeAlias = Mapping[str, nn.Module | Callable[..., Tensor]]


class Losses(NamedTuple):
    """What a player pays.

    Args:
        total: The weighted sum, a scalar; the discriminators' is scaled by the schedule's factor.
        terms: Each term by name, a scalar, neither weighted nor scaled.
        signals: The generated signals computed on the way, by name.
    """

    total: Tensor
    terms: dict[str, Tensor]
    signals: dict[str, Tensor]


class NetworkOutputError(ValueError):
    """A network whose output does not fit the signals it makes."""


class Evaluator:
    """Runs evaluations of a graph's networks on named values.

    Args:
        graph: The graph.
        parts: Networks and functions by name.
    """

    def __init__(self, graph: CycleGraph, parts: Parts) -> None:
        self.graph = graph
        self.parts = parts
        self.domains = graph.signals
        self.judges = frozenset(graph.discriminators)

    def group(self, evaluations: Sequence[Evaluation]) -> tuple[tuple[Evaluation, ...], ...]:
        """Join uses of networks that treat each sample of a batch alone."""
        return grouped(evaluations, self._joins)

    def _joins(self, network: str) -> bool:
        part = self.parts[network]
        if not isinstance(part, nn.Module) or not getattr(part, "joins_batches", True):
            return False
        return not any(isinstance(module, _BatchNorm) for module in part.modules())

    def join(self, inputs: Sequence[str], values: Mapping[str, Value]) -> Tensor:
        """Return a network's input: maps side by side along the channels, vectors tiled to their size."""
        tensors = [_tensor(values[name]) for name in inputs]
        if len(tensors) == 1:
            return tensors[0]
        size = next((tensor.shape[2:] for tensor in tensors if tensor.ndim == 4), None)
        if size is not None:
            tensors = [
                tensor if tensor.ndim == 4 else tensor[:, :, None, None].expand(-1, -1, *size)
                for tensor in tensors
            ]
        return torch.cat(tensors, dim=1)

    def run(
        self,
        groups: Sequence[tuple[Evaluation, ...]],
        values: dict[str, Value],
        *,
        freeze: frozenset[str] = frozenset(),
        ready: Mapping[str, Tensor] | None = None,
    ) -> None:
        """Make the values of all groups.

        Args:
            groups: Evaluations, in order.
            values: The values so far; the made ones are added.
            freeze: Networks whose weights take no gradient.
            ready: Joined inputs to use instead of the values', by the judgement they lead to.
        """
        for group in groups:
            network = group[0].network
            part = self.parts[network]
            if not isinstance(part, nn.Module) and len(group) == 1:
                evaluation = group[0]
                made = part(*[values[name] for name in evaluation.inputs])
                self._store(evaluation, made, values)
                continue
            joined = [
                ready[e.outputs[0]] if ready and e.outputs[0] in ready else self.join(e.inputs, values)
                for e in group
            ]
            try:
                if len(group) > 1 and all(tensor.shape == joined[0].shape for tensor in joined):
                    made = _call(part, torch.cat(joined), network in freeze)
                    pieces = [_piece(made, index, joined[0].shape[0]) for index in range(len(group))]
                else:
                    pieces = [_call(part, tensor, network in freeze) for tensor in joined]
            except ImageSizeError as error:
                raise ImageSizeError(f"{group[0]}: {error}") from None
            for evaluation, piece in zip(group, pieces, strict=True):
                self._store(evaluation, piece, values)

    def _store(self, evaluation: Evaluation, made: object, values: dict[str, Value]) -> None:
        if evaluation.network in self.judges:
            self._store_judgement(evaluation, made, values)
            return
        channels = [self.domains[name].channels for name in evaluation.outputs]
        if (
            isinstance(made, Tensor)
            and len(channels) > 1
            and made.ndim > 1
            and made.shape[1] == sum(channels)
        ):
            made = made.split(channels, dim=1)
        parts = [made] if isinstance(made, Tensor) else list(made) if isinstance(made, (tuple, list)) else []
        found = [tuple(part.shape) for part in parts if isinstance(part, Tensor)]
        fits = len(found) == len(channels) and all(
            len(shape) > 1 and shape[1] == count for shape, count in zip(found, channels, strict=True)
        )
        if not fits:
            expected = ", ".join(f"{name}: {self.domains[name]}" for name in evaluation.outputs)
            raise NetworkOutputError(
                f"{evaluation}: {evaluation.network} must return {sum(channels)} channels ({expected}), got "
                f"{', '.join(map(str, found)) or type(made).__name__}"
            )
        for name, part in zip(evaluation.outputs, parts, strict=True):
            values[name] = part

    def _store_judgement(self, evaluation: Evaluation, made: object, values: dict[str, Value]) -> None:
        if not isinstance(made, (Tensor, list, tuple, dict)):
            raise NetworkOutputError(
                f"{evaluation}: a discriminator returns logits, a list of logits, or a dict of heads, got "
                f"{type(made).__name__}"
            )
        heads: dict[str, Tensor] = dict(made) if isinstance(made, dict) else {}  # pyright: ignore[reportUnknownArgumentType]
        missing = [head for head in ("source", *dict(evaluation.heads)) if head not in heads]
        if missing and (evaluation.heads or isinstance(made, dict)):
            raise NetworkOutputError(
                f"{evaluation}: {evaluation.network} must return a dict with 'source' and its heads; missing: "
                f"{', '.join(missing)}"
            )
        values[evaluation.outputs[0]] = heads["source"] if heads else made  # pyright: ignore[reportArgumentType]
        for head, name in evaluation.heads:
            values[name] = heads[head]


class Objective(nn.Module):
    """One player's loss: what ``torch.compile`` compiles, what DDP wraps, what autocast covers.

    Only the networks that learn are its submodules; the others are used without gradient for their weights.

    Args:
        evaluator: The graph's networks.
        plan: The player's plan.
        learning: The networks that learn.
        criteria: A criterion or adversarial loss for each of the plan's terms.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        plan: PlayerPlan,
        learning: Sequence[str],
        criteria: Mapping[str, Criterion | AdversarialLoss],
    ) -> None:
        super().__init__()
        self.plan = plan
        self.networks = nn.ModuleDict(
            {name: part for name in learning if isinstance(part := evaluator.parts[name], nn.Module)}
        )
        self._evaluator = evaluator
        self._groups = evaluator.group(plan.evaluations)
        self._terms = tuple(evaluator.graph.term(name) for name in plan.terms)
        used = {evaluation.network for evaluation in plan.evaluations}
        self._freeze = frozenset(used - set(learning))
        # A dict, not a ModuleDict: the model owns criteria that are modules.
        self._criteria = dict(criteria)


class GeneratorObjective(Objective):
    """What the generators pay: comparisons, and how far their results are from fooling the discriminators."""

    def forward(self, batch: Batch) -> Losses:
        """Return the generators' losses.

        Args:
            batch: The plan's input signals by name, images and maps in [-1, 1].

        Returns:
            Total, terms, and the generated signals with their gradient.
        """
        values: dict[str, Value] = {name: batch[name] for name in self.plan.inputs}
        self._evaluator.run(self._groups, values, freeze=self._freeze)
        terms: dict[str, Tensor] = {}
        total: Tensor | None = None
        for term in self._terms:
            terms[term.name] = loss = self._loss(term, values)
            total = _plus(total, term.weight * loss)
        signals = {name: _tensor(values[name]) for name in self._evaluator.graph.generated if name in values}
        return Losses(_or_zero(total, batch), terms, signals)

    def _loss(self, term: Comparison | Adversary, values: Mapping[str, Value]) -> Tensor:
        criterion = self._criteria[term.name]
        if isinstance(term, Comparison):
            return _compared(criterion, term, values)
        fake = values[expression(term.discriminator, term.fake)]
        real = values.get(expression(term.discriminator, term.real))
        return criterion.generator(fake, real)  # pyright: ignore


class DiscriminatorObjective(Objective):
    """What the discriminators pay: for telling real from generated, and for what their heads say of real inputs."""

    def forward(self, batch: Batch, signals: Batch, history: Batch | None = None) -> Losses:
        """Return the discriminators' losses.

        Args:
            batch: The plan's input signals by name, images and maps in [-1, 1].
            signals: The generated signals the plan takes as given; they are detached here.
            history: By adversary, what the discriminator judges as generated in place of this batch's signals:
                the fake tuple joined along the channels, as a history pool gives it.

        Returns:
            Total, scaled by the schedule's factor, and terms.
        """
        values: dict[str, Value] = {name: batch[name] for name in self.plan.inputs}
        values.update({name: signals[name].detach() for name in self.plan.given})
        ready: dict[str, Tensor] = {}
        for term in self._terms:
            if history is not None and isinstance(term, Adversary) and term.name in history:
                ready[expression(term.discriminator, term.fake)] = history[term.name].detach()
        self._evaluator.run(self._groups, values, freeze=self._freeze, ready=ready)
        terms: dict[str, Tensor] = {}
        total: Tensor | None = None
        for term in self._terms:
            criterion = self._criteria[term.name]
            if isinstance(term, Comparison):
                loss = _compared(criterion, term, values)
            else:
                fake = values[expression(term.discriminator, term.fake)]
                real = values[expression(term.discriminator, term.real)]
                loss = criterion.discriminator(real, fake)  # pyright: ignore
            terms[term.name] = loss
            total = _plus(total, term.weight * loss)
        scale = self._evaluator.graph.schedule.discriminator_scale
        return Losses(_or_zero(total, batch) * scale, terms, {})


def _compared(criterion: object, term: Comparison, values: Mapping[str, Value]) -> Tensor:
    tensors = [_tensor(values[name]) for name in term.signals]
    return criterion(*tensors)  # pyright: ignore


def _plus(total: Tensor | None, loss: Tensor) -> Tensor:
    return loss if total is None else total + loss


def _or_zero(total: Tensor | None, batch: Batch) -> Tensor:
    return next(iter(batch.values())).new_zeros(()) if total is None else total


def _tensor(value: Value) -> Tensor:
    if not isinstance(value, Tensor):
        raise NetworkOutputError(f"expected one tensor, got {type(value).__name__}")
    return value


def _call(part: nn.Module | Callable[..., Tensor], joined: Tensor, freeze: bool) -> object:
    if not freeze or not isinstance(part, nn.Module):
        return part(joined)
    if torch.compiler.is_compiling():
        # Flags cannot be turned inside a compiled region; detached weights say the same there at no cost.
        weights = {name: weight.detach() for name, weight in part.named_parameters()}
        return torch.func.functional_call(part, weights, (joined,))
    with _without_weight_gradients(part):
        return part(joined)


@contextmanager
def _without_weight_gradients(module: nn.Module) -> Generator[None]:
    weights = [weight for weight in module.parameters() if weight.requires_grad]
    for weight in weights:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in weights:
            weight.requires_grad_(True)


def _piece(made: object, index: int, size: int) -> object:
    """Return one use's share of what a network made of a joined batch."""
    if isinstance(made, Tensor):
        return made[index * size : (index + 1) * size]
    if isinstance(made, dict):
        return {key: _piece(part, index, size) for key, part in made.items()}
    if isinstance(made, (list, tuple)):
        return [_piece(part, index, size) for part in made]
    return made
