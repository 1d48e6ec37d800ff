"""Pictures that hold several signals side by side, as pix2pix, C2GAN and GestureGAN share their data."""

from collections.abc import Mapping
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
            not have as many panels, or panels that do not fit the size.

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
        if size is None:
            first = self._cut(self.files[0])[0]
            self._readers = {n: Reader(d, (first.height, first.width), "same") for n, d in self.signals.items()}
        else:
            self._readers = {name: Reader(domain, size, fit) for name, domain in self.signals.items()}
        if check:
            check_all(self.files, self._check)

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.files)

    def __getitem__(self, index: Index) -> dict[str, Tensor]:
        """Return the panels of one picture."""
        number = only(index)
        check_index(number, len(self))
        file = self.files[number]
        panels = zip(self._readers.items(), self._cut(file), strict=True)
        return {name: reader.tensor(panel, file) for (name, reader), panel in panels}

    def __str__(self) -> str:
        """Return how many pictures there are, and what else lies in the folder."""
        others = examples(path.name for path in self.left_out)
        rest = f"; left out {len(self.left_out)} that are no pictures: {others}" if self.left_out else ""
        return f"{self.files[0].parent}: {len(self)} pictures of the panels {' '.join(self.signals)}{rest}"

    def _check(self, file: Path) -> None:
        for reader, panel in zip(self._readers.values(), self._cut(file), strict=True):
            reader.check_picture(panel, file)

    def _cut(self, file: Path) -> list[Picture.Image]:
        """Return a picture's panels, cut before they are resized, so that none bleeds into its neighbour."""
        full, count = read_picture(file), len(self.signals)
        width = full.width // count
        if full.width % count or width < 1:
            raise DataError(
                f"{file} has {full.width}x{full.height} pixels, width by height: not {count} panels side by side "
                f"({' '.join(self.signals)})"
            )
        return [full.crop((place * width, 0, (place + 1) * width, full.height)) for place in range(count)]
