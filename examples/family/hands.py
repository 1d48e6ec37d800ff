"""Hands: one hand in two gestures, with its 21 joints."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from cyclekit.keypoints import HAND_21, stick_figure
from data.shapes import coverage, hue, pick, pixel_grid, polygon, polyline, to_pixels
from scene import SIZE, Layer, Palette, draw

TRAITS = 10
MOVES = 10
SKINS = torch.tensor([[0.98, 0.84, 0.72], [0.88, 0.68, 0.52], [0.66, 0.45, 0.32], [0.40, 0.26, 0.18]])


class Hands(NamedTuple):
    """A batch of hands.

    Args:
        pictures: Bytes, (batch, 3, h, w).
        skeletons: The limbs of `HAND_21` in their colours on black, likewise.
        joints: (batch, 21, 2) in pixels, x and y.
    """

    pictures: Tensor
    skeletons: Tensor
    joints: Tensor


def hands(traits: Tensor, moves: Tensor, size: tuple[int, int] = SIZE) -> Hands:
    """Draw hands.

    Args:
        traits: Whose hands they are, (batch, TRAITS) in [0, 1].
        moves: What they do, (batch, MOVES) in [0, 1].
        size: Height and width of the pictures.
    """
    joints = _joints(traits, moves)
    pixels = to_pixels(joints, size)
    skeletons = stick_figure(pixels, HAND_21, size, width=2)
    return Hands(draw(_layers(traits, joints, size), _palette(traits)), (skeletons * 255).round().byte(), pixels)


def _joints(traits: Tensor, moves: Tensor) -> Tensor:
    """Return the joints in the picture's plane, (batch, 21, 2)."""
    batch = len(traits)
    size = 1.1 + 0.2 * traits[:, 0]
    spread, turn = 0.05 + 0.16 * moves[:, 5], (moves[:, 6] - 0.5) * 0.9
    wrist = torch.stack([(moves[:, 7] - 0.5) * 0.4, 0.72 + (moves[:, 8] - 0.5) * 0.2], dim=-1)
    # The thumb, then the four fingers from index to little: where they begin, where they point, how long they are.
    roots = torch.tensor([[-0.16, -0.14], [-0.20, -0.52], [-0.07, -0.57], [0.07, -0.54], [0.19, -0.46]])
    lengths = torch.tensor([0.15, 0.19, 0.22, 0.20, 0.15]) * (0.85 + 0.3 * traits[:, 1:2])
    points = [torch.zeros(batch, 2)]
    for finger in range(5):
        bent = (moves[:, finger] * 1.6 - 0.3).clamp(0, 1)
        angle = -0.9 - 0.3 * moves[:, 9] + 1.1 * bent if finger == 0 else (finger - 2.5) * spread
        ahead = torch.stack([angle.sin(), -angle.cos()], dim=-1)
        reach = 1.0 if finger == 0 else 1 - 1.45 * bent  # a folded finger comes back over the palm
        at = roots[finger].expand(batch, 2)
        points.append(at)
        for part in range(3):
            share = torch.as_tensor(reach if part else torch.as_tensor(reach).clamp_min(0.25)).expand(batch)
            at = at + ahead * (lengths[:, finger] * share * (1.0, 0.85, 0.7)[part])[:, None]
            points.append(at)
    plane = torch.stack(points, dim=1) * size[:, None, None]
    cosine, sine = turn.cos(), turn.sin()
    rotation = torch.stack([cosine, sine, -sine, cosine], dim=-1).unflatten(-1, (2, 2))
    return plane @ rotation + wrist[:, None]


def _palette(traits: Tensor) -> Palette:
    skin, sleeve, wall = pick(SKINS, traits[:, 2]), hue(traits[:, 3], 0.2, 0.8), hue(traits[:, 4], 0.55, 0.85)
    return {
        "wall": (wall * 0.75, wall),
        "sleeve": (sleeve * 0.6, sleeve),
        "skin": (skin * 0.55, skin),
        "nail": (skin * 0.8 + torch.tensor([0.10, 0.02, 0.04]), skin * 0.7 + torch.tensor([0.30, 0.20, 0.22])),
    }


def _layers(traits: Tensor, joints: Tensor, size: tuple[int, int]) -> list[Layer]:
    at = pixel_grid(size).expand(len(traits), *size, 2)
    pixel = 2 / size[0]
    x, y = at.unbind(-1)
    wide = (0.085 + 0.025 * traits[:, 5])[:, None, None]
    angle = traits[:, 6, None, None] * math.pi
    stripes = 0.5 + 0.5 * torch.sin((x * angle.cos() + y * angle.sin()) * (4 + 6 * traits[:, 7, None, None]))
    layers = [Layer("wall", torch.ones_like(x)[:, None], stripes[:, None])]

    def rounded(distance: Tensor, radius: Tensor) -> Tensor:
        """Return the shade of something round: dark at its rim."""
        return (1 - (distance / radius).clamp(0, 1) ** 3)[:, None]

    wrist, knuckles = joints[:, 0], joints[:, [1, 5, 9, 13, 17]]
    ahead = torch.nn.functional.normalize(joints[:, 9] - wrist, dim=-1)
    aside = torch.stack([-ahead[:, 1], ahead[:, 0]], dim=-1)
    arm = polyline(at, torch.stack([wrist - ahead, wrist], dim=1))
    layers.append(Layer("skin", coverage(arm - 0.19, pixel), rounded(arm, torch.full_like(wide, 0.21))))
    cuff = polyline(at, torch.stack([wrist - 1.2 * ahead, wrist - 0.28 * ahead], dim=1))
    layers.append(Layer("sleeve", coverage(cuff - 0.25, pixel), rounded(cuff, torch.full_like(wide, 0.27))))
    corners = [wrist + 0.17 * aside, joints[:, 17], joints[:, 13], joints[:, 9], joints[:, 5], wrist - 0.17 * aside]
    palm = polygon(at, torch.stack(corners, dim=1)) - 0.075
    layers.append(Layer("skin", coverage(palm, pixel), (0.62 + (-palm).clamp(0, 0.15) * 2.0)[:, None]))
    for finger in (0, 4, 3, 2, 1):
        chain = joints[:, 1 + 4 * finger : 5 + 4 * finger]
        radius = wide * (1.15, 1.0, 1.05, 1.0, 0.85)[finger]
        begin = torch.cat([wrist[:, None] * 0.5 + knuckles[:, :1] * 0.5, chain], dim=1) if finger == 0 else chain
        away = polyline(at, begin)
        layers.append(Layer("skin", coverage(away - radius, pixel), rounded(away, radius * 1.05)))
        tip = polyline(
            at, torch.lerp(chain[:, 2:3], chain[:, 3:4], torch.tensor([[[0.75]], [[1.05]]])[:, 0].expand(2, 1))
        )
        layers.append(Layer("nail", coverage(tip - radius * 0.5, pixel), rounded(tip, radius * 0.9)))
    return layers
