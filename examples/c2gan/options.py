"""What a run is told, what it remembers, and what a resumed run may be told anew."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import tyro

from errors import UsageError
from recipe import PRESETS, Task

OPTIONS_FILE = "options.json"
MAY_CHANGE = ("steps", "out", "resume", "compile", "log_every", "checkpoint_every")
"""What a resumed run may be told anew; everything else would make it another run."""


@dataclass
class Options:
    """Train C2GAN: one generator of images, one of keypoints, three cycles, two cross-modal discriminators."""

    task: Task = "faces"
    """Faces with landmark pictures, or persons with heatmaps of 18 joints."""
    data: Path | None = None
    """A folder with train/ and test/ of four-panel images; the embedded data where it is not given."""
    panels: Literal["x y Ly Lx", "x y Lx Ly"] = "x y Ly Lx"
    """The panels' order in --data: C2GAN's, or GestureGAN's."""
    preset: Literal["paper", "official"] = "official"
    """Losses, schedule and decay: the paper's text, or its authors' code."""
    size: Annotated[tuple[int, int] | None, tyro.conf.arg(metavar="HEIGHT WIDTH")] = None
    """Image size; 64 64 for faces and 128 64 for persons where it is not given."""
    steps: int = 800
    """Training steps."""
    batch: int | None = None
    """Samples a step; the preset's where it is not given."""
    out: Path = Path("runs/c2gan")
    """Where checkpoints, pictures and figures go."""
    resume: bool = False
    """Go on from the last complete checkpoint in --out, with that run's options, or begin where there is none."""
    generator: str | None = None
    """A registered generator; the deepest U-Net that fits the size where it is not given."""
    discriminator: str = "patchgan_70"
    """A registered discriminator."""
    base_channels: int = 32
    """Width of all networks; 64 in the paper."""
    norm: Literal["batch", "instance"] = "batch"
    """Normalisation of all networks."""
    learning_rate: float = 2e-4
    """Adam's rate, with betas 0.5 and 0.999."""
    decay: int | None = None
    """Over how many of the last steps the rate falls to 0; the preset's where it is not given: half, or none."""
    pixel_weight: float = 10
    """Weight of y* ~ y; the paper finds 10 to 100 to work well."""
    precision: Literal["no", "bf16", "fp16"] = "no"
    """Mixed precision, for GPUs."""
    compile: bool = False
    """Compile both objectives with torch.compile."""
    log_every: int = 20
    """Steps between the points of the loss curves; losses leave the device only then."""
    checkpoint_every: int = 200
    """Steps between checkpoints."""
    seed: int = 0
    """Of weights, data order, dropout and history pools."""


@dataclass(frozen=True)
class Run:
    """A run's options with every default worked out, and when its rate falls.

    Args:
        options: The options.
        constant: Steps at the full rate.
        decay: Steps in which it falls to 0; 0 keeps it.
        resumed: Whether an earlier run's options were taken.
    """

    options: Options
    constant: int
    decay: int
    resumed: bool = False


def read_options(arguments: Sequence[str] | None = None) -> Run:
    """Read the command line, and with ``--resume`` the run's own options behind it.

    Raises:
        UsageError: An option cannot be, or says something else than the run that is resumed.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    said = tyro.cli(Options, args=arguments)
    file = said.out / OPTIONS_FILE
    if not (said.resume and file.is_file()):
        options = _complete(said)
        decay = options.steps // 2 if PRESETS[options.preset].decays else 0
        decay = decay if options.decay is None else options.decay
        return Run(replace(options, decay=decay), options.steps - decay, decay)
    before, constant, decay = _remembered(file)
    options = tyro.cli(Options, args=arguments, default=replace(before, out=said.out))
    for field in fields(Options):
        old, new = getattr(before, field.name), getattr(options, field.name)
        new = new.resolve() if isinstance(new, Path) and field.name == "data" else new
        if old != new and field.name not in MAY_CHANGE:
            flag = f"--{field.name.replace('_', '-')}"
            raise UsageError(
                f"{said.out} was trained with {flag} {_shown(old)}, not {_shown(new)}: leave {flag} out, since a "
                "resumed run keeps its options, or begin another run in another --out"
            )
    if decay and options.steps > constant + decay:
        raise UsageError(
            f"the rate of {said.out} falls to 0 at step {constant + decay}, and --steps {options.steps} cannot train "
            "it further: begin a longer run in another --out, or one with --decay 0, which can go on at any time"
        )
    return Run(_complete(options), constant, decay, resumed=True)


def write_options(run: Run, file: Path) -> None:
    """Write what the run is, for `read_options` and for the scripts that use it."""
    data = {**asdict(run.options), "constant_steps": run.constant, "decay_steps": run.decay}
    file.write_text(json.dumps(data, default=str, indent=2) + "\n")


def _complete(options: Options) -> Options:
    """Return options with every default worked out, once they can be."""
    faces = options.task == "faces" or options.data is not None
    complete = replace(
        options,
        data=None if options.data is None else options.data.resolve(),
        size=((64, 64) if faces else (128, 64)) if options.size is None else tuple(options.size),
        batch=PRESETS[options.preset].batch[options.task] if options.batch is None else options.batch,
    )
    for name in ("steps", "batch", "log_every", "checkpoint_every", "base_channels"):
        if getattr(complete, name) < 1:
            raise UsageError(f"--{name.replace('_', '-')} {getattr(complete, name)}: must be 1 or more")
    if min(complete.size or (0,)) < 1:
        raise UsageError(f"--size {' '.join(map(str, complete.size or ()))}: height and width must be 1 or more")
    if not 0 < complete.learning_rate < float("inf"):
        raise UsageError(f"--learning-rate {complete.learning_rate}: must be a positive number")
    if not 0 <= complete.pixel_weight < float("inf"):
        raise UsageError(f"--pixel-weight {complete.pixel_weight}: must be a number, 0 or more")
    if not 0 <= complete.seed < 2**32:
        raise UsageError(f"--seed {complete.seed}: must be a whole number from 0 to {2**32 - 1}")
    if complete.decay is not None and not 0 <= complete.decay <= complete.steps:
        raise UsageError(f"--decay {complete.decay}: must be from 0 to --steps {complete.steps}")
    return complete


def _remembered(file: Path) -> tuple[Options, int, int]:
    """Return a run's options, and when its rate falls."""
    try:
        data: dict[str, Any] = json.loads(file.read_text())
        known = {name: data[name] for name in get_type_hints(Options)}
        known |= {name: None if known[name] is None else Path(known[name]) for name in ("data", "out")}
        return (
            Options(**{**known, "size": tuple(known["size"])}),
            int(data["constant_steps"]),
            int(data["decay_steps"]),
        )
    except (ValueError, KeyError, TypeError, OSError, RecursionError) as error:
        raise UsageError(f"{file} cannot be read as a run's options: {type(error).__name__}: {error}") from error


def _shown(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
