"""Measure a trained C2GAN on pairs, under named protocols, beside two answers that need no training.

python examples/c2gan/evaluate.py --run runs/faces
python examples/c2gan/evaluate.py --run runs/persons --data DIR --inception weights-inception-2015-12-05-6726825d.pth
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # while Python imports, Ctrl-C ends at once, without a traceback

import csv
import json
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import tyro
import yaml
from accelerate import Accelerator
from PIL import Image as Picture
from rich.console import Console
from rich.table import Table
from torch import Tensor

from comparison.deformable import FUNCTIONS
from cyclekit import CycleKitError, CycleModel, Heatmap
from cyclekit.graph import GraphWarning
from cyclekit.metrics import InceptionFeatures, extract_features, frechet_distance, inception_score, kernel_distance
from cyclekit.training import latest_checkpoint
from data.sources import Pairs, is_manifest, open_split, sample_name, spread
from errors import UsageError, clear_errors, make_folder
from measuring.collapse import look_at, reads, verdict
from measuring.scoring import DOTS, Scores, answers, interval, reader_of, score, score_images
from sheets import grid, to_picture

Metrics = dict[str, dict[str, float]]
MEAN_OF = 512
"""Training pairs whose mean target is an answer that needs no training."""


def measure(model: CycleModel, pairs: Pairs, train_set: Pairs) -> tuple[Metrics, dict[str, float]]:
    """Return mean PSNR and SSIM of y*, of copying x, and of the training targets' mean; and how well G_K reads.

    PSNR and SSIM are of RGB images in [0, 1]; SSIM as scikit-image has it by default.
    """
    was_training = model.training
    model.eval()
    indices = spread(len(pairs), None)
    scores = score(model, pairs, indices).values
    rows = {"C2GAN": scores, **untrained(model, pairs, train_set, indices)}
    model.train(was_training)
    shown = ("PSNR", "SSIM", "mask-SSIM posegan")
    means = {
        row: {name: round(interval(value, 1)["mean"], 4) for name, value in found.items() if name in shown}
        for row, found in rows.items()
    }
    reading = {name: round(interval(value, 1)["mean"], 3) for name, value in scores.items() if "G_K" in name}
    return means, {name.removeprefix(DOTS): mean for name, mean in reading.items()}


@torch.inference_mode()
def untrained(
    model: CycleModel, pairs: Pairs, train_set: Pairs, indices: Sequence[int]
) -> dict[str, dict[str, Tensor]]:
    """Return the scores of two answers that need no training: copying x, and the mean of training targets."""
    targets = [answer.y.sum(0) for answer in answers(model, train_set, spread(len(train_set), MEAN_OF), 32)]
    mean = torch.stack(targets).sum(0) / len(spread(len(train_set), MEAN_OF))
    found: dict[str, list[dict[str, Tensor]]] = {"copy of x": [], "mean target": []}
    for answer in answers(model, pairs, indices, 32):
        for name, guess in (("copy of x", answer.x), ("mean target", mean.expand_as(answer.y))):
            found[name].append(score_images(guess, answer.y, answer.masks))
    return {row: {name: torch.cat([part[name] for part in parts]) for name in parts[0]} for row, parts in found.items()}


def load_run(run: Path) -> tuple[CycleModel, dict[str, Any]]:
    """Return a run's model, the moving average where there is one, and its options."""
    files = [run / name for name in ("options.yaml", "options.json") if (run / name).is_file()]
    whole = run / "model"
    folder = whole if whole.is_dir() else latest_checkpoint(run / "checkpoints")
    if folder is None or not files:
        raise UsageError(f"{run} holds no run: train one with train.py --out {run}")
    try:
        options = yaml.safe_load(files[0].read_text())  # JSON is YAML
        options["size"] = tuple(options["size"])
        if len(options["size"]) != 2 or "task" not in options:
            raise ValueError("size or task is missing")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GraphWarning)  # what no loss needed is asked for all the same
            return CycleModel.from_pretrained(folder, functions=functions_of(options)), options
    except (ValueError, KeyError, TypeError, RecursionError, yaml.YAMLError) as error:
        if isinstance(error, CycleKitError):
            raise
        raise UsageError(f"{files[0]} cannot be read as a run's options: {error}") from error


def functions_of(options: dict[str, Any]) -> dict[str, Any]:
    """Return the functions of its graph that a run names."""
    return {name: FUNCTIONS[name] for name in options.get("functions") or ()}


@dataclass
class Options:
    """Measure a run on pairs; figures go to the screen, and with every pair's scores into RUN/evaluation."""

    run: Path
    """The folder train.py wrote."""
    data: Path | None = None
    """Where the pairs are; the run's own data where it is not given."""
    split: Literal["test", "train"] = "test"
    """Pairs it has not seen, or those it was trained on."""
    limit: int | None = None
    """At most so many pairs, spread evenly; all where it is not given."""
    like_released: bool = False
    """As the released code tests: dropout and batch statistics on, one pair at a time."""
    panels: str | None = None
    """What the panels of --data's pictures are, from left to right; as in training where it is not given."""
    out: Path | None = None
    """Where the figures go; RUN/evaluation where it is not given, RUN/evaluation-like-released as released."""
    inception: Path | None = None
    """Inception's weights, for IS, mask-IS, FID and KID."""
    identity: Path | None = None
    """A torch.export program, images in [-1, 1] to embeddings, for the identity kept."""


def evaluate(options: Options) -> None:
    """Print a run's table, and write what it is of."""
    if options.limit is not None and options.limit < 1:
        raise UsageError(f"--limit {options.limit}: must be 1 or more")
    model, trained = load_run(options.run)
    own = Path(str(trained["data"])) if trained.get("data") else None
    data = options.data or own
    if data is not None and not is_manifest(data) and isinstance(model.graph.domains["Ly"], Heatmap):
        raise UsageError(f"{data} holds no manifest, and {options.run} takes heatmaps: prepare.py writes one")
    panels = options.panels or str(trained.get("panels") or "x y Ly Lx")
    pairs, train_set = (
        open_split(trained["task"], data, split, trained["size"], panels) for split in (options.split, "train")
    )
    model.to(Accelerator().device)
    model.train(options.like_released)
    torch.manual_seed(0)  # of dropout, where it is on
    indices = spread(len(pairs), options.limit)
    embed = _embedder(options.identity)
    scores = score(model, pairs, indices, batch_size=1 if options.like_released else 32, embed=embed)
    summary: dict[str, Any] = {
        "run": str(options.run),
        "split": options.split,
        "pairs": len(indices),
        "mode": "as released: dropout and batch statistics" if options.like_released else "evaluation",
        "C2GAN": scores.summary(),
        **{
            row: {name: interval(value) for name, value in found.items()}
            for row, found in untrained(model, pairs, train_set, indices).items()
        },
        "sets": {},
        "left out": _left_out(options, model),
    }
    if options.inception is not None:
        summary["sets"] = set_scores(model, pairs, indices, options.inception)
    if (found := look_at(model, pairs, limit=256)) is not None:
        heatmaps = isinstance(model.graph.domains["Ly"], Heatmap)
        said = {"reads": reads(found, heatmaps), "verdict": verdict(found, heatmaps)}
        summary["G_K"] = {**found._asdict(), **said}

    folder = options.out or options.run / ("evaluation-like-released" if options.like_released else "evaluation")
    make_folder(folder)
    _write_pairs(scores, pairs, folder / "pairs.csv")
    (folder / "summary.json").write_text(json.dumps(_plain(summary), indent=2) + "\n")
    _draw_extremes(model, pairs, scores, folder / "best_median_worst.png")
    _print(summary, folder)


def set_scores(model: CycleModel, pairs: Pairs, indices: Sequence[int], weights: Path) -> dict[str, float]:
    """Return the scores of all images together, which Inception gives."""
    device = next(model.parameters()).device
    chosen = list(answers(model, pairs, indices, 32))
    made, real = [[getattr(answer, name).to(device) for answer in chosen] for name in ("made", "y")]
    masks = [answer.masks.to(device) for answer in chosen if answer.masks is not None]
    logits = InceptionFeatures(weights, "logits").to(device).eval()
    features = InceptionFeatures(weights, "features").to(device).eval()
    splits = min(10, len(indices))
    found = {"IS": inception_score(extract_features(logits, made), splits).mean.item()}
    if masks:
        found["mask-IS"] = inception_score(extract_features(logits, made, masks), splits).mean.item()
    rows = extract_features(features, made), extract_features(features, real)
    if len(indices) > 1:
        found["FID"] = frechet_distance(*rows).item()
        found["KID"] = kernel_distance(*rows, subset_size=min(1000, len(indices))).mean.item()
    return found


def _left_out(options: Options, model: CycleModel) -> dict[str, str]:
    left = {"LPIPS": "no library here gives it without fetching weights"}
    if options.inception is None:
        left["IS, mask-IS, FID, KID"] = "need Inception's weights: --inception FILE"
    if options.identity is None:
        left["identity kept"] = "needs a network that tells identities apart: --identity FILE"
    if reader_of(model) is None:
        left["landmark distance, PCKh, dots F1"] = "this run has no G_K"
    return left


def _embedder(file: Path | None) -> Any:
    if file is None:
        return None
    try:
        return torch.export.load(file).module()
    except Exception as error:  # a file of something else goes wrong in any way
        raise UsageError(f"--identity {file} is no program of torch.export: {error}") from error


def _write_pairs(scores: Scores, pairs: Pairs, file: Path) -> None:
    with file.open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(["pair", "x", "y", *scores.values])
        for place, index in enumerate(scores.indices):
            values = [f"{value[place].item():.6g}" for value in scores.values.values()]
            writer.writerow([index, *sample_name(pairs, index), *values])


@torch.inference_mode()
def _draw_extremes(model: CycleModel, pairs: Pairs, scores: Scores, file: Path) -> None:
    """Draw x, y and y* of the pairs that come out best, in the middle, and worst, by SSIM; four of each."""
    order = scores.values["SSIM"].nan_to_num(-1).argsort(descending=True).tolist()
    middle = max(0, len(order) // 2 - 2)
    chosen = list(dict.fromkeys([*order[:4], *order[middle : middle + 4], *order[-4:]]))
    indices = [scores.indices[place] for place in chosen]
    cells: list[Picture.Image] = []
    for answer in answers(model, pairs, indices, 1):
        cells += [to_picture(value[0], 128) for value in (answer.x, answer.y, answer.made)]
    grid(cells, columns=12).save(file)


def _print(summary: dict[str, Any], folder: Path) -> None:
    table = Table(
        f"{summary['pairs']} {summary['split']} pairs, {summary['mode']}", "C2GAN", "95%", "copy of x", "mean target"
    )
    for name, found in summary["C2GAN"].items():
        others = [summary[row].get(name, {}).get("mean") for row in ("copy of x", "mean target")]
        cells = ["" if value is None else f"{value:.3f}" for value in others]
        table.add_row(name, f"{found['mean']:.3f}", f"{found['low']:.3f} to {found['high']:.3f}", *cells)
    for name, value in summary["sets"].items():
        table.add_row(name, f"{value:.3f}", "", "", "")
    console = Console(width=110)
    console.print(table)
    for name, why in summary["left out"].items():
        console.print(f"left out: {name}: {why}", soft_wrap=True, highlight=False)
    if "G_K" in summary:
        console.print(summary["G_K"]["verdict"], soft_wrap=True, highlight=False)
    console.print(f"every pair, summary, best, median and worst: {folder}", soft_wrap=True, highlight=False)


def _plain(value: Any) -> Any:
    """Return numbers that JSON has: none for what is not finite."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and evaluate."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with clear_errors():
        evaluate(tyro.cli(Options, args=arguments))


if __name__ == "__main__":
    main()
