"""What a model is: signals, maps, cycles, adversaries, terms. Pure data, without torch."""

from cyclekit.errors import GraphError, GraphWarning, NotationError
from cyclekit.graph._domains import Domain, Heatmap, Image, Label, Landmarks, Latent, Mask, Vector
from cyclekit.graph._graph import CycleGraph
from cyclekit.graph._networks import Network
from cyclekit.graph._plan import Call, Evaluation, Plan, PlayerPlan
from cyclekit.graph._schedule import Schedule, StandIn
from cyclekit.graph._terms import Adversary, Comparison, Regularizer, Term

__all__ = [
    "Adversary",
    "Call",
    "Comparison",
    "CycleGraph",
    "Domain",
    "Evaluation",
    "GraphError",
    "GraphWarning",
    "Heatmap",
    "Image",
    "Label",
    "Landmarks",
    "Latent",
    "Mask",
    "Network",
    "NotationError",
    "Plan",
    "PlayerPlan",
    "Regularizer",
    "Schedule",
    "StandIn",
    "Term",
    "Vector",
]
