"""timm's feature pyramids, created in one place."""

from typing import Any

from torch import nn

from cyclekit._suggest import suggestion
from cyclekit._torchvision import import_timm


def create_features(name: str, *, pretrained: bool, **options: object) -> nn.Module:
    """Create a timm model that gives its features, one for each resolution.

    Args:
        name: A timm model that has ``features_only``; with a prefix, ``hf-hub:`` or ``local-dir:``, one of a hub's
            or a folder's.
        pretrained: Load its weights as timm does, from its cache or the network.
        **options: To ``timm.create_model``.

    Returns:
        The model.

    Raises:
        ValueError: timm has no model of this name.
        OSError: The weights cannot be had.
    """
    timm = import_timm()
    if ":" not in name and not timm.is_model(name):
        raise ValueError(f"timm has no model called {name!r}{suggestion(name, timm.list_models(f'{name[:4]}*'))}")
    try:
        network: Any = timm.create_model(name, features_only=True, pretrained=pretrained, **options)
    except OSError as error:
        reason = str(error).partition("\n")[0]
        raise OSError(
            f"timm cannot load the weights of {name!r}: {reason} Connect once, name a folder that holds them "
            "('local-dir:path'), or pass pretrained=False"
        ) from error
    return network
