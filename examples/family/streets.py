"""Streets: houses side by side, trees and cars, as a picture, as a map of classes, and as boundaries of instances."""

from itertools import pairwise

import torch
from torch import Tensor

from data.shapes import coverage, ellipse, pixel_grid, polygon
from scene import SIZE, Layer, Palette

NUMBERS = 40
HOUSES = 4

PALETTE: Palette = {
    "sky": ((0.42, 0.66, 0.92), (0.86, 0.93, 0.98)),
    "wall": ((0.52, 0.22, 0.16), (0.96, 0.86, 0.66)),
    "roof": ((0.24, 0.22, 0.26), (0.48, 0.44, 0.48)),
    "window": ((0.14, 0.20, 0.30), (0.55, 0.68, 0.80)),
    "door": ((0.16, 0.22, 0.18), (0.28, 0.40, 0.32)),
    "pavement": ((0.58, 0.56, 0.54), (0.74, 0.72, 0.70)),
    "road": ((0.26, 0.26, 0.28), (0.86, 0.86, 0.84)),
    "trunk": ((0.28, 0.18, 0.10), (0.42, 0.28, 0.16)),
    "crown": ((0.07, 0.28, 0.10), (0.34, 0.58, 0.20)),
    "car": ((0.45, 0.06, 0.07), (0.90, 0.24, 0.20)),
    "glass": ((0.20, 0.26, 0.32), (0.66, 0.76, 0.84)),
    "tyre": ((0.06, 0.06, 0.07), (0.18, 0.18, 0.19)),
}
CLASSES = tuple(PALETTE)


def classes(layers: list[Layer], seen: Tensor) -> Tensor:
    """Return the number in `CLASSES` of what is seen, from its place in `layers`, bytes (batch, h, w)."""
    return torch.tensor([CLASSES.index(layer.name) for layer in layers])[seen]


def streets(numbers: Tensor, size: tuple[int, int] = SIZE) -> list[Layer]:
    """Return the layers of streets; what a wall is painted with follows from the width of its house.

    Args:
        numbers: What they are drawn from, (batch, NUMBERS) in [0, 1].
        size: Height and width of the pictures.
    """
    rest = iter(numbers.unbind(1))

    def number(low: float, high: float) -> Tensor:
        return (low + next(rest) * (high - low))[:, None, None]

    at = pixel_grid(size).expand(len(numbers), *size, 2)
    pixel = 2 / size[0]
    x, y = at.unbind(-1)
    layers: list[Layer] = []

    def add(name: str, distance: Tensor, shade: Tensor) -> None:
        layers.append(Layer(name, coverage(distance, pixel), (shade + 0 * x)[:, None]))

    def box(left: Tensor, top: Tensor, right: Tensor, bottom: Tensor) -> Tensor:
        return torch.stack([left - x, x - right, top - y, y - bottom]).amax(0)

    add("sky", -torch.ones_like(x), 0.7 + 0.6 * y)
    kerb, street = number(0.28, 0.36), number(0.46, 0.54)
    widths = torch.stack([number(0.6, 1.4) for _ in range(HOUSES)])
    edges = torch.cat([torch.zeros_like(widths[:1]), widths.cumsum(0) / widths.sum(0)]) * 2.2 - 1.1
    for left, right in pairwise(edges):
        wide = right - left
        eaves, pitch, floors = number(-0.55, -0.10), number(0.10, 0.28), number(1.6, 3.4).round()
        tint = ((wide - 0.35) / 0.4).clamp(0, 1)
        bricks = 0.10 * torch.sign(torch.sin(y * 42) * torch.sin(x * 30 + 1.6 * torch.sign(torch.sin(y * 21))))
        add("wall", box(left, eaves, right, kerb), tint * 0.8 + 0.1 + bricks)
        ridge = eaves - pitch
        corners = [(left, eaves), (left + 0.2 * wide, ridge), (right - 0.2 * wide, ridge), (right, eaves)]
        roof = torch.stack([torch.cat([cx, cy], dim=-1)[:, 0] for cx, cy in corners], dim=1)
        add("roof", polygon(at, roof), 0.5 + 0.4 * torch.sin((y - ridge) * 36))
        tall = (kerb - eaves) / floors
        row, column = (y - eaves) / tall, (x - left) / (wide / 3)
        across, down = (column % 1 - 0.5) * wide / 3, (row % 1 - 0.5) * tall
        ground = row > floors - 1
        frame = torch.maximum(across.abs() - wide / 12, down.abs() - tall * 0.26)
        inside = box(left, eaves, right, kerb)
        add(
            "window",
            torch.maximum(torch.maximum(frame, inside), torch.where(ground, 1.0, -1.0)),
            0.5 - (across + down) * 5,
        )
        middle = (left + right) / 2
        add("door", box(middle - wide / 9, kerb - 0.7 * tall, middle + wide / 9, kerb), 0.5 - (x - middle) * 4)
    add("pavement", kerb - y, 0.5 + 0.5 * torch.sign(torch.sin(x * 26 / (y + 0.6))))
    dashes = ((y - (street + 1) / 2).abs() < 0.03) & (torch.sin(x * 10) > 0)
    add("road", street - y, 0.15 + 0.1 * torch.sin(x * 37) * torch.sin(y * 51) + 0.8 * dashes)

    for _ in range(2):
        foot, tall = number(-0.95, 0.95), number(0.85, 1.15)
        add("trunk", box(foot - 0.03, kerb - 0.35, foot + 0.03, kerb + 0.08), 0.5 - (x - foot) * 12)
        centre = torch.cat([foot, kerb - 0.45 * tall], dim=-1)[:, 0]
        radii = torch.cat([0.20 * tall, 0.26 * tall], dim=-1)[:, 0]
        away = (at - centre[:, None, None]) / radii[:, None, None]
        leaves = 0.5 - 0.3 * away.sum(-1) + 0.2 * torch.sin(away[..., 0] * 9) * torch.sin(away[..., 1] * 9)
        add("crown", ellipse(at, centre, radii), leaves)
    for lane in (0.62, 0.84):
        place, long, toward = number(-0.8, 0.8), number(0.26, 0.36), torch.where(number(0, 1) < 0.5, -1.0, 1.0)
        u, v = (x - place) / long, y - lane
        cabin = torch.maximum((u * toward + 0.15).abs() - 0.55 + v.clamp(-0.2, 0) * -1.2, torch.maximum(-0.19 - v, v))
        shade = 0.6 - v * 4
        add("car", torch.minimum(torch.maximum((u.abs() - 1) * long, (v - 0.01).abs() - 0.085), cabin * long), shade)
        panes = torch.maximum(
            (u * toward + 0.15).abs() - 0.42 + v.clamp(-0.2, 0) * -1.2, torch.maximum(-0.16 - v, v + 0.06)
        )
        add("glass", panes * long, 0.5 - u * 0.6)
        for wheel in (-0.58, 0.58):
            hub = torch.cat([place + wheel * long, lane + 0.09 + 0 * place], dim=-1)[:, 0]
            add("tyre", (at - hub[:, None, None]).norm(dim=-1) - 0.065, 0.5 - v * 4)
    return layers
