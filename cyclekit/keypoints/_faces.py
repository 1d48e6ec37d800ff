"""The skeletons of faces."""

from itertools import pairwise

from cyclekit.keypoints._skeleton import Skeleton


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
