"""Networks of a few weights for any graph, and batches for them."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from cyclekit import CycleModel
from cyclekit.graph import CycleGraph, Domain, Heatmap, Label, Latent, Mask
from tests.graph import family

SIZE = 6


def _with_fewer_channels(graph: CycleGraph) -> CycleGraph:
    few = {Heatmap: Heatmap(4), Latent: Latent(2)}
    signals = {name: graph.domains[name] for name in graph.to_dict()["signals"]}
    return graph.replace(signals={name: few.get(type(domain), domain) for name, domain in signals.items()})


FAMILY = {name: _with_fewer_channels(graph) for name, graph in family.FAMILY.items()}
C2GAN, COMBOGAN, PIX2PIX, POSEGAN, STARGAN = (
    FAMILY[name] for name in ("c2gan", "combogan", "pix2pix", "posegan", "stargan")
)


class TinyGenerator(nn.Module):
    """One convolution; pooled where its outputs are vectors."""

    joins_batches = True

    def __init__(self, inputs: int, outputs: tuple[Domain, ...], norm: str = "none") -> None:
        super().__init__()
        channels = sum(domain.channels for domain in outputs)
        self.layers = nn.Sequential(nn.Conv2d(inputs, channels, 3, padding=1), *_norm(norm, channels), nn.Tanh())
        self.spatial = outputs[0].spatial

    def forward(self, joined: Tensor) -> Tensor:
        made = self.layers(joined if joined.ndim == 4 else joined[:, :, None, None].expand(-1, -1, 2, 2))
        return made if self.spatial else made.mean((2, 3))


class TinyJudge(nn.Module):
    """A map of logits, and heads that see all of it."""

    joins_batches = True

    def __init__(self, inputs: int, heads: Mapping[str, int] | None = None, norm: str = "none") -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Conv2d(inputs, 3, 3, stride=2, padding=1), *_norm(norm, 3), nn.Softplus())
        self.source = nn.Conv2d(3, 1, 1)
        self.heads = nn.ModuleDict({name: nn.Linear(3, size) for name, size in (heads or {}).items()})

    def judge_with_features(self, joined: Tensor) -> tuple[Tensor | dict[str, Tensor], list[Tensor]]:
        hidden = self.trunk(joined if joined.ndim == 4 else joined[:, :, None, None].expand(-1, -1, 4, 4))
        source = self.source(hidden)
        if not self.heads:
            return source, [hidden]
        return {"source": source, **{name: head(hidden.mean((2, 3))) for name, head in self.heads.items()}}, [hidden]

    def forward(self, joined: Tensor) -> Tensor | dict[str, Tensor]:
        return self.judge_with_features(joined)[0]


def _norm(norm: str, channels: int) -> list[nn.Module]:
    return {
        "none": [],
        "instance": [nn.InstanceNorm2d(channels)],
        "batch": [nn.BatchNorm2d(channels)],
    }[norm]


def networks(graph: CycleGraph, norm: str = "none") -> dict[str, dict[str, nn.Module]]:
    """Return the options ``generators`` and ``discriminators`` of `CycleGraph.build`."""
    torch.manual_seed(0)
    known = graph.networks
    return {
        "generators": {
            name: TinyGenerator(known[name].in_channels, known[name].outputs, norm) for name in graph.generators
        },
        "discriminators": {
            name: TinyJudge(known[name].in_channels, dict(known[name].heads), norm) for name in graph.discriminators
        },
    }


def warp(features: Tensor, *poses: Tensor) -> Tensor:
    """Stand for any function of the user's: keeps the shape of its first input."""
    return features * torch.cat(poses, dim=1).mean(1, keepdim=True)


def built(
    graph: CycleGraph, norm: str = "none", functions: Mapping[str, Callable[..., Tensor]] | None = None
) -> CycleModel:
    """Return a graph's model with tiny networks, in float64."""
    if functions is None:
        functions = {name: warp for name in graph.all_functions if name != "add"}
    return graph.build(**networks(graph, norm), functions=functions).to(torch.float64)


def batch_of(
    graph: CycleGraph, samples: int = 2, dtype: torch.dtype = torch.float64, size: int = SIZE
) -> dict[str, Tensor]:
    """Return a batch that carries every input of a graph."""
    numbers = torch.Generator().manual_seed(1)
    batch: dict[str, Tensor] = {}
    for name in graph.inputs:
        domain = graph.domains[name]
        shape = (samples, domain.channels, size, size) if domain.spatial else (samples, domain.channels)
        value = torch.rand(shape, generator=numbers, dtype=torch.float64)
        if isinstance(domain, Label):
            value = torch.eye(domain.channels, dtype=torch.float64)[value.argmax(1)]
        elif isinstance(domain, Mask):
            value = value.round()
        else:
            value = value * 2 - 1
        batch[name] = value.to(dtype)
    return batch
