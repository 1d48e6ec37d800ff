"""Four-panel pictures: the panels' order, mirroring, and what is refused."""

from pathlib import Path

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
    with pytest.raises(DataError, match=r"odd\.png is 30 pixels wide"):
        CompositePairs(tmp_path, "train", (64, 64))


def test_a_truncated_picture_is_named_when_it_is_read(composites: Path, tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    whole = (composites / "train" / "pair_0.png").read_bytes()
    (tmp_path / "train" / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"cut\.png cannot be read"):
        CompositePairs(tmp_path, "train", (64, 64))[0]


@pytest.mark.skipif(not REAL.is_dir(), reason="the optional real samples are not here")
@pytest.mark.parametrize("name", ["senz3d", "dayton"])
def test_real_composites_open(name: str) -> None:
    for split in ("train", "test"):
        pairs = CompositePairs(REAL / name, split, (64, 64), order="x y Lx Ly", flip=True)
        assert all(value.shape == (3, 64, 64) and value.abs().max() <= 1 for value in pairs[0].values())
