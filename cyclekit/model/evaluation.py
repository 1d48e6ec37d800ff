"""Running a graph's networks and functions on named values."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]

from cyclekit.errors import ImageSizeError, NetworkOutputError
from cyclekit.graph import CycleGraph, Domain, Evaluation, Regularizer
from cyclekit.graph.plan import grouped
from cyclekit.graph.terms import FEATURES
from cyclekit.nets import GivesFeatures

Value: TypeAlias = Tensor | Sequence[Tensor]
"""A signal, or a discriminator's logits, which may have several scales."""
Values: TypeAlias = dict[str, Value]
Part: TypeAlias = nn.Module | Callable[..., Tensor]
Group: TypeAlias = tuple[Evaluation, ...]


class Evaluator:
    """Runs evaluations of a graph's networks on named values.

    Args:
        graph: The graph.
        parts: Its networks and functions by name.
    """

    def __init__(self, graph: CycleGraph, parts: Mapping[str, Part]) -> None:
        self.graph = graph
        self.parts = {name: parts[name] for name in (*graph.networks, *graph.all_functions)}
        self.domains = dict(graph.domains)
        self._functions = frozenset(graph.all_functions)
        self._judges = frozenset(graph.discriminators)
        self._joining = frozenset(name for name in graph.networks if _treats_samples_alone(parts[name]))
        matched = {t.discriminator for t in graph.terms if isinstance(t, Regularizer) and t.side == "generators"}
        self._called = self.parts | {
            name: _Featured(part)
            for name in matched
            if isinstance(part := self.parts[name], nn.Module) and isinstance(part, GivesFeatures)
        }

    def group(self, evaluations: Iterable[Evaluation]) -> tuple[Group, ...]:
        """Join uses of networks that treat each sample of a batch alone."""
        return grouped(evaluations, self._joining.__contains__)

    def join(self, inputs: Sequence[str], values: Mapping[str, Value]) -> Tensor:
        """Return a network's input: maps side by side along the channels, vectors tiled to their size."""
        tensors = [one_tensor(values[name], name) for name in inputs]
        if len(tensors) == 1:
            return tensors[0]
        size = next((tensor.shape[2:] for tensor in tensors if tensor.ndim == 4), None)
        if size is not None:
            tensors = [
                tensor if tensor.ndim == 4 else tensor[:, :, None, None].expand(-1, -1, *size) for tensor in tensors
            ]
        return torch.cat(tensors, dim=1)

    def run(
        self,
        groups: Iterable[Group],
        values: Values,
        *,
        joined: Mapping[str, Tensor] | None = None,
        detached: frozenset[str] = frozenset(),
    ) -> None:
        """Make the values of all groups, in order.

        Args:
            groups: As `group` returned them.
            values: The values so far; the made ones are added.
            joined: Joined inputs to use instead of the values', by the value they lead to.
            detached: Networks whose weights are used without gradient.
        """
        for group in groups:
            name = group[0].network
            part = self._called[name]
            if name in self._functions:
                (evaluation,) = group
                made = part(*[values[value] for value in evaluation.inputs])
                values.update(self._named(evaluation, made))
                continue
            inputs = [
                joined[evaluation.outputs[0]]
                if joined and evaluation.outputs[0] in joined
                else self.join(evaluation.inputs, values)
                for evaluation in group
            ]
            for evaluation, made in zip(group, self._forward(group, part, inputs, name in detached), strict=True):
                values.update(self._named(evaluation, made))

    def judge(self, discriminator: str, *, detached: bool) -> Callable[[Tensor], Any]:
        """Return a discriminator as penalties need it: bare logits, and statistics that stay as they are.

        Args:
            discriminator: Its name.
            detached: Whether its weights are used without gradient.
        """
        part = cast("nn.Module", self.parts[discriminator])

        def logits(joined: Tensor) -> Any:
            state = {name: statistic.clone() for name, statistic in part.named_buffers()}
            if detached:
                state |= {name: weight.detach() for name, weight in part.named_parameters()}
            made = torch.func.functional_call(part, state, (joined,))
            return _head(made, "source", discriminator) if isinstance(made, dict) else made

        return logits

    def _forward(self, group: Sequence[Evaluation], part: Part, inputs: list[Tensor], detached: bool) -> list[object]:
        forward = _with_detached_weights(part) if detached and isinstance(part, nn.Module) else part
        try:
            if len(group) > 1 and all(tensor.shape == inputs[0].shape for tensor in inputs):
                made = forward(torch.cat(inputs))
                return [_piece(made, index, inputs[0].shape[0]) for index in range(len(group))]
            return [forward(tensor) for tensor in inputs]
        except ImageSizeError as error:
            raise ImageSizeError(f"{group[0]}: {error}") from None
        except (RuntimeError, TypeError, ValueError) as error:
            error.add_note(f"while computing {' and '.join(map(str, group))}")
            raise

    def _named(self, evaluation: Evaluation, made: object) -> Values:
        if evaluation.network in self._judges:
            return self._named_logits(evaluation, made)
        domains = [self.domains[name] for name in evaluation.outputs]
        parts = _parts(made, [domain.channels for domain in domains])
        if len(parts) != len(domains) or not all(map(_fits, parts, domains)):
            wanted = ", ".join(f"{name}: {domain}" for name, domain in zip(evaluation.outputs, domains, strict=True))
            raise NetworkOutputError(
                f"{evaluation}: {evaluation.network} must return {sum(d.channels for d in domains)} channels "
                f"({wanted}), got {_shapes(parts) or type(made).__name__}"
            )
        return dict(zip(evaluation.outputs, parts, strict=True))

    def _named_logits(self, evaluation: Evaluation, made: object) -> Values:
        (logits,) = evaluation.outputs
        if isinstance(made, Tensor | list | tuple) and not evaluation.heads:
            return {logits: _logits(made, f"{evaluation}: {evaluation.network}")}
        if not isinstance(made, dict):
            expected = "a dict of heads" if evaluation.heads else "logits, a list of logits or a dict of heads"
            if [head for head, _ in evaluation.heads] == [FEATURES]:
                expected = f"a dict of 'source' and {FEATURES!r}, or have a method judge_with_features"
            raise NetworkOutputError(
                f"{evaluation}: {evaluation.network} must return {expected}, got {type(made).__name__}"
            )
        heads = (("source", logits), *evaluation.heads)
        where = f"{evaluation}: {evaluation.network}"
        _logits(_head(made, "source", where), where)
        return {name: _head(made, head, where) for head, name in heads}


class _Featured(nn.Module):
    """A discriminator as one that returns its features in a dict, as the evaluator takes them."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, joined: Tensor) -> dict[str, Any]:
        judged, features = self.network.judge_with_features(joined)  # pyright: ignore[reportCallIssue]
        return (judged if isinstance(judged, dict) else {"source": judged}) | {FEATURES: features}


def _logits(made: Value, network: str) -> Value:
    """Return logits, once they are known to be that: one tensor, or one for each scale, alike in batch and channels."""
    if isinstance(made, Tensor):
        return made
    scales = _parts(made, [])
    if not scales or any(scale.shape[:2] != scales[0].shape[:2] for scale in scales):
        raise NetworkOutputError(
            f"{network} must return logits, or a list of logits of one batch and one number of channels, got "
            f"{_shapes(scales) or type(made).__name__}; features belong in a dict of 'source' and 'features', or in a "
            "method judge_with_features"
        )
    return made


def _head(made: Mapping[str, Value], head: str, network: str) -> Value:
    if head not in made:
        returned = ", ".join(map(repr, made)) or "none"
        raise NetworkOutputError(f"{network} must return the head {head!r}, it returned {returned}")
    return made[head]


def one_tensor(value: Value, name: str) -> Tensor:
    """Return a value that must be one tensor."""
    if not isinstance(value, Tensor):
        raise NetworkOutputError(f"{name} must be one tensor, got {type(value).__name__}")
    return value


def _treats_samples_alone(part: Part) -> bool:
    """Whether a joined batch gives each sample what a batch of its own would."""
    return (
        isinstance(part, nn.Module)
        and getattr(part, "joins_batches", type(part).__module__.startswith("cyclekit."))
        and not any(
            isinstance(module, _BatchNorm) or getattr(module, "track_running_stats", False) for module in part.modules()
        )
    )


def _with_detached_weights(part: nn.Module) -> Callable[[Tensor], object]:
    weights = {name: weight.detach() for name, weight in part.named_parameters()}
    return lambda joined: torch.func.functional_call(part, weights, (joined,))


def _parts(made: object, channels: list[int]) -> list[Tensor]:
    if isinstance(made, Tensor):
        if len(channels) > 1 and made.ndim > 1 and made.shape[1] == sum(channels):
            return list(made.split(channels, dim=1))
        return [made]
    parts = list(made) if isinstance(made, tuple | list) else []
    return parts if all(isinstance(part, Tensor) for part in parts) else []


def _fits(part: Tensor, domain: Domain) -> bool:
    return part.ndim == (4 if domain.spatial else 2) and part.shape[1] == domain.channels


def _shapes(parts: Iterable[Tensor]) -> str:
    return ", ".join(str(tuple(part.shape)) for part in parts)


def _piece(made: object, index: int, size: int) -> object:
    """Return one use's share of what a network made of a joined batch."""
    if isinstance(made, Tensor):
        return made[index * size : (index + 1) * size]
    if isinstance(made, dict):
        return {key: _piece(part, index, size) for key, part in made.items()}
    if isinstance(made, list | tuple):
        return [_piece(part, index, size) for part in made]
    return made
