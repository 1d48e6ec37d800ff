"""The loop around the step: data, devices, curves, pictures, checkpoints, and how a run ends."""

import signal
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, cast, runtime_checkable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from cyclekit._typed import typed
from cyclekit.errors import ArgumentError, FolderError, RunOptionsError, TrainingDivergedError
from cyclekit.model import CycleModel, Losses
from cyclekit.training.checkpoint import Stateful, load_checkpoint
from cyclekit.training.curves import Curves
from cyclekit.training.keeping import Checkpoints
from cyclekit.training.lock import run_lock
from cyclekit.training.optimisation import Optimisation
from cyclekit.training.players import create_optimizers, moving_average
from cyclekit.training.processes import agree, count, first_does, highest, is_first, keep_group, others_are_there
from cyclekit.training.progress import Progress
from cyclekit.training.run_options import OPTIONS_FILE, check_unchanged, plain, read_options, write_options
from cyclekit.training.showing import Metrics, finish, measured, score_of, show, write_metrics
from cyclekit.training.step import AdversarialStep
from cyclekit.training.stopping import stop_at_signals
from cyclekit.training.trackers import create_accelerator, start_trackers
from cyclekit.training.writer import CheckpointWriter

MAY_CHANGE = (
    *("steps", "compile", "log_every", "sample_every", "checkpoints", "trackers"),
    *("out", "resume", "workers", "devices"),
)
"""What a resumed run may be told anew; everything else would make it another run."""


@runtime_checkable
class BatchSource(Protocol):
    """Where batches come from: a `cyclekit.data.SignalLoader`, or anything else that can begin at any step.

    Anything with such a method will do; nothing need be derived. `fit` calls it with the step that it begins or
    resumes at and takes a batch a step; where it is given no samples to draw, it also takes the batch of step 0. A run
    is resumed exactly where two things hold: batches never end, and the batch of a step follows from the step's number
    (with a seed and the process), not from how many were asked for before.

    A batch holds every signal that the graph's terms read, by name, on ``device`` and in the ranges of
    `CycleModel.generate`: images and maps ``(batch, channels, height, width)`` in [-1, 1], vectors
    ``(batch, channels)``, labels one-hot or as integers ``(batch,)``, maps of classes as integers
    ``(batch, height, width)``. Noise may be left out, and names that the graph does not know are not looked at.

    A ``batch_size`` among its attributes is kept in ``options.yaml``, and a resumed run with another one is refused.

    Example:
        ```python
        import torch
        from cyclekit.training import BatchSource


        class InMemory:  # pictures that fit into the memory, in an order that follows from seed and step
            def __init__(self, x, y, batch_size, seed=0):
                self.x, self.y, self.batch_size, self.seed = x, y, batch_size, seed

            def batches(self, start=0, *, device="cpu", processes=1, process=0):
                while True:
                    chance = torch.Generator().manual_seed(self.seed + start * processes + process)
                    chosen = torch.randint(len(self.x), (self.batch_size,), generator=chance)
                    yield {"x": self.x[chosen].to(device), "y": self.y[chosen].to(device)}
                    start += 1


        pictures = torch.rand(10, 3, 64, 64) * 2 - 1
        source: BatchSource = InMemory(pictures, -pictures, batch_size=4)
        at_three, begun = next(source.batches(start=3)), source.batches()
        assert [torch.equal(at_three["x"], next(begun)["x"]) for step in range(5)] == [False] * 3 + [True, False]
        ```
    """

    def batches(
        self, start: int = 0, *, device: str | torch.device = "cpu", processes: int = 1, process: int = 0
    ) -> Iterator[dict[str, Tensor]]:
        """Yield the batches of training step `start`, start + 1, ... without end.

        Args:
            start: The step to begin at; the same step has the same batch, whenever it is asked for.
            device: Where the batches go.
            processes: How many processes train.
            process: Which of them this one is, from 0; each gets another part.

        Returns:
            Signals by name, as the graph wants them.
        """
        ...


class FitResult(NamedTuple):
    """What a run came to.

    Attributes:
        iteration: Training steps taken.
        model: What is to be used: the moving average where there is one, the model itself otherwise.
        checkpoint: The newest checkpoint's folder.
        metrics: What ``metrics`` returned at the end.
    """

    iteration: int
    model: CycleModel
    checkpoint: Path
    metrics: Metrics


@typed
def fit(
    model: CycleModel,
    data: BatchSource,
    *,
    steps: int,
    out: str | Path,
    optimisation: Optimisation | None = None,
    resume: bool = False,
    seed: int = 0,
    precision: Literal["no", "bf16", "fp16"] = "no",
    compile: bool = False,
    accumulate: int = 1,
    checkpoints: Checkpoints | None = None,
    log_every: int = 50,
    sample_every: int = 1000,
    samples: Mapping[str, Tensor] | None = None,
    metrics: Callable[[CycleModel], Metrics] | None = None,
    watch: Callable[[CycleModel], Metrics] | None = None,
    trackers: Sequence[str] = ("tensorboard",),
    options: Mapping[str, Any] | None = None,
) -> FitResult:
    """Train a model, and leave in a folder all that a run should.

    ``out`` holds ``options.yaml``, ``checkpoints/``, ``samples/`` with pictures of the same samples, ``samples.png``
    (the newest), ``losses.png``, ``events/`` for TensorBoard, and at the end ``model/``, which
    `CycleModel.from_pretrained` reads, and ``metrics.json``. Ctrl-C and SIGTERM finish the step, write a checkpoint,
    draw what there is, and end the process with one line. A run that was stopped or killed at any moment and resumed
    ends with the weights, bit for bit on a CPU, of one that was not.

    Args:
        model: What to train, on any device; it is brought to the run's.
        data: Where batches come from.
        steps: Training steps of the whole run.
        out: The run's folder; one run at a time uses it.
        optimisation: Optimiser, rates, decay and moving average; by default Adam as C2GAN has it, or, of a resumed
            run, what it was told first.
        resume: Go on from the newest checkpoint in ``out``, or begin where there is none.
        seed: Of history pools, dropout and noise.
        precision: Mixed precision, for GPUs.
        compile: Compile both objectives with ``torch.compile``.
        accumulate: In how many parts a batch is worked through, for less memory.
        checkpoints: When they are written, and which are kept; by default every 15 minutes, and the newest.
        log_every: Steps between the points of the curves; losses leave the device only then.
        sample_every: Steps between the pictures, and between the looks of ``watch``.
        samples: A batch to draw; by default the first six training samples.
        metrics: Measures the model when the last step is taken, and with every checkpoint where ``checkpoints.best``
            names one of its numbers. It gets what `FitResult.model` is, in evaluation mode and without gradients, in
            the first process alone, and may draw random numbers, which the run does not notice. It returns numbers by
            name: int, float or tensors of one number, nested in dicts as deep as it likes. They become
            `FitResult.metrics` and ``metrics.json``, where what is not finite is null.
        watch: Likewise, but while it trains, with each of the pictures: numbers for the trackers and for
            ``watched.png``, by which one sees early that a network has collapsed.
        trackers: Names that Accelerate knows: ``"tensorboard"``, ``"wandb"``, ...
        options: What else the run is told, such as data and batch: kept in ``options.yaml``, and refused when a
            resumed run changes it.

    Returns:
        Steps, model, newest checkpoint and metrics.

    Raises:
        FolderError: ``out`` holds a run, and ``resume`` is false.
        RunOptionsError: A resumed run is told something else than before; the message names each.
        RunInUseError: Another run uses ``out``.
        CheckpointError: The checkpoint belongs to another model, or cannot be read.
        TrainingDivergedError: A loss or weight is not finite; the message names the last good checkpoint.
        ProcessLostError: Another of several processes has ended.
        SystemExit: Ctrl-C or SIGTERM, with 130 or 143, once all is written.
        OSError: ``out`` cannot be written into; the disk is full, for example.
        ArgumentError: A number is out of its range, the batches end, ``metrics`` returned something else than numbers
            by name, or none by the name of ``checkpoints.best``.

    Example:
        ```python
        import torch
        from cyclekit import CycleGraph, Image, NetworkSpec
        from cyclekit.training import fit

        class Noise:
            def batches(self, start=0, *, device="cpu", processes=1, process=0):
                while True:
                    numbers = torch.Generator().manual_seed(start * processes + process)
                    yield {name: torch.rand(2, 3, 64, 64, generator=numbers).to(device) * 2 - 1 for name in "xy"}
                    start += 1

        graph = CycleGraph({"x": Image(), "y": Image()}, maps="x -G-> y*", losses="y* ~ y")
        model = graph.build(generators=NetworkSpec("unet_64", base_channels=4))
        result = fit(model, Noise(), steps=2, out="run")
        assert result.iteration == 2
        ```
    """
    out, checkpoints = Path(out), checkpoints or Checkpoints()
    before = read_options(out) if resume and (out / OPTIONS_FILE).is_file() else None
    optimisation = optimisation or _remembered(before)
    told: dict[str, Any] = {
        "steps": steps,
        "seed": seed,
        "precision": precision,
        "compile": compile,
        "accumulate": accumulate,
        "batch": getattr(data, "batch_size", None),
        "optimisation": asdict(optimisation),
        "checkpoints": asdict(checkpoints),
        "log_every": log_every,
        "sample_every": sample_every,
        "trackers": trackers,
        **(options or {}),
    }
    _check(told, before, out, optimisation)
    if checkpoints.best and metrics is None:
        raise ArgumentError(
            f"checkpoints are to be kept by {checkpoints.best!r}, but there are no metrics to measure it"
        )

    accelerator = create_accelerator(out, precision, trackers, seed)
    keep_group()
    model.to(accelerator.device)
    if accelerator.device.type == "cuda":
        model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def optimizer_of(weights: Iterable[nn.Parameter]) -> Optimizer:
        return accelerator.prepare(optimisation.create(model, weights))

    def wrapped(objective: nn.Module) -> Callable[..., Losses]:
        return accelerator.prepare(torch.compile(objective) if compile else objective)

    optimizers = create_optimizers(model, optimizer_of)
    step = AdversarialStep(
        model, optimizers, backward=accelerator.backward, wrap=wrapped, seed=seed, accumulate=accumulate
    )
    average = moving_average(model, optimisation.average, use_warmup=True) if optimisation.average else None
    best = cast("CycleModel", average.module) if average is not None else model
    writer, curves = CheckpointWriter(out / "checkpoints", checkpoints), Curves(model.graph)
    held = {"step": step, "curves": curves, "checkpoints": writer, "average": average, "scaler": accelerator.scaler}
    parts = {name: cast("Stateful", part) for name, part in held.items() if part is not None}

    with run_lock(out), stop_at_signals() as stop, others_are_there(lambda: f"go on from {writer.newest}"):
        if writer.newest and not resume:
            raise FolderError(f"{out} holds a run already: resume it, or choose another folder")
        if writer.newest:
            load_checkpoint(writer.newest, model, parts)
            if step.iteration > steps:
                raise ArgumentError(
                    f"{out} is at step {step.iteration} already, past steps={steps}: choose more, or another folder"
                )
            accelerator.print(f"resuming after {step.iteration} of {steps} steps")
        first_does(lambda: write_options(out, told))
        start_trackers(accelerator, step.iteration, told)
        batches_from = partial(
            data.batches, device=accelerator.device, processes=count(), process=accelerator.process_index
        )
        samples = samples or next(batches_from(0))
        asked, shown, scores = 0, False, {}
        model.train()
        with (
            Progress(steps, step.iteration, shown=is_first()) as progress,
            _closed_at_the_end(batches_from(step.iteration)) as batches,
        ):
            while step.iteration < steps and not asked:
                optimisation.set_rates(optimizers, step.iteration)
                losses = step(_next(batches, step.iteration, steps)).losses
                if average is not None:
                    average.update(model, step.iteration)
                last = step.iteration == steps
                look = last or step.iteration % log_every == 0
                late = 0
                if look or count() == 1:  # several processes decide together, which takes a while
                    asked, late = highest(stop.signal, writer.late)
                save = last or asked or late or writer.is_due(step.iteration)
                if look or save:
                    _check_finite(step, writer)
                values = curves.add(step.iteration, losses) if look else None
                if values:
                    accelerator.log(values, step=step.iteration)
                progress.update(step.iteration, values)
                shown = bool(last or asked or step.iteration % sample_every == 0)
                if shown and not asked and (watched := measured(watch, best)):
                    accelerator.log(curves.watch(step.iteration, watched), step=step.iteration)
                if save:
                    scores = measured(metrics, best) if checkpoints.best else scores
                    writer.save(step.iteration, model, parts, score_of(scores, checkpoints.best))
                if shown:
                    first_does(lambda: show(best, samples, curves, out, step.iteration, accelerator))
        writer.wait()
        first_does(lambda: finish(best, samples, None if shown else curves, out))
        if not asked and not scores:
            scores = measured(metrics, best)
        first_does(lambda: write_metrics(scores, out))
        accelerator.end_training()
        if asked:
            ended = f"{signal.Signals(asked).name}: stopped after {step.iteration} of {steps} steps"
            accelerator.print(f"{ended}; resume the run to go on from {writer.newest}")
            raise SystemExit(128 + asked)
    return FitResult(step.iteration, best, cast("Path", writer.newest), scores)


@contextmanager
def _closed_at_the_end(batches: Iterator[dict[str, Tensor]]) -> Generator[Iterator[dict[str, Tensor]]]:
    """Close a generator of batches, so that the processes that it reads with end with the training."""
    try:
        yield batches
    finally:
        if isinstance(batches, Generator):
            batches.close()


def _next(batches: Iterator[dict[str, Tensor]], step: int, steps: int) -> dict[str, Tensor]:
    batch = next(batches, None)
    if batch is None:
        raise ArgumentError(f"data: ended after {step} of {steps} steps; batches(start) must go on without end")
    return batch


def _remembered(before: Mapping[str, Any] | None) -> Optimisation:
    """Return the optimisation that a run was told when it began.

    Raises:
        RunOptionsError: Its options hold something else.
    """
    if before is None:
        return Optimisation()
    try:
        kept: dict[str, Any] = dict(before["optimisation"])
        kept["betas"] = tuple(kept["betas"])
        return Optimisation(**kept)
    except (KeyError, TypeError, ValueError) as error:
        raise RunOptionsError(f"{OPTIONS_FILE} holds no optimisation: {type(error).__name__}: {error}") from error


def _check(told: Mapping[str, Any], before: Mapping[str, Any] | None, out: Path, optimisation: Optimisation) -> None:
    """Refuse numbers that cannot be, and options that make a resumed run another one."""
    for name in ("steps", "log_every", "sample_every"):
        if told[name] < 1:
            raise ArgumentError(f"{name}: got {told[name]}, expected 1 or more")
    if before is None:
        if optimisation.end is not None and told["steps"] > optimisation.end:
            raise ArgumentError(
                f"steps={told['steps']}: the rate falls to 0 at step {optimisation.end}, and would train no further"
            )
        return
    check_unchanged(out, before, told, (*MAY_CHANGE, "optimisation") if _falls_later(told, before) else MAY_CHANGE)
    if optimisation.end is not None and told["steps"] > optimisation.end:
        raise RunOptionsError(
            f"the rate of {out} falls to 0 at step {optimisation.end}, and steps={told['steps']} cannot train it "
            "further: begin a longer run in another folder, or one without decay, which can go on at any time"
        )


def _falls_later(told: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Whether nothing differs in how a longer run is optimised but that its rate begins to fall later."""
    then = before.get("optimisation")
    return isinstance(then, Mapping) and plain({**told["optimisation"], "constant": 0}) == {**then, "constant": 0}


def _check_finite(step: AdversarialStep, writer: CheckpointWriter) -> None:
    """Stop where a loss is not finite, and name the checkpoint to go on from.

    Raises:
        TrainingDivergedError: One is not, in any process.
    """
    problem = None
    try:
        step.check_finite()
    except TrainingDivergedError as error:
        problem = error
    try:
        agree(problem)
    except TrainingDivergedError as error:
        writer.wait()
        good = f"the last good checkpoint is {writer.newest}" if writer.newest else "there is no checkpoint yet"
        raise TrainingDivergedError(f"{error}; {good}") from error
