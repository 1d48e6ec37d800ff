"""A graph with networks: what they generate, and what both sides minimise."""

from cyclekit.errors import NetworkOutputError, PretrainedError, SignalError
from cyclekit.model.model import CycleModel, ModelOptions
from cyclekit.model.objectives import DiscriminatorObjective, GeneratorObjective, Losses

__all__ = [
    "CycleModel",
    "DiscriminatorObjective",
    "GeneratorObjective",
    "Losses",
    "ModelOptions",
    "NetworkOutputError",
    "PretrainedError",
    "SignalError",
]
