"""How hard each term of the generators' loss pulls at a network, once or while it trains."""

import copy
import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from cyclekit import CycleModel
from cyclekit.training import BatchSource
from report import whole_file

COLUMNS = ("step", "network", "term", "norm")


def gradient_norms(model: CycleModel, batch: Mapping[str, Tensor], network: str) -> dict[str, float]:
    """Return the norm of each term's weighted gradient by a generator's weights; 0 where a term does not reach it.

    One forward pass; the model's mode is left as it is, and so are its gradients.

    Args:
        model: The model.
        batch: The graph's input signals.
        network: A generator's name.
    """
    weights = [weight for weight in model.generators[network].parameters() if weight.requires_grad]
    losses = model.generator_objective()(batch)
    norms: dict[str, float] = {}
    for name, loss in losses.terms.items():
        weighted = float(model.graph.term(name).weight) * loss
        gradients = torch.autograd.grad(weighted, weights, retain_graph=True, allow_unused=True)
        reached = [gradient.square().sum() for gradient in gradients if gradient is not None]
        norms[name] = torch.stack(reached).sum().sqrt().item() if reached else 0.0
    return norms


class Pull(NamedTuple):
    """The norm of one term's gradient by one network's weights, after some training steps."""

    step: int
    network: str
    term: str
    norm: float


class GradientLog:
    """Batches passed on as they are, and between them a look at the gradients, kept in a file.

    Every so many steps the norms are measured on the same samples, of a copy of the model in training mode, so that
    neither its statistics nor any random number changes. A run that is resumed goes on with its file.

    Args:
        source: Where the batches come from.
        model: What is trained with them.
        networks: The generators that are looked at.
        samples: What the losses are computed of, the graph's input signals.
        every: Training steps between two looks.
        file: A CSV file.
    """

    def __init__(
        self,
        source: BatchSource,
        model: CycleModel,
        networks: Sequence[str],
        samples: Mapping[str, Tensor],
        every: int,
        file: Path,
    ) -> None:
        self._source = source
        self._model = model
        self._networks = networks
        self._samples = samples
        self._every = every
        self._file = file

    def batches(
        self, start: int = 0, *, device: str | torch.device = "cpu", processes: int = 1, process: int = 0
    ) -> Iterator[dict[str, Tensor]]:
        """Yield the source's batches; the model is looked at before the batch of every so many steps."""
        batches = self._source.batches(start, device=device, processes=processes, process=process)
        for step, batch in enumerate(batches, start):
            if process == 0 and step % self._every == 0:
                self.look(step)
            yield batch

    def look(self, step: int) -> None:
        """Measure the model as it is after some steps; what the file has of these and later ones is replaced."""
        model = copy.deepcopy(self._model).train()
        device = next(model.parameters()).device
        samples = {name: value.to(device) for name, value in self._samples.items()}
        known = [pull for pull in read_pulls(self._file) if pull.step < step] if self._file.is_file() else []
        with torch.random.fork_rng():
            for network in self._networks:
                norms = gradient_norms(model, samples, network)
                known += [Pull(step, network, term, norm) for term, norm in norms.items()]
        whole_file(self._file, lambda draft: _write(known, draft))


def read_pulls(file: Path) -> list[Pull]:
    """Return what a `GradientLog` has written."""
    with file.open(newline="") as lines:
        rows = csv.DictReader(lines)
        return [Pull(int(row["step"]), row["network"], row["term"], float(row["norm"])) for row in rows]


def _write(pulls: Sequence[Pull], file: Path) -> None:
    with file.open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(COLUMNS)
        writer.writerows(pulls)
