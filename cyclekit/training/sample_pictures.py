"""What a model makes of some samples, as one picture."""

import colorsys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cyclekit.graph import Classes, Domain, Label, Latent, Mask
from cyclekit.model import CycleModel
from cyclekit.training.checkpoint import random_state, set_random_state

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_GAP, _TITLE, _LEAST = 4, 18, 64
"""Pixels between pictures, above them, and of a picture's longer side."""


def sample_picture(model: CycleModel, samples: Mapping[str, Tensor], rows: int = 6) -> "Picture":
    """Return one picture of some samples: a row each, what goes in and what is made of it side by side, with names.

    Images, landmarks, heatmaps (their largest joint), masks (their largest region), maps of classes (a colour
    each) and labels (a stripe for each class) are shown; vectors, latents and noise have no picture. What the
    samples' signals do not allow is left out.

    Args:
        model: The model; it runs in evaluation mode, and is in its own again afterwards, as are random numbers.
        samples: Signals by name, as `CycleModel.generate` takes them, on any device.
        rows: How many samples at most.

    Returns:
        The picture, in RGB.

    Raises:
        SignalError: A signal does not fit its domain.

    Example:
        ```python
        import torch
        from cyclekit import CycleGraph, Image, NetworkSpec
        from cyclekit.training import sample_picture

        graph = CycleGraph({"x": Image(), "y": Image()}, maps="x -G-> y*", losses="y* ~ y")
        model = graph.build(generators=NetworkSpec("unet_64", base_channels=4))
        picture = sample_picture(model, {"x": torch.zeros(2, 3, 64, 64)})
        assert picture.width > 2 * 64
        ```
    """
    from PIL import Image, ImageDraw

    device = next(model.parameters()).device
    given = {name: value[:rows].to(device) for name, value in samples.items() if name in model.graph.domains}
    with evaluating(model):
        signals = {**given, **model.generate(given)}
    columns = {
        name: pictures
        for name, value in signals.items()
        if (pictures := _pictures(value.detach().float().cpu(), model.graph.domains[name])) is not None
    }
    sides = [(picture.shape[1], picture.shape[2]) for picture in columns.values()]
    height, width = max((side[0] for side in sides), default=_LEAST), max((side[1] for side in sides), default=_LEAST)
    enlarged = max(1, -(-_LEAST // max(height, width)))
    height, width = height * enlarged, width * enlarged
    count = max((len(pictures) for pictures in columns.values()), default=0)
    sheet = Image.new("RGB", (max(1, len(columns)) * (width + _GAP) + _GAP, count * (height + _GAP) + _TITLE), "white")
    write = ImageDraw.Draw(sheet)
    for column, (name, pictures) in enumerate(columns.items()):
        left = _GAP + column * (width + _GAP)
        write.text((left, 2), name, fill="black")
        for row, pixels in enumerate(pictures):
            cell = Image.fromarray(pixels.numpy()).resize((width, height), Image.Resampling.NEAREST)
            sheet.paste(cell, (left, _TITLE + row * (height + _GAP)))
    return sheet


@contextmanager
def evaluating(model: CycleModel) -> Generator[None]:
    """Bring a model into evaluation mode; its mode and all random numbers are as before when the block ends."""
    was_training, numbers = model.training, random_state()
    model.eval()
    try:
        torch.manual_seed(0)  # noise is the same whenever the same samples are drawn
        with torch.no_grad():
            yield
    finally:
        model.train(was_training)
        set_random_state(numbers)


def _pictures(value: Tensor, domain: Domain) -> Tensor | None:
    """Return bytes (samples, height, width, 3), or nothing of what has no picture."""
    if isinstance(domain, Latent) or not (domain.spatial or isinstance(domain, Label)):
        return None
    if isinstance(domain, Label):
        if value.ndim == 1:
            value = torch.nn.functional.one_hot(value.long(), domain.channels).float()
        shown = value.clamp(0, 1)[:, None, :, None].expand(-1, 1, -1, 3)
        return shown.repeat(1, 8, 1, 1).mul(255).round().byte()
    if isinstance(domain, Classes):
        chosen = value.long() if value.ndim == 3 else value.argmax(1)
        return _palette(domain.channels)[chosen.clamp(0, domain.channels - 1)]
    value = value if isinstance(domain, Mask) else (value + 1) / 2
    if value.shape[1] != 3:
        value = value.amax(1, keepdim=True).expand(-1, 3, -1, -1)
    return value.clamp(0, 1).mul(255).round().byte().movedim(1, -1).contiguous()


def _palette(count: int) -> Tensor:
    colours = [colorsys.hsv_to_rgb(number / count, 0.75, 0.95) for number in range(count)]
    return (torch.tensor(colours) * 255).round().byte()
