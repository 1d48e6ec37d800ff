"""Skeletons: the joints and limbs of bodies, hands and faces, and keypoints from one to another."""

import colorsys
from dataclasses import dataclass
from itertools import pairwise

import torch

from cyclekit._typed import typed
from cyclekit.errors import ArgumentError
from cyclekit.keypoints.heatmaps import Keypoints, check_keypoints

Colour = tuple[float, float, float]


@typed
def _check_fields_of_skeleton(
    name: str,
    joints: tuple[str, ...],
    limbs: tuple[tuple[int, int], ...],
    pairs: tuple[tuple[int, int], ...],
    colours: tuple[Colour, ...],
) -> None:
    """Raise unless a skeleton's fields have their types, at which a dataclass does not look."""


@dataclass(frozen=True)
class Skeleton:
    """The joints of a keypoint format, as data.

    Args:
        name: What the format is called.
        joints: Names of the joints, in the order of their channels.
        limbs: Pairs of joint indices that are drawn connected.
        pairs: Pairs of joint indices that trade places in a mirror image. Joints in no pair stay.
        colours: One (red, green, blue) in [0, 1] for each limb; a walk around the colour wheel when left out.

    Raises:
        ShapeError: A field does not have the annotated type.
        ArgumentError: There is no joint, a name occurs twice, an index is no joint's, a joint is in two pairs, or
            the colours are not as many as the limbs or lie outside of [0, 1].

    Example:
        ```python
        from cyclekit.keypoints import Skeleton

        glasses = Skeleton("glasses", ("bridge", "right lens", "left lens"), ((0, 1), (0, 2)), ((1, 2),))
        assert glasses.mirror == (0, 2, 1)
        ```
    """

    name: str
    joints: tuple[str, ...]
    limbs: tuple[tuple[int, int], ...]
    pairs: tuple[tuple[int, int], ...] = ()
    colours: tuple[Colour, ...] = ()

    def __post_init__(self) -> None:
        """Check the indices and fill in the colours."""
        _check_fields_of_skeleton(self.name, self.joints, self.limbs, self.pairs, self.colours)
        count = len(self.joints)
        if not count:
            raise ArgumentError(f"skeleton {self.name!r}: expected one joint or more")
        if len(set(self.joints)) < count:
            raise ArgumentError(f"skeleton {self.name!r}: each joint needs a name of its own")
        for kind, indices in (("limb", self.limbs), ("left-right pair", self.pairs)):
            for pair in indices:
                if pair[0] == pair[1] or not all(0 <= joint < count for joint in pair):
                    raise ArgumentError(
                        f"skeleton {self.name!r}: {kind} {pair} must be two of its joints, 0 to {count - 1}"
                    )
        paired = [joint for pair in self.pairs for joint in pair]
        if len(set(paired)) < len(paired):
            raise ArgumentError(f"skeleton {self.name!r}: a joint is in more than one left-right pair")
        if not self.colours:
            wheel = (colorsys.hsv_to_rgb(limb / len(self.limbs), 1, 1) for limb in range(len(self.limbs)))
            object.__setattr__(self, "colours", tuple(wheel))
        if len(self.colours) != len(self.limbs):
            raise ArgumentError(f"skeleton {self.name!r} has {len(self.limbs)} limbs but {len(self.colours)} colours")
        for colour in self.colours:
            if not all(0 <= share <= 1 for share in colour):
                raise ArgumentError(f"skeleton {self.name!r}: colour {colour} must lie in [0, 1]")

    def __len__(self) -> int:
        """Return the number of joints."""
        return len(self.joints)

    @property
    def mirror(self) -> tuple[int, ...]:
        """For each joint, the index of the joint that takes its place in a mirror image."""
        order = list(range(len(self)))
        for left, right in self.pairs:
            order[left], order[right] = right, left
        return tuple(order)

    def check_joints(self, count: int) -> None:
        """Raise unless there are as many points as joints.

        Args:
            count: The number of points of one sample.

        Raises:
            ArgumentError: `count` is another number.
        """
        if count != len(self):
            raise ArgumentError(f"skeleton {self.name!r} has {len(self)} joints; got {count} points a sample")


OPENPOSE_18 = Skeleton(
    name="openpose_18",
    joints=(
        *("nose", "neck"),
        *("right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist"),
        *("right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
        *("right_eye", "left_eye", "right_ear", "left_ear"),
    ),
    limbs=(
        *((1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7)),
        *((1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13)),
        *((1, 0), (0, 14), (14, 16), (0, 15), (15, 17), (2, 16), (5, 17)),
    ),
    pairs=((2, 5), (3, 6), (4, 7), (8, 11), (9, 12), (10, 13), (14, 15), (16, 17)),
)
"""OpenPose's COCO format, of the Market-1501 and DeepFashion annotations.

The label list published beside those annotations calls joints 14 to 17 left first; the limbs, which join the
right shoulder 2 to ear 16, say right first, and so does OpenPose.

Source: Cao et al., OpenPose (arXiv 1812.08008); limbs as in https://github.com/AliaksandrSiarohin/pose-gan.
"""

OPENPOSE_25 = Skeleton(
    name="openpose_25",
    joints=(
        *("nose", "neck"),
        *("right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist"),
        *("mid_hip", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
        *("right_eye", "left_eye", "right_ear", "left_ear"),
        *("left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel"),
    ),
    limbs=(
        *((1, 8), (1, 2), (1, 5), (2, 3), (3, 4), (5, 6)),
        *((6, 7), (8, 9), (9, 10), (10, 11), (8, 12), (12, 13)),
        *((13, 14), (1, 0), (0, 15), (15, 17), (0, 16), (16, 18)),
        *((14, 19), (19, 20), (14, 21), (11, 22), (22, 23), (11, 24)),
    ),
    pairs=(
        *((2, 5), (3, 6), (4, 7), (9, 12), (10, 13), (11, 14), (15, 16), (17, 18)),
        *((19, 22), (20, 23), (21, 24)),
    ),
)
"""OpenPose's BODY_25 format. Source: https://github.com/CMU-Perceptual-Computing-Lab/openpose."""

COCO_17 = Skeleton(
    name="coco_17",
    joints=(
        *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder"),
        *("left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip"),
        *("left_knee", "right_knee", "left_ankle", "right_ankle"),
    ),
    limbs=(
        *((15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8)),
        *((7, 9), (8, 10), (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6)),
    ),
    pairs=((1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)),
)
"""COCO's person keypoints. Source: Lin et al., Microsoft COCO (arXiv 1405.0312), the person category."""

_FINGERS = {
    "thumb": ("cmc", "mcp", "ip", "tip"),
    **dict.fromkeys(("index", "middle", "ring", "little"), ("mcp", "pip", "dip", "tip")),
}

HAND_21 = Skeleton(
    name="hand_21",
    joints=("wrist", *(f"{finger}_{part}" for finger, parts in _FINGERS.items() for part in parts)),
    limbs=tuple((first + step - 1 if step else 0, first + step) for first in range(1, 21, 4) for step in range(4)),
)
"""One hand, as OpenPose and MediaPipe order it; the limbs are OpenPose's, five fingers from the wrist.

There are no left-right pairs: the mirror image of a left hand is a right hand with the same joints.

Source: Simon et al., Hand Keypoint Detection in Single Images (arXiv 1704.07809).
"""


def _line(*joints: int) -> tuple[tuple[int, int], ...]:
    return tuple(pairwise(joints))


def _ring(*joints: int) -> tuple[tuple[int, int], ...]:
    return _line(*joints, joints[0])


_PARTS_68 = {
    "jaw": 17,
    "right_brow": 5,
    "left_brow": 5,
    "nose_bridge": 4,
    "nose_base": 5,
    "right_eye": 6,
    "left_eye": 6,
    "outer_lip": 12,
    "inner_lip": 8,
}

FACE_68 = Skeleton(
    name="face_68",
    joints=tuple(f"{part}_{index}" for part, count in _PARTS_68.items() for index in range(count)),
    limbs=(
        *_line(*range(17)),
        *_line(*range(17, 22)),
        *_line(*range(22, 27)),
        *_line(*range(27, 31)),
        *_line(*range(31, 36)),
        *_ring(*range(36, 42)),
        *_ring(*range(42, 48)),
        *_ring(*range(48, 60)),
        *_ring(*range(60, 68)),
    ),
    pairs=(
        *((joint, 16 - joint) for joint in range(8)),
        *((joint, 43 - joint) for joint in range(17, 22)),
        *((31, 35), (32, 34)),
        *((36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)),
        *((48, 54), (49, 53), (50, 52), (55, 59), (56, 58)),
        *((60, 64), (61, 63), (65, 67)),
    ),
)
"""The 68 landmarks of iBUG 300-W, which OpenFace and dlib also give. Right and left are the subject's.

Source: Sagonas et al., 300 Faces In-The-Wild Challenge (ICCV-W 2013).
"""

_MIDLINE_468 = (
    *(0, 1, 2, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19),
    *(94, 151, 152, 164, 168, 175, 195, 197, 199, 200),
)

MEDIAPIPE_FACE_468 = Skeleton(
    name="mediapipe_face_468",
    joints=tuple(f"landmark_{index}" for index in range(468)),
    limbs=(
        *_ring(
            *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
            *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
        ),
        *_line(276, 283, 282, 295, 285),
        *_line(300, 293, 334, 296, 336),
        *_line(46, 53, 52, 65, 55),
        *_line(70, 63, 105, 66, 107),
        *_ring(263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
        *_ring(33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
        *_ring(
            *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375),
            *(291, 409, 270, 269, 267, 0, 37, 39, 40, 185),
        ),
        *_ring(
            *(78, 95, 88, 178, 87, 14, 317, 402, 318, 324),
            *(308, 415, 310, 311, 312, 13, 82, 81, 80, 191),
        ),
    ),
    # The mesh was numbered on one half and mirrored: the landmarks off the midline below 248 are the
    # subject's right, and their mirror images follow in the same order.
    pairs=tuple(zip((joint for joint in range(248) if joint not in _MIDLINE_468), range(248, 468), strict=True)),
)
"""MediaPipe's face mesh without the irises; the limbs are its contours (oval, brows, eyes, lips).

The landmarks have no published names. Nor are the left-right pairs published: they were derived, and checked
against the published tessellation. All 124 contour lines and 1,316 of the 1,322 mesh edges mirror onto such;
the other six are the diagonals of three quadrangles that the mesh cuts differently on its two halves.

Source: https://github.com/google-ai-edge/mediapipe, `face_mesh_connections.py`.
"""


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
        ArgumentError: The points are not as many as the source's joints, or the target has a joint that cannot
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
    check_keypoints(points, visible)
    source.check_joints(points.shape[1])
    ends = torch.tensor([_ends(joint, source, target) for joint in target.joints], device=points.device)
    first, second = ends.unbind(1)
    return Keypoints((points[:, first] + points[:, second]) / 2, visible[:, first] & visible[:, second])


def _ends(joint: str, source: Skeleton, target: Skeleton) -> tuple[int, int]:
    """Find the two joints of the source a joint lies between; twice the same where the source has it."""
    first, second = (joint, joint) if joint in source.joints else _MIDDLES.get(joint, (joint, joint))
    for name in (first, second):
        if name not in source.joints:
            raise ArgumentError(f"{target.name!r} has a joint {name!r} that {source.name!r} lacks")
    return source.joints.index(first), source.joints.index(second)
