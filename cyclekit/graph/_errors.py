"""What can be wrong with a graph."""

import sys
import warnings


class GraphError(ValueError):
    """A graph that says something impossible: the message names the place and the mend."""


class NotationError(GraphError):
    """Text of a graph that cannot be read, or that contradicts itself, with the place marked by a caret.

    Args:
        message: What was expected, and what stands there.
        field: The argument that holds the text, ``cycles`` for example.
        text: The whole text, without common indentation.
        at: The offset of the place in ``text``.

    Attributes:
        line: The place's line in ``text``, from 1.
        column: The place's column in that line, from 1.

    Example:
        ```python
        from cyclekit import CycleGraph, Image, NotationError

        try:
            CycleGraph({"x": Image(3)}, maps="x -G-> y* -> z*")
        except NotationError as error:
            assert (error.line, error.column) == (1, 11)
        ```
    """

    def __init__(self, message: str, *, field: str, text: str, at: int) -> None:
        self.message = message
        self.field = field
        self.text = text
        self.at = at
        start = text.rfind("\n", 0, at) + 1
        line = text[start:].partition("\n")[0]
        self.line = text.count("\n", 0, at) + 1
        self.column = at - start + 1
        # Tabs stay tabs under the line, so that the caret stands where the reader's eye is.
        gap = "".join("\t" if character == "\t" else " " for character in line[: at - start])
        super().__init__(f"{field}, line {self.line}: {message}\n    {_shown(line)}\n    {gap}^")

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by what it was made from."""
        return (_notation_error, (self.message, self.field, self.text, self.at))


def _shown(line: str) -> str:
    """Return a line that any terminal can show, as long as the line itself."""
    return "".join(character if character.isprintable() or character == "\t" else "\ufffd" for character in line)


def _notation_error(message: str, field: str, text: str, at: int) -> NotationError:
    return NotationError(message, field=field, text=text, at=at)


class GraphWarning(UserWarning):
    """A graph that can be trained but says more than it needs."""


def warn(message: str) -> None:
    """Warn at the line outside this library that led here."""
    level, frame = 1, sys._getframe()  # pyright: ignore[reportPrivateUsage]
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "cyclekit":
        level, frame = level + 1, frame.f_back
    warnings.warn(message, GraphWarning, stacklevel=level)
