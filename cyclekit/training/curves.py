"""The curves of a run's losses."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cyclekit._files import whole_file
from cyclekit.graph import CycleGraph


class Curves:
    """The points of the loss curves; a part of every checkpoint, so that a resumed run draws whole curves.

    Args:
        graph: Whose losses; it knows which player is of which side.

    Attributes:
        points: Losses by name, and ``iteration``, of every look at them.
        watched: Likewise, what was measured while it trained.
    """

    def __init__(self, graph: CycleGraph) -> None:
        order = graph.schedule.order
        self._players = {
            side[0].upper(): [player for player in order if graph.side_of(player) == side]
            for side in ("generators", "discriminators")
        }
        self.points: list[dict[str, float]] = []
        self.watched: list[dict[str, float]] = []

    def add(self, iteration: int, losses: Mapping[str, Tensor]) -> dict[str, float]:
        """Fetch a step's losses from the device, all at once, and keep them.

        Args:
            iteration: Training steps taken so far.
            losses: As `AdversarialStep` returns them.

        Returns:
            The same, with ``G`` and ``D``, the sums of both sides.
        """
        values = torch.stack([loss.float() for loss in losses.values()]).tolist() if losses else []
        named = dict(zip(losses, values, strict=True))
        for side, players in self._players.items():
            totals = [named[f"{player}/total"] for player in players if f"{player}/total" in named]
            if totals:
                named[side] = sum(totals)
        self.points.append({"iteration": iteration, **named})
        return named

    def watch(self, iteration: int, values: Mapping[str, Any]) -> dict[str, float]:
        """Keep what was measured.

        Args:
            iteration: Training steps taken so far.
            values: Numbers by name, which may be nested.

        Returns:
            The same, flat, each name behind ``watched/``.
        """
        flat = dict(flattened(values))
        self.watched.append({"iteration": iteration, **flat})
        return {f"watched/{name}": value for name, value in flat.items()}

    def state_dict(self) -> dict[str, Any]:
        """Return the points."""
        return {"points": list(self.points), "watched": list(self.watched)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the points up."""
        self.points = list(state["points"])
        self.watched = list(state.get("watched", []))  # a checkpoint of before has none

    def draw(self, path: Path) -> None:
        """Draw every term's curve, also of those that begin later: the generators' left, the discriminators' right.

        Args:
            path: The picture's file.
        """
        from matplotlib.figure import Figure

        figure = Figure(figsize=(11, 4), layout="constrained")
        for axis, (side, title) in zip(
            figure.subplots(1, 2), (("G", "generators"), ("D", "discriminators")), strict=True
        ):
            for name, curve in self.of(side).items():
                player, _, term = name.partition("/")
                label = term if player == title else f"{player}: {term}"
                axis.plot(*zip(*curve, strict=True), label=label, linewidth=1, marker="." if len(curve) == 1 else None)
            axis.set(title=f"losses of the {title}", xlabel="training steps")
            axis.grid(alpha=0.3)
            if axis.lines:
                axis.legend(fontsize=7, ncols=2)
            if side == "G":
                axis.set_yscale("symlog", linthresh=0.1)
        whole_file(path, lambda draft: figure.savefig(draft, dpi=110))

    def draw_watched(self, path: Path) -> None:
        """Draw what was measured while it trained, each by itself, since their scales differ.

        Args:
            path: The picture's file.
        """
        from matplotlib.figure import Figure

        names = list(dict.fromkeys(name for point in self.watched for name in point if name != "iteration"))
        figure = Figure(figsize=(3.6 * max(1, len(names)), 3), layout="constrained")
        for axis, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
            curve = [(point["iteration"], point[name]) for point in self.watched if name in point]
            axis.plot(*zip(*curve, strict=True), linewidth=1, marker=".")
            axis.set(title=name, xlabel="training steps")
            axis.grid(alpha=0.3)
        whole_file(path, lambda draft: figure.savefig(draft, dpi=110))

    def of(self, side: str) -> dict[str, list[tuple[float, float]]]:
        """Return a side's curves.

        Args:
            side: ``"G"`` or ``"D"``.

        Returns:
            Points ``(iteration, loss)`` of each term, by the term's name in the losses.
        """
        found: dict[str, list[tuple[float, float]]] = {}
        for point in self.points:
            for name, loss in point.items():
                if name.partition("/")[0] in self._players[side] and not name.endswith("/total"):
                    found.setdefault(name, []).append((point["iteration"], loss))
        return found


def flattened(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, float]]:
    """Return numbers by name, those inside by all the names around them, ``"C2GAN/PSNR"``."""
    found: list[tuple[str, float]] = []
    for name, value in values.items():
        inside = isinstance(value, Mapping)
        found += flattened(value, f"{prefix}{name}/") if inside else [(f"{prefix}{name}", float(value))]
    return found
