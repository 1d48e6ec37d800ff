"""The evaluation plan: what is computed, in which order, once.

Values are named. A generated signal keeps its name; a result nobody named and every judgement of a
discriminator is called by its expression, ``D_I(x, Ly, y*)``.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

FEATURES = "features"
"""The head that is a discriminator's features, layer by layer."""


@dataclass(frozen=True)
class Call:
    """One use of a network or function on signals.

    Args:
        network: The network's or function's name.
        head: The discriminator's head whose output is meant, or ``None``.
        inputs: The values it reads.
        outputs: The values it makes.
    """

    network: str
    head: str | None
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def __str__(self) -> str:
        """Return ``G_I(x, Ly) -> y*``."""
        return f"{expression(self.network, self.inputs, self.head)} -> {', '.join(self.outputs)}"


@dataclass(frozen=True)
class Evaluation:
    """One forward pass of one network.

    Args:
        network: The network's name.
        inputs: The values it reads, joined in this order.
        outputs: The values it makes; a discriminator makes one judgement, called by its expression.
        heads: For a discriminator with heads: the value made of each head's output.
    """

    network: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    heads: tuple[tuple[str, str], ...] = ()

    @property
    def makes(self) -> tuple[str, ...]:
        """Every value it makes, heads included."""
        return self.outputs + tuple(value for _, value in self.heads)

    def __str__(self) -> str:
        """Return ``G_I(x, Ly) -> y*``, or just ``D_I(x, Ly, y*)`` for a judgement."""
        use = expression(self.network, self.inputs)
        named = [value for value in self.makes if value != use]
        return f"{use} -> {', '.join(named)}" if named else use


@dataclass(frozen=True)
class PlayerPlan:
    """What one player computes for its loss.

    Args:
        evaluations: In an order in which every value is made before it is read.
        terms: The names of the terms it pays.
        inputs: The signals a batch must carry.
        given: Generated signals it takes ready-made and detached from the generators' pass.
    """

    evaluations: tuple[Evaluation, ...]
    terms: tuple[str, ...]
    inputs: tuple[str, ...]
    given: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """The plans of both players.

    Args:
        generators: What is computed for the generators' loss.
        discriminators: What is computed for the discriminators' loss.
    """

    generators: PlayerPlan
    discriminators: PlayerPlan

    def __str__(self) -> str:
        """Return one line an evaluation, under each player's name."""
        lines: list[str] = []
        for player, plan in (("generators", self.generators), ("discriminators", self.discriminators)):
            lines.append(f"{player}:")
            lines += [f"  {evaluation}" for evaluation in plan.evaluations]
        return "\n".join(lines)


def expression(network: str, inputs: Iterable[str], head: str | None = None) -> str:
    """Return how a value is called that has no name of its own, ``D.cls(x)``."""
    return f"{network}{f'.{head}' if head else ''}({', '.join(inputs)})"


def ordered(wanted: Iterable[str], makers: Mapping[str, Evaluation]) -> tuple[Evaluation, ...]:
    """Return the evaluations that make the wanted values, each once, in an order they can run in.

    Uses of one network that do not depend on each other come out side by side, for `grouped` to join.
    """
    needed: dict[Evaluation, int] = {}
    waiting = list(wanted)[::-1]
    while waiting:
        maker = makers.get(waiting.pop())
        if maker is not None and maker not in needed:
            needed[maker] = len(needed)
            waiting.extend(maker.inputs[::-1])
    sources = {e: {makers[value] for value in e.inputs if value in makers} for e in needed}
    readers: dict[Evaluation, list[Evaluation]] = {evaluation: [] for evaluation in needed}
    pending: dict[str, int] = {}
    ready: dict[str, list[Evaluation]] = {}
    for evaluation, before in sources.items():
        pending[evaluation.network] = pending.get(evaluation.network, 0) + 1
        for source in before:
            readers[source].append(evaluation)
        if not before:
            ready.setdefault(evaluation.network, []).append(evaluation)
    order: list[Evaluation] = []
    while ready:
        # A network whose uses are all ready runs now, so that none of its uses is left to run alone later.
        network = min(ready, key=lambda name: (len(ready[name]) < pending[name], needed[ready[name][0]]))
        uses = sorted(ready.pop(network), key=needed.__getitem__)
        pending[network] -= len(uses)
        order += uses
        for use in uses:
            for reader in readers[use]:
                sources[reader].remove(use)
                if not sources[reader]:
                    ready.setdefault(reader.network, []).append(reader)
    return tuple(order)


def grouped(evaluations: Iterable[Evaluation], joins: Callable[[str], bool]) -> tuple[tuple[Evaluation, ...], ...]:
    """Join neighbouring, independent uses of one network where ``joins`` allows it."""
    groups: list[list[Evaluation]] = []
    for evaluation in evaluations:
        last = groups[-1] if groups else []
        if (
            last
            and last[0].network == evaluation.network
            and len(last[0].inputs) == len(evaluation.inputs)
            and joins(evaluation.network)
            and not {value for e in last for value in e.makes} & set(evaluation.inputs)
        ):
            last.append(evaluation)
        else:
            groups.append([evaluation])
    return tuple(tuple(group) for group in groups)
