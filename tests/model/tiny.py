"""Networks of a few weights for any graph, and batches for them."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from cyclekit import CycleModel, papers
from cyclekit.graph import Classes, CycleGraph, Domain, Heatmap, Label, Latent, Mask, Noise, Vector
from tests.graph import family

SIZE = 6


def _with_fewer_channels(graph: CycleGraph) -> CycleGraph:
    few = {Heatmap: Heatmap(4), Latent: Latent(2), Classes: Classes(4), Vector: Vector(3), Noise: Noise(3)}
    signals = {name: graph.domains[name] for name in graph.to_dict()["signals"]}
    weights = {key.replace("wgan_gp", "r1"): weight for key, weight in graph.weights.items()}
    return graph.replace(
        signals={name: few.get(type(domain), domain) for name, domain in signals.items()},
        adversaries=graph.adversaries.replace("wgan_gp", "r1"),  # which draws nothing
        weights=weights,
    )


FAMILY = {name: _with_fewer_channels(graph) for name, graph in family.FAMILY.items()}
C2GAN, COMBOGAN, PIX2PIX, POSEGAN, STARGAN = (
    FAMILY[name] for name in ("c2gan", "combogan", "pix2pix", "posegan", "stargan")
)


class TinyGenerator(nn.Module):
    """One convolution; pooled where its outputs are vectors."""

    joins_batches = True

    def __init__(self, inputs: int, outputs: tuple[Domain, ...], norm: str = "none") -> None:
        super().__init__()
        self.outputs = outputs
        channels = sum(domain.channels for domain in outputs)
        self.layers = nn.Sequential(nn.Conv2d(inputs, channels, 3, padding=1), *_norm(norm, channels), nn.Tanh())

    def forward(self, joined: Tensor) -> Tensor | list[Tensor]:
        made = self.layers(joined if joined.ndim == 4 else joined[:, :, None, None].expand(-1, -1, SIZE, SIZE))
        if all(domain.spatial for domain in self.outputs):
            return made
        parts = zip(made.split([domain.channels for domain in self.outputs], 1), self.outputs, strict=True)
        parts = [part if domain.spatial else part.mean((2, 3)) for part, domain in parts]
        return torch.cat(parts, 1) if not any(domain.spatial for domain in self.outputs) else parts


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


def mean_and_spread(mean: Tensor, log_variance: Tensor | None = None) -> Tensor:
    """Stand for what is drawn, by one value of the distribution."""
    return mean + (0.5 if log_variance is None else 0.5 * (log_variance / 2).exp())


PAPERS = [papers.create_paper(name) for name in papers.list_papers()]
FUNCTIONS = {name: function for paper in PAPERS for name, function in paper.functions.items()}
CRITERIA = {name: criterion for paper in PAPERS for name, criterion in paper.criteria.items()}
CRITERIA["perceptual"] = nn.MSELoss()  # without a trained network


def built(
    graph: CycleGraph, norm: str = "none", functions: Mapping[str, Callable[..., Tensor]] | None = None
) -> CycleModel:
    """Return a graph's model with tiny networks, in float64."""
    if functions is None:
        functions = {name: FUNCTIONS.get(name, warp) for name in graph.functions}
        functions |= {"sample": mean_and_spread} if "sample" in graph.all_functions else {}
    used = {term.criterion for term in graph.terms}
    criteria = {name: criterion for name, criterion in CRITERIA.items() if name in used}
    return graph.build(**networks(graph, norm), functions=functions, criteria=criteria).to(torch.float64)


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
        if isinstance(domain, Label | Classes):
            classes = torch.eye(domain.channels, dtype=torch.float64)[value.argmax(1)]
            value = classes.movedim(-1, 1) if domain.spatial else classes
        elif isinstance(domain, Mask):
            value = value.round()
        else:
            value = value * 2 - 1
        batch[name] = value.to(dtype)
    return batch
