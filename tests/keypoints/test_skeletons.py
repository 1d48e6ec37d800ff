import pickle

import pytest

from cyclekit.keypoints import (
    COCO_17,
    FACE_68,
    HAND_21,
    MEDIAPIPE_FACE_468,
    OPENPOSE_18,
    OPENPOSE_25,
    Skeleton,
)

FORMATS = {
    OPENPOSE_18: (18, 19, 8),
    OPENPOSE_25: (25, 24, 11),
    COCO_17: (17, 19, 8),
    HAND_21: (21, 20, 0),
    FACE_68: (68, 63, 29),
    MEDIAPIPE_FACE_468: (468, 124, 220),
}
every = pytest.mark.parametrize("skeleton", FORMATS, ids=lambda skeleton: skeleton.name)
bodies = pytest.mark.parametrize("skeleton", [OPENPOSE_18, OPENPOSE_25, COCO_17], ids=lambda s: s.name)


@every
def test_counts(skeleton):
    assert (len(skeleton), len(skeleton.limbs), len(skeleton.pairs)) == FORMATS[skeleton]


@every
def test_the_mirror_image_has_the_same_limbs(skeleton):
    mirror = skeleton.mirror
    assert [mirror[joint] for joint in mirror] == list(range(len(skeleton)))
    limbs = {frozenset(limb) for limb in skeleton.limbs}
    assert len(limbs) == len(skeleton.limbs)
    assert {frozenset(mirror[joint] for joint in limb) for limb in limbs} == limbs


# The names of OpenPose's poseParameters.cpp and of the person category of COCO's annotation files.
_ARMS = "RShoulder RElbow RWrist LShoulder LElbow LWrist"
_LEGS = "RHip RKnee RAnkle LHip LKnee LAnkle"
PUBLISHED = {
    OPENPOSE_18: f"Nose Neck {_ARMS} {_LEGS} REye LEye REar LEar",
    OPENPOSE_25: f"Nose Neck {_ARMS} MidHip {_LEGS} REye LEye REar LEar "
    "LBigToe LSmallToe LHeel RBigToe RSmallToe RHeel",
    COCO_17: "Nose LEye REye LEar REar LShoulder RShoulder LElbow RElbow LWrist RWrist LHip RHip "
    "LKnee RKnee LAnkle RAnkle",
}


@bodies
def test_joints_are_in_the_published_order(skeleton):
    def published(joint: str) -> str:
        words = joint.replace("left_", "L_").replace("right_", "R_").split("_")
        return "".join(word.capitalize() for word in words)

    assert " ".join(map(published, skeleton.joints)) == PUBLISHED[skeleton]


def test_coco_limbs_are_those_of_its_annotation_files():
    published = "16-14 14-12 17-15 15-13 12-13 6-12 7-13 6-7 6-8 7-9 8-10 9-11 2-3 1-2 1-3 2-4 3-5 4-6 5-7"
    assert " ".join(f"{a + 1}-{b + 1}" for a, b in COCO_17.limbs) == published


@every
def test_each_limb_has_a_colour(skeleton):
    assert len(skeleton.colours) == len(skeleton.limbs)
    assert all(len(colour) == 3 and 0 <= min(colour) < max(colour) == 1 for colour in skeleton.colours)


@bodies
def test_left_goes_where_right_was(skeleton):
    swapped = {"left": "right", "right": "left"}
    for joint, other in enumerate(skeleton.mirror):
        side, _, part = skeleton.joints[joint].partition("_")
        assert skeleton.joints[other] == (f"{swapped[side]}_{part}" if side in swapped else skeleton.joints[joint])


@bodies
def test_limbs_join_neighbours_on_one_side(skeleton):
    for a, b in skeleton.limbs:
        sides = {skeleton.joints[joint].partition("_")[0] for joint in (a, b)} & {"left", "right"}
        across = {skeleton.joints[a].partition("_")[2], skeleton.joints[b].partition("_")[2]}
        assert len(sides) < 2 or len(across) == 1


@pytest.mark.parametrize(("joint", "other"), [(0, 16), (8, 8), (33, 33), (36, 45), (39, 42), (48, 54), (66, 66)])
def test_the_68_landmarks_in_a_mirror(joint, other):
    assert FACE_68.mirror[joint] == other


def test_the_68_landmarks_by_part():
    assert [FACE_68.joints[index] for index in (0, 27, 36, 42, 48, 60, 67)] == [
        *("jaw_0", "nose_bridge_0", "right_eye_0", "left_eye_0", "outer_lip_0", "inner_lip_0", "inner_lip_7")
    ]


# Corners of eyes, mouth and cheeks, brow arches, nostrils; nose tip, chin and forehead stay.
@pytest.mark.parametrize(
    ("joint", "other"),
    [
        (33, 263),
        (133, 362),
        (61, 291),
        (78, 308),
        (234, 454),
        (105, 334),
        (98, 327),
        (1, 1),
        (152, 152),
        (10, 10),
    ],
)
def test_the_468_landmarks_in_a_mirror(joint, other):
    assert MEDIAPIPE_FACE_468.mirror[joint] == other


def test_hand_joints_hang_together():
    assert HAND_21.joints[4] == "thumb_tip"
    assert HAND_21.limbs[:5] == ((0, 1), (1, 2), (2, 3), (3, 4), (0, 5))
    assert HAND_21.limbs[-1] == (19, 20)


def test_skeletons_are_values():
    again = pickle.loads(pickle.dumps(COCO_17))
    assert again == COCO_17
    assert hash(again) == hash(COCO_17)


def test_colours_walk_the_wheel_unless_given():
    assert Skeleton("s", ("a", "b", "c"), ((0, 1), (1, 2))).colours == ((1, 0, 0), (0, 1, 1))
    assert Skeleton("s", ("a", "b"), ((0, 1),), colours=((0.5, 0, 0),)).colours == ((0.5, 0, 0),)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"joints": ("a", "a")}, "name of its own"),
        ({"limbs": ((0, 3),)}, r"limb \(0, 3\) must be two of its joints, 0 to 2"),
        ({"limbs": ((1, 1),)}, r"limb \(1, 1\)"),
        ({"pairs": ((-1, 1),)}, r"left-right pair \(-1, 1\)"),
        ({"pairs": ((0, 1), (1, 2))}, "more than one left-right pair"),
        ({"colours": ((1, 0, 0),)}, "2 limbs but 1 colours"),
    ],
)
def test_what_is_no_skeleton(arguments, message):
    good = {"name": "s", "joints": ("a", "b", "c"), "limbs": ((0, 1), (1, 2))}
    with pytest.raises(ValueError, match=message):
        Skeleton(**(good | arguments))
