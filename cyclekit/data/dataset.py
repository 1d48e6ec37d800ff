"""What a data set of this room is: a graph's signals by name, raw and pure."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType

from torch import Tensor
from torch.utils.data import Dataset

from cyclekit.data.pose_drawing import Drawing
from cyclekit.graph import Domain

Index = int | tuple[int, ...]


class SignalDataset(Dataset[dict[str, Tensor]], ABC):
    """Samples that are dicts of a graph's signals: derive from it for data of your own.

    A sample follows from its index alone. It is raw, on the CPU: pictures as uint8 (channels, height, width), maps of
    classes as integers (height, width), labels as integers () or one-hot, points as float32 (joints, 3) with x, y and
    whether the joint is there. Floating-point maps are taken to be in the model's range already.

    Example:
        ```python
        import torch
        from cyclekit import Image
        from cyclekit.data import SignalDataset, SignalLoader


        class Shades(SignalDataset):
            signals = {"x": Image(3)}

            def __len__(self):
                return 256

            def __getitem__(self, index):
                return {"x": torch.full((3, 8, 8), index, dtype=torch.uint8)}


        batch = next(SignalLoader(Shades(), batch_size=4).batches())
        assert batch["x"].shape == (4, 3, 8, 8)
        assert batch["x"].abs().max() <= 1
        ```
    """

    signals: Mapping[str, Domain]
    """What the samples carry."""
    drawings: Mapping[str, Drawing] = MappingProxyType({})
    """How those signals are drawn that come as points."""

    @property
    def lengths(self) -> tuple[int, ...]:
        """How many there are of what is drawn independently: with two or more, an index is a tuple, one of each."""
        return (len(self),)

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """The signals that belong to one scene, and are cropped and mirrored together."""
        return (tuple(self.signals),)

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of samples; of independent sides, the longest's."""

    @abstractmethod
    def __getitem__(self, index: Index) -> dict[str, Tensor]:
        """Return a sample by its index, or by one index a side.

        The same index always gives the same sample: what is random belongs into the transform, which draws from the
        run's seed and the step, so that a resumed run sees what an unbroken one would. It is called in the loader's
        worker processes, so it opens files rather than keep them open.

        ```text
        domain                       a sample of it
        ---------------------------  --------------------------------------------------------------------
        Image, Landmarks, Mask       uint8 (channels, height, width), 0 to 255; or floats, in the model's
                                     range already: [-1, 1], of masks [0, 1]
        Heatmap                      floats in the model's range, (joints, height, width); or points
        drawn from points            float32 (joints, 3): x, y in pixels, and 1 where the joint is there;
                                     `drawings` says how they are drawn
        Classes                      integers (height, width); or floats with a channel a class
        Label                        an integer (); or floats (classes,), one-hot or of several attributes
        Vector, Noise                floats (channels,)
        ```

        Samples of one batch are alike in shape and type, and signals of one scene (`groups`) in height and width.

        Args:
            index: From 0 to ``len(self) - 1``; where `lengths` has several numbers, a tuple with one index of each.

        Returns:
            The signals by name: all that `signals` says, and no other.

        Raises:
            DataError: By the loader, where a sample is not so; it names the index and the signal.
        """
