"""Tables of our own, the Radboud Faces' names, any file told apart, detectors' landmarks."""

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cyclekit.keypoints import (
    COCO_17,
    FACE_68,
    MEDIAPIPE_FACE_468,
    OPENPOSE_18,
    AnnotationError,
    Annotations,
    DetectorError,
    KeypointDetector,
    KeypointRCNN,
    Keypoints,
    MediaPipeDetector,
    market_pairs,
    parse_rafd_name,
    rafd_pairs,
    read_keypoint_table,
    read_keypoints,
    read_market_csv,
    sample_pairs,
    write_keypoint_table,
)
from cyclekit.keypoints.detectors import FACE_TO_68, POSE_TO_COCO, in_pixels
from tests.keypoints.test_keypoint_files import MARKET, people


@given(
    st.integers(1, 4),
    st.integers(1, 5),
    st.randoms(use_true_random=False),
)
def test_what_is_written_as_a_table_is_read_again(tmp_path_factory, rows, joints, random):
    points = torch.tensor(
        [[[random.randint(-400, 4000) / 4 for _ in "xy"] for _ in range(joints)] for _ in range(rows)]
    )
    visible = torch.tensor([[random.random() < 0.7 for _ in range(joints)] for _ in range(rows)])
    names = tuple(f'sub, folder/{row} "quoted".jpg' for row in range(rows))
    file = tmp_path_factory.mktemp("table") / "points.csv"
    write_keypoint_table(Annotations(names, Keypoints(points, visible)), file)
    again = read_keypoint_table(file)
    assert again.names == names
    assert torch.equal(again.keypoints.visible, visible)
    assert torch.equal(again.keypoints.points[visible], points[visible])


def test_a_bad_row_is_raised_or_noted(tmp_path):
    file = tmp_path / "points.csv"
    file.write_text("name,x_0,y_0\na.jpg,1,2\nb.jpg,1\nc.jpg,1,inf\nd.jpg,one,2\ne.jpg,,7\n")
    with pytest.raises(AnnotationError, match="line 3: expected 3 values"):
        read_keypoint_table(file)
    rejected = []
    names, keypoints = read_keypoint_table(file, rejected)
    assert names == ("a.jpg", "e.jpg")
    assert keypoints.visible.tolist() == [[True], [False]]
    assert [said.partition(", ")[2].partition(":")[0] for said in rejected] == ["line 3", "line 4", "line 5"]
    for header in ("", "name,y_0,x_0", "name,x_0", "image,x_0,y_0"):
        file.write_text(header + "\na.jpg,1,2\n")
        with pytest.raises(AnnotationError, match="the header name,x_0,y_0"):
            read_keypoint_table(file)


def test_bad_rows_of_market_are_noted(tmp_path):
    row = f"{[1] * 18}: {[2] * 18}"
    file = tmp_path / "m.csv"
    file.write_text(f"name:keypoints_y:keypoints_x\n0002_a.jpg: {row}\n0002_b.jpg: [1]: [2]\n0002_c.jpg: {row}\n")
    rejected = []
    assert read_market_csv(file, rejected).names == ("0002_a.jpg", "0002_c.jpg")
    assert len(rejected) == 1
    assert "line 3: expected 18 numbers" in rejected[0]


def test_pairs_are_sampled_as_pandas_samples_them():
    """`list(pandas.DataFrame(index=range(257198)).sample(12000, random_state=0).index)`, pandas 3.1.1."""
    pairs = tuple((number, 0) for number in range(257_198))
    chosen = [number for number, _ in sample_pairs(pairs, 12_000)]
    assert chosen[:5] == [20861, 245140, 194843, 237940, 26252]
    assert chosen[-3:] == [203110, 190026, 38353]
    assert sum(chosen) == 1546445337
    with pytest.raises(ValueError, match="from 0 to the 257198 pairs"):
        sample_pairs(pairs, 257_199)


@pytest.mark.skipif(not MARKET.is_file(), reason="the real annotations are not there")
def test_the_real_training_pairs_are_as_many_as_published():
    assert len(market_pairs(read_market_csv(MARKET))) == 263_632


RAFD = "Rafd{:03}_{:02}_Caucasian_female_{}_{}{}.jpg"


def rafd(subjects=3, mirrored=("",)):
    """All names of some subjects: five cameras, eight expressions, three gazes."""
    expressions = ("angry", "contemptuous", "disgusted", "fearful", "happy", "neutral", "sad", "surprised")
    return [
        RAFD.format(angle, subject, expression, gaze, copy)
        for angle in (0, 45, 90, 135, 180)
        for subject in range(1, subjects + 1)
        for expression in expressions
        for gaze in ("frontal", "left", "right")
        for copy in mirrored
    ]


def test_every_part_of_a_rafd_name():
    face = parse_rafd_name("some/Rafd135_57_Moroccan_male_happy_right_lr.jpg")
    assert face == (135, 57, "Moroccan", "male", "happy", "right", True)
    for name in ("Rafd45_1.jpg", "IMG_0001.jpg", "Rafd090_01_Caucasian_female_angry_up.jpg"):
        with pytest.raises(AnnotationError, match="no name of the Radboud Faces"):
            parse_rafd_name(name)


def test_faces_are_paired_as_the_released_files_are():
    """Of three cameras: 67 x 7 x 3 x 1 = 1,407 test pairs, and with mirror images 67 x 7 x 3 x 2 x 2 = 5,628."""
    names = [name for name in rafd(67, ("", "_lr")) if name[4:7] in ("045", "090", "135")]
    faces = [parse_rafd_name(name) for name in names]
    pairs = rafd_pairs(faces)
    plain = [pair for pair in pairs if not faces[pair[0]].mirrored]
    assert sum(faces[one].gaze == "frontal" for one, _ in plain) == 1407
    assert sum(faces[one].gaze != "frontal" for one, _ in pairs) == 5628
    assert all(faces[one].expression == "neutral" != faces[other].expression for one, other in pairs)
    few = [parse_rafd_name(name) for name in rafd(1)]
    assert len(rafd_pairs(few, "all")) == 5 * 3 * 8 * 7


def test_any_file_is_told_apart(tmp_path):
    (tmp_path / "a.pts").write_text("n_points: 68\n{\n" + "2 3\n" * 68 + "}\n")
    (tmp_path / "anna_keypoints.json").write_text(people([3.0, 4.0, 0.9] * 25))
    (tmp_path / "face.json").write_text(people([3.0, 4.0, 0.9] * 70, key="face_keypoints_2d"))
    (tmp_path / "nobody_keypoints.json").write_text(people())
    (tmp_path / "market.csv").write_text(f"name:keypoints_y:keypoints_x\n0002.jpg: {[1] * 18}: {[2] * 18}\n")
    write_keypoint_table(
        Annotations(("t.jpg",), Keypoints(torch.zeros(1, 17, 2), torch.ones(1, 17, dtype=torch.bool))),
        tmp_path / "table.csv",
    )
    columns = [f"{axis}_{index}" for axis in "xy" for index in range(68)]
    (tmp_path / "clip.csv").write_text("\n".join(",".join(row) for row in (columns, ["5"] * 136)))
    expected = {
        "a.pts": ("a", FACE_68),
        "face.json": ("face", FACE_68),
        "market.csv": ("0002.jpg", OPENPOSE_18),
        "table.csv": ("t.jpg", COCO_17),
        "clip.csv": ("clip", FACE_68),
        "nobody_keypoints.json": ("nobody", OPENPOSE_18),
    }
    for file, (name, skeleton) in expected.items():
        annotations, found = read_keypoints(tmp_path / file)
        assert (annotations.names, found.name) == ((name,), skeleton.name)
    assert not read_keypoints(tmp_path / "nobody_keypoints.json").annotations.keypoints.visible.any()
    body = read_keypoints(tmp_path / "anna_keypoints.json", OPENPOSE_18)
    assert body.annotations.names == ("anna",)
    assert body.annotations.keypoints.points.shape == (1, 18, 2)
    with pytest.raises(AnnotationError, match="holds face_68, which cannot be brought to openpose_18"):
        read_keypoints(tmp_path / "a.pts", OPENPOSE_18)
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(AnnotationError, match=r"expected rows of Market-1501 .*, of OpenFace, or a table name,x_0"):
        read_keypoints(tmp_path / "other.csv")
    (tmp_path / "two.csv").write_text("name,x_0,y_0,x_1,y_1\na.jpg,1,2,3,4\n")
    with pytest.raises(AnnotationError, match="as many joints as a skeleton has"):
        read_keypoints(tmp_path / "two.csv")


def test_mediapipes_landmarks_are_the_joints_they_are_called():
    """A table of landmarks that mixed sides up would not be its own mirror image."""
    for place, landmark in enumerate(FACE_TO_68):
        assert MEDIAPIPE_FACE_468.mirror[landmark] == FACE_TO_68[FACE_68.mirror[place]]
    assert len(set(FACE_TO_68)) == 68
    assert len(POSE_TO_COCO) == len(COCO_17)


def test_mediapipes_coordinates_become_pixels():
    person = [SimpleNamespace(x=0.5, y=0.25, visibility=0.9), SimpleNamespace(x=0.0, y=1.0, visibility=0.1)]
    found = in_pixels([person], (1, 0), (40, 20), threshold=0.5)
    assert found.points.tolist() == [[[-0.5, 39.5], [9.5, 9.5]]]
    assert found.visible.tolist() == [[False, True]]
    assert in_pixels([person], (1, 0), (40, 20), threshold=None).visible.all()
    assert in_pixels([], (1, 0), (40, 20), threshold=None).points.shape == (0, 2, 2)


def test_a_detector_without_its_model_says_so(tmp_path):
    for make in (lambda: MediaPipeDetector("pose", tmp_path / "no.task"), lambda: KeypointRCNN(tmp_path / "no.pth")):
        with pytest.raises(DetectorError, match=r"no such (model|weights)"):
            make()
    (tmp_path / "bad.pth").write_bytes(b"no weights")
    with pytest.raises(DetectorError, match="holds no weights of keypointrcnn"):
        KeypointRCNN(tmp_path / "bad.pth")


def test_any_callable_with_a_skeleton_is_a_detector():
    class Middle:
        skeleton = OPENPOSE_18

        def __call__(self, image):
            middle = torch.tensor(image.shape[:0:-1]) / 2
            return Keypoints(middle.expand(1, 18, 2), torch.ones(1, 18, dtype=torch.bool))

    detector: KeypointDetector = Middle()
    assert detector(torch.zeros(3, 8, 4, dtype=torch.uint8)).points[0, 0].tolist() == [2, 4]
