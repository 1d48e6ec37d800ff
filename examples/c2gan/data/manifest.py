"""What prepare.py writes and the other scripts read: keypoints and pairs, while pictures stay where they are."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cyclekit.data import DataError, Drawing, KeypointPairs
from cyclekit.keypoints import (
    FACE_68,
    OPENPOSE_18,
    Annotations,
    Skeleton,
    read_keypoint_table,
    write_keypoint_table,
)
from data.drawing import drawing_of

MANIFEST = "manifest.json"
SKELETONS = {skeleton.name: skeleton for skeleton in (FACE_68, OPENPOSE_18)}
SPLITS = ("train", "test")


@dataclass(frozen=True)
class Part:
    """One split: where its pictures lie, the rows that count, and their pairs.

    Args:
        images: The folder of the pictures; None where keypoints alone were checked.
        annotations: Names and keypoints, in pixels of the pictures.
        pairs: Rows (from, to).
    """

    images: Path | None
    annotations: Annotations
    pairs: Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Manifest:
    """A prepared data set.

    Args:
        dataset: Which.
        skeleton: Which joints it has.
        size: Height and width of its pictures.
        parts: Its splits by name; one without pairs is left out.
        found: What prepare.py found, for the record.
    """

    dataset: str
    skeleton: Skeleton
    size: tuple[int, int]
    parts: Mapping[str, Part]
    found: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def write(self, folder: Path) -> None:
        """Write three small files a split, and last of all the one that says that they are whole."""
        (folder / MANIFEST).unlink(missing_ok=True)
        for split in SPLITS:
            if split not in self.parts:
                for kind in ("keypoints", "pairs"):
                    (folder / f"{split}-{kind}.csv").unlink(missing_ok=True)
        for split, part in self.parts.items():
            write_keypoint_table(part.annotations, folder / f"{split}-keypoints.csv")
            with (folder / f"{split}-pairs.csv").open("w", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows([("from", "to"), *part.pairs])
        images = {name: None if part.images is None else str(part.images) for name, part in self.parts.items()}
        said = {
            "dataset": self.dataset,
            "skeleton": self.skeleton.name,
            "size": list(self.size),
            "images": images,
            "found": dict(self.found),
        }
        (folder / MANIFEST).write_text(json.dumps(said, indent=2) + "\n")

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Read what `write` wrote.

        Raises:
            DataError: The folder holds no manifest, or something else.
        """
        file = folder / MANIFEST
        try:
            said = json.loads(file.read_text())
            parts = {
                split: Part(
                    None if images is None else Path(images),
                    read_keypoint_table(folder / f"{split}-keypoints.csv"),
                    _read_pairs(folder / f"{split}-pairs.csv"),
                )
                for split, images in said["images"].items()
            }
            height, width = said["size"]
            return cls(said["dataset"], SKELETONS[said["skeleton"]], (height, width), parts, said["found"])
        except FileNotFoundError as error:
            raise DataError(f"{folder} holds no whole manifest: write one by prepare.py --out {folder}") from error
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            raise DataError(f"{file} is no manifest of prepare.py: {type(error).__name__}: {error}") from error

    def drawing(self, size: tuple[int, int]) -> Drawing:
        """Return how keypoints are drawn at a size: heatmaps as PoseGAN's, or landmark dots as the released panels'."""
        return drawing_of(self.skeleton, size)

    def open(self, split: str, size: tuple[int, int], mask: bool = False) -> KeypointPairs:
        """Open the pairs of a split: points, which a batch's transform draws; with ``mask`` the body in y as well, M.

        Raises:
            DataError: There is no such split, or no pictures were given.
        """
        if split not in self.parts:
            raise DataError(f"the manifest has no {split} pairs, but {', '.join(self.parts)} ones")
        part = self.parts[split]
        if part.images is None:
            raise DataError(
                f"the manifest's keypoints were checked without pictures, so there is nothing to train on: run "
                f"prepare.py --dataset {self.dataset} again with --images"
            )
        pairs = KeypointPairs(
            part.images,
            part.annotations,
            part.pairs,
            drawing=self.drawing(size),
            mask="M" if mask else None,
            size=size,
            check=False,  # prepare.py read every picture once
        )
        pairs[0]  # says whether the size fits
        return pairs


def _read_pairs(file: Path) -> tuple[tuple[int, int], ...]:
    with file.open(newline="") as lines:
        rows = csv.reader(lines)
        next(rows, None)
        return tuple((int(one), int(other)) for one, other in rows)
