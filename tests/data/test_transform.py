"""Signals of one scene move together: maps, masks, classes and points."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclekit import Classes, Heatmap, Image, Label, Mask, Vector
from cyclekit.data import BatchTransform, ColourJitter, DataError, Drawing, SignalDataset, StepRandom
from cyclekit.keypoints import OPENPOSE_18, Skeleton

GLASSES = Skeleton("glasses", ("bridge", "right", "left"), ((0, 1), (0, 2)), ((1, 2),))
SIZE = (12, 10)


class Scene(SignalDataset):
    """One scene in every way: a picture that marks three joints, its mask, its classes, its points, its heatmaps."""

    def __init__(self, groups=None, drawings=True, **signals):
        self.signals = signals
        self._groups = groups or (tuple(signals),)
        self.drawings = {"L": Drawing(GLASSES, "discs", 0.6)} if drawings else {}

    @property
    def groups(self):
        return self._groups

    def __len__(self):
        return 8

    def __getitem__(self, index):
        raise NotImplementedError


KINDS = {"x": Image(3), "M": Mask(), "s": Classes(4), "L": Heatmap(3), "h": Heatmap(3), "c": Label(4), "v": Vector(2)}


def raw(batch, seed=0):
    """Return scenes of three joints, each at a pixel of its own: red, green and blue; class 1 to 3."""
    random = torch.Generator().manual_seed(seed)
    height, width = SIZE
    places = torch.stack([torch.randperm(height * width, generator=random)[:3] for _ in range(batch)])
    maps = torch.zeros(batch, 3, height * width, dtype=torch.uint8).scatter_(2, places[..., None], 255)
    maps = maps.reshape(batch, 3, height, width)
    classes = (maps // 255 * torch.arange(1, 4)[:, None, None]).sum(1).to(torch.uint8)
    points = torch.stack((places % width, places // width, torch.ones_like(places)), -1).float()
    return {
        "x": maps,
        "M": maps.amax(1, keepdim=True),
        "s": classes,
        "L": points,
        "h": maps.clone(),
        "c": torch.arange(batch) % 4,
        "v": torch.rand(batch, 2, generator=random),
    }


def made(batch=64, step=0, data=None, **options):
    data = data or Scene(**KINDS)
    random = StepRandom(0, step, batch)
    return BatchTransform(data, **options)({name: raw(batch)[name] for name in data.signals}, random)


def test_without_options_values_are_just_brought_to_the_models_range():
    batch, before = made(), raw(64)
    assert torch.equal(batch["x"], before["x"] / 127.5 - 1)
    assert torch.equal(batch["M"], before["M"] / 255)
    assert torch.equal(batch["s"], before["s"].long())
    assert batch["c"].dtype == torch.int64
    assert torch.equal(batch["v"], before["v"])
    assert torch.equal(batch["L"], batch["x"])  # a disc of one pixel at each joint
    assert torch.equal(batch["h"], batch["x"])


@settings(deadline=None, max_examples=25)
@given(
    flip=st.sampled_from([0.0, 0.5, 1.0]),
    crop=st.none() | st.tuples(st.integers(1, SIZE[0]), st.integers(1, SIZE[1])),
    step=st.integers(0, 1000),
)
def test_a_scene_stays_one_scene(flip, crop, step):
    batch = made(step=step, flip=flip, crop=crop, skeleton=GLASSES)
    x = batch["x"]
    assert x.shape[-2:] == (crop or SIZE)
    assert torch.equal(batch["M"], (x.amax(1, keepdim=True) + 1) / 2)
    assert torch.equal(batch["s"], ((x + 1) / 2 * torch.arange(1, 4)[:, None, None]).sum(1).long())
    assert torch.equal(batch["L"], batch["h"])
    # pictures keep their colours, joints that are left and right trade places where the scene is mirrored
    swapped = x[:, [0, 2, 1]]
    stays = (batch["h"] == x).flatten(1).all(1)
    turned = (batch["h"] == swapped).flatten(1).all(1)
    assert (stays | turned).all()


def test_a_sure_mirror_image_is_exact():
    batch, before = made(flip=1, skeleton=GLASSES), raw(64)
    x = before["x"].flip(-1) / 127.5 - 1
    assert torch.equal(batch["x"], x)
    assert torch.equal(batch["L"], x[:, [0, 2, 1]])
    assert torch.equal(batch["s"], before["s"].flip(-1).long())


def test_about_half_are_mirrored_and_crops_reach_every_corner():
    before = raw(64)["x"] / 127.5 - 1
    mirrored = (made(flip=0.5, data=Scene(x=Image(3)))["x"] == before.flip(-1)).flatten(1).all(1)
    assert 16 < mirrored.sum() < 48
    ramp = {"x": torch.arange(120, dtype=torch.uint8).reshape(1, 1, 12, 10).repeat(400, 1, 1, 1)}
    cropped = BatchTransform(Scene(x=Image(1)), crop=(9, 8))(ramp, StepRandom(0, 0, 400))
    corners = ((cropped["x"][:, 0, 0, 0] + 1) * 127.5).round().long().unique().tolist()
    assert corners == [10 * row + column for row in range(4) for column in range(3)]


def test_scenes_that_have_nothing_in_common_move_by_themselves():
    data = Scene(groups=(("x",), ("h",)), drawings=False, x=Image(3), h=Heatmap(3))
    batch = made(data=data, flip=0.5, skeleton=GLASSES)
    swapped = batch["h"][:, [0, 2, 1]]
    both = (batch["x"] == batch["h"]).flatten(1).all(1) | (batch["x"] == swapped).flatten(1).all(1)
    assert not both.all()


def test_points_that_are_not_there_are_not_drawn():
    data = Scene(**KINDS)
    before = raw(4)
    before["L"][:, 1, 2] = 0
    batch = BatchTransform(data, flip=1, skeleton=GLASSES)(before, StepRandom(0, 0, 4))
    assert (batch["L"][:, 2] == -1).all()
    assert (batch["L"][:, [0, 1]].amax((2, 3)) == 1).all()


@pytest.mark.parametrize("style", ["heatmaps", "discs", "dark_dots", "bright_dots", "stick_figure", "mask"])
def test_every_style_draws_its_domain(style):
    drawing = Drawing(OPENPOSE_18, style)
    points = torch.rand(2, 18, 2) * 30
    maps = drawing.draw(points, torch.ones(2, 18, dtype=torch.bool), (40, 32))
    assert maps.shape == (2, drawing.domain.channels, 40, 32)
    assert maps.min() >= 0
    assert 0.5 < maps.max() <= 1
    nothing = drawing.draw(points, torch.zeros(2, 18, dtype=torch.bool), (40, 32))
    assert (nothing == (1 if style == "dark_dots" else 0)).all()


def test_colours_change_alike_in_one_scene_and_in_images_alone():
    data = Scene(x=Image(3), y=Image(3), g=Image(1), M=Mask(), drawings=False)
    picture = torch.randint(0, 256, (16, 3, 12, 10), dtype=torch.uint8)
    before = {"x": picture, "y": picture, "g": picture[:, :1], "M": picture[:, :1]}
    batch = BatchTransform(data, colour=ColourJitter(hue=0.1))(before, StepRandom(0, 0, 16))
    assert torch.equal(batch["x"], batch["y"])
    assert torch.equal(batch["M"], before["M"] / 255)
    assert all(batch[name].min() >= -1 and batch[name].max() <= 1 for name in "xyg")
    for name in "xg":
        changed = (batch[name] - (before[name] / 127.5 - 1)).abs().flatten(1).amax(1)
        assert (changed > 0.01).sum() > 12
    still = BatchTransform(data, colour=ColourJitter(0, 0, 0))(before, StepRandom(0, 0, 16))
    torch.testing.assert_close(still["x"], before["x"] / 127.5 - 1, atol=1e-5, rtol=0)


def test_what_cannot_be_done_is_said_before_training():
    with pytest.raises(DataError, match=r"mirroring 'h', Heatmap\(3\), must swap left and right joints"):
        BatchTransform(Scene(**KINDS), flip=0.5)
    with pytest.raises(ValueError, match="'openpose_18' has 18 joints; got 3"):
        BatchTransform(Scene(**KINDS), flip=0.5, skeleton=OPENPOSE_18)
    with pytest.raises(DataError, match="flip is a probability"):
        BatchTransform(Scene(**KINDS), flip=1.5)
    with pytest.raises(DataError, match=r"crop is \(height, width\)"):
        BatchTransform(Scene(**KINDS), crop=(0, 4))
    with pytest.raises(DataError, match=r"the crop \(13, 10\) is larger than 'x', which is \(12, 10\)"):
        made(crop=(13, 10))
    with pytest.raises(DataError, match=r"hue is from 0 to 0\.5; got 1"):
        ColourJitter(hue=1)
    with pytest.raises(DataError, match=r"drawn as one of .*; got 'blobs'"):
        Drawing(OPENPOSE_18, "blobs")
    with pytest.raises(DataError, match="a mask is drawn of openpose_18 alone; got glasses"):
        Drawing(GLASSES, "mask")
    with pytest.raises(DataError, match="positive number of pixels"):
        Drawing(GLASSES, width=0)
