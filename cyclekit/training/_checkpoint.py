"""Complete checkpoints: everything a run needs to go on as if it had never stopped."""

import json
import random
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors.torch import load_file

from cyclekit._files import whole_folder
from cyclekit.graph import CycleGraph
from cyclekit.model import GRAPH_FILE, WEIGHTS_FILE, CycleModel

TRAINING_FILE = "training.pt"
_NAME = re.compile(r"step-(\d{8})")


class Stateful(Protocol):
    """Anything with a state: an `AdversarialStep`, a learning-rate scheduler, a sampler."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state."""
        ...

    def load_state_dict(self, state_dict: dict[str, Any]) -> object:
        """Take the state up."""
        ...


class CheckpointError(RuntimeError):
    """A checkpoint that cannot be read, or that belongs to another graph."""


def save_checkpoint(root: str | Path, rounds: int, model: CycleModel, parts: Mapping[str, Stateful]) -> Path:
    """Write a complete checkpoint, whole or not at all, and then remove the one before it.

    The folder is also what `CycleModel.from_pretrained` reads.

    Args:
        root: The folder that holds a run's checkpoints.
        rounds: Rounds played so far; names the checkpoint.
        model: Graph, networks and weights.
        parts: What else has a state, by name: the step, the schedulers.

    Returns:
        The checkpoint's folder, ``root/step-00000100``.

    Example:
        ```python
        import torch
        from cyclekit import CycleGraph, Image, NetworkSpec
        from cyclekit.training import (
            AdversarialStep, create_optimizers, latest_checkpoint, load_checkpoint, save_checkpoint
        )

        graph = CycleGraph({"x": Image(), "y": Image()}, maps="x -G-> y*", losses="y* ~ y")
        model = graph.build(generators=NetworkSpec("unet_64", base_channels=4))
        step = AdversarialStep(model, create_optimizers(model, torch.optim.Adam))
        save_checkpoint("checkpoints", step.rounds, model, {"step": step})
        assert load_checkpoint(latest_checkpoint("checkpoints"), model, {"step": step}) == 0
        ```
    """
    folder = Path(root) / f"step-{rounds:08d}"
    with whole_folder(folder) as draft:
        model.write(draft)
        state = {
            "rounds": rounds,
            "parts": {name: part.state_dict() for name, part in parts.items()},
            "random": _random_state(),
        }
        torch.save(state, draft / TRAINING_FILE)
    for other in Path(root).iterdir():
        # Also what a killed run left half-written, which begins with a dot.
        if other != folder and _NAME.search(other.name):
            shutil.rmtree(other)
    return folder


def latest_checkpoint(root: str | Path) -> Path | None:
    """Return a run's newest complete checkpoint.

    Args:
        root: The folder that holds a run's checkpoints.

    Returns:
        Its folder, or ``None`` where there is none.
    """
    root = Path(root)
    found = [path for path in root.iterdir() if _NAME.fullmatch(path.name)] if root.is_dir() else []
    return max(found, key=lambda path: path.name, default=None)


def load_checkpoint(folder: str | Path, model: CycleModel, parts: Mapping[str, Stateful]) -> int:
    """Take up a run where its checkpoint was written: weights, states and random numbers.

    Args:
        folder: A checkpoint's folder.
        model: A model of the same graph and networks.
        parts: The same parts that were saved.

    Returns:
        Rounds played so far.

    Raises:
        CheckpointError: The folder cannot be read, or its graph, networks or parts are others.
    """
    folder = Path(folder)
    try:
        graph = CycleGraph.from_dict(json.loads((folder / GRAPH_FILE).read_text()))
        if graph != model.graph:
            raise CheckpointError(f"{folder} was written by another graph: {_difference(graph, model.graph)}")
        weights = load_file(folder / WEIGHTS_FILE)
        state = torch.load(folder / TRAINING_FILE, map_location="cpu", weights_only=True)
        model.load_state_dict(weights)
    except CheckpointError:
        raise
    except (OSError, RuntimeError, ValueError, EOFError) as error:
        reason = str(error).splitlines()
        raise CheckpointError(
            f"{folder} cannot be read: {reason[0] if reason else type(error).__name__}"
        ) from error
    if set(state["parts"]) != set(parts):
        raise CheckpointError(f"{folder} holds the parts {sorted(state['parts'])}, expected {sorted(parts)}")
    for name, part in parts.items():
        part.load_state_dict(state["parts"][name])
    _set_random_state(state["random"])
    return state["rounds"]


def _difference(saved: CycleGraph, current: CycleGraph) -> str:
    old, new = saved.to_dict(), current.to_dict()
    names = [name for name in new if old[name] != new[name]]
    return (
        f"they differ in {', '.join(names)}; start a new run, or build the model from the checkpoint's graph"
    )


def _random_state() -> dict[str, Any]:
    version, internal, gauss = random.getstate()
    return {
        "python": [version, list(internal), gauss],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def _set_random_state(state: Mapping[str, Any]) -> None:
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))
    torch.set_rng_state(state["torch"])
    if torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
