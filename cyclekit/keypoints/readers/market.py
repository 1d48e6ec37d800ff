"""Market-1501's pose annotations, as PoseGAN and its successors share them."""

import json
from collections import defaultdict
from collections.abc import Sequence
from itertools import permutations
from os import PathLike

import numpy as np
import torch

from cyclekit._typed import typed
from cyclekit.errors import AnnotationError, ArgumentError
from cyclekit.keypoints.heatmaps import Keypoints, check_keypoints
from cyclekit.keypoints.readers.annotations import Annotations, fail, finite, numbers, parse_json, read_text
from cyclekit.keypoints.skeletons import OPENPOSE_18

_HEADER = "name:keypoints_y:keypoints_x"
_TORSO = tuple(
    OPENPOSE_18.joints.index(f"{side}_{joint}") for side in ("right", "left") for joint in ("shoulder", "hip")
)


@typed
def read_market_csv(path: str | PathLike[str], rejected: list[str] | None = None) -> Annotations:
    r"""Read a Market-1501 annotation file: 18 joints a row, in pixels of a 128x64 image, -1 where missing.

    Args:
        path: The file, with the header `name:keypoints_y:keypoints_x` and two JSON lists of 18 in each row.
        rejected: Where what is wrong with a row is noted, which is then left out, instead of raised.

    Returns:
        Image names and keypoints in the order of `OPENPOSE_18`, in file order. Missing points lie at (0, 0).

    Raises:
        AnnotationError: A line is not like this.
        OSError: The file cannot be read.

    Source:
        https://github.com/AliaksandrSiarohin/pose-gan, its `market-annotation-*.csv`.

    Example:
        ```python
        from pathlib import Path
        from tempfile import TemporaryDirectory
        from cyclekit.keypoints import read_market_csv

        with TemporaryDirectory() as folder:
            file = Path(folder, "annotation.csv")
            file.write_text(f"name:keypoints_y:keypoints_x\n0002_c1s1.jpg: {[-1] * 18}: {[-1] * 18}\n")
            assert not read_market_csv(file).keypoints.visible.any()
        ```
    """
    lines = read_text(path).splitlines()
    if not lines or lines[0].strip() != _HEADER:
        fail(path, 1, f"the header {_HEADER}", lines[0] if lines else "")
    names: list[str] = []
    rows: list[list[list[float]]] = []
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        try:
            name, y, x = _row(path, number, line)
        except AnnotationError as error:
            if rejected is None:
                raise
            rejected.append(str(error))
            continue
        names.append(name)
        rows.append([x, y])
    table = torch.tensor(rows, dtype=torch.float32).reshape(len(rows), 2, len(OPENPOSE_18))
    visible = (table != -1).all(1)
    points = torch.where(visible[:, None], table, 0.0).mT.contiguous()
    return Annotations(tuple(names), Keypoints(points, visible))


def _row(path: str | PathLike[str], number: int, line: str) -> tuple[str, list[float], list[float]]:
    parts = line.split(":")
    if len(parts) != 3:
        fail(path, number, _HEADER, line)
    return parts[0].strip(), _coordinates(path, number, parts[1]), _coordinates(path, number, parts[2])


def _coordinates(path: str | PathLike[str], line: int, text: str) -> list[float]:
    try:
        value = parse_json(text)
    except json.JSONDecodeError:
        fail(path, line, "a list such as [8, 23, -1]", text.strip())
    found = [finite(path, line, number) for number in numbers(path, line, value)]
    if len(found) != len(OPENPOSE_18):
        fail(path, line, f"{len(OPENPOSE_18)} numbers in a list", len(found))
    return found


@typed
def market_rows(annotations: Annotations) -> tuple[int, ...]:
    """Find the rows that count: both shoulders and both hips are there, and the image is of a person.

    Images whose names start with `-1` or `0000` are junk and distractors.

    Args:
        annotations: As `read_market_csv` gives them.

    Returns:
        Indices of the rows that count, ascending.

    Raises:
        ShapeError: `annotations` is something else.
        ArgumentError: There are not as many names as rows.

    Source:
        https://github.com/AliaksandrSiarohin/pose-gan, `create_pairs_dataset.py`.

    Example:
        ```python
        import torch
        from cyclekit.keypoints import Annotations, Keypoints, market_rows

        everything = Keypoints(torch.zeros(2, 18, 2), torch.ones(2, 18, dtype=torch.bool))
        assert market_rows(Annotations(("0000_c1s1.jpg", "0002_c1s1.jpg"), everything)) == (1,)
        ```
    """
    names, keypoints = annotations
    check_keypoints(*keypoints)
    OPENPOSE_18.check_joints(keypoints.points.shape[1])
    if len(names) != len(keypoints.points):
        raise ArgumentError(f"annotations: got {len(names)} names for {len(keypoints.points)} rows of keypoints")
    torso = annotations.keypoints.visible[:, list(_TORSO)].all(1).tolist()
    return tuple(
        row for row, name in enumerate(annotations.names) if torso[row] and not name.startswith(("-1", "0000"))
    )


@typed
def market_pairs(annotations: Annotations) -> tuple[tuple[int, int], ...]:
    """Pair the images of each person: all ordered pairs of two rows that count.

    Args:
        annotations: As `read_market_csv` gives them.

    Returns:
        Row indices (from, to), by person in the order of their first row; the order of the published files
        before they were sampled.

    Raises:
        ShapeError: `annotations` is something else.

    Source:
        https://github.com/AliaksandrSiarohin/pose-gan, `create_pairs_dataset.py`.

    Example:
        ```python
        import torch
        from cyclekit.keypoints import Annotations, Keypoints, market_pairs

        everything = Keypoints(torch.zeros(3, 18, 2), torch.ones(3, 18, dtype=torch.bool))
        names = ("0002_c1s1.jpg", "0007_c1s1.jpg", "0002_c2s1.jpg")
        assert market_pairs(Annotations(names, everything)) == ((0, 2), (2, 0))
        ```
    """
    people: defaultdict[str, list[int]] = defaultdict(list)
    for row in market_rows(annotations):
        people[annotations.names[row].split("_")[0]].append(row)
    return tuple(pair for rows in people.values() for pair in permutations(rows, 2))


@typed
def sample_pairs(pairs: Sequence[tuple[int, int]], count: int, seed: int = 0) -> tuple[tuple[int, int], ...]:
    """Choose some pairs as the published test pairs of Market-1501 were: ``pandas.DataFrame.sample``'s way.

    Args:
        pairs: All of them, in the order of `market_pairs`.
        count: How many; 12,000 published.
        seed: Its ``random_state``; 0 published.

    Returns:
        The chosen pairs, in the order they were drawn.

    Raises:
        ArgumentError: There are fewer, or ``count`` or ``seed`` is negative.

    Source:
        https://github.com/AliaksandrSiarohin/pose-gan, `create_pairs_dataset.py`.

    Example:
        ```python
        from cyclekit.keypoints import sample_pairs

        pairs = tuple((number, number + 1) for number in range(10))
        assert sample_pairs(pairs, 3) == ((2, 3), (8, 9), (4, 5))
        ```
    """
    if not 0 <= count <= len(pairs):
        raise ArgumentError(f"count must be from 0 to the {len(pairs)} pairs there are; got {count}")
    if seed < 0:
        raise ArgumentError(f"seed must not be negative; got {seed}")
    chosen = np.random.RandomState(seed).choice(len(pairs), size=count, replace=False)
    return tuple(pairs[index] for index in chosen)
