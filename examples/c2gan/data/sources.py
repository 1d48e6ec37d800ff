"""Where pairs come from, and in which order."""

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import torch
from PIL import Image as Picture
from torch import Tensor
from torch.utils.data import default_collate

from cyclekit import Domain, Heatmap, Landmarks
from cyclekit.data import BatchTransform, KeypointPairs, PosedImages, SignalLoader, StepRandom, read_signal
from cyclekit.keypoints import OPENPOSE_18, Keypoints
from cyclekit.training import BatchSource
from data.composites import CompositePairs
from data.faces import FacePairs
from data.manifest import MANIFEST, Manifest
from data.persons import PersonPairs
from errors import UsageError
from recipe import Task

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
Size = tuple[int, int]
Pairs = FacePairs | PersonPairs | CompositePairs | KeypointPairs


def keypoints_of(task: Task, data: Path | None) -> Domain:
    """Return how keypoints are drawn: persons have heatmaps, but on panels, and faces pictures."""
    if data is not None and is_manifest(data):
        return Manifest.read(data).drawing((128, 64)).domain
    return Heatmap(18) if task == "persons" and data is None else Landmarks(3)


def is_manifest(data: Path) -> bool:
    """Whether a folder was written by prepare.py."""
    return (data / MANIFEST).is_file()


def open_split(
    task: Task, data: Path | None, split: str, size: tuple[int, int], panels: str, mask: bool = False
) -> Pairs:
    """Open the training or test pairs of a manifest or a folder of panels, or of the embedded data.

    With ``mask`` a manifest's have the body in y as well, which takes a while to draw. A manifest without test pairs is
    tested on its training pairs, which is said.
    """
    if data is None:
        return FacePairs(split, size) if task == "faces" else PersonPairs(split, size)
    if not is_manifest(data):
        return CompositePairs(data, split, size, order=panels, flip=split == "train")
    manifest = Manifest.read(data)
    bodies = manifest.skeleton == OPENPOSE_18
    if bodies != (task == "persons"):
        raise UsageError(
            f"{data} holds {'persons' if bodies else 'faces'}: use --task {'persons' if bodies else 'faces'}"
        )
    if split not in manifest.parts:
        other = next(iter(manifest.parts))
        print(f"{data} has no {split} pairs: its {other} pairs stand in for them")
        split = other
    return manifest.open(split, size, mask)


def batch_of_pairs(pairs: Pairs, indices: Sequence[int]) -> dict[str, Tensor]:
    """Return pairs as a model takes them, in [-1, 1]; keypoints that come as points are drawn."""
    batch = default_collate([pairs[index] for index in indices])
    if not isinstance(pairs, KeypointPairs):
        return batch
    return BatchTransform(pairs)(batch, StepRandom(0, 0, len(indices)))


def points_of_pairs(pairs: Pairs, indices: Sequence[int]) -> Keypoints | None:
    """Return the keypoints of the targets in pixels, where they are known as points."""
    if isinstance(pairs, KeypointPairs):
        found = torch.stack([pairs[index]["Ly"] for index in indices])
        return Keypoints(found[..., :2].contiguous(), found[..., 2] > 0)
    if isinstance(pairs, CompositePairs):
        return None
    drawings = [pairs.drawings_of(index)[1] for index in indices]
    return Keypoints(pairs.points[drawings], pairs.visible[drawings])


def posed_images(pairs: Pairs, indices: Sequence[int]) -> PosedImages | None:
    """Return both images of pairs with their keypoints as points, where they are known as such."""
    if isinstance(pairs, CompositePairs):
        return None
    batch = batch_of_pairs(pairs, indices)
    images = torch.stack([batch["x"], batch["y"]], dim=1).flatten(0, 1)
    images = ((images + 1) * 127.5).round().byte()
    persons = tuple(place for place in range(len(indices)) for _ in range(2))
    if isinstance(pairs, KeypointPairs):
        found = torch.stack([pairs[index][name] for index in indices for name in ("Lx", "Ly")])
        return PosedImages(images, found[..., :2].contiguous(), found[..., 2] > 0, pairs.drawings["Ly"], persons)
    drawings = [drawing for index in indices for drawing in pairs.drawings_of(index)]
    return PosedImages(images, pairs.points[drawings], pairs.visible[drawings], pairs.drawing, persons)


def sample_name(pairs: Pairs, index: int) -> tuple[str, str]:
    """Return what x and y of a pair are called."""
    if isinstance(pairs, KeypointPairs):
        one, other = pairs.pairs[index].tolist()
        names = [pairs.files[row].relative_to(pairs.images).as_posix() for row in (one, other)]
        return names[0], names[1]
    if isinstance(pairs, CompositePairs):
        name = pairs.file_of(index).name
        return name, name
    one, other = pairs.drawings_of(index)
    return f"drawing {one}", f"drawing {other}"


def spread(count: int, most: int | None) -> list[int]:
    """Return indices spread evenly, at most so many; all where no number is given."""
    if most is None or most >= count:
        return list(range(count))
    return torch.linspace(0, count - 1, max(1, most)).long().tolist()


def batches_of(pairs: Pairs, batch_size: int, seed: int, workers: int = 0) -> BatchSource:
    """Return the training batches of pairs: points drawn on the device, pictures as they are.

    Files are read by ``workers`` processes; drawn pairs, which are kept once they are drawn, by this one.
    """
    if isinstance(pairs, KeypointPairs):
        transform = BatchTransform(pairs, flip=0.5)
        return SignalLoader(pairs, batch_size, transform=transform, seed=seed, workers=workers)
    if isinstance(pairs, CompositePairs):
        return SignalLoader(pairs, batch_size, seed=seed, workers=workers)
    return ShuffledPairs(pairs, batch_size, seed)


class ShuffledPairs:
    """Batches of drawn pairs, shuffled without end, epoch after epoch, that can begin anywhere.

    The order of an epoch follows from the seed and the epoch's number alone, so that a resumed run sees the same
    batches as one that never stopped.
    """

    def __init__(self, pairs: FacePairs | PersonPairs, batch_size: int, seed: int) -> None:
        self.pairs = pairs
        self.batch_size = batch_size
        self.seed = seed

    def batches(
        self, start: int = 0, *, device: str | torch.device = "cpu", processes: int = 1, process: int = 0
    ) -> Iterator[dict[str, Tensor]]:
        """Yield the batches of training step ``start`` and all that follow; processes take them in turns."""
        for indices in self.order(start * processes + process, processes):
            batch = default_collate([self.pairs[index] for index in indices])
            yield {name: value.to(device) for name, value in batch.items()}

    def order(self, start: int, stride: int = 1) -> Iterator[list[int]]:
        """Yield every so many batches of indices, from one on."""
        per_epoch = len(self.pairs) // self.batch_size
        for number in count(start, stride):
            epoch, place = divmod(number, per_epoch)
            random = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
            order = torch.randperm(len(self.pairs), generator=random)
            yield order[place * self.batch_size : (place + 1) * self.batch_size].tolist()


def read_image(path: Path, size: tuple[int, int]) -> Tensor:
    """Read a picture as (3, height, width) in [-1, 1]."""
    return read_signal(path, size=size, fit="squash").float() / 127.5 - 1


def write_image(image: Tensor, path: Path) -> None:
    """Write (channels, height, width) in [-1, 1] as a picture; of heatmaps, the largest joint at each pixel."""
    shown = image if image.shape[0] == 3 else image.amax(0, keepdim=True).expand(3, -1, -1)
    pixels = ((shown.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    if path.suffix.lower() not in Picture.registered_extensions():
        raise UsageError(f"--out {path}: no picture's name ends in {path.suffix!r}; take .png")
    path.parent.mkdir(parents=True, exist_ok=True)
    Picture.fromarray(pixels).save(path)
