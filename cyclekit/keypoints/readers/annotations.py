"""What the readers of keypoint files share: their result and their error."""

import json
import math
import re
import reprlib
from os import PathLike
from pathlib import Path
from typing import NamedTuple, NoReturn, cast

import torch

from cyclekit.errors import AnnotationError
from cyclekit.keypoints.heatmaps import Keypoints
from cyclekit.keypoints.points import check_number

# Built-in repr would fail on what is nested deeply, and spell out all of what is large.
_short = reprlib.Repr()
_short.maxlevel, _short.maxstring, _short.maxother, _short.maxlong = 3, 80, 80, 80

_LARGEST = torch.finfo(torch.float32).max


class Annotations(NamedTuple):
    """Keypoints and the images they belong to.

    Attributes:
        names: One image name a row; an image with several people has several rows.
        keypoints: Points in pixels, shape (rows, joints, 2), and which are there, shape (rows, joints).
    """

    names: tuple[str, ...]
    keypoints: Keypoints


def fail(path: str | PathLike[str], where: int | str, expected: str, got: object) -> NoReturn:
    """Raise the readers' error. `where` is a line number, or the way to a value in a JSON file."""
    place = f"line {where}" if isinstance(where, int) else where
    shown = _short.repr(got)
    raise AnnotationError(
        f"{Path(path)}, {place}: expected {expected}; got {shown if len(shown) <= 80 else shown[:77] + '...'}"
    )


def read_text(path: str | PathLike[str]) -> str:
    """Read a text file, with or without a byte order mark."""
    if Path(path).exists() and not Path(path).is_file():  # a named pipe would be waited for
        fail(path, "the path itself", "a file", "a folder" if Path(path).is_dir() else "a pipe or a device")
    data = Path(path).read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        fail(path, data[: error.start].count(b"\n") + 1, "UTF-8 text", data[error.start : error.start + 4])


def parse_json(text: str) -> object:
    """Parse JSON.

    Raises:
        json.JSONDecodeError: The text is none, has a key twice, or nothing that Python can hold.
    """

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise json.JSONDecodeError(f"the key {_short.repr(twice)} twice in one object", text, 0)
        return found

    try:
        return json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise json.JSONDecodeError("nested too deeply", text, 0) from None
    except ValueError:  # Python refuses whole numbers of some thousand digits
        digits = re.search(r"\d{4000,}", text)
        raise json.JSONDecodeError("too many digits", text, digits.start() if digits else 0) from None


def read_json(path: str | PathLike[str]) -> object:
    """Read a JSON file."""
    text = read_text(path)
    try:
        return parse_json(text)
    except json.JSONDecodeError as error:
        fail(path, error.lineno, f"JSON ({error.msg})", text.split("\n")[error.lineno - 1])


def field(path: str | PathLike[str], where: str, owner: object, key: str) -> object:
    """Look a key up in what should be a JSON object."""
    if not isinstance(owner, dict) or key not in owner:
        fail(path, where, f"an object with {key!r}", owner)
    return cast(dict[str, object], owner)[key]


def items(path: str | PathLike[str], where: str, value: object) -> list[object]:
    """Take what should be a JSON list."""
    if not isinstance(value, list):
        fail(path, where, "a list", value)
    return cast(list[object], value)


def numbers(path: str | PathLike[str], where: int | str, value: object) -> list[float]:
    """Take what should be a JSON list of numbers."""
    if not isinstance(value, list):
        fail(path, where, "a list of numbers", value)
    found: list[float] = []
    for entry in cast(list[object], value):
        if isinstance(entry, bool) or not isinstance(entry, int | float):
            fail(path, where, "numbers only", entry)
        found.append(_as_float(entry))
    return found


def finite(path: str | PathLike[str], where: int | str, number: float) -> float:
    """Take what should be a number that float32 can hold."""
    if not abs(number) <= _LARGEST:  # also not where it is NaN
        fail(path, where, "a finite number of float32", number)
    return number


def whole_id(path: str | PathLike[str], where: str, value: object) -> int | str:
    """Take what should be a whole number or a text."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        fail(path, where, "an id, a whole number or a text", value)
    return value


def _as_float(number: int | float) -> float:
    try:
        return float(number)
    except OverflowError:  # as JSON's 1e400 is read
        return math.inf if number > 0 else -math.inf


def triples(path: str | PathLike[str], where: str, value: object, most: float = math.inf) -> list[float]:
    """Take what should be a JSON list of x, y and a confidence, up to the most there can be, for each joint."""
    found = numbers(path, where, value)
    if len(found) % 3:
        fail(path, where, "x, y and a confidence for each joint, a multiple of 3 numbers", len(found))
    for confidence in found[2::3]:
        if most < confidence < math.inf:
            fail(path, where, f"a confidence of at most {most:g}", confidence)
    return found


def stack_triples(rows: list[list[float]], threshold: float) -> Keypoints:
    """Build keypoints of x, y, confidence rows; a joint is there when its confidence exceeds the threshold."""
    check_number("threshold", threshold)
    joints = len(rows[0]) // 3 if rows else 0
    table = torch.tensor(rows, dtype=torch.float32).reshape(len(rows), joints, 3)
    points, confidence = table[..., :2], table[..., 2]
    # Estimators write NaN for what they could not place, and JSON as Python reads it lets that through.
    return Keypoints(torch.where(points.isfinite(), points, 0.0), table.isfinite().all(-1) & (confidence > threshold))
