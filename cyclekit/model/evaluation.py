"""Running a graph's networks and functions on named values."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]

from cyclekit.errors import ImageSizeError, NetworkOutputError
from cyclekit.graph import CycleGraph, Domain, Evaluation, Label, Regularizer
from cyclekit.graph.plan import grouped
from cyclekit.graph.terms import FEATURES
from cyclekit.model.calls import called
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
        self._separate = frozenset(name for name in graph.networks if getattr(parts[name], "separate_inputs", False))
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
        signals = {name: one_tensor(values[name], name) for name in inputs}
        _check_alike("height and width", {n: signal.shape[2:] for n, signal in signals.items() if signal.ndim == 4})
        _check_alike("number of samples", {name: signal.shape[:1] for name, signal in signals.items()})
        return _joined([signals[name] for name in inputs])

    def pack(self, discriminator: str, signals: Sequence[str], values: Mapping[str, Value]) -> Tensor:
        """Return what a discriminator judges as one tensor: joined as it takes it, or flat where it takes it apart."""
        if discriminator in self._separate:
            return _flat([one_tensor(values[name], name) for name in signals])
        return self.join(signals, values)

    def _inputs(self, evaluation: Evaluation, values: Mapping[str, Value], packed: Tensor | None) -> list[Tensor]:
        """Return what a network is called with: its signals one by one if it wants them so, or joined."""
        if evaluation.network not in self._separate:
            return [self.join(evaluation.inputs, values) if packed is None else packed]
        signals = [one_tensor(values[name], name) for name in evaluation.inputs]
        return signals if packed is None else _like(packed, signals)

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
            joined: Inputs as `pack` gives them, to use instead of the values', by the value they lead to.
            detached: Networks whose weights are used without gradient.
        """
        for group in groups:
            name = group[0].network
            part = self._called[name]
            if name in self._functions:
                (evaluation,) = group
                given = [values[value] for value in evaluation.inputs]
                made = called(part, given, str(evaluation), name)
                values.update(self._named(evaluation, made, _samples(given)))
                continue
            inputs = [
                self._inputs(evaluation, values, next((joined[v] for v in evaluation.outputs if v in joined), None))
                if joined
                else self._inputs(evaluation, values, None)
                for evaluation in group
            ]
            alone = name in detached or group[0].stopped
            all_made = self._forward(group, part, inputs, alone)
            for evaluation, given, made in zip(group, inputs, all_made, strict=True):
                values.update(self._named(evaluation, made, _samples(given)))

    def points(self, discriminator: str, signals: Sequence[str], values: Mapping[str, Value]) -> Tensor:
        """Return where a penalty differentiates a discriminator, one row a sample.

        That is what the discriminator judges; where there are vectors among it, before they are tiled.
        """
        if self._differentiated_apart(discriminator, signals):
            return _flat([one_tensor(values[name], name) for name in signals])
        return self.join(signals, values)

    def points_of_history(self, discriminator: str, signals: Sequence[str], packed: Tensor) -> Tensor:
        """Return the same of what `pack` made."""
        if discriminator in self._separate or not self._differentiated_apart(discriminator, signals):
            return packed
        domains = [self.domains[name] for name in signals]
        parts = packed.split([domain.channels for domain in domains], dim=1)
        return _flat([p if d.spatial else p[:, :, 0, 0] for p, d in zip(parts, domains, strict=True)])

    def judge(
        self, discriminator: str, signals: Sequence[str], values: Mapping[str, Value], *, detached: bool
    ) -> Callable[[Tensor], Any]:
        """Return a discriminator as penalties need it: bare logits at `points`, and statistics that stay as they are.

        Args:
            discriminator: Its name.
            signals: What it judges.
            values: Their values.
            detached: Whether its weights are used without gradient.
        """
        part = cast("nn.Module", self.parts[discriminator])
        apart = self._differentiated_apart(discriminator, signals)
        shapes = [one_tensor(values[name], name) for name in signals]

        def logits(points: Tensor) -> Any:
            state = {name: statistic.clone() for name, statistic in part.named_buffers()}
            if detached:
                state |= {name: weight.detach() for name, weight in part.named_parameters()}
            inputs = [points]
            if apart:
                # a label is a condition: no point lies between two of them
                parts = zip(signals, _like(points, shapes), strict=True)
                inputs = [p.detach() if isinstance(self.domains[name], Label) else p for name, p in parts]
                if discriminator not in self._separate:
                    inputs = [_joined(inputs)]
            judged = torch.func.functional_call(part, state, tuple(inputs))
            return _head(judged, "source", discriminator) if isinstance(judged, dict) else judged

        return logits

    def _differentiated_apart(self, discriminator: str, signals: Sequence[str]) -> bool:
        layouts = {self.domains[name].spatial for name in signals}
        return discriminator in self._separate or len(layouts) > 1

    def _forward(
        self, group: Sequence[Evaluation], part: Part, inputs: list[list[Tensor]], detached: bool
    ) -> list[object]:
        forward = _with_detached_weights(part) if detached and isinstance(part, nn.Module) else part
        try:
            first = [tensor.shape for tensor in inputs[0]]
            where, name = " and ".join(map(str, group)), group[0].network
            if len(group) > 1 and all([tensor.shape for tensor in each] == first for each in inputs):
                made = called(forward, [*map(torch.cat, zip(*inputs, strict=True))], where, name)
                return [_piece(made, index, first[0][0]) for index in range(len(group))]
            return [called(forward, each, where, name) for each in inputs]
        except ImageSizeError as error:
            raise ImageSizeError(f"{group[0]}: {error}") from None

    def _named(self, evaluation: Evaluation, made: object, samples: int) -> Values:
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
        for name, part in zip(evaluation.outputs, parts, strict=True):
            if not part.is_floating_point():
                raise NetworkOutputError(
                    f"{evaluation}: {evaluation.network} must return floating-point numbers, got {part.dtype} for "
                    f"{name!r}"
                )
            if part.shape[0] != samples:
                raise NetworkOutputError(
                    f"{evaluation}: {evaluation.network} was given {samples} samples and returned {len(part)} for "
                    f"{name!r}, {tuple(part.shape)}: one sample comes of one"
                )
        return dict(zip(evaluation.outputs, parts, strict=True))

    def _named_logits(self, evaluation: Evaluation, made: object) -> Values:
        where = f"{evaluation}: {evaluation.network}"
        if not evaluation.outputs:  # a classifier says its classes, and nothing of real and generated
            if isinstance(made, Tensor) and len(evaluation.heads) == 1:
                return {evaluation.heads[0][1]: made}
            if isinstance(made, dict):
                return {name: _head(made, head, where) for head, name in evaluation.heads}
            raise NetworkOutputError(f"{where} must return a dict of heads, got {type(made).__name__}")
        (logits,) = evaluation.outputs
        if isinstance(made, Tensor | list | tuple) and not evaluation.heads:
            return {logits: _logits(made, where)}
        if not isinstance(made, dict):
            expected = "a dict of heads" if evaluation.heads else "logits, a list of logits or a dict of heads"
            if [head for head, _ in evaluation.heads] == [FEATURES]:
                expected = f"a dict of 'source' and {FEATURES!r}, or have a method judge_with_features"
            raise NetworkOutputError(
                f"{evaluation}: {evaluation.network} must return {expected}, got {type(made).__name__}"
            )
        heads = (("source", logits), *evaluation.heads)
        _logits(_head(made, "source", where), where)
        return {name: _head(made, head, where) for head, name in heads}


class _Featured(nn.Module):
    """A discriminator as one that returns its features in a dict, as the evaluator takes them."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> dict[str, Any]:
        judged, features = self.network.judge_with_features(*inputs)  # pyright: ignore[reportCallIssue]
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


def _check_alike(what: str, sizes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise where what one network takes together does not fit together."""
    first = next(iter(sizes.values()), None)  # none where all are vectors
    if any(size != first for size in sizes.values()):  # a set of them would not export: symbolic sizes have no hash
        shown = ", ".join(f"{name!r} has {'x'.join(map(str, size))}" for name, size in sizes.items())
        raise NetworkOutputError(f"what a network takes together has one {what}: {shown}")


def _samples(inputs: Sequence[Value]) -> int:
    first = inputs[0]
    return (first if isinstance(first, Tensor) else first[0]).shape[0]  # len() would be a number where it is symbolic


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


def _with_detached_weights(part: nn.Module) -> Callable[..., object]:
    weights = {name: weight.detach() for name, weight in part.named_parameters()}
    return lambda *inputs: torch.func.functional_call(part, weights, inputs)


def _joined(tensors: list[Tensor]) -> Tensor:
    if len(tensors) == 1:
        return tensors[0]
    size = next((tensor.shape[2:] for tensor in tensors if tensor.ndim == 4), None)
    if size is not None:
        tensors = [tensor if tensor.ndim == 4 else tensor[:, :, None, None].expand(-1, -1, *size) for tensor in tensors]
    return torch.cat(tensors, dim=1)


def _flat(tensors: Sequence[Tensor]) -> Tensor:
    return torch.cat([tensor.flatten(1) for tensor in tensors], dim=1)


def _like(flat: Tensor, tensors: Sequence[Tensor]) -> list[Tensor]:
    """Undo `_flat` by the shapes of such tensors."""
    sizes = [tensor[0].numel() for tensor in tensors]
    parts = zip(flat.split(sizes, dim=1), tensors, strict=True)
    return [part.reshape(len(flat), *tensor.shape[1:]) for part, tensor in parts]


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
