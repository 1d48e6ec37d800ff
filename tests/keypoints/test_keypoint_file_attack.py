"""Damaged keypoint files: each is refused with its name and the place, or gives valid points."""

import json
import os
import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from cyclekit.keypoints import (
    AnnotationError,
    Annotations,
    Keypoints,
    read_coco_keypoints,
    read_coco_results,
    read_market_csv,
    read_openface_csv,
    read_openpose_json,
    read_pts,
)

Reader = Callable[[Path], Annotations | Keypoints]

_PEOPLE = [[index, 2.5 * index, 0.9] * 18 for index in range(3)]
_IMAGES = [{"id": index, "file_name": f"{index}.jpg"} for index in range(3)]
_FACE = ", ".join(str(index / 2) for index in range(136))
_HEADER = ", ".join(f"{axis}_{index}" for axis in "xy" for index in range(68))


def listed_people(**more: object) -> list[dict[str, object]]:
    return [{"image_id": index, "keypoints": person} | more for index, person in enumerate(_PEOPLE)]


FILES: dict[str, tuple[Reader, str]] = {
    "openpose": (read_openpose_json, json.dumps({"people": [{"pose_keypoints_2d": person} for person in _PEOPLE]})),
    "coco": (read_coco_keypoints, json.dumps({"images": _IMAGES, "annotations": listed_people(iscrowd=0)})),
    "results": (read_coco_results, json.dumps(listed_people(score=0.9))),
    "market": (
        read_market_csv,
        "name:keypoints_y:keypoints_x\n"
        + "".join(f"000{i}_c1.jpg: {list(range(18))}: {[-1, *range(17)]}\n" for i in range(3)),
    ),
    "openface": (
        read_openface_csv,
        "\n".join([f"frame, confidence, success, {_HEADER}", *(f"{frame}, 0.9, 1, {_FACE}" for frame in range(3))]),
    ),
    "pts": (read_pts, "version: 1\nn_points: 3\n{\n1.0 2.0\n30.5 40.5\n5 6\n}\n"),
}

_NASTY = (
    *("NaN", "-Infinity", "nan", "inf", "3.5e38", "-1e39", "1e400", "1" * 400, "-" + "9" * 5000, "1" * 5000 + ".5"),
    *("true", "null", '""', '"x"', "[]", "{}", "[" * 200_000, '{"a":' * 50_000, "[" * 900 + "]" * 900, "-0", "0x1"),
    *("\x00", "\ufeff", "\u2028", "\r", '"\\ud800"', "²", "٣", "1_0", "+1", "1e-400", "-1", "4294967296"),
)


def mutate(text: str, rng: random.Random) -> str:
    """Damage a text in one to three places: values, pieces and single characters."""
    for _ in range(rng.randint(1, 3)):
        start = rng.randrange(len(text) + 1)
        end = min(len(text), start + rng.choice((1, 3, 20, 200)))
        match rng.randrange(6):
            case 0 | 1:
                values = list(re.finditer(r'-?\d+(\.\d+)?|"[^"]*"', text))
                if values:
                    start, end = rng.choice(values).span()
                    text = text[:start] + rng.choice(_NASTY) + text[end:]
            case 2:
                text = text[:start] + text[end:]
            case 3:
                text = text[:start] + text[start:end] + text[start:]
            case 4:
                text = text[:start] + rng.choice(_NASTY) + text[start:]
            case _:
                text = text[:start] + rng.choice('{}[]:,"01-.eE \n\t') + text[start + 1 :]
    return text


def outcome(read: Reader, file: Path) -> str:
    """Read a file, and check that it is refused as it should be, or valid."""
    try:
        found = read(file)
    except AnnotationError as error:
        message = str(error)
        assert message.startswith(f"{file}, ")
        assert "expected" in message
        assert "got" in message
        assert len(message) < 1000
        return "refused"
    names, (points, visible) = found if isinstance(found, Annotations) else (None, found)
    assert names is None or len(names) == len(points)
    assert points.shape == (*visible.shape, 2)
    assert points.isfinite().all()
    return "read"


def attack(name: str, count: int, folder: Path) -> Counter[str]:
    read, text = FILES[name]
    file = folder / "keypoints.txt"
    rng = random.Random(name)
    results: Counter[str] = Counter()
    for number in range(count):
        file.write_bytes(mutate(text, rng).encode("utf-8", "surrogatepass"))
        try:
            results[outcome(read, file)] += 1
        except Exception as error:
            raise AssertionError(f"mutation {number} of {name}") from error
    return results


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", FILES)
def test_damaged_files_are_refused_with_their_place_or_valid(tmp_path, name, count):
    assert outcome(*_written(tmp_path, *FILES[name])) == "read"
    results = attack(name, count, tmp_path)
    print(f"{name}: {dict(results)} of {count}")  # the figures, with -s
    assert results["refused"] > count / 10
    assert results["read"] > count / 100


def _written(folder: Path, read: Reader, text: str) -> tuple[Reader, Path]:
    file = folder / "keypoints.txt"
    file.write_text(text)
    return read, file


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("market", "[0, 1,", "[NaN, 1,", "line 2: expected a finite number of float32; got nan"),
        ("market", "[0, 1,", "[3.5e38, 1,", r"line 2: expected a finite number of float32; got 3.5e\+38"),
        ("market", "[0, 1,", f"[{'1' * 400}, 1,", "line 2: expected a finite number of float32; got inf"),
        ("market", "[0, 1,", f"[{'1' * 5000}, 1,", "line 2: expected a list such as"),
        ("market", "[0, 1,", "[" * 200_000, "line 2: expected a list such as"),
        ("openface", "0.0, 0.5,", "0.0, 3.5e38,", r"line 2: expected a finite number of float32; got 3.5e\+38"),
        ("openface", "x_1,", "x_0,", "missing: x_1"),
        ("openface", "frame,", "success,", "line 1: expected each column once; got 'success'"),
        ("pts", "30.5", "3.5e38", "line 5: expected a finite number of float32"),
        ("pts", "n_points: 3", f"n_points: {'3' * 5000}", "line 2: expected n_points: and a whole number"),
        ("openpose", "0.9", "1" * 5000, r"line 1: expected JSON \(too many digits\)"),
        ("openpose", "[", "[" * 200_000, r"line 1: expected JSON \(nested too deeply\)"),
        ("coco", '"id": 1', '"id": 0', r"images\[1\]\.id: expected an id of its own; '0.jpg' has the same; got 0"),
        ("coco", '"id": 1', '"id": true', r"images\[1\]\.id: expected an id, a whole number or a text; got True"),
        ("coco", '"iscrowd": 0', '"iscrowd": "0"', r"annotations\[0\]\.iscrowd: expected 0 or 1; got '0'"),
        ("results", '"score": 0.9', '"score": NaN', r"\[0\]\.score: expected a finite number of float32; got nan"),
        ("results", '"image_id": 1', f'"image_id": {"[" * 900}{"]" * 900}', r"\[1\]\.image_id: expected an id"),
    ],
)
def test_what_no_reader_takes(tmp_path, name, old, new, message):
    read, text = FILES[name]
    assert old in text
    with pytest.raises(AnnotationError, match=rf"keypoints\.txt, .*{message}"):
        read(_written(tmp_path, read, text.replace(old, new, 1))[1])


@pytest.mark.parametrize("value", ["NaN", "1e39", "1" * 400, "-" + "1" * 400, "-Infinity"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_float32_cannot_hold_is_a_missing_joint_of_an_estimator(tmp_path, value, place):
    joint = ["3.0", "4.0", "0.9"]
    joint[place] = value
    file = tmp_path / "keypoints.json"
    file.write_text(f'{{"people": [{{"pose_keypoints_2d": [{", ".join(joint)}, 5, 6, 1]}}]}}')
    points, visible = read_openpose_json(file)
    assert visible.tolist() == [[False, True]]
    assert points.isfinite().all()


@pytest.mark.parametrize("name", FILES)
def test_what_is_no_file_at_all(tmp_path, name):
    read, _ = FILES[name]
    with pytest.raises(AnnotationError, match="the path itself: expected a file; got 'a folder'"):
        read(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(AnnotationError, match="pipe, the path itself: expected a file; got 'a pipe or a device'"):
        read(tmp_path / "pipe")


@pytest.mark.parametrize("name", ["openpose", "coco", "results", "openface"])
def test_a_threshold_that_nothing_compares_with(tmp_path, name):
    read, file = _written(tmp_path, *FILES[name])
    with pytest.raises(ValueError, match="threshold: got nan, expected a number"):
        read(file, threshold=torch.nan)
