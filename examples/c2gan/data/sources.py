"""Where pairs come from, and in which order."""

from collections.abc import Iterator
from pathlib import Path

import torch
from PIL import Image as Picture
from torch import Tensor
from torch.utils.data import Sampler

from cyclekit import Domain, Heatmap, Landmarks
from data.composites import CompositePairs
from data.faces import FacePairs
from data.persons import PersonPairs
from data.pictures import SUFFIXES, read_picture, to_tensor
from errors import DataError
from recipe import Task

Pairs = FacePairs | PersonPairs | CompositePairs


def keypoints_of(task: Task, data: Path | None) -> Domain:
    """Return how keypoints are drawn: persons of the embedded data have heatmaps, all others pictures."""
    return Heatmap(18) if task == "persons" and data is None else Landmarks(3)


def open_split(task: Task, data: Path | None, split: str, size: tuple[int, int], panels: str) -> Pairs:
    """Open the training or test pairs of a folder, or of the embedded data."""
    if data is not None:
        return CompositePairs(data, split, size, order=panels, flip=split == "train")
    return FacePairs(split, size) if task == "faces" else PersonPairs(split, size)


class ShuffledBatches(Sampler[list[int]]):
    """Batches of shuffled indices without end, epoch after epoch, that can begin anywhere.

    The order of an epoch follows from the seed and the epoch's number alone, so that a resumed run sees the same
    batches as one that never stopped.
    """

    drop_last = True

    def __init__(self, count: int, batch_size: int, seed: int, start: int = 0) -> None:
        self.count = count
        self.batch_size = batch_size
        self.seed = seed
        self.start = start

    def __iter__(self) -> Iterator[list[int]]:
        """Yield batches from the first one on."""
        per_epoch = self.count // self.batch_size
        number = self.start
        while True:
            epoch, first = divmod(number, per_epoch)
            random = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
            order = torch.randperm(self.count, generator=random)[: per_epoch * self.batch_size]
            for indices in order.view(per_epoch, self.batch_size)[first:].tolist():
                yield indices
                number += 1


def read_image(path: Path, size: tuple[int, int]) -> Tensor:
    """Read a picture as (3, height, width) in [-1, 1]."""
    return to_tensor(read_picture(path), size)


def write_image(image: Tensor, path: Path) -> None:
    """Write (channels, height, width) in [-1, 1] as a picture; of heatmaps, the largest joint at each pixel."""
    shown = image if image.shape[0] == 3 else image.amax(0, keepdim=True).expand(3, -1, -1)
    pixels = ((shown.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    if path.suffix.lower() not in SUFFIXES:
        raise DataError(f"--out {path}: a picture's name ends in one of {', '.join(SUFFIXES)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    Picture.fromarray(pixels).save(path)
