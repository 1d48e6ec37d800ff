"""Typed, composable parts for cycle-style cross-modal GANs, declared in the notation of the papers.

`CycleGraph` and the domains are pure data; torch is imported with the first name that needs it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from cyclekit._spec import NetworkSpec
from cyclekit.errors import CycleKitError, GraphError, GraphWarning, NotationError
from cyclekit.graph import (
    Classes,
    CycleGraph,
    Domain,
    Heatmap,
    Image,
    Label,
    Landmarks,
    Latent,
    Mask,
    Noise,
    Ramp,
    Schedule,
    StandIn,
    Vector,
)

if TYPE_CHECKING:
    from cyclekit.losses import create_adversarial_loss, create_criterion
    from cyclekit.model import CycleModel, Losses
    from cyclekit.nets import (
        create_discriminator,
        create_generator,
        list_discriminators,
        list_generators,
        register_discriminator,
        register_generator,
    )
    from cyclekit.pool import HistoryPool

__version__ = "0.1.0"

__all__ = [
    "Classes",
    "CycleGraph",
    "CycleKitError",
    "CycleModel",
    "Domain",
    "GraphError",
    "GraphWarning",
    "Heatmap",
    "HistoryPool",
    "Image",
    "Label",
    "Landmarks",
    "Latent",
    "Losses",
    "Mask",
    "NetworkSpec",
    "Noise",
    "NotationError",
    "Ramp",
    "Schedule",
    "StandIn",
    "Vector",
    "create_adversarial_loss",
    "create_criterion",
    "create_discriminator",
    "create_generator",
    "list_discriminators",
    "list_generators",
    "register_discriminator",
    "register_generator",
]

_HOMES = {
    "CycleModel": "cyclekit.model",
    "HistoryPool": "cyclekit.pool",
    "Losses": "cyclekit.model",
    "create_adversarial_loss": "cyclekit.losses",
    "create_criterion": "cyclekit.losses",
    "create_discriminator": "cyclekit.nets",
    "create_generator": "cyclekit.nets",
    "list_discriminators": "cyclekit.nets",
    "list_generators": "cyclekit.nets",
    "register_discriminator": "cyclekit.nets",
    "register_generator": "cyclekit.nets",
}


def __getattr__(name: str) -> object:
    """Import a name's room when the name is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'cyclekit' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
