"""What a model is: signals, maps, cycles, adversaries, terms. Pure data, without torch."""

from cyclekit.errors import GraphError, GraphWarning, NotationError
from cyclekit.graph.domains import Classes, Domain, Heatmap, Image, Label, Landmarks, Latent, Mask, Noise, Vector
from cyclekit.graph.graph import CycleGraph
from cyclekit.graph.plan import Evaluation, LossPlan, Plan
from cyclekit.graph.resolve import Call, Network
from cyclekit.graph.schedule import Ramp, Schedule, StandIn
from cyclekit.graph.terms import Adversary, Comparison, Regularizer, Term

__all__ = [
    "Adversary",
    "Call",
    "Classes",
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
    "Noise",
    "NotationError",
    "Plan",
    "Ramp",
    "Regularizer",
    "Schedule",
    "StandIn",
    "Term",
    "Vector",
]
