"""Calling what is not ours: networks, functions and criteria, whose mistakes are named."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from cyclekit.errors import CycleKitError, NetworkCallError, NetworkOutputError


def called(part: Callable[..., object], inputs: Sequence[object], where: str, name: str) -> object:
    """Return what a network, a function or a criterion makes of its inputs.

    Args:
        part: What is called.
        inputs: What with.
        where: The place in the graph, as messages say it.
        name: What the graph calls the part.

    Raises:
        NetworkCallError: It fails on them.
        NetworkOutputError: It writes into them.
    """
    if torch.compiler.is_compiling():
        return part(*inputs)
    before = _writes(inputs)
    try:
        made = part(*inputs)
    except (CycleKitError, torch.OutOfMemoryError) as error:
        error.add_note(f"while computing {where}")
        raise
    except (AttributeError, IndexError, RuntimeError, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise NetworkCallError(f"{where}: {name} was given {_shapes(inputs)}, and failed: {reason}") from error
    if _writes(inputs) != before:
        raise NetworkOutputError(
            f"{where}: {name} writes into what it is given, which others read too: let it make a new tensor"
        )
    return made


def _writes(inputs: Sequence[object]) -> list[int]:
    """Return how often each tensor was written into, as autograd counts it."""
    return [value._version for value in inputs if isinstance(value, Tensor) and not value.is_inference()]  # pyright: ignore[reportPrivateUsage]


def _shapes(inputs: Sequence[object]) -> str:
    return " and ".join(
        f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)} on {value.device}"
        if isinstance(value, Tensor)
        else type(value).__name__
        for value in inputs
    )
