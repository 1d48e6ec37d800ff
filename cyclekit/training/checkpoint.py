"""Complete checkpoints: everything a run needs to go on as if it had never stopped."""

import pickle
import random
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError
from torch import Tensor

from cyclekit._files import remove, standing, whole_folder
from cyclekit.errors import CheckpointError
from cyclekit.graph import CycleGraph
from cyclekit.model import CycleModel
from cyclekit.model.files import read_model

TRAINING_FILE = "training.pt"
_COMPLETE = re.compile(r"step-(\d{8,})")
_ASIDE = re.compile(r"\.(step-\d{8,})-old")  # a checkpoint while another takes its place
_LEFT_BY_A_KILLED_RUN = re.compile(r"\.step-\d{8,}-([0-9a-f]{16}|old)")


class Stateful(Protocol):
    """Anything with a state: an `AdversarialStep`, a learning-rate scheduler, a sampler."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state.

        Returns:
            Tensors, numbers, text, lists and dicts.
        """
        ...

    def load_state_dict(self, state: dict[str, Any], /) -> object:
        """Take a state up.

        Args:
            state: What `state_dict` returned.

        Returns:
            Anything; it is not looked at.
        """
        ...


def save_checkpoint(root: str | Path, iteration: int, model: CycleModel, parts: Mapping[str, Stateful]) -> Path:
    """Write a complete checkpoint, whole or not at all, and then remove the one before it.

    The folder is also what `CycleModel.from_pretrained` reads.

    Args:
        root: The folder that holds a run's checkpoints.
        iteration: Training steps taken so far; names the checkpoint.
        model: Graph, networks and weights.
        parts: What else has a state, by name: the step, the schedulers.

    Returns:
        The checkpoint's folder, ``root/step-00000100``.

    Raises:
        FileExistsError: The folder holds a checkpoint of a later iteration, of another run.
        OSError: The folder cannot be written into.
        CheckpointError: A part's state could not be read back.

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
        save_checkpoint("checkpoints", step.iteration, model, {"step": step})
        assert load_checkpoint(latest_checkpoint("checkpoints"), model, {"step": step}) == 0
        ```
    """
    newest = latest_checkpoint(root)
    if newest and _iteration(newest) > iteration:
        raise FileExistsError(
            f"{newest} is further on than iteration {iteration}: resume that run, or choose another folder"
        )
    state = {
        "iteration": iteration,
        "parts": {name: part.state_dict() for name, part in parts.items()},
        "random": random_state(),
    }
    folder = Path(root) / f"step-{iteration:08d}"
    with whole_folder(folder) as draft:
        _write(draft, model, state)
    for other in Path(root).iterdir():
        if other != folder and (_COMPLETE.fullmatch(other.name) or _LEFT_BY_A_KILLED_RUN.fullmatch(other.name)):
            with suppress(OSError):  # what is in use now is tried again by the next save
                remove(other)
    return folder


def latest_checkpoint(root: str | Path) -> Path | None:
    """Return a run's newest complete checkpoint.

    Args:
        root: The folder that holds a run's checkpoints.

    Returns:
        Its folder, or ``None`` where there is none.
    """
    root = Path(root)
    names = [path.name for path in root.iterdir()] if root.is_dir() else []
    found = {*filter(_COMPLETE.fullmatch, names), *(aside[1] for aside in map(_ASIDE.fullmatch, names) if aside)}
    return max((root / name for name in found), key=_iteration, default=None)


def load_checkpoint(folder: str | Path, model: CycleModel, parts: Mapping[str, Stateful]) -> int:
    """Take up a run where its checkpoint was written: weights, states and random numbers.

    Args:
        folder: A checkpoint's folder.
        model: A model of the same graph and networks.
        parts: The same parts that were saved.

    Returns:
        Training steps taken so far.

    Raises:
        CheckpointError: The folder cannot be read, or its graph, networks or parts are others. The message
            is one line.
    """
    folder = Path(folder)
    graph, weights, state = _read(folder)
    if graph != model.graph:
        raise CheckpointError(f"{folder} was written by another graph: {_other_graph(graph, model.graph)}")
    if difference := _other_weights(weights, model.state_dict()):
        raise CheckpointError(f"{folder} holds weights of other networks: {difference}")
    if set(state["parts"]) != set(parts):
        raise CheckpointError(f"{folder} holds the parts {sorted(state['parts'])}, expected {sorted(parts)}")
    model.load_state_dict(weights)
    for name, part in parts.items():
        try:
            part.load_state_dict(state["parts"][name])
        except (KeyError, RuntimeError, ValueError) as error:
            raise CheckpointError(f"{folder} does not fit the part {name!r}: {_one_line(error)}") from error
    set_random_state(state["random"])
    return state["iteration"]


def _iteration(folder: Path) -> int:
    return int(folder.name.removeprefix("step-"))


def _write(draft: Path, model: CycleModel, state: Mapping[str, Any]) -> None:
    file = draft / TRAINING_FILE
    try:
        model.write(draft)
    except SafetensorError as error:  # a full disk, as safetensors calls it
        raise OSError(f"{draft.parent} cannot be written into: {_one_line(error)}") from error
    try:
        torch.save(state, file)
        # What cannot be read back is found now, not when the run is resumed.
        torch.load(file, map_location="cpu", mmap=True, weights_only=True)
    except (pickle.PickleError, AttributeError, TypeError) as error:
        raise CheckpointError(
            "a part's state holds more than a checkpoint gives back: tensors, numbers, text, lists and dicts"
        ) from error
    except RuntimeError as error:  # a full disk, as torch calls it
        raise OSError(f"{draft.parent} cannot be written into: {_one_line(error)}") from error


def _read(folder: Path) -> tuple[CycleGraph, dict[str, Tensor], dict[str, Any]]:
    folder = standing(folder)
    if not (folder / TRAINING_FILE).is_file():
        raise CheckpointError(f"{folder} holds no checkpoint: {TRAINING_FILE} is missing")
    try:
        graph, _, weights = read_model(folder)
    except (OSError, ValueError) as error:
        raise CheckpointError(_one_line(error)) from error
    try:
        state = torch.load(folder / TRAINING_FILE, map_location="cpu", weights_only=True)
    except Exception as error:  # broken bytes have no exception of their own
        raise CheckpointError(f"{folder / TRAINING_FILE} cannot be read: it is broken") from error
    if not isinstance(state, dict) or not {"iteration", "parts", "random"} <= state.keys():
        raise CheckpointError(f"{folder / TRAINING_FILE} cannot be read: it holds something else")
    return graph, weights, state


def _other_graph(saved: CycleGraph, current: CycleGraph) -> str:
    old, new = saved.to_dict(), current.to_dict()
    names = [name for name in new if old[name] != new[name]]
    return f"they differ in {', '.join(names)}; start a new run, or build the model from the checkpoint's graph"


def _other_weights(saved: Mapping[str, Tensor], current: Mapping[str, Tensor]) -> str | None:
    for name in {**current, **saved}:
        there, here = _kind(saved.get(name)), _kind(current.get(name))
        if there != here:
            return f"{name} is {there} there and {here} in this model"
    return None


def _kind(weight: Tensor | None) -> str:
    return "missing" if weight is None else f"{weight.dtype} of shape {tuple(weight.shape)}"


def _one_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def random_state() -> dict[str, Any]:
    """Return the state of Python's and torch's generators, on the CPU and on every GPU."""
    version, internal, gauss = random.getstate()
    return {
        "python": [version, list(internal), gauss],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_random_state(state: Mapping[str, Any]) -> None:
    """Take up what `random_state` returned; GPUs only where there are as many as before."""
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))
    torch.set_rng_state(state["torch"])
    if torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
