"""What imports torchvision, timm and torch-fidelity: in one place, and only when it is needed."""

import functools
import importlib
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from cyclekit._registry import suggestion
from cyclekit.errors import ArgumentError, PretrainedError, UnknownNameError

# The operators torchvision describes at import whether or not its compiled extension is there.
_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def import_timm() -> ModuleType:
    """Import timm behind the guard of `import_over_torchvision`.

    Returns:
        The module ``timm``.

    Raises:
        ImportError: timm or torchvision is not installed.
    """
    return import_over_torchvision("timm")


@functools.cache
def import_over_torchvision(name: str) -> ModuleType:
    """Import a package, also where torchvision's compiled extension does not fit the installed torch.

    timm and torch-fidelity import torchvision for its image transforms. Beside a torch of another build (a CPU
    torch with the registry's torchvision, say), torchvision's extension does not load and its import ends in
    ``operator torchvision::nms does not exist``. In that case alone the operators' schemas are declared,
    without an implementation, and the import is repeated. Neither uses these operators;
    ``torchvision.ops.nms`` still ends in torchvision's own message about the missing extension.

    Args:
        name: The package's, or a module's of it.

    Returns:
        The module.

    Raises:
        ImportError: The package or torchvision is not installed.
    """
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        _declare_missing_operators()
    return importlib.import_module(name)


@functools.cache
def _declare_missing_operators() -> torch.library.Library:
    """Declare the schemas; the cache keeps the library, and with it the declarations, alive."""
    library = torch.library.Library("torchvision", "FRAGMENT")
    for schema in _SCHEMAS:
        if not hasattr(torch.ops.torchvision, schema.partition("(")[0]):
            library.define(schema)
    return library


def statistics(network: nn.Module, channels: int = 3) -> tuple[Tensor, Tensor]:
    """Return the mean and deviation of the [0, 1] images a timm model was made for, each (channels, 1, 1).

    Args:
        network: The model.
        channels: Of the images; beyond the model's own they repeat, as timm repeats the weights.
    """
    config = import_timm().data.resolve_model_data_config(network)
    times = -(-channels // len(config["mean"]))
    mean, deviation = (torch.tensor(config[key]).repeat(times)[:channels, None, None] for key in ("mean", "std"))
    return mean, deviation


_fetching: ContextVar[bool] = ContextVar("fetching", default=True)


def may_fetch() -> bool:
    """Whether networks may load pretrained weights, from a cache, a folder or the network."""
    return _fetching.get()


@contextmanager
def fetching_nothing() -> Generator[None]:
    """Build networks without pretrained weights, for a caller who has their weights already."""
    token = _fetching.set(False)
    try:
        yield
    finally:
        _fetching.reset(token)


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
        UnknownNameError: timm has no model of this name.
        ArgumentError: It has none that gives features.
        PretrainedError: It is a hub's or a folder's, inside `fetching_nothing`.
        OSError: The weights cannot be had.
    """
    timm = import_timm()
    if not may_fetch():
        pretrained = False
        if ":" in name:
            raise PretrainedError(
                f"the backbone {name!r} is described outside the saved model, and loading fetches nothing; "
                "create the network yourself and pass it as a module"
            )
    if ":" not in name and not timm.is_model(name):
        raise UnknownNameError(f"timm has no model called {name!r}{suggestion(name, timm.list_models(f'{name[:4]}*'))}")
    try:
        network: Any = timm.create_model(name, features_only=True, pretrained=pretrained, **options)
    except OSError as error:
        reason = str(error).partition("\n")[0]
        raise OSError(
            f"timm cannot load the weights of {name!r}: {reason} Connect once, name a folder that holds them "
            "('local-dir:path'), or pass pretrained=False"
        ) from error
    except (AttributeError, NotImplementedError, RuntimeError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        raise ArgumentError(f"timm cannot make features of {name!r}: {reason}") from error
    return network
