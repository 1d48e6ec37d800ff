"""Generators end as the domains of their outputs ask."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from cyclekit import CycleGraph, CycleModel, Domain, Heatmap, Image, NetworkSpec
from cyclekit.graph import Label, Landmarks, Latent, Mask, Vector


@dataclass(frozen=True)
class MetricDepth(Domain):
    channels: int = 1
    bounds: ClassVar[tuple[float, float] | None] = (0.0, 10.0)


@dataclass(frozen=True)
class OpticalFlow(Domain):
    channels: int = 2
    bounds: ClassVar[tuple[float, float] | None] = None


RANGES = [
    *[(Image(3), -1, 1), (Heatmap(4), -1, 1), (Landmarks(3), -1, 1), (MetricDepth(), -1, 1), (Mask(2), 0, 1)],
    *[(Latent(8), None, None), (OpticalFlow(), None, None)],
]
UNET = NetworkSpec("unet_64", base_channels=2, norm="none", init="default", dropout=0.0)
MLP = NetworkSpec("residual_mlp", hidden=8, init="default")


def check_range(made, low, high):
    if low is None:
        assert made.min() < -1
        assert made.max() > 1
    else:
        assert low <= made.min() < low + 0.1
        assert high - 0.1 < made.max() <= high


def loud(model):
    """Scale every generator's last convolution, so that its final activation shows."""
    for network in model.generators.values():
        layer = [module for module in network.modules() if hasattr(module, "weight")][-1]
        with torch.no_grad():
            layer.weight.mul_(1e4)
    return model


@pytest.mark.parametrize(("domain", "low", "high"), RANGES, ids=lambda value: str(value))
def test_a_map(domain, low, high):
    torch.manual_seed(0)
    graph = CycleGraph({"x": Image(3), "y": domain}, maps="x -G-> y*", losses="y* ~ y")
    made = loud(graph.build(generators=UNET)).generate({"x": torch.randn(2, 3, 64, 64).clamp(-1, 1)})
    check_range(made["y*"], low, high)


@pytest.mark.parametrize("domain", [Label(4), Vector(4)], ids=str)
def test_a_vector(domain):
    torch.manual_seed(0)
    graph = CycleGraph({"v": Vector(3), "w": domain}, maps="v -G-> w*", losses="w* ~ w")
    made = loud(graph.build(generators=MLP)).generate({"v": torch.randn(9, 3).clamp(-1, 1)})
    check_range(made["w*"], None, None)


def test_of_several_outputs_each_has_its_own(tmp_path):
    torch.manual_seed(0)
    signals = {"x": Image(3), "y": Image(3), "m": Mask(), "z": Latent(2)}
    graph = CycleGraph(signals, maps="x -G-> [y*, m*, z*]", losses="y* ~ y ; m* ~ m ; z* ~ z")
    model = loud(graph.build(generators=UNET)).eval()
    batch = {"x": torch.randn(2, 3, 64, 64).clamp(-1, 1)}
    made = model.generate(batch)
    for name, low, high in (("y*", -1, 1), ("m*", 0, 1), ("z*", None, None)):
        check_range(made[name], low, high)
    model.save_pretrained(tmp_path)
    torch.testing.assert_close(CycleModel.from_pretrained(tmp_path).eval().generate(batch), made)


def test_an_option_that_is_said_wins():
    torch.manual_seed(0)
    graph = CycleGraph({"x": Image(3), "y": Image(3)}, maps="x -G-> y*", losses="y* ~ y")
    spec = NetworkSpec(UNET.name, **UNET.options, final="none")
    check_range(
        loud(graph.build(generators=spec)).generate({"x": torch.randn(2, 3, 64, 64).clamp(-1, 1)})["y*"], None, None
    )
