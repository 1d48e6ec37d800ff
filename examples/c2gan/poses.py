"""The poses that pictures are brought into: read from files, scaled to a run's size, drawn as the run saw them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cyclekit import Domain, Heatmap
from cyclekit.data import DataError, Drawing, read_picture
from cyclekit.keypoints import FACE_68, OPENPOSE_18, Annotations, Keypoints, Skeleton
from data.checking import SHARES, are_shares, examples
from data.drawing import drawing_of
from data.manifest import Manifest
from data.raw import keypoints_by_name
from data.sources import PICTURES, Size, is_manifest
from errors import UsageError


@dataclass(frozen=True)
class Poses:
    """The poses that a file or a folder holds.

    Args:
        source: Where they were read.
        found: Keypoints (1, joints, 2) by the name of their picture, without its ending.
        folders: Where the pictures may lie whose pixels they are in.
    """

    source: Path
    found: Mapping[str, Keypoints]
    folders: Sequence[Path]

    def pick(self, name: str | None, picture: Path) -> str:
        """Return the name of the pose that is asked for, of the only one, or of the picture's own.

        Raises:
            UsageError: There is no such pose, or nothing says which of several is meant.
        """
        said = f"{self.source} holds {len(self.found)} poses, such as {examples(list(self.found))}"
        if name is not None:
            for key in (name, _stem(name)):
                if key in self.found:
                    return key
            raise UsageError(f"--pose {name}: {said}; none is called so")
        if len(self.found) == 1:
            return next(iter(self.found))
        if picture.stem not in self.found:
            raise UsageError(f"{said}; none is called as {picture.name} is: say which is meant by --pose NAME")
        return picture.stem

    def scaled(self, name: str, size: Size, given: Size | None, picture: Path) -> Keypoints:
        """Return a pose in pixels of a run's pictures.

        Args:
            name: As `pick` returns it.
            size: Height and width of the run's pictures.
            given: Height and width of the picture that the pose is of. Where it is not given, a picture of the
                pose's name says it, and without one the pose is taken to be of a picture as large as ``picture``.
            picture: The picture that is brought into the pose.

        Raises:
            UsageError: The pose has no joint, or most of its joints lie outside of a picture of that size, or all at
                its corner.
        """
        points, visible = keypoints = self.found[name]
        where = f"{self.source}: the pose {name!r}"
        if not visible.any():
            raise UsageError(f"{where} has no joint: nobody was found in its picture")
        if are_shares(keypoints):
            raise UsageError(f"{where} lies within two pixels of its picture's corner: {SHARES}")
        files = (folder / f"{name}{ending}" for folder in self.folders for ending in PICTURES)
        own = next((file for file in files if file.is_file()), None)
        height, width = given or read_picture(own or picture).size[::-1]
        inside = ((points >= -0.5) & (points <= torch.tensor([width, height]) - 0.5)).all(-1)
        if 2 * int((visible & inside).sum()) < int(visible.sum()):
            taken = "" if given else f", as {(own or picture).name} is"
            raise UsageError(
                f"{where} does not lie in a picture of {height}x{width}, height by width{taken}: say the size of the "
                "picture that it was found in by --keypoints-size HEIGHT WIDTH"
            )
        return resized(Keypoints(points, visible), (height, width), size)


def read_poses(source: Path, skeleton: Skeleton) -> Poses:
    """Read a file of any reader's format, a folder of such files, or a manifest of prepare.py.

    Raises:
        UsageError: There is no such place, or a manifest's joints are another skeleton's.
        CycleKitError: A file is damaged, of an unknown format or of another skeleton, or there are no poses.
    """
    if not source.exists():
        raise UsageError(f"--keypoints {source}: no such file or folder")
    if not is_manifest(source):
        found, _ = keypoints_by_name(source, skeleton)
        if not found:
            raise DataError(f"{source} holds no keypoints: expected rows in a file that ends in .csv, .json or .pts")
        return Poses(source, found, [source if source.is_dir() else source.parent])
    manifest = Manifest.read(source)
    if manifest.skeleton != skeleton:
        raise UsageError(f"{source} holds {manifest.skeleton.name}, and the run was trained on {skeleton.name}")
    parts = manifest.parts.values()
    return Poses(
        source,
        {name: one for part in parts for name, one in _rows(part.annotations)},
        [part.images for part in parts if part.images is not None],
    )


def drawing_of_run(keypoints: Domain, trained: Mapping[str, Any]) -> Drawing | None:
    """Return how a run's keypoints were drawn; None where only its panels know: of persons, or bright on dark."""
    size = trained["size"]
    if isinstance(keypoints, Heatmap):
        return drawing_of(OPENPOSE_18, size)
    dark_dots = trained["task"] == "faces" and trained.get("landmarks") != "white_on_black"
    return drawing_of(FACE_68, size) if dark_dots else None


def drawn(drawing: Drawing, poses: Keypoints, size: Size) -> Tensor:
    """Return poses as a model takes them, (poses, channels, height, width) in [-1, 1]."""
    return 2 * drawing.draw(poses.points, poses.visible, size) - 1


def walk(poses: Sequence[Keypoints], frames: int) -> Keypoints:
    """Return the way from each pose to the next, every joint on a straight line; on it is a joint that both have.

    Args:
        poses: One or more, (1, joints, 2) each.
        frames: How many from one to the next, both included; 2 or more.
    """
    points, visible = [poses[0].points], [poses[0].visible]
    for one, other in pairwise(poses):
        for part in torch.linspace(0, 1, frames)[1:-1].tolist():
            points.append(torch.lerp(one.points, other.points, part))
            visible.append(one.visible & other.visible)
        points.append(other.points)
        visible.append(other.visible)
    return Keypoints(torch.cat(points), torch.cat(visible))


def resized(keypoints: Keypoints, before: Size, after: Size) -> Keypoints:
    """Return keypoints in pixels of their picture at another size; pixel centres lie at whole numbers."""
    scale = torch.tensor([after[1] / before[1], after[0] / before[0]])
    return Keypoints((keypoints.points + 0.5) * scale - 0.5, keypoints.visible)


def _rows(annotations: Annotations) -> list[tuple[str, Keypoints]]:
    points, visible = annotations.keypoints
    return [
        (_stem(name), Keypoints(points[row : row + 1], visible[row : row + 1]))
        for row, name in enumerate(annotations.names)
    ]


def _stem(name: str) -> str:
    return Path(name).with_suffix("").as_posix()
