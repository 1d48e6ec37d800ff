"""Four-panel pictures, as the authors of C2GAN and GestureGAN share their data."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image as Picture
from torch import Tensor
from torch.utils.data import Dataset

from errors import DataError

ORDERS = ("x y Ly Lx", "x y Lx Ly")
SUFFIXES = (".png", ".jpg", ".jpeg")


class CompositePairs(Dataset[dict[str, Tensor]]):
    """Pairs from ``folder/train`` or ``folder/test``: one picture a pair, its four panels side by side.

    Args:
        folder: Holds ``train/`` and ``test/``.
        split: Which of them.
        size: Height and width the panels are resized to.
        order: The panels' order: C2GAN's ``"x y Ly Lx"`` or GestureGAN's ``"x y Lx Ly"``.
        flip: Hold every pair a second time, all its panels mirrored left to right.

    Raises:
        DataError: A folder or its pictures are missing, the order is unknown, or, when it is read, a picture
            cannot be read or does not have four panels.

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
        self.files = sorted(f for f in (folder / split).iterdir() if f.suffix.lower() in SUFFIXES)
        if not self.files:
            raise DataError(f"{folder / split} holds no pictures ({', '.join(SUFFIXES)})")
        self.names = order.split()
        self.size = size
        self.flip = flip
        for file in self.files:
            self._check(file)

    def __len__(self) -> int:
        """Return the number of pairs, mirrored ones included."""
        return len(self.files) * (2 if self.flip else 1)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Return ``x``, ``y``, ``Lx`` and ``Ly``, each (3, height, width) in [-1, 1]."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        pair = self._read(self.files[index % len(self.files)])
        return {name: value.flip(-1) for name, value in pair.items()} if index >= len(self.files) else pair

    def _check(self, file: Path) -> None:
        """Look at a picture's header, so that a broken one is found before training and not in the middle."""
        try:
            with Picture.open(file) as picture:
                width = picture.width
                picture.verify()
        except (OSError, SyntaxError) as error:
            raise DataError(f"{file} cannot be read as a picture: {error}") from error
        if width % 4 or width // 4 < 2:
            raise DataError(f"{file} is {width} pixels wide, which is not four panels side by side")

    def _read(self, file: Path) -> dict[str, Tensor]:
        height, width = self.size
        try:
            with Picture.open(file) as picture:
                full = picture.convert("RGB")
        except OSError as error:
            raise DataError(f"{file} cannot be read as a picture: {error}") from error
        panel = full.width // 4
        pair: dict[str, Tensor] = {}
        for position, name in enumerate(self.names):
            box = (position * panel, 0, (position + 1) * panel, full.height)
            # Cropped before it is resized, so that no panel bleeds into its neighbour.
            part = full.crop(box).resize((width, height), Picture.Resampling.BICUBIC)
            pair[name] = torch.from_numpy(np.array(part)).permute(2, 0, 1).float() / 127.5 - 1
        return pair
