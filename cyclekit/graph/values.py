"""Plain values at the doors of graphs, schedules and papers: one check for each kind, in one wording."""

import math
import reprlib
from collections.abc import Callable, Iterable
from numbers import Integral, Real
from typing import Any, TypeAlias, TypeVar, cast

from cyclekit.errors import ArgumentError, CycleKitError, GraphError

V = TypeVar("V")
Check: TypeAlias = Callable[[object], Any]
"""Returns a value in its stored form, or raises `ArgumentError` with what it must be."""

_LARGEST = 2**63 - 1
"""What files and tensors hold."""


def checked(owner: str, name: str, value: object, check: Check, error: type[CycleKitError] = GraphError) -> Any:
    """Return a value in its stored form.

    Args:
        owner: Whose value, as messages say it: ``"Schedule"``.
        name: What the owner calls it.
        value: The value.
        check: What it must pass.
        error: What is raised where it does not.
    """
    try:
        return check(value)
    except ArgumentError as wanted:
        raise error(f"{owner}({name}={reprlib.repr(value)}): {wanted}") from None


def check_fields(owner: object, **checks: Check) -> None:
    """Bring fields of a frozen dataclass into their stored form.

    Raises:
        GraphError: One does not pass; the message names it, what came, and what it must be.
    """
    for name, check in checks.items():
        object.__setattr__(owner, name, checked(type(owner).__name__, name, getattr(owner, name), check))


def _is(value: object, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def whole(*, least: int, wanted: str = "") -> Check:
    """Ask for a whole number, of numpy's kinds too."""

    def check(value: object) -> int:
        plain = int(cast("int", value)) if _is(value, Integral) else least - 1
        if not least <= plain <= _LARGEST:
            raise ArgumentError(wanted or f"must be a whole number from {least}")
        return plain

    return check


def number(wanted: str, accept: Callable[[float], bool] = math.isfinite) -> Check:
    """Ask for a number that a condition accepts, of numpy's kinds too.

    Args:
        wanted: What it must be, as the message says it.
        accept: The condition.
    """

    def check(value: object) -> float:
        try:
            plain = float(cast("float", value)) if _is(value, Real) else math.nan
        except OverflowError:
            plain = math.inf
        if not accept(plain):
            raise ArgumentError(wanted)
        return plain

    return check


def word(wanted: str) -> Check:
    """Ask for a text."""

    def check(value: object) -> str:
        if not isinstance(value, str):
            raise ArgumentError(wanted)
        return value

    return check


def one_of(*known: object) -> Check:
    """Ask for one of some words."""

    def check(value: object) -> object:
        if not any(type(value) is type(choice) and value == choice for choice in known):
            raise ArgumentError(f"choose {' or '.join(map(repr, known))}")
        return value

    return check


def list_of(kind: type[V], wanted: str) -> Callable[[object], tuple[V, ...]]:
    """Ask for a list, but no text, of instances of a class."""

    def check(value: object) -> tuple[V, ...]:
        try:
            found = (None,) if isinstance(value, str) else tuple(cast("Iterable[object]", value))
        except TypeError:
            found = (None,)
        if not all(isinstance(item, kind) for item in found):
            raise ArgumentError(wanted)
        return cast("tuple[V, ...]", found)

    return check
