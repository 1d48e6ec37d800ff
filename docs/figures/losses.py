"""Draws the picture of docs/losses.md: what both players pay for a logit."""

from pathlib import Path

import torch
from matplotlib.figure import Figure

from cyclekit.losses import create_adversarial_loss

IMAGES = Path(__file__).parents[1] / "images"
SIDES = {
    "discriminator, real logit": "on_real",
    "discriminator, generated logit": "on_fake",
    "generators, generated logit": "to_fool",
}


# dashes show the line below
STYLES = {"lsgan": "-", "log": "-", "hinge": "-", "nonsaturating": "--", "wgan": "--"}


def paying() -> Figure:
    """Show every adversarial loss that judges logits one by one, for each side that pays."""
    logits = torch.linspace(-3, 3, 121)
    figure = Figure(figsize=(9, 2.9), facecolor="white", layout="constrained")
    panels = figure.subplots(1, len(SIDES), sharey=True)
    for axes, (title, side) in zip(panels, SIDES.items(), strict=True):
        for name, style in STYLES.items():
            axes.plot(logits, getattr(create_adversarial_loss(name), side)(logits), style, label=name)
        axes.set_title(title, fontsize=9)
        axes.set_ylim(-3, 4)
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("cost")
    panels[-1].legend(fontsize=8, loc="upper right")
    return figure


FIGURES = {"adversarial_losses.png": paying}

if __name__ == "__main__":
    for name, draw in FIGURES.items():
        draw().savefig(IMAGES / name, dpi=100, metadata={"Software": None})
