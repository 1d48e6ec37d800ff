import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclekit.errors import ShapeError
from cyclekit.keypoints import (
    OPENPOSE_18,
    Keypoints,
    PosedImage,
    Skeleton,
    decode_heatmaps,
    mirror,
    random_transforms,
    render_heatmaps,
    warp,
)

NAN = float("nan")
TWO = Skeleton("two", ("middle", "left", "right"), ((0, 1), (0, 2)), ((1, 2),))
SIZE = (24, 32)


def posed(seed: int = 0, batch: int = 2) -> PosedImage:
    """A sample whose heatmaps show its keypoints, well inside the frame; right is missing in the first."""
    generator = torch.Generator().manual_seed(seed)
    points = torch.rand(batch, 3, 2, generator=generator) * torch.tensor([12.0, 8.0]) + torch.tensor([10.0, 8.0])
    visible = torch.ones(batch, 3, dtype=torch.bool)
    visible[0, 2] = False
    image = torch.rand(batch, 3, *SIZE, generator=generator)
    masks = (torch.rand(batch, 1, *SIZE, generator=generator) > 0.5).float()
    return PosedImage(image, Keypoints(points, visible), masks, render_heatmaps(points, SIZE, 1.5, visible))


def translation(x: float, y: float) -> torch.Tensor:
    return torch.tensor([[[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]]]).repeat(2, 1, 1)


def mirroring() -> torch.Tensor:
    return torch.tensor([[[-1.0, 0.0, 31.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]]).repeat(2, 1, 1)


def test_a_mirror_image_by_hand():
    image = torch.arange(6.0).reshape(1, 1, 2, 3)
    points = torch.tensor([[[0.0, 1.0], [0.5, 0.0], [2.0, 1.0]]])
    heatmaps = torch.stack([torch.full((2, 3), float(joint)) for joint in range(3)])[None]
    heatmaps[0, 1, 0, 0] = 7
    visible = torch.tensor([[True, True, False]])
    found = mirror(PosedImage(image, Keypoints(points, visible), (image > 2).float(), heatmaps), TWO)
    assert found.image.flatten().tolist() == [2, 1, 0, 5, 4, 3]
    assert found.keypoints.points.tolist() == [[[2, 1], [0, 1], [1.5, 0]]]
    assert found.keypoints.visible.tolist() == [[True, False, True]]
    assert found.masks is not None
    assert found.masks.flatten().tolist() == [0, 0, 0, 1, 1, 1]
    assert found.heatmaps is not None
    assert found.heatmaps[0, :, 0].tolist() == [[0, 0, 0], [2, 2, 2], [1, 1, 7]]


def test_mirrored_heatmaps_show_the_mirrored_keypoints():
    found = mirror(posed(), TWO)
    again = render_heatmaps(found.keypoints.points, SIZE, 1.5, found.keypoints.visible)
    torch.testing.assert_close(found.heatmaps, again, rtol=0, atol=1e-5)


def test_mirroring_twice_changes_nothing_and_where_chooses():
    before = posed()
    torch.testing.assert_close(mirror(mirror(before, TWO), TWO), before)
    some = mirror(before, TWO, torch.tensor([False, True]))
    whole = mirror(before, TWO)
    assert torch.equal(some.image[0], before.image[0])
    assert torch.equal(some.image[1], whole.image[1])
    assert torch.equal(some.keypoints.points[0], before.keypoints.points[0])
    assert torch.equal(some.keypoints.visible[1], whole.keypoints.visible[1])


def test_fields_that_are_not_there_stay_away():
    bare = posed()._replace(masks=None, heatmaps=None)
    assert mirror(bare, TWO)[2:] == (None, None)
    assert warp(bare, translation(1, 2), TWO)[2:] == (None, None)


def test_a_shift_by_whole_pixels_moves_everything():
    before = posed()
    found = warp(before, translation(3, -2), TWO, padding="zeros")
    torch.testing.assert_close(found.image[..., :-2, 3:], before.image[..., 2:, :-3], rtol=0, atol=1e-4)
    assert found.image[..., :3].abs().max() < 1e-4
    torch.testing.assert_close(
        found.keypoints.points, before.keypoints.points + torch.tensor([3.0, -2.0]), rtol=0, atol=1e-4
    )
    assert found.masks is not None
    assert before.masks is not None
    assert torch.equal(found.masks[..., :-2, 3:], before.masks[..., 2:, :-3])


def test_a_mirroring_matrix_is_mirror():
    before = posed()
    torch.testing.assert_close(warp(before, mirroring(), TWO), mirror(before, TWO), rtol=0, atol=1e-4)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_heatmaps_follow_the_keypoints_under_any_transform(seed):
    before = posed(seed)
    generator = torch.Generator().manual_seed(seed)
    matrices = random_transforms(2, SIZE, 0.5, degrees=30, translate=0.05, scale=(0.9, 1.1), generator=generator)
    found = warp(before, matrices, TWO)
    assert found.heatmaps is not None
    shown = decode_heatmaps(found.heatmaps, "argmax", threshold=0.3)
    assert torch.equal(shown.visible, found.keypoints.visible)
    distance = (shown.points - found.keypoints.points).abs().amax(-1)
    assert distance[shown.visible].max() <= 1


def test_missing_points_stay_missing_and_pairs_move_alike():
    x, y = posed(1), posed(2)
    x.keypoints.points[1, 0] = NAN
    matrices = random_transforms(2, SIZE, flip=1, degrees=20, generator=torch.Generator().manual_seed(0))
    found = warp(x, matrices, TWO).keypoints.points
    assert found[1, 0].isnan().all()
    assert found[1, 1:].isfinite().all()
    same = warp(y._replace(image=x.image), matrices, TWO)
    torch.testing.assert_close(same.image, warp(x, matrices, TWO).image)


def test_random_transforms_keep_to_their_ranges():
    generator = torch.Generator().manual_seed(3)
    found = random_transforms(400, (21, 41), 0.25, 10, 0.1, (0.5, 2.0), generator)
    determinant = torch.linalg.det(found[:, :2, :2])
    # 400 coins of 0.25: four standard deviations are 35.
    assert 65 < (determinant < 0).sum() < 135
    factor = determinant.abs().sqrt()
    assert 0.5 <= factor.min() < 0.6
    assert 1.9 < factor.max() <= 2.0
    turned = torch.atan2(found[:, 1, 0], found[:, 1, 1]).rad2deg().abs()
    assert 9 < turned.max() <= 10 + 1e-3
    shift = found @ torch.tensor([20.0, 10.0, 1.0]) - torch.tensor([20.0, 10.0, 1.0])
    assert (shift.abs().amax(0) <= torch.tensor([4.1, 2.1, 0.0]) + 1e-3).all()
    again = random_transforms(400, (21, 41), 0.25, 10, 0.1, (0.5, 2.0), torch.Generator().manual_seed(3))
    assert torch.equal(found, again)


def test_no_ranges_no_motion():
    torch.testing.assert_close(random_transforms(3, (8, 8), flip=0), torch.eye(3).repeat(3, 1, 1))
    expected = torch.tensor([[-1.0, 0.0, 7.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    torch.testing.assert_close(random_transforms(1, (5, 8), flip=1)[0], expected)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_every_field_keeps_its_dtype(dtype):
    before = posed()
    points, visible = before.keypoints
    other = PosedImage(before.image.to(dtype), Keypoints(points.double(), visible), before.masks, before.heatmaps)
    matrices = random_transforms(2, SIZE, flip=1, degrees=20, generator=torch.Generator().manual_seed(0))
    found, expected = warp(other, matrices, TWO), warp(before, matrices, TWO)
    assert (found.image.dtype, found.keypoints.points.dtype) == (dtype, torch.float64)
    torch.testing.assert_close(found.image.float(), expected.image, rtol=0, atol=1e-2)
    torch.testing.assert_close(found.keypoints.points.float(), expected.keypoints.points, rtol=0, atol=1e-4)
    torch.testing.assert_close(found[2:], expected[2:])


def test_a_quarter_turn_turns_about_the_centre():
    turn = math.pi / 2
    matrix = torch.tensor(
        [[[math.cos(turn), math.sin(turn), 0.0], [-math.sin(turn), math.cos(turn), 4.0], [0.0, 0.0, 1.0]]]
    )
    image = torch.arange(25.0).reshape(1, 1, 5, 5)
    points = torch.tensor([[[4.0, 0.0], [2.0, 2.0], [0.0, 1.0]]])
    before = PosedImage(image, Keypoints(points, torch.ones(1, 3, dtype=torch.bool)))
    found = warp(before, matrix, TWO)
    torch.testing.assert_close(found.image, image.rot90(1, (2, 3)), rtol=0, atol=1e-3)
    expected = torch.tensor([[[0.0, 0.0], [2.0, 2.0], [1.0, 4.0]]])
    torch.testing.assert_close(found.keypoints.points, expected, rtol=0, atol=1e-5)


def test_moving_compiles_whole():
    before = posed()
    matrices = random_transforms(2, SIZE, 1, degrees=10, generator=torch.Generator().manual_seed(0))
    compiled = torch.compile(warp, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(before, matrices, TWO), warp(before, matrices, TWO))


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="'openpose_18' has 18 joints; got 3 points"):
        mirror(posed(), OPENPOSE_18)
    wrong = posed()
    with pytest.raises(ValueError, match="'two' has 3 joints; got 2"):
        mirror(wrong._replace(heatmaps=torch.zeros(2, 2, *SIZE)), TWO)
    with pytest.raises(ShapeError, match="matrices"):
        warp(posed(), torch.zeros(2, 2, 3), TWO)
    with pytest.raises(ValueError, match=r"probability, 0 to 1; got 1\.5"):
        random_transforms(1, SIZE, flip=1.5)
    with pytest.raises(ValueError, match="negative; got -1 and 0"):
        random_transforms(1, SIZE, degrees=-1)
    with pytest.raises(ValueError, match=r"both positive; got \(2, 1\)"):
        random_transforms(1, SIZE, scale=(2, 1))
