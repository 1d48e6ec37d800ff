"""C2GAN's training written out by hand, in plain torch."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from cyclekit import CycleModel, HistoryPool

Signals = dict[str, Tensor]


def joined(*signals: Tensor) -> Tensor:
    return torch.cat(signals, dim=1)


def l1(left: Tensor, right: Tensor) -> Tensor:
    return (left - right).abs().mean()


class Hands(NamedTuple):
    """C2GAN's four networks and what Eq. 1 to 13 make of them, with the released code's least squares."""

    G_I: nn.Module
    G_K: nn.Module
    D_I: nn.Module
    D_K: nn.Module

    @classmethod
    def of(cls, model: CycleModel) -> "Hands":
        return cls(*model.generators.values(), *model.discriminators.values())

    def generated(self, batch: Signals) -> Signals:
        y = self.G_I(joined(batch["x"], batch["Ly"]))
        x = self.G_I(joined(y, batch["Lx"]))
        return {"y*": y, "x*": x, "Ly*": self.G_K(y), "Lx*": self.G_K(x)}

    def fakes(self, batch: Signals, made: Signals) -> dict[str, list[Tensor]]:
        return {
            "D_I": [joined(batch["x"], batch["Ly"], made["y*"]), joined(batch["y"], batch["Lx"], made["x*"])],
            "D_K": [joined(made["y*"], made["Ly*"]), joined(made["x*"], made["Lx*"])],
        }

    def reals(self, batch: Signals, made: Signals) -> dict[str, list[Tensor]]:
        return {
            "D_I": [joined(batch["x"], batch["Ly"], batch["y"]), joined(batch["y"], batch["Lx"], batch["x"])],
            "D_K": [joined(made["y*"], batch["Ly"]), joined(made["x*"], batch["Lx"])],
        }

    def terms(self, batch: Signals) -> tuple[dict[str, Tensor], Signals]:
        """Return the generators' weighted terms and the generated signals."""
        made = self.generated(batch)
        fakes = self.fakes(batch, made)
        terms = {
            "I2I2I": 10 * l1(made["x*"], batch["x"]),
            "K2G2K": 10 * l1(made["Ly*"], batch["Ly"]),
            "K2R2K": 10 * l1(made["Lx*"], batch["Lx"]),
            "y* ~ y": 10 * l1(made["y*"], batch["y"]),
        }
        for judge in ("D_I", "D_K"):
            for name, fake in zip(("y*", "x*"), fakes[judge], strict=True):
                terms[f"{judge} on {name}"] = ((getattr(self, judge)(fake) - 1) ** 2).mean()
        return terms, made

    def judged(self, judge: str, batch: Signals, made: Signals, pool: HistoryPool) -> Tensor:
        """Return a discriminator's loss, halved, with one pool for both directions."""
        made = {name: signal.detach() for name, signal in made.items()}
        network = getattr(self, judge)
        fakes = [pool(fake) for fake in self.fakes(batch, made)[judge]]
        on_real = sum(((network(real) - 1) ** 2).mean() for real in self.reals(batch, made)[judge])
        return 0.5 * (on_real + sum((network(fake) ** 2).mean() for fake in fakes))


def adam(*networks: nn.Module) -> torch.optim.Adam:
    """The paper's optimiser, at a rate that shows within a few steps."""
    return torch.optim.Adam([w for network in networks for w in network.parameters()], 0.02, betas=(0.5, 0.999))


def stepped(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
