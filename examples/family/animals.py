"""Horses and zebras: the same animal on the same meadow, brown or striped."""

import torch
from torch import Tensor

from data.shapes import coverage, ellipse, pixel_grid, polyline
from scene import SIZE, Layer, Palette

NUMBERS = 16

_MEADOW: Palette = {
    "sky": ((0.50, 0.72, 0.92), (0.86, 0.93, 0.97)),
    "wood": ((0.18, 0.34, 0.20), (0.36, 0.52, 0.30)),
    "grass": ((0.44, 0.58, 0.22), (0.70, 0.76, 0.38)),
    "shadow": ((0.28, 0.40, 0.16), (0.36, 0.48, 0.20)),
    "hoof": ((0.12, 0.10, 0.09), (0.20, 0.17, 0.15)),
    "eye": ((0.04, 0.03, 0.03), (0.10, 0.08, 0.08)),
}
HORSE: Palette = {
    **_MEADOW,
    "coat": ((0.30, 0.14, 0.06), (0.66, 0.36, 0.18)),
    "mane": ((0.10, 0.06, 0.04), (0.22, 0.14, 0.09)),
}
ZEBRA: Palette = {
    **_MEADOW,
    "coat": ((0.66, 0.65, 0.62), (0.98, 0.98, 0.96)),
    "stripe": ((0.05, 0.05, 0.06), (0.16, 0.16, 0.18)),
    "mane": ((0.05, 0.05, 0.06), (0.16, 0.16, 0.18)),
}
BODY = ("coat", "mane", "hoof", "eye")


def animals(numbers: Tensor, size: tuple[int, int] = SIZE) -> list[Layer]:
    """Return the layers of an animal on a meadow.

    Args:
        numbers: What they are drawn from, (batch, NUMBERS) in [0, 1].
        size: Height and width of the pictures.
    """
    rest = iter(numbers.unbind(1))

    def number(low: float, high: float) -> Tensor:
        return low + next(rest) * (high - low)

    grid = pixel_grid(size).expand(len(numbers), *size, 2)
    pixel = 2 / size[0]
    x, y = grid.unbind(-1)
    whole = torch.ones_like(x)[:, None]
    horizon, wood = (number(-0.15, 0.15)[:, None, None] for _ in range(2))
    trees = horizon - 0.22 + 0.08 * torch.sin(x * 8 + wood * 40) + 0.05 * torch.sin(x * 19 + wood * 90)
    blades = 0.5 + 0.3 * torch.sin(x * 23 + y * 11) * torch.sin(y * 31 - x * 7) + 0.4 * (y - 0.4)
    layers = [
        Layer("sky", whole, 0.6 + 0.5 * y[:, None]),
        Layer("wood", coverage(trees - y, pixel), (1 - 2.5 * (y - trees))[:, None]),
        Layer("grass", coverage(horizon - y, pixel), blades[:, None]),
    ]

    # The animal's own plane: it looks to the right, its trunk is about 1 wide, and its feet are at 0.75.
    scale, across, down = number(0.72, 0.98), number(-0.22, 0.22), number(-0.05, 0.18)
    turned = torch.where(number(0, 1) < 0.5, -1.0, 1.0)
    at = (
        torch.stack([(x - across[:, None, None]) * turned[:, None, None], y - down[:, None, None]], dim=-1)
        / scale[:, None, None, None]
    )
    pixel = pixel / 0.85
    u, v = at.unbind(-1)
    deep, tall, nod, gait, tail = (
        number(0.20, 0.27),
        number(-0.12, 0.06),
        number(-0.15, 0.2),
        number(-1, 1),
        number(-0.15, 0.15),
    )

    def spot(right: float | Tensor, low: float | Tensor) -> Tensor:
        values = [torch.as_tensor(value, dtype=torch.float32).expand(len(numbers)) for value in (right, low)]
        return torch.stack(values, dim=-1)

    def along(*spots: Tensor) -> Tensor:
        return polyline(at, torch.stack(spots, dim=1))

    lit = 0.75 - 0.9 * (v - 0.05)
    withers, hips = spot(0.34, tall), spot(-0.38, tall)
    poll = spot(0.62, -0.50 + nod * 0.6)
    muzzle = poll + spot(0.26, 0.16 + nod * 0.2)
    parts = [ellipse(at, spot(0, 0.02), torch.stack([torch.full_like(deep, 0.55), deep], dim=-1))]
    parts += [along(withers + spot(0, 0.04), poll) - 0.11, along(poll, muzzle) - 0.085]
    parts += [along(poll + spot(-0.03, -0.02), poll + spot(-0.06, -0.17)) - 0.035]
    hooves = []
    for root, swing in ((0.38, 0.12), (0.26, -0.10), (-0.34, 0.10), (-0.46, -0.12)):
        foot = spot(root + swing * gait, 0.75)
        parts.append(along(spot(root, 0.10), foot) - 0.065)
        hooves.append(along(foot + spot(-0.01, 0), foot + spot(0.02, 0)) - 0.065)
    coat = torch.stack(parts).amin(0)
    # Stripes run across: upright on the trunk, level on the legs, slanting on neck and head.
    ways = [u * 30 + 2 * torch.sin(v * 6), (u - v) * 24, (u + 0.6 * v) * 30, u * 0, *[v * 34] * 4]
    nearest = torch.stack(parts).argmin(0)
    striped = torch.sin(torch.stack(ways).gather(0, nearest[None])[0]) > -0.1
    cover = coverage(coat, pixel)
    mane = along(withers + spot(-0.06, -0.04), poll + spot(-0.09, -0.06)) - 0.05
    hair = along(hips + spot(-0.14, 0.0), spot(-0.66 + tail, 0.16), spot(-0.70 + tail, 0.36)) - 0.045
    layers.append(Layer("shadow", coverage(ellipse(at, spot(-0.02, 0.77), spot(0.62, 0.07)), pixel), whole * 0.5))
    layers.append(Layer("mane", coverage(torch.minimum(mane, hair), pixel), lit[:, None]))
    layers.append(Layer("coat", cover, lit[:, None]))
    layers.append(Layer("stripe", cover * striped[:, None], lit[:, None]))
    layers.append(Layer("hoof", coverage(torch.stack(hooves).amin(0), pixel), whole * 0.5))
    layers.append(Layer("eye", coverage(ellipse(at, poll + spot(0.06, 0.0), spot(0.035, 0.035)), pixel), whole * 0.5))
    return layers
