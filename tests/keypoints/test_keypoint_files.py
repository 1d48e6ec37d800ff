import json
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cyclekit.keypoints import (
    AnnotationError,
    Annotations,
    Keypoints,
    market_pairs,
    market_rows,
    read_coco_keypoints,
    read_market_csv,
    read_openface_csv,
    read_openpose_json,
    read_pts,
    render_heatmaps,
)

MARKET = Path(__file__).parents[3] / "shared" / "data" / "market-annotation-train.csv"
HEADER = "name:keypoints_y:keypoints_x"
READERS = [read_coco_keypoints, read_market_csv, read_openface_csv, read_openpose_json, read_pts]


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
    hand = write(tmp_path, people([1, 2, 0.5] * 21, key="hand_left_keypoints_2d"))
    assert read_openpose_json(str(hand), "hand_left").points.shape == (1, 21, 2)
    assert read_openpose_json(write(tmp_path, '{"people": []}')).points.shape == (0, 0, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"line 1: expected JSON"),
        ('{"people":\n', r"line 2: expected JSON .*got ''"),
        ('{"people": [\n1,\n]}', r"line 3: expected JSON .*got '\]\}'"),
        ("[]", r"top level: expected an object with 'people'; got \[\]"),
        ('{"people": 3}', "people: expected a list; got 3"),
        ('{"people": [{}]}', r"people\[0\]: expected an object with 'pose_keypoints_2d'"),
        (people([1, 2]), r"people\[0\]\.pose_keypoints_2d: expected .* multiple of 3 numbers; got 2"),
        (people([1, 2, 3], [1, 2, 3] * 2), r"people\[1\]\.pose_keypoints_2d: expected 3 numbers.*got 6"),
        ('{"people": [{"pose_keypoints_2d": [1, "2", 3]}]}', "expected numbers only; got '2'"),
        ('{"people": [{"pose_keypoints_2d": [1, true, 3]}]}', "expected numbers only; got True"),
        ('{"people": [{"pose_keypoints_2d": {}}]}', "expected a list of numbers"),
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
    assert read_coco_keypoints(write(tmp_path, coco(annotations=[]))).names == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"images": []}', "top level: expected an object with 'annotations'"),
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


def openface(*rows: str, columns: str = "frame, success") -> str:
    header = ", ".join([columns, *(f"{axis}_{index}" for axis in "xy" for index in range(68))])
    return "\n".join([header, *rows]) + "\n"


def test_openface(tmp_path):
    values = ", ".join(str(number / 2) for number in range(136))
    found = read_openface_csv(write(tmp_path, openface(f"1, 1, {values}", f"2, 0, {values}")))
    assert found.points.shape == (2, 68, 2)
    assert found.points[0, 3].tolist() == [1.5, 35.5]
    assert found.visible.all(1).tolist() == [True, False]
    assert found.visible.any(1).tolist() == [True, False]
    assert read_openface_csv(write(tmp_path, openface(f"0,{values}", columns="face"))).visible.all()


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
