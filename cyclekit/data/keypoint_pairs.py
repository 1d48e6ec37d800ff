"""Pictures with keypoints, in pairs of one person: points now, drawn on the device when a batch is made."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import torch
from torch import Tensor

from cyclekit._typed import typed
from cyclekit.data.dataset import Index, SignalDataset
from cyclekit.data.folders import check_index, only, open_readers
from cyclekit.data.lines import read_lines
from cyclekit.data.pictures import SUFFIXES, check_all, examples, read_picture
from cyclekit.data.pose_drawing import Drawing
from cyclekit.data.reader import Fit, Reader
from cyclekit.errors import DataError
from cyclekit.graph import Domain, Image
from cyclekit.keypoints import OPENPOSE_18, Annotations, limb_radius


class KeypointPairs(SignalDataset):
    """Pairs of pictures with the keypoints of each: ``x``, ``y``, ``Lx`` and ``Ly``, as C2GAN and PG2 train on.

    Keypoints stay points until a whole batch is on the device, and are drawn there at the size that is trained: no
    cached maps, and no dots that a resize thins out. Crops and mirror images move them with their picture, and left
    and right joints trade places. A joint outside its picture is missing; `outside` counts those of pictures that
    were checked.

    Args:
        images: The folder of the pictures; those in folders inside it are named by their path from here.
        annotations: Keypoints by picture, in pixels of the picture, as the readers of `cyclekit.keypoints` give them.
        pairs: Rows of the annotations, (from, to); all ordered pairs where it is not given. `market_pairs` makes
            those of Market-1501, `read_pairs` reads a file of them.
        drawing: How keypoints become ``Lx`` and ``Ly``.
        mask: Name of a signal that is the body's region in ``y``, for losses that weigh it; its limbs have PG2's
            radius, 4 pixels at a height of 128, and without ``size`` 4 pixels.
        size: Height and width that pictures are brought to; as they are, all of one size, where it is not given.
        fit: What happens to pictures of other proportions: ``"exact"`` refuses them, ``"crop"`` cuts what stands
            out, ``"squash"`` squashes them.
        names: What both pictures and both keypoints are called in the graph.
        check: Read every picture once, now, so that a broken one is named before training.

    Raises:
        DataError: A picture is absent, cannot be read or does not fit the size; a pair names a row that is not there;
            a picture of a pair has no joint at all or none inside, or, without ``pairs``, several rows; names and rows
            differ in number; or the annotations are not of the drawing's skeleton.

    Source:
        Siarohin et al., Deformable GANs (arXiv 1801.00055), https://github.com/AliaksandrSiarohin/pose-gan.

    Example:
        ```python
        from pathlib import Path
        from tempfile import TemporaryDirectory
        import torch
        from PIL import Image
        from cyclekit.data import KeypointPairs, SignalLoader
        from cyclekit.keypoints import Annotations, Keypoints

        names = ("0002_c1.jpg", "0002_c2.jpg")
        keypoints = Keypoints(torch.rand(2, 18, 2) * 60, torch.ones(2, 18, dtype=torch.bool))
        with TemporaryDirectory() as folder:
            for name in names:
                Image.new("RGB", (64, 128)).save(Path(folder, name))
            data = KeypointPairs(folder, Annotations(names, keypoints), mask="M")
            batch = next(SignalLoader(data, batch_size=2).batches())
        assert batch["Ly"].shape == (2, 18, 128, 64)
        assert batch["M"].shape == (2, 1, 128, 64)
        ```
    """

    @typed
    def __init__(
        self,
        images: str | PathLike[str],
        annotations: Annotations,
        pairs: Sequence[tuple[int, int]] | None = None,
        *,
        drawing: Drawing | None = None,
        mask: str | None = None,
        size: tuple[int, int] | None = None,
        fit: Fit = "exact",
        names: tuple[str, str, str, str] = ("x", "y", "Lx", "Ly"),
        check: bool = True,
    ) -> None:
        drawing = Drawing(OPENPOSE_18) if drawing is None else drawing
        drawings = {names[2]: drawing, names[3]: drawing}
        if mask is not None:
            drawings[mask] = Drawing(drawing.skeleton, "mask", size and limb_radius(size[0]))
        if len({*names, *drawings}) < 4 + (mask is not None):
            raise DataError(f"names are signals, each once; got {', '.join(names)}{f', {mask}' if mask else ''}")
        self.names = names
        self.mask = mask
        self.drawings = drawings
        drawn: dict[str, Domain] = {name: drawing.domain for name, drawing in drawings.items()}
        self.signals = {names[0]: Image(3), names[1]: Image(3), **drawn}
        points, visible = annotations.keypoints
        if points.shape[1] != len(drawing.skeleton):
            raise DataError(
                f"the annotations have {points.shape[1]} joints, and {drawing.skeleton.name} has "
                f"{len(drawing.skeleton)}: draw with the skeleton that was annotated"
            )
        if len(annotations.names) != len(points):
            raise DataError(f"the annotations have {len(annotations.names)} names and {len(points)} rows of keypoints")
        self.points = torch.cat((points, visible[..., None].to(points.dtype)), -1)
        self.pairs = _all_pairs(len(points)) if pairs is None else _checked_pairs(pairs, len(points))
        used = self.pairs.unique().tolist()
        there = _pictures_of(Path(images), annotations.names)
        self.images = Path(images)
        """The folder of the pictures."""
        self.files = _files(self.images, there, annotations.names, used)
        empty = [annotations.names[row] for row in used if not bool(visible[row].any())]
        if empty:
            raise DataError(
                f"{len(empty)} pictures of the pairs have no joint at all: {examples(empty)}; leave their pairs out, "
                "as market_pairs does"
            )
        repeated = len(used) - len({self.files[row] for row in used})
        if pairs is None and repeated:
            raise DataError(
                f"{repeated} of {len(used)} rows are of a picture that has a row already, and all pairs would pair it "
                "with itself: keep one row a picture, or give pairs"
            )
        pictures = {names[0]: tuple(dict.fromkeys(self.files.values()))}
        self._reader = open_readers({names[0]: Image(3)}, pictures, size, fit, check=False)[names[0]]
        sizes = _checked_sizes(pictures[names[0]], self._reader) if check else {}
        inside = {row: _within(self.points[row], *sizes[file]) for row, file in self.files.items() if file in sizes}
        if away := [annotations.names[row] for row, points in inside.items() if not bool(points[:, 2].any())]:
            raise DataError(
                f"{len(away)} pictures of the pairs have all their joints outside: {examples(away)}; the annotations "
                "are in pixels of pictures of another size"
            )
        self.outside = sum(int((self.points[row] - points)[:, 2].sum()) for row, points in inside.items())
        """How many joints lie outside their pictures, where those were checked."""
        self._unused = len(set(there) - set(self.files.values()))

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.pairs)

    def __getitem__(self, index: Index) -> dict[str, Tensor]:
        """Return both pictures, and the keypoints of both as (joints, 3): x, y, and whether the joint is there."""
        number = only(index)
        check_index(number, len(self))
        (x, Lx), (y, Ly) = (self._read(row) for row in self.pairs[number].tolist())
        sample = dict(zip(self.names, (x, y, Lx, Ly), strict=True))
        return sample if self.mask is None else sample | {self.mask: Ly}

    def __str__(self) -> str:
        """Return how many pairs there are, of how many pictures, and what is left out."""
        unused = f"; left out: {self._unused:,} pictures of no pair" if self._unused else ""
        outside = f"; {self.outside:,} joints outside their pictures are missing" if self.outside else ""
        return f"{len(self):,} pairs of {len(self.files):,} pictures in {self.images}{unused}{outside}"

    def _read(self, row: int) -> tuple[Tensor, Tensor]:
        picture = read_picture(self.files[row])
        across, down, right, low = self._reader.place(*picture.size)
        moved = _within(self.points[row], *picture.size) * torch.tensor([across, down, 1.0]) + torch.tensor(
            [right, low, 0.0]
        )
        return self._reader.tensor(picture, self.files[row]), moved


@typed
def read_pairs(path: str | PathLike[str], annotations: Annotations) -> tuple[tuple[int, int], ...]:
    r"""Read a file of pairs, as PoseGAN and its successors share them.

    Args:
        path: The file, with the header `from,to` and two image names in each row.
        annotations: Where the names stand.

    Returns:
        Rows of the annotations, (from, to), in file order.

    Raises:
        DataError: The file is not like this, or a name is not annotated or annotated twice; the message names the line.
        OSError: The file cannot be read.

    Source:
        https://github.com/AliaksandrSiarohin/pose-gan, its `market-pairs-*.csv`.

    Example:
        ```python
        from pathlib import Path
        from tempfile import TemporaryDirectory
        import torch
        from cyclekit.data import read_pairs
        from cyclekit.keypoints import Annotations, Keypoints

        points = Keypoints(torch.zeros(2, 18, 2), torch.ones(2, 18, dtype=torch.bool))
        with TemporaryDirectory() as folder:
            Path(folder, "pairs.csv").write_text("from,to\nb.jpg,a.jpg\n")
            assert read_pairs(Path(folder, "pairs.csv"), Annotations(("a.jpg", "b.jpg"), points)) == ((1, 0),)
        ```
    """
    path = Path(path)
    lines = read_lines(path)
    if not lines or lines[0].strip() != "from,to":
        raise DataError(f"{path}, line 1: expected the header from,to; got {lines[0][:80] if lines else ''!r}")
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(annotations.names):
        rows.setdefault(name, []).append(row)
    pairs: list[tuple[int, int]] = []
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        names = [name.strip() for name in line.split(",")]
        if len(names) != 2:
            raise DataError(f"{path}, line {number}: expected two names, from,to; got {line[:80]!r}")
        found = [rows.get(name, []) for name in names]
        for name, there in zip(names, found, strict=True):
            if len(there) != 1:
                said = "is not annotated" if not there else "has several rows in the annotations"
                raise DataError(f"{path}, line {number}: {name[:80]!r} {said}; the annotations are of another set")
        pairs.append((found[0][0], found[1][0]))
    if not pairs:
        raise DataError(f"{path} holds no pairs")
    return tuple(pairs)


def _all_pairs(count: int) -> Tensor:
    if count < 2:
        raise DataError(f"pairs are made of two annotated pictures or more; got {count}")
    rows = torch.arange(count)
    pairs = torch.cartesian_prod(rows, rows)
    return pairs[pairs[:, 0] != pairs[:, 1]]


def _checked_pairs(pairs: Sequence[tuple[int, int]], count: int) -> Tensor:
    table = torch.tensor(list(pairs)).reshape(-1, 2)
    if not len(table):
        raise DataError("there are no pairs")
    wrong = ((table < 0) | (table >= count)).any(1)
    if wrong.any():
        first = tuple(table[wrong][0].tolist())
        raise DataError(f"the pair {first} names a row that is not there: the annotations have {count}, from 0")
    return table


def _within(points: Tensor, width: int, height: int) -> Tensor:
    """Return (joints, 3) points of which those outside a picture are missing."""
    inside = (points[:, :2] >= -0.5) & (points[:, :2] <= torch.tensor([width - 0.5, height - 0.5]))
    return torch.cat((points[:, :2], points[:, 2:] * inside.all(1, keepdim=True)), 1)


def _checked_sizes(files: Sequence[Path], reader: Reader) -> dict[Path, tuple[int, int]]:
    """Read every picture once; return their widths and heights."""
    sizes: dict[Path, tuple[int, int]] = {}

    def look(path: Path) -> None:
        picture = read_picture(path)
        reader.check_picture(picture, path)
        sizes[path] = picture.size

    check_all(files, look)
    return sizes


def _pictures_of(folder: Path, names: Sequence[str]) -> list[Path]:
    """List the pictures of a folder, and of those inside it that names lead to."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    parents = {Path(), *(Path(name).parent for name in names)}
    places = [folder / parent for parent in parents if not parent.is_absolute() and ".." not in parent.parts]
    inside = [path for place in places if place.is_dir() for path in place.iterdir()]
    return sorted(path for path in inside if path.suffix.lower() in SUFFIXES)


def _files(folder: Path, pictures: Sequence[Path], names: Sequence[str], used: Sequence[int]) -> dict[int, Path]:
    """Find the picture of every row that is used; a name without an ending may have any picture's."""
    there = {path.relative_to(folder).as_posix(): path for path in pictures}
    stems = {path.relative_to(folder).with_suffix("").as_posix(): path for path in pictures}
    found = {row: there.get(names[row]) or stems.get(names[row]) for row in used}
    absent = [names[row] for row, path in found.items() if path is None]
    if absent:
        raise DataError(
            f"{len(absent)} of {len(used)} annotated pictures are not in {folder}: {examples(absent)}; it holds "
            f"{examples(sorted(there)) or 'no pictures'}"
        )
    return {row: path for row, path in found.items() if path is not None}
