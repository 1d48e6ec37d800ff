"""Scenes as layers: what covers what, drawn once; a palette makes a picture of them, another one its counterpart.

So the truth of every translation is known: the same layers in the other palette.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias
from zlib import crc32

import torch
from torch import Tensor

from data.shapes import paint

SIZE = (64, 64)

Palette: TypeAlias = Mapping[str, tuple[Tensor | tuple[float, float, float], Tensor | tuple[float, float, float]]]
"""The dark and the light colour of each layer, (3,) or one a scene (batch, 3), in [0, 1]; others are not drawn."""


class Layer(NamedTuple):
    """What covers the layers before it.

    Args:
        name: What it is; the palette has its colours.
        cover: How much of each pixel it covers, (batch, 1, h, w) in [0, 1].
        shade: Where between its dark and its light colour each pixel lies, likewise.
    """

    name: str
    cover: Tensor
    shade: Tensor


def draw(layers: Sequence[Layer], palette: Palette) -> Tensor:
    """Return the pictures of a batch of scenes, bytes (batch, 3, h, w)."""
    picture = torch.zeros(len(layers[0].cover), 3, *layers[0].cover.shape[2:])
    for layer in layers:
        if layer.name in palette:
            dark, light = (torch.as_tensor(colour).reshape(-1, 3, 1, 1) for colour in palette[layer.name])
            picture = paint(picture, torch.lerp(dark, light, layer.shade.clamp(0, 1)), layer.cover)
    return (picture * 255).round().byte()


def on_top(layers: Sequence[Layer], names: Sequence[str]) -> Tensor:
    """Return the place in `layers` of what is seen at each pixel, (batch, h, w); layers not in `names` are air."""
    seen = torch.zeros(layers[0].cover[:, 0].shape, dtype=torch.long)
    for place, layer in enumerate(layers):
        if layer.name in names:
            seen[layer.cover[:, 0] > 0.5] = place
    return seen


def boundaries(index: Tensor) -> Tensor:
    """Return where a map of numbers (batch, h, w) changes to the right or below: bytes 0 or 255, (batch, 1, h, w)."""
    changes = torch.zeros_like(index, dtype=torch.bool)
    changes[:, :, :-1] |= index[:, :, 1:] != index[:, :, :-1]
    changes[:, :-1] |= index[:, 1:] != index[:, :-1]
    return changes[:, None].byte() * 255


def numbers(part: str, count: int, each: int, seed: int) -> Tensor:
    """Return what scenes are drawn from, (count, each) in [0, 1); those of two parts have nothing in common.

    Args:
        part: Whose scenes: ``"train A"``, ``"train B"``, ``"test"``.
        count: How many scenes.
        each: How many numbers a scene has.
        seed: Everything follows from it.
    """
    start = crc32(f"{part} {seed}".encode())  # torch's generator takes no more than 32 bits
    return torch.rand(count, each, generator=torch.Generator().manual_seed(start))


def outlines(layers: Sequence[Layer], palette: Palette) -> Tensor:
    """Return what a palette shows as black lines on white, bytes (batch, 3, h, w)."""
    return (255 - boundaries(on_top(layers, tuple(palette)))).expand(-1, 3, -1, -1)
