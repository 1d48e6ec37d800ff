"""Pairs with keypoints: points follow their picture, and pair files their annotations."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cyclekit import Heatmap, Landmarks, Mask, papers
from cyclekit.data import (
    BatchTransform,
    DataError,
    Drawing,
    KeypointPairs,
    SignalLoader,
    check_signals,
    read_pairs,
)
from cyclekit.keypoints import (
    COCO_17,
    OPENPOSE_18,
    Annotations,
    Keypoints,
    Skeleton,
    market_pairs,
    read_market_csv,
)

MARKET = Path(__file__).resolve().parents[3] / "shared" / "data" / "market-annotation-train.csv"
CORNERS = Skeleton("corners", ("top", "right", "left"), ((0, 1), (0, 2)), ((1, 2),))


def write(folder, names, size=(48, 24), joints=18):
    """Write a dark picture for each name with a white spot of 5x5 pixels at each joint; return the annotations."""
    height, width = size
    random = np.random.default_rng(0)
    points = np.stack(
        [random.integers(4, width - 4, (len(names), joints)), random.integers(4, height - 4, (len(names), joints))], -1
    )
    for name, places in zip(names, points, strict=True):
        pixels = np.zeros((height, width, 3), np.uint8)
        for x, y in places:
            pixels[y - 2 : y + 3, x - 2 : x + 3] = 255
        Image.fromarray(pixels).save(folder / name)
    visible = torch.ones(len(names), joints, dtype=torch.bool)
    return Annotations(tuple(names), Keypoints(torch.from_numpy(points).float(), visible))


def test_a_pair_has_both_pictures_and_both_keypoints(tmp_path):
    annotations = write(tmp_path, ["a.png", "b.png", "c.png"])
    data = KeypointPairs(tmp_path, annotations)
    assert len(data) == 6
    assert data.signals["Lx"] == Heatmap(18)
    sample = data[3]
    x, y = data.pairs[3].tolist()
    assert torch.equal(sample["Lx"][:, :2], annotations.keypoints.points[x])
    assert torch.equal(sample["Ly"][:, :2], annotations.keypoints.points[y])
    assert sample["x"].shape == sample["y"].shape == (3, 48, 24)
    assert str(data) == f"6 pairs of 3 pictures in {tmp_path}"
    check_signals(papers.c2gan().graph, data)
    check_signals(papers.pg2().graph, KeypointPairs(tmp_path, annotations, mask="M"))


@pytest.mark.parametrize("size", [(48, 24), (96, 48), (24, 12), (40, 40), (30, 24)])
@pytest.mark.parametrize("flip", [0, 1])
def test_joints_lie_on_what_they_mark_at_every_size(size, flip, tmp_path):
    annotations = write(tmp_path, ["a.png", "b.png"], joints=3)
    data = KeypointPairs(tmp_path, annotations, drawing=Drawing(CORNERS, "discs", 0.8), size=size, fit="crop")
    batch = next(SignalLoader(data, 2, transform=BatchTransform(data, flip=flip)).batches())
    marked = batch["Lx"] > 0
    assert marked.any()
    assert (batch["x"].mean(1, keepdim=True).expand_as(marked)[marked] > 0.3).all()


def test_a_crop_moves_joints_with_their_picture(tmp_path):
    annotations = write(tmp_path, ["a.png", "b.png"], joints=3)
    data = KeypointPairs(tmp_path, annotations, drawing=Drawing(CORNERS, "dark_dots", 1), size=(48, 24))
    transform = BatchTransform(data, crop=(32, 20), flip=0.5)
    for step in range(5):
        batch = next(SignalLoader(data, 2, transform=transform).batches(start=step))
        assert batch["Lx"].shape == (2, 3, 32, 20)
        assert (batch["x"][batch["Lx"] < -0.9] == 1).all()


def test_styles_give_their_domains(tmp_path):
    annotations = write(tmp_path, ["a.png", "b.png"])
    for style, domain in (("discs", Heatmap(18)), ("stick_figure", Landmarks(3)), ("dark_dots", Landmarks(3))):
        data = KeypointPairs(tmp_path, annotations, drawing=Drawing(OPENPOSE_18, style), mask="M")
        assert data.signals["Lx"] == domain
        assert data.signals["M"] == Mask(1)
        batch = next(SignalLoader(data, 2).batches())
        assert batch["Ly"].shape == (2, domain.channels, 48, 24)
        assert set(batch["M"].unique().tolist()) <= {0, 1}


def test_a_body_is_as_thick_at_every_size(tmp_path):
    """A mask at twice the size, made smaller again, is the mask."""
    annotations = write(tmp_path, ["a.png", "b.png"])
    small, large = (
        next(SignalLoader(KeypointPairs(tmp_path, annotations, mask="M", size=size), 2, seed=0).batches())["M"]
        for size in ((96, 48), (192, 96))
    )
    shrunk = torch.nn.functional.avg_pool2d(large, 2)
    assert small.mean() > 0.01
    assert (small - shrunk).abs().mean() < 0.1 * small.mean()


def test_what_does_not_fit_is_named(tmp_path):
    names = ["a.png", "b.png", "c.png"]
    annotations = write(tmp_path, names)
    points, visible = annotations.keypoints
    with pytest.raises(DataError, match=r"the pair \(0, 3\) names a row that is not there: the annotations have 3"):
        KeypointPairs(tmp_path, annotations, [(0, 1), (0, 3)])
    with pytest.raises(DataError, match="there are no pairs"):
        KeypointPairs(tmp_path, annotations, [])
    with pytest.raises(DataError, match="have 18 joints, and coco_17 has 17"):
        KeypointPairs(tmp_path, annotations, drawing=Drawing(COCO_17))
    with pytest.raises(DataError, match=r"1 of 2 annotated pictures are not in .*: z\.png; it holds a\.png, b\.png"):
        KeypointPairs(tmp_path, Annotations(("a.png", "z.png", "c.png"), annotations.keypoints), [(0, 1)])
    nobody = Annotations(tuple(names), Keypoints(points, visible & (torch.arange(3) != 1)[:, None]))
    with pytest.raises(DataError, match=r"1 pictures of the pairs have no joint at all: b\.png"):
        KeypointPairs(tmp_path, nobody)
    assert len(KeypointPairs(tmp_path, nobody, [(0, 2)])) == 1
    with pytest.raises(DataError, match="no such folder"):
        KeypointPairs(tmp_path / "nowhere", annotations)
    with pytest.raises(DataError, match="each once; got x, y, L, L"):
        KeypointPairs(tmp_path, annotations, names=("x", "y", "L", "L"))
    with pytest.raises(DataError, match="each once; got x, y, Lx, Ly, x"):
        KeypointPairs(tmp_path, annotations, mask="x")
    with pytest.raises(DataError, match="two annotated pictures or more; got 1"):
        KeypointPairs(tmp_path, Annotations(("a.png",), Keypoints(points[:1], visible[:1])))


def test_only_pictures_of_pairs_are_needed(tmp_path):
    annotations = write(tmp_path, ["a.png", "b.png", "c.png"])
    (tmp_path / "c.png").write_bytes(b"")
    assert len(KeypointPairs(tmp_path, annotations, [(0, 1), (1, 0)])) == 2
    with pytest.raises(DataError, match=r"c\.png cannot be read"):
        KeypointPairs(tmp_path, annotations)


def test_frames_may_be_named_without_an_ending(tmp_path):
    annotations = write(tmp_path, ["1.png", "2.png"])
    frames = Annotations(("1", "2"), annotations.keypoints)
    assert torch.equal(KeypointPairs(tmp_path, frames)[0]["x"], KeypointPairs(tmp_path, annotations)[0]["x"])


PAIR_FILES = {
    "": "line 1: expected the header from,to; got ''",
    "a.png,b.png\n": "line 1: expected the header",
    "from,to\n": "holds no pairs",
    "from,to\na.png\n": "line 2: expected two names",
    "from,to\na.png,b.png\n\na.png,q.png\n": r"line 4: 'q\.png' is not annotated; the annotations are of another set",
    "from,to\na.png,t.png\n": r"line 2: 't\.png' has several rows",
}


@pytest.mark.parametrize("text", PAIR_FILES)
def test_pair_files_that_do_not_match_annotations_are_named(text, tmp_path):
    keypoints = Keypoints(torch.zeros(4, 18, 2), torch.ones(4, 18, dtype=torch.bool))
    annotations = Annotations(("a.png", "b.png", "t.png", "t.png"), keypoints)
    (tmp_path / "pairs.csv").write_text(text)
    with pytest.raises(DataError, match=rf"pairs\.csv.*{PAIR_FILES[text]}"):
        read_pairs(tmp_path / "pairs.csv", annotations)


def test_pair_files_are_read_in_order(tmp_path):
    keypoints = Keypoints(torch.zeros(2, 18, 2), torch.ones(2, 18, dtype=torch.bool))
    (tmp_path / "pairs.csv").write_text("from,to\nb.png,a.png\na.png,b.png\n")
    assert read_pairs(tmp_path / "pairs.csv", Annotations(("a.png", "b.png"), keypoints)) == ((1, 0), (0, 1))
    (tmp_path / "bytes.csv").write_bytes(b"from,to\n\xff\n")
    with pytest.raises(DataError, match=r"bytes\.csv is no text"):
        read_pairs(tmp_path / "bytes.csv", Annotations(("a.png", "b.png"), keypoints))
    with pytest.raises(DataError, match="is no file"):
        read_pairs(tmp_path, Annotations(("a.png", "b.png"), keypoints))


@pytest.mark.skipif(not MARKET.is_file(), reason="the optional real annotations are not here")
def test_market_1501s_pairs(tmp_path):
    annotations = read_market_csv(MARKET)
    pairs = market_pairs(annotations)
    assert len(pairs) == 263_632
    few = [pair for pair in pairs if pair[0] < 20 and pair[1] < 20]
    for row in {row for pair in few for row in pair}:
        Image.new("RGB", (64, 128)).save(tmp_path / annotations.names[row])
    data = KeypointPairs(tmp_path, annotations, few, mask="M")
    batch = next(SignalLoader(data, 4, transform=BatchTransform(data, flip=0.5)).batches())
    assert batch["Lx"].shape == (4, 18, 128, 64)
    assert batch["M"].sum((1, 2, 3)).min() > 100


def test_names_and_rows_of_keypoints_belong_together(tmp_path):
    names, keypoints = write(tmp_path, ["a.png", "b.png", "c.png"])
    for wrong in (names[:2], names * 2):
        with pytest.raises(DataError, match=f"{len(wrong)} names and 3 rows of keypoints"):
            KeypointPairs(tmp_path, Annotations(wrong, keypoints))
    with pytest.raises(DataError, match="2 of 3 rows are of a picture that has a row already"):
        KeypointPairs(tmp_path, Annotations(names[:1] * 3, keypoints))


def test_a_joint_outside_its_picture_is_missing_and_counted(tmp_path):
    annotations = write(tmp_path, ["a.png", "b.png", "alone.png"])
    points, visible = annotations.keypoints
    height, width = 48, 24
    points[0, :4] = torch.tensor([[-0.6, 3.0], [3.0, height - 0.4], [-0.5, -0.5], [width - 0.5, height - 0.5]])
    pair = Annotations(annotations.names[:2], Keypoints(points[:2], visible[:2]))
    data = KeypointPairs(tmp_path, pair)
    assert data.outside == 2
    assert str(data).endswith("; left out: 1 pictures of no pair; 2 joints outside their pictures are missing")
    assert data[0]["Lx"][:5, 2].tolist() == [0, 0, 1, 1, 1]
    halved = KeypointPairs(tmp_path, pair, size=(height // 2, width // 2))
    assert halved[0]["Lx"][:5, 2].tolist() == [0, 0, 1, 1, 1]
    batch = next(SignalLoader(data, 2).batches())
    for lost in range(2):
        assert (batch["Lx"][:, lost].amax((1, 2)) == -1).any()
    unread = KeypointPairs(tmp_path, pair, check=False)
    assert (unread.outside, unread[0]["Lx"][0, 2]) == (0, 0)
    points[1] += 1000
    with pytest.raises(DataError, match=r"1 pictures of the pairs have all their joints outside: b\.png"):
        KeypointPairs(tmp_path, pair)
