"""Four-panel pictures, as the authors of C2GAN and GestureGAN share their data."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image as Picture
from torch import Tensor
from torch.utils.data import Dataset

from data.pictures import SUFFIXES, read_picture, to_tensor
from errors import DataError

ORDERS = ("x y Ly Lx", "x y Lx Ly")
_SQUASHED = 1.02
"""How far a panel's proportions may be from those of the training size."""


class CompositePairs(Dataset[dict[str, Tensor]]):
    """Pairs from ``folder/train`` or ``folder/test``: one picture a pair, its four panels side by side.

    Args:
        folder: Holds ``train/`` and ``test/``.
        split: Which of them.
        size: Height and width the panels are resized to.
        order: The panels' order: C2GAN's ``"x y Ly Lx"`` or GestureGAN's ``"x y Lx Ly"``.
        flip: Hold every pair a second time, all its panels mirrored left to right.

    Raises:
        DataError: A folder or its pictures are missing, the order is unknown, or a picture cannot be read or does not
            have four panels of the size's proportions. Every picture is read once, before training.

    Source:
        Composites as in the code released with C2GAN (arXiv 1908.00999) and GestureGAN (arXiv 1808.04859).
    """

    def __init__(
        self,
        folder: str | Path,
        split: str,
        size: tuple[int, int],
        *,
        order: str = ORDERS[0],
        flip: bool = False,
    ) -> None:
        folder = Path(folder)
        if order not in ORDERS:
            raise DataError(f"the order of panels is one of {', '.join(map(repr, ORDERS))}, got {order!r}")
        if not folder.is_dir():
            raise DataError(f"{folder}: no such folder")
        if not (folder / split).is_dir():
            raise DataError(f"{folder} has no folder {split!r}: it must hold train/ and test/ with four-panel pictures")
        found = sorted((folder / split).iterdir())
        self.files = [f for f in found if f.suffix.lower() in SUFFIXES and not f.name.startswith(".")]
        self.left_out = [f for f in found if f not in set(self.files)]
        if not self.files:
            raise DataError(f"{folder / split} holds no pictures ({', '.join(SUFFIXES)})")
        self.names = order.split()
        self.size = size
        self.flip = flip
        with ThreadPoolExecutor() as threads:
            for _ in threads.map(self._panels, self.files):
                pass

    def __str__(self) -> str:
        """Return how many pairs there are, and what else lies in the folder."""
        mirrored = f", {len(self)} with their mirror images" if self.flip else ""
        others = [path.name for path in self.left_out]
        shown = ", ".join(others[:3]) + (", ..." if len(others) > 3 else "")
        rest = f"; left out {len(others)} that are no pictures: {shown}" if others else ""
        return f"{self.files[0].parent}: {len(self.files)} pairs{mirrored}{rest}"

    def __len__(self) -> int:
        """Return the number of pairs, mirrored ones included."""
        return len(self.files) * (2 if self.flip else 1)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Return ``x``, ``y``, ``Lx`` and ``Ly``, each (3, height, width) in [-1, 1]."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        pair = self._read(self.files[index % len(self.files)])
        return {name: value.flip(-1) for name, value in pair.items()} if index >= len(self.files) else pair

    def _panels(self, file: Path) -> list[Picture.Image]:
        """Return a picture's four panels, once they are known to be four."""
        full, (height, width) = read_picture(file), self.size
        panel = full.width // 4
        unlike = max(panel / full.height / (width / height), full.height / max(panel, 1) / (height / width))
        if full.width % 4 or panel < 2 or unlike > _SQUASHED:
            raise DataError(
                f"{file} has {full.width}x{full.height} pixels, width by height: not four panels side by side of the "
                f"proportions of --size {height} {width}; choose a size of the panels' proportions, such as "
                f"{full.height} {panel}"
            )
        # Cropped before they are resized, so that no panel bleeds into its neighbour.
        return [full.crop((place * panel, 0, (place + 1) * panel, full.height)) for place in range(4)]

    def _read(self, file: Path) -> dict[str, Tensor]:
        panels = zip(self.names, self._panels(file), strict=True)
        return {name: to_tensor(panel, self.size) for name, panel in panels}
