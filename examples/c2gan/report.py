"""What a run prints, and files that appear whole."""

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table


def whole_file(path: Path, write: Callable[[Path], object]) -> None:
    """Let a file appear whole or not at all."""
    with tempfile.TemporaryDirectory(prefix=".", dir=path.parent) as folder:
        draft = Path(folder) / path.name
        write(draft)
        os.replace(draft, path)


def print_reading(scores: Mapping[str, float]) -> None:
    """Print how well G_K reads: dots that it finds in y* alone, and not once that is blurred, are painted."""
    if scores:
        dots = not any("G_K" in name for name in scores)
        table = Table("G_K reads in" if dots else "", *scores)
        table.add_row("F1 of the dots" if dots else "G_K reads", *(f"{score:.2f}" for score in scores.values()))
        Console().print(table)


def print_table(metrics: Mapping[str, Mapping[str, float]], out: Path, split: str = "test") -> None:
    """Print the metrics, and where a run that came to its end has its pictures."""
    table = Table(f"{split} pairs", "PSNR (dB)", "SSIM")
    for name, scores in metrics.items():
        table.add_row(name, f"{scores['PSNR']:.2f}", f"{scores['SSIM']:.3f}")
    console = Console()
    console.print(table)
    if pictures := [str(path) for name in ("samples.png", "losses.png") if (path := out / name).exists()]:
        console.print(f"pictures: {', '.join(pictures)}", soft_wrap=True, highlight=False)
