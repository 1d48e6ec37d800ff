"""Which signals a run can make, and what each is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cyclekit._registry import suggestion
from cyclekit.errors import ImageSizeError, UsageError
from cyclekit.graph import CycleGraph, Domain, Heatmap, Image, Label, Landmarks, Mask, Noise, Vector
from cyclekit.model import CycleModel
from cyclekit.model.parts import check_sizes

_PICTURES = (Image, Landmarks, Mask, Heatmap)
_LARGEST_MULTIPLE = 1024


@dataclass(frozen=True)
class Making:
    """How a signal is made.

    Args:
        signal: What is made.
        maps: The signals it is made of that are maps, in the graph's order.
        labels: Those that are labels or attributes.
        noise: Those that are drawn.
    """

    signal: str
    maps: tuple[str, ...]
    labels: tuple[str, ...]
    noise: tuple[str, ...]


def making_of(graph: CycleGraph, signal: str | None) -> Making:
    """Return how a signal is made; by default the first picture that the graph makes of one picture, or of several.

    Raises:
        UsageError: The graph makes no such picture.
    """
    pictures = [name for name in graph.generated if _is_picture(graph.domains[name])]
    if not pictures:
        raise UsageError(f"this model makes no pictures, only {', '.join(graph.generated)}")
    if signal is not None and signal not in pictures:
        why = f"is {graph.domains[signal]}, no picture" if signal in graph.generated else "is not made by this model"
        raise UsageError(f"--signal {signal} {why}{suggestion(signal, pictures)}")
    if signal is None:
        makings = [making_of(graph, name) for name in pictures]
        return next((making for making in makings if len(making.maps) == 1), makings[0])
    kinds = {name: graph.domains[name] for name in graph.requires(signal)}
    return Making(
        signal,
        tuple(name for name, kind in kinds.items() if kind.spatial),
        tuple(name for name, kind in kinds.items() if isinstance(kind, Label | Vector)),
        tuple(name for name, kind in kinds.items() if isinstance(kind, Noise)),
    )


def _is_picture(domain: Domain) -> bool:
    return isinstance(domain, _PICTURES) and domain.channels in (1, 3)


def on_disk(domain: Domain) -> Domain:
    """Return what a signal is in a picture file: skeletons in colour are landmarks."""
    return Landmarks(domain.channels) if isinstance(domain, Heatmap) else domain


def fitting_size(model: CycleModel, signal: str, size: tuple[int, int]) -> tuple[int, int]:
    """Return the smallest size, no smaller than a picture's, at which the networks make a signal.

    Raises:
        ImageSizeError: There is none.
    """
    graph = model.graph
    evaluations = graph.evaluations(signal)
    parts = {e.network: model.function(e.network) if e.network in graph.all_functions else None for e in evaluations}
    parts = {name: model.generators[name] if part is None else part for name, part in parts.items()}
    multiple, problem = 1, None
    while multiple <= _LARGEST_MULTIPLE:
        height, width = (-(-side // multiple) * multiple for side in size)
        try:
            check_sizes(graph, evaluations, parts, (height, width))
        except ImageSizeError as error:
            problem = error
        else:
            return height, width
        multiple *= 2
    raise ImageSizeError(f"no size from {size[0]}x{size[1]} up suits the networks: {problem}")


def label_of(
    graph: CycleGraph, making: Making, classes: tuple[str, ...], said: tuple[str, ...]
) -> Mapping[str, Tensor]:
    """Return the labels of one sample.

    Args:
        graph: The graph.
        making: What is made.
        classes: The names of the labels.
        said: The class to become, by name or number, or the attributes that shall hold.

    Raises:
        UsageError: A label is missing, unknown, or one too many.
    """
    if not making.labels:
        if said:
            raise UsageError(
                f"--label says nothing about {making.signal!r}, which no label is needed for: leave it out"
            )
        return {}
    name, *others = making.labels
    if others:
        raise UsageError(
            f"{making.signal!r} is made with several labels, {', '.join(making.labels)}, which one --label cannot "
            "say: choose another --signal"
        )
    domain = graph.domains[name]
    count = domain.channels
    known = classes if len(classes) == count else tuple(map(str, range(count)))
    if not said:
        raise UsageError(f"{making.signal!r} is made for a label: choose --label from {', '.join(known)}")
    chosen = [_number(word, known) for word in said]
    if isinstance(domain, Label):
        if len(chosen) > 1:
            raise UsageError(f"--label {' '.join(said)}: a picture has one of {', '.join(known)}")
        return {name: torch.tensor(chosen[0])}
    value = torch.zeros(count)
    value[chosen] = 1
    return {name: value}


def _number(word: str, known: tuple[str, ...]) -> int:
    if word in known:
        return known.index(word)
    if word.isdecimal() and int(word) < len(known):
        return int(word)
    raise UsageError(f"--label {word} is none of this model's{suggestion(word, known)}")


def run_classes(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of a run's labels."""
    return tuple(str(name) for name in options.get("classes") or ())
