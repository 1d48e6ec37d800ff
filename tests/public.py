"""The public names: what each room exports, and every function, method and docstring behind them."""

import importlib
import inspect
from collections.abc import Callable, Iterator
from functools import cached_property
from types import FunctionType
from typing import NamedTuple

ROOMS = (
    "cyclekit",
    "cyclekit.errors",
    "cyclekit.graph",
    "cyclekit.papers",
    "cyclekit.model",
    "cyclekit.data",
    "cyclekit.training",
    "cyclekit.nets",
    "cyclekit.losses",
    "cyclekit.pool",
    "cyclekit.keypoints",
    "cyclekit.metrics",
)


class Public(NamedTuple):
    """A public function, class, or a class's public method or property, under the name users call it by."""

    name: str
    value: object
    is_property: bool = False

    @property
    def docstring(self) -> str:
        """Return the docstring written for this very thing, not one that it inherits."""
        if isinstance(self.value, type):
            return inspect.cleandoc(self.value.__dict__.get("__doc__") or "")
        return inspect.cleandoc(getattr(self.value, "__doc__", "") or "")


def exports() -> Iterator[tuple[str, object]]:
    """Yield every name in the rooms' ``__all__``, where a room of one class may lack it, with its value."""
    for room in ROOMS:
        module = importlib.import_module(room)
        own = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == room]
        for name in getattr(module, "__all__", [name for name in own if not name.startswith("_")]):
            yield f"{room}.{name}", getattr(module, name)


def documented() -> list[Public]:
    """Return every public thing that carries a docstring of its own, each once."""
    found: dict[int, Public] = {}
    for room in ROOMS:
        module = importlib.import_module(room)
        found[id(module)] = Public(room, module)
    for name, value in exports():
        if isinstance(value, FunctionType):
            found.setdefault(id(value), Public(name, value))
        if isinstance(value, type) and value.__module__.startswith("cyclekit"):
            found.setdefault(id(value), Public(name, value))
            for member, attribute in vars(value).items():
                function = None if member.startswith("_") else _function(attribute)
                if function and not _is_a_frameworks(member, value):
                    is_property = isinstance(attribute, property | cached_property)
                    found.setdefault(id(function), Public(f"{name}.{member}", function, is_property))
    return list(found.values())


def _function(attribute: object) -> Callable[..., object] | None:
    """Return the function behind a method or a property; nothing for what a decorator made up."""
    match attribute:
        case property():
            function = attribute.fget
        case staticmethod() | classmethod():
            function = attribute.__func__
        case cached_property():
            function = attribute.func
        case _:
            function = attribute
    if isinstance(function, FunctionType) and inspect.unwrap(function).__module__.startswith("cyclekit"):
        return function
    return None


def _is_a_frameworks(member: str, made: type) -> bool:
    """Whether another library calls and documents a method; ``forward`` is ours to say."""
    bases = (base for base in made.__mro__ if not base.__module__.startswith("cyclekit"))
    return member != "forward" and any(member in vars(base) for base in bases)
