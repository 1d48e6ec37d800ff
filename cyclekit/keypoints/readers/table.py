"""A table of keypoints of our own: one row an image, one pair of columns a joint."""

import csv
from io import StringIO
from os import PathLike
from pathlib import Path

import torch

from cyclekit._typed import typed
from cyclekit.errors import AnnotationError
from cyclekit.keypoints.heatmaps import Keypoints, check_keypoints
from cyclekit.keypoints.readers.annotations import Annotations, fail, finite, read_text


@typed
def read_keypoint_table(path: str | PathLike[str], rejected: list[str] | None = None) -> Annotations:
    r"""Read a table of keypoints: the header ``name,x_0,y_0,x_1,y_1,...`` and a row for every image.

    Args:
        path: The file, comma separated. A joint whose x or y is empty is missing.
        rejected: Where what is wrong with a row is noted, which is then left out, instead of raised.

    Returns:
        Image names and points in pixels, in file order. Missing points lie at (0, 0).

    Raises:
        AnnotationError: The header or a row is not like this.
        OSError: The file cannot be read.

    Example:
        ```python
        from pathlib import Path
        from tempfile import TemporaryDirectory
        from cyclekit.keypoints import read_keypoint_table

        with TemporaryDirectory() as folder:
            file = Path(folder, "points.csv")
            file.write_text("name,x_0,y_0,x_1,y_1\nanna_1.jpg,12.5,30,,\n")
            names, keypoints = read_keypoint_table(file)
        assert names == ("anna_1.jpg",)
        assert keypoints.visible.tolist() == [[True, False]]
        ```
    """
    rows = list(csv.reader(StringIO(read_text(path))))
    header = [name.strip() for name in rows[0]] if rows else []
    joints = (len(header) - 1) // 2
    if joints < 1 or header != _header(joints):
        fail(path, 1, "the header name,x_0,y_0,x_1,y_1,...", ",".join(header))
    names: list[str] = []
    points: list[list[float]] = []
    for number, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        try:
            if len(row) != len(header):
                fail(path, number, f"{len(header)} values, as the header has", len(row))
            found = [_coordinate(path, number, cell) for cell in row[1:]]
        except AnnotationError as error:
            if rejected is None:
                raise
            rejected.append(str(error))
            continue
        names.append(row[0].strip())
        points.append(found)
    table = torch.tensor(points, dtype=torch.float32).reshape(len(points), joints, 2)
    visible = table.isfinite().all(-1)
    return Annotations(tuple(names), Keypoints(torch.where(visible[..., None], table, 0.0), visible))


@typed
def write_keypoint_table(annotations: Annotations, path: str | PathLike[str]) -> None:
    """Write a table that `read_keypoint_table` reads, with hundredths of a pixel.

    Args:
        annotations: Image names and their keypoints.
        path: The file; one that is there is replaced.

    Raises:
        ShapeError: The annotations have other shapes.
        OSError: The file cannot be written.

    Example:
        ```python
        from pathlib import Path
        from tempfile import TemporaryDirectory
        import torch
        from cyclekit.keypoints import Annotations, Keypoints, read_keypoint_table, write_keypoint_table

        keypoints = Keypoints(torch.tensor([[[3.25, 4.0]]]), torch.tensor([[True]]))
        with TemporaryDirectory() as folder:
            write_keypoint_table(Annotations(("a.jpg",), keypoints), Path(folder, "points.csv"))
            again = read_keypoint_table(Path(folder, "points.csv"))
        assert torch.equal(again.keypoints.points, keypoints.points)
        ```
    """
    points, visible = annotations.keypoints
    check_keypoints(points, visible)
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_header(points.shape[1]))
        for name, row, there in zip(annotations.names, points.tolist(), visible.tolist(), strict=True):
            cells = [f"{value:.2f}".rstrip("0").rstrip(".") for point in row for value in point]
            seen = [known for known in there for _ in "xy"]
            writer.writerow([name, *(cell if known else "" for cell, known in zip(cells, seen, strict=True))])


def _header(joints: int) -> list[str]:
    return ["name", *(f"{axis}_{joint}" for joint in range(joints) for axis in "xy")]


def _coordinate(path: str | PathLike[str], line: int, cell: str) -> float:
    if not cell.strip():
        return float("nan")
    try:
        return finite(path, line, float(cell))
    except AnnotationError:
        raise
    except ValueError:
        fail(path, line, "a number, or nothing where the joint is missing", cell)
