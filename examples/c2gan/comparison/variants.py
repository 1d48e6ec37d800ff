"""What a row of a table trains: its graph, its networks, and what it makes of a batch of pairs."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from cyclekit import CycleGraph, CycleModel, Domain, Heatmap, NetworkSpec
from cyclekit.graph import GraphWarning
from cyclekit.keypoints import decode_heatmaps, limb_radius, pose_mask
from cyclekit.papers import c2gan
from cyclekit.papers.paper import Networks
from cyclekit.training import BatchSource
from measuring.reading import polarity_of
from recipe import Preset, Variant, fitting_unet, networks_of

Batch = Mapping[str, Tensor]
Feed = Callable[[Batch], Batch]
Design = Literal["sharp", "published"]
SHARP: Mapping[str, Any] = {
    "norm": "batch",
    "dropout": 0.0,
    "upsample": "nearest",
    "full_resolution": True,
    "init": "normal",
}
"""What lets a U-Net draw sharper in less time; one for all rows and presets, so that their losses alone differ."""


@dataclass(frozen=True)
class Setup:
    """What all rows of a table have in common.

    Args:
        keypoints: How keypoints are drawn.
        size: Height and width.
        preset: Of C2GAN.
        design: C2GAN's networks: small ones that draw sharper in less time, or the paper's.
        base_channels: Width of every network.
        pixel_weight: Of the comparison of y* and y.
    """

    keypoints: Domain
    size: tuple[int, int]
    preset: Preset
    design: Design
    base_channels: int
    pixel_weight: float

    @property
    def unet(self) -> NetworkSpec:
        """C2GAN's generator."""
        options = SHARP if self.design == "sharp" else self._published[0].options
        return NetworkSpec(fitting_unet(self.size), **{**options, "base_channels": self.base_channels})

    @property
    def patchgan(self) -> NetworkSpec:
        """C2GAN's discriminator."""
        if self.design == "sharp":
            return NetworkSpec("patchgan_16", norm="batch", init="normal", base_channels=self.base_channels)
        spec = self._published[1]
        return NetworkSpec(spec.name, **{**spec.options, "base_channels": self.base_channels})

    @property
    def _published(self) -> tuple[NetworkSpec, NetworkSpec]:
        text_or_code = "paper" if self.preset == "paper" else "official"
        return networks_of(c2gan(self.keypoints, text_or_code).recipe)


def as_it_is(batch: Batch) -> Batch:
    """Return a batch of pairs: x, y, Lx and Ly."""
    return batch


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A training run of a row.

    Args:
        name: What it is called among the row's stages.
        graph: What is trained; networks that an earlier stage has are taken from it.
        generators: A spec for each.
        discriminators: Likewise.
        functions: The graph's own functions.
        feed: What becomes of a batch of pairs before it is trained on.
        rate: What the table's learning rate is multiplied by.
    """

    name: str
    graph: CycleGraph
    generators: Networks
    discriminators: Networks
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict[str, Callable[..., Any]])
    feed: Feed = as_it_is
    rate: float = 1.0

    def build(self, size: tuple[int, int]) -> CycleModel:
        """Return the model, untrained; that a stage trains something else than y* is meant."""
        networks = [
            {name: spec for name, spec in specs.items() if spec is not None}
            for specs in (self.generators, self.discriminators)
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GraphWarning)
            return self.graph.build(
                generators=networks[0], discriminators=networks[1], functions=self.functions, size=size
            )


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of a table.

    Args:
        title: Its name, as the paper writes it.
        stages: Its training runs, which share its steps; the last one's model makes y*.
        published: The paper's figures by metric.
    """

    title: str
    stages: tuple[Stage, ...]
    published: Mapping[str, float] = field(default_factory=dict[str, float])


def variant(setup: Setup, row: Variant = "full") -> Stage:
    """Return C2GAN, or a row of Table 1; for persons as the preset has them, without an estimator in G_K's place."""
    task = "persons" if isinstance(setup.keypoints, Heatmap) else "faces"
    graph = c2gan(setup.keypoints, setup.preset, row, pixel_weight=setup.pixel_weight, task=task).graph
    return Stage(
        name="c2gan",
        graph=graph,
        generators=dict.fromkeys(graph.generators, setup.unet),
        discriminators=dict.fromkeys(graph.discriminators, setup.patchgan),
        feed=with_mask(setup) if "M" in graph.inputs else as_it_is,
    )


def ablations(setup: Setup) -> dict[str, Row]:
    """Return the rows of Table 1."""
    titles = {
        "full": "I2I2I+K2G2K+K2R2K",
        "single_modal": "single-modal D",
        "non_sharing": "non-sharing G",
    }
    published: dict[Variant, tuple[float, float, float]] = {
        "I2I2I": (25.3, 21.2030, 0.8449),
        "I2I2I+K2G2K": (28.2, 20.8708, 0.8419),
        "I2I2I+K2R2K": (28.7, 21.0156, 0.8437),
        "full": (30.8, 21.6262, 0.8540),
        "single_modal": (26.4, 21.2794, 0.8426),
        "non_sharing": (32.9, 21.6353, 0.8611),
    }
    return {
        row: Row(
            title=titles.get(row, row),
            stages=(variant(setup, row),),
            published=dict(zip(("AMT", "PSNR", "SSIM"), figures, strict=True)),
        )
        for row, figures in published.items()
    }


def with_mask(setup: Setup) -> Feed:
    """Return what adds ``M``, PG2's mask of y, to a batch: limbs made thick, or a face's landmarks grown together."""

    def masked(batch: Batch) -> Batch:
        return {**batch, "M": body(batch["Ly"], setup.keypoints)}

    return masked


def body(keypoints: Tensor, domain: Domain) -> Tensor:
    """Return where a person or a face is, (batch, 1, height, width) of 0 and 1.

    Args:
        keypoints: Heatmaps of 18 joints, or landmark pictures, (batch, channels, height, width) in [-1, 1].
        domain: Which of both they are.
    """
    height, width = keypoints.shape[2:]
    if isinstance(domain, Heatmap):
        points, visible = decode_heatmaps((keypoints + 1) / 2)
        return pose_mask(points, (height, width), "pg2", limb_radius(height), visible)
    dark = keypoints if polarity_of(keypoints) == "black_on_white" else -keypoints
    ink = (dark.mean(1, keepdim=True) < 0).to(keypoints.dtype)
    side = 2 * (height // 16) + 1
    return F.max_pool2d(ink, side, stride=1, padding=side // 2)


class Fed:
    """A source's batches as a stage trains on them.

    Args:
        source: Batches of pairs.
        stage: What is trained.
    """

    def __init__(self, source: BatchSource, stage: Stage) -> None:
        self._source = source
        self._stage = stage

    def batches(
        self, start: int = 0, *, device: str | torch.device = "cpu", processes: int = 1, process: int = 0
    ) -> Iterator[dict[str, Tensor]]:
        """Yield the stage's input signals, batch by batch."""
        inputs = self._stage.graph.inputs
        for batch in self._source.batches(start, device=device, processes=processes, process=process):
            yield {name: value for name, value in self._stage.feed(batch).items() if name in inputs}
