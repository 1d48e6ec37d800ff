"""Shapes and types checked at the public doors."""

from collections.abc import Callable
import functools
import os
from typing import ParamSpec, TypeVar

from beartype import beartype
from jaxtyping import TypeCheckError, jaxtyped
import torch

P = ParamSpec("P")
R = TypeVar("R")

CHECKS_ENABLED = os.environ.get("CYCLEKIT_TYPECHECK", "1") != "0"


class ShapeError(TypeError):
    """An argument whose type or shape is not the annotated one."""


def typed(function: Callable[P, R]) -> Callable[P, R]:
    """Check a public function's jaxtyping and type annotations on every call.

    The check is gone inside ``torch.compile`` and ``torch.export``, and everywhere when the environment
    variable ``CYCLEKIT_TYPECHECK`` is ``0`` at import.

    Raises:
        ShapeError: From the decorated function, when an argument or the result does not fit.
    """
    if not CHECKS_ENABLED:
        return function
    checked = jaxtyped(typechecker=beartype)(function)

    @functools.wraps(function)
    def door(*args: P.args, **kwargs: P.kwargs) -> R:
        if torch.compiler.is_compiling():
            return function(*args, **kwargs)
        try:
            return checked(*args, **kwargs)
        except TypeCheckError as error:
            raise ShapeError(str(error)) from None

    return door
