"""OpenFace's CSV files and iBUG's `.pts` files."""

from os import PathLike
from pathlib import Path
from typing import Literal

import torch

from cyclekit._typed import typed
from cyclekit.errors import AnnotationError
from cyclekit.keypoints.heatmaps import Keypoints
from cyclekit.keypoints.points import check_number
from cyclekit.keypoints.readers.annotations import Annotations, fail, finite, read_text

_COLUMNS = tuple(f"{axis}_{index}" for index in range(68) for axis in "xy")
_DIGITS = 9  # of a number of points that a file can hold
_HEEDED = ("frame", "success", "confidence")


@typed
def read_openface_csv(path: str | PathLike[str], threshold: int | float = 0) -> Annotations:
    r"""Read the 68 landmarks of each row of an OpenFace CSV file: a frame, or one face of several in it.

    Args:
        path: The file, with columns `x_0` to `x_67` and `y_0` to `y_67`. `frame`, `success` and `confidence`
            are heeded where they are there, other columns ignored.
        threshold: A face is there when its `confidence`, 0 to 1, exceeds this. OpenFace itself decides the
            `success` of a frame.

    Returns:
        For each row the number of its frame as text, or the file's name without its ending where there are no
        frames (`FaceLandmarkImg` writes such a file for each image), and the points in pixels in the order of
        `FACE_68`. None of a row's are there where `success` is 0 or the confidence too low.

    Raises:
        AnnotationError: A column is missing or there twice, or a value is no finite number.
        ArgumentError: `threshold` is NaN.
        OSError: The file cannot be read.

    Source:
        Baltrusaitis et al., OpenFace 2.0 (FG 2018); https://github.com/TadasBaltrusaitis/OpenFace/wiki.

    Example:
        ```python
        from pathlib import Path
        from tempfile import TemporaryDirectory
        from cyclekit.keypoints import read_openface_csv

        columns = [f"{axis}_{index}" for axis in "xy" for index in range(68)]
        with TemporaryDirectory() as folder:
            file = Path(folder, "clip.csv")
            rows = [["frame", "success", *columns], ["1"] * 138]
            file.write_text("\n".join(", ".join(row) for row in rows))
            names, keypoints = read_openface_csv(file)
            assert names == ("1",)
            assert keypoints.points.shape == (1, 68, 2)
        ```
    """
    check_number("threshold", threshold)
    lines = read_text(path).splitlines()
    header = [name.strip() for name in lines[0].split(",")] if lines else []
    places = {name: index for index, name in enumerate(header)}
    missing = [name for name in _COLUMNS if name not in places]
    if missing:
        fail(path, 1, f"a header with x_0 to x_67 and y_0 to y_67 (missing: {missing[0]})", ",".join(header))
    twice = [name for name in (*_COLUMNS, *_HEEDED) if header.count(name) > 1]
    if twice:
        fail(path, 1, "each column once", twice[0])
    names: list[str] = []
    rows: list[list[float]] = []
    there: list[bool] = []
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        values = line.split(",")
        if len(values) != len(header):
            fail(path, number, f"{len(header)} values, as the header has", len(values))
        names.append(values[places["frame"]].strip() if "frame" in places else Path(path).stem)
        rows.append([_number(path, number, values[places[name]]) for name in _COLUMNS])
        least = {"success": 0, "confidence": threshold}
        there.append(all(_number(path, number, values[places[name]]) > least[name] for name in least if name in places))
    points = torch.tensor(rows, dtype=torch.float32).reshape(len(rows), 68, 2)
    visible = torch.tensor(there, dtype=torch.bool)[:, None].repeat(1, 68)
    return Annotations(tuple(names), Keypoints(points, visible))


@typed
def read_pts(path: str | PathLike[str], origin: Literal[0, 1] = 1) -> Keypoints:
    r"""Read the landmarks of one face from a `.pts` file.

    Args:
        path: The file, with a line `n_points: 68` (or `npoints: 68`) and one point a line between braces.
        origin: The coordinate of the first pixel's centre in the file. iBUG's own files count from 1, and so
            do those of OpenFace's FaceLandmarkImg, which adds 1 to what it found; pass 0 for other writers' files
            that count from 0.

    Returns:
        Points in pixels counted from 0, shape (1, points, 2), all there.

    Raises:
        AnnotationError: The file is not like this.
        OSError: The file cannot be read.

    Source:
        Sagonas et al., 300 Faces In-The-Wild Challenge (ICCV-W 2013).

    Example:
        ```python
        from pathlib import Path
        from tempfile import TemporaryDirectory
        from cyclekit.keypoints import read_pts

        with TemporaryDirectory() as folder:
            file = Path(folder, "face.pts")
            file.write_text("version: 1\nn_points: 2\n{\n1.0 1.0\n11.0 21.0\n}\n")
            assert read_pts(file).points.tolist() == [[[0.0, 0.0], [10.0, 20.0]]]
        ```
    """
    lines = [line.strip() for line in read_text(path).splitlines()]
    count: int | None = None
    for number, line in enumerate(lines, 1):
        key, _, value = line.partition(":")
        if key.strip() in ("n_points", "npoints"):
            if not value.strip().isdecimal() or len(value.strip()) > _DIGITS:
                fail(path, number, "n_points: and a whole number", line)
            count = int(value)
    if count is None:
        fail(path, 1, "a line n_points: and a whole number in the file", lines[0] if lines else "")
    if "{" not in lines:
        fail(path, len(lines), "a line { before the points", lines[-1])
    start = lines.index("{") + 1
    if "}" not in lines[start:]:
        fail(path, len(lines), "a line } after the points", lines[-1])
    points: list[list[float]] = []
    for number, line in enumerate(lines[start : lines.index("}", start)], start + 1):
        values = line.split()
        if not values:
            continue
        if len(values) != 2:
            fail(path, number, "x and y", line)
        points.append([_number(path, number, value) - origin for value in values])
    if len(points) != count:
        fail(path, start, f"{count} points, as n_points says", len(points))
    found = torch.tensor(points, dtype=torch.float32).reshape(1, count, 2)
    return Keypoints(found, torch.ones(1, count, dtype=torch.bool))


def _number(path: str | PathLike[str], line: int, value: str) -> float:
    try:
        return finite(path, line, float(value))
    except AnnotationError:
        raise
    except ValueError:
        fail(path, line, "a number", value)
