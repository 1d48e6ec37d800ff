"""Draws the picture of docs/losses.md: what both players pay for a logit."""

from pathlib import Path

import torch
from matplotlib.figure import Figure

from cyclekit.losses import PointwiseLoss, create_adversarial_loss, list_adversarial_losses

IMAGES = Path(__file__).parents[1] / "images"
SIDES = {
    "discriminator, real logit": "on_real",
    "discriminator, generated logit": "on_fake",
    "generators, generated logit": "to_fool",
}


def paying() -> Figure:
    """Show every adversarial loss that judges logits one by one, for each side that pays."""
    logits = torch.linspace(-3, 3, 121)
    created = {name: create_adversarial_loss(name) for name in list_adversarial_losses()}
    losses = {name: loss for name, loss in created.items() if isinstance(loss, PointwiseLoss)}
    figure = Figure(figsize=(9, 2.9), facecolor="white", layout="constrained")
    panels = figure.subplots(1, len(SIDES), sharey=True)
    for axes, (title, side) in zip(panels, SIDES.items(), strict=True):
        for style, (name, loss) in zip(("-", "-", "-", "--", "--"), losses.items(), strict=True):
            axes.plot(logits, getattr(loss, side)(logits), style, label=name)  # dashes show the line below
        axes.set_title(title, fontsize=9)
        axes.set_ylim(-3, 4)
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("cost")
    panels[-1].legend(fontsize=8, loc="lower left")
    return figure


FIGURES = {"adversarial_losses.png": paying}

if __name__ == "__main__":
    for name, draw in FIGURES.items():
        draw().savefig(IMAGES / name, dpi=100, metadata={"Software": None})
