"""What a run shows: loss curves, samples, a table."""

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import torch
from matplotlib import pyplot as plt
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.utils.data import default_collate

from cyclekit import CycleModel
from data.sources import Pairs

COLUMNS = ("x", "Ly", "y", "y*", "x*", "Ly*", "Lx*")


class LossLog:
    """The points of the loss curves; a part of every checkpoint, so that a resumed run draws whole curves."""

    def __init__(self) -> None:
        self.points: list[dict[str, float]] = []

    def add(self, iteration: int, losses: Mapping[str, Tensor]) -> dict[str, float]:
        """Fetch a step's losses from the device, all at once, and keep them."""
        values = torch.stack([loss.float() for loss in losses.values()]).tolist()
        named = dict(zip(losses, values, strict=True))
        totals = {
            side: sum(value for name, value in named.items() if name.endswith("/total") and name.startswith(starts))
            for side, starts in (("G", ("generators", "G_")), ("D", ("discriminators", "D_")))
        }
        self.points.append({"iteration": iteration, **named, **totals})
        return {**named, **totals}

    def state_dict(self) -> dict[str, Any]:
        """Return the points."""
        return {"points": self.points}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the points up."""
        self.points = list(state_dict["points"])


def whole_file(path: Path, write: Callable[[Path], object]) -> None:
    """Let a file appear whole or not at all."""
    with tempfile.TemporaryDirectory(prefix=".", dir=path.parent) as folder:
        draft = Path(folder) / path.name
        write(draft)
        os.replace(draft, path)


def draw_losses(log: LossLog, path: Path) -> None:
    """Draw every term's curve: the generators' on the left, the discriminators' on the right."""
    names = [name for name in log.points[0] if "/" in name and not name.endswith("/total")]
    figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    for axis, title, starts in zip(axes, ("generators", "discriminators"), (("g", "G"), ("d", "D")), strict=True):
        for name in (name for name in names if name.startswith(starts)):
            player, _, term = name.partition("/")
            label = term if player in ("generators", "discriminators") else f"{player}: {term}"
            axis.plot([p["iteration"] for p in log.points], [p[name] for p in log.points], label=label, linewidth=1)
        axis.set(title=f"losses of the {title}", xlabel="training steps")
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7, ncols=2)
    axes[0].set_yscale("symlog", linthresh=0.1)
    whole_file(path, lambda file: figure.savefig(file, dpi=110))
    plt.close(figure)


@torch.inference_mode()
def draw_samples(model: CycleModel, pairs: Pairs, path: Path, rows: int = 6) -> None:
    """Draw x, Ly, y and what the model makes of them, a row for each of some test pairs, all identities apart."""
    chosen = torch.linspace(0, len(pairs) - 1, min(rows, len(pairs))).long().tolist()
    batch = default_collate([pairs[index] for index in chosen])
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    signals = {**batch, **model.generate({name: value.to(device) for name, value in batch.items()})}
    model.train(was_training)
    height, width = batch["x"].shape[2:]
    size = (1.3 * len(COLUMNS), 1.3 * len(chosen) * height / width + 0.3)
    figure, axes = plt.subplots(len(chosen), len(COLUMNS), figsize=size, layout="constrained", squeeze=False)
    for row, cells in enumerate(axes):
        for name, cell in zip(COLUMNS, cells, strict=True):
            cell.imshow(_picture(signals[name][row]), interpolation="nearest")
            cell.axis("off")
            if row == 0:
                cell.set_title(name, fontsize=11)
    whole_file(path, lambda file: figure.savefig(file, dpi=max(110, height)))
    plt.close(figure)


def _picture(value: Tensor) -> Any:
    """Return an image as (height, width, 3) in [0, 1]; heatmaps are shown by their largest joint."""
    value = (value.float().cpu().clamp(-1, 1) + 1) / 2
    if value.shape[0] != 3:
        value = value.amax(0, keepdim=True).expand(3, -1, -1)
    return value.permute(1, 2, 0).numpy()


def print_table(metrics: Mapping[str, Mapping[str, float]], out: Path, split: str = "test") -> None:
    """Print the metrics, and where a run that came to its end has its pictures."""
    table = Table(f"{split} pairs", "PSNR (dB)", "SSIM")
    for name, scores in metrics.items():
        table.add_row(name, f"{scores['PSNR']:.2f}", f"{scores['SSIM']:.3f}")
    console = Console()
    console.print(table)
    if pictures := [str(path) for name in ("samples.png", "losses.png") if (path := out / name).exists()]:
        console.print(f"pictures: {', '.join(pictures)}", soft_wrap=True, highlight=False)
