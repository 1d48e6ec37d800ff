"""The nearest known names, for error messages."""

from collections.abc import Iterable
from difflib import get_close_matches


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'unet_256'?"``, or the known names when none is near."""
    names = sorted(known)
    near = get_close_matches(name, names, n=3, cutoff=0.6 if len(name) > 2 else 0.5)  # l3 is near l1
    if near:
        return "; did you mean " + " or ".join(repr(candidate) for candidate in near) + "?"
    if names:
        return "; known names: " + ", ".join(names)
    return "; none is known"
