"""One adversarial step, and complete checkpoints. The loop is the user's own."""

from cyclekit.errors import RunInUseError, TrainingDivergedError
from cyclekit.training.checkpoint import (
    CheckpointError,
    Stateful,
    latest_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from cyclekit.training.lock import run_lock
from cyclekit.training.players import create_optimizers, linear_decay, moving_average
from cyclekit.training.step import AdversarialStep, StepResult

__all__ = [
    "AdversarialStep",
    "CheckpointError",
    "RunInUseError",
    "Stateful",
    "StepResult",
    "TrainingDivergedError",
    "create_optimizers",
    "latest_checkpoint",
    "linear_decay",
    "load_checkpoint",
    "moving_average",
    "run_lock",
    "save_checkpoint",
]
