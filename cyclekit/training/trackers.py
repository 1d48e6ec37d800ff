"""Accelerate, set up for a run, and what it tells the trackers."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cyclekit._registry import suggestion
from cyclekit.errors import ArgumentError, UnknownNameError

if TYPE_CHECKING:
    from accelerate import Accelerator
    from PIL.Image import Image as Picture


def create_accelerator(
    out: Path, precision: Literal["no", "bf16", "fp16"], trackers: Sequence[str], seed: int
) -> "Accelerator":
    """Return the accelerator of a run, and seed every process, each with numbers of its own.

    Raises:
        ImportError: Accelerate is not installed.
        UnknownNameError: It knows no such tracker.
        ArgumentError: The trackers are one text.
    """
    try:
        from accelerate import Accelerator
        from accelerate.tracking import LOGGER_TYPE_TO_CLASS
        from accelerate.utils import ProjectConfiguration, set_seed
    except ImportError as error:
        raise ImportError("fit needs Accelerate: pip install 'cyclekit[train]'") from error

    if isinstance(trackers, str):
        raise ArgumentError(f"trackers: expected a list of names, got the text {trackers!r}: write [{trackers!r}]")
    known = sorted(map(str, LOGGER_TYPE_TO_CLASS))
    for name in trackers:
        if name not in known:
            raise UnknownNameError(f"no tracker is called {name!r}{suggestion(name, known)}")
    accelerator = Accelerator(
        mixed_precision=precision,
        log_with=list(trackers) or None,
        project_config=ProjectConfiguration(project_dir=str(out), logging_dir=str(out)),
    )
    set_seed(seed, device_specific=True)
    return accelerator


def start_trackers(accelerator: "Accelerator", done: int, options: Mapping[str, Any]) -> None:
    """Begin to tell the trackers, where a resumed run goes on.

    Args:
        accelerator: The run's.
        done: Training steps taken so far; what TensorBoard has of later ones, it forgets.
        options: The run's, told as hyper-parameters.
    """
    drawn = random.getstate()  # trackers draw names, which must not change what a resumed run draws
    told = {
        name: value if isinstance(value, bool | int | float | str) else str(value) for name, value in options.items()
    }
    accelerator.init_trackers("events", config=told, init_kwargs={"tensorboard": {"purge_step": done + 1}})
    random.setstate(drawn)


def log_picture(accelerator: "Accelerator", picture: "Picture", step: int) -> None:
    """Show a picture in all trackers that have pictures."""
    pixels = np.asarray(picture)[None]
    for tracker in accelerator.trackers:
        if hasattr(tracker, "log_images"):
            how = {"dataformats": "NHWC"} if tracker.name == "tensorboard" else {}
            tracker.log_images({"samples": pixels}, step=step, **how)
