import json
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cyclekit.keypoints import (
    OPENPOSE_18,
    AnnotationError,
    Annotations,
    Keypoints,
    market_pairs,
    market_rows,
    read_coco_keypoints,
    read_coco_results,
    read_market_csv,
    read_openface_csv,
    read_openpose_json,
    read_pts,
    render_heatmaps,
)

MARKET = Path(__file__).parents[3] / "shared" / "data" / "market-annotation-train.csv"
HEADER = "name:keypoints_y:keypoints_x"
READERS = [read_coco_keypoints, read_coco_results, read_market_csv, read_openface_csv, read_openpose_json, read_pts]


def write(folder: Path, text: str) -> Path:
    file = folder / "keypoints.txt"
    file.write_text(text, encoding="utf-8")
    return file


def people(*rows: list[float], key: str = "pose_keypoints_2d") -> str:
    return json.dumps({"version": 1.3, "people": [{key: row} for row in rows]})


def test_openpose(tmp_path):
    file = write(tmp_path, people([3.5, 4.0, 0.9, 0, 0, 0], [1, 2, 0.1, 5, 6, 1]))
    found = read_openpose_json(file)
    assert found.points.tolist() == [[[3.5, 4], [0, 0]], [[1, 2], [5, 6]]]
    assert found.visible.tolist() == [[True, False], [True, True]]
    assert read_openpose_json(file, threshold=0.5).visible.tolist() == [[True, False], [False, True]]
    assert read_openpose_json(write(tmp_path, '{"people": []}')).points.shape == (0, 0, 2)


def test_every_part_of_several_people_in_an_openpose_file(tmp_path):
    # As OpenPose writes them: a hand it did not find is all zeros, 3-D lists are empty without --3d.
    counts = {"pose": 25, "face": 70, "hand_left": 21, "hand_right": 21}
    first = {f"{part}_keypoints_2d": [number, 2, 0.5] * count for number, (part, count) in enumerate(counts.items())}
    second = first | {"hand_right_keypoints_2d": [0] * 63}
    content = {"version": 1.3, "people": [one | {"pose_keypoints_3d": []} for one in (first, second)]}
    file = write(tmp_path, json.dumps(content))
    for number, (part, count) in enumerate(counts.items()):
        found = read_openpose_json(str(file), part)
        assert found.points.shape == (2, count, 2)
        assert found.points[0, -1].tolist() == [number, 2]
        assert found.visible.all(1).tolist() == [True, part != "hand_right"]


def test_the_keys_of_the_first_openpose_versions(tmp_path):
    file = write(tmp_path, people([3, 4, 0.9] * 18, key="pose_keypoints"))
    assert read_openpose_json(file).points.shape == (1, 18, 2)


def test_what_is_no_number_is_a_missing_joint(tmp_path):
    file = write(tmp_path, '{"people": [{"pose_keypoints_2d": [NaN, 1, 0.9, 2, 3, NaN, 4, 1e99, 1, 5, 6, 1]}]}')
    found = read_openpose_json(file)
    assert found.visible.tolist() == [[False, False, False, True]]
    assert found.points.isfinite().all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"line 1: expected JSON"),
        ('{"people":\n', r"line 2: expected JSON .*got ''"),
        ('{"people": [\n1,\n]}', r"line [23]: expected JSON .*got '(\]\}|1,)'"),  # Python 3.13 points at the comma
        ("[]", r"top level: expected an object with 'people'; got \[\]"),
        ('{"people": 3}', "people: expected a list; got 3"),
        ('{"people": [{}]}', r"people\[0\]: expected an object with 'pose_keypoints_2d'"),
        (people([1, 2]), r"people\[0\]\.pose_keypoints_2d: expected .* multiple of 3 numbers; got 2"),
        (people([1, 2, 3], [1, 2, 3] * 2), r"people\[1\]\.pose_keypoints_2d: expected 3 numbers.*got 6"),
        ('{"people": [{"pose_keypoints_2d": [1, "2", 3]}]}', "expected numbers only; got '2'"),
        ('{"people": [{"pose_keypoints_2d": [1, true, 3]}]}', "expected numbers only; got True"),
        ('{"people": [{"pose_keypoints_2d": {}}]}', "expected a list of numbers"),
        (people([]), r"people\[0\]\.pose_keypoints_2d: expected keypoints; .* told to find a pose; got \[\]"),
    ],
)
def test_what_is_no_openpose_file(tmp_path, text, message):
    with pytest.raises(AnnotationError, match=rf"keypoints\.txt, .*{message}"):
        read_openpose_json(write(tmp_path, text))


def coco(**changes: object) -> str:
    images = [{"id": 7, "file_name": "seven.jpg"}, {"id": 9, "file_name": "nine.jpg"}]
    crowd = {"image_id": 9, "iscrowd": 1, "keypoints": [0] * 51}
    first = {"image_id": 9, "iscrowd": 0, "keypoints": [10, 20, 2] * 16 + [0, 0, 0]}
    second = {"image_id": 7, "iscrowd": 0, "keypoints": [1, 2, 1] * 17}
    return json.dumps({"images": images, "annotations": [crowd, first, second]} | changes)


def test_coco(tmp_path):
    found = read_coco_keypoints(write(tmp_path, coco()))
    assert found.names == ("nine.jpg", "seven.jpg")
    assert found.keypoints.points.shape == (2, 17, 2)
    assert found.keypoints.points[0, 0].tolist() == [10, 20]
    assert found.keypoints.visible.tolist() == [[True] * 16 + [False], [True] * 17]
    assert read_coco_keypoints(write(tmp_path, coco()), threshold=1).keypoints.visible.any(1).tolist() == [True, False]
    assert read_coco_keypoints(write(tmp_path, coco(annotations=[]))).names == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"images": []}', "top level: expected an object with 'annotations'"),
        ('[{"score": 1}]', r"top level: .* read_coco_results reads a list of results; got \[\{'score': 1\}\]"),
        (coco(images=[{"id": 7}]), r"images\[0\]: expected an object with 'file_name'"),
        (coco(images=[{"id": 7, "file_name": 1}]), r"images\[0\]: expected an id and a file_name"),
        (coco(images=[]), r"annotations\[0\]\.image_id: expected the id of one of the images; got 9"),
        (coco(annotations=[{"image_id": [7], "keypoints": []}]), r"annotations\[0\]\.image_id"),
        (coco(annotations=[{"image_id": 7}]), r"annotations\[0\]: expected an object with 'keypoints'"),
        (
            coco(annotations=[{"image_id": 7, "keypoints": [1] * 3}, {"image_id": 7, "keypoints": [1] * 6}]),
            r"annotations\[1\]\.keypoints: expected 3 numbers, as those before have; got 6",
        ),
    ],
)
def test_what_is_no_coco_file(tmp_path, text, message):
    with pytest.raises(AnnotationError, match=message):
        read_coco_keypoints(write(tmp_path, text))


def results(*changes: dict[str, object]) -> str:
    """What estimators write, with the further keys of AlphaPose and Detectron."""
    person = {"image_id": 7, "category_id": 1, "keypoints": [10.5, 20, 0.4] * 17, "score": 0.9, "box": [1, 2, 3, 4]}
    return json.dumps([person | change for change in changes])


def test_coco_results_with_images_named_by_an_annotation_file(tmp_path):
    images = tmp_path / "images.json"
    images.write_text(json.dumps({"images": json.loads(coco())["images"]}))  # as in image_info_test-dev2017.json
    low = {"keypoints": [1, 2, 0.05] * 17, "score": 0.1}
    file = write(tmp_path, results({"image_id": 9}, low, {}))
    found = read_coco_results(file, str(images))
    assert found.names == ("nine.jpg", "seven.jpg", "seven.jpg")
    assert found.keypoints.points[0, 16].tolist() == [10.5, 20]
    assert found.keypoints.visible.all()
    sure = read_coco_results(file, images, threshold=0.2)
    assert sure.keypoints.visible.all(1).tolist() == [True, False, True]
    assert read_coco_results(file, images, min_score=0.5).names == ("nine.jpg", "seven.jpg")
    assert read_coco_results(file, images, min_score=0.9).names == ("nine.jpg", "seven.jpg")


def test_coco_results_whose_ids_are_the_names(tmp_path):
    file = write(tmp_path, results({"image_id": "a.jpg", "keypoints": [1, 2, 3.5] * 26}, {"keypoints": [0] * 78}))
    found = read_coco_results(file)
    assert found.names == ("a.jpg", "7")
    assert found.keypoints.points.shape == (2, 26, 2)
    assert found.keypoints.visible.any(1).tolist() == [True, False]
    assert read_coco_results(write(tmp_path, "[]")).names == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (coco(), r"top level: .* read_coco_keypoints reads an object .*; got \['images', 'annotations'\]"),
        ("3", "top level: expected a list; got 3"),
        ("[3]", r"\[0\]: expected an object with 'keypoints'; got 3"),
        (results({"keypoints": [1, 2]}), r"\[0\]\.keypoints: expected .* multiple of 3 numbers; got 2"),
        (results({}, {"keypoints": [1] * 3}), r"\[1\]\.keypoints: expected 51 numbers, as those before have; got 3"),
        (results({}, {"score": None}), r"\[1\]\.score: expected numbers only; got None"),
        (results({}, {"image_id": 8}), r"keypoints\.txt, \[1\]\.image_id: expected the id of one of the images; got 8"),
        (results({"image_id": 1.5}), r"\[0\]\.image_id"),
        ('[{"image_id": 7, "keypoints": [1, 2, 3]}]', r"\[0\]: expected an object with 'score'"),
    ],
)
def test_what_is_no_file_of_coco_results(tmp_path, text, message):
    images = tmp_path / "images.json"
    images.write_text(coco())
    with pytest.raises(AnnotationError, match=message):
        read_coco_results(write(tmp_path, text), images)


def test_the_file_that_names_the_images_is_named_in_its_errors(tmp_path):
    images = tmp_path / "images.json"
    images.write_text("[]")
    with pytest.raises(AnnotationError, match=r"images\.json, top level: expected an object with 'images'"):
        read_coco_results(write(tmp_path, results({})), images)


def openface(*rows: str, columns: str = "frame, success") -> str:
    header = ", ".join([columns, *(f"{axis}_{index}" for axis in "xy" for index in range(68))])
    return "\n".join([header, *rows]) + "\n"


def test_openface(tmp_path):
    values = ", ".join(str(number / 2) for number in range(136))
    names, found = read_openface_csv(write(tmp_path, openface(f"1, 1, {values}", f"2, 0, {values}")))
    assert names == ("1", "2")
    assert found.points.shape == (2, 68, 2)
    assert found.points[0, 3].tolist() == [1.5, 35.5]
    assert found.visible.all(1).tolist() == [True, False]
    assert found.visible.any(1).tolist() == [True, False]


def test_several_faces_and_their_confidence_in_openface_files(tmp_path):
    values = ",".join(["1.0"] * 136)
    # FaceLandmarkVidMulti: a row for each face of a frame. FaceLandmarkImg: the faces of one image.
    columns = "frame, face_id, timestamp, confidence, success"
    rows = [f"{row},{values}" for row in ("1, 0, 0.000, 0.98, 1", "1, 1, 0.000, 0.30, 1", "2, 1, 0.033, 0.00, 0")]
    clip = write(tmp_path, openface(*rows, columns=columns))
    assert read_openface_csv(clip).names == ("1", "1", "2")
    assert read_openface_csv(clip).keypoints.visible.all(1).tolist() == [True, True, False]
    assert read_openface_csv(clip, threshold=0.5).keypoints.visible.all(1).tolist() == [True, False, False]
    image = write(tmp_path, openface(f"0, 0.9,{values}", f"1, 0.7,{values}", columns="face, confidence"))
    names, found = read_openface_csv(image)
    assert names == ("keypoints", "keypoints")
    assert found.visible.all()
    assert read_openface_csv(image, threshold=0.8).keypoints.visible.any(1).tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"line 1: expected a header .*missing: x_0"),
        ("frame,x_0,y_0\n", r"line 1: .*missing: x_1"),
        (openface("1, 1, 2"), "line 2: expected 138 values, as the header has; got 3"),
        (openface("", "1, 1" + ", a" * 136), "line 3: expected a number; got ' a'"),
        (openface("1, 1" + ", nan" * 136), "line 2: expected a finite number"),
    ],
)
def test_what_is_no_openface_file(tmp_path, text, message):
    with pytest.raises(AnnotationError, match=message):
        read_openface_csv(write(tmp_path, text))


def test_pts(tmp_path):
    file = write(tmp_path, "version: 1\nn_points:  2\n{\n1.0 1.0\n\n 11.5 21.0 \n}\n")
    found = read_pts(file)
    assert found.points.tolist() == [[[0, 0], [10.5, 20]]]
    assert found.visible.all()
    assert read_pts(file, origin=0).points[0, 0].tolist() == [1, 1]
    openface = write(tmp_path, "version: 1\r\nnpoints: 1\r\n{\r\n603.5 193.25\r\n}\r\n")
    assert read_pts(openface).points.tolist() == [[[602.5, 192.25]]]


def test_a_pts_point_lies_on_the_pixel_it_names(tmp_path):
    """The first pixel is 1 in the file and 0 in a picture, as iBUG's annotations were made in Matlab."""
    points = read_pts(write(tmp_path, "n_points: 1\n{\n3.0 2.0\n}\n")).points
    assert (render_heatmaps(points, (4, 5), 1)[0, 0] == 1).nonzero().tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected a line n_points"),
        ("n_points: two\n{\n}", "line 1: expected n_points: and a whole number"),
        ("n_points: 1\n1 1\n", r"line 2: expected a line \{"),
        ("n_points: 1\n{\n1 1\n", r"line 3: expected a line \}"),
        ("n_points: 1\n{\n1 1 1\n}", "line 3: expected x and y; got '1 1 1'"),
        ("n_points: 1\n{\n1 y\n}", "line 3: expected a number; got 'y'"),
        ("n_points: 3\n{\n1 1\n}", "line 2: expected 3 points, as n_points says; got 1"),
    ],
)
def test_what_is_no_pts_file(tmp_path, text, message):
    with pytest.raises(AnnotationError, match=message):
        read_pts(write(tmp_path, text))


def market(*rows: tuple[str, list[int], list[int]]) -> str:
    return "\n".join([HEADER, *(f"{name}: {y}: {x}" for name, y, x in rows)]) + "\n"


def test_market(tmp_path):
    y, x = list(range(18)), list(range(40, 58))
    x[3] = -1
    found = read_market_csv(write(tmp_path, market(("0002_c1s1_1.jpg", y, x), ("0003_c1s1_1.jpg", x, y))))
    assert found.names == ("0002_c1s1_1.jpg", "0003_c1s1_1.jpg")
    assert found.keypoints.points[:, 5].tolist() == [[45, 5], [5, 45]]
    assert found.keypoints.points[0, 3].tolist() == [0, 0]
    assert found.keypoints.visible.sum(1).tolist() == [17, 17]
    assert not found.keypoints.visible[:, 3].any()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected the header name:keypoints_y:keypoints_x; got ''"),
        (f"{HEADER}\na: [1]\n", f"line 2: expected {HEADER}"),
        (f"{HEADER}\n\na: [1]: 2, 3\n", "line 3: expected 18 numbers in a list; got 1"),
        (f"{HEADER}\na: {[1] * 18}: 2, 3\n", "line 2: expected a list such as"),
        (f"{HEADER}\na: {[1] * 18}: 2\n", "line 2: expected a list of numbers; got 2"),
    ],
)
def test_what_is_no_market_file(tmp_path, text, message):
    with pytest.raises(AnnotationError, match=message):
        read_market_csv(write(tmp_path, text))


def test_market_pairs_are_all_ordered_pairs_of_rows_that_count():
    names = ("-1_c1.jpg", "0007_a.jpg", "0002_a.jpg", "0007_b.jpg", "0000_a.jpg", "0007_c.jpg", "0002_b.jpg")
    visible = torch.ones(7, 18, dtype=torch.bool)
    visible[6, 11] = False  # a hip
    visible[1, 0] = False  # the nose, which does not matter
    annotations = Annotations(names, Keypoints(torch.zeros(7, 18, 2), visible))
    assert market_rows(annotations) == (1, 2, 3, 5)
    assert market_pairs(annotations) == ((1, 3), (1, 5), (3, 1), (3, 5), (5, 1), (5, 3))


@pytest.mark.skipif(not MARKET.exists(), reason="the Market-1501 training annotations are not beside the repository")
def test_the_real_market_file():
    annotations = read_market_csv(MARKET)
    points, visible = annotations.keypoints
    assert len(annotations.names) == 12_936
    assert (~visible.any(1)).sum() == 419
    assert len(market_rows(annotations)) == 12_116
    assert len(market_pairs(annotations)) == 263_632
    for some, there in zip(points.split(512), visible.split(512), strict=True):
        peaks = render_heatmaps(some, (128, 64), 6, there).amax((2, 3))
        assert torch.equal(peaks, there.float())


@pytest.mark.skipif(not MARKET.exists(), reason="the Market-1501 training annotations are not beside the repository")
@pytest.mark.parametrize("joint", ["eye", "ear"])
def test_the_real_market_file_has_the_right_eye_and_ear_first(joint):
    """Its published list of labels says left first. Of somebody seen from the front, right is on the left."""
    points, visible = read_market_csv(MARKET).keypoints
    right, left, *shoulders = (
        OPENPOSE_18.joints.index(name)
        for name in (f"right_{joint}", f"left_{joint}", "right_shoulder", "left_shoulder")
    )
    x = points[visible[:, [right, left, *shoulders]].all(1), :, 0]
    front = x[x[:, shoulders[0]] + 4 < x[:, shoulders[1]]]
    assert len(front) > 1000
    assert (front[:, right] < front[:, left]).float().mean() > 0.99


@pytest.mark.parametrize("read", READERS)
def test_bytes_that_are_no_text(tmp_path, read):
    file = tmp_path / "binary"
    file.write_bytes(b"one\ntwo \xff\xfe\n")
    with pytest.raises(AnnotationError, match=r"binary, line 2: expected UTF-8 text"):
        read(file)
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize("read", READERS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.sampled_from('{}[]:,"01- \n\npeoplen_points xyé'), max_size=60))
def test_arbitrary_text_is_read_or_refused(tmp_path, read, text):
    try:
        read(write(tmp_path, text))
    except AnnotationError as error:
        assert "expected" in str(error)  # noqa: PT017
