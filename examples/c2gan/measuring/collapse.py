"""Whether G_K reads at all: blank maps, or the same ones for every image, teach the image generator nothing."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from cyclekit import CycleModel, Heatmap
from cyclekit.keypoints import decode_heatmaps
from cyclekit.metrics import dot_f1, landmark_distance
from data.sources import Pairs, batch_of_pairs, points_of_pairs, spread
from measuring.reading import polarity_of
from measuring.scoring import reader_of

BLANK = 0.1
"""Of the true keypoints' ink; what has less is blank."""


class Look(NamedTuple):
    """What a reader of keypoints finds in real images, on average.

    Attributes:
        ink: The foreground of what it draws, in units of the true keypoints'; 0 is blank.
        own: How it agrees with the image's own keypoints: the distance in pixels of heatmaps, F1 of landmarks' dots.
        another: How it agrees with another image's: as with its own where it says the same of everybody.
    """

    ink: float
    own: float
    another: float


def look_at(model: CycleModel, pairs: Pairs, limit: int = 64) -> Look | None:
    """Look at a model's G_K, in the mode that it is in; nothing is said where there is none, or a single pair."""
    reader = reader_of(model)
    heatmaps = isinstance(model.graph.domains["Ly"], Heatmap)
    return None if reader is None or len(pairs) < 2 else look_at_reader(reader, pairs, heatmaps, limit)


@torch.inference_mode()
def look_at_reader(reader: nn.Module, pairs: Pairs, heatmaps: bool, limit: int = 64) -> Look:
    """Look at what a network finds in the real images of some pairs, which are spread over all identities.

    Args:
        reader: Images to heatmaps or landmark pictures.
        pairs: Where the images are from.
        heatmaps: Which of both.
        limit: How many at most.
    """
    device = next(iter(reader.parameters()), torch.empty(0)).device
    indices = spread(len(pairs), limit)
    parts: list[tuple[Tensor, Tensor]] = []
    for start in range(0, len(indices), 16):
        batch = batch_of_pairs(pairs, indices[start : start + 16])
        parts.append((reader(batch["y"].to(device)).float().cpu(), batch["Ly"]))
    found, true = ((torch.cat(values).clamp(-1, 1) + 1) / 2 for values in zip(*parts, strict=True))
    drawn = "white_on_black" if heatmaps else polarity_of(2 * true - 1)
    foreground = (found, true) if drawn == "white_on_black" else (1 - found, 1 - true)
    ink = (foreground[0].mean() / foreground[1].mean().clamp_min(1e-9)).item()
    if not heatmaps:
        scores = (dot_f1(found, truth, polarity=drawn).nanmean().item() for truth in (true, _another(true)))
        return Look(ink, *scores)
    known = points_of_pairs(pairs, indices) or decode_heatmaps(true)
    at = decode_heatmaps(found).points
    own, another = (
        landmark_distance(at, turned(known.points), turned(known.visible)).nanmean().item()
        for turned in (_same, _another)
    )
    return Look(ink, own, another)


def reads(look: Look, heatmaps: bool) -> bool:
    """Whether it reads."""
    apart = look.own < 0.9 * look.another if heatmaps else look.own > max(0.05, 1.1 * look.another)
    return apart and not look.ink < BLANK


def verdict(look: Look, heatmaps: bool, name: str = "G_K") -> str:
    """Return in a line whether it reads."""
    if heatmaps:
        figures = (
            f"in real images {look.own:.1f} px from their own keypoints, {look.another:.1f} px from another image's"
        )
    else:
        figures = f"F1 of the dots in real images {look.own:.2f}, {look.another:.2f} against another image's"
    if reads(look, heatmaps):
        return f"{name} reads: {figures}"
    if look.ink < BLANK:
        return f"{name} does not read: what it draws is blank, {look.ink:.0%} of the keypoints' ink; {figures}"
    return f"{name} does not read: it says nearly the same of every image; {figures}"


def _same(value: Tensor) -> Tensor:
    return value


def _another(value: Tensor) -> Tensor:
    """Return what belongs to another image, of another identity where there are several."""
    return value.roll(max(1, len(value) // 2), dims=0)
