"""Four-panel pictures, as the authors of C2GAN and GestureGAN share their data."""

from pathlib import Path

from torch import Tensor

from cyclekit import Landmarks
from cyclekit.data import DataError, Panels, SignalDataset

COPY = "_lr"
ORDERS = ("x y Ly Lx", "x y Lx Ly")


class CompositePairs(SignalDataset):
    """Pairs from ``folder/train`` or ``folder/test``: one picture a pair, its four panels side by side.

    Args:
        folder: Holds ``train/`` and ``test/``.
        split: Which of them.
        size: Height and width the panels are resized to.
        order: The panels' order: C2GAN's ``"x y Ly Lx"`` or GestureGAN's ``"x y Lx Ly"``.
        flip: Hold every pair a second time, all its panels mirrored left to right; but those that are mirror images
            themselves, by names that end in ``_lr``, and those that such files stand beside.

    Raises:
        DataError: A folder or its pictures are missing, the order is unknown, or a picture cannot be read or does not
            have four panels of the size's proportions. Every picture is read once, before training.
    """

    def __init__(
        self, folder: str | Path, split: str, size: tuple[int, int], *, order: str = ORDERS[0], flip: bool = False
    ) -> None:
        folder = Path(folder)
        if order not in ORDERS:
            raise DataError(f"the order of panels is one of {', '.join(map(repr, ORDERS))}, got {order!r}")
        if folder.is_dir() and not (folder / split).is_dir():
            raise DataError(f"{folder} has no folder {split!r}: it must hold train/ and test/ with four-panel pictures")
        dots = {name: Landmarks(3) for name in ("Lx", "Ly")}
        self.panels = Panels(folder / split if folder.is_dir() else folder, order, size=size, domains=dots)
        self.signals = self.panels.signals
        stems = {file.stem for file in self.panels.files}
        self.mirrored = [
            number
            for number, file in enumerate(self.panels.files)
            if flip and not file.stem.endswith(COPY) and file.stem + COPY not in stems
        ]
        """Those to be mirrored: neither mirror images, nor accompanied by theirs."""

    def __str__(self) -> str:
        """Return how many pairs there are, and what else lies in the folder."""
        copies = sum(file.stem.endswith(COPY) for file in self.panels.files)
        said = f"; {copies} of them mirror images ({COPY})" if copies else ""
        return f"{self.panels}{said}" + (f"; {len(self)} with the mirror images of the others" if self.mirrored else "")

    def __len__(self) -> int:
        """Return the number of pairs, mirrored ones included."""
        return len(self.panels) + len(self.mirrored)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Return ``x``, ``y``, ``Lx`` and ``Ly``, each (3, height, width) in [-1, 1]."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        mirrored, number = self._place(index)
        pair = {name: panel.float() / 127.5 - 1 for name, panel in self.panels[number].items()}
        return {name: value.flip(-1) for name, value in pair.items()} if mirrored else pair

    def file_of(self, index: int) -> Path:
        """Return the file of a pair."""
        return self.panels.files[self._place(index)[1]]

    def _place(self, index: int) -> tuple[bool, int]:
        """Return whether a pair is a mirror image that is made here, and of which picture."""
        mirrored = index >= len(self.panels)
        return mirrored, self.mirrored[index - len(self.panels)] if mirrored else index
