"""The skeletons of bodies and hands."""

from cyclekit.keypoints._skeleton import Skeleton

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
