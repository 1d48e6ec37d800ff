"""A C2GAN step through CycleModel against the same losses written by hand.

Both do the same work in the same order, generators first, then discriminators, discriminators frozen while the
generators learn. Variants take turns in one process; medians are printed.

What CycleModel itself costs is measured with networks that do next to nothing (one multiplication with a weight of
one element): there the difference between the two variants is CycleModel's own, whatever the real networks take. Its
share is that difference over the median of a real step. Run with

    python benchmarks/step.py [--size 64] [--batch 4] [--channels 16] [--network unet_64] [--repeats 15]
"""

import argparse
import platform
import time
from collections.abc import Callable
from statistics import median, quantiles

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss, mse_loss

from cyclekit import CycleModel, Image, NetworkSpec, papers

C2GAN = papers.c2gan(keypoints=Image(3)).graph


class Nothing(nn.Module):
    """A network in name: its time is that of two small kernels."""

    joins_batches = False  # as networks with batch normalisation, and as the losses by hand

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, joined: Tensor) -> Tensor:
        return joined[:, : self.channels] * self.weight


def step_of(model: CycleModel, batch: dict[str, Tensor]) -> None:
    """One step through the model, without optimisers and pools."""
    paid = model.generator_loss(batch)
    paid.total.backward()
    model.discriminator_loss(batch, paid.signals).total.backward()


def step_by_hand(model: CycleModel, batch: dict[str, Tensor]) -> None:
    """The same step as one would write it without the library."""
    G_I, G_K = model.generators["G_I"], model.generators["G_K"]
    D_I, D_K = model.discriminators["D_I"], model.discriminators["D_K"]
    x, y, Lx, Ly = batch["x"], batch["y"], batch["Lx"], batch["Ly"]
    model.discriminators.requires_grad_(False)
    fake_y = G_I(torch.cat([x, Ly], 1))
    fake_x = G_I(torch.cat([fake_y, Lx], 1))
    fake_Ly, fake_Lx = G_K(fake_y), G_K(fake_x)
    fakes = [
        (D_I, torch.cat([x, Ly, fake_y], 1), torch.cat([x, Ly, y], 1)),
        (D_I, torch.cat([y, Lx, fake_x], 1), torch.cat([y, Lx, x], 1)),
        (D_K, torch.cat([fake_y, fake_Ly], 1), torch.cat([fake_y, Ly], 1)),
        (D_K, torch.cat([fake_x, fake_Lx], 1), torch.cat([fake_x, Lx], 1)),
    ]
    cycles = l1_loss(fake_x, x) + l1_loss(fake_Ly, Ly) + l1_loss(fake_Lx, Lx) + l1_loss(fake_y, y)
    total = 10 * cycles
    for judge, fake, _ in fakes:
        logits = judge(fake)
        total = total + mse_loss(logits, torch.ones_like(logits))
    total.backward()
    model.discriminators.requires_grad_(True)
    judged = torch.zeros((), device=x.device)
    for judge, fake, real in fakes:
        on_fake, on_real = judge(fake.detach()), judge(real.detach())
        judged = judged + mse_loss(on_real, torch.ones_like(on_real))
        judged = judged + mse_loss(on_fake, torch.zeros_like(on_fake))
    (0.5 * judged).backward()


def timed(variants: dict[str, Callable[[], None]], repeats: int, device: str) -> dict[str, list[float]]:
    """Return seconds by variant; the first three turns are a warm-up."""
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for turn in range(repeats + 3):
        for name, run in variants.items():
            _wait(device)
            start = time.perf_counter()
            run()
            _wait(device)
            if turn >= 3:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def same_gradients(model: CycleModel, batch: dict[str, Tensor]) -> float:
    """Return the largest relative difference of the two variants' gradients."""
    found: list[list[Tensor]] = []
    for step in (step_of, step_by_hand):
        model.zero_grad(set_to_none=True)
        torch.manual_seed(0)
        step(model, batch)
        found.append([weight.grad for weight in model.parameters() if weight.grad is not None])
    return max(float((a - b).norm() / b.norm().clamp(min=1e-12)) for a, b in zip(*found, strict=True))


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--size", type=int, default=64)
    options.add_argument("--batch", type=int, default=4)
    options.add_argument("--channels", type=int, default=16)
    options.add_argument("--network", default="unet_64")
    options.add_argument("--repeats", type=int, default=15)
    chosen = options.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(0)
    # Without dropout, so that both variants can be compared gradient by gradient.
    model = C2GAN.build(
        generators=NetworkSpec(chosen.network, base_channels=chosen.channels, dropout=0.0),
        discriminators=NetworkSpec("patchgan_70", base_channels=chosen.channels),
        size=(chosen.size, chosen.size),
    ).to(device)
    nothing = C2GAN.build(
        generators={"G_I": Nothing(3), "G_K": Nothing(3)},
        discriminators={"D_I": Nothing(1), "D_K": Nothing(1)},
    ).to(device)
    shape = (chosen.batch, 3, chosen.size, chosen.size)
    batch = {name: torch.rand(shape, device=device) * 2 - 1 for name in C2GAN.inputs}
    tiny = {name: torch.rand(1, 3, 2, 2, device=device) * 2 - 1 for name in C2GAN.inputs}

    print(
        f"torch {torch.__version__}, {device}, {platform.machine()}, {torch.get_num_threads()} threads; "
        f"{chosen.network} x{chosen.channels}, {chosen.size}x{chosen.size}, batch {chosen.batch}, "
        f"{chosen.repeats} repeats"
    )
    print(f"largest relative difference of gradients: {same_gradients(model, batch):.1e}")
    real = timed(
        {"CycleModel": lambda: step_of(model, batch), "by hand": lambda: step_by_hand(model, batch)},
        chosen.repeats,
        device,
    )
    empty = timed(
        {"CycleModel": lambda: step_of(nothing, tiny), "by hand": lambda: step_by_hand(nothing, tiny)},
        20 * chosen.repeats,
        device,
    )
    for title, seconds in (("step", real), ("step of near-free networks", empty)):
        for name, times in seconds.items():
            low, _, high = quantiles(times, n=4)
            print(f"{title}, {name}: {median(times) * 1e3:.3f} ms (quartiles {low * 1e3:.3f}, {high * 1e3:.3f})")
    floor = min(map(min, real.values()))
    own = median(empty["CycleModel"]) - median(empty["by hand"])
    print(f"ratio: {median(real['CycleModel']) / median(real['by hand']):.3f} (floor {floor * 1e3:.1f} ms)")
    print(f"CycleModel's own: {own * 1e6:.0f} us, {own / median(real['CycleModel']):.2%} of a step")


if __name__ == "__main__":
    main()
