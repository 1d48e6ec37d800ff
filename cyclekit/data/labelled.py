"""Pictures with labels, and a second label to turn them into, as StarGAN trains on."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import torch
from torch import Tensor

from cyclekit._typed import typed
from cyclekit.data.attributes import Split, read_attributes, read_partition
from cyclekit.data.dataset import Index, SignalDataset
from cyclekit.data.folders import check_index, open_readers
from cyclekit.data.pictures import examples, find_pictures
from cyclekit.data.reader import Fit
from cyclekit.errors import DataError
from cyclekit.graph import Domain, Image, Label, Vector


class LabelledFolder(SignalDataset):
    """Pictures, what each is, and what it shall become: ``x``, its label ``c0``, and ``c``, another picture's label.

    Without a table, the folder holds a folder a class, and labels are classes, ``Label(n)``. With one, it holds the
    pictures, and labels are the chosen attributes, ``Vector(n)`` of 0 and 1, of which any may hold at once; or, where
    exactly one of them holds (hair of one colour), classes again: ``exclusive=True``.

    The label to turn a picture into is drawn as StarGAN draws it, from the labels of the data: an index is two numbers,
    one of the picture and one of the picture that lends its label, each in an order of its own. A single number ``i``
    takes the label half the data further.

    Args:
        folder: Holds a folder a class, or with a table the pictures.
        table: A file like CelebA's ``list_attr_celeba.txt``.
        attributes: Those of the table to train on.
        exclusive: Leave out pictures that have none or several of the attributes, and make them classes.
        partition: A file like CelebA's ``list_eval_partition.txt``, which shares the table's pictures out.
        split: Which of its pictures are taken: ``"train"``, ``"val"`` or ``"test"``.
        size: Height and width that pictures are brought to; as they are, all of one size, where it is not given.
        fit: What happens to pictures of other proportions: ``"exact"`` refuses them, ``"crop"`` cuts what stands
            out (CelebA's 178x218 to a square), ``"squash"`` squashes them.
        names: What picture, own label and wanted label are called in the graph.
        domain: What the pictures are.
        check: Read every picture once, now, so that a broken one is named before training.

    Raises:
        DataError: A folder or its pictures are missing, there is just one class, an attribute is not in the table,
            no picture is in the table, or a picture cannot be read or does not fit the size.

    Source:
        Choi et al., StarGAN (arXiv 1711.09020), https://github.com/yunjey/stargan, `solver.py`.

    Example:
        ```python
        from pathlib import Path
        from tempfile import TemporaryDirectory
        from PIL import Image
        from cyclekit.data import LabelledFolder, SignalLoader

        with TemporaryDirectory() as root:
            for name in ("cats", "dogs"):
                Path(root, name).mkdir()
                Image.new("RGB", (32, 32)).save(Path(root, name, "1.png"))
            data = LabelledFolder(root)
            batch = next(SignalLoader(data, batch_size=2).batches())
        assert data.classes == ("cats", "dogs")
        assert sorted(batch["c0"].tolist()) == [0, 1]
        ```
    """

    @typed
    def __init__(
        self,
        folder: str | PathLike[str],
        *,
        table: str | PathLike[str] | None = None,
        attributes: Sequence[str] | None = None,
        exclusive: bool = False,
        partition: str | PathLike[str] | None = None,
        split: Split | None = None,
        size: tuple[int, int] | None = None,
        fit: Fit = "exact",
        names: tuple[str, str, str] = ("x", "c0", "c"),
        domain: Domain | None = None,
        check: bool = True,
    ) -> None:
        if len(set(names)) < 3:
            raise DataError(f"names are three signals, of picture, own and wanted label; got {names}")
        if table is None and (attributes is not None or exclusive):
            raise DataError("attributes and exclusive choose from a table: say table=...")
        if (partition is None) != (split is None) or (partition is not None and table is None):
            raise DataError("partition=..., split=... and the table that they share out are said together")
        folder = Path(folder)
        self.left_out: tuple[Path, ...] = ()
        """Pictures that the table does not list, or of which not exactly one attribute holds."""
        if table is None:
            self.files, self.labels, self.classes, self._others = _of_folders(folder)
        else:
            found = find_pictures(folder)
            listed = None if partition is None or split is None else read_partition(Path(partition), split)
            pictures = tuple(path for path in found.pictures if listed is None or path.name in listed)
            elsewhere = len(found.pictures) - len(pictures)
            self._others = [f"{elsewhere} pictures that are not of {split}"] if elsewhere else []
            self._others += [found.others] if found.others else []
            if not pictures:
                raise DataError(f"{folder} holds no picture that {partition} has in {split}")
            self.files, self.labels, self.classes, self.left_out = _of_table(pictures, table, attributes, exclusive)
        self.names = names
        picture = Image(3) if domain is None else domain
        label = Label(len(self.classes)) if self.labels.ndim == 1 else Vector(len(self.classes))
        self.signals = dict(zip(names, (picture, label, label), strict=True))
        (self._reader,) = open_readers({names[0]: picture}, {names[0]: self.files}, size, fit, check).values()

    @property
    def lengths(self) -> tuple[int, ...]:
        """The number of pictures, and of labels to turn them into."""
        return len(self.files), len(self.files)

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.files)

    def __getitem__(self, index: Index) -> dict[str, Tensor]:
        """Return a picture, its label, and another picture's."""
        if isinstance(index, int):
            index = (index, (index + len(self) // 2) % len(self))
        picture, lender = index
        check_index(picture, len(self))
        values = self._reader.read(self.files[picture]), self.labels[picture], self.labels[lender]
        return dict(zip(self.names, values, strict=True))

    def __str__(self) -> str:
        """Return how many pictures there are of each class, and what is left out."""
        counts = self.labels.sum(0) if self.labels.ndim == 2 else self.labels.bincount(minlength=len(self.classes))
        each = ", ".join(f"{count} {name}" for name, count in zip(self.classes, counts.long().tolist(), strict=True))
        alone = examples(path.name for path in self.left_out)
        rest = [f"{len(self.left_out)} pictures ({alone})"] if self.left_out else []
        rest += self._others
        return f"{len(self)} pictures: {each}" + (f"; left out: {', '.join(rest)}" if rest else "")


def _of_folders(folder: Path) -> tuple[tuple[Path, ...], Tensor, tuple[str, ...], list[str]]:
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    classes = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if len(classes) < 2:
        raise DataError(
            f"{folder} holds {len(classes) or 'no'} folder{'s'[: len(classes) != 1]}, and labels need two or more, "
            "one a class; or give the table of attributes, table=..."
        )
    found = [find_pictures(path) for path in classes]
    labels = torch.tensor([label for label, part in enumerate(found) for _ in part.pictures])
    others = [f"{part.others} in {path.name}" for part, path in zip(found, classes, strict=True) if part.others]
    files = tuple(file for part in found for file in part.pictures)
    return files, labels, tuple(path.name for path in classes), others


def _of_table(
    pictures: tuple[Path, ...], table: str | PathLike[str], attributes: Sequence[str] | None, exclusive: bool
) -> tuple[tuple[Path, ...], Tensor, tuple[str, ...], tuple[Path, ...]]:
    names, chosen, values = read_attributes(table, attributes)
    rows = {name: row for row, name in enumerate(names)}
    folder = pictures[0].parent
    files = tuple(path for path in pictures if path.name in rows)
    if not files:
        raise DataError(
            f"no picture of {folder} stands in {table}: it lists {examples(names) or 'none'}, and the folder holds "
            f"{examples(path.name for path in pictures)}"
        )
    values = values[[rows[path.name] for path in files]]
    if exclusive:
        if len(chosen) < 2:
            raise DataError(f"exclusive attributes are two or more; got {examples(chosen)}")
        single = values.sum(1) == 1
        if not single.any():
            raise DataError(f"no picture of {folder} has exactly one of {', '.join(chosen)}")
        files = tuple(path for path, alone in zip(files, single.tolist(), strict=True) if alone)
        values = values[single]
    kept = set(files)
    left_out = tuple(path for path in pictures if path not in kept)
    labels = values.long().argmax(1) if exclusive else values.float()
    return files, labels, chosen, left_out
