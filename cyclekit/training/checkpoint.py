"""Complete checkpoints: everything a run needs to go on as if it had never stopped."""

import copy
import io
import pickle
import random
import re
from collections import OrderedDict
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor

from cyclekit._files import newest_step, read_files, remove, step_of, whole_folder
from cyclekit._typed import typed
from cyclekit.errors import ArgumentError, CheckpointError, FolderError
from cyclekit.graph import CycleGraph
from cyclekit.model import CycleModel
from cyclekit.model.files import MODEL_FILES, Saved, one_line, parse_model, write_model
from cyclekit.training.divergence import check_finite
from cyclekit.training.processes import agree, applied, differences, is_first, rank

TRAINING_FILE = "training.pt"
_CHECKPOINT = re.compile(r"step-\d{8,}")
_LEFT_BY_A_KILLED_RUN = re.compile(r"\.step-\d{8,}-([0-9a-f]{16}|old)")


@runtime_checkable
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


@typed
def save_checkpoint(root: str | Path, iteration: int, model: CycleModel, parts: Mapping[str, Stateful]) -> Path:
    """Write a complete checkpoint, whole or not at all, and then remove the one before it.

    The folder is also what `CycleModel.from_pretrained` reads. Of several processes every one calls this: the
    first writes, and keeps what the others have for themselves, pools and random numbers.

    Args:
        root: The folder that holds a run's checkpoints.
        iteration: Training steps taken so far; names the checkpoint.
        model: Graph, networks and weights.
        parts: What else has a state, by name: the step, the schedulers.

    Returns:
        The checkpoint's folder, ``root/step-00000100``.

    Raises:
        ArgumentError: ``iteration`` is negative.
        ShapeError: An argument is of another type.
        FolderError: The folder holds a checkpoint of a later iteration, of another run.
        OSError: The folder cannot be written into.
        CheckpointError: A part's state could not be read back.
        TrainingDivergedError: A weight or a tensor of a part's state is not finite; the last checkpoint stays.

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
    snapshot = take_snapshot(iteration, model, parts)
    problem = None
    if is_first():
        try:
            write_snapshot(Path(root), snapshot)
        except Exception as error:
            problem = error
    agree(problem)
    return Path(root) / snapshot.name


class Snapshot(NamedTuple):
    """All that a checkpoint holds, at one moment; its files follow from it alone."""

    saved: Saved
    state: dict[str, Any]

    @property
    def name(self) -> str:
        """The name of the checkpoint's folder."""
        return f"step-{self.state['iteration']:08d}"


def take_snapshot(
    iteration: int, model: CycleModel, parts: Mapping[str, Stateful], *, copied: bool = False
) -> Snapshot:
    """Return a run's state, once it is known to be finite. Of several processes every one calls this.

    Args:
        iteration: Training steps taken so far.
        model: Graph, networks and weights.
        parts: What else has a state.
        copied: Whether everything is copied into the host's memory, so that training can go on meanwhile.

    Raises:
        ArgumentError: ``iteration`` is negative.
        TrainingDivergedError: A weight or a tensor of a part's state is not finite.
    """
    if iteration < 0 or isinstance(iteration, bool):
        raise ArgumentError(f"iteration: got {iteration!r}, expected the number of training steps taken so far")
    weights: dict[str, Tensor] = model.own_weights()
    state: dict[str, Any] = {}
    problem = None
    try:
        state = {"parts": {name: part.state_dict() for name, part in parts.items()}, "random": random_state()}
        check_finite({"the model's": weights} | {f"the part {n!r}'s": s for n, s in state["parts"].items()})
    except Exception as error:
        problem = error
    agree(problem)
    state = {"iteration": iteration, **state, "ranks": differences(state)}
    if copied and is_first():
        weights, state = _copied(dict(weights)), _copied(state)
    return Snapshot(Saved(model.graph, model.specs, weights), state)


def write_snapshot(root: Path, snapshot: Snapshot, kept: Collection[int] = ()) -> None:
    """Write a checkpoint, whole or not at all, and then remove the others of the run, but those that are kept.

    Raises:
        FolderError: The folder holds a checkpoint of a later iteration.
        OSError: The folder cannot be written into.
        CheckpointError: A part's state could not be read back.
    """
    folder = root / snapshot.name
    newest = newest_step(root)
    if newest and step_of(newest) > step_of(folder):
        raise FolderError(
            f"{newest} is further on than iteration {step_of(folder)}: resume that run, or choose another folder"
        )
    with whole_folder(folder) as draft:
        _write(draft, snapshot)
    for other in root.iterdir():
        old = _CHECKPOINT.fullmatch(other.name) and other != folder and step_of(other) not in kept
        if old or _LEFT_BY_A_KILLED_RUN.fullmatch(other.name):
            with suppress(OSError):  # what is in use now is tried again by the next save
                remove(other)


@typed
def latest_checkpoint(root: str | Path) -> Path | None:
    """Return a run's newest complete checkpoint.

    Args:
        root: The folder that holds a run's checkpoints.

    Returns:
        Its folder, or ``None`` where there is none.
    """
    return newest_step(Path(root))


@typed
def load_checkpoint(folder: str | Path, model: CycleModel, parts: Mapping[str, Stateful]) -> int:
    """Take up a run where its checkpoint was written: weights, states and random numbers.

    Everything is checked before anything is taken up, and a part that refuses its state leaves all as it was. Of
    several processes every one calls this. One that the saved run did not have takes up the first one's state,
    with random numbers of its own.

    Args:
        folder: A checkpoint's folder; of a folder that holds a run's checkpoints, the latest is taken.
        model: A model of the same graph and networks.
        parts: The same parts that were saved.

    Returns:
        Training steps taken so far.

    Raises:
        CheckpointError: The folder cannot be read, or its graph, networks or parts are others. The message
            is one line.
        ShapeError: An argument is of another type.
    """
    folder = Path(folder)
    saved, state = _read(folder)
    if saved.graph != model.graph:
        raise CheckpointError(f"{folder} was written by another graph: {_other_graph(saved.graph, model.graph)}")
    if difference := _other_networks(saved, model) or _other_weights(saved.weights, model.own_weights()):
        raise CheckpointError(f"{folder} holds weights of other networks: {difference}")
    if set(state["parts"]) != set(parts):
        raise CheckpointError(
            f"{folder} holds the parts {sorted(state['parts'])}, and load_checkpoint was given {sorted(parts)}: pass "
            "those that were saved"
        )
    before = {name: copy.deepcopy(part.state_dict()) for name, part in parts.items()}
    weights, numbers = copy.deepcopy(model.state_dict()), random_state()
    try:
        model.load_own_weights(saved.weights)
        _take_up(folder, state, parts)
    except Exception:
        model.load_state_dict(weights)
        for name, part in parts.items():
            part.load_state_dict(before[name])
        set_random_state(numbers)
        raise
    return state["iteration"]


def _take_up(folder: Path, state: Mapping[str, Any], parts: Mapping[str, Stateful]) -> None:
    for name, part in parts.items():
        try:
            part.load_state_dict(state["parts"][name])
        except Exception as error:  # a part of the user's own may raise anything
            raise CheckpointError(f"{folder} does not fit the part {name!r}: {one_line(error)}") from error
    try:
        if state["random"] is not None:
            set_random_state(state["random"])
    except Exception as error:
        raise CheckpointError(f"{folder} holds no random state: {one_line(error)}") from error


def _write(draft: Path, snapshot: Snapshot) -> None:
    file = draft / TRAINING_FILE
    write_model(draft, *snapshot.saved)
    try:
        torch.save(snapshot.state, file)
        # What cannot be read back is found now, not when the run is resumed.
        torch.load(file, map_location="cpu", mmap=True, weights_only=True)
    except (pickle.PickleError, AttributeError, TypeError) as error:
        raise CheckpointError(
            "a part's state holds more than a checkpoint gives back: tensors, numbers, text, lists and dicts"
        ) from error
    except RuntimeError as error:  # a full disk, as torch calls it
        raise OSError(
            f"{draft.parent} cannot be written into, perhaps because the disk is full: {one_line(error)}"
        ) from error


def _copied(state: Any) -> Any:
    """Return a state of its own, its tensors in the host's memory."""
    if isinstance(state, Tensor):
        return state.detach().to("cpu", copy=True)
    if type(state) in (dict, OrderedDict):
        return type(state)((key, _copied(part)) for key, part in state.items())
    if type(state) in (list, tuple):
        return type(state)(map(_copied, state))
    return copy.deepcopy(state)


def _read(folder: Path) -> tuple[Saved, dict[str, Any]]:
    """Return a checkpoint's model and this process's state."""
    try:
        contents = read_files(folder, (TRAINING_FILE, *MODEL_FILES))
    except FileNotFoundError as error:
        raise CheckpointError(f"{folder} holds no checkpoint: {one_line(error)}") from error
    except (OSError, ValueError) as error:
        raise CheckpointError(one_line(error)) from error
    try:
        saved = parse_model(folder, contents)
    except ValueError as error:
        raise CheckpointError(one_line(error)) from error
    try:
        state = torch.load(io.BytesIO(contents[TRAINING_FILE]), map_location="cpu", weights_only=True)
    except Exception as error:  # broken bytes have no exception of their own
        raise CheckpointError(f"{folder / TRAINING_FILE} cannot be read: it is broken") from error
    if not _is_state(state):
        raise CheckpointError(f"{folder / TRAINING_FILE} cannot be read: it holds something else")
    if rank() >= len(state["ranks"]):
        return saved, {**state, "random": None}
    try:
        own = applied({**state, "ranks": [None]}, state["ranks"][rank()])
    except Exception as error:
        raise CheckpointError(f"{folder / TRAINING_FILE} cannot be read: it is broken") from error
    if not _is_state(own):
        raise CheckpointError(f"{folder / TRAINING_FILE} cannot be read: it holds something else")
    return saved, own


def _is_state(state: object) -> bool:
    kinds = {"iteration": int, "parts": dict, "random": dict, "ranks": list}
    return (
        isinstance(state, dict)
        and state.keys() == kinds.keys()
        and all(type(state[key]) is kind for key, kind in kinds.items())
        and state["iteration"] >= 0
        and len(state["ranks"]) > 0
        and all(isinstance(name, str) and isinstance(part, dict) for name, part in state["parts"].items())
    )


def _other_graph(saved: CycleGraph, current: CycleGraph) -> str:
    old, new = saved.to_dict(), current.to_dict()
    names = [name for name in new if old[name] != new[name]]
    return f"they differ in {', '.join(names)}; start a new run, or build the model from the checkpoint's graph"


def _other_networks(saved: Saved, model: CycleModel) -> str | None:
    for name, current in model.specs.items():
        there = saved.specs.get(name)
        if there is not None and current is not None and there != current:
            return f"{name} is {there} there and {current} in this model"
    return None


def _other_weights(saved: Mapping[str, Tensor], current: Mapping[str, Tensor]) -> str | None:
    for name in (*current, *sorted(saved.keys() - current.keys())):
        there, here = _kind(saved.get(name)), _kind(current.get(name))
        if there != here:
            return f"{name} is {there} there and {here} in this model"
    return None


def _kind(weight: Tensor | None) -> str:
    return "missing" if weight is None else f"{weight.dtype} of shape {tuple(weight.shape)}"


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
