"""Shoes and bags: a shoe and a bag of one number have the same two colours, the same place and the same size."""

import torch
from torch import Tensor

from data.shapes import coverage, ellipse, pick, pixel_grid, polygon, polyline
from scene import SIZE, Layer, Palette

NUMBERS = 8
COLOURS = torch.tensor(
    [
        [0.80, 0.16, 0.16],
        [0.92, 0.55, 0.14],
        [0.88, 0.80, 0.30],
        [0.20, 0.56, 0.34],
        [0.16, 0.36, 0.70],
        [0.42, 0.20, 0.50],
    ]
)


def palette(numbers: Tensor) -> Palette:
    """Return what goods are painted with: leather of one colour, a trim of another."""
    leather, trim = pick(COLOURS, numbers[:, 0]), pick(COLOURS.flip(0), numbers[:, 1])
    return {
        "wall": ((0.84, 0.84, 0.86), (0.97, 0.97, 0.98)),
        "shadow": ((0.62, 0.62, 0.66), (0.72, 0.72, 0.76)),
        "inside": ((0.12, 0.10, 0.10), (0.26, 0.22, 0.22)),
        "leather": (leather * 0.55, leather * 0.75 + 0.25),
        "trim": (trim * 0.6, trim * 0.8 + 0.2),
        "sole": ((0.30, 0.28, 0.27), (0.90, 0.88, 0.84)),
        "metal": ((0.70, 0.62, 0.30), (0.98, 0.92, 0.62)),
    }


class _Frame:
    """A good's own plane: x and y from -1 to 1 over its size, at its place."""

    def __init__(self, numbers: Tensor, size: tuple[int, int]) -> None:
        scale = (0.62 + 0.16 * numbers[:, 2])[:, None, None]
        place = torch.stack([numbers[:, 3] - 0.5, numbers[:, 4] - 0.5], dim=-1) * 0.3
        self.at = (pixel_grid(size) - place[:, None, None]) / scale[..., None]
        self.pixel = 2 / size[0] / 0.7
        self.x, self.y = self.at.unbind(-1)
        self.whole = torch.ones_like(self.x)[:, None]

    def layer(self, name: str, distance: Tensor, shade: Tensor) -> Layer:
        return Layer(name, coverage(distance, self.pixel), shade[:, None])

    def ground(self) -> list[Layer]:
        shadow = ellipse(self.at, *(self.points((0, 0.82), (1.0, 0.12)).unbind(1)))
        return [
            Layer("wall", self.whole, 0.75 - 0.35 * self.y[:, None]),
            self.layer("shadow", shadow, 0.5 - 0.5 * self.y),
        ]

    def points(self, *corners: tuple[float | Tensor, float | Tensor]) -> Tensor:
        """Return points of numbers or one number a good, (batch, points, 2)."""
        batch = len(self.x)
        columns = [torch.as_tensor(value).expand(batch) for corner in corners for value in corner]
        return torch.stack(columns, dim=-1).unflatten(-1, (len(corners), 2)).float()


def shoes(numbers: Tensor, size: tuple[int, int] = SIZE) -> list[Layer]:
    """Return the layers of shoes: two numbers for colours, three for place, three for form, (batch, NUMBERS)."""
    frame = _Frame(numbers, size)
    ankle, toe, heel = 0.75 - 0.6 * numbers[:, 5], 0.28 + 0.18 * numbers[:, 6], 0.08 + 0.14 * numbers[:, 7]
    top = -ankle
    upper = frame.points(
        *((-0.95, 0.6), (-0.92, top), (-0.30, top), (-0.12, 0.10)),
        *((0.35, 0.54 - toe), (0.80, 0.6 - toe * 0.75), (0.98, 0.6)),
    )
    mouth = ellipse(frame.at, frame.points((-0.61, top)).squeeze(1), frame.points((0.33, 0.10)).squeeze(1))
    sole = frame.points(
        (-1.0, 0.56), (1.02, 0.56), (1.0, 0.70), (-0.35, 0.70), (-0.40, 0.70 + heel), (-0.98, 0.70 + heel)
    )
    stripe = [frame.points((-0.60 + step, 0.05), (-0.30 + step, 0.55)) for step in (0.0, 0.28)]
    lit = 0.75 - 0.5 * frame.y - 0.25 * (frame.x + 0.3).abs()
    layers = [*frame.ground(), frame.layer("leather", polygon(frame.at, upper), lit)]
    layers += [frame.layer("trim", polyline(frame.at, line) - 0.07, lit) for line in stripe]
    toecap = torch.maximum(polygon(frame.at, upper), 0.55 - frame.x)
    layers.append(frame.layer("trim", toecap, lit))
    layers.append(frame.layer("inside", mouth, 0.5 - 2 * (frame.y - top[:, None, None])))
    layers.append(frame.layer("sole", polygon(frame.at, sole), 1.6 - frame.y * 1.6))
    return layers


def bags(numbers: Tensor, size: tuple[int, int] = SIZE) -> list[Layer]:
    """Return the layers of bags: the numbers of `shoes`, (batch, NUMBERS)."""
    frame = _Frame(numbers, size)
    rise, wide, flap = 0.45 + 0.35 * numbers[:, 5], 0.72 + 0.2 * numbers[:, 6], 0.15 + 0.3 * numbers[:, 7]
    body = frame.points((-wide, 0.8), (-wide + 0.14, -0.15), (wide - 0.14, -0.15), (wide, 0.8))
    lid = frame.points(
        *((-wide + 0.10, -0.2), (wide - 0.10, -0.2), (wide - 0.14, flap)),
        *((0.22, flap + 0.14), (-0.22, flap + 0.14), (-wide + 0.14, flap)),
    )
    radii = frame.points((0.45, rise)).squeeze(1)
    handle = (ellipse(frame.at, frame.points((0.0, -0.15)).squeeze(1), radii)).abs() - 0.07
    handle = torch.maximum(handle, frame.y + 0.15)
    buckle = ellipse(frame.at, torch.stack([0 * flap, flap + 0.04], dim=-1), frame.points((0.10, 0.10)).squeeze(1))
    lit = 0.75 - 0.45 * frame.y - 0.3 * frame.x.abs()
    return [
        *frame.ground(),
        frame.layer("trim", handle, lit),
        frame.layer("leather", polygon(frame.at, body), lit),
        frame.layer("trim", polygon(frame.at, lid), lit + 0.2),
        frame.layer("metal", buckle, 0.6 - (frame.y - flap[:, None, None]) * 3),
    ]
