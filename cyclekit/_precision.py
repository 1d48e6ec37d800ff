"""At least single precision, whatever the networks compute in."""

import torch
from torch import Tensor


def full_precision(values: Tensor) -> Tensor:
    """Return half-precision values as float32 and all others as they are."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
