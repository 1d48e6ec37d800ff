"""A registry in timm's manner: register, create, list; and the nearest known names, for error messages."""

import inspect
import re
import reprlib
import warnings
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from cyclekit.errors import ArgumentError, OptionError, ShapeError, UnknownNameError

T = TypeVar("T")
_LISTED = 60
"""Known names that a message lists at most."""
Factory = TypeVar("Factory", bound=Callable[..., object])


def _natural(name: str) -> list[int | str]:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


class Registry(Generic[T]):
    """Names and the factories behind them.

    Args:
        kind: What is registered, as error messages call it (``"generator"``).
        entry_point_group: Packages installed beside this one may offer more entries under this group;
            they are loaded when first needed.
    """

    def __init__(self, kind: str, entry_point_group: str | None = None) -> None:
        self.kind = kind
        self._group = entry_point_group
        self._factories: dict[str, Callable[..., T]] = {}
        self._broken: dict[str, str] = {}

    def register(self, name: str, *, override: bool = False) -> Callable[[Factory], Factory]:
        """Return a decorator that registers a factory under ``name``.

        Raises:
            ShapeError: The name is no text, or what is registered cannot be called.
            ArgumentError: The name is empty, or taken and ``override`` is false.
        """
        self._check_name(name)
        if not name.strip():
            raise ArgumentError(f"the name of a {self.kind} must not be empty")

        def add(factory: Factory) -> Factory:
            if not callable(factory):
                raise ShapeError(
                    f"{self.kind} {name!r} must be a class or function that makes one, got {reprlib.repr(factory)}"
                )
            if name in self._factories and not override:
                raise ArgumentError(
                    f"{self.kind} {name!r} is registered already; choose another name or pass override=True"
                )
            self._factories[name] = factory  # pyright: ignore[reportArgumentType]
            return factory

        return add

    def create(self, name: str, /, *args: object, **options: object) -> T:
        """Call the factory registered under ``name``; arguments reach it unaltered.

        Raises:
            UnknownNameError: Nothing is registered under ``name``.
        """
        return self.factory(name)(*args, **options)

    def check_options(self, name: str, options: Mapping[str, object]) -> None:
        """Check that what is registered under ``name`` has such options.

        Raises:
            OptionError: It has not; the message lists those it has.
            UnknownNameError: Nothing is registered under ``name``.
        """
        try:
            signature = inspect.signature(self.factory(name))
        except ValueError:  # written in C, with no signature
            return
        try:
            signature.bind_partial(**options)
        except TypeError as error:
            takes = ", ".join(signature.parameters) or "none"
            raise OptionError(f"{self.kind} {name!r}: {error}; it takes {takes}") from None

    def factory(self, name: str) -> Callable[..., T]:
        """Return the factory registered under ``name``.

        Raises:
            ShapeError: The name is no text.
            UnknownNameError: Nothing is registered under ``name``.
        """
        self._check_name(name)
        if name not in self._factories:
            self._load_entry_points()
        if name in self._broken and name not in self._factories:
            raise UnknownNameError(f"the {self.kind} {name!r} cannot be had: {self._broken[name]}")
        if name not in self._factories:
            raise UnknownNameError(f"no {self.kind} is called {name!r}{suggestion(name, self._factories)}")
        return self._factories[name]

    def list(self, pattern: str = "*") -> list[str]:
        """Return the registered names that match a glob pattern, in natural order.

        Raises:
            ShapeError: The pattern is no text.
        """
        self._check_name(pattern)
        self._load_entry_points()
        return sorted((name for name in self._factories if fnmatchcase(name, pattern)), key=_natural)

    def __contains__(self, name: str) -> bool:
        """Whether ``name`` can be created."""
        if isinstance(name, str) and name not in self._factories:  # pyright: ignore[reportUnnecessaryIsInstance]
            self._load_entry_points()
        return isinstance(name, str) and name in self._factories  # pyright: ignore[reportUnnecessaryIsInstance]

    def _check_name(self, name: object) -> None:
        if not isinstance(name, str):
            raise ShapeError(f"the name of a {self.kind} is a text, got {reprlib.repr(name)}")

    def _load_entry_points(self) -> None:
        if self._group is None:
            return
        group, self._group = self._group, None
        for entry in entry_points(group=group):
            if entry.name in self._factories:
                continue
            try:
                self._factories[entry.name] = _callable(entry.load())
            except Exception as error:  # a plugin's mistake may be any, and hides no other plugin
                self._broken[entry.name] = f"its plugin {entry.value!r} does not load ({type(error).__name__}: {error})"
        for name, reason in self._broken.items():
            warnings.warn(f"the {self.kind} {name!r} is left out: {reason}", RuntimeWarning, stacklevel=2)


def _callable(loaded: Any) -> Any:
    if not callable(loaded):
        raise ShapeError(f"it is {reprlib.repr(loaded)}, which cannot be called")
    return loaded


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'unet_256'?"``, or the known names when none is near."""
    names = sorted(set(known))
    near = get_close_matches(name, names, n=3, cutoff=0.6 if len(name) > 2 else 0.5)  # l3 is near l1
    if near:
        return "; did you mean " + " or ".join(repr(candidate) for candidate in near) + "?"
    if names:
        more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        return "; known names: " + ", ".join(names[:_LISTED]) + more
    return "; none is known"
