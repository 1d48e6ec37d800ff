"""The gradient of each term into a network."""

import pytest
import torch

from cyclekit import CycleGraph, Image, NetworkSpec
from measuring.gradients import gradient_norms


@pytest.mark.parametrize("weight", [1, 4])
def test_a_terms_gradient_is_that_of_its_weighted_loss(weight: float) -> None:
    torch.manual_seed(0)
    graph = CycleGraph(
        {"x": Image(3), "y": Image(3)},
        maps="x -G-> y*",
        losses="y* ~ y ; back: y* -F-> _ ~ x ; alone: y -F-> _ ~ x",
        weights={"y* ~ y": weight},
    )
    model = graph.build(generators=NetworkSpec("unet_64", base_channels=2, dropout=0.0, norm="none"))
    batch = {name: torch.rand(2, 3, 64, 64) * 2 - 1 for name in ("x", "y")}
    norms = gradient_norms(model, batch, "G")
    assert norms["alone"] == 0
    assert norms["back"] > 0
    assert all(parameter.grad is None for parameter in model.parameters())
    (weight * torch.nn.functional.l1_loss(model.generators["G"](batch["x"]), batch["y"])).backward()
    squared = sum(parameter.grad.square().sum().item() for parameter in model.generators["G"].parameters())
    assert norms["y* ~ y"] == pytest.approx(squared**0.5, rel=1e-4)
