"""COCO's keypoint JSON files: annotations, and the results that pose estimators write."""

from os import PathLike
from typing import cast

from cyclekit._typed import typed
from cyclekit.keypoints.points import check_number
from cyclekit.keypoints.readers.annotations import (
    Annotations,
    fail,
    field,
    finite,
    items,
    numbers,
    read_json,
    stack_triples,
    triples,
    whole_id,
)


@typed
def read_coco_keypoints(path: str | PathLike[str], threshold: int | float = 0) -> Annotations:
    """Read the annotated people of a COCO keypoint file, `person_keypoints_*.json`.

    Crowd regions (`iscrowd`) are left out. Somebody without any labelled joint, as most of COCO's people in the
    background are, is a row without any visible joint.

    Args:
        path: The file.
        threshold: A joint is there when COCO's v exceeds this: 0 takes all that are labelled, 1 leaves those
            out that are hidden in the image.

    Returns:
        The image's file name and the keypoints of each person, in file order; 17 joints in COCO's own files
        (`COCO_17`).

    Raises:
        AnnotationError: The file is not such JSON, names an image it does not list, or gives two images one id.
        ArgumentError: `threshold` is NaN.
        OSError: The file cannot be read.

    Source:
        Lin et al., Microsoft COCO (arXiv 1405.0312); https://cocodataset.org/#format-data.

    Example:
        ```python
        import json
        from pathlib import Path
        from tempfile import TemporaryDirectory
        from cyclekit.keypoints import read_coco_keypoints

        person = {"image_id": 7, "iscrowd": 0, "keypoints": [10, 20, 2] * 17}
        content = {"images": [{"id": 7, "file_name": "7.jpg"}], "annotations": [person]}
        with TemporaryDirectory() as folder:
            file = Path(folder, "person_keypoints_val.json")
            file.write_text(json.dumps(content))
            assert read_coco_keypoints(file).names == ("7.jpg",)
        ```
    """
    content = read_json(path)
    if isinstance(content, list):
        first = cast("list[object]", content)[:1]
        fail(path, "top level", "an object with annotations; read_coco_results reads a list of results", first)
    names = _image_names(path, content)
    found: list[str] = []
    rows: list[list[float]] = []
    people = items(path, "annotations", field(path, "top level", content, "annotations"))
    for index, person in enumerate(people):
        where = f"annotations[{index}]"
        keypoints = triples(path, f"{where}.keypoints", field(path, where, person, "keypoints"), most=2)
        name = _image(path, where, person, names)
        crowd = cast("dict[str, object]", person).get("iscrowd", 0)
        if crowd not in (0, 1):
            fail(path, f"{where}.iscrowd", "0 or 1", crowd)
        if crowd:
            continue
        found.append(name)
        rows.append(_alike(path, where, keypoints, rows))
    return Annotations(tuple(found), stack_triples(rows, threshold))


@typed
def read_coco_results(
    path: str | PathLike[str],
    images: str | PathLike[str] | None = None,
    threshold: int | float = 0,
    min_score: int | float = 0,
) -> Annotations:
    """Read the people a pose estimator found, from a file in COCO's results format.

    AlphaPose, Detectron, MMPose and OpenPose (`--write_coco_json`) write it: a list of objects with `image_id`,
    `keypoints` and `score`.

    Args:
        path: The file.
        images: The annotation file the images are listed in, to name each image by its file. When None, the
            `image_id` itself is the name, as AlphaPose means it.
        threshold: A joint is there when its confidence exceeds this. Most estimators place every joint, those
            they cannot see as well, so choose one that suits yours.
        min_score: People whose `score` is lower are left out. Detectors also write what they hardly believe in.

    Returns:
        The image's name and the keypoints of each person, in file order; 17 joints where the estimator was
        trained on COCO (`COCO_17`).

    Raises:
        AnnotationError: A file is not such JSON, or a person's image is none of `images`.
        ArgumentError: `threshold` or `min_score` is NaN.
        OSError: A file cannot be read.

    Source:
        https://cocodataset.org/#format-results.

    Example:
        ```python
        import json
        from pathlib import Path
        from tempfile import TemporaryDirectory
        from cyclekit.keypoints import read_coco_results

        person = {"image_id": "7.jpg", "category_id": 1, "keypoints": [10, 20, 0.9] * 17, "score": 2.5}
        with TemporaryDirectory() as folder:
            file = Path(folder, "alphapose-results.json")
            file.write_text(json.dumps([person]))
            assert read_coco_results(file, threshold=0.3).names == ("7.jpg",)
        ```
    """
    check_number("min_score", min_score)
    content = read_json(path)
    if isinstance(content, dict):
        keys = list(cast("dict[str, object]", content))
        fail(path, "top level", "a list of results; read_coco_keypoints reads an object with annotations", keys)
    names = None if images is None else _image_names(images, read_json(images))
    found: list[str] = []
    rows: list[list[float]] = []
    for index, person in enumerate(items(path, "top level", content)):
        where = f"[{index}]"
        keypoints = triples(path, f"{where}.keypoints", field(path, where, person, "keypoints"))
        name = _image(path, where, person, names)
        (score,) = numbers(path, f"{where}.score", [field(path, where, person, "score")])
        finite(path, f"{where}.score", score)
        if score < min_score:
            continue
        found.append(name)
        rows.append(_alike(path, where, keypoints, rows))
    return Annotations(tuple(found), stack_triples(rows, threshold))


def _image_names(path: str | PathLike[str], content: object) -> dict[int | str, str]:
    names: dict[int | str, str] = {}
    for index, image in enumerate(items(path, "images", field(path, "top level", content, "images"))):
        where = f"images[{index}]"
        identity = whole_id(path, f"{where}.id", field(path, where, image, "id"))
        name = field(path, where, image, "file_name")
        if not isinstance(name, str):
            fail(path, where, "an id and a file_name", image)
        if names.setdefault(identity, name) != name:
            fail(path, f"{where}.id", f"an id of its own; {names[identity]!r} has the same", identity)
    return names


def _image(path: str | PathLike[str], where: str, person: object, names: dict[int | str, str] | None) -> str:
    identity = whole_id(path, f"{where}.image_id", field(path, where, person, "image_id"))
    if names is not None and identity not in names:
        fail(path, f"{where}.image_id", "the id of one of the images", identity)
    return str(identity) if names is None else names[identity]


def _alike(path: str | PathLike[str], where: str, keypoints: list[float], before: list[list[float]]) -> list[float]:
    """Take keypoints that are as many as those before."""
    if before and len(keypoints) != len(before[0]):
        fail(path, f"{where}.keypoints", f"{len(before[0])} numbers, as those before have", len(keypoints))
    return keypoints
