"""The frozen pose estimator that stands in for G_K while G_K is young."""

import importlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cyclekit.data import Drawing
from errors import UsageError


class PoseEstimator(nn.Module):
    """A pose estimator as G_K is used: images in [-1, 1] to heatmaps in [-1, 1].

    Args:
        estimate: Images (batch, 3, height, width) in [-1, 1] to heatmaps (batch, joints, height, width) in [-1, 1],
            or to points (batch, joints, 2) in pixels, or (batch, joints, 3) with a confidence that is above 0.5 where
            the joint is there. Gradients must pass through it to the image.
        drawing: How points become heatmaps.
    """

    def __init__(self, estimate: nn.Module, drawing: Drawing) -> None:
        super().__init__()
        self.estimate = estimate.requires_grad_(False)
        self.drawing = drawing

    def train(self, mode: bool = True) -> "PoseEstimator":
        """Stay as it is: it never learns, and a program of torch.export has no other mode."""
        return self

    def forward(self, images: Tensor) -> Tensor:
        """Return heatmaps in [-1, 1]."""
        found = self.estimate(images)
        if found.ndim == 4:
            return found
        visible = found[..., 2] > 0.5 if found.shape[-1] == 3 else found.new_ones(found.shape[:2], dtype=torch.bool)
        size = images.shape[-2], images.shape[-1]
        return 2 * self.drawing.draw(found[..., :2].contiguous(), visible, size) - 1


def open_estimator(name: str, drawing: Drawing, images: Tensor) -> PoseEstimator:
    """Open a pose estimator, and see that it can teach.

    Args:
        name: A file that torch.export wrote, such as estimator.py's, or ``module:name`` of something that returns a
            module when it is called.
        drawing: How points become heatmaps.
        images: Some real images, (batch, 3, height, width) in [-1, 1].

    Raises:
        UsageError: It cannot be opened, gives something else than heatmaps in [-1, 1] or points of the skeleton's
            joints, or no gradient passes through it.
    """
    estimator = PoseEstimator(_module(name), drawing)
    count, _, *size = images.shape
    joints = len(drawing.skeleton)
    try:
        found = estimator.estimate(images.detach().clone().requires_grad_())
    except Exception as error:  # a module of somebody else's goes wrong in any way
        raise UsageError(f"--estimator {name} cannot read images of {size[0]}x{size[1]}: {error}") from error
    shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
    wanted = (count, joints, *size), (count, joints, 2), (count, joints, 3)
    if shape not in wanted:
        raise UsageError(
            f"--estimator {name}: of {count} images it gives {shape}; expected heatmaps {wanted[0]} in [-1, 1], or "
            f"points {wanted[1]} or {wanted[2]} in pixels"
        )
    if found.ndim == 4 and found.min() >= 0:
        raise UsageError(
            f"--estimator {name} gives heatmaps from {found.min():.2g} to {found.max():.2g}; expected -1 where no "
            "joint is and 1 where one is: of maps from 0 to 1, take 2 * maps - 1"
        )
    if not found.requires_grad:
        raise UsageError(
            f"--estimator {name}: no gradient passes from what it finds to the image, so that the image generator "
            "would learn nothing from it; take heatmaps or their soft argmax, not their argmax"
        )
    return estimator


def _module(name: str) -> nn.Module:
    module, _, attribute = name.partition(":")
    try:
        if Path(name).is_file():
            return torch.export.load(name).module()
        if not attribute:
            raise FileNotFoundError("no such file")
        made: Any = getattr(importlib.import_module(module), attribute)()
    except Exception as error:  # a file of something else, and a module of somebody else's, go wrong in any way
        raise UsageError(f"--estimator {name} cannot be opened: {type(error).__name__}: {error}") from error
    if not isinstance(made, nn.Module):
        raise UsageError(f"--estimator {name}: expected a torch.nn.Module, got {type(made).__name__}")
    return made.eval()
