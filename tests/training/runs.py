"""A run in which everything has a state."""

import random
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cyclekit import CycleGraph
from cyclekit.training import linear_decay, load_checkpoint, save_checkpoint
from tests.model.tiny import TinyGenerator, networks
from tests.training.small import stepping


class Run:
    """Dropout, batch statistics, pools that exchange, decay, and a generator that may wait."""

    def __init__(self, graph: CycleGraph, seed: int = 0, **options: Any) -> None:
        parts = networks(graph, "batch")
        for name, network in parts["generators"].items():
            parts["generators"][name] = nn.Sequential(nn.Dropout(0.3), network)
        for stand_in in graph.schedule.stand_ins:
            parts["generators"][stand_in.by] = TinyGenerator(3, (graph.domains["Ly"],))
        torch.manual_seed(seed)
        random.seed(seed)
        self.model = graph.build(**parts).to(torch.float64)
        self.step = stepping(self.model, **options)
        self.rates = {player: linear_decay(o, 2, 7) for player, o in self.step.optimizers.items()}
        self.parts = {"step": self.step, **{f"rate of {player}": rate for player, rate in self.rates.items()}}

    def play(self, batches: Iterable[dict[str, Tensor]]) -> None:
        for batch in batches:
            losses = self.step(batch).losses
            for player, rate in self.rates.items():
                if f"{player}/total" in losses:
                    rate.step()

    def save(self, root: Path) -> Path:
        return save_checkpoint(root, self.step.iteration, self.model, self.parts)

    def load(self, folder: Path) -> int:
        return load_checkpoint(folder, self.model, self.parts)

    def everything(self) -> dict[str, Any]:
        """Return all states, and the random numbers that would come next."""
        parts = {name: part.state_dict() for name, part in self.parts.items()}
        parts["step"].pop("kinds")  # text, which assert_close does not compare
        rates = {name: parts.pop(f"rate of {name}") for name in self.rates}
        return {
            "model": self.model.state_dict(),
            "parts": parts,
            "rates": {name: (rate["last_epoch"], rate["_last_lr"]) for name, rate in rates.items()},
            "noise": (torch.rand(3), random.random()),
        }


def with_short_history(graph: CycleGraph, **options: Any) -> CycleGraph:
    """Return a graph whose pools exchange from the second step on."""
    return graph.replace(schedule=replace(graph.schedule, history=5, **options))
