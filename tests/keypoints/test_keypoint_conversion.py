import pytest
import torch

from cyclekit.keypoints import (
    COCO_17,
    HAND_21,
    OPENPOSE_18,
    OPENPOSE_25,
    Keypoints,
    PosedImage,
    Skeleton,
    convert_keypoints,
    mirror,
    pose_mask,
)


def numbered(skeleton: Skeleton) -> Keypoints:
    """Joint k at (k, 100 + k)."""
    x = torch.arange(len(skeleton), dtype=torch.float32)
    return Keypoints(torch.stack((x, x + 100), -1)[None], torch.ones(1, len(skeleton), dtype=torch.bool))


def test_coco_to_openpose_by_hand():
    points, visible = convert_keypoints(numbered(COCO_17), COCO_17, OPENPOSE_18)
    # nose; neck between the shoulders 5 and 6; right arm, left arm; right leg, left leg; eyes, ears.
    order = [0, 5.5, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3]
    assert points[0].tolist() == [[x, x + 100] for x in order]
    assert visible.all()


def test_a_middle_needs_both_sides():
    found = numbered(COCO_17)
    found.visible[0, COCO_17.joints.index("left_shoulder")] = False
    visible = convert_keypoints(found, COCO_17, OPENPOSE_18).visible[0]
    assert [OPENPOSE_18.joints[joint] for joint in (~visible).nonzero()] == ["neck", "left_shoulder"]


def test_openpose_25_to_18_leaves_out_what_18_lacks():
    points = convert_keypoints(numbered(OPENPOSE_25), OPENPOSE_25, OPENPOSE_18).points
    assert points[0, :, 0].tolist() == [*range(8), *range(9, 19)]


@pytest.mark.parametrize("skeleton", [COCO_17, OPENPOSE_18, OPENPOSE_25, HAND_21], ids=lambda s: s.name)
def test_a_format_in_itself_is_unchanged(skeleton):
    found = numbered(skeleton)
    assert all(map(torch.equal, convert_keypoints(found, skeleton, skeleton), found))


def test_converting_commutes_with_mirroring():
    generator = torch.Generator().manual_seed(0)
    found = Keypoints(torch.rand(2, 17, 2, generator=generator) * 30, torch.rand(2, 17, generator=generator) > 0.3)
    image = torch.zeros(2, 1, 32, 32)
    first = mirror(PosedImage(image, convert_keypoints(found, COCO_17, OPENPOSE_18)), OPENPOSE_18).keypoints
    second = convert_keypoints(mirror(PosedImage(image, found), COCO_17).keypoints, COCO_17, OPENPOSE_18)
    torch.testing.assert_close(first.points, second.points)
    assert torch.equal(first.visible, second.visible)


def test_converting_compiles_whole_and_is_differentiable():
    def work(points: torch.Tensor) -> torch.Tensor:
        found = Keypoints(points, torch.ones_like(points[..., 0]) > 0)
        return pose_mask(*convert_keypoints(found, COCO_17, OPENPOSE_18)[:1], (24, 20))

    points = torch.rand(1, 17, 2, generator=torch.Generator().manual_seed(0)) * 20
    assert torch.equal(torch.compile(work, fullgraph=True, backend="eager")(points), work(points))

    def converted(points: torch.Tensor) -> torch.Tensor:
        return convert_keypoints(Keypoints(points, points[..., 0] > -1), COCO_17, OPENPOSE_18).points

    assert torch.autograd.gradcheck(converted, (points.double().requires_grad_(),))


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="'openpose_25' has a joint 'left_big_toe' that 'openpose_18' lacks"):
        convert_keypoints(numbered(OPENPOSE_18), OPENPOSE_18, OPENPOSE_25)
    with pytest.raises(ValueError, match="'openpose_18' has a joint 'nose' that 'hand_21' lacks"):
        convert_keypoints(numbered(HAND_21), HAND_21, OPENPOSE_18)
    with pytest.raises(ValueError, match="'openpose_18' has 18 joints; got 17"):
        convert_keypoints(numbered(COCO_17), OPENPOSE_18, COCO_17)
