"""What a run shows of its model while it trains and when it ends."""

import json
from collections.abc import Callable, Mapping
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from torch import Tensor

from cyclekit._files import whole_file
from cyclekit.errors import ArgumentError, TrainingDivergedError
from cyclekit.model import CycleModel
from cyclekit.training.curves import Curves, flattened
from cyclekit.training.processes import first_does
from cyclekit.training.sample_pictures import evaluating, sample_picture
from cyclekit.training.trackers import log_picture

if TYPE_CHECKING:
    from accelerate import Accelerator

Metrics = Mapping[str, Any]


def measured(metrics: Callable[[CycleModel], Metrics] | None, model: CycleModel) -> Metrics:
    """Return what a user's function measures; in the first process alone, which looks at all of the data."""
    found: dict[str, Any] = {}

    def measure() -> None:
        if metrics is not None:
            with evaluating(model):
                found.update(_plain(metrics(model), "metrics"))

    first_does(measure)
    return found


def _plain(value: Any, name: str) -> Any:
    """Return metrics as numbers by name, tensors of one number among them.

    Raises:
        ArgumentError: They are something else.
    """
    if isinstance(value, Mapping):
        return {str(key): _plain(part, f"{name}[{key!r}]") for key, part in cast("Mapping[Any, Any]", value).items()}
    if name != "metrics":
        if isinstance(value, Tensor) and value.numel() == 1:
            return value.item()
        if isinstance(value, int | float):
            return value
    raise ArgumentError(f"{name}: expected numbers by name, which may be nested, got {type(value).__name__}")


def score_of(metrics: Metrics, name: str | None) -> float | None:
    """Return one number of metrics, which may be nested: ``"C2GAN/PSNR"``.

    Raises:
        ArgumentError: There is no such number; the message lists those that there are.
    """
    if name is None or not metrics:
        return None
    flat = dict(flattened(metrics))
    if name not in flat:
        raise ArgumentError(f"checkpoints are to be kept by {name!r}, but the metrics are {', '.join(flat)}")
    return flat[name]


def show(
    model: CycleModel, samples: Mapping[str, Tensor], curves: Curves, out: Path, step: int, accelerator: "Accelerator"
) -> None:
    """Draw samples and curves, into files and for the trackers."""
    picture = sample_picture(model, samples)
    (out / "samples").mkdir(exist_ok=True)
    whole_file(out / "samples" / f"step-{step:08d}.png", picture.save)
    log_picture(accelerator, picture, step)
    whole_file(out / "samples.png", picture.save)
    draw_curves(curves, out)


def draw_curves(curves: Curves, out: Path) -> None:
    """Draw the losses, and what was watched, where anything was."""
    curves.draw(out / "losses.png")
    if curves.watched:
        curves.draw_watched(out / "watched.png")


def finish(model: CycleModel, samples: Mapping[str, Tensor], curves: Curves | None, out: Path) -> None:
    """Write what is to be used afterwards: the model, and the newest pictures where ``curves`` are not shown yet.

    Raises:
        TrainingDivergedError: The model makes values that are not finite.
    """
    model.save_pretrained(out / "model")
    if curves is not None:
        whole_file(out / "samples.png", sample_picture(model, samples).save)
        draw_curves(curves, out)
    device = next(model.parameters()).device
    with evaluating(model):
        made = model.generate({n: value.to(device) for n, value in samples.items() if n in model.graph.domains})
    wrong = [name for name, value in made.items() if not bool(value.isfinite().all())]
    if wrong:
        raise TrainingDivergedError(
            f"the trained model makes values of {wrong[0]!r} that are not finite: begin again at a lower rate"
        )


def write_metrics(metrics: Metrics, out: Path) -> None:
    """Write what was measured, where anything was; what is no number is null."""
    if metrics:
        text = json.dumps(_without_nan(metrics), indent=2, allow_nan=False) + "\n"
        whole_file(out / "metrics.json", lambda file: file.write_text(text, encoding="utf-8"))


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nan(part) for key, part in cast("Mapping[str, Any]", value).items()}
    return value if isfinite(value) else None
