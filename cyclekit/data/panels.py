"""Pictures that hold several signals side by side, as pix2pix, C2GAN and GestureGAN share their data."""

from collections.abc import Mapping
from math import prod
from os import PathLike
from pathlib import Path

from PIL import Image as Picture
from torch import Tensor

from cyclekit._typed import typed
from cyclekit.data.dataset import Index, SignalDataset
from cyclekit.data.folders import check_index, only, signal_domains
from cyclekit.data.pictures import check_all, examples, find_pictures, read_picture
from cyclekit.data.reader import Fit, Reader
from cyclekit.errors import DataError
from cyclekit.graph import Domain

_LONGEST = 3
"""How often as long as short a panel may be; what is longer is a strip of a picture without panels."""


class Panels(SignalDataset):
    """A folder of pictures, each with the panels of one sample side by side, all as wide.

    Args:
        folder: Holds the pictures.
        order: The signals from left to right: ``"x y"`` or ``"y x"`` for pix2pix's pictures, ``"x y Ly Lx"`` for
            C2GAN's, ``"x y Lx Ly"`` for GestureGAN's.
        size: Height and width that panels are brought to; as they are, all of one size, where it is not given.
        fit: What happens to panels of other proportions: ``"exact"`` refuses them, ``"crop"`` cuts what stands out,
            ``"squash"`` squashes them.
        domains: What each signal is; ``Image(3)`` where it is not given. Panels of dots or sticks are ``Landmarks()``.
        check: Read every picture once, now, so that a broken one is named before training.

    Raises:
        DataError: The folder or its pictures are missing, a signal is named twice, a picture cannot be read, does
            not have as many panels, or panels that do not fit the size, or that would be strips: more than three
            times as high as wide, or as wide as high, where the size is not.

    Source:
        Composites as in the code released with pix2pix (arXiv 1611.07004), C2GAN (arXiv 1908.00999) and GestureGAN
        (arXiv 1808.04859).

    Example:
        ```python
        from pathlib import Path
        from tempfile import TemporaryDirectory
        from PIL import Image
        from cyclekit.data import Panels

        with TemporaryDirectory() as folder:
            Image.new("RGB", (128, 64)).save(Path(folder, "1.jpg"))
            data = Panels(folder, "y x")
            assert data[0]["x"].shape == (3, 64, 64)
        ```
    """

    @typed
    def __init__(
        self,
        folder: str | PathLike[str],
        order: str,
        *,
        size: tuple[int, int] | None = None,
        fit: Fit = "exact",
        domains: Mapping[str, Domain] | None = None,
        check: bool = True,
    ) -> None:
        names = order.split()
        if len(set(names)) < len(names) or len(names) < 2:
            raise DataError(f"the order of panels names two signals or more, each once, such as 'x y'; got {order!r}")
        self.signals = signal_domains(dict.fromkeys(names), domains)
        self.files, self.left_out = find_pictures(folder)
        self._size = size
        if size is None:
            first = self._cut(self.files[0])[names[0]]
            self._readers = {n: Reader(d, (first.height, first.width), "same") for n, d in self.signals.items()}
        else:
            self._readers = {name: Reader(domain, size, fit) for name, domain in self.signals.items()}
        self._seen = sorted(set(check_all(self.files, self._check)), key=prod) if check else []
        """Widths and heights of the panels, the smallest first, where they were looked at."""

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.files)

    def __getitem__(self, index: Index) -> dict[str, Tensor]:
        """Return the panels of one picture."""
        number = only(index)
        check_index(number, len(self))
        file = self.files[number]
        panels = self._cut(file)
        return {n: reader.tensor(panels[n], self._title(n, file)) for n, reader in self._readers.items()}

    def __str__(self) -> str:
        """Return how many pictures there are, how large their panels, and what else lies in the folder."""
        others = examples(path.name for path in self.left_out)
        rest = f"; left out {len(self.left_out)} that are no pictures: {others}" if self.left_out else ""
        panels = f"{' '.join(self.signals)}{self._sizes()}"
        return f"{self.files[0].parent}: {len(self)} pictures of the panels {panels}{rest}"

    def _sizes(self) -> str:
        """Return how large the panels are, and what becomes of other proportions than the size's."""
        if not self._seen:
            return ""
        ends = dict.fromkeys((self._seen[0], self._seen[-1]))
        said = f", {' to '.join(f'{width}x{height}' for width, height in ends)} pixels each, width by height"
        reader = next(iter(self._readers.values()))
        if all(reader.fits(*seen) for seen in self._seen):
            return said
        rows, columns = reader.size
        return f"{said}, {'cut' if reader.fit == 'crop' else 'squashed'} to {columns}x{rows}"

    def _check(self, file: Path) -> tuple[int, int]:
        """Look at a picture's panels, and return their width and height."""
        panels = self._cut(file)
        for name, reader in self._readers.items():
            reader.check_picture(panels[name], self._title(name, file))
        return next(iter(panels.values())).size

    def _title(self, name: str, file: Path) -> str:
        """Return what a panel is called where it is wrong."""
        return f"panel {name!r}, one of {len(self.signals)} side by side in {file},"

    def _cut(self, file: Path) -> dict[str, Picture.Image]:
        return cut_panels(file, tuple(self.signals), self._size)


def cut_panels(file: Path, names: tuple[str, ...], size: tuple[int, int] | None = None) -> dict[str, Picture.Image]:
    """Return a picture's panels, cut before they are resized, so that none bleeds into its neighbour.

    Args:
        file: The picture.
        names: The panels, from left to right; one is the whole picture, of any proportions.
        size: Height and width that they are to have: panels that are long where it is long, too, are meant so.

    Raises:
        DataError: The picture cannot be read, does not have as many panels, or they would be strips.
    """
    full, count = read_picture(file), len(names)
    width, height = full.width // count, full.height
    has = f"{file} has {full.width}x{full.height} pixels, width by height"
    panels = f"{count} panels side by side ({' '.join(names)})"
    if full.width % count or width < 1:
        raise DataError(f"{has}: not {panels}")
    rows, columns = size or (1, 1)
    for ratio, wanted, shape in (
        (height / width, rows / columns, "high as wide"),
        (width / height, columns / rows, "wide as high"),
    ):
        if ratio > _LONGEST >= wanted and count > 1:
            raise DataError(
                f"{has}: {panels} would have {width}x{height} each, more than {_LONGEST} times as {shape}; give "
                f"pictures that hold {count} panels side by side, {count * height}x{height} where they are square, or, "
                "if these are meant, a size of their proportions"
            )
    return {name: full.crop((place * width, 0, (place + 1) * width, height)) for place, name in enumerate(names)}
