"""Train C2GAN on the embedded data, or on images of your own, and show what it learned.

python examples/c2gan/train.py --out runs/faces
python examples/c2gan/train.py --task persons --size 128 64
python examples/c2gan/train.py --data DIR --size 256 256 --base-channels 64 --steps 200000
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # while Python imports, Ctrl-C ends at once, without a traceback

import json
import random
from collections.abc import Iterable, Sequence
from contextlib import ExitStack

import torch
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
    run_lock,
    save_checkpoint,
)
from data.sources import ShuffledBatches, keypoints_of, open_split
from errors import UsageError, clear_errors, make_folder
from evaluate import measure
from options import OPTIONS_FILE, Run, read_options, write_options
from recipe import PRESETS, c2gan, fitting_unet
from report import LossLog, draw_losses, draw_samples, print_table, whole_file


def train(run: Run, held: ExitStack) -> None:
    """Train, and write what the run learned into its folder, which is held until the end."""
    options, preset = run.options, PRESETS[run.options.preset]
    accelerator = Accelerator(
        mixed_precision=options.precision,
        log_with="tensorboard",
        project_config=ProjectConfiguration(project_dir=str(options.out), logging_dir=str(options.out)),
    )
    set_seed(options.seed)
    torch.set_float32_matmul_precision("high")

    # The data, the graph, the model: what is wrong with them is said before anything is written.
    train_set = open_split(options.task, options.data, "train", options.size, options.panels)
    test_set = open_split(options.task, options.data, "test", options.size, options.panels)
    if options.data is not None:
        accelerator.print(f"{train_set}\n{test_set}")
    if options.batch > len(train_set):
        raise UsageError(
            f"--batch {options.batch} is more than the {len(train_set)} training pairs; choose a smaller one"
        )
    graph = c2gan(keypoints_of(options.task, options.data), preset, options.pixel_weight)
    widths = {"base_channels": options.base_channels, "norm": options.norm, "init": preset.init}
    model = graph.build(
        generators=NetworkSpec(options.generator or fitting_unet(options.size), **widths),
        discriminators=NetworkSpec(options.discriminator, **widths),
        size=options.size,
    ).to(accelerator.device)
    if accelerator.device.type == "cuda":
        model.to(memory_format=torch.channels_last)

    # What learns, and what a checkpoint holds.
    def adam(weights: Iterable[torch.nn.Parameter]) -> AcceleratedOptimizer:
        return accelerator.prepare(torch.optim.Adam(weights, options.learning_rate, betas=(0.5, 0.999), fused=True))

    optimizers = create_optimizers(model, adam)
    rates = {p: linear_decay(o.optimizer, run.constant, run.decay) for p, o in optimizers.items()}
    step = AdversarialStep(
        model,
        optimizers,
        backward=accelerator.backward,
        wrap=lambda objective: accelerator.prepare(torch.compile(objective) if options.compile else objective),
        seed=options.seed,
    )
    log = LossLog()
    parts = {"step": step, "log": log, **{f"rate of {player}": rate for player, rate in rates.items()}}
    if accelerator.scaler is not None:
        parts["scaler"] = accelerator.scaler

    make_folder(options.out)
    held.enter_context(run_lock(options.out))
    checkpoints = options.out / "checkpoints"
    found = latest_checkpoint(checkpoints)
    if found and not options.resume:
        raise UsageError(f"{options.out} holds a run already: go on with it by --resume, or choose another --out")
    if found:
        load_checkpoint(found, model, parts)
        accelerator.print(f"resuming after {step.iteration} of {options.steps} steps")
    if accelerator.is_main_process:
        whole_file(options.out / OPTIONS_FILE, lambda file: write_options(run, file))
    drawn = random.getstate()  # trackers draw names, which must not change what a resumed run draws
    accelerator.init_trackers("events", init_kwargs={"tensorboard": {"purge_step": step.iteration + 1}})
    random.setstate(drawn)

    order = ShuffledBatches(
        len(train_set), options.batch, options.seed, start=step.iteration * accelerator.num_processes
    )
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
                step.check_finite()
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


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and train."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with clear_errors(), ExitStack() as held:
        train(read_options(arguments), held)


if __name__ == "__main__":
    main()
