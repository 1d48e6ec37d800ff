"""The files of a saved model."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor

from cyclekit._files import SUMS_FILE, read_files, standing
from cyclekit.errors import PretrainedError
from cyclekit.graph import CycleGraph
from cyclekit.nets import NetworkSpec

GRAPH_FILE = "graph.json"
NETWORKS_FILE = "networks.json"
WEIGHTS_FILE = "model.safetensors"
MODEL_FILES = (GRAPH_FILE, NETWORKS_FILE, WEIGHTS_FILE)
FILES = (*MODEL_FILES, SUMS_FILE)


class Saved(NamedTuple):
    """What a saved model consists of; a network without a spec is a module of the user's own."""

    graph: CycleGraph
    specs: dict[str, NetworkSpec | None]
    weights: dict[str, Tensor]


def write_model(
    folder: Path, graph: CycleGraph, specs: Mapping[str, NetworkSpec | None], weights: Mapping[str, Tensor]
) -> None:
    """Write a model's files into an existing folder.

    Raises:
        OSError: The folder cannot be written into.
    """
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
    try:
        save_file(kept, folder / WEIGHTS_FILE, metadata={"format": "pt"})
    except SafetensorError as error:  # a full disk, as safetensors calls it
        raise OSError(f"{folder.parent} cannot be written into, perhaps because the disk is full: {error}") from error
    shutil.copymode(folder / GRAPH_FILE, folder / WEIGHTS_FILE)  # safetensors lets nobody else read it


def read_model(folder: Path) -> Saved:
    """Read what `write_model` wrote.

    Raises:
        PretrainedError: A file is missing, damaged, or holds something else.
    """
    try:
        contents = read_files(folder, MODEL_FILES)
    except FileNotFoundError as error:
        inner = folder / "model"  # where a run leaves it
        there = f"; {inner} holds one" if (standing(inner) / GRAPH_FILE).is_file() else ""
        raise PretrainedError(f"{folder} holds no model: {error}{there}") from error
    except (OSError, ValueError) as error:
        raise PretrainedError(str(error)) from error
    return parse_model(folder, contents)


def parse_model(folder: Path, contents: Mapping[str, bytes]) -> Saved:
    """Return what the contents of a model's files say.

    Args:
        folder: Where they are from, for messages.
        contents: The files of `MODEL_FILES` by name.

    Raises:
        PretrainedError: They hold something else.
    """
    try:
        graph = CycleGraph.from_dict(_json(folder / GRAPH_FILE, contents[GRAPH_FILE]))
        specs = {
            name: None if spec is None else NetworkSpec.from_dict(spec)
            for name, spec in _json(folder / NETWORKS_FILE, contents[NETWORKS_FILE]).items()
        }
        weights = load(contents[WEIGHTS_FILE])
        if bad := not_finite(weights):
            raise PretrainedError(
                f"{folder / WEIGHTS_FILE} holds {bad!r}, which is not finite: nothing can be made of it"
            )
        return Saved(graph, specs, weights)
    except PretrainedError:
        raise
    except SafetensorError as error:
        raise PretrainedError(f"{folder / WEIGHTS_FILE} cannot be read: {error}") from error
    except Exception as error:  # data of something else go wrong in any way
        raise PretrainedError(f"{folder} holds no readable model: {one_line(error)}") from error


def not_finite(weights: Mapping[str, Tensor]) -> str | None:
    """Return the first tensor that holds NaN or infinite values."""
    numbers = {name: weight for name, weight in weights.items() if weight.is_floating_point()}
    return next((name for name, weight in numbers.items() if not weight.isfinite().all()), None)


def one_line(error: Exception) -> str:
    """Return what an error says, on one line."""
    said = f"there is no {error}" if isinstance(error, KeyError) else str(error)
    return " ".join(said.split()) or type(error).__name__


def _json(path: Path, content: bytes) -> dict[str, Any]:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise PretrainedError(f"{path} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise PretrainedError(f"{path} cannot be read: expected an object, got {type(data).__name__}")
    return data
