"""Train C2GAN on the embedded data, or on images of your own, and show what it learned.

python examples/c2gan/train.py --out runs/faces
python examples/c2gan/train.py --task persons --size 128 64
python examples/c2gan/train.py --data DIR --size 256 256 --base-channels 64 --steps 200000
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
import tyro
from accelerate import Accelerator
from accelerate.optimizer import AcceleratedOptimizer
from accelerate.utils import ProjectConfiguration, set_seed
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from torch.utils.data import DataLoader

from cyclekit import NetworkSpec
from cyclekit.training import (
    AdversarialStep,
    create_optimizers,
    latest_checkpoint,
    linear_decay,
    load_checkpoint,
    save_checkpoint,
)
from data.sources import ShuffledBatches, keypoints_of, open_split
from errors import UsageError, clear_errors, make_folder
from evaluate import measure
from recipe import PRESETS, Task, c2gan, fitting_unet
from report import LossLog, draw_losses, draw_samples, print_table, whole_file


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
    """Go on from the last complete checkpoint in --out, or begin where there is none."""
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


def train(options: Options) -> None:
    """Train, and write what the run learned into ``options.out``."""
    preset = PRESETS[options.preset]
    size = options.size or ((64, 64) if options.task == "faces" or options.data else (128, 64))
    batch_size = options.batch or preset.batch[options.task]
    if min(options.steps, batch_size, options.log_every, options.checkpoint_every) < 1:
        raise UsageError("--steps, --batch, --log-every and --checkpoint-every must be 1 or more")

    accelerator = Accelerator(
        mixed_precision=options.precision,
        log_with="tensorboard",
        project_config=ProjectConfiguration(project_dir=str(options.out), logging_dir=str(options.out)),
    )
    set_seed(options.seed)
    torch.set_float32_matmul_precision("high")

    # The data, the graph, the model: what is wrong with them is said before anything is written.
    train_set = open_split(options.task, options.data, "train", size, options.panels)
    test_set = open_split(options.task, options.data, "test", size, options.panels)
    if batch_size > len(train_set):
        raise UsageError(f"--batch {batch_size} is more than the {len(train_set)} training pairs; choose a smaller one")
    graph = c2gan(keypoints_of(options.task, options.data), preset, options.pixel_weight)
    widths = {"base_channels": options.base_channels, "norm": options.norm, "init": preset.init}
    model = graph.build(
        generators=NetworkSpec(options.generator or fitting_unet(size), **widths),
        discriminators=NetworkSpec(options.discriminator, **widths),
        size=size,
    ).to(accelerator.device)
    if accelerator.device.type == "cuda":
        model.to(memory_format=torch.channels_last)

    # What learns, and what a checkpoint holds.
    def adam(weights: Iterable[torch.nn.Parameter]) -> AcceleratedOptimizer:
        return accelerator.prepare(torch.optim.Adam(weights, options.learning_rate, betas=(0.5, 0.999), fused=True))

    optimizers = create_optimizers(model, adam)
    decay = options.steps // 2 if preset.decays else 0
    rates = {p: linear_decay(o.optimizer, options.steps - decay, decay) for p, o in optimizers.items()}
    step = AdversarialStep(
        model,
        optimizers,
        backward=accelerator.backward,
        wrap=lambda objective: accelerator.prepare(torch.compile(objective) if options.compile else objective),
        seed=options.seed,
    )
    log = LossLog()
    parts = {"step": step, "log": log, **{f"rate of {player}": rate for player, rate in rates.items()}}

    checkpoints = options.out / "checkpoints"
    found = latest_checkpoint(checkpoints)
    if found and not options.resume:
        raise UsageError(f"{options.out} holds a run already: go on with it by --resume, or choose another --out")
    if found:
        load_checkpoint(found, model, parts)
        accelerator.print(f"resuming after {step.iteration} of {options.steps} steps")
    make_folder(options.out)
    whole_file(options.out / "options.json", lambda file: file.write_text(_as_json(options, size)))
    accelerator.init_trackers("events", init_kwargs={"tensorboard": {"purge_step": step.iteration}})

    order = ShuffledBatches(len(train_set), batch_size, options.seed, start=step.iteration * accelerator.num_processes)
    batches = iter(
        accelerator.prepare(
            DataLoader(train_set, batch_sampler=order, generator=torch.Generator().manual_seed(options.seed))
        )
    )

    # The loop.
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[losses]}"),
    )
    with Progress(*columns, disable=not accelerator.is_main_process) as progress:
        bar = progress.add_task("train", total=options.steps, completed=step.iteration, losses="")
        model.train()
        while step.iteration < options.steps:
            result = step(next(batches))
            for rate in rates.values():
                rate.step()
            last = step.iteration == options.steps
            if step.iteration % options.log_every == 0 or last:
                losses = log.add(step.iteration, result.losses)
                accelerator.log(losses, step=step.iteration)
                progress.update(bar, losses=f"G {losses['G']:.2f}  D {losses['D']:.2f}")
            progress.update(bar, completed=step.iteration)
            if step.iteration % options.checkpoint_every == 0 or last:
                save_checkpoint(checkpoints, step.iteration, model, parts)
    accelerator.end_training()

    # What it learned, on identities it has never seen.
    if accelerator.is_main_process:
        metrics = measure(model, test_set, train_set)
        whole_file(options.out / "metrics.json", lambda file: file.write_text(json.dumps(metrics, indent=2) + "\n"))
        draw_samples(model, test_set, options.out / "samples.png")
        draw_losses(log, options.out / "losses.png")
        print_table(metrics, options.out)


def _as_json(options: Options, size: tuple[int, int]) -> str:
    return json.dumps({**asdict(options), "size": size}, default=str, indent=2) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and train."""
    with clear_errors():
        train(tyro.cli(Options, args=arguments))


if __name__ == "__main__":
    main()
