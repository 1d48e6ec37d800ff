"""Picture files: found, read whole, and turned right, or refused by name."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from os import PathLike
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from PIL import Image as Picture
from PIL import ImageOps, UnidentifiedImageError

from cyclekit._typed import typed
from cyclekit.errors import DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF")
LARGEST = 64_000_000
"""Pixels; what unfolds to more is no picture to train on."""

_SHOWN = 3

_Seen = TypeVar("_Seen")


class Found(NamedTuple):
    """What lies in a folder.

    Attributes:
        pictures: The picture files, sorted by name.
        left_out: Everything else, hidden files too.
    """

    pictures: tuple[Path, ...]
    left_out: tuple[Path, ...]

    @property
    def rest(self) -> str:
        """What is left out, hidden files aside, as ``"; left out: 1 .gif, 2 folders"``, or nothing."""
        return f"; left out: {self.others}" if self.others else ""

    @property
    def others(self) -> str:
        """What is left out by its kind, hidden files aside, as ``"1 .gif, 2 folders"``."""
        seen = [path for path in self.left_out if not path.name.startswith(".")]
        counts = Counter("folder" if path.is_dir() else path.suffix.lower() or "other file" for path in seen)
        listed = (f"{n} {kind}{'s' * (n > 1 and not kind.startswith('.'))}" for kind, n in sorted(counts.items()))
        return ", ".join(listed)


@typed
def find_pictures(folder: str | PathLike[str]) -> Found:
    """List the pictures of a folder: files whose names end in .png, .jpg, .jpeg, .bmp, .webp, .tif or .tiff.

    Args:
        folder: The folder; those inside it are not looked into.

    Returns:
        The pictures, sorted by name, and what else lies there.

    Raises:
        DataError: There is no such folder, it cannot be listed, or it holds no pictures.

    Example:
        ```python
        from pathlib import Path
        from tempfile import TemporaryDirectory
        from PIL import Image
        from cyclekit.data import find_pictures

        with TemporaryDirectory() as folder:
            Image.new("RGB", (8, 8)).save(Path(folder, "a.png"))
            assert [path.name for path in find_pictures(folder).pictures] == ["a.png"]
        ```
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder}: " + ("is no folder" if folder.exists() else "no such folder"))
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"{folder} cannot be listed: {error.strerror}") from error
    pictures = tuple(path for path in found if path.suffix.lower() in SUFFIXES and not path.name.startswith("."))
    chosen = set(pictures)
    left_out = tuple(path for path in found if path not in chosen)
    if not pictures:
        beside = f"; it holds {examples(path.name for path in left_out)}" if left_out else ""
        raise DataError(f"{folder} holds no pictures ({', '.join(SUFFIXES)}){beside}")
    return Found(pictures, left_out)


def examples(names: Iterable[str]) -> str:
    """Name the first few of many."""
    listed = list(names)
    return ", ".join(listed[:_SHOWN]) + (", ..." if len(listed) > _SHOWN else "")


@typed
def read_picture(path: str | PathLike[str]) -> Picture.Image:
    """Read a picture whole, upright as its EXIF data say, in the mode of the file.

    Args:
        path: A PNG, JPEG, BMP, WebP or TIFF file, whatever its name ends in; the first picture of several.

    Returns:
        The picture; `in_colour`, `in_grey` and `as_classes` bring it to one kind.

    Raises:
        DataError: It is no regular file, of another format, damaged, of floating-point numbers, or has more than 64
            million pixels.

    Example:
        ```python
        from pathlib import Path
        from tempfile import TemporaryDirectory
        from PIL import Image
        from cyclekit.data import read_picture

        with TemporaryDirectory() as folder:
            Image.new("L", (8, 4)).save(Path(folder, "a.png"))
            assert read_picture(Path(folder, "a.png")).size == (8, 4)
        ```
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path} is no file")
    try:
        with Picture.open(path, formats=FORMATS) as picture:
            if picture.width * picture.height > LARGEST:
                raise DataError(f"{path} has {picture.width}x{picture.height} pixels, more than {LARGEST:,}")
            if picture.mode == "F":
                raise DataError(f"{path} holds floating-point numbers, whose black and white nobody says: save 8 bits")
            picture.load()
            return ImageOps.exif_transpose(picture)
    except UnidentifiedImageError as error:
        raise DataError(f"{path} cannot be read as a picture: it is no {', '.join(FORMATS)}") from error
    except (OSError, SyntaxError, ValueError, EOFError, Picture.DecompressionBombError, UserWarning) as error:
        raise DataError(f"{path} cannot be read as a picture: {error}") from error


def in_colour(picture: Picture.Image) -> Picture.Image:
    """Bring a picture to RGB: 16 bits to 8, on white where it is transparent."""
    if _is_deep(picture):
        return in_grey(picture).convert("RGB")
    if has_alpha(picture):
        picture = picture.convert("RGBA")
        white = Picture.new("RGBA", picture.size, "white")
        picture = Picture.alpha_composite(white, picture)
    return picture.convert("RGB")


def in_grey(picture: Picture.Image) -> Picture.Image:
    """Bring a picture to 8 bits of grey, on white where it is transparent."""
    if _is_deep(picture):  # `convert` would cut 16 bits off at 255
        return Picture.fromarray((np.asarray(picture).clip(0, 65535) / 257).round().astype(np.uint8))
    return picture if picture.mode == "L" and not has_alpha(picture) else in_colour(picture).convert("L")


def has_alpha(picture: Picture.Image) -> bool:
    """Whether a picture may be transparent somewhere."""
    return picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info


def _is_deep(picture: Picture.Image) -> bool:
    return picture.mode.startswith("I")


def check_all(files: Iterable[Path], check: Callable[[Path], _Seen]) -> list[_Seen]:
    """Return what a look at every file gives, in threads: decoding lets go of the interpreter's lock."""
    with ThreadPoolExecutor() as threads:
        return list(threads.map(check, files))
