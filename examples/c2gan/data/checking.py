"""Rows of keypoints held against their pictures: what counts, and why the rest does not."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import torch

from cyclekit.data import DataError, read_picture
from cyclekit.keypoints import Annotations, Keypoints, Skeleton

SHOWN = 5
SHARES = "keypoints are in pixels, and these look like shares of width and height; multiply them by both"
"""What is wrong with keypoints of which `are_shares` is true."""


@dataclass
class Findings:
    """What was found in the files of one split.

    Args:
        rows: Rows of the annotations.
        rejected: By reason, the rows that do not count.
        counts: Whatever else was counted, by what is printed before the number.
    """

    rows: int = 0
    rejected: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    counts: dict[str, int | str] = field(default_factory=dict[str, "int | str"])

    def reject(self, reason: str, names: Sequence[str]) -> None:
        """Note rows that do not count."""
        if names:
            self.rejected.setdefault(reason, []).extend(names)

    def lines(self) -> list[str]:
        """Return what is printed."""
        lines = [f"rows: {self.rows}"]
        total = sum(map(len, self.rejected.values()))
        lines.append(f"rejected rows: {total}")
        for reason, names in self.rejected.items():
            lines.append(f"  {reason}: {len(names)} ({examples(names)})")
        return lines + [f"{name}: {value}" for name, value in self.counts.items()]


def examples(names: Sequence[str]) -> str:
    """Name the first few of many."""
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")


def chosen(annotations: Annotations, rows: Sequence[int]) -> Annotations:
    """Return some rows."""
    index = torch.tensor(list(rows), dtype=torch.long)
    points, visible = annotations.keypoints
    return Annotations(tuple(annotations.names[row] for row in rows), Keypoints(points[index], visible[index]))


def without_doubles(annotations: Annotations, findings: Findings) -> Annotations:
    """Leave out further rows of one picture: which person they are of, nobody says."""
    first: dict[str, int] = {}
    for row, name in enumerate(annotations.names):
        first.setdefault(name, row)
    kept = sorted(first.values())
    twice = [name for row, name in enumerate(annotations.names) if first[name] != row]
    findings.reject("picture annotated twice, the first row counts", twice)
    return chosen(annotations, kept)


def against_pictures(
    annotations: Annotations, images: Path | None, size: tuple[int, int] | None, findings: Findings
) -> tuple[Annotations, tuple[int, int] | None]:
    """Read every picture once; return the rows whose picture can be used, and the pictures' size.

    Joints outside their picture become missing.

    Raises:
        DataError: The folder is not there, no row has a picture, or no joint lies in one, or all at its corner.
    """
    sizes: dict[str, tuple[int, int]] = {}
    if images is not None:
        if not images.is_dir():
            raise DataError(f"{images}: no such folder of images")
        there = [name for name in annotations.names if (images / name).is_file()]
        absent = [name for name in annotations.names if name not in set(there)]
        broken: dict[str, str] = {}

        def look(name: str) -> None:
            try:
                width, height = read_picture(images / name).size
                sizes[name] = (height, width)
            except ValueError as error:
                broken[name] = str(error)

        with ThreadPoolExecutor() as threads:
            list(threads.map(look, there))
        findings.reject("picture named but absent", absent)
        findings.reject("picture that cannot be read", sorted(broken))
        if not sizes:
            said = next(
                iter(broken.values()), f"{images} holds none of the annotated pictures, such as {examples(absent)}"
            )
            raise DataError(f"no annotated picture can be used: {said}")
        common, count = Counter(sizes.values()).most_common(1)[0]
        size = common if size is None else size
        findings.counts["images"] = len(sizes)
        findings.counts["image size"] = f"{common[0]}x{common[1]}, height by width, in {count} of {len(sizes)}"
        annotations = chosen(annotations, [row for row, name in enumerate(annotations.names) if name in sizes])
    else:
        findings.counts["images"] = f"{len(annotations.names)} annotated; no --images to look for"
    points, visible = annotations.keypoints
    limits = torch.tensor([sizes.get(name, size or (2**31, 2**31))[::-1] for name in annotations.names]).float()
    inside = ((points >= -0.5) & (points <= limits[:, None] - 0.5)).all(-1)
    findings.counts["joints outside their image, now missing"] = int((visible & ~inside).sum())
    lost = visible.any(1) & ~(visible & inside).any(1)
    findings.reject("all joints outside the image", [annotations.names[row] for row in lost.nonzero().flatten()])
    if lost.all():
        raise DataError(
            f"all joints of all {len(lost)} rows lie outside their images, such as {examples(annotations.names)}: "
            "keypoints are in pixels of these images, and these are of others or of another size"
        )
    if are_shares(annotations.keypoints):
        raise DataError(
            f"every joint of {examples(annotations.names)} lies within two pixels of the image's corner: {SHARES}"
        )
    kept = Annotations(annotations.names, Keypoints(points, visible & inside))
    return chosen(kept, (~lost).nonzero().flatten().tolist()), size


def are_shares(keypoints: Keypoints) -> bool:
    """Whether joints, of which there are several, seem to be given as shares of width and height."""
    there = keypoints.points[keypoints.visible]
    return len(there) > 2 and bool(((there >= 0) & (there <= 2)).all())


def count_joints(annotations: Annotations, skeleton: Skeleton, findings: Findings) -> None:
    """Count missing joints, and persons seen from behind."""
    _, visible = annotations.keypoints
    missing = (~visible).sum(0)
    findings.counts["missing joints"] = f"{int(missing.sum())} of {visible.numel()}"
    if missing.any():
        order = missing.argsort(descending=True)[:3].tolist()
        findings.counts["most often missing"] = ", ".join(f"{skeleton.joints[i]} {int(missing[i])}" for i in order)
    if "nose" in skeleton.joints:
        face = [skeleton.joints.index(name) for name in ("nose", "right_eye", "left_eye")]
        findings.counts["persons seen from behind (no nose, no eyes)"] = int((~visible[:, face]).all(1).sum())
