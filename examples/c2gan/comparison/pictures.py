"""Pictures of a table: what its rows make of the same pairs, and which terms pull at G_I while they train."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import torch
from matplotlib import pyplot as plt

from cyclekit import CycleModel
from data.sources import Pairs, batch_of_pairs
from measuring.gradients import Pull
from measuring.scoring import answers, image
from report import whole_file

KEYPOINT_TERMS = ("K2G2K", "K2R2K")


def draw_rows(models: Mapping[str, CycleModel], pairs: Pairs, indices: Sequence[int], path: Path) -> None:
    """Draw a line a pair: x, the target keypoints, y, and what each row makes, pixel by pixel."""
    torch.manual_seed(0)  # of what is drawn from noise
    batch = batch_of_pairs(pairs, indices)
    Ly = image(batch["Ly"])
    columns = {"x": image(batch["x"]), "Ly": Ly if Ly.shape[1] == 3 else Ly.amax(1, keepdim=True).expand(-1, 3, -1, -1)}
    columns["y"] = image(batch["y"])
    for title, model in models.items():
        columns[title] = next(answers(model.eval(), pairs, indices, len(indices))).made
    height, width = Ly.shape[2:]
    titles = [title.replace("+", "\n+").replace(", ", ",\n") for title in columns]
    above = 0.1 + 0.14 * max(1 + title.count("\n") for title in titles)
    tall = 1.3 * height / width * len(indices) + above
    figure, axes = plt.subplots(len(indices), len(columns), figsize=(1.3 * len(columns), tall), squeeze=False)
    for place, (title, values) in enumerate(zip(titles, columns.values(), strict=True)):
        for line, picture in enumerate(values):
            axes[line, place].imshow(picture.permute(1, 2, 0).numpy(), interpolation="nearest")
            axes[line, place].axis("off")
        axes[0, place].set_title(title, fontsize=8)
    figure.subplots_adjust(0.002, 0.005, 0.998, 1 - above / tall, wspace=0.03, hspace=0.03)
    whole_file(path, lambda draft: figure.savefig(draft, dpi=110))
    plt.close(figure)


def norms_of(runs: Sequence[Sequence[Pull]]) -> dict[str, dict[int, float]]:
    """Return each term's norm by training step, the mean of several runs; of several networks all weights together."""
    squares: dict[str, dict[int, list[dict[str, float]]]] = {}
    for number, run in enumerate(runs):
        for pull in run:
            steps = squares.setdefault(pull.term, {}).setdefault(pull.step, [{} for _ in runs])
            steps[number][pull.network] = pull.norm**2
    return {
        term: {
            step: sum(sum(one.values()) ** 0.5 for one in found) / len(runs) for step, found in sorted(steps.items())
        }
        for term, steps in squares.items()
    }


def shares_of(norms: Mapping[str, Mapping[int, float]]) -> dict[str, float]:
    """Return each term's share of the sum of all terms' norms, the mean over the steps that were looked at."""
    steps = sorted({step for found in norms.values() for step in found})
    totals = {step: sum(found.get(step, 0.0) for found in norms.values()) for step in steps}
    return {
        term: sum(found.get(step, 0.0) / totals[step] for step in steps if totals[step]) / len(steps)
        for term, found in norms.items()
    }


def draw_gradients(rows: Mapping[str, Mapping[str, Mapping[int, float]]], path: Path) -> None:
    """Draw the norms by training step, a panel a row; the keypoint cycles' in thick lines."""
    columns = min(3, len(rows))
    lines = -(-len(rows) // columns)
    size = (4 * columns, 2.9 * lines + 0.5)
    figure, axes = plt.subplots(
        lines, columns, figsize=size, sharex=True, sharey=True, squeeze=False, layout="constrained"
    )
    terms = list(dict.fromkeys(term for norms in rows.values() for term in norms if max(norms[term].values()) > 0))
    colours = {term: f"C{number}" for number, term in enumerate(terms)}
    for (title, norms), axis in zip(rows.items(), axes.flat, strict=False):
        for term in terms:
            if term in norms and max(norms[term].values()) > 0:
                width = 2.5 if term in KEYPOINT_TERMS else 1.0
                axis.plot(*zip(*norms[term].items(), strict=True), color=colours[term], label=term, linewidth=width)
        axis.set(title=title, yscale="log")
        axis.grid(alpha=0.3)
    for axis in list(axes.flat)[len(rows) :]:
        axis.axis("off")
    widths = {term: 2.5 if term in KEYPOINT_TERMS else 1.0 for term in terms}
    handles = [plt.Line2D([], [], color=colours[term], linewidth=widths[term]) for term in terms]
    figure.legend(handles, terms, loc="outside upper center", ncols=len(terms), fontsize=8)
    figure.supxlabel("training steps", fontsize=9)
    figure.supylabel("norm of the gradient into G_I", fontsize=9)
    whole_file(path, lambda draft: figure.savefig(draft, dpi=100))
    plt.close(figure)
