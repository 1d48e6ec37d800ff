"""Train C2GAN on the embedded data, or on images of your own, and show what it learned.

python examples/c2gan/train.py --out runs/faces
python examples/c2gan/train.py --task persons --size 128 64
python examples/c2gan/train.py --data DIR --size 256 --base-channels 64 --steps 200000
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # while Python imports, Ctrl-C ends at once, without a traceback

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import torch

from cyclekit import CycleModel, Heatmap, NetworkSpec
from cyclekit.keypoints import OPENPOSE_18
from cyclekit.papers import c2gan
from cyclekit.training import Checkpoints, Optimisation, fit
from data.composites import CompositePairs
from data.drawing import drawing_of
from data.sources import batch_of_pairs, batches_of, keypoints_of, open_split, posed_images, spread
from errors import UsageError, clear_errors, first_process, make_folder
from evaluate import measure
from measuring.collapse import look_at, verdict
from measuring.reading import polarity_of
from options import Run, read_options
from recipe import fitting_unet, networks_of, with_bright_keypoints
from report import print_reading, print_table
from standing_in import PoseEstimator, open_estimator
from trial import leave_trial

READING = "what G_K reads"


def train(run: Run) -> None:
    """Train, and print what the run learned."""
    options = run.options
    torch.manual_seed(options.seed)

    # The data, the graph, the model: what is wrong with them is said before anything is written.
    mask = (options.preset, options.task) == ("paper", "persons")  # its loss weighs the body
    train_set = open_split(options.task, options.data, "train", options.size, options.panels, mask)
    test_set = open_split(options.task, options.data, "test", options.size, options.panels)
    if options.data is not None and first_process():
        print(f"{train_set}\n{test_set}", flush=True)
    if options.batch > len(train_set):
        raise UsageError(
            f"--batch {options.batch} is more than the {len(train_set)} training pairs; choose a smaller one"
        )
    paper = c2gan(
        keypoints_of(options.task, options.data),
        options.preset,
        pixel_weight=options.pixel_weight,
        task=options.task,
        warm_up=options.warm_up or None,
    )
    landmarks = polarity_of(train_set[0]["Ly"]) if isinstance(train_set, CompositePairs) else "black_on_white"
    if landmarks == "white_on_black":
        paper = with_bright_keypoints(paper)
    unet, patchgan = networks_of(paper.recipe)
    widths = {"base_channels": options.base_channels, "init": unet.options["init"]}
    norms = [options.norm or spec.options["norm"] for spec in (unet, patchgan)]
    as_published = {} if options.generator else unet.options
    generator = NetworkSpec(
        options.generator or fitting_unet(options.size), **{**as_published, **widths, "norm": norms[0]}
    )
    generators: dict[str, NetworkSpec | PoseEstimator] = dict.fromkeys(paper.graph.generators, generator)
    if options.estimator and options.warm_up:
        drawing = drawing_of(OPENPOSE_18, options.size)
        generators["pose"] = open_estimator(options.estimator, drawing, batch_of_pairs(test_set, [0])["y"])
    model = paper.build(
        generators=generators,
        discriminators=NetworkSpec(options.discriminator or patchgan.name, **widths, norm=norms[1]),
        size=options.size,
    )

    def metrics(trained: CycleModel) -> dict[str, Any]:
        """Measure what it learned, on identities it has never seen."""
        rows, reading = measure(trained, test_set, train_set)
        return {**rows, **({READING: reading} if reading else {})}

    def look(trained: CycleModel) -> dict[str, float]:
        """See, while it trains, whether G_K still reads."""
        found = look_at(trained, test_set)
        return {} if found is None else {f"G_K {name}": value for name, value in found._asdict().items()}

    make_folder(options.out)
    result = fit(
        model,
        batches_of(train_set, options.batch, options.seed, options.workers),
        steps=options.steps,
        out=options.out,
        optimisation=Optimisation(
            rate=options.learning_rate,
            betas=paper.recipe.betas,
            decay="linear" if run.decay else "none",
            constant=run.constant,
            decaying=run.decay,
        ),
        resume=options.resume,
        seed=options.seed,
        precision=options.precision,
        compile=options.compile,
        checkpoints=Checkpoints(minutes=None, steps=options.checkpoint_every),
        log_every=options.log_every,
        sample_every=options.sample_every,
        samples=batch_of_pairs(test_set, spread(len(test_set), 6)),
        metrics=metrics,
        watch=look,
        options={**asdict(options), "landmarks": landmarks},  # generate.py draws points likewise
    )
    if first_process():
        posed = posed_images(test_set, spread(len(test_set), 6))
        if posed is not None:  # for `cyclekit export --web`
            posed.write(options.out)
        leave_trial(test_set, options.out)
        scores = dict(result.metrics)
        print_reading(scores.pop(READING, {}))
        print_table(scores, options.out)
        if (found := look_at(result.model.eval(), test_set, limit=256)) is not None:
            print(verdict(found, isinstance(paper.graph.domains["Ly"], Heatmap)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and train."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with clear_errors():
        train(read_options(arguments))


if __name__ == "__main__":
    main()
