"""What every renderer needs of its points: which are there, and a place for those that are not."""

import math
from typing import NamedTuple

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor

from cyclekit._precision import full_precision
from cyclekit.errors import ArgumentError


class Placed(NamedTuple):
    """Points with every missing one moved to (0, 0), so that no NaN reaches a value or a gradient."""

    points: Float[Tensor, "batch joints 2"]
    present: Bool[Tensor, "batch joints"]


def place(points: Tensor, visible: Tensor | None) -> Placed:
    """Find the missing points: not visible, or not finite. Half-precision points come back in float32."""
    present = torch.isfinite(points).all(-1)
    if visible is not None:
        present = present & (visible > 0)
    exact = full_precision(points)
    return Placed(torch.where(rearrange(present, "b j -> b j 1"), exact, 0.0), present)


def check_size(size: tuple[int, int]) -> None:
    """Raise unless ``size`` is a height and a width of at least one pixel."""
    if min(size) < 1:
        raise ArgumentError(f"size must be (height, width), each at least 1; got {size}")


def check_number(name: str, value: float) -> None:
    """Raise where ``value`` is NaN, with which nothing compares."""
    if math.isnan(value):
        raise ArgumentError(f"{name}: got {value}, expected a number")


def check_radius(radius: float, size: tuple[int, int]) -> None:
    """Raise unless ``radius`` is positive, and no longer than a picture's diagonal: its square costs memory."""
    check_positive("radius", radius)
    if radius > math.hypot(*size):
        raise ArgumentError(f"radius must not be longer than the diagonal of {size[0]}x{size[1]} pixels; got {radius}")


def check_positive(name: str, value: float) -> None:
    """Raise unless ``value``, a length in pixels, is positive and finite."""
    if not 0 < value < float("inf"):
        raise ArgumentError(f"{name} is a length in pixels and must be positive; got {value}")
