"""PoseGAN's deformable skip, and PG2's mask."""

import pytest
import torch

from comparison.deformable import PARTS, boxes, warp
from comparison.variants import body
from cyclekit import Heatmap, Landmarks
from cyclekit.keypoints import OPENPOSE_18, Keypoints, landmark_image, pose_mask, render_heatmaps

SIZE = (64, 32)
JOINT = {name: place for place, name in enumerate(OPENPOSE_18.joints)}


def standing() -> torch.Tensor:
    """A person from the front, its joints (1, 18, 2) in pixels, its right side on the picture's left."""
    places = {
        **{"nose": (16, 8), "neck": (16, 16), "right_eye": (15, 7), "left_eye": (17, 7)},
        **{"right_ear": (14, 8), "left_ear": (18, 8), "right_shoulder": (11, 17), "left_shoulder": (21, 17)},
        **{"right_elbow": (8, 25), "left_elbow": (24, 25), "right_wrist": (7, 32), "left_wrist": (25, 32)},
        **{"right_hip": (13, 34), "left_hip": (19, 34), "right_knee": (12, 45), "left_knee": (20, 45)},
        **{"right_ankle": (12, 56), "left_ankle": (20, 56)},
    }
    return torch.tensor([places[name] for name in OPENPOSE_18.joints], dtype=torch.float32)[None]


def maps(points: torch.Tensor, visible: torch.Tensor | None = None) -> torch.Tensor:
    return 2 * render_heatmaps(points, SIZE, 1.5, visible) - 1


def test_the_same_pose_leaves_features_where_they_are() -> None:
    features = torch.rand(1, 3, 32, 16)
    pose = maps(standing())
    torch.testing.assert_close(warp(features, pose, pose), features, atol=1e-4, rtol=0)


def test_a_moved_person_takes_its_features_along() -> None:
    """A whole body that moves by four pixels moves its features by two, at half the size."""
    features = torch.rand(1, 2, 32, 16)
    moved = warp(features, maps(standing()), maps(standing() + torch.tensor([4.0, 2.0])))
    torch.testing.assert_close(moved[:, :, 1:, 2:], features[:, :, :-1, :-2], atol=1e-3, rtol=0)


def test_a_raised_arm_carries_what_was_on_it() -> None:
    features = torch.zeros(1, 1, *SIZE)
    x, y = 24, 29  # between left elbow and wrist
    features[0, 0, y - 1 : y + 2, x - 1 : x + 2] = 1
    target = standing()
    target[0, JOINT["left_wrist"]] = torch.tensor([30.0, 22.0])
    found = warp(features, maps(standing()), maps(target))[0, 0]
    middle = (target[0, JOINT["left_elbow"]] + target[0, JOINT["left_wrist"]]) / 2
    assert found[round(middle[1].item()), round(middle[0].item())] > 0.5


def test_a_person_that_turns_round_is_mirrored() -> None:
    behind = standing()
    for right, left in OPENPOSE_18.pairs:
        behind[:, [right, left]] = behind[:, [left, right]]
    features = torch.zeros(1, 1, *SIZE)
    features[..., :16] = 1  # on the person's right
    found = warp(features, maps(standing()), maps(behind))[0, 0]
    assert found[25, 12] < 0.1
    assert found[25, 20] > 0.9


def test_who_is_not_seen_stays() -> None:
    features = torch.rand(1, 3, 16, 8)
    nobody = -torch.ones(1, 18, *SIZE)
    torch.testing.assert_close(warp(features, nobody, maps(standing())), features)
    part = torch.ones(1, 18, dtype=torch.bool)
    part[0, JOINT["left_wrist"]] = False
    there = boxes(Keypoints(standing(), part)).there[0]
    assert there.sum() == len(PARTS) - 1


def test_gradients_reach_the_features() -> None:
    features = torch.rand(2, 3, 16, 8, requires_grad=True)
    warp(features, maps(standing()).expand(2, -1, -1, -1), maps(standing() + 3).expand(2, -1, -1, -1)).sum().backward()
    assert features.grad is not None
    assert features.grad.isfinite().all()
    assert (features.grad > 0).any()


def test_the_mask_is_the_persons_body_and_the_faces_landmarks() -> None:
    heatmaps = maps(standing())
    wanted = pose_mask(standing(), SIZE, "pg2", 2)
    assert torch.equal(body(heatmaps, Heatmap(18)), wanted)
    points = torch.tensor([[[20.0, 20.0], [40.0, 44.0]]])
    dots = 2 * landmark_image(points, (64, 64), 2) - 1
    found = body(dots, Landmarks(3))
    assert torch.equal(found, body(-dots, Landmarks(3)))  # bright ones on black
    assert found.shape == (1, 1, 64, 64)
    assert found[0, 0, 20, 20] == found[0, 0, 44, 40] == found[0, 0, 20, 24] == 1
    assert found.mean() == pytest.approx(0.06, abs=0.03)
