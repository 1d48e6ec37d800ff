"""The files of a saved model."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from cyclekit._files import standing
from cyclekit.errors import PretrainedError
from cyclekit.graph import CycleGraph
from cyclekit.nets import NetworkSpec

GRAPH_FILE = "graph.json"
NETWORKS_FILE = "networks.json"
WEIGHTS_FILE = "model.safetensors"
FILES = (GRAPH_FILE, NETWORKS_FILE, WEIGHTS_FILE)


class Saved(NamedTuple):
    """What a saved model consists of; a network without a spec is a module of the user's own."""

    graph: CycleGraph
    specs: dict[str, NetworkSpec | None]
    weights: dict[str, Tensor]


def write_model(
    folder: Path, graph: CycleGraph, specs: Mapping[str, NetworkSpec | None], weights: Mapping[str, Tensor]
) -> None:
    """Write a model's files into an existing folder."""
    networks = {name: None if spec is None else spec.to_dict() for name, spec in specs.items()}
    (folder / GRAPH_FILE).write_text(json.dumps(graph.to_dict(), indent=2) + "\n")
    (folder / NETWORKS_FILE).write_text(json.dumps(networks, indent=2) + "\n")
    kept: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, weight in weights.items():
        weight = weight.detach().contiguous()
        storage = weight.untyped_storage().data_ptr()
        kept[name] = weight.clone() if storage in seen else weight  # the format knows no shared weights
        seen.add(storage)
    save_file(kept, folder / WEIGHTS_FILE, metadata={"format": "pt"})


def read_model(folder: Path) -> Saved:
    """Read what `write_model` wrote.

    Raises:
        FileNotFoundError: A file is missing.
        PretrainedError: A file cannot be read.
    """
    folder = standing(folder)
    for file in FILES:
        if not (folder / file).is_file():
            raise FileNotFoundError(f"{folder} holds no model: {file} is missing")
    try:
        graph = CycleGraph.from_dict(_json(folder / GRAPH_FILE))
        specs = {
            name: None if spec is None else NetworkSpec.from_dict(spec)
            for name, spec in _json(folder / NETWORKS_FILE).items()
        }
        return Saved(graph, specs, load_file(folder / WEIGHTS_FILE))
    except SafetensorError as error:
        raise PretrainedError(f"{folder / WEIGHTS_FILE} cannot be read: {error}") from error
    except ValueError as error:
        raise PretrainedError(f"{folder} holds no readable model: {error}") from error


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text())
    except ValueError as error:
        raise PretrainedError(f"{path} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise PretrainedError(f"{path} cannot be read: expected an object, got {type(data).__name__}")
    return data
