"""Networks that take their signals one by one, and penalties where there are vectors among what is judged."""

import pytest
import torch
from torch import nn

from cyclekit.graph import CycleGraph, Image, Label, Noise
from cyclekit.training import AdversarialStep, create_optimizers
from tests.model.tiny import TinyGenerator, TinyJudge, batch_of, built, networks

GRAPH = CycleGraph(
    {"x": Image(2), "y": Image(2), "z": Noise(3)},
    maps="[x, z] -G-> y* ; [y*, z] -G-> y**",
    adversaries="D: [x, y*, z] vs [x, y, z] + r1",
    losses="y** ~ y",
)


class Styled(nn.Module):
    """A generator that scales what it makes by a style."""

    separate_inputs = True
    joins_batches = True

    def __init__(self):
        super().__init__()
        self.layer, self.style = nn.Conv2d(2, 2, 3, padding=1), nn.Linear(3, 2)
        self.calls = []

    def forward(self, image, style):
        self.calls.append((tuple(image.shape), tuple(style.shape)))
        return torch.tanh(self.layer(image) * self.style(style)[:, :, None, None])


class Projecting(nn.Module):
    """A discriminator that projects on a style."""

    separate_inputs = True
    joins_batches = True

    def __init__(self):
        super().__init__()
        self.layer, self.style = nn.Conv2d(4, 3, 3, padding=1), nn.Linear(3, 3)

    def forward(self, condition, image, style):
        hidden = torch.nn.functional.softplus(self.layer(torch.cat([condition, image], dim=1))).mean((2, 3))
        return (hidden * self.style(style)).sum(1, keepdim=True)


def model_of(graph):
    torch.manual_seed(0)
    return graph.build(generators={"G": Styled()}, discriminators={"D": Projecting()}).to(torch.float64)


def test_signals_arrive_one_by_one():
    model, batch = model_of(GRAPH), batch_of(GRAPH)
    made = model.generate(batch)
    G = model.generators["G"]
    assert set(G.calls) == {((2, 2, 6, 6), (2, 3))}
    torch.testing.assert_close(made["y**"], G(G(batch["x"], batch["z"]), batch["z"]))


def test_independent_uses_join_signal_by_signal():
    graph = CycleGraph(
        {"x": Image(2), "y": Image(2), "z": Noise(3)}, maps="[x, z] -G-> y* ; [y, z] -G-> x*", losses="y* ~ y ; x* ~ x"
    )
    model = graph.build(generators={"G": Styled()}).to(torch.float64)
    G, batch = model.generators["G"], batch_of(graph)
    made = model.generate(batch)
    assert G.calls == [((4, 2, 6, 6), (4, 3))]
    torch.testing.assert_close(made["x*"], G(batch["y"], batch["z"]))


def test_a_penalty_differentiates_by_the_judged_signals():
    model, batch = model_of(GRAPH), batch_of(GRAPH)
    judged = model.discriminator_loss(batch)
    points = [batch[name].clone().requires_grad_() for name in ("x", "y", "z")]
    slopes = torch.autograd.grad(model.discriminators["D"](*points).sum(), points)
    expected = sum(slope.square().flatten(1).sum(1) for slope in slopes).mean()
    torch.testing.assert_close(judged.terms["r1(D(y*))"], expected)


@pytest.mark.parametrize("penalty", ["r1", "r2", "wgan_gp"])
def test_a_tiled_vector_is_differentiated_before_it_is_tiled_and_a_label_not_at_all(penalty):
    graph = CycleGraph(
        {"x": Image(2), "y": Image(2), "z": Noise(3), "c": Label(4)},
        maps="[x, z] -G-> y*",
        adversaries=f"D: [y*, z, c] vs [y, z, c] + {penalty}",
    )
    model, batch = built(graph), batch_of(graph)
    signals = {"y*": model.generate(batch)["y*"]}
    torch.manual_seed(5)
    judged = model.discriminator_loss(batch, signals)
    torch.manual_seed(5)
    real, fake = (torch.cat([picture.flatten(1), batch["z"], batch["c"]], 1) for picture in (batch["y"], signals["y*"]))
    if penalty == "wgan_gp":
        share = torch.rand(2, 1, dtype=torch.float64)
        flat = torch.lerp(real, fake, share)
    else:
        flat = real if penalty == "r1" else fake
    image, noise = flat[:, :72].reshape(2, 2, 6, 6).requires_grad_(), flat[:, 72:75].clone().requires_grad_()

    def tiled(vector):
        return vector[:, :, None, None].expand(-1, -1, 6, 6)

    logits = model.discriminators["D"](torch.cat([image, tiled(noise), tiled(flat[:, 75:])], dim=1))
    slopes = torch.autograd.grad(logits.sum(), [image, noise])
    norms = sum(slope.square().flatten(1).sum(1) for slope in slopes)
    expected = (norms.sqrt() - 1).square().mean() if penalty == "wgan_gp" else norms.mean()
    torch.testing.assert_close(judged.terms[f"{penalty}(D(y*))"], expected)


@pytest.mark.parametrize("separate", [True, False])
def test_a_history_pool_keeps_what_is_judged(separate):
    if separate:
        model = model_of(GRAPH)
    else:
        model = GRAPH.build(**networks(GRAPH)).to(torch.float64)
        assert isinstance(model.generators["G"], TinyGenerator)
        assert isinstance(model.discriminators["D"], TinyJudge)
    batch = batch_of(GRAPH)
    losses = model.generator_loss(batch)
    history = model.fakes(batch, losses.signals)
    same = model.discriminator_loss(batch, losses.signals, history)
    torch.testing.assert_close(same.terms, model.discriminator_loss(batch, losses.signals).terms)
    step = AdversarialStep(model, create_optimizers(model, lambda w: torch.optim.Adam(w, 1e-3)))
    for _ in range(2):
        step({"x": batch["x"], "y": batch["y"]})
