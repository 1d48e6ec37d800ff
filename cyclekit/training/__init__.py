"""`fit`, the loop around the step; the step itself, complete checkpoints, and the loop's parts."""

from cyclekit._refusal import let_first_speak
from cyclekit.errors import ProcessLostError, RunInUseError, RunOptionsError, TrainingDivergedError
from cyclekit.training.checkpoint import (
    CheckpointError,
    Stateful,
    latest_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from cyclekit.training.curves import Curves
from cyclekit.training.fit import BatchSource, FitResult, fit
from cyclekit.training.keeping import Checkpoints, Saved
from cyclekit.training.lock import run_lock
from cyclekit.training.optimisation import Optimisation
from cyclekit.training.players import create_optimizers, linear_decay, moving_average
from cyclekit.training.run_options import read_options
from cyclekit.training.sample_pictures import sample_picture
from cyclekit.training.step import AdversarialStep, StepResult

__all__ = [
    "AdversarialStep",
    "BatchSource",
    "CheckpointError",
    "Checkpoints",
    "Curves",
    "FitResult",
    "Optimisation",
    "ProcessLostError",
    "RunInUseError",
    "RunOptionsError",
    "Saved",
    "Stateful",
    "StepResult",
    "TrainingDivergedError",
    "create_optimizers",
    "fit",
    "latest_checkpoint",
    "let_first_speak",
    "linear_decay",
    "load_checkpoint",
    "moving_average",
    "read_options",
    "run_lock",
    "sample_picture",
    "save_checkpoint",
]
