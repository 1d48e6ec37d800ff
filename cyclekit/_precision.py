"""At least single precision, whatever the networks compute in."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def without_autocast(values: Tensor) -> AbstractContextManager[object]:
    """Return a context in which nothing goes down to half precision: a filter or a product of matrices would."""
    kind = values.device.type
    return torch.autocast(kind, enabled=False) if torch.amp.is_autocast_available(kind) else nullcontext()


def full_precision(values: Tensor) -> Tensor:
    """Return half-precision values as float32 and all others as they are."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
