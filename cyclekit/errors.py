"""Every error of the library; each is also the builtin it refines."""

import sys
import warnings

__all__ = [
    "AnnotationError",
    "ArgumentError",
    "CheckpointError",
    "CycleKitError",
    "DataError",
    "FolderError",
    "GraphError",
    "GraphWarning",
    "HubError",
    "ImageSizeError",
    "NetworkCallError",
    "NetworkOutputError",
    "NotationError",
    "OptionError",
    "PretrainedError",
    "ProcessLostError",
    "RunInUseError",
    "RunOptionsError",
    "ShapeError",
    "SignalError",
    "SignalWarning",
    "TrainingDivergedError",
    "UnknownNameError",
    "UsageError",
]


_AROUND = 100
"""Characters of a line that an error shows on either side of its place."""


class CycleKitError(Exception):
    """What a user of the library can mend: catch this one to catch them all.

    Example:
        ```python
        from cyclekit import CycleGraph, CycleKitError, Image

        try:
            CycleGraph({"x": Image(3)}, maps="x -G-> y* -> z*")
        except CycleKitError as error:
            assert "an arrow carries a network's name" in str(error)
        ```
    """


class GraphError(CycleKitError, ValueError):
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
        line, place = _cut(line, at - start)
        # Tabs stay tabs under the line, so that the caret stands where the reader's eye is.
        gap = "".join("\t" if character == "\t" else " " for character in line[:place])
        super().__init__(f"{field}, line {self.line}: {message}\n    {_shown(line)}\n    {gap}^")

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by what it was made from."""
        return (_notation_error, (self.message, self.field, self.text, self.at))


def _cut(line: str, place: int) -> tuple[str, int]:
    """Return what stands around a place of a long line, and the place in it."""
    begin, end = max(0, place - _AROUND), place + _AROUND
    before, behind = "…" if begin else "", "…" if end < len(line) else ""
    return f"{before}{line[begin:end]}{behind}", place - begin + len(before)


def _shown(line: str) -> str:
    """Return a line that any terminal can show, as long as the line itself."""
    return "".join(character if character.isprintable() or character == "\t" else "\ufffd" for character in line)


def _notation_error(message: str, field: str, text: str, at: int) -> NotationError:
    return NotationError(message, field=field, text=text, at=at)


class UnknownNameError(CycleKitError, ValueError):
    """A name that no registry entry carries."""


class ShapeError(CycleKitError, TypeError):
    """An argument or a result whose type or shape is not the annotated one."""


class ArgumentError(CycleKitError, ValueError):
    """An argument whose value is out of range, or does not go with the others."""


class OptionError(CycleKitError, TypeError):
    """An option that a network, a criterion, a loss, a penalty or a paper does not have."""


class ImageSizeError(CycleKitError, ValueError):
    """An image size that a network cannot take."""


class DetectorError(CycleKitError, RuntimeError):
    """A keypoint detector that cannot work here: its library or its weights are missing, or of another kind."""


class AnnotationError(CycleKitError, ValueError):
    """A keypoint file that is not what its reader expects; says which file, where, and what was expected."""


class DataError(CycleKitError, ValueError):
    """Data to train on that is missing, damaged or not as it should be: the message names the file, and the mend."""


class SignalError(CycleKitError, ValueError):
    """A batch that lacks a signal, or carries one that does not fit its domain."""


class NetworkCallError(CycleKitError, RuntimeError):
    """A network, function or criterion that fails on what the graph gives it; torch's error is its cause."""


class NetworkOutputError(CycleKitError, ValueError):
    """A network or criterion whose output does not fit what it makes or measures."""


class FolderError(CycleKitError, FileExistsError):
    """A folder that holds something else, which writing there would lose."""


class PretrainedError(CycleKitError, ValueError):
    """A folder whose files are no readable model."""


class HubError(CycleKitError, OSError):
    """A model that cannot be fetched from the hub, or written to it."""


class CheckpointError(CycleKitError, RuntimeError):
    """A checkpoint that cannot be read or written, or that belongs to another model."""


class RunInUseError(CycleKitError, OSError):
    """A run's folder that another run is using."""


class RunOptionsError(CycleKitError, ValueError):
    """Options of a run that cannot be read, or that would make a resumed run another one."""


class ProcessLostError(CycleKitError, ConnectionError):
    """Another process of a run ended, and the others cannot go on."""


class TrainingDivergedError(CycleKitError, ArithmeticError):
    """Losses, weights or states that are not finite: nothing more can be learned from here."""


class UsageError(CycleKitError, ValueError):
    """Words of a command, or options of a run, that cannot be followed: the message names them and the mend."""


class GraphWarning(UserWarning):
    """A graph that can be built and trained, but perhaps does not say what was meant."""


class SignalWarning(UserWarning):
    """A batch that can be trained on, but perhaps does not hold what was meant."""


def warn(message: str, kind: type[UserWarning] = GraphWarning) -> None:
    """Warn at the line outside this library that led here."""
    level, frame = 1, sys._getframe()  # pyright: ignore[reportPrivateUsage]
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "cyclekit":
        level, frame = level + 1, frame.f_back
    warnings.warn(message, kind, stacklevel=level)
