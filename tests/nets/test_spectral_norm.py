"""Networks with spectral norm in a model: trained, saved, averaged."""

import copy

import pytest
import torch
from torch import nn

from cyclekit import CycleGraph, CycleModel, Image, NetworkSpec
from cyclekit.nets import create_discriminator, create_generator
from cyclekit.training import AdversarialStep, create_optimizers, moving_average

GRAPH = CycleGraph(
    {"A": Image(3), "B": Image(3)},
    cycles="there: A -G-> B* -F-> A** ~ A ; back: B -F-> A* -G-> B** ~ B",
    adversaries="D: B* vs B",
)


def built():
    torch.manual_seed(0)
    return GRAPH.build(
        generators={
            "G": NetworkSpec("unet_64", base_channels=2, spectral_norm=True, norm="instance", dropout=0.0),
            "F": NetworkSpec("stargan", base_channels=2, spectral_norm=True, blocks=1),
        },
        discriminators=NetworkSpec("patchgan_16", base_channels=2, spectral_norm=True),
        size=(64, 64),
    )


def largest(module):
    """Return the largest singular value of a layer's weight as a matrix of outputs by inputs."""
    weight = module.weight.transpose(0, 1) if isinstance(module, nn.ConvTranspose2d) else module.weight
    return torch.linalg.matrix_norm(weight.flatten(1), ord=2).item()


@pytest.mark.parametrize(
    ("create", "shape"),
    [
        (
            lambda: create_discriminator("patchgan_16", 3, base_channels=4, spectral_norm=True, init="kaiming"),
            (3, 16, 16),
        ),
        (lambda: create_generator("stargan", 3, 3, base_channels=4, spectral_norm=True, blocks=1), (3, 16, 16)),
        (lambda: create_generator("residual_mlp", 3, 3, hidden=8, spectral_norm=True), (3,)),
    ],
)
def test_every_layer_is_bounded(create, shape):
    torch.manual_seed(0)
    network = create()
    for _ in range(60):
        network(torch.randn(2, *shape))
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear)]
    assert layers
    assert all(largest(layer) == pytest.approx(1.0, rel=1e-2) for layer in layers)


def test_a_model_trains_is_saved_and_is_averaged(tmp_path):
    model = built()
    before = copy.deepcopy(model)
    average = moving_average(model, 0.5)
    step = AdversarialStep(model, create_optimizers(model, lambda weights: torch.optim.Adam(weights, 0.01)))
    batch = {name: torch.rand(2, 3, 64, 64) * 2 - 1 for name in "AB"}
    for _ in range(2):
        step(batch)
        average.update(model)
    moved = [not old.equal(new) for old, new in zip(before.parameters(), model.parameters(), strict=True)]
    assert sum(moved) > 0.9 * len(moved)

    model.eval().save_pretrained(tmp_path)
    again = CycleModel.from_pretrained(tmp_path).eval()
    for other in (again, copy.deepcopy(model)):
        torch.testing.assert_close(other.generate(batch), model.generate(batch))
    assert all(image.isfinite().all() for image in average.module.generate(batch).values())
