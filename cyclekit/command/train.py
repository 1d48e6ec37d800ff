"""`cyclekit train`: a paper's model, on a folder of pictures, as its recipe says or as it is told."""

import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from math import nextafter
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from cyclekit.command.evaluate import measure, print_table, samples_of
from cyclekit.command.folders import Direction, Material, Reading, find_material
from cyclekit.command.networks import behind_augmentation, chosen_networks
from cyclekit.command.options import NESTED, flag_of, read, words_of
from cyclekit.command.runs import OPTIONS_FILE
from cyclekit.command.sizes import size_of
from cyclekit.data import BatchTransform, ColourJitter, SignalDataset, SignalLoader
from cyclekit.data.reader import Fit
from cyclekit.errors import DataError, UsageError
from cyclekit.model import CycleModel
from cyclekit.papers import Paper
from cyclekit.training import Checkpoints, Optimisation, fit, latest_checkpoint

_SHOWN = 6
"""Samples that a run draws."""

_LARGEST = sys.float_info.max
_COUNT = (1, _LARGEST, "1 or more")
_FROM_0 = (0, _LARGEST, "0 or more")
_POSITIVE = (sys.float_info.min, _LARGEST, "a positive number")
_BELOW_1 = (0, nextafter(1, 0), "from 0, less than 1")

_KEPT_BY_FIT = {part for parts in NESTED.values() for part in parts.values()} | {
    *("steps", "batch", "seed", "precision", "compile", "accumulate", "log_every", "sample_every", "trackers"),
    *("config", "resume"),
}
"""Options that `fit` keeps under its own names, and those that are no part of what a run is."""


def _arg(metavar: str, default: str) -> Any:
    """Say in the help what an option takes, and what holds where it is not given."""
    return tyro.conf.arg(metavar=metavar, help_behavior_hint=f"(default: {default})")


@dataclass
class Options:
    """Train a paper's model on a folder of pictures; what is not said is as the paper's recipe has it."""

    paper: Annotated[tyro.conf.Positional[str | None], _arg("PAPER", "--config's, or the resumed run's")] = None
    """A paper's name; `cyclekit list` has them."""
    data: Annotated[Path | None, _arg("DIR", "--config's, or the resumed run's")] = None
    """The folder of the data, in the layout that the paper's authors share theirs in."""
    out: Annotated[Path | None, _arg("RUN", "runs/PAPER")] = None
    """Where checkpoints, pictures and the model go."""
    resume: bool = False
    """Go on from the newest checkpoint in --out, with that run's options, or begin where there is none."""
    config: Annotated[Path | None, _arg("FILE", "none")] = None
    """A YAML file of these options; those beside it on the command line win. Every run writes one, options.yaml."""
    steps: Annotated[int | None, _arg("N", "the recipe's")] = None
    """Training steps; the recipe's constant and falling rates keep their parts of them."""
    size: Annotated[tuple[int, ...], _arg("SIDE|HEIGHT WIDTH", "the recipe's")] = ()
    """Size of the pictures."""
    batch: Annotated[int | None, _arg("N", "the recipe's")] = None
    """Samples a step, of each process."""
    fit: Fit = "crop"
    """What happens to pictures of other proportions: cut, squashed, or refused."""
    load_size: Annotated[tuple[int, ...], _arg("SIDE|HEIGHT WIDTH", "--size")] = ()
    """Load pictures at this larger size, and train on random parts of --size."""
    flip: float = 0.5
    """How often a scene is mirrored."""
    colour: bool = False
    """Change colours at random."""
    diff_augment: bool = False
    """Discriminators judge augmented pictures, real and generated alike: for some hundred pictures."""
    direction: Direction = "AtoB"
    """BtoA: the second folder, or the right panel, is the first signal."""
    panels: Annotated[str | None, _arg("'x y'", "the paper's")] = None
    """The signals in pictures that hold several, from left to right."""
    attributes: Annotated[tuple[str, ...], _arg("NAME ...", "all")] = ()
    """Those of an attribute table to train on."""
    exclusive: bool = False
    """Each picture has one of the attributes alone: leave out those that have none or several."""
    channels: Annotated[int | None, _arg("1|3", "3")] = None
    """Channels of the pictures: 1 for grey."""
    generator: Annotated[str | None, _arg("NAME", "the recipe's")] = None
    """A registered generator in place of the recipe's."""
    discriminator: Annotated[str | None, _arg("NAME", "the recipe's")] = None
    """A registered discriminator in place of the recipe's."""
    base_channels: Annotated[int | None, _arg("N", "the recipe's")] = None
    """Width of the networks that have one; small ones train on CPUs."""
    norm: Annotated[str | None, _arg("NAME", "the recipe's")] = None
    """Normalisation of the networks that have one."""
    weights: Annotated[dict[str, float] | None, _arg("TERM WEIGHT ...", "the paper's")] = None
    """Weights of terms, as `cyclekit show PAPER` names them."""
    learning_rate: Annotated[float | None, _arg("RATE", "the recipe's")] = None
    """The learning rate of all networks."""
    betas: Annotated[tuple[float, ...], _arg("B1 B2", "the recipe's")] = ()
    """Adam's betas."""
    weight_decay: Annotated[float | None, _arg("X", "the recipe's")] = None
    """The optimiser's weight decay."""
    decay: Annotated[Literal["linear", "halving", "none"] | None, _arg("linear|halving|none", "the recipe's")] = None
    """What the rate does after --constant steps."""
    constant: Annotated[int | None, _arg("N", "the recipe's part of --steps")] = None
    """Steps at the full rate."""
    decaying: Annotated[int | None, _arg("N", "the rest of --steps")] = None
    """Steps in which it falls to 0, or between two halvings."""
    average: Annotated[float | None, _arg("X", "the recipe's")] = None
    """Decay of a moving average of the weights, which then generates; 0 for none."""
    precision: Literal["no", "bf16", "fp16"] = "no"
    """Mixed precision, for GPUs."""
    compile: bool = False
    """Compile both objectives with torch.compile."""
    accumulate: int = 1
    """In how many parts a batch is worked through, for less memory."""
    workers: Annotated[int | None, _arg("N", "one less than the processors, at most 4")] = None
    """Processes that read pictures."""
    seed: int = 0
    """Of weights, data order, augmentation, dropout and history pools."""
    log_every: int = 50
    """Steps between the points of the loss curves."""
    sample_every: int = 1000
    """Steps between the pictures."""
    checkpoint_minutes: float = 15
    """Minutes between checkpoints; 0: none by time."""
    checkpoint_steps: int = 0
    """Steps between checkpoints; 0: none by steps."""
    keep: int = 1
    """How many of the newest checkpoints are kept."""
    keep_daily: bool = False
    """Keep one checkpoint of each day too."""
    trackers: tuple[str, ...] = ("tensorboard",)
    """Who is told the losses: tensorboard, wandb, ..."""


def complete(options: Options, words: Sequence[str]) -> Options:
    """Return the options with those of ``--config``, or of the run that is resumed, behind them.

    Raises:
        UsageError: The file cannot be read, or says what is no option.
    """
    before = options.out / OPTIONS_FILE if options.out and options.resume else None
    if before is not None and before.is_file():
        if options.config is not None:
            raise UsageError("--resume keeps the run's own options: leave --config out")
        behind = words_of(before, Options)
        said, kept = _paper(words), _paper(behind)
        if said and kept and said != kept:
            raise UsageError(f"{options.out} was trained with {kept[0]}: leave {said[0]} out, or choose another --out")
    elif options.config is not None:
        behind = words_of(options.config, Options)
    else:
        return options
    return read(Options, "train", _joined(behind, words))


def run(options: Options) -> None:
    """Train."""
    _check(options)
    if options.paper is None:
        raise UsageError("say which paper to train, such as cyclekit train cyclegan --data DIR; cyclekit list has them")
    if options.data is None:
        raise UsageError(f"say what {options.paper} is to be trained on: --data DIR")
    reading = _reading(options)
    material = find_material(options.paper, options.data.resolve(), reading, channels=options.channels)
    recipe = material.paper.recipe
    size = size_of(options.size) or recipe.size
    full = size_of(options.load_size, "--load-size") or size
    if any(larger < side for larger, side in zip(full, size, strict=True)):
        raise UsageError(f"--load-size {full[0]} {full[1]} is smaller than --size {size[0]} {size[1]}")
    train = material.open("train", full)
    print(train)
    paper = _told(material.paper, options)
    model = build(paper, options, size)
    batch = options.batch or recipe.batch
    loader = SignalLoader(
        train,
        batch,
        transform=BatchTransform(
            train,
            crop=size if full != size else None,
            flip=options.flip,
            colour=ColourJitter() if options.colour else None,
        ),
        seed=options.seed,
        workers=_workers(options),
    )
    steps, optimisation = rates(paper, options, loader.batches_per_epoch)
    out = (options.out or Path("runs") / options.paper).resolve()
    if options.resume:
        _check_ahead(out, steps)
    test = _test(material, size)
    result = fit(
        model,
        loader,
        steps=steps,
        out=out,
        optimisation=optimisation,
        resume=options.resume,
        seed=options.seed,
        precision=options.precision,
        compile=options.compile,
        accumulate=options.accumulate,
        checkpoints=Checkpoints(
            minutes=options.checkpoint_minutes or None,
            steps=options.checkpoint_steps or None,
            last=options.keep,
            daily=options.keep_daily,
        ),
        log_every=options.log_every,
        sample_every=options.sample_every,
        samples=samples_of(test or train, _SHOWN),
        metrics=None if test is None else lambda trained: measure(trained, test),
        trackers=options.trackers,
        options=_kept(options, material, size, out),
    )
    if result.metrics:
        print_table(result.metrics)
    print(f"{out}: the model in model/, pictures in samples.png, curves in losses.png")


def build(paper: Paper, options: Options, size: tuple[int, int]) -> CycleModel:
    """Return the model, its weights drawn from the seed."""
    import torch

    torch.manual_seed(options.seed)
    chosen = partial(chosen_networks, size=size, base_channels=options.base_channels, norm=options.norm)
    judges = chosen("discriminator", paper.recipe.discriminators, name=options.discriminator)
    return paper.build(
        generators=chosen("generator", paper.recipe.generators, name=options.generator),
        discriminators=behind_augmentation(judges, paper.graph) if options.diff_augment else judges,
        size=size,
    )


def rates(paper: Paper, options: Options, per_epoch: int) -> tuple[int, Optimisation]:
    """Return how many steps are trained, and at which rates.

    Raises:
        UsageError: The rate would be 0 before the last step.
    """
    recipe = paper.recipe
    whole = Optimisation.of(recipe, per_epoch)
    given = {
        "rate": options.learning_rate,
        "betas": tuple(options.betas) or None,
        "weight_decay": options.weight_decay,
        "decay": options.decay,
    }
    whole = replace(whole, **{name: value for name, value in given.items() if value is not None})
    if options.learning_rate is not None:
        whole = replace(whole, rates={})
    if options.average is not None:
        whole = replace(whole, average=options.average or None)
    length = whole.constant + (whole.decaying if whole.decay == "linear" else 0)
    steps = options.steps or length
    constant, decaying = whole.constant, whole.decaying
    if whole.decay == "linear":
        constant = round(steps * whole.constant / length) if options.constant is None else options.constant
        decaying = max(steps - constant, 0)
    elif options.constant is not None:
        constant = options.constant
    decaying = decaying if options.decaying is None else options.decaying
    if whole.decay == "halving" and decaying < 1:
        raise UsageError("--decay halving needs --decaying, the steps between two halvings")
    whole = replace(whole, constant=constant, decaying=decaying)
    if whole.end is not None and whole.end < steps:
        mend = "choose --constant and --decaying that add up to it, or leave them out"
        if options.resume:
            mend = f"--constant {steps - decaying} lets it fall later"
        raise UsageError(f"the rate falls to 0 at step {whole.end}, before --steps {steps}: {mend}")
    return steps, whole


def _check_ahead(out: Path, steps: int) -> None:
    """Raise where a run is past its last step."""
    newest = latest_checkpoint(out / "checkpoints")
    if newest is not None and (there := int(newest.name.removeprefix("step-"))) > steps:
        raise UsageError(f"{out} is at step {there} already, past --steps {steps}: choose more steps, or another --out")


def _told(paper: Paper, options: Options) -> Paper:
    """Return a paper with the weights that a run is told."""
    return replace(paper, graph=paper.graph.reweight(options.weights)) if options.weights else paper


def _reading(options: Options) -> Reading:
    return Reading(options.fit, options.direction, options.panels, tuple(options.attributes), options.exclusive)


def _test(material: Material, size: tuple[int, int]) -> SignalDataset | None:
    """Return the pictures to test with, where there are any."""
    try:
        return material.open("test", size)
    except DataError as error:
        print(f"nothing to test with: {error}")
        return None


def _workers(options: Options) -> int:
    return min(4, (os.cpu_count() or 1) - 1) if options.workers is None else options.workers


def _kept(options: Options, material: Material, size: tuple[int, int], out: Path) -> dict[str, Any]:
    """Return what the run's file says beside what `fit` itself was told."""
    kept = {name: value for name, value in asdict(options).items() if name not in _KEPT_BY_FIT}
    kept |= {"paper": options.paper, "data": options.data and options.data.resolve(), "out": out, "size": size}
    return kept | {"order": material.order, "classes": material.classes}


def _joined(behind: Sequence[str], words: Sequence[str]) -> list[str]:
    """Return words behind those of a file; a paper that is said again takes the place of the file's."""
    again, there = _paper(words), _paper(behind)
    return [*(again or there), *behind[len(there) :], *words[len(again) :]]


def _paper(words: Sequence[str]) -> Sequence[str]:
    """Return the paper's name, where words begin with one."""
    return words[:1] if words and not words[0].startswith("-") else ()


def _check(options: Options) -> None:
    """Refuse numbers that cannot be."""
    limits = {
        **dict.fromkeys(("steps", "batch", "base_channels", "accumulate", "log_every", "sample_every", "keep"), _COUNT),
        **dict.fromkeys(("constant", "decaying", "workers", "checkpoint_minutes", "checkpoint_steps"), _FROM_0),
        **{"weight_decay": _FROM_0, "channels": _COUNT, "learning_rate": _POSITIVE, "average": _BELOW_1},
        **{"flip": (0.0, 1.0, "from 0 to 1"), "seed": (0, 2**32 - 1, f"a whole number from 0 to {2**32 - 1}")},
    }
    for name, (low, high, expected) in limits.items():
        value = getattr(options, name)
        if value is not None and not low <= value <= high:
            raise UsageError(f"--{flag_of(name)} {value}: must be {expected}")
    low, high, _ = _BELOW_1
    if options.betas and (len(options.betas) != 2 or not all(low <= beta <= high for beta in options.betas)):
        raise UsageError(f"--betas {' '.join(map(str, options.betas))}: expected two numbers from 0, less than 1")
