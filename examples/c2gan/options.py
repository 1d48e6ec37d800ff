"""What a run is told, what it remembers, and what a resumed run may be told anew."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import tyro

from cyclekit.errors import RunOptionsError
from cyclekit.papers import c2gan
from cyclekit.training import read_options as read_record
from data.manifest import Manifest
from data.sources import is_manifest
from errors import UsageError
from recipe import Preset, Task, networks_of, pixel_weight_of

OPTIONS_FILE = "options.yaml"
MAY_CHANGE = ("steps", "out", "resume", "compile", "workers", "log_every", "sample_every", "checkpoint_every")
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
    preset: Preset = "supervised"
    """Losses, schedule, rate and networks: the paper's text, its authors' code, or that code with a G_K supervised on
    real images, without which G_K learns next to nothing in a short run."""
    size: Annotated[tuple[int, ...] | None, tyro.conf.arg(metavar="HEIGHT [WIDTH]")] = None
    """Image size, one number for a square; 64 64 for faces and 128 64 for persons where it is not given."""
    steps: int = 800
    """Training steps."""
    batch: int | None = None
    """Samples a step; the preset's where it is not given."""
    out: Path = Path("runs/c2gan")
    """Where checkpoints, pictures and figures go."""
    resume: bool = False
    """Go on from the last complete checkpoint in --out, with that run's options, or begin where there is none."""
    generator: str | None = None
    """A registered generator; the deepest U-Net that fits the size, as the preset has it, where it is not given."""
    discriminator: str | None = None
    """A registered discriminator; the preset's where it is not given."""
    base_channels: int | None = None
    """Width of all networks; the preset's where it says one, or 32; 64 in the paper."""
    norm: Literal["batch", "instance"] | None = None
    """Normalisation of all networks; the preset's where it is not given."""
    learning_rate: float | None = None
    """Adam's rate, with betas 0.5 and 0.999; the preset's where it is not given: 2e-4, or 1e-3."""
    decay: int | None = None
    """Over how many of the last steps the rate falls to 0; the preset's where it is not given: half, or none."""
    pixel_weight: float | None = None
    """Weight of y* ~ y; the preset's where it is not given: 10, or 100. The paper finds 10 to 100 to work well."""
    estimator: str | None = None
    """persons, preset paper: the pose estimator that stands in for G_K at first, a file of torch.export such as
    estimator.py writes, or MODULE:NAME of something that returns a torch module when it is called."""
    warm_up: int | None = None
    """persons, preset paper: for how many steps; 0 for none, a tenth of --steps where it is not given."""
    workers: int = 0
    """Processes that read the files of --data beside the training; with 0 it reads them itself."""
    precision: Literal["no", "bf16", "fp16"] = "no"
    """Mixed precision, for GPUs."""
    compile: bool = False
    """Compile both objectives with torch.compile."""
    log_every: int = 20
    """Steps between the points of the loss curves; losses leave the device only then."""
    sample_every: int = 200
    """Steps between pictures, and between looks at whether G_K still reads."""
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
    """

    options: Options
    constant: int
    decay: int


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
        decay = options.steps // 2 if c2gan(preset=options.preset).recipe.decay == "linear" else 0
        decay = decay if options.decay is None else options.decay
        return Run(replace(options, decay=decay), options.steps - decay, decay)
    before, constant, decay = _remembered(said.out)
    options = tyro.cli(Options, args=arguments, default=replace(before, out=said.out))
    options = replace(options, size=None if options.size is None else _both(options.size))
    for field in fields(Options):
        old, new = getattr(before, field.name), getattr(options, field.name)
        new = new.resolve() if isinstance(new, Path) and field.name == "data" else new
        new = _absolute(new) if field.name == "estimator" else new
        if old != new and field.name not in MAY_CHANGE:
            flag = f"--{field.name.replace('_', '-')}"
            raise UsageError(
                f"{said.out} was trained with {flag} {_shown(old)}, not {_shown(new)}: leave {flag} out, since a "
                "resumed run keeps its options, or begin another run in another --out"
            )
    if options.steps > constant + decay:  # the rate falls later: once more, where it has fallen already
        constant = options.steps - decay
    return Run(_complete(options), constant, decay)


def _complete(options: Options) -> Options:
    """Return options with every default worked out, once they can be."""
    paper = c2gan(preset=options.preset, task=options.task)
    complete = replace(
        options,
        data=None if options.data is None else options.data.resolve(),
        size=_default_size(options) if options.size is None else _both(options.size),
        batch=_first(options.batch, paper.recipe.batch),
        discriminator=options.discriminator or networks_of(paper.recipe)[1].name,
        base_channels=_first(options.base_channels, networks_of(paper.recipe)[0].options.get("base_channels"), 32),
        learning_rate=_first(options.learning_rate, paper.recipe.rate),
        pixel_weight=_first(options.pixel_weight, pixel_weight_of(paper)),
        estimator=_absolute(options.estimator),
    )
    for name in ("steps", "batch", "log_every", "sample_every", "checkpoint_every", "base_channels"):
        if getattr(complete, name) < 1:
            raise UsageError(f"--{name.replace('_', '-')} {getattr(complete, name)}: must be 1 or more")
    if complete.workers < 0:
        raise UsageError(f"--workers {complete.workers}: must be 0 or more")
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
    return _with_warm_up(complete)


def _with_warm_up(options: Options) -> Options:
    """Return options that say for how long an estimator stands in for G_K, if one does."""
    if (options.preset, options.task) != ("paper", "persons"):
        for flag, value in (("--estimator", options.estimator), ("--warm-up", options.warm_up)):
            if value:
                raise UsageError(f"{flag} {value}: an estimator stands in for G_K with --task persons --preset paper")
        return options
    if options.data is not None and not is_manifest(options.data):
        raise UsageError(
            f"--data {options.data}: --task persons --preset paper takes points, a manifest by prepare.py, not pictures"
        )
    steps = max(1, options.steps // 10) if options.warm_up is None else options.warm_up
    if steps < 0:
        raise UsageError(f"--warm-up {steps}: must be 0 or more")
    if steps and options.estimator is None:
        raise UsageError(
            "--preset paper has a pose estimator stand in for G_K at first: train one by estimator.py and give "
            "--estimator runs/estimator/pose.pt2, or say --warm-up 0 to go without"
        )
    return replace(options, warm_up=steps)


def _absolute(estimator: str | None) -> str | None:
    return str(Path(estimator).resolve()) if estimator is not None and Path(estimator).is_file() else estimator


def _default_size(options: Options) -> tuple[int, int]:
    if options.data is not None and is_manifest(options.data):
        return Manifest.read(options.data).size
    return (64, 64) if options.task == "faces" or options.data is not None else (128, 64)


def _both(size: Sequence[int]) -> tuple[int, ...]:
    """Return height and width of one number or two."""
    if len(size) not in (1, 2):
        raise UsageError(f"--size {' '.join(map(str, size))}: expected a height and a width, or one number")
    return (size[0], size[-1])


def _remembered(out: Path) -> tuple[Options, int, int]:
    """Return a run's options, and when its rate falls."""
    try:
        record: dict[str, Any] = read_record(out)
        known = {name: record[name] for name in get_type_hints(Options) if name in record}
        known |= {name: None if known[name] is None else Path(known[name]) for name in ("data", "out")}
        known |= {"size": tuple(known["size"]), "checkpoint_every": record["checkpoints"]["steps"]}
        rate = record["optimisation"]
        return Options(**known), int(rate["constant"]), int(rate["decaying"])
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, RunOptionsError):
            raise
        raise UsageError(f"{out / OPTIONS_FILE} cannot be read as a run's options: {error!r}") from error


def _first(*values: Any) -> Any:
    """Return the first value that is given."""
    return next(value for value in values if value is not None)


def _shown(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
