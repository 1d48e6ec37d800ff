"""What tables.py is told, and whether that can be."""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Literal

import tyro

from comparison.variants import Design
from cyclekit.keypoints import OPENPOSE_18
from data.manifest import Manifest
from data.sources import is_manifest
from errors import UsageError
from recipe import Preset, Task


@dataclass
class Options:
    """Train the rows of one of the paper's tables, and write the table as Markdown, LaTeX and CSV."""

    table: tyro.conf.Positional[Literal[1, 2, 3]]
    """1: the six variants, 2: faces, 3: persons; the last two compare C2GAN with others."""
    out: Path = Path("runs/tables")
    """A folder for all tables; what is finished there is not trained again."""
    data: Path | None = None
    """A folder that prepare.py wrote, or one of four-panel images; the embedded data where it is not given."""
    panels: Literal["x y Ly Lx", "x y Lx Ly"] = "x y Ly Lx"
    """The panels' order in --data."""
    preset: Preset = "official"
    """C2GAN's losses and schedule."""
    design: Design = "sharp"
    """C2GAN's networks: small ones that draw sharper in less time, or the paper's."""
    size: Annotated[tuple[int, ...] | None, tyro.conf.arg(metavar="HEIGHT [WIDTH]")] = None
    """Image size, one number for a square; 64 64 for faces and 128 64 for persons where it is not given."""
    steps: int = 600
    """Training steps of every row; one that is trained in two stages divides them."""
    batch: int = 4
    """Samples a step."""
    base_channels: int = 16
    """Width of all networks; 64 in the paper."""
    learning_rate: float = 1e-3
    """Adam's rate; it falls to 0 over the second half of the steps."""
    pixel_weight: float = 100
    """C2GAN's weight of y* ~ y."""
    seeds: int = 3
    """How often every row is trained: with the seeds 0, 1, 2, ..."""
    rows: tuple[str, ...] = ()
    """Which rows; all where none is given."""
    inception: Path | None = None
    """Inception's weights, for IS and mask-IS."""
    page: Path | None = None
    """Write what came out into this page as well, between the marks of this table and preset."""


def task_of(table: int) -> Task:
    """Return what a table is of."""
    return "persons" if table == 3 else "faces"


def default_size(options: Options) -> tuple[int, int]:
    """Return the size of a manifest's pictures, or of the embedded data."""
    if options.data is not None and is_manifest(options.data):
        return Manifest.read(options.data).size
    return (128, 64) if options.table == 3 else (64, 64)


def checked(options: Options) -> Options:
    """Return options with every default worked out, once they can be.

    Raises:
        UsageError: A number is out of its range, or the data are none that the table is of.
    """
    for name in ("steps", "batch", "base_channels", "seeds"):
        if getattr(options, name) < 1:
            raise UsageError(f"--{name.replace('_', '-')} {getattr(options, name)}: must be 1 or more")
    for name in ("learning_rate", "pixel_weight"):
        if not 0 < getattr(options, name) < float("inf"):
            raise UsageError(f"--{name.replace('_', '-')} {getattr(options, name)}: must be a positive number")
    if options.inception is not None and not options.inception.is_file():
        raise UsageError(f"--inception {options.inception}: there is no such file")
    if options.data is not None and is_manifest(options.data):
        manifest = Manifest.read(options.data)
        if (manifest.skeleton == OPENPOSE_18) != (options.table == 3):
            held, other = ("faces", "1 or 2") if options.table == 3 else ("persons", "3")
            raise UsageError(f"--data {options.data} holds {held}: they are for Table {other}, not {options.table}")
    elif options.data is not None and options.table == 3:
        raise UsageError(
            f"--data {options.data} holds no manifest, and Table 3 needs joints as points: "
            f"python examples/c2gan/prepare.py --dataset market --out {options.data} writes one"
        )
    size = options.size or default_size(options)
    if len(size) > 2 or min(size) < 1:
        raise UsageError(f"--size {' '.join(map(str, size))}: expected a height and a width, or one number")
    data = None if options.data is None else options.data.resolve()
    return replace(options, data=data, size=(size[0], size[-1]))


def command(options: Options) -> str:
    """Return the command that says the same, without what goes without saying."""
    said = [f"python examples/c2gan/tables.py {options.table}"]
    for field in fields(Options):
        value = getattr(options, field.name)
        usual = default_size(options) if field.name == "size" else field.default
        if field.name != "table" and value != usual:
            shown = " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
            said.append(f"--{field.name.replace('_', '-')} {shown}")
    return " ".join(said)
