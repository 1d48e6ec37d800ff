"""What a trained C2GAN is scored by, pair by pair, each metric under its protocol's name."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from cyclekit import CycleModel, Heatmap
from cyclekit.keypoints import OPENPOSE_18, Keypoints, decode_heatmaps, limb_radius, pose_mask
from cyclekit.metrics import landmark_distance, mask_ssim, pckh, psnr, ssim
from data.sources import Pairs, batch_of_pairs, points_of_pairs
from measuring.reading import READ, dot_contrast, dots_read

NECK, NOSE = OPENPOSE_18.joints.index("neck"), OPENPOSE_18.joints.index("nose")
RESAMPLES = 1000
DOTS = "dots F1 of G_K in "


class Answers(NamedTuple):
    """A batch of pairs and what the model makes of them, images in [0, 1]."""

    indices: list[int]
    batch: dict[str, Tensor]
    x: Tensor
    y: Tensor
    made: Tensor
    masks: Tensor | None
    points: Keypoints | None


@dataclass(frozen=True)
class Scores:
    """Scores by metric, a number a pair; NaN where a metric says nothing of a pair.

    Args:
        indices: The pairs.
        values: By metric.
    """

    indices: list[int]
    values: dict[str, Tensor]

    def summary(self) -> dict[str, dict[str, float]]:
        """Return mean, spread, and the 95% bootstrap interval of the mean over resampled pairs."""
        return {name: interval(value) for name, value in self.values.items()}


def interval(values: Tensor, resamples: int = RESAMPLES) -> dict[str, float]:
    """Return a mean, its spread, and its 95% percentile interval over resampled pairs; nothing counts that is NaN."""
    known = values[values.isfinite()].double()
    if not len(known):
        return {"mean": float("nan"), "std": float("nan"), "low": float("nan"), "high": float("nan"), "pairs": 0}
    random = torch.Generator().manual_seed(0)
    chunks = [
        known[torch.randint(len(known), (min(100, resamples - done), len(known)), generator=random)].mean(1)
        for done in range(0, resamples, 100)
    ]
    low, high = torch.cat(chunks).quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    std = known.std(unbiased=False).item()
    return {"mean": known.mean().item(), "std": std, "low": low, "high": high, "pairs": len(known)}


def answers(model: CycleModel, pairs: Pairs, indices: Sequence[int], batch_size: int) -> Iterator[Answers]:
    """Yield pairs and what a model makes of them, in the mode that it is in."""
    device = next(model.parameters()).device
    for start in range(0, len(indices), batch_size):
        chosen = list(indices[start : start + batch_size])
        batch = {name: value.to(device) for name, value in batch_of_pairs(pairs, chosen).items()}
        given = {name: value for name, value in batch.items() if name in model.graph.inputs}
        made = model.generate(given, ["y*"])["y*"]
        points = points_of_pairs(pairs, chosen)
        masks = None
        if points is not None and points.points.shape[1] == len(OPENPOSE_18):
            height, width = batch["y"].shape[-2:]
            masks = pose_mask(points.points, (height, width), "posegan", limb_radius(height), points.visible)
        yield Answers(chosen, batch, image(batch["x"]), image(batch["y"]), image(made), masks, points)


def image(value: Tensor) -> Tensor:
    """Return an image in [0, 1] on the CPU from one in [-1, 1]."""
    return ((value.float().cpu() + 1) / 2).clamp(0, 1)


def score_images(made: Tensor, y: Tensor, masks: Tensor | None) -> dict[str, Tensor]:
    """Return the scores of images against the real ones, in [0, 1]."""
    scores = {"PSNR": psnr(made, y), "SSIM": ssim(made, y), "SSIM gaussian": ssim(made, y, "gaussian")}
    if masks is not None:
        scores["SSIM posegan"] = ssim(made, y, "posegan")
        scores["mask-SSIM posegan"] = mask_ssim(made, y, masks)
    return scores


def reader_of(model: CycleModel) -> nn.Module | None:
    """Return the network that reads keypoints: G_K, or what a variant calls it; None where there is none.

    Where two share no weights it is the one that learned on y*; where none reads y*, the one that reads x*; and where
    none reads either, the one that learned on real images alone.
    """
    names = [call.network for read in ("Ly*", "Lx*") for call in model.graph.calls if read in call.outputs]
    names += [name for name in model.graph.generators if name == "G_K"]
    return model.generators[names[0]] if names else None


def score_reader(reader: nn.Module, model: CycleModel, answer: Answers) -> dict[str, Tensor]:
    """Return how well G_K reads keypoints from real and generated images.

    Heatmaps: the mean distance in pixels, and PCKh with half the distance from neck to nose. Landmark pictures: F1
    of their dots.
    """
    device = next(model.parameters()).device
    Ly = image(answer.batch["Ly"])
    if not isinstance(model.graph.domains["Ly"], Heatmap):
        made, y = (2 * value.to(device) - 1 for value in (answer.made, answer.y))
        scores = dots_read(reader, made, y, answer.batch["Ly"]).cpu()
        return {f"{DOTS}{what}": scores[:, place] for place, what in enumerate(READ)}
    found = {"y": _read(reader, answer.y, device), "y*": _read(reader, answer.made, device)}
    points, visible = decode_heatmaps(Ly) if answer.points is None else answer.points
    head = torch.linalg.vector_norm(points[:, NECK] - points[:, NOSE], dim=-1)
    head = head.where(visible[:, NECK] & visible[:, NOSE], torch.nan)
    read = {name: decode_heatmaps(maps).points for name, maps in found.items()}
    scores = {f"G_K({name}) distance px": landmark_distance(at, points, visible) for name, at in read.items()}
    return scores | {f"G_K({name}) PCKh": pckh(at, points, head, visible) for name, at in read.items()}


@torch.inference_mode()
def score(
    model: CycleModel,
    pairs: Pairs,
    indices: Sequence[int],
    *,
    batch_size: int = 32,
    embed: Callable[[Tensor], Tensor] | None = None,
) -> Scores:
    """Score a model on some pairs, in the mode that it is in.

    Args:
        model: The model.
        pairs: Where the pairs are from.
        indices: Which ones.
        batch_size: How many at once.
        embed: Images in [-1, 1] to what tells identities apart, a row each; the identity kept is the cosine of the
            generated image's and the source's.
    """
    reader = reader_of(model)
    parts: list[dict[str, Tensor]] = []
    for answer in answers(model, pairs, indices, batch_size):
        scores = score_images(answer.made, answer.y, answer.masks)
        if reader is not None and len(answer.indices) > 0:
            scores |= score_reader(reader, model, answer)
        if not isinstance(model.graph.domains["Ly"], Heatmap):
            for name, value in (("y*", answer.made), ("y", answer.y)):
                scores[f"contrast of the dots in {name}"] = dot_contrast(2 * value - 1, answer.batch["Ly"].cpu())
        if embed is not None:
            rows = [
                nn.functional.normalize(embed(2 * value - 1).flatten(1).double(), dim=1)
                for value in (answer.made, answer.x)
            ]
            scores["identity kept (cosine)"] = (rows[0] * rows[1]).sum(1)
        parts.append(scores)
    return Scores(list(indices), {name: torch.cat([part[name].double() for part in parts]) for name in parts[0]})


def _read(reader: nn.Module, images: Tensor, device: torch.device) -> Tensor:
    return image(reader((2 * images - 1).to(device)))
