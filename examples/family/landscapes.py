"""Landscapes: hills, a field, trees, a house, in summer, autumn and winter, and at night."""

import math

import torch
from torch import Tensor

from data.shapes import coverage, ellipse, pixel_grid, polygon
from scene import SIZE, Layer, Palette

NUMBERS = 32
TREES = 3

SUMMER: Palette = {
    "sky": ((0.30, 0.58, 0.93), (0.80, 0.91, 0.98)),
    "sun": ((1.00, 0.88, 0.40), (1.00, 0.95, 0.60)),
    "cloud": ((0.88, 0.92, 0.97), (1.00, 1.00, 1.00)),
    "mountains": ((0.28, 0.45, 0.50), (0.45, 0.62, 0.62)),
    "hill": ((0.20, 0.48, 0.20), (0.38, 0.66, 0.28)),
    "field": ((0.46, 0.66, 0.22), (0.66, 0.80, 0.30)),
    "trunk": ((0.32, 0.20, 0.10), (0.45, 0.30, 0.16)),
    "crown": ((0.06, 0.30, 0.10), (0.20, 0.52, 0.16)),
    "wall": ((0.80, 0.70, 0.55), (0.96, 0.90, 0.78)),
    "roof": ((0.62, 0.20, 0.14), (0.82, 0.32, 0.22)),
    "window": ((0.16, 0.22, 0.34), (0.26, 0.34, 0.48)),
}
AUTUMN: Palette = {
    "sky": ((0.55, 0.66, 0.78), (0.96, 0.88, 0.74)),
    "sun": ((0.98, 0.72, 0.40), (1.00, 0.84, 0.56)),
    "cloud": ((0.80, 0.78, 0.78), (0.94, 0.90, 0.86)),
    "mountains": ((0.38, 0.36, 0.46), (0.58, 0.54, 0.58)),
    "hill": ((0.48, 0.32, 0.12), (0.72, 0.50, 0.20)),
    "field": ((0.40, 0.30, 0.18), (0.60, 0.46, 0.28)),
    "trunk": ((0.24, 0.15, 0.10), (0.36, 0.24, 0.16)),
    "crown": ((0.66, 0.22, 0.06), (0.94, 0.56, 0.12)),
    "wall": ((0.76, 0.66, 0.54), (0.92, 0.84, 0.72)),
    "roof": ((0.50, 0.17, 0.13), (0.68, 0.27, 0.20)),
    "window": ((0.18, 0.20, 0.28), (0.30, 0.32, 0.40)),
}
WINTER: Palette = {
    "sky": ((0.56, 0.62, 0.72), (0.82, 0.86, 0.90)),
    "sun": ((0.90, 0.90, 0.84), (0.97, 0.96, 0.90)),
    "cloud": ((0.68, 0.72, 0.78), (0.80, 0.83, 0.87)),
    "mountains": ((0.60, 0.68, 0.80), (0.88, 0.92, 0.97)),
    "hill": ((0.74, 0.80, 0.88), (0.90, 0.93, 0.97)),
    "field": ((0.84, 0.89, 0.95), (0.98, 0.99, 1.00)),
    "trunk": ((0.22, 0.18, 0.17), (0.34, 0.28, 0.26)),
    "crown": ((0.28, 0.36, 0.40), (0.78, 0.84, 0.88)),
    "wall": ((0.66, 0.60, 0.54), (0.84, 0.79, 0.72)),
    "roof": ((0.86, 0.90, 0.95), (0.97, 0.98, 1.00)),
    "window": ((0.80, 0.60, 0.25), (0.92, 0.72, 0.36)),
}
NIGHT: Palette = {
    "sky": ((0.03, 0.04, 0.14), (0.16, 0.16, 0.34)),
    "sun": ((0.84, 0.86, 0.90), (0.96, 0.97, 1.00)),
    "cloud": ((0.12, 0.13, 0.24), (0.20, 0.21, 0.34)),
    "mountains": ((0.06, 0.08, 0.18), (0.11, 0.14, 0.26)),
    "hill": ((0.04, 0.09, 0.13), (0.08, 0.16, 0.19)),
    "field": ((0.08, 0.15, 0.16), (0.13, 0.22, 0.22)),
    "trunk": ((0.03, 0.03, 0.05), (0.06, 0.06, 0.09)),
    "crown": ((0.01, 0.04, 0.06), (0.05, 0.11, 0.13)),
    "wall": ((0.18, 0.19, 0.28), (0.28, 0.29, 0.40)),
    "roof": ((0.08, 0.07, 0.14), (0.14, 0.12, 0.21)),
    "window": ((0.98, 0.78, 0.30), (1.00, 0.90, 0.48)),
}


def landscapes(numbers: Tensor, size: tuple[int, int] = SIZE) -> list[Layer]:
    """Return the layers of landscapes.

    Args:
        numbers: What they are drawn from, (batch, NUMBERS) in [0, 1].
        size: Height and width of the pictures.
    """
    at = pixel_grid(size).expand(len(numbers), *size, 2)
    pixel = 2 / size[0]
    x, y = at.unbind(-1)
    rest = iter(numbers.unbind(1))

    def number(low: float, high: float) -> Tensor:
        return low + next(rest) * (high - low)

    def place(low: tuple[float, float], high: tuple[float, float]) -> Tensor:
        return torch.stack([number(low[0], high[0]), number(low[1], high[1])], dim=-1)

    def up(values: Tensor) -> Tensor:
        return values[:, None, None]

    def below(height: Tensor) -> Tensor:
        """Return the cover of the ground below a curve."""
        return coverage(height - y, pixel)

    whole = torch.ones_like(x)[:, None]
    layers = [Layer("sky", whole, ((y + 1) / 1.2)[:, None])]
    layers.append(_disc("sun", at, place((-0.8, -0.85), (0.8, -0.45)), number(0.10, 0.17), pixel))
    for _ in range(2):
        centre = place((-0.9, -0.8), (0.9, -0.35))
        layers.append(_disc("cloud", at, centre, torch.stack([number(0.2, 0.4), number(0.05, 0.10)], dim=-1), pixel))

    peaks = up(number(-0.30, -0.05)) + 0.22 * _zigzag(x * 1.3 + up(number(0, 4)))
    layers.append(Layer("mountains", below(peaks), (1 - (y - peaks) / 0.5)[:, None]))
    slope = up(number(0.05, 0.25)) + 0.13 * torch.sin(x * up(number(1.5, 3.0)) + up(number(0, 6.3)))
    layers.append(Layer("hill", below(slope), (1 - (y - slope) / 0.5 + 0.25 * torch.sin(x * 9 + y * 14))[:, None]))
    edge = up(number(0.30, 0.45)) + 0.10 * x * up(number(-1, 1))
    furrows = 0.5 + 0.5 * torch.sin(x / (y + 0.3).clamp_min(0.2) * up(number(9, 13)))
    layers.append(Layer("field", below(edge), furrows[:, None]))

    foot, half, tall = place((-0.6, 0.40), (0.6, 0.55)), number(0.16, 0.24), number(0.20, 0.28)
    layers += _house(at, foot, half, tall, pixel)
    for _ in range(TREES):
        layers += _tree(at, place((-0.95, 0.30), (0.95, 0.85)), number(0.75, 1.25), pixel)
    return layers


def _zigzag(x: Tensor) -> Tensor:
    """Return a line of peaks, in [-1, 1]."""
    return (
        torch.asin(torch.sin(x * math.pi)) / (math.pi / 2) * 0.7 + torch.asin(torch.sin(x * 7.1)) / (math.pi / 2) * 0.3
    )


def _disc(name: str, at: Tensor, centre: Tensor, radius: Tensor, pixel: float) -> Layer:
    radii = radius if radius.ndim == 2 else torch.stack([radius, radius], dim=-1)
    shade = 0.6 - (at - centre[:, None, None])[..., 1] / radii[:, 1, None, None] * 0.4
    return Layer(name, coverage(ellipse(at, centre, radii), pixel), shade[:, None])


def _box(centre: Tensor, half: Tensor, tall: Tensor) -> Tensor:
    """Return the corners of upright rectangles, (batch, 4, 2)."""
    corners = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    return centre[:, None] + corners * torch.stack([half, tall], dim=-1)[:, None]


def _house(at: Tensor, foot: Tensor, half: Tensor, tall: Tensor, pixel: float) -> list[Layer]:
    """Return a house on its foot (batch, 2): walls darker to the right, a roof, two windows."""
    middle = foot - torch.stack([torch.zeros_like(tall), tall / 2], dim=-1)
    across = (at[..., 0] - foot[:, 0, None, None]) / half[:, None, None]
    wall = coverage(polygon(at, _box(middle, half, tall / 2)), pixel)
    eaves = foot[:, 1] - tall
    ridge = torch.stack([foot[:, 0], eaves - 0.75 * half], dim=-1)
    left, right = (torch.stack([foot[:, 0] + side * 1.2 * half, eaves], dim=-1) for side in (-1, 1))
    roof = coverage(polygon(at, torch.stack([left, ridge, right], dim=1)), pixel)
    layers = [Layer("wall", wall, (0.5 - 0.5 * across)[:, None]), Layer("roof", roof, (0.5 - 0.4 * across)[:, None])]
    for side in (-0.45, 0.45):
        centre = middle + torch.stack([side * half, torch.zeros_like(half)], dim=-1)
        window = coverage(polygon(at, _box(centre, 0.2 * half, 0.25 * tall)), pixel)
        layers.append(Layer("window", window, (0.5 - 0.5 * across)[:, None]))
    return layers


def _tree(at: Tensor, foot: Tensor, scale: Tensor, pixel: float) -> list[Layer]:
    """Return a tree on its foot (batch, 2): a trunk, and a crown lit from the upper left."""
    trunk = _box(foot - torch.stack([0 * scale, 0.12 * scale], dim=-1), 0.03 * scale, 0.14 * scale)
    centre = foot - torch.stack([0 * scale, 0.42 * scale], dim=-1)
    radii = torch.stack([0.17 * scale, 0.25 * scale], dim=-1)
    away = (at - centre[:, None, None]) / radii[:, None, None]
    lit = 0.5 - 0.35 * away.sum(-1) + 0.2 * torch.sin(away[..., 0] * 9) * torch.sin(away[..., 1] * 11)
    return [
        Layer("trunk", coverage(polygon(at, trunk), pixel), torch.full_like(lit, 0.5)[:, None]),
        Layer("crown", coverage(ellipse(at, centre, radii), pixel), lit[:, None]),
    ]
