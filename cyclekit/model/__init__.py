"""A graph with networks: what they generate, and what both sides minimise."""

from cyclekit.errors import HubError, NetworkOutputError, PretrainedError, SignalError
from cyclekit.model.card import ModelCard
from cyclekit.model.model import CycleModel, ModelOptions
from cyclekit.model.objectives import DiscriminatorObjective, GeneratorObjective, Losses

__all__ = [
    "CycleModel",
    "DiscriminatorObjective",
    "GeneratorObjective",
    "HubError",
    "Losses",
    "ModelCard",
    "ModelOptions",
    "NetworkOutputError",
    "PretrainedError",
    "SignalError",
]
