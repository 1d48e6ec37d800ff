"""Batches of a graph's signals, on the device, in an order that resumes exactly."""

from collections.abc import Callable, Iterator, Mapping
from math import ceil

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from cyclekit._typed import typed
from cyclekit.data.dataset import SignalDataset
from cyclekit.data.order import ResumableBatches, StepRandom
from cyclekit.data.sample import CheckedSamples, check_declared
from cyclekit.data.transform import BatchTransform
from cyclekit.errors import ArgumentError, DataError

Transform = Callable[[Mapping[str, Tensor], StepRandom], dict[str, Tensor]]


class SignalLoader:
    """Batches of a graph's signals, in an order that follows from seed and step alone.

    Worker processes read the samples as bytes, into pinned memory where the device is a GPU; scaling, cropping and
    drawing happen on the device, a batch at a time. A run that is resumed sees what an unbroken one would, whatever
    the number of workers; and so do several processes together what one would with as many times the batch.

    Args:
        dataset: The samples.
        batch_size: Samples of one process at one step.
        transform: What is done to a batch on the device; by default it is brought to the model's range.
        seed: Order and transform follow from it.
        workers: Processes that read; with 0 the training process does.

    Raises:
        ArgumentError: ``batch_size`` is not positive, or ``workers`` negative.
        DataError: The data set does not say what it carries.

    Example:
        ```python
        from pathlib import Path
        from tempfile import TemporaryDirectory
        from PIL import Image
        from cyclekit.data import Panels, SignalLoader

        with TemporaryDirectory() as folder:
            Image.new("RGB", (128, 64)).save(Path(folder, "1.jpg"))
            batches = SignalLoader(Panels(folder, "x y"), batch_size=2).batches(start=1000)
            assert next(batches)["x"].shape == (2, 3, 64, 64)
        ```
    """

    @typed
    def __init__(
        self,
        dataset: SignalDataset,
        batch_size: int,
        *,
        transform: Transform | None = None,
        seed: int = 0,
        workers: int = 0,
    ) -> None:
        if batch_size < 1 or workers < 0:
            raise ArgumentError(f"batch_size must be 1 or more and workers 0 or more; got {batch_size} and {workers}")
        check_declared(dataset)
        self.dataset = dataset
        self.batch_size = batch_size
        self.transform: Transform = BatchTransform(dataset) if transform is None else transform
        self.seed = seed
        self.workers = workers

    @property
    def batches_per_epoch(self) -> int:
        """How many batches of one process it takes to see every sample; of independent sides, the longest's."""
        return ceil(len(self.dataset) / self.batch_size)

    @typed
    def batches(
        self, start: int = 0, *, device: str | torch.device = "cpu", processes: int = 1, process: int = 0
    ) -> Iterator[dict[str, Tensor]]:
        """Yield the batches of training step `start`, start + 1, ... without end.

        Args:
            start: The step to begin at.
            device: Where the batches go.
            processes: How many processes train.
            process: Which of them this one is, from 0.

        Yields:
            Signals by name, as the graph wants them.

        Raises:
            ArgumentError: A number is out of its range.
            DataError: A sample cannot be read, is not what the data set's `signals` say, or does not fit the transform.
        """
        device = torch.device(device)
        order = ResumableBatches(
            self.dataset.lengths, self.batch_size, seed=self.seed, start=start, processes=processes, process=process
        )
        return self._batches(order, device)

    def _batches(self, order: ResumableBatches, device: torch.device) -> Iterator[dict[str, Tensor]]:
        loader = DataLoader(
            CheckedSamples(self.dataset),
            batch_sampler=order,
            num_workers=self.workers,
            pin_memory=device.type == "cuda",
            generator=torch.Generator(),  # workers' seeds, which nothing of ours uses, leave torch's own numbers alone
        )
        try:
            for step, batch in enumerate(loader, order.start):
                random = StepRandom(self.seed, step, self.batch_size, order.processes, order.process)
                yield self.transform({k: v.to(device, non_blocking=True) for k, v in batch.items()}, random)
        except DataError as error:  # a worker's comes with its whole traceback in its message
            raise DataError(str(error).rpartition(f"{DataError.__module__}.DataError: ")[2].strip()) from error
