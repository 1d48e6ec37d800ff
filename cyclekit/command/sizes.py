"""Sizes as they are said on a command line."""

from collections.abc import Mapping, Sequence

from cyclekit.errors import UsageError


def size_of(said: Sequence[int], flag: str = "--size") -> tuple[int, int] | None:
    """Return height and width of ``SIDE`` or ``HEIGHT WIDTH``; nothing where nothing is said.

    Raises:
        UsageError: It is neither.
    """
    if not said:
        return None
    if len(said) > 2 or not all(type(side) is int and side > 0 for side in said):
        raise UsageError(f"{flag} {' '.join(map(str, said))}: expected a side, or a height and a width, 1 or more")
    return said[0], said[-1]


def trained_size(options: Mapping[str, object]) -> tuple[int, int] | None:
    """Return the height and the width at which a run was trained, where its options say them."""
    size = options.get("size")
    if not isinstance(size, list) or not all(isinstance(side, int) for side in size):
        return None
    return size_of(tuple(size))
