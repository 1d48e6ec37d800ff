"""Values that a metric can score: images on the wrong scale would get a score as well, and a wrong one."""

import math

import torch
from torch import Tensor

from cyclekit.errors import ArgumentError


def check_positive_range(data_range: float) -> None:
    """Raise unless a data range is a positive number."""
    if not 0 < data_range < math.inf:
        raise ArgumentError(f"data_range must be positive and finite, got {data_range}")


def check_images(name: str, images: Tensor, data_range: float = 1.0) -> None:
    """Raise where images lie outside of [0, data_range] by more than half of it: they are on another scale.

    What a generator or a resize leaves just outside is let through, and so is what is not finite.
    """
    _check(
        name, images, -data_range / 2, 1.5 * data_range, f"[0, {data_range:g}]; bring [-1, 1] there with (x + 1) / 2"
    )


def check_mask(mask: Tensor) -> None:
    """Raise unless a mask lies in [0, 1]."""
    _check("mask", mask, 0, 1, "[0, 1]")


def _check(name: str, values: Tensor, low: float, high: float, expected: str) -> None:
    if torch.compiler.is_compiling() or not values.numel():
        return
    finite = values.detach().where(values.isfinite(), (low + high) / 2)
    least, most = finite.aminmax()
    if least < low or most > high:
        raise ArgumentError(f"{name}: got values from {least:.3g} to {most:.3g}, expected {expected}")
