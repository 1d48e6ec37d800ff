"""Four-panel pictures: the panels' order, mirroring, and what is refused."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from cyclekit.data import DataError
from data import CompositePairs
from data.sources import batches_of

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
    with pytest.raises(DataError, match=r"odd\.png has 30x8 pixels, width by height: not 4 panels"):
        CompositePairs(tmp_path, "train", (64, 64))


def test_pictures_without_panels_are_told_what_composites_are(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    Image.new("RGB", (256, 256)).save(tmp_path / "train" / "plain.png")
    said = r"plain\.png has 256x256 pixels, width by height: 4 panels side by side \(x y Ly Lx\) would have 64x256 each"
    with pytest.raises(DataError, match=rf"{said}.* give pictures that hold 4 panels side by side, 1024x256 where"):
        CompositePairs(tmp_path, "train", (64, 64))
    Image.new("RGB", (600, 256)).save(tmp_path / "train" / "plain.png")
    with pytest.raises(DataError, match=r"panel 'x', one of 4 side by side in .*plain\.png, has 150x256 pixels"):
        CompositePairs(tmp_path, "train", (64, 64))


def panels() -> Image.Image:
    return Image.new("RGB", (256, 64), (128, 64, 127))


def test_what_is_used_and_what_is_left_out_is_said(tmp_path: Path) -> None:
    (tmp_path / "train" / "more").mkdir(parents=True)
    for name in ("a.png", "b.png", ".hidden.png"):
        panels().save(tmp_path / "train" / name)
    (tmp_path / "train" / "notes.txt").write_text("")
    pairs = CompositePairs(tmp_path, "train", (64, 64), flip=True)
    said = f"{tmp_path / 'train'}: 2 pictures of the panels x y Ly Lx, 64x64 pixels each, width by height; "
    said += "left out 3 that are no pictures: "
    assert str(pairs) == f"{said}.hidden.png, more, notes.txt; 4 with the mirror images of the others"


@pytest.mark.skipif(not REAL.is_dir(), reason="the optional real samples are not here")
@pytest.mark.parametrize("name", ["senz3d", "dayton"])
def test_real_composites_open(name: str) -> None:
    for split in ("train", "test"):
        pairs = CompositePairs(REAL / name, split, (64, 64), order="x y Lx Ly", flip=True)
        assert all(value.shape == (3, 64, 64) and value.abs().max() <= 1 for value in pairs[0].values())


def test_mirror_images_that_are_there_are_not_made_again(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    for name in ("a.png", "a_lr.png", "b.png", "c_lr.png"):
        panels().save(tmp_path / "train" / name)
    pairs = CompositePairs(tmp_path, "train", (64, 64), flip=True)
    assert [pairs.file_of(index).name for index in range(len(pairs))] == [
        "a.png",
        "a_lr.png",
        "b.png",
        "c_lr.png",
        "b.png",
    ]
    assert all(torch.equal(pairs[4][name], value.flip(-1)) for name, value in pairs[2].items())
    assert len(CompositePairs(tmp_path, "train", (64, 64))) == 4


def test_thin_dots_survive_a_smaller_size(tmp_path: Path) -> None:
    """One black pixel in 16x16: an average of all would be grey, of no dot at all."""
    (tmp_path / "train").mkdir()
    picture = Image.new("RGB", (256 * 4, 256), "white")
    picture.putpixel((2 * 256 + 100, 120), (0, 0, 0))
    picture.save(tmp_path / "train" / "a.png")
    pair = CompositePairs(tmp_path, "train", (16, 16))[0]
    assert pair["Ly"].min() == -1
    assert (pair["Ly"] < 0).sum() == 3
    assert pair["Lx"].min() == 1


def test_training_batches_are_the_librarys_and_may_be_read_by_others(composites: Path) -> None:
    pairs = CompositePairs(composites, "train", (64, 64), flip=True)
    alone, beside = (batches_of(pairs, 3, seed=1, workers=workers).batches(start=2) for workers in (0, 1))
    one, other = next(alone), next(beside)
    assert one.keys() == {"x", "y", "Lx", "Ly"}
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert one["x"].shape == (3, 3, 64, 64)
    alone.close()
    beside.close()
