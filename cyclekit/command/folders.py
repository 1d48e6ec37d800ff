"""Which folders a paper learns from, found by what its graph takes."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

from cyclekit.data import LabelledFolder, PairedFolders, Panels, SignalDataset, UnpairedFolders
from cyclekit.data.pictures import SUFFIXES
from cyclekit.data.reader import Fit
from cyclekit.errors import DataError, UsageError
from cyclekit.graph import Classes, Domain, Heatmap, Label, Landmarks, Mask, Noise, Vector
from cyclekit.papers import Paper, create_paper

Direction = Literal["AtoB", "BtoA"]
Split = Literal["train", "test"]

PANELS: Mapping[str, str] = {"c2gan": "x y Ly Lx", "gesturegan": "x y Lx Ly"}
"""The order of the panels, left to right, in which a paper's authors share their data."""

WITHOUT_FOLDERS: Mapping[str, str] = {
    "recycle_gan": "three frames in a row of either video",
    "stargan_v2": "two reference pictures beside each picture and its label",
    "cycada": "classes of the pictures of one domain alone",
    "xgan": "labels that say which domain a picture is of",
}
"""Papers whose signals no layout of folders known here gives, and what they take."""

Create: TypeAlias = Callable[..., Paper]

_TABLE, _PARTITION = "list_attr_celeba.txt", "list_eval_partition.txt"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Reading:
    """How the pictures of a folder are read.

    Args:
        fit: What happens to other proportions.
        direction: Whether the first folder, or the left panel, is the first signal, or the second one is.
        panels: The signals from left to right, where pictures hold several; the paper's own order by default.
        attributes: Those of an attribute table to train on.
        exclusive: Whether each picture has one of the attributes alone.
    """

    fit: Fit = "crop"
    direction: Direction = "AtoB"
    panels: str | None = None
    attributes: tuple[str, ...] = ()
    exclusive: bool = False


@dataclass(frozen=True)
class Material:
    """A paper, fitted to the data in a folder.

    Args:
        paper: The paper, for as many labels or kinds of keypoints as the data have.
        open: Gives the pictures of a split, brought to a height and a width.
        classes: The names of the labels, where there are any.
        order: The signals from left to right, where pictures hold several.
    """

    paper: Paper
    open: Callable[[Split, tuple[int, int]], SignalDataset]
    classes: tuple[str, ...] = ()
    order: str | None = None


def find_material(name: str, data: Path, reading: Reading, channels: int | None = None) -> Material:
    """Return a paper fitted to the data in a folder.

    Raises:
        UsageError: The paper cannot be trained on folders, or not on these options.
        DataError: The folder holds no layout that gives the paper's signals.
    """
    create = _creating(name, data, channels)
    paper = create()
    if name in WITHOUT_FOLDERS:
        raise UsageError(
            f"{name} takes {WITHOUT_FOLDERS[name]}, which no folder known here gives: train it from Python, with "
            "cyclekit.training.fit and a SignalDataset of your own"
        )
    if paper.lacking:
        raise UsageError(
            f"{name} takes networks or functions of your own, {', '.join(paper.lacking)}: train it from Python, by "
            "paper.build(...) and cyclekit.training.fit"
        )
    if not data.is_dir():
        raise DataError(f"--data {data}: {'is no folder' if data.exists() else 'there is no such folder'}")
    inputs = {n: paper.graph.domains[n] for n in paper.graph.inputs if not isinstance(paper.graph.domains[n], Noise)}
    if paper.unpaired:
        return _unpaired(name, paper, data, reading)
    if any(isinstance(domain, Label | Vector) for domain in inputs.values()):
        return _labelled(name, create, data, reading)
    return _paired(name, create, data, reading, inputs)


def _creating(name: str, data: Path, channels: int | None) -> Create:
    """Return what makes a paper for the data's channels, and for as many domains as there are.

    Raises:
        UsageError: The paper takes no number of channels.
    """
    options: dict[str, Any] = {}
    if len(create_paper(name).unpaired) > 2:
        letters = "".join(letter for letter in _LETTERS if (data / f"train{letter}").is_dir())
        options = {"domains": letters} if len(letters) > 1 else {}
    if channels is None:
        return partial(create_paper, name, **options)
    for names in (("channels", "out_channels"), ("channels",)):
        create = partial(create_paper, name, **options, **dict.fromkeys(names, channels))
        with suppress(TypeError):
            create()
            return create
    raise UsageError(f"--channels {channels}: {name} takes pictures of 3 channels alone")


def _unpaired(name: str, paper: Paper, data: Path, reading: Reading) -> Material:
    """``trainA``, ``trainB``, ``testA``, ``testB``, as CycleGAN's data are published."""
    _refuse(name, reading, "panels", "attributes", "exclusive")
    letters = list(_LETTERS[: len(paper.unpaired)])
    if reading.direction == "BtoA":
        letters[:2] = letters[1::-1]
    where = dict(zip(paper.unpaired, letters, strict=True))
    layout = f"{name} takes a folder a domain, {', '.join(f'train{letter}' for letter in sorted(letters))}"
    missing = [f"train{letter}" for letter in sorted(letters) if not (data / f"train{letter}").is_dir()]
    if missing:
        raise _not_there(data, layout, f"there is no {missing[0]}")

    def opened(split: Split, size: tuple[int, int]) -> SignalDataset:
        folders = {signal: data / f"{split}{letter}" for signal, letter in where.items()}
        domains = {signal: paper.graph.domains[signal] for signal in where}
        return UnpairedFolders(size=size, fit=reading.fit, domains=domains, check=True, **folders)

    return Material(paper, opened)


def _labelled(name: str, create: Create, data: Path, reading: Reading) -> Material:
    """CelebA's attribute table beside its pictures, or a folder a class."""
    _refuse(name, reading, "panels", "direction")
    tables = sorted({*data.glob(_TABLE), *data.glob("Anno/" + _TABLE), *data.glob("*attr*.txt")})
    options: dict[str, Any] = {"fit": reading.fit}
    if tables:
        pictures = next((data / f for f in ("images", "img_align_celeba") if (data / f).is_dir()), data)
        options |= {"table": tables[0], "exclusive": reading.exclusive}
        options |= {"attributes": reading.attributes} if reading.attributes else {}
        folder = pictures
    elif (data / "train").is_dir():
        _refuse(name, reading, "attributes", "exclusive")
        folder = data / "train"
    else:
        raise _not_there(
            data,
            f"{name} takes pictures in images/ with CelebA's table {_TABLE}, or a folder a class, train/CLASS",
            "there is neither",
        )
    first = LabelledFolder(folder, check=False, **options)
    paper = create(classes=len(first.classes), exclusive=isinstance(first.signals["c"], Label))

    partition = next(
        (at / _PARTITION for at in (data, data / "Anno", data / "Eval") if (at / _PARTITION).is_file()), None
    )

    def opened(split: Split, size: tuple[int, int]) -> SignalDataset:
        if tables and partition is not None:
            return LabelledFolder(folder, partition=partition, split=split, size=size, **options)
        return LabelledFolder(folder if tables else _split(data, split), size=size, **options)

    return Material(paper, opened, classes=first.classes)


def _paired(name: str, create: Create, data: Path, reading: Reading, inputs: Mapping[str, Domain]) -> Material:
    """Pictures side by side, as pix2pix's and C2GAN's data are published, or a folder a signal, paired by stem."""
    _refuse(name, reading, "attributes", "exclusive")
    order = reading.panels or PANELS.get(name) or " ".join(inputs)
    layout = (
        f"{name} takes pictures with the panels {order} side by side in train/, or a folder a signal: "
        + ", ".join(f"train/{signal}" for signal in inputs)
    )
    if not (data / "train").is_dir():
        raise _not_there(data, layout, "there is no train")
    if all((data / "train" / signal).is_dir() for signal in inputs):
        _refuse(name, reading, "panels", "direction")
        paper, domains = _as_pictures(name, create, inputs)

        def paired(split: Split, size: tuple[int, int]) -> SignalDataset:
            folders = {signal: _split(data, split) / signal for signal in inputs}
            return PairedFolders(size=size, fit=reading.fit, domains=domains, check=True, **folders)

        return Material(paper, paired)
    if any(isinstance(domain, Mask | Classes) for domain in inputs.values()):
        folders = ", ".join(f"train/{signal}" for signal in inputs)
        raise _not_there(data, f"{name} takes a folder a signal, {folders}", "they are not all there")
    if sorted(order.split()) != sorted(inputs):
        raise UsageError(f"--panels {order!r} must name each of {name}'s signals once: {' '.join(inputs)}")
    if not any(path.suffix.lower() in SUFFIXES for path in (data / "train").iterdir()):
        raise _not_there(data, layout, "train holds neither")
    if reading.direction == "BtoA":
        first, second, *rest = order.split()
        order = " ".join([second, first, *rest])
    paper, domains = _as_pictures(name, create, inputs)

    def panels(split: Split, size: tuple[int, int]) -> SignalDataset:
        return Panels(_split(data, split), order, size=size, fit=reading.fit, domains=domains)

    return Material(paper, panels, order=order)


def _as_pictures(name: str, create: Create, inputs: Mapping[str, Domain]) -> tuple[Paper, dict[str, Domain]]:
    """Return a paper that takes its keypoints as pictures, and what its signals are."""
    paper = create(**({"keypoints": Landmarks(3)} if name == "c2gan" else {}))
    domains = {signal: paper.graph.domains[signal] for signal in inputs}
    for signal, domain in domains.items():
        if isinstance(domain, Heatmap):
            if domain.channels != 3:
                raise UsageError(
                    f"{name} takes {signal!r} as {domain}, which no picture file holds: train it from Python, with "
                    "cyclekit.data.KeypointPairs"
                )
            domains[signal] = Landmarks(3)
    return paper, domains


def _split(data: Path, split: Split) -> Path:
    """Return a split's folder; pictures to test with are in ``test`` or ``val``."""
    if split == "test" and not (data / "test").is_dir() and (data / "val").is_dir():
        return data / "val"
    return data / split


def _refuse(name: str, reading: Reading, *options: str) -> None:
    """Raise for an option that says nothing about a paper's data."""
    for option in options:
        if getattr(reading, option) != getattr(Reading(), option):
            raise UsageError(f"--{option} says nothing about the data that {name} takes here: leave it out")


def _not_there(data: Path, layout: str, lacks: str) -> DataError:
    found = sorted(path.name + "/" * path.is_dir() for path in data.iterdir() if not path.name.startswith("."))
    shown = ", ".join(found[:6]) + (", ..." if len(found) > 6 else "") if found else "nothing"
    return DataError(f"{layout}; in {data} {lacks}: it holds {shown}")
