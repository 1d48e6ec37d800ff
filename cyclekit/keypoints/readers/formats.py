"""Any of the readers' files, told apart by what it holds."""

from os import PathLike
from pathlib import Path
from typing import NamedTuple

import torch

from cyclekit._typed import typed
from cyclekit.errors import AnnotationError
from cyclekit.keypoints.heatmaps import Keypoints
from cyclekit.keypoints.readers.annotations import Annotations, fail, read_json, read_text
from cyclekit.keypoints.readers.coco import read_coco_keypoints, read_coco_results
from cyclekit.keypoints.readers.market import read_market_csv
from cyclekit.keypoints.readers.openface import read_openface_csv, read_pts
from cyclekit.keypoints.readers.openpose import read_openpose_json
from cyclekit.keypoints.readers.table import read_keypoint_table
from cyclekit.keypoints.skeletons import (
    COCO_17,
    FACE_68,
    HAND_21,
    MEDIAPIPE_FACE_468,
    OPENPOSE_18,
    OPENPOSE_25,
    Skeleton,
    convert_keypoints,
)

_BY_JOINTS = {len(s): s for s in (COCO_17, OPENPOSE_18, HAND_21, OPENPOSE_25, FACE_68, MEDIAPIPE_FACE_468)}


class AnnotatedFile(NamedTuple):
    """What a file of keypoints holds.

    Attributes:
        annotations: Names and keypoints. OpenPose's and `.pts` files name no image: the name is then the file's
            own, without ``_keypoints`` and its ending.
        skeleton: Which joints they are.
    """

    annotations: Annotations
    skeleton: Skeleton


@typed
def read_keypoints(path: str | PathLike[str], skeleton: Skeleton | None = None) -> AnnotatedFile:
    r"""Read a file of keypoints in any format there is a reader for.

    | file | reader |
    | --- | --- |
    | `.pts` | `read_pts` |
    | JSON with `people` | `read_openpose_json`: the pose, or the face where it was asked for the face alone |
    | JSON with `annotations`, or a list | `read_coco_keypoints`, `read_coco_results` |
    | CSV that begins `name:keypoints_y` | `read_market_csv` |
    | CSV with a column `x_67` and no `name` | `read_openface_csv` |
    | CSV that begins `name,x_0,y_0` | `read_keypoint_table` |

    Args:
        path: The file.
        skeleton: What the keypoints are brought to; as they are where it is not given.

    Returns:
        Names, keypoints and their skeleton.

    Raises:
        AnnotationError: It is none of these, has as many joints as no known skeleton, or cannot be brought to
            ``skeleton``.
        OSError: The file cannot be read.

    Example:
        ```python
        from pathlib import Path
        from tempfile import TemporaryDirectory
        from cyclekit.keypoints import read_keypoints

        with TemporaryDirectory() as folder:
            file = Path(folder, "anna.pts")
            file.write_text("n_points: 68\n{\n" + "1 1\n" * 68 + "}\n")
            annotations, skeleton = read_keypoints(file)
        assert annotations.names == ("anna",)
        assert skeleton.name == "face_68"
        ```
    """
    path = Path(path)
    annotations = _read(path)
    joints = annotations.keypoints.points.shape[1]
    if joints == 70:  # OpenPose's faces: FACE_68, then the pupils
        points, visible = annotations.keypoints
        annotations = annotations._replace(keypoints=Keypoints(points[:, :68], visible[:, :68]))
        joints = 68
    found = _BY_JOINTS.get(joints)
    if found is None:
        fail(path, "its rows", f"as many joints as a skeleton has ({', '.join(map(str, _BY_JOINTS))})", joints)
    if skeleton is None or skeleton == found:
        return AnnotatedFile(annotations, found)
    if not set(found.joints) & set(skeleton.joints):
        raise AnnotationError(f"{path} holds {found.name}, which cannot be brought to {skeleton.name}")
    return AnnotatedFile(
        annotations._replace(keypoints=convert_keypoints(annotations.keypoints, found, skeleton)), skeleton
    )


def _read(path: Path) -> Annotations:
    if path.suffix.lower() == ".pts":
        return Annotations((path.stem,), read_pts(path))
    if path.suffix.lower() == ".json":
        return _read_json(path)
    text = read_text(path)
    first = text.splitlines()[0].strip() if text.strip() else ""
    if first.startswith("name:"):
        return read_market_csv(path)
    if first.startswith("name,"):
        return read_keypoint_table(path)
    if "x_67" not in first:
        fail(path, 1, "rows of Market-1501 (name: y: x), of OpenFace, or a table name,x_0,y_0,...", first)
    return read_openface_csv(path)


def _read_json(path: Path) -> Annotations:
    content = read_json(path)
    if isinstance(content, list):
        return read_coco_results(path)
    if isinstance(content, dict) and "annotations" in content:
        return read_coco_keypoints(path)
    try:
        keypoints = read_openpose_json(path)
    except AnnotationError:
        keypoints = read_openpose_json(path, "face")
    name = path.stem.removesuffix("_keypoints")
    if not len(keypoints.points):  # nobody in the picture
        empty = Keypoints(torch.zeros(1, len(OPENPOSE_18), 2), torch.zeros(1, len(OPENPOSE_18), dtype=torch.bool))
        return Annotations((name,), empty)
    return Annotations((name,) * len(keypoints.points), keypoints)
