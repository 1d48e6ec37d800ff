"""Keypoints of one format in another."""

import torch

from cyclekit._typed import typed
from cyclekit.keypoints._decode import Keypoints
from cyclekit.keypoints._skeleton import Skeleton

_MIDDLES = {"neck": ("right_shoulder", "left_shoulder"), "mid_hip": ("right_hip", "left_hip")}


@typed
def convert_keypoints(keypoints: Keypoints, source: Skeleton, target: Skeleton) -> Keypoints:
    """Bring keypoints from one skeleton's order to another's, joint by name.

    A neck or the middle of the hips that the source lacks lies half way between the shoulders or the hips, as
    OpenPose defines it, and is there when both are. Differentiable in the points.

    Args:
        keypoints: Points and which are there, as many as the source's joints.
        source: The skeleton they are of.
        target: The skeleton wanted, such as `OPENPOSE_18` for `pose_mask`.

    Returns:
        Points and which are there, as many as the target's joints.

    Raises:
        ShapeError: An argument does not have the annotated type.
        ValueError: The points are not as many as the source's joints, or the target has a joint that cannot
            be had from the source.

    Source:
        The neck: https://github.com/CMU-Perceptual-Computing-Lab/openpose, which trains on COCO's joints with
        the shoulders' middle added.

    Example:
        ```python
        import torch
        from cyclekit.keypoints import COCO_17, OPENPOSE_18, Keypoints, convert_keypoints, pose_mask

        found = Keypoints(torch.rand(2, 17, 2) * 63, torch.ones(2, 17, dtype=torch.bool))
        points, visible = convert_keypoints(found, COCO_17, OPENPOSE_18)
        mask = pose_mask(points, size=(128, 64), visible=visible)
        ```
    """
    points, visible = keypoints
    source.check_joints(points.shape[1])
    ends = torch.tensor([_ends(joint, source, target) for joint in target.joints], device=points.device)
    first, second = ends.unbind(1)
    return Keypoints((points[:, first] + points[:, second]) / 2, visible[:, first] & visible[:, second])


def _ends(joint: str, source: Skeleton, target: Skeleton) -> tuple[int, int]:
    """Find the two joints of the source a joint lies between; twice the same where the source has it."""
    first, second = (joint, joint) if joint in source.joints else _MIDDLES.get(joint, (joint, joint))
    for name in (first, second):
        if name not in source.joints:
            raise ValueError(f"{target.name!r} has a joint {name!r} that {source.name!r} lacks")
    return source.joints.index(first), source.joints.index(second)
