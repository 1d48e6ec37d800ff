"""What a model is: signals, maps, cycles, adversaries, terms. Pure data, without torch."""

from cyclekit.errors import GraphError, GraphWarning, NotationError
from cyclekit.graph.domains import Domain, Heatmap, Image, Label, Landmarks, Latent, Mask, Vector
from cyclekit.graph.graph import CycleGraph
from cyclekit.graph.plan import Evaluation, LossPlan, Plan
from cyclekit.graph.resolve import Call, Network
from cyclekit.graph.schedule import Schedule, StandIn
from cyclekit.graph.terms import Adversary, Comparison, Regularizer, Term

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
    "LossPlan",
    "Mask",
    "Network",
    "NotationError",
    "Plan",
    "Regularizer",
    "Schedule",
    "StandIn",
    "Term",
    "Vector",
]
