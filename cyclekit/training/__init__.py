"""One adversarial step, and complete checkpoints. The loop is the user's own."""

from cyclekit.training._average import moving_average
from cyclekit.training._checkpoint import (
    CheckpointError,
    Stateful,
    latest_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from cyclekit.training._decay import linear_decay
from cyclekit.training._players import create_optimizers
from cyclekit.training._step import AdversarialStep, Round

__all__ = [
    "AdversarialStep",
    "CheckpointError",
    "Round",
    "Stateful",
    "create_optimizers",
    "latest_checkpoint",
    "linear_decay",
    "load_checkpoint",
    "moving_average",
    "save_checkpoint",
]
