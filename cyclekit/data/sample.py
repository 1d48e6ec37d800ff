"""Whether samples are what their data set says they carry."""

from collections.abc import Mapping, Sequence

from torch import Tensor
from torch.utils.data import Dataset

from cyclekit.data.dataset import Index, SignalDataset
from cyclekit.errors import DataError
from cyclekit.graph import Classes, Domain, Label


def check_declared(dataset: SignalDataset) -> None:
    """Raise unless a data set says what it carries.

    Raises:
        DataError: It has no `signals`.
    """
    if not getattr(dataset, "signals", None):
        raise DataError(
            f"{type(dataset).__name__} does not say what its samples carry: set signals, such as {{'x': Image(3)}}"
        )


class CheckedSamples(Dataset[dict[str, Tensor]]):
    """A data set whose samples are looked at as they are read, where their indices are known.

    Args:
        dataset: Whose samples.
    """

    def __init__(self, dataset: SignalDataset) -> None:
        self.dataset = dataset

    def __getitems__(self, indices: Sequence[Index]) -> list[dict[str, Tensor]]:
        """Return the samples of a batch.

        Raises:
            DataError: One is not as declared, or two do not make a batch.
        """
        samples = [self._checked(index) for index in indices]
        for name, first in samples[0].items():
            for index, sample in zip(indices, samples, strict=True):
                if sample[name].shape != first.shape or sample[name].dtype != first.dtype:
                    raise DataError(
                        f"{self._at(index)} has {name!r} as {_shown(sample[name])}, and {self._at(indices[0])} as "
                        f"{_shown(first)}: samples of one batch are alike"
                    )
        return samples

    def _checked(self, index: Index) -> dict[str, Tensor]:
        sample = self.dataset[index]
        signals, where = self.dataset.signals, self._at(index)
        if not isinstance(sample, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DataError(f"{where} is {type(sample).__name__}: expected a dict of {', '.join(signals)}")
        if {*sample} != {*signals}:
            raise DataError(
                f"{where} carries {', '.join(map(str, sample)) or 'nothing'}, and signals says {', '.join(signals)}"
            )
        for name, domain in signals.items():
            value = sample[name]
            drawing = self.dataset.drawings.get(name)
            if not isinstance(value, Tensor):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise DataError(f"{where} has {name!r} as {type(value).__name__}: expected a tensor")
            if expected := _misfit(value, domain, None if drawing is None else len(drawing.skeleton)):
                raise DataError(f"{where} has {name!r} as {_shown(value)}: expected {expected}")
            if isinstance(domain, Label) and not value.ndim and not 0 <= int(value) < domain.channels:
                raise DataError(
                    f"{where} has {name!r} as {int(value)}: {domain} has the classes 0 to {domain.channels - 1}"
                )
        return dict(sample)

    def _at(self, index: Index) -> str:
        return f"{type(self.dataset).__name__}[{index}]"


def _misfit(value: Tensor, domain: Domain, joints: int | None) -> str | None:
    """Return how a signal must be laid out, where it is not."""
    shape, floats, count = tuple(value.shape), value.is_floating_point(), domain.channels
    if joints is not None:
        return None if shape == (joints, 3) else f"points ({joints}, 3), with x, y and whether the joint is there"
    if isinstance(domain, Label):
        fits = shape == ((count,) if floats else ())
        return None if fits else f"{domain} as an integer (), or one-hot as floats ({count},)"
    if not domain.spatial:
        return None if shape == (count,) else f"{domain} as ({count},)"
    if isinstance(domain, Classes) and not floats:
        return None if len(shape) == 2 else f"{domain} as integers (height, width), or as floats with a channel a class"
    if len(shape) == 3 and shape[0] == count:
        return None
    mend = ", by .permute(2, 0, 1)" if len(shape) == 3 and shape[-1] == count else ""
    return f"{domain} as (channels, height, width) with {count} channels{mend}"


def _shown(value: Tensor) -> str:
    return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
