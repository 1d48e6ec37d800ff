"""OpenPose's JSON files."""

from os import PathLike
from typing import Literal

from cyclekit._typed import typed
from cyclekit.keypoints.heatmaps import Keypoints
from cyclekit.keypoints.readers.annotations import fail, field, items, read_json, stack_triples, triples


@typed
def read_openpose_json(
    path: str | PathLike[str],
    part: Literal["pose", "face", "hand_left", "hand_right"] = "pose",
    threshold: int | float = 0,
) -> Keypoints:
    """Read the people of one image from the JSON file OpenPose writes for it.

    Files of its first versions (VITON's, for one), whose keys lack the `_2d`, are read as well.

    Args:
        path: The file, such as `image_keypoints.json`.
        part: Which keypoints: 18 or 25 of the pose (`OPENPOSE_18`, `OPENPOSE_25`), 70 of the face (those
            of `FACE_68`, then the pupils) or 21 of a hand (`HAND_21`).
        threshold: A joint is there when its confidence exceeds this. OpenPose writes 0 for a joint it did not
            find, and itself draws what exceeds 0.05 of the pose, 0.2 of a hand and 0.4 of the face.

    Returns:
        Points in pixels, shape (people, joints, 2), and which are there. A file without people gives
        (0, 0, 2).

    Raises:
        AnnotationError: The file is not such JSON, or OpenPose was not asked for this part.
        OSError: The file cannot be read.
        ShapeError: `part` is another word.
        ArgumentError: `threshold` is NaN.

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
    rows: list[list[float]] = []
    for index, person in enumerate(items(path, "people", field(path, "top level", read_json(path), "people"))):
        old = f"{part}_keypoints"
        key = old if isinstance(person, dict) and old in person else f"{old}_2d"
        where = f"people[{index}].{key}"
        rows.append(triples(path, where, field(path, f"people[{index}]", person, key)))
        if not rows[-1]:
            fail(path, where, f"keypoints; OpenPose leaves the list empty unless it is told to find a {part}", [])
        if len(rows[-1]) != len(rows[0]):
            fail(path, where, f"{len(rows[0])} numbers, as people[0] has", len(rows[-1]))
    return stack_triples(rows, threshold)
