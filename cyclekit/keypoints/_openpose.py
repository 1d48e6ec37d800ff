"""OpenPose's JSON files."""

from os import PathLike
from typing import Literal

from cyclekit._typed import typed
from cyclekit.keypoints._annotations import fail, field, items, read_json, stack_triples, triples
from cyclekit.keypoints._decode import Keypoints


@typed
def read_openpose_json(
    path: str | PathLike[str], part: Literal["pose", "face", "hand_left", "hand_right"] = "pose"
) -> Keypoints:
    """Read the people of one image from the JSON file OpenPose writes for it.

    Args:
        path: The file, such as `image_keypoints.json`.
        part: Which keypoints: 18 or 25 of the pose (`OPENPOSE_18`, `OPENPOSE_25`), 70 of the face (`FACE_68`
            and the pupils) or 21 of a hand (`HAND_21`).

    Returns:
        Points in pixels, shape (people, joints, 2), and which have a confidence above 0. A file without
        people gives (0, 0, 2).

    Raises:
        AnnotationError: The file is not such JSON.
        OSError: The file cannot be read.
        ShapeError: `part` is another word.

    Source:
        https://github.com/CMU-Perceptual-Computing-Lab/openpose, `doc/02_output.md`.

    Example:
        ```python
        import json
        from pathlib import Path
        from tempfile import TemporaryDirectory
        from cyclekit.keypoints import read_openpose_json

        with TemporaryDirectory() as folder:
            file = Path(folder, "image_keypoints.json")
            file.write_text(json.dumps({"people": [{"pose_keypoints_2d": [3.0, 4.0, 0.9] * 25}]}))
            assert read_openpose_json(file).points.shape == (1, 25, 2)
        ```
    """
    key = f"{part}_keypoints_2d"
    rows: list[list[float]] = []
    for index, person in enumerate(items(path, "people", field(path, "top level", read_json(path), "people"))):
        where = f"people[{index}].{key}"
        rows.append(triples(path, where, field(path, f"people[{index}]", person, key)))
        if len(rows[-1]) != len(rows[0]):
            fail(path, where, f"{len(rows[0])} numbers, as people[0] has", len(rows[-1]))
    return stack_triples(rows)
