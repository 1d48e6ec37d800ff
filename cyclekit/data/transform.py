"""What is done to a whole batch on the device: cropped, mirrored, coloured, drawn, brought to the model's range."""

from collections.abc import Mapping
from typing import TypeAlias

import torch
from torch import Tensor

from cyclekit._typed import typed
from cyclekit.data.colour import ColourJitter
from cyclekit.data.dataset import SignalDataset
from cyclekit.data.order import StepRandom
from cyclekit.data.sample import check_declared
from cyclekit.errors import DataError
from cyclekit.graph import Classes, Domain, Heatmap, Image, Latent
from cyclekit.keypoints import Skeleton

Batch: TypeAlias = dict[str, Tensor]


class BatchTransform:
    """Turns a raw batch into the signals of a model, on the device that the batch lies on.

    Signals of one scene (`SignalDataset.groups`) are cropped, mirrored and coloured together, points and maps alike;
    points are drawn last, at the size that is trained, so that no resize can thin them out.

    Args:
        dataset: Whose batches.
        crop: Height and width of a random part of every scene; all of it where it is not given.
        flip: The probability of a mirror image.
        colour: How the colours of images are changed at random.
        skeleton: Which joints of heatmaps that come as maps are left and right; mirroring such needs it.

    Raises:
        DataError: ``flip`` is no probability, the crop has no pixels, or heatmaps would be mirrored without a skeleton.

    Example:
        ```python
        from pathlib import Path
        from tempfile import TemporaryDirectory
        from PIL import Image
        from cyclekit.data import BatchTransform, SignalLoader, UnpairedFolders

        with TemporaryDirectory() as folder:
            Image.new("RGB", (300, 200)).save(Path(folder, "a.png"))
            data = UnpairedFolders(A=folder, size=(72, 72), fit="crop")
            transform = BatchTransform(data, crop=(64, 64), flip=0.5)
            batch = next(SignalLoader(data, batch_size=2, transform=transform).batches())
        assert batch["A"].shape == (2, 3, 64, 64)
        ```
    """

    @typed
    def __init__(
        self,
        dataset: SignalDataset,
        *,
        crop: tuple[int, int] | None = None,
        flip: float = 0.0,
        colour: ColourJitter | None = None,
        skeleton: Skeleton | None = None,
    ) -> None:
        if not 0 <= flip <= 1:
            raise DataError(f"flip is a probability, 0 to 1; got {flip}")
        if crop is not None and min(crop) < 1:
            raise DataError(f"crop is (height, width), each at least 1; got {crop}")
        check_declared(dataset)
        self.signals: Mapping[str, Domain] = dataset.signals
        self.drawings = dataset.drawings
        self.groups = dataset.groups
        self.crop = crop
        self.flip = flip
        self.colour = colour
        self.skeleton = skeleton
        for name, domain in self.signals.items():
            if flip and isinstance(domain, Heatmap) and name not in self.drawings:
                if skeleton is None:
                    raise DataError(
                        f"mirroring {name!r}, {domain}, must swap left and right joints: say which by skeleton=..., "
                        "or leave flip out"
                    )
                skeleton.check_joints(domain.channels)

    def __call__(self, batch: Mapping[str, Tensor], random: StepRandom) -> Batch:
        """Return the signals of a model.

        Args:
            batch: Raw signals by name, with an axis of samples before their own.
            random: The step's random numbers.

        Returns:
            Images and maps as float32 in the model's range, labels and classes as they came.

        Raises:
            DataError: The crop is larger than the samples.
        """
        signals: Batch = dict(batch)
        for group in self.groups:
            members = [name for name in group if name in signals]
            self._move({name: signals[name] for name in members}, signals, random)
        size = self._size(signals)
        for name, value in signals.items():
            signals[name] = self._drawn(name, value, size) if name in self.drawings else self._ranged(name, value)
        if self.colour is not None:
            images = [name for name in signals if isinstance(self.signals.get(name), Image)]
            for group in self.groups:
                self.colour.change({name: signals[name] for name in group if name in images}, signals, random)
        return signals

    def _move(self, members: Batch, signals: Batch, random: StepRandom) -> None:
        """Crop and mirror the signals of one scene."""
        maps = {name: value for name, value in members.items() if self._is_map(name)}
        if not maps or (self.crop is None and not self.flip):
            return
        height, width = next(iter(maps.values())).shape[-2:]
        rows, columns = self.crop or (height, width)
        if rows > height or columns > width:
            raise DataError(
                f"the crop {self.crop} is larger than {next(iter(maps))!r}, which is ({height}, {width}): load it "
                "larger, by the data set's size=..."
            )
        top = (random.uniform() * (height - rows + 1)).long()
        left = (random.uniform() * (width - columns + 1)).long()
        mirrored = random.uniform() < self.flip
        corners = [
            (slice(y, y + rows), slice(x, x + columns)) for y, x in zip(top.tolist(), left.tolist(), strict=True)
        ]
        for name, value in members.items():
            turned = mirrored.to(value.device).reshape(-1, *[1] * (value.ndim - 1))
            if name in maps:
                if (rows, columns) != (height, width):
                    value = torch.stack([sample[..., y, x] for sample, (y, x) in zip(value, corners, strict=True)])
                if self.flip:
                    value = torch.where(turned, self._mirror_image(name, value), value)
                signals[name] = value
            elif name in self.drawings:
                corner = torch.stack((left, top), -1).to(value.device)
                signals[name] = _moved_points(value, corner, turned, columns - 1, self.drawings[name].skeleton)

    def _mirror_image(self, name: str, value: Tensor) -> Tensor:
        """Mirror maps left to right; left and right joints trade places."""
        if isinstance(self.signals[name], Heatmap) and self.skeleton is not None:
            value = value[:, list(self.skeleton.mirror)]
        return value.flip(-1)

    def _is_map(self, name: str) -> bool:
        domain = self.signals[name]
        return domain.spatial and name not in self.drawings and not isinstance(domain, Latent)

    def _size(self, signals: Batch) -> tuple[int, int]:
        """Return the size that is trained."""
        sizes = [value.shape[-2:] for name, value in signals.items() if self._is_map(name)]
        return (sizes[0][0], sizes[0][1]) if sizes else (0, 0)

    def _drawn(self, name: str, points: Tensor, size: tuple[int, int]) -> Tensor:
        drawing = self.drawings[name]
        return drawing.domain.normalize(drawing.draw(points[..., :2].contiguous(), points[..., 2] > 0, size))

    def _ranged(self, name: str, value: Tensor) -> Tensor:
        """Bring bytes to the model's range; everything else is there."""
        domain = self.signals[name]
        if not domain.spatial or isinstance(domain, Classes):
            return value if value.is_floating_point() else value.long()
        if value.dtype != torch.uint8:
            return value
        low, high = domain.normalize(0.0), domain.normalize(1.0)
        return value.float().div_(255 / (high - low)).add_(low)  # in place: two passes over the memory, not four


def _moved_points(points: Tensor, corner: Tensor, mirrored: Tensor, last: int, skeleton: Skeleton) -> Tensor:
    """Move (batch, joints, 3) points with their scene; left and right joints trade places in a mirror image."""
    moved = torch.cat((points[..., :2] - corner[:, None], points[..., 2:]), -1)
    turned = torch.cat((last - moved[..., :1], moved[..., 1:]), -1)[:, list(skeleton.mirror)]
    return torch.where(mirrored, turned, moved)
