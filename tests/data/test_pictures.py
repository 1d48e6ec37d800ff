"""Any readable picture is turned right; every other is refused by name."""

import os
import re

import numpy as np
import pytest
import torch
from PIL import Image

from cyclekit import Classes, Heatmap, Landmarks, Mask
from cyclekit import Image as Picture
from cyclekit.data import DataError, UnpairedFolders, find_pictures, read_picture


def plain(width=24, height=16, level=128):
    return Image.new("RGB", (width, height), (level, level // 2, 255 - level))


def turned(path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    plain().transpose(Image.Transpose.ROTATE_90).save(path, exif=exif)


READABLE = {
    "grey.png": (lambda path: Image.new("L", (24, 16), 51).save(path), (51, 51, 51)),
    "deep.png": (lambda path: Image.fromarray(np.full((16, 24), 51 * 257, np.uint16)).save(path), (51, 51, 51)),
    "bits.png": (lambda path: Image.new("1", (24, 16), 1).save(path), (255, 255, 255)),
    "palette.png": (lambda path: plain().convert("P", palette=Image.Palette.ADAPTIVE).save(path), (128, 64, 127)),
    "clear.png": (lambda path: Image.new("RGBA", (24, 16), (9, 9, 9, 0)).save(path), (255, 255, 255)),
    "half.png": (lambda path: Image.new("RGBA", (24, 16), (0, 0, 0, 128)).save(path), (127, 127, 127)),
    "grey_alpha.png": (lambda path: Image.new("LA", (24, 16), (60, 255)).save(path), (60, 60, 60)),
    "clear_palette.png": (
        lambda path: Image.new("P", (24, 16), 0).save(path, transparency=0),
        (255, 255, 255),
    ),
    "print.jpg": (lambda path: plain().convert("CMYK").save(path, quality=100), (128, 64, 127)),
    "turned.jpg": (turned, (128, 64, 127)),
    "web.webp": (lambda path: plain().save(path, lossless=True), (128, 64, 127)),
    "plain.tif": (lambda path: plain().save(path), (128, 64, 127)),
    "deep.tiff": (lambda path: Image.fromarray(np.full((16, 24), 51 * 257, np.uint16)).save(path), (51, 51, 51)),
    "pages.tif": (lambda path: plain().save(path, save_all=True, append_images=[plain(level=9)]), (128, 64, 127)),
    "plain.bmp": (lambda path: plain().save(path), (128, 64, 127)),
    "UPPER.JPG": (lambda path: plain().save(path, quality=100), (128, 64, 127)),
}


@pytest.mark.parametrize("name", READABLE)
def test_any_readable_picture_is_turned_right(name, tmp_path):
    make, colour = READABLE[name]
    make(tmp_path / name)
    image = UnpairedFolders(A=tmp_path)[0]["A"]
    assert image.shape == (3, 16, 24)
    assert image.dtype == torch.uint8
    assert (image.float() - torch.tensor(colour)[:, None, None]).abs().max() <= 3


@pytest.mark.parametrize("name", READABLE)
def test_grey_signals_take_any_picture_too(name, tmp_path):
    make, (red, green, blue) = READABLE[name]
    make(tmp_path / name)
    grey = UnpairedFolders(A=tmp_path, domains={"A": Picture(1)})[0]["A"]
    assert grey.shape == (1, 16, 24)
    assert (grey.float() - (0.299 * red + 0.587 * green + 0.114 * blue)).abs().max() <= 3


def test_exif_rotation_turns_what_is_drawn(tmp_path):
    drawn = Image.new("RGB", (24, 16))
    drawn.paste((255, 255, 255), (0, 0, 12, 16))
    exif = Image.Exif()
    exif[0x0112] = 6
    drawn.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a.png", exif=exif)
    image = UnpairedFolders(A=tmp_path)[0]["A"]
    assert (image[:, :, :12] == 255).all()
    assert (image[:, :, 12:] == 0).all()


def cut(path):
    plain(1024, 256).effect_spread(20).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


REFUSED = {
    "cut.jpg": (cut, "cannot be read as a picture"),
    "cut.png": (cut, "cannot be read as a picture"),
    "empty.png": (lambda path: path.write_bytes(b""), "it is no PNG, JPEG, BMP, WEBP, TIFF"),
    "float.tif": (lambda path: Image.new("F", (8, 8), 0.5).save(path), "holds floating-point numbers"),
    "gif.png": (lambda path: plain().save(path, format="GIF"), "it is no PNG, JPEG, BMP, WEBP, TIFF"),
    "script.png": (lambda path: path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"), "it is no PNG"),
    "folder.png": (lambda path: path.mkdir(), "is no file"),
    "pipe.png": (lambda path: os.mkfifo(path), "is no file"),
    "dangling.png": (lambda path: path.symlink_to("nowhere"), "is no file"),
    "huge.png": (lambda path: Image.new("1", (40_000, 2_000)).save(path), "more than 64,000,000"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_pictures_that_cannot_be_trained_on_are_named_before_training(name, tmp_path):
    plain().save(tmp_path / "a.png")
    make, message = REFUSED[name]
    make(tmp_path / name)
    with pytest.raises(DataError, match=rf"{re.escape(name)}.*{message}"):
        UnpairedFolders(A=tmp_path)


def test_a_check_can_be_left_out(tmp_path):
    plain().save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"")
    data = UnpairedFolders(A=tmp_path, check=False)
    assert data[0]["A"].shape == (3, 16, 24)
    with pytest.raises(DataError, match=r"b\.png cannot be read"):
        data[1]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".webp", ".tif"])
def test_damaged_pictures_end_in_one_error(suffix, tmp_path):
    """A hundred seeded damages of each format, each refused by name or read whole."""
    random = np.random.default_rng(0)
    plain(64, 16).effect_spread(5).save(tmp_path / f"whole{suffix}")
    whole = (tmp_path / f"whole{suffix}").read_bytes()
    refused = []
    for number in range(100):
        damaged = bytearray(whole[: random.integers(1, len(whole) + 1)] if number % 3 == 0 else whole)
        for place in random.integers(0, len(damaged), random.integers(1, 9)):
            damaged[place] = random.integers(0, 256)
        file = tmp_path / f"damaged{suffix}"
        file.write_bytes(damaged)
        try:
            assert read_picture(file).convert("RGB").size[0] > 0
        except DataError as error:
            refused.append(str(error))
    assert len(refused) > 10
    assert all(f"damaged{suffix} " in message for message in refused)


def test_what_lies_in_a_folder_is_found_or_left_out(tmp_path):
    for name in ("b.png", "a.JPG", ".hidden.png"):
        plain().save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "more").mkdir()
    pictures, left_out = find_pictures(tmp_path)
    assert [path.name for path in pictures] == ["a.JPG", "b.png"]
    assert [path.name for path in left_out] == [".hidden.png", "more", "notes.txt"]


def test_folders_without_pictures_are_refused(tmp_path):
    with pytest.raises(DataError, match="nowhere: no such folder"):
        find_pictures(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"holds no pictures \(\.png, .*\)$"):
        find_pictures(tmp_path)
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(DataError, match=r"holds no pictures.*; it holds notes\.txt$"):
        find_pictures(tmp_path)
    with pytest.raises(DataError, match=r"notes\.txt: is no folder"):
        find_pictures(tmp_path / "notes.txt")


# ------------------------------------------------------------------ sizes


def test_sizes_that_fit_are_not_resized(draw, tmp_path):
    path = draw("A/a.png", 20, 12)
    expected = torch.from_numpy(np.array(Image.open(path))).permute(2, 0, 1)
    assert torch.equal(UnpairedFolders(A=tmp_path / "A")[0]["A"], expected)
    assert torch.equal(UnpairedFolders(A=tmp_path / "A", size=(12, 20), fit="crop")[0]["A"], expected)


def test_what_would_be_squashed_is_refused_until_it_is_said(draw, tmp_path):
    draw("A/wide.png", 30, 10)
    with pytest.raises(
        DataError, match=r"wide\.png has 30x10 pixels.*would squash.*\(10, 30\), or in Python fit=\"crop\""
    ):
        UnpairedFolders(A=tmp_path / "A", size=(8, 8))
    assert UnpairedFolders(A=tmp_path / "A", size=(8, 24))[0]["A"].shape == (3, 8, 24)
    for fit in ("crop", "squash"):
        assert UnpairedFolders(A=tmp_path / "A", size=(8, 8), fit=fit)[0]["A"].shape == (3, 8, 8)
    draw("A/zzz.png", 30, 12)
    with pytest.raises(DataError, match=r"zzz\.png has 30x12 pixels.*the first picture 30x10: give the size"):
        UnpairedFolders(A=tmp_path / "A")
    with pytest.raises(DataError, match=r"size is \(height, width\), each at least 1"):
        UnpairedFolders(A=tmp_path / "A", size=(0, 8))


def test_a_crop_keeps_the_middle_and_its_proportions(tmp_path):
    drawn = Image.new("RGB", (60, 20))
    drawn.paste((255, 255, 255), (20, 0, 40, 20))
    drawn.save(tmp_path / "a.png")
    assert (UnpairedFolders(A=tmp_path, size=(20, 20), fit="crop")[0]["A"] == 255).all()
    squashed = UnpairedFolders(A=tmp_path, size=(20, 20), fit="squash")[0]["A"]
    assert squashed[0, 10, 0] == 0
    assert squashed[0, 10, 10] == 255


# ------------------------------------------------------------------ domains


@pytest.mark.parametrize(("ground", "ink"), [(255, 0), (0, 255)])
def test_dots_survive_a_resize(ground, ink, tmp_path):
    drawn = Image.new("RGB", (256, 256), (ground,) * 3)
    places = [(3, 7), (100, 50), (254, 255), (130, 201)]
    for place in places:
        drawn.putpixel(place, (ink,) * 3)
    drawn.save(tmp_path / "dots.png")
    kept = UnpairedFolders(A=tmp_path, size=(64, 64), domains={"A": Landmarks(3)})[0]["A"]
    found = (kept[0] == ink).nonzero().tolist()
    assert sorted(found) == sorted([y // 4, x // 4] for x, y in places)
    resampled = UnpairedFolders(A=tmp_path, size=(64, 64))[0]["A"]
    assert not (resampled[0] == ink).any()


def test_masks_and_classes_keep_their_values(tmp_path):
    values = np.random.default_rng(0).integers(0, 5, (40, 40), dtype=np.uint8)
    (tmp_path / "s").mkdir()
    (tmp_path / "m").mkdir()
    Image.fromarray(values).save(tmp_path / "s" / "a.png")
    Image.fromarray((values > 2).astype(np.uint8) * 255).save(tmp_path / "m" / "a.png")
    data = UnpairedFolders(s=tmp_path / "s", m=tmp_path / "m", size=(16, 16), domains={"s": Classes(5), "m": Mask()})[0]
    assert data["s"].shape == (16, 16)
    assert set(data["s"].unique().tolist()) == set(range(5))
    assert data["m"].shape == (1, 16, 16)
    assert set(data["m"].unique().tolist()) == {0, 255}


def test_a_palettes_indices_are_the_classes(tmp_path):
    values = np.arange(16, dtype=np.uint8).reshape(4, 4) % 3
    drawn = Image.fromarray(values).convert("P")
    drawn.putpalette([200, 0, 0, 0, 200, 0, 0, 0, 200])
    drawn.save(tmp_path / "a.png")
    classes = UnpairedFolders(s=tmp_path, domains={"s": Classes(3)})[0]["s"]
    assert torch.equal(classes, torch.from_numpy(values))


def test_what_a_domain_cannot_hold_is_named(tmp_path):
    Image.fromarray(np.full((4, 4), 7, np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a\.png holds the class 7, but Classes\(5\) has the classes 0 to 4"):
        UnpairedFolders(s=tmp_path, domains={"s": Classes(5)})
    assert UnpairedFolders(s=tmp_path, domains={"s": Classes(5, ignore=7)})[0]["s"].shape == (4, 4)
    plain().save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a\.png is a picture of mode RGB, not a map of classes"):
        UnpairedFolders(s=tmp_path, domains={"s": Classes(5)})
    Image.new("LA", (4, 4), (255, 9)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a\.png is transparent in places"):
        UnpairedFolders(m=tmp_path, domains={"m": Mask()})
    for domain in (Picture(7), Heatmap(18), Mask(3)):
        with pytest.raises(DataError, match=rf"cannot hold {re.escape(str(domain))}"):
            UnpairedFolders(A=tmp_path, domains={"A": domain})
