"""Four-panel pictures: the panels' order, mirroring, and what is refused."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from data import CompositePairs
from errors import DataError

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "composites"


def test_panels_come_in_the_order_that_is_said(composites: Path) -> None:
    ours = CompositePairs(composites, "train", (64, 64))[0]
    theirs = CompositePairs(composites, "train", (64, 64), order="x y Lx Ly")[0]
    levels = [ours[name].mean().item() for name in ("x", "y", "Ly", "Lx")]
    assert levels == sorted(levels)
    assert torch.equal(ours["Lx"], theirs["Ly"])
    assert torch.equal(ours["Ly"], theirs["Lx"])


def test_values_span_the_models_range(tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    Image.new("L", (16, 4), 255).save(tmp_path / "test" / "white.png")
    Image.new("RGB", (16, 4)).save(tmp_path / "test" / "black.png")
    black, white = CompositePairs(tmp_path, "test", (4, 4))
    assert (black["x"] == -1).all()
    assert (white["x"] == 1).all()


def test_panels_do_not_bleed_into_each_other(tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    picture = Image.new("RGB", (128, 32))
    picture.paste((255, 255, 255), (32, 0, 64, 32))
    picture.save(tmp_path / "test" / "0.png")
    pair = CompositePairs(tmp_path, "test", (8, 8))[0]
    assert (pair["x"] == -1).all()
    assert (pair["y"] == 1).all()


def test_mirrored_pairs_follow_the_others(composites: Path) -> None:
    pairs = CompositePairs(composites, "train", (64, 64), flip=True)
    assert len(pairs) == 8
    for name, value in pairs[1].items():
        assert torch.equal(pairs[5][name], value.flip(-1))


def test_what_is_missing_or_broken_is_named(composites: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        CompositePairs(tmp_path / "nowhere", "train", (64, 64))
    with pytest.raises(DataError, match="no folder 'train'"):
        CompositePairs(tmp_path, "train", (64, 64))
    (tmp_path / "train").mkdir()
    with pytest.raises(DataError, match="holds no pictures"):
        CompositePairs(tmp_path, "train", (64, 64))
    with pytest.raises(DataError, match="order of panels"):
        CompositePairs(composites, "train", (64, 64), order="y x Lx Ly")
    (tmp_path / "train" / "broken.png").write_bytes(b"\x89PNG not a picture")
    with pytest.raises(DataError, match=r"broken\.png cannot be read"):
        CompositePairs(tmp_path, "train", (64, 64))
    (tmp_path / "train" / "broken.png").unlink()
    Image.new("RGB", (30, 8)).save(tmp_path / "train" / "odd.png")
    with pytest.raises(DataError, match=r"odd\.png has 30x8 pixels, width by height: not four panels"):
        CompositePairs(tmp_path, "train", (64, 64))


def test_a_truncated_picture_is_named_before_training(composites: Path, tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    whole = (composites / "train" / "pair_0.png").read_bytes()
    (tmp_path / "train" / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"cut\.png cannot be read"):
        CompositePairs(tmp_path, "train", (64, 64))


def panels(width: int = 256, height: int = 64, level: int = 128) -> Image.Image:
    return Image.new("RGB", (width, height), (level, level // 2, 255 - level))


def turned(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    panels().transpose(Image.Transpose.ROTATE_90).save(path, exif=exif)


READABLE = {
    "grey.png": lambda path: Image.new("L", (256, 64), 51).save(path),
    "deep.png": lambda path: Image.fromarray(np.full((64, 256), 51 * 257, np.uint16)).save(path),
    "palette.png": lambda path: panels().convert("P").save(path),
    "clear.png": lambda path: Image.new("RGBA", (256, 64), (9, 9, 9, 0)).save(path),
    "print.jpg": lambda path: panels().convert("CMYK").save(path),
    "turned.jpg": turned,
    "web.webp": lambda path: panels().save(path),
    "plain.bmp": lambda path: panels().save(path),
}


@pytest.mark.parametrize("name", READABLE)
def test_any_readable_picture_is_turned_right(name: str, tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    READABLE[name](tmp_path / "test" / name)
    pair = CompositePairs(tmp_path, "test", (64, 64))[0]
    assert all(value.shape == (3, 64, 64) for value in pair.values())
    if name in ("grey.png", "deep.png"):
        assert torch.allclose(pair["x"], torch.full((3, 64, 64), 51 / 127.5 - 1), atol=0.01)
    if name == "clear.png":
        assert (pair["x"] == 1).all()


def half(path: Path) -> None:
    panels(1024, 256).effect_spread(20).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


REFUSED = {
    "cut.jpg": (half, "cannot be read as a picture"),
    "empty.png": (lambda path: path.write_bytes(b""), "cannot be read as a picture: it is no PNG, JPEG, BMP, WEBP"),
    "gif.png": (lambda path: panels().save(path, format="GIF"), "it is no PNG, JPEG, BMP, WEBP"),
    "script.png": (lambda path: path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"), "it is no PNG"),
    "folder.png": (lambda path: path.mkdir(), "is no file"),
    "pipe.png": (lambda path: os.mkfifo(path), "is no file"),
    "huge.png": (lambda path: Image.new("1", (40_000, 2_000)).save(path), "more than 64,000,000"),
    "two.png": (lambda path: panels(128, 64).save(path), "not four panels side by side"),
    "square.png": (lambda path: panels(64, 64).save(path), "not four panels side by side"),
    "tall.png": (lambda path: panels(64, 256).save(path), "not four panels side by side"),
    "wide.png": (lambda path: panels(512, 64).save(path), "proportions of --size 64 64; .* such as 64 128"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_pictures_that_cannot_be_trained_on_are_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    panels().save(tmp_path / "test" / "good.png")
    make, message = REFUSED[name]
    make(tmp_path / "test" / name)
    with pytest.raises(DataError, match=rf"{re.escape(name)}.*{message}"):
        CompositePairs(tmp_path, "test", (64, 64))


def test_damaged_pictures_end_in_one_error(tmp_path: Path) -> None:
    """Three hundred seeded damages, each refused by name or read whole."""
    random = np.random.default_rng(0)
    (tmp_path / "test").mkdir()
    whole = {}
    for suffix in (".png", ".jpg", ".bmp", ".webp"):
        panels(64, 16).effect_spread(5).save(tmp_path / f"whole{suffix}")
        whole[suffix] = (tmp_path / f"whole{suffix}").read_bytes()
    refused: list[str] = []
    for number in range(300):
        suffix, content = list(whole.items())[number % 4]
        damaged = bytearray(content[: random.integers(1, len(content) + 1)] if number % 3 == 0 else content)
        for place in random.integers(0, len(damaged), random.integers(1, 9)):
            damaged[place] = random.integers(0, 256)
        file = tmp_path / "test" / f"damaged{suffix}"
        file.write_bytes(damaged)
        try:
            pair = CompositePairs(tmp_path, "test", (16, 16))[0]
            assert all(value.isfinite().all() for value in pair.values())
        except DataError as error:
            refused.append(str(error))
        file.unlink()
    assert len(refused) > 100
    assert all(re.search(r"damaged\.\w+ ", message) for message in refused)


def test_what_is_used_and_what_is_left_out_is_said(tmp_path: Path) -> None:
    (tmp_path / "train" / "more").mkdir(parents=True)
    for name in ("a.png", "b.png", ".hidden.png"):
        panels().save(tmp_path / "train" / name)
    (tmp_path / "train" / "notes.txt").write_text("")
    pairs = CompositePairs(tmp_path, "train", (64, 64), flip=True)
    said = f"{tmp_path / 'train'}: 2 pairs, 4 with their mirror images; left out 3 that are no pictures: "
    assert str(pairs) == f"{said}.hidden.png, more, notes.txt"


@pytest.mark.skipif(not REAL.is_dir(), reason="the optional real samples are not here")
@pytest.mark.parametrize("name", ["senz3d", "dayton"])
def test_real_composites_open(name: str) -> None:
    for split in ("train", "test"):
        pairs = CompositePairs(REAL / name, split, (64, 64), order="x y Lx Ly", flip=True)
        assert all(value.shape == (3, 64, 64) and value.abs().max() <= 1 for value in pairs[0].values())
