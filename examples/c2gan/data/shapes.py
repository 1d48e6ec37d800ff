"""Soft shapes to draw with: signed distances, anti-aliased coverage, and painting one layer over another."""

import math

import torch
from torch import Tensor


def pixel_grid(size: tuple[int, int]) -> Tensor:
    """Return (height, width, 2) pixel centres as (x, y); y runs from -1 to 1, x in the same unit."""
    height, width = size
    y = (torch.arange(height) + 0.5) * (2 / height) - 1
    x = ((torch.arange(width) + 0.5) * 2 - width) / height
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)


def to_pixels(points: Tensor, size: tuple[int, int]) -> Tensor:
    """Return points of `pixel_grid`'s plane as (x, y) pixel coordinates."""
    height, width = size
    scale = points.new_tensor([height / 2, height / 2])
    return points * scale + points.new_tensor([(width - 1) / 2, (height - 1) / 2])


def ellipse(at: Tensor, centre: Tensor, radii: Tensor) -> Tensor:
    """Return roughly the signed distance to ellipses: ``at`` (batch, h, w, 2), the others (batch, 2)."""
    away = (at - centre[:, None, None]) / radii[:, None, None]
    return (away.norm(dim=-1) - 1) * radii.amin(-1)[:, None, None]


def polyline(at: Tensor, points: Tensor) -> Tensor:
    """Return the distance to open lines through points (batch, n, 2)."""
    return torch.stack([_to_segment(at, a, b) for a, b in _segments(points)]).amin(0)


def polygon(at: Tensor, points: Tensor) -> Tensor:
    """Return the signed distance to closed polygons of points (batch, n, 2); negative inside."""
    closed = torch.cat([points, points[:, :1]], dim=1)
    inside = torch.zeros(at.shape[:-1], dtype=torch.bool)
    for a, b in _segments(closed):
        (ax, ay), (bx, by) = a[:, None, None].unbind(-1), b[:, None, None].unbind(-1)
        x, y = at.unbind(-1)
        rise = torch.where((by - ay).abs() < 1e-9, torch.full_like(by, 1e-9), by - ay)
        inside ^= ((ay > y) != (by > y)) & (x < (bx - ax) * (y - ay) / rise + ax)
    distance = polyline(at, closed)
    return torch.where(inside, -distance, distance)


def coverage(distance: Tensor, pixel: float) -> Tensor:
    """Return how much of each pixel lies inside, (batch, 1, h, w) in [0, 1]."""
    return (0.5 - distance / pixel).clamp(0, 1)[:, None]


def paint(picture: Tensor, colour: Tensor, cover: Tensor) -> Tensor:
    """Paint a colour, (batch, 3) or a picture, over a picture where it is covered."""
    colour = colour[:, :, None, None] if colour.ndim == 2 else colour
    return torch.lerp(picture, colour.expand_as(picture), cover.expand_as(picture))


def pick(palette: Tensor, place: Tensor) -> Tensor:
    """Return colours between neighbours of a palette for places (batch,) in [0, 1], (batch, 3)."""
    scaled = place * (len(palette) - 1.001)
    below = scaled.long()
    return torch.lerp(palette[below], palette[below + 1], (scaled - below)[:, None])


def hue(place: Tensor, dark: float, bright: float) -> Tensor:
    """Return colours of the rainbow for places (batch,) in [0, 1], (batch, 3)."""
    phase = place[:, None] * 2 * math.pi + torch.tensor([0.0, 2.1, 4.2])
    return dark + (bright - dark) * (0.5 + 0.5 * phase.cos())


def shaded(colour: Tensor, change: Tensor) -> Tensor:
    """Return a colour (batch, 3) made lighter or darker place by place, (batch, 3, h, w)."""
    return (colour[:, :, None, None] * (1 + change[:, None])).clamp(0, 1)


def _segments(points: Tensor) -> list[tuple[Tensor, Tensor]]:
    return [(points[:, index], points[:, index + 1]) for index in range(points.shape[1] - 1)]


def _to_segment(at: Tensor, a: Tensor, b: Tensor) -> Tensor:
    (ax, ay), (bx, by) = a[:, None, None].unbind(-1), b[:, None, None].unbind(-1)
    dx, dy = bx - ax, by - ay
    x, y = at[..., 0] - ax, at[..., 1] - ay
    share = ((x * dx + y * dy) / (dx.square() + dy.square()).clamp_min(1e-9)).clamp(0, 1)
    return torch.hypot(x - share * dx, y - share * dy)
