"""What the notation says, as data, and back to text."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Ref:
    """A name where it stands in the text; equal to the same name elsewhere."""

    name: str
    at: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True)
class Step:
    """One map: ``[inputs] -network.head-> [outputs]``."""

    inputs: tuple[Ref, ...]
    network: Ref
    head: Ref | None
    outputs: tuple[Ref, ...]


@dataclass(frozen=True)
class Flow:
    """Maps in their order, and what their result is compared with."""

    label: Ref | None
    steps: tuple[Step, ...]
    result: Ref | None = None
    target: Ref | None = None
    criterion: Ref | None = None
    extras: tuple[Ref, ...] = ()

    @property
    def compared(self) -> tuple[Ref, ...]:
        """The signals its criterion reads, in order: its result, its target, its extras."""
        return (*(ref for ref in (self.result, self.target) if ref is not None), *self.extras)

    @property
    def reads(self) -> tuple[Ref, ...]:
        """Every signal it reads, where it reads it."""
        return (*(ref for step in self.steps for ref in step.inputs), *self.compared)

    @property
    def at(self) -> int:
        """Where it begins."""
        return min(ref.at for ref in (self.label, self.criterion, *self.reads) if ref is not None)


@dataclass(frozen=True)
class Versus:
    """``discriminator: [fake] vs [real] + regularizers``."""

    discriminator: Ref
    fake: tuple[Ref, ...]
    real: tuple[Ref, ...]
    regularizers: tuple[Ref, ...] = ()

    @property
    def reads(self) -> tuple[Ref, ...]:
        """Every signal it judges."""
        return (*self.fake, *self.real)


def names(refs: Iterable[Ref]) -> tuple[str, ...]:
    """Return names without their places."""
    return tuple(ref.name for ref in refs)


def format_node(signals: tuple[str, ...]) -> str:
    """Return ``x`` or ``[x, y]``."""
    return signals[0] if len(signals) == 1 else f"[{', '.join(signals)}]"


def format_flow(flow: Flow) -> str:
    """Return the canonical text of a flow, which parses to the same flow."""
    chains: list[str] = []
    previous: tuple[Ref, ...] | None = None
    for step in flow.steps:
        head = f".{step.head.name}" if step.head else ""
        arrow = f" -{step.network.name}{head}-> {format_node(names(step.outputs))}"
        if previous == step.inputs:
            chains[-1] += arrow
        else:
            chains.append(format_node(names(step.inputs)) + arrow)
        previous = step.outputs
    if flow.result is not None and flow.target is not None:
        if previous != (flow.result,):
            chains.append(flow.result.name)
        chains[-1] += f" ~ {flow.target.name}"
    if flow.criterion is not None:
        chains[-1] = f"{flow.criterion.name}({', '.join((chains[-1], *names(flow.extras)))})"
    label = f"{flow.label.name}: " if flow.label else ""
    return label + " ; ".join(chains)


def format_versus(versus: Versus) -> str:
    """Return the canonical text of an adversary, which parses to the same adversary."""
    return " + ".join([f"{versus.discriminator.name}: {format_sides(versus)}", *names(versus.regularizers)])


def format_sides(versus: Versus) -> str:
    """Return ``[x, y*] vs [x, y]``."""
    return f"{format_node(names(versus.fake))} vs {format_node(names(versus.real))}"
