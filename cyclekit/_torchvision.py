"""What imports torchvision, timm and torch-fidelity: in one place, and only when it is needed."""

import functools
import importlib
from types import ModuleType

import torch

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
