"""The training of a table's rows: stage by stage with the library's loop, each result kept."""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from comparison.deformable import FUNCTIONS
from comparison.files import Result
from comparison.options import Options, task_of
from comparison.variants import Fed, Row, Stage
from cyclekit import CycleModel
from cyclekit.training import Checkpoints, FitResult, Optimisation, fit
from data.sources import Pairs, batch_of_pairs, batches_of, spread
from errors import UsageError, make_folder
from evaluate import set_scores, untrained
from measuring.clock import clocked, processor
from measuring.gradients import GradientLog
from measuring.scoring import interval, score
from report import whole_file

RESULT, GRADIENTS = "result.json", "gradients.csv"


@dataclass(frozen=True)
class Data:
    """The pairs of a table."""

    train: Pairs
    test: Pairs


def described(options: Options, row: Row) -> dict[str, Any]:
    """Return all that a row's result follows from, but for its seed."""
    told = ("table", "panels", "preset", "size", "steps", "batch", "learning_rate")
    return {
        **{
            name: value if isinstance(value := getattr(options, name), int | float | str) else list(value)
            for name in told
        },
        "data": None if options.data is None else str(options.data),
        "stages": [
            {
                "graph": str(stage.graph),
                "networks": {name: str(spec) for name, spec in {**stage.generators, **stage.discriminators}.items()},
                "rate": stage.rate,
            }
            for stage in row.stages
        ],
    }


def train_row(row: Row, seed: int, folder: Path, data: Data, options: Options) -> Result:
    """Train a row's stages with a seed, unless that is done, and return what it came to.

    Raises:
        UsageError: The folder holds a row that was trained otherwise.
    """
    settings, scored = described(options, row), str(options.inception)
    file = folder / RESULT
    if file.is_file():
        result = json.loads(file.read_text(encoding="utf-8"))
        if result["settings"] != settings:
            changed = [name for name, value in settings.items() if result["settings"].get(name) != value]
            raise UsageError(
                f"{folder} was trained with other {', '.join(changed)}: choose another --out, or remove that folder"
            )
        if result["inception"] == scored:
            return Result.of(result)
    trained: FitResult | None = None
    with clocked(folder / "seconds.txt"):
        for number, stage in enumerate(row.stages):
            torch.manual_seed(seed)
            model = stage.build((settings["size"][0], settings["size"][1]))
            if trained is not None:  # networks that an earlier stage trained are taken over
                earlier = trained.model.generators
                for name in model.generators.keys() & earlier.keys():
                    model.generators[name].load_state_dict(earlier[name].state_dict())
            last = number == len(row.stages) - 1
            trained = train_stage(
                Training(stage, seed, _share(options.steps, len(row.stages), number), measured=last),
                model,
                folder if last else folder / stage.name,
                data,
                options,
                settings,
            )
    assert trained is not None
    result = {
        "settings": settings,
        "inception": scored,
        "scores": dict(trained.metrics),
        "seconds": float((folder / "seconds.txt").read_text()),
        "processor": processor(),
    }
    whole_file(file, lambda draft: draft.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8"))
    return Result.of(result)


@dataclass(frozen=True)
class Training:
    """One training run of a row.

    Args:
        stage: What is trained.
        seed: Of weights, order and noise.
        steps: Training steps.
        measured: Whether it is what the row is measured by.
    """

    stage: Stage
    seed: int
    steps: int
    measured: bool


def train_stage(
    training: Training, model: CycleModel, folder: Path, data: Data, options: Options, settings: dict[str, Any]
) -> FitResult:
    """Train a stage's model in its folder, or go on with it."""
    stage, steps, seed = training.stage, training.steps, training.seed
    inputs = stage.graph.inputs
    batches = Fed(batches_of(data.train, options.batch, seed), stage)
    looked_at = [name for name in stage.graph.generators if name.startswith("G_I")]
    log = None
    if looked_at:
        some = batch_of_pairs(data.train, spread(len(data.train), 8))
        log = GradientLog(batches, model, looked_at, some, max(1, steps // 5), folder / GRADIENTS)
    make_folder(folder)
    samples = batch_of_pairs(data.test, spread(len(data.test), 6))
    trained = fit(
        model,
        log or batches,
        steps=steps,
        out=folder,
        optimisation=Optimisation(
            rate=stage.rate * options.learning_rate, decay="linear", constant=steps - steps // 2, decaying=steps // 2
        ),
        resume=True,
        seed=seed,
        checkpoints=Checkpoints(minutes=2),
        log_every=max(1, steps // 50),
        samples={name: value for name, value in samples.items() if name in inputs},
        metrics=partial(measure, data=data, inception=options.inception) if training.measured else None,
        trackers=(),
        options={
            "task": task_of(options.table),
            "data": settings["data"],
            "panels": options.panels,
            "size": settings["size"],
            "functions": [name for name in stage.functions if name in FUNCTIONS],
            "row": settings,
        },
    )
    if log is not None:
        log.look(steps)
    return trained


def measure(model: CycleModel, data: Data, inception: Path | None) -> dict[str, float]:
    """Return the means of all scores over the test pairs."""
    indices = range(len(data.test))
    found = {name: interval(value, 1)["mean"] for name, value in score(model, data.test, indices).values.items()}
    return found if inception is None else found | set_scores(model, data.test, indices, inception)


def _share(steps: int, stages: int, number: int) -> int:
    """Return one stage's share of all steps, the first ones' larger where they cannot be equal."""
    return max(1, steps // stages + (number < steps % stages))


def measure_untrained(model: CycleModel, data: Data, options: Options, file: Path) -> dict[str, dict[str, float]]:
    """Return the scores of answers that need no training, which are the same for every row, and keep them."""
    of = {"data": str(options.data), "panels": options.panels, "size": list(options.size or ())}
    kept = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if kept.get("of") != of:
        found = untrained(model.eval(), data.test, data.train, range(len(data.test)))
        means = {row: {name: interval(value, 1)["mean"] for name, value in one.items()} for row, one in found.items()}
        kept = {"of": of, "scores": means}
        whole_file(file, lambda draft: draft.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8"))
    return kept["scores"]
