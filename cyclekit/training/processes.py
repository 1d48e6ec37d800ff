"""Several processes of one run: what they agree on, and what each has for itself."""

import atexit
import gc
import hashlib
import os
import pickle
import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias, cast

import torch
import torch.distributed as dist
from torch import Tensor

from cyclekit.errors import CheckpointError, ProcessLostError

Difference: TypeAlias = "list[Any] | dict[Any, Any] | None"
"""Nothing, or a list of the value that takes the place, or differences by key."""

_groups: "list[dist.ProcessGroup]" = []
_BROKEN = re.compile("gloo|NCCL|Connection (closed|reset)|Broken pipe", re.IGNORECASE)


def rank() -> int:
    """Return the number of this process, from 0."""
    return dist.get_rank() if count() > 1 else 0


def count() -> int:
    """Return how many processes there are."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def is_first() -> bool:
    """Return whether this is the process that writes; a launcher's processes know it before they have met."""
    return rank() == 0 and (count() > 1 or os.environ.get("RANK", "0") == "0")


def keep_group() -> None:
    """Hold on to the group of processes until Python ends.

    Else DDP's reducer may be the last to hold it, and frees it under Python's lock while it waits for a thread of gloo,
    which may need the lock to free a tensor: both wait for ever, if seldom.
    """
    if count() > 1 and (group := dist.group.WORLD) is not None:
        if not _groups:
            atexit.register(_free_groups)
        _groups.append(group)


def _free_groups() -> None:
    gc.collect()  # reducers, which hold it too
    _groups.clear()  # without the lock, and while gloo's threads may still take it


def agree(problem: Exception | None) -> None:
    """Raise a process's problem in all of them, so that none waits for another that has given up.

    Args:
        problem: This process's, or ``None``.

    Raises:
        Exception: The problem itself, or the first of the others'.
    """
    problems: list[Exception | None] = [problem]
    if count() > 1:
        problems *= count()
        dist.all_gather_object(problems, _sent(problem))
    first = problem or next(filter(None, problems), None)
    if first is not None:
        raise first


def differences(state: Mapping[str, Any]) -> list[Difference]:
    """Return in the first process what each process's state differs in from its own.

    Weights and optimisers are the same everywhere and stay where they are; pools and random numbers are not.

    Args:
        state: This process's: tensors and plain data, in dicts.

    Returns:
        A difference for each process, the first's ``None``; an empty list in the other processes.
    """
    if count() == 1:
        return [None]
    firsts = [_digests(state) if rank() == 0 else None]
    dist.broadcast_object_list(firsts, 0)
    found: list[Difference] = [None] * count()
    dist.gather_object(_difference(state, firsts[0]), found if rank() == 0 else None, 0)
    return found if rank() == 0 else []


def applied(state: Any, difference: Difference) -> Any:
    """Return a process's state from the first's and the difference.

    Args:
        state: The first process's.
        difference: What `differences` returned for a process.
    """
    if difference is None:
        return state
    if isinstance(difference, list):
        return difference[0]
    return {key: applied(part, difference.get(key)) for key, part in state.items()}


def _difference(state: Any, digests: Any) -> Difference:
    if isinstance(state, Mapping) and isinstance(digests, dict) and state.keys() == digests.keys():
        parts = {key: _difference(part, digests[key]) for key, part in cast("Mapping[Any, Any]", state).items()}
        return {key: part for key, part in parts.items() if part is not None} or None
    return None if _digests(state) == digests else [_on_cpu(state)]


def _digests(state: Any) -> Any:
    if isinstance(state, Mapping):
        return {key: _digests(part) for key, part in cast("Mapping[Any, Any]", state).items()}
    if isinstance(state, list | tuple):
        return [_digests(part) for part in cast("list[Any]", state)]
    if isinstance(state, Tensor):
        held = state.detach().cpu().contiguous()
        content = held.flatten().view(torch.uint8).numpy().tobytes()
        return f"{held.dtype} {tuple(held.shape)} {hashlib.sha256(content).hexdigest()}"
    return f"{type(state).__name__} {state!r}"


def _on_cpu(state: Any) -> Any:
    if isinstance(state, Mapping):
        return {key: _on_cpu(part) for key, part in cast("Mapping[Any, Any]", state).items()}
    if isinstance(state, list | tuple):
        return type(state)(_on_cpu(part) for part in cast("list[Any]", state))
    return state.detach().cpu() if isinstance(state, Tensor) else state


def _sent(problem: Exception | None) -> Exception | None:
    try:
        pickle.loads(pickle.dumps(problem))
    except Exception:  # an error of the user's own may refuse to travel
        return CheckpointError(f"{type(problem).__name__}: {problem}")
    return problem


def highest(*values: int) -> tuple[int, ...]:
    """Return the highest of all processes' values, each for itself, so that all decide alike."""
    if count() == 1:
        return values
    found: list[tuple[int, ...]] = [values] * count()
    dist.all_gather_object(found, values)
    return tuple(max(each) for each in zip(*found, strict=True))


def first_does(work: Callable[[], object]) -> None:
    """Do something in the first process, while the others wait; what goes wrong, all raise."""
    problem = None
    if is_first():
        try:
            work()
        except Exception as error:
            problem = error
    agree(problem)


@contextmanager
def others_are_there(mend: Callable[[], str]) -> Generator[None]:
    """Say in one line that another process has ended, where a block cannot go on without it.

    Args:
        mend: Says what to do now.

    Raises:
        ProcessLostError: Another process has ended.
    """
    try:
        yield
    except RuntimeError as error:
        if count() > 1 and (isinstance(error, dist.DistError) or _BROKEN.search(str(error))):
            raise ProcessLostError(f"another of the run's {count()} processes has ended: {mend()}") from error
        raise
