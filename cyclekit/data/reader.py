"""From a picture to a signal's tensor, as the signal's domain asks."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import UInt8
from PIL import Image as Picture
from torch import Tensor

from cyclekit._typed import typed
from cyclekit.data.pictures import has_alpha, in_colour, in_grey, read_picture
from cyclekit.errors import DataError
from cyclekit.graph import Classes, Domain, Image, Landmarks, Mask

Fit: TypeAlias = Literal["exact", "crop", "squash"]
"""How a picture comes to a size of other proportions: not at all, cut at both ends, or squashed."""

_SQUASHED = 1.02
"""How far a picture's proportions may be from those of the size it is brought to."""


@dataclass(frozen=True)
class Reader:
    """Reads pictures as one domain wants them.

    Args:
        domain: What the signal is.
        size: Height and width that pictures are brought to.
        fit: What happens to other proportions; ``"same"``: pictures have the size already.
    """

    domain: Domain
    size: tuple[int, int]
    fit: Fit | Literal["same"] = "exact"

    def __post_init__(self) -> None:
        if min(self.size) < 1:
            raise DataError(f"size is (height, width), each at least 1; got {self.size}")
        channels = self.domain.channels
        if isinstance(self.domain, Classes):
            return
        if not isinstance(self.domain, Image | Landmarks | Mask) or channels not in (1, 3):
            raise DataError(
                f"a picture file cannot hold {self.domain}: it gives Image(1), Image(3), Landmarks(1), Landmarks(3), "
                "Mask(1) or Classes(n)"
            )
        if isinstance(self.domain, Mask) and channels != 1:
            raise DataError(f"a picture file cannot hold {self.domain}: it gives Mask(1)")

    def fits(self, width: int, height: int) -> bool:
        """Whether a picture has the size's proportions."""
        return same_proportions(width, height, self.size)

    def read(self, path: Path) -> Tensor:
        """Return a picture file as uint8, (channels, height, width), or (height, width) for classes."""
        return self.tensor(read_picture(path), path)

    def check(self, path: Path) -> None:
        """Raise unless a picture file can be read and brought to the size."""
        self.check_picture(read_picture(path), path)

    def check_picture(self, picture: Picture.Image, path: Path | str) -> None:
        """Raise unless a picture can be brought to the size and holds what the domain says; `path` names it."""
        self._check_size(picture, path)
        if isinstance(self.domain, Classes | Mask):
            self._check_plain(picture, path)
        if isinstance(self.domain, Classes):
            self._check_classes(picture, self.domain, path)

    def tensor(self, picture: Picture.Image, path: Path | str) -> Tensor:
        """Return a picture as uint8, (channels, height, width), or (height, width) for classes; `path` names it."""
        self._check_size(picture, path)
        if isinstance(self.domain, Classes):
            return _bytes(self._resized(_indices(picture, path), Picture.Resampling.NEAREST))[0]
        picture = in_colour(picture) if self.domain.channels == 3 else in_grey(picture)
        if isinstance(self.domain, Mask):
            return _bytes(self._resized(picture, Picture.Resampling.NEAREST))
        if isinstance(self.domain, Landmarks):
            return self._dots(picture)
        return _bytes(self._resized(picture, Picture.Resampling.BICUBIC))

    def place(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Return how far a point (x, y) of a picture goes: the scales of x and y, and what is added to each.

        Pixel centres lie at whole numbers, before and after.
        """
        if (height, width) == self.size:
            return 1.0, 1.0, 0.0, 0.0
        left, top, right, bottom = self._box(width, height)
        across, down = self.size[1] / (right - left), self.size[0] / (bottom - top)
        return across, down, (0.5 - left) * across - 0.5, (0.5 - top) * down - 0.5

    def _box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Return the part of a picture that is seen: left, top, right and bottom."""
        if self.fit != "crop":
            return 0, 0, width, height
        scale = min(width / self.size[1], height / self.size[0])
        seen = self.size[1] * scale, self.size[0] * scale
        left, top = (width - seen[0]) / 2, (height - seen[1]) / 2
        return left, top, left + seen[0], top + seen[1]

    def _resized(self, picture: Picture.Image, filter: Picture.Resampling) -> Picture.Image:
        rows, columns = self.size
        if picture.size == (columns, rows):
            return picture
        return picture.resize((columns, rows), filter, box=self._box(*picture.size))

    def _dots(self, picture: Picture.Image) -> Tensor:
        """Resize landmarks so that no dot vanishes: of the pixels that become one, the one least like the ground."""
        if self.size[0] >= picture.height or self.size[1] >= picture.width:
            return _bytes(self._resized(picture, Picture.Resampling.BICUBIC))
        left, top, right, bottom = (round(edge) for edge in self._box(*picture.size))
        drawn = _bytes(picture.crop((left, top, right, bottom))).float()
        sign = -1 if drawn.mean() > 127.5 else 1  # dark dots on a bright ground, or bright ones on a dark ground
        return (sign * F.adaptive_max_pool2d(sign * drawn, self.size)).byte()

    def _check_size(self, picture: Picture.Image, path: Path | str) -> None:
        if self.fit in ("crop", "squash"):
            return
        (width, height), (rows, columns) = picture.size, self.size
        if self.fit == "same" and (height, width) != self.size:
            raise DataError(
                f"{path} has {width}x{height} pixels, width by height, and the first picture {columns}x{rows}: give "
                "the size they are to have, size=(height, width)"
            )
        if not self.fits(width, height):
            raise DataError(
                f"{path} has {width}x{height} pixels, width by height, which size ({rows}, {columns}), height by "
                f"width, would squash: choose a size of such proportions as ({height}, {width}), or in Python "
                'fit="crop" to cut what stands out, or fit="squash"'
            )

    def _check_plain(self, picture: Picture.Image, path: Path | str) -> None:
        if has_alpha(picture) and np.asarray(picture.convert("RGBA"))[..., 3].min() < 255:
            raise DataError(f"{path} is transparent in places, which {self.domain} cannot be: save it without alpha")

    def _check_classes(self, picture: Picture.Image, domain: Classes, path: Path | str) -> None:
        found = np.unique(np.asarray(_indices(picture, path)))
        wrong = [int(value) for value in found if value >= domain.channels and value != domain.ignore]
        if wrong:
            raise DataError(
                f"{path} holds the class {wrong[0]}, but {domain} has the classes 0 to {domain.channels - 1}"
            )


def same_proportions(width: int, height: int, size: tuple[int, int]) -> bool:
    """Whether what is as wide and as high is not squashed where it is brought to a height and a width."""
    rows, columns = size
    ratio = (width / height) / (columns / rows)
    return max(ratio, 1 / ratio) <= _SQUASHED


@typed
def read_signal(
    path: str | PathLike[str], domain: Domain | None = None, size: tuple[int, int] | None = None, fit: Fit = "exact"
) -> UInt8[Tensor, "..."]:
    """Read one picture as a signal, as the data sets do.

    Args:
        path: The picture.
        domain: What the signal is; ``Image(3)`` where it is not given.
        size: Height and width it is brought to; as it is where it is not given.
        fit: What happens to other proportions: ``"exact"`` refuses them, ``"crop"`` cuts what stands out,
            ``"squash"`` squashes the picture.

    Returns:
        Bytes, (channels, height, width), or of classes (height, width); of images ``value / 127.5 - 1`` is in the
        model's range.

    Raises:
        DataError: The picture cannot be read, does not fit the size, or the domain is none that a file can hold.

    Example:
        ```python
        from pathlib import Path
        from tempfile import TemporaryDirectory
        from PIL import Image
        from cyclekit.data import read_signal

        with TemporaryDirectory() as folder:
            Image.new("L", (64, 64), 255).save(Path(folder, "a.png"))
            x = read_signal(Path(folder, "a.png"), size=(32, 32))
        assert x.shape == (3, 32, 32)
        ```
    """
    picture = read_picture(path)
    reader = Reader(Image(3) if domain is None else domain, size or (picture.height, picture.width), fit)
    reader.check_picture(picture, Path(path))
    return reader.tensor(picture, Path(path))


def _indices(picture: Picture.Image, path: Path | str) -> Picture.Image:
    """Return a map of classes: a palette's indices, or grey values."""
    if picture.mode == "1":
        return Picture.fromarray(np.asarray(picture).astype(np.uint8))
    if picture.mode not in ("P", "L"):
        raise DataError(
            f"{path} is a picture of mode {picture.mode}, not a map of classes: save each pixel's class as the grey "
            "value of 8 bits or the palette's index"
        )
    return Picture.fromarray(np.asarray(picture))


def _bytes(picture: Picture.Image) -> Tensor:
    pixels = torch.from_numpy(np.array(picture))
    return pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1).contiguous()
