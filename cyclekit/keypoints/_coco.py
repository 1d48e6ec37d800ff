"""COCO's keypoint JSON files."""

from os import PathLike

from cyclekit._typed import typed
from cyclekit.keypoints._annotations import (
    Annotations,
    fail,
    field,
    items,
    read_json,
    stack_triples,
    triples,
)


@typed
def read_coco_keypoints(path: str | PathLike[str]) -> Annotations:
    """Read the annotated people of a COCO keypoint file, `person_keypoints_*.json`.

    Crowd regions (`iscrowd`) are left out. A joint is there when it is labelled, hidden in the image or not
    (COCO's v of 1 or 2).

    Args:
        path: The file.

    Returns:
        The image's file name and the keypoints of each person, in file order; 17 joints in COCO's own files
        (`COCO_17`).

    Raises:
        AnnotationError: The file is not such JSON, or names an image it does not list.
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
    names: dict[object, str] = {}
    for index, image in enumerate(items(path, "images", field(path, "top level", content, "images"))):
        where = f"images[{index}]"
        identity = field(path, where, image, "id")
        name = field(path, where, image, "file_name")
        if not isinstance(identity, int | str) or not isinstance(name, str):
            fail(path, where, "an id and a file_name", image)
        names[identity] = name
    found: list[str] = []
    rows: list[list[float]] = []
    people = items(path, "annotations", field(path, "top level", content, "annotations"))
    for index, person in enumerate(people):
        where = f"annotations[{index}]"
        keypoints = triples(path, f"{where}.keypoints", field(path, where, person, "keypoints"))
        identity = field(path, where, person, "image_id")
        if not isinstance(identity, int | str) or identity not in names:
            fail(path, f"{where}.image_id", "the id of one of the images", identity)
        if isinstance(person, dict) and person.get("iscrowd"):
            continue
        found.append(names[identity])
        rows.append(keypoints)
        if len(keypoints) != len(rows[0]):
            fail(path, f"{where}.keypoints", f"{len(rows[0])} numbers, as those before have", len(keypoints))
    return Annotations(tuple(found), stack_triples(rows))
