"""`cyclekit translate`: a folder of pictures, through a run's model."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
import tyro
from accelerate import PartialState
from PIL import Image as Picture
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from cyclekit.command.runs import open_run
from cyclekit.command.signals import Making, fitting_size, label_of, making_of, on_disk, run_classes
from cyclekit.command.sizes import size_of, trained_size
from cyclekit.data import find_pictures
from cyclekit.data.panels import cut_panels
from cyclekit.data.reader import Reader, same_proportions
from cyclekit.errors import DataError, UsageError
from cyclekit.graph import Classes, Domain
from cyclekit.model import CycleModel


@dataclass
class Options:
    """Translate a folder of pictures, of any size, by a run's model."""

    run: Path
    """The run's folder, or one of its checkpoints."""
    input: Path
    """The folder of the pictures."""
    out: Path
    """Where the results go: a PNG of the same name for each picture."""
    signal: str | None = None
    """What is made; the first picture that the model makes where it is not given. Quote it: 'A*'."""
    label: tuple[str, ...] = ()
    """The class to become, by name or number; or the attributes that shall hold."""
    panels: bool = False
    """The pictures hold the panels that the run was trained on, side by side; taken so where one is not enough."""
    size: Annotated[tuple[int, ...], tyro.conf.arg(metavar="SIDE|HEIGHT WIDTH")] = ()
    """Bring every picture to this size first; each keeps its own where it is not given."""
    batch: int = 8
    """Pictures at once, of those that follow each other in one size."""
    seed: int = 0
    """Of the noise, for models that take some."""


class _Sample(NamedTuple):
    """A picture's signals, (1, channels, height, width) in the model's range, and the size to cut back to."""

    file: Path
    signals: dict[str, Tensor]
    size: tuple[int, int]

    @property
    def shape(self) -> tuple[int, ...]:
        """Samples of one shape make a batch."""
        return tuple(next(iter(self.signals.values())).shape[-2:])


def run(options: Options) -> None:
    """Translate every picture."""
    if options.batch < 1:
        raise UsageError(f"--batch {options.batch}: must be 1 or more")
    found = open_run(options.run)
    pictures = find_pictures(options.input)
    files = pictures.pictures
    _check_names(files, options)
    model = found.model()
    making = making_of(model.graph, options.signal)
    order = found.options.get("order")
    panels = _panels(making, options, order)
    trained = trained_size(found.options)
    label = label_of(model.graph, making, run_classes(found.options), options.label)
    size = size_of(options.size)
    model.to(PartialState().device)
    seen: set[tuple[int, int]] = set()
    for file in files:  # what is broken is named before anything is written
        for panel in cut_panels(file, panels, trained).values():
            fitting_size(model, making.signal, size or (panel.height, panel.width))
            seen.add(panel.size)
    if len(panels) == 1 and order is not None and trained is not None:
        _note_panels(seen, order, trained, options.input)
    options.out.mkdir(parents=True, exist_ok=True)
    noise = torch.Generator().manual_seed(options.seed)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("translate", total=len(files))
        samples = (_sample(model, making, file, cut_panels(file, panels, trained), size) for file in files)
        for batch in _batches(samples, options.batch):
            for sample, made in zip(batch, _made(model, making, batch, label, noise), strict=True):
                write_picture(made, model.graph.domains[making.signal], _target(options.out, sample.file))
            progress.advance(bar, len(batch))
    print(f"{len(files)} pictures: {making.signal} in {options.out}{pictures.rest}")


def write_picture(value: Tensor, domain: Domain, path: Path) -> None:
    """Write (channels, height, width) in the model's range as a PNG file, whole or not at all."""
    pixels = (domain.denormalize(value.float().cpu()).clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    draft = path.with_name(f".{path.name}")
    try:
        Picture.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(draft, format="PNG")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _target(out: Path, file: Path) -> Path:
    return out / f"{file.stem}.png"


def _check_names(files: tuple[Path, ...], options: Options) -> None:
    """Raise where two results would have one name, or one would take the place of its picture."""
    seen: dict[str, Path] = {}
    for file in files:
        if file.stem in seen:
            raise DataError(f"{seen[file.stem]} and {file} would both become {file.stem}.png: rename one of them")
        seen[file.stem] = file
    if options.out.exists() and not options.out.is_dir():
        raise UsageError(f"--out {options.out} is a file: choose a folder")
    if options.out.resolve() == options.input.resolve():
        raise UsageError(
            f"--out {options.out} is the folder of the pictures, which it would write over: choose another"
        )


def _panels(making: Making, options: Options, order: str | None) -> tuple[str, ...]:
    """Return the signals that a picture holds, from left to right."""
    if not options.panels and len(making.maps) == 1:
        return making.maps
    if not making.maps:
        raise UsageError(f"{making.signal!r} is made of no picture: call model.generate from Python")
    if order is None:
        said = "--panels" if options.panels else f"{making.signal!r} is made of {', '.join(making.maps)}, and it"
        raise UsageError(
            f"{said} needs pictures that hold them side by side, which {options.run} was not trained on: choose "
            "another --signal, or call model.generate from Python"
        )
    return tuple(order.split())


def _note_panels(seen: set[tuple[int, int]], order: str, trained: tuple[int, int], folder: Path) -> None:
    """Warn where every picture, of these widths and heights, may hold the panels that are taken for one picture."""
    count = len(order.split())
    wide = trained[0], count * trained[1]
    if all(width % count == 0 and same_proportions(width, height, wide) for width, height in seen):
        print(
            f"warning: the pictures in {folder} are as wide as {count} panels side by side ({order}), and are "
            "translated whole: --panels takes them apart",
            file=sys.stderr,
        )


def _sample(
    model: CycleModel, making: Making, file: Path, cut: Mapping[str, Picture.Image], size: tuple[int, int] | None
) -> _Sample:
    own = next(iter(cut.values()))
    inside = size or (own.height, own.width)
    full = fitting_size(model, making.signal, inside)
    signals: dict[str, Tensor] = {}
    for name in making.maps:
        domain = model.graph.domains[name]
        reader = Reader(on_disk(domain), inside, "same" if size is None else "squash")
        signals[name] = _in_range(_padded(reader.tensor(cut[name], file), full), domain)[None]
    return _Sample(file, signals, inside)


def _padded(pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """Return pixels with a border at the bottom and on the right that mirrors them, however wide it is."""
    below, beside = (wanted - there for wanted, there in zip(size, pixels.shape[-2:], strict=True))
    border = [(0, 0)] * (pixels.ndim - 2) + [(0, below), (0, beside)]
    return torch.from_numpy(np.pad(pixels.numpy(), border, mode="reflect"))


def _in_range(pixels: Tensor, domain: Domain) -> Tensor:
    return pixels.long() if isinstance(domain, Classes) else domain.normalize(pixels.float() / 255)


def _batches(samples: Iterator[_Sample], largest: int) -> Iterator[list[_Sample]]:
    """Yield samples of one shape that follow each other."""
    batch: list[_Sample] = []
    for sample in samples:
        if batch and (sample.shape != batch[0].shape or len(batch) == largest):
            yield batch
            batch = []
        batch.append(sample)
    yield batch


def _made(
    model: CycleModel, making: Making, batch: list[_Sample], label: Mapping[str, Tensor], noise: torch.Generator
) -> Iterator[Tensor]:
    """Yield what is made of each sample, cut back to its size."""
    device = next(model.parameters()).device
    signals = {name: torch.cat([sample.signals[name] for sample in batch]).to(device) for name in making.maps}
    signals |= {name: torch.stack([value] * len(batch)).to(device) for name, value in label.items()}
    made = model.generate(signals, [making.signal], generator=noise)[making.signal]
    padded = batch[0].shape
    for sample, value in zip(batch, made, strict=True):
        height, width = (
            round(side * there / full) for side, there, full in zip(sample.size, value.shape[-2:], padded, strict=True)
        )
        yield value[:, :height, :width]
