"""Loaders resume exactly, whatever reads for them."""

from itertools import islice

import pytest
import torch

from cyclekit import Image, Label
from cyclekit.data import BatchTransform, ColourJitter, DataError, SignalDataset, SignalLoader, UnpairedFolders

# Python 3.12 and newer say so of every worker that is forked beside torch's threads
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.fixture
def loader(draw, tmp_path):
    for number in range(5):
        draw(f"A/{number}.png")
        draw(f"B/{number}.png") if number < 3 else None
    data = UnpairedFolders(A=tmp_path / "A", B=tmp_path / "B", size=(20, 20))
    transform = BatchTransform(data, crop=(16, 16), flip=0.5, colour=ColourJitter(hue=0.1))
    return lambda batch=2, **options: SignalLoader(data, batch, transform=transform, seed=4, **options)


def take(batches, count):
    return list(islice(batches, count))


def same(first, second):
    return all(torch.equal(a[name], b[name]) for a, b in zip(first, second, strict=True) for name in a)


def test_a_resumed_loader_gives_the_unbroken_ones_tail(loader):
    whole = take(loader().batches(), 7)
    assert same(whole[3:], take(loader().batches(start=3), 4))
    assert not same(whole[:1], whole[1:2])


def test_workers_change_nothing(loader):
    whole = take(loader().batches(start=1), 6)
    assert same(whole, take(loader(workers=2).batches(start=1), 6))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_picture_that_breaks_during_training_is_one_line(loader, workers, tmp_path):
    loader = loader(workers=workers)
    (tmp_path / "A" / "2.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"^.*2\.png cannot be read as a picture: it is no [\w, ]+$"):
        take(loader.batches(), 3)


def test_processes_see_together_what_one_would(loader):
    whole = take(loader(batch=4).batches(), 4)
    parts = [take(loader().batches(processes=2, process=process), 4) for process in range(2)]
    joined = [{name: torch.cat([a[name], b[name]]) for name in a} for a, b in zip(*parts, strict=True)]
    assert same(whole, joined)


def test_torchs_own_numbers_are_left_alone(loader):
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    take(loader(workers=1).batches(), 2)
    assert torch.equal(torch.rand(3), expected)


def test_values_are_the_models(loader):
    batch = take(loader().batches(), 1)[0]
    assert {name: tuple(value.shape) for name, value in batch.items()} == {"A": (2, 3, 16, 16), "B": (2, 3, 16, 16)}
    assert all(value.dtype == torch.float32 and value.abs().max() <= 1 for value in batch.values())
    assert loader().batches_per_epoch == 3


class Floats(SignalDataset):
    def __init__(self):
        self.signals = {"x": Image(1)}

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return {"x": torch.full((1, 2, 2), index / 2 - 0.5)}


def test_floating_point_maps_are_in_the_models_range_already():
    batch = next(SignalLoader(Floats(), 3).batches())
    assert sorted(batch["x"][:, 0, 0, 0].tolist()) == [-0.5, 0, 0.5]


class Slips(SignalDataset):
    """What is handed in, as a data set of one's own would give it."""

    def __init__(self, domain, *samples):
        self.signals = {"x": domain} if domain else {}
        self.samples = samples

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        return self.samples[index]


PICTURE = torch.zeros(3, 8, 8, dtype=torch.uint8)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize(
    ("domain", "samples", "said"),
    [
        (Image(3), [{"x": PICTURE, "z": PICTURE}], r"^Slips\[0\] carries x, z, and signals says x$"),
        (Image(3), [{"z": PICTURE}], r"^Slips\[0\] carries z, and signals says x$"),
        (Image(3), [PICTURE], r"^Slips\[0\] is Tensor: expected a dict of x$"),
        (Image(3), [{"x": [1]}], r"^Slips\[0\] has 'x' as list: expected a tensor$"),
        (Image(3), [{"x": PICTURE.permute(1, 2, 0)}], r"^Slips\[0\] has 'x' as uint8 \(8, 8, 3\): .*permute"),
        (Image(3), [{"x": PICTURE}, {"x": PICTURE[:, 1:]}], r"\(3, 8, 8\).*samples of one batch are alike$"),
        (Label(3), [{"x": torch.tensor(7)}], r"^Slips\[0\] has 'x' as 7: Label\(3\) has the classes 0 to 2$"),
        (Label(3), [{"x": torch.tensor([0, 1, 0])}], r"one-hot as floats \(3,\)$"),
    ],
)
def test_a_sample_that_is_not_as_declared_is_named(domain, samples, said, workers):
    with pytest.raises(DataError, match=said):
        next(SignalLoader(Slips(domain, *samples), 2, workers=workers).batches())


def test_a_data_set_says_what_it_carries():
    with pytest.raises(DataError, match="set signals, such as"):
        SignalLoader(Slips(None, {"x": PICTURE}), 2)
