"""A registry in timm's manner: register, create, list; and the nearest known names, for error messages."""

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from cyclekit.errors import UnknownNameError

T = TypeVar("T")
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

    def register(self, name: str, *, override: bool = False) -> Callable[[Factory], Factory]:
        """Return a decorator that registers a factory under ``name``.

        Raises:
            ValueError: The name is taken and ``override`` is false.
        """

        def add(factory: Factory) -> Factory:
            if name in self._factories and not override:
                raise ValueError(
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

    def factory(self, name: str) -> Callable[..., T]:
        """Return the factory registered under ``name``.

        Raises:
            UnknownNameError: Nothing is registered under ``name``.
        """
        if name not in self._factories:
            self._load_entry_points()
        if name not in self._factories:
            raise UnknownNameError(f"no {self.kind} is called {name!r}{suggestion(name, self._factories)}")
        return self._factories[name]

    def list(self, pattern: str = "*") -> list[str]:
        """Return the registered names that match a glob pattern, in natural order."""
        self._load_entry_points()
        return sorted((name for name in self._factories if fnmatchcase(name, pattern)), key=_natural)

    def __contains__(self, name: str) -> bool:
        """Whether ``name`` can be created."""
        if name not in self._factories:
            self._load_entry_points()
        return name in self._factories

    def _load_entry_points(self) -> None:
        if self._group is None:
            return
        group, self._group = self._group, None
        for entry in entry_points(group=group):
            if entry.name not in self._factories:
                self._factories[entry.name] = entry.load()


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'unet_256'?"``, or the known names when none is near."""
    names = sorted(set(known))
    near = get_close_matches(name, names, n=3, cutoff=0.6 if len(name) > 2 else 0.5)  # l3 is near l1
    if near:
        return "; did you mean " + " or ".join(repr(candidate) for candidate in near) + "?"
    if names:
        return "; known names: " + ", ".join(names)
    return "; none is known"
