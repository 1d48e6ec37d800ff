"""Attribute tables, as CelebA has them."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import torch
from jaxtyping import Bool
from torch import Tensor

from cyclekit._registry import suggestion
from cyclekit._typed import typed
from cyclekit.data.lines import read_lines
from cyclekit.data.pictures import examples
from cyclekit.errors import DataError

Split: TypeAlias = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
"""In the order of CelebA's numbers."""


class AttributeTable(NamedTuple):
    """Which picture has which attribute.

    Attributes:
        names: File names of the pictures, a row each.
        attributes: Names of the attributes, a column each.
        values: Whether a picture has an attribute, shape (pictures, attributes).
    """

    names: tuple[str, ...]
    attributes: tuple[str, ...]
    values: Bool[Tensor, "pictures attributes"]


@typed
def read_attributes(path: str | PathLike[str], chosen: Sequence[str] | None = None) -> AttributeTable:
    r"""Read CelebA's `list_attr_celeba.txt`, or a file like it.

    Args:
        path: The file: the number of pictures, then the attributes' names, then a line a picture with its file name
            and 1 or -1 for each attribute.
        chosen: The attributes to keep, in this order; all where it is not given.

    Returns:
        The table, in the order of the file.

    Raises:
        DataError: The file is not like this, names a picture twice, or has no such attribute; the message names the
            line.
        OSError: The file cannot be read.

    Source:
        Liu et al., Deep Learning Face Attributes in the Wild (ICCV 2015), `Anno/list_attr_celeba.txt`.

    Example:
        ```python
        from pathlib import Path
        from tempfile import TemporaryDirectory
        from cyclekit.data import read_attributes

        with TemporaryDirectory() as folder:
            file = Path(folder, "list_attr.txt")
            file.write_text("2\nSmiling Young\n000001.jpg  1 -1\n000002.jpg -1 -1\n")
            table = read_attributes(file, ["Smiling"])
        assert table.values.tolist() == [[True], [False]]
        ```
    """
    path = Path(path)
    lines = read_lines(path)
    if len(lines) < 2 or not lines[0].strip().isdecimal():
        raise DataError(f"{path}, line 1: expected the number of pictures, then a line of attributes' names")
    attributes = tuple(lines[1].split())
    if not attributes or len(set(attributes)) < len(attributes):
        raise DataError(f"{path}, line 2: expected the attributes' names, each once; got {lines[1][:80]!r}")
    columns = _columns(path, attributes, chosen)
    names: dict[str, int] = {}
    rows: list[list[bool]] = []
    for number, line in enumerate(lines[2:], 3):
        if line.strip():
            name, *values = line.split()
            if len(values) != len(attributes):
                raise DataError(f"{path}, line {number}: {len(values)} values for {len(attributes)} attributes")
            if name in names:
                raise DataError(f"{path}, line {number}: {name} stands in line {names[name]} already")
            names[name] = number
            rows.append([_value(path, number, values[column]) for column in columns])
    if int(lines[0][:12]) != len(rows):
        raise DataError(f"{path} says it has {lines[0].strip()[:20]} pictures, and lists {len(rows)}")
    values = torch.tensor(rows, dtype=torch.bool).reshape(len(rows), len(columns))
    return AttributeTable(tuple(names), tuple(attributes[column] for column in columns), values)


def read_partition(path: Path, split: Split) -> frozenset[str]:
    """Return the pictures of a split, as CelebA's ``list_eval_partition.txt`` shares them out.

    Args:
        path: The file: a line a picture with its file name and 0 (train), 1 (val) or 2 (test).
        split: Which.

    Raises:
        DataError: The file is not like this, or has no picture of the split; the message names the line.
        OSError: The file cannot be read.
    """
    sides: dict[str, int] = {}
    for number, line in enumerate(read_lines(path), 1):
        if line.strip():
            name, *side = line.split()
            if side not in (["0"], ["1"], ["2"]):
                raise DataError(f"{path}, line {number}: expected a picture's name and 0, 1 or 2; got {line[:80]!r}")
            if name in sides:
                raise DataError(f"{path}, line {number}: {name} is listed already")
            sides[name] = int(side[0])
    wanted = SPLITS.index(split)
    chosen = frozenset(name for name, side in sides.items() if side == wanted)
    if not chosen:
        raise DataError(f"{path} lists {len(sides)} pictures, and none of {split}, which is {wanted}")
    return chosen


def _columns(path: Path, attributes: tuple[str, ...], chosen: Sequence[str] | None) -> list[int]:
    wanted = attributes if chosen is None else tuple(chosen)
    if not wanted or len(set(wanted)) < len(wanted):
        raise DataError(f"attributes: expected one or more, each once; got {examples(wanted) or 'none'}")
    for name in wanted:
        if name not in attributes:
            raise DataError(f"{path} has no attribute {name!r}{suggestion(name, attributes)}")
    return [attributes.index(name) for name in wanted]


def _value(path: Path, line: int, text: str) -> bool:
    if text not in ("1", "-1"):
        raise DataError(f"{path}, line {line}: expected 1 or -1; got {text[:20]!r}")
    return text == "1"
