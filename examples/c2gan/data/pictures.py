"""Picture files, read whole and turned right, or refused by name."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image as Picture
from PIL import ImageOps, UnidentifiedImageError
from torch import Tensor

from errors import DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
FORMATS = ("PNG", "JPEG", "BMP", "WEBP")
LARGEST = 64_000_000
"""Pixels; what unfolds to more is no picture to train on."""


def read_picture(path: Path) -> Picture.Image:
    """Return a picture as RGB: upright as its EXIF data say, 16 bits brought to 8, on white where it is transparent.

    Raises:
        DataError: It is no regular file, no PNG, JPEG, BMP or WebP, damaged, or too large.
    """
    if not path.is_file():
        raise DataError(f"{path} is no file")
    try:
        with Picture.open(path, formats=FORMATS) as picture:
            if picture.width * picture.height > LARGEST:
                raise DataError(f"{path} has {picture.width}x{picture.height} pixels, more than {LARGEST:,}")
            picture.load()
            return _as_rgb(ImageOps.exif_transpose(picture))
    except UnidentifiedImageError as error:
        raise DataError(f"{path} cannot be read as a picture: it is no {', '.join(FORMATS)}") from error
    except (OSError, SyntaxError, ValueError, EOFError, Picture.DecompressionBombError) as error:
        raise DataError(f"{path} cannot be read as a picture: {error}") from error


def _as_rgb(picture: Picture.Image) -> Picture.Image:
    if picture.mode.startswith("I"):  # 16 bits a pixel, which `convert` would cut off at 255
        return Picture.fromarray((np.asarray(picture).clip(0, 65535) / 257).round().astype(np.uint8)).convert("RGB")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Picture.new("RGBA", picture.size, "white")
        return Picture.alpha_composite(white, picture).convert("RGB")
    return picture.convert("RGB")


def to_tensor(picture: Picture.Image, size: tuple[int, int]) -> Tensor:
    """Return a picture as (3, height, width) in [-1, 1]."""
    resized = picture.resize(size[::-1], Picture.Resampling.BICUBIC)
    return torch.from_numpy(np.array(resized)).permute(2, 0, 1).float() / 127.5 - 1
