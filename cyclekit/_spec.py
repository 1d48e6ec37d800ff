"""A registry entry and its options, as a value."""

import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from cyclekit.errors import ArgumentError, ShapeError

PLAIN = (str, int, float, bool, type(None))


@dataclass(frozen=True, init=False, repr=False)
class NetworkSpec:
    """The name of a registered network and the options to build it with, as plain data.

    Specs are immutable, compare and hash by value, pickle, and round-trip through JSON.

    Args:
        name: A name from `list_generators` or `list_discriminators`; looked up when the network is built.
        **options: Options of that network: strings, numbers, booleans, ``None``, or sequences of them, which
            are kept as tuples.

    Raises:
        ShapeError: The name is no text, or an option is no plain data.

    Example:
        >>> from cyclekit.nets import NetworkSpec
        >>> spec = NetworkSpec("unet_256", norm="instance")
        >>> spec
        NetworkSpec('unet_256', norm='instance')
        >>> NetworkSpec.from_dict(spec.to_dict()) == spec
        True
    """

    name: str
    _items: tuple[tuple[str, object], ...]

    def __init__(self, name: str, /, **options: object) -> None:
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ShapeError(f"the name of a network is a text, got {name!r}")
        object.__setattr__(self, "name", name)
        items = tuple((option, _frozen(option, options[option])) for option in sorted(options))
        object.__setattr__(self, "_items", items)

    @property
    def options(self) -> dict[str, object]:
        """The options, as a new dict."""
        return dict(self._items)

    def to_dict(self) -> dict[str, object]:
        """Return the spec as JSON-ready data.

        Returns:
            ``{"name": ..., "options": {...}}``, with lists for tuples.
        """
        return {"name": self.name, "options": {option: _thawed(value) for option, value in self._items}}

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> "NetworkSpec":
        """Return the spec that `to_dict` wrote.

        Args:
            data: What `to_dict` returned, through JSON or not.

        Returns:
            An equal spec.

        Raises:
            ArgumentError: The data has no name, no mapping of options by name, or other keys.
        """
        match data:
            case {"name": str(name), "options": Mapping() as options, **rest} if not rest and all(
                isinstance(option, str) for option in cast("Mapping[object, object]", options)
            ):
                return cls(name, **cast("Mapping[str, object]", options))
            case _:
                raise ArgumentError(f"a network spec is {{'name': str, 'options': dict}}; got {reprlib.repr(data)}")

    def __repr__(self) -> str:
        parts = [repr(self.name), *(f"{option}={value!r}" for option, value in self._items)]
        return f"NetworkSpec({', '.join(parts)})"


def _frozen(option: str, value: object) -> object:
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, list | tuple):
        return tuple(_frozen(option, part) for part in cast("Sequence[object]", value))
    raise ShapeError(
        f"option {option!r} (={value!r}) is not plain data; pass str, int, float, bool, None or a sequence of these"
    )


def _thawed(value: object) -> object:
    return [_thawed(part) for part in cast("Sequence[object]", value)] if isinstance(value, tuple) else value
