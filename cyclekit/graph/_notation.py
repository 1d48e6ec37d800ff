"""The notation: text to flows and adversaries, and back.

    line       = [name ":"] (flow | adversary | call-of-a-criterion)
    flow       = node {"-" name ["." name] "->" node} ["~" name]
    adversary  = node "vs" node
    criterion  = name "(" flow {"," name} ")"
    node       = name | "[" name {"," name} "]"

Lines end at ``;`` or at a new line that cannot be a continuation; ``#`` starts a comment.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from cyclekit.graph._errors import NotationError

_TOKEN = re.compile(
    r"(?P<space>[^\S\n]+|#[^\n]*)|(?P<end>[;\n])|(?P<name>[^\W\d]\w*\**)|(?P<sign>->|[-~\[\],:().])"
)
_OPENS = frozenset({"[", "(", ",", ":", "-", "->", "~", ".", "vs"})
_CONTINUES = frozenset({"]", ")", ",", "-", "->", "~", ".", "vs"})


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
    def at(self) -> int:
        """Where the flow begins."""
        if self.label is not None:
            return self.label.at
        if self.criterion is not None:
            return self.criterion.at
        if self.steps:
            return self.steps[0].inputs[0].at
        return self.result.at if self.result is not None else 0


@dataclass(frozen=True)
class Versus:
    """``discriminator: [fake] vs [real]``."""

    discriminator: Ref
    fake: tuple[Ref, ...]
    real: tuple[Ref, ...]


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int

    def __str__(self) -> str:
        if self.kind == "stop":
            return "the end of the text"
        return "the end of the line" if self.kind == "end" else repr(self.text)


class _Parser:
    def __init__(self, field_name: str, text: str) -> None:
        self.field = field_name
        self.text = text
        self.tokens = _joined(list(self._tokens()))
        self.position = 0

    def error(self, message: str, at: int) -> NotationError:
        return NotationError(message, field=self.field, text=self.text, at=at)

    def _tokens(self) -> Iterator[_Token]:
        at = 0
        while at < len(self.text):
            match = _TOKEN.match(self.text, at)
            if match is None:
                raise self.error(
                    f"{self.text[at]!r} means nothing here: signals and networks are names, arrows are -G->",
                    at,
                )
            if match.lastgroup != "space":
                yield _Token(str(match.lastgroup), match.group(), at)
            at = match.end()
        yield _Token("stop", "", len(self.text))

    @property
    def here(self) -> _Token:
        return self.tokens[self.position]

    def sees(self, *texts: str) -> bool:
        return self.here.kind != "end" and self.here.text in texts

    def take(self) -> _Token:
        token = self.here
        self.position += 1
        return token

    def expect(self, text: str, what: str) -> _Token:
        if not self.sees(text):
            raise self.error(f"expected {what}, found {self.here}", self.here.at)
        return self.take()

    def name(self, what: str, *, stars: bool = True) -> Ref:
        token = self.here
        if token.kind != "name" or token.text == "vs":
            raise self.error(f"expected {what}, found {token}", token.at)
        if not stars and token.text.endswith("*"):
            raise self.error(f"expected {what}, found {token}: only signals carry a star", token.at)
        if token.text.startswith("_*"):
            raise self.error("'_' is a result nobody needs by name; it carries no star", token.at)
        self.position += 1
        return Ref(token.text, token.at)

    def statements(self) -> Iterator[Ref | None]:
        """Stand at each statement in turn, and say the label it carries."""
        while True:
            while self.here.kind == "end":
                self.take()
            if self.here.kind == "stop":
                return
            label = None
            if self.here.kind == "name" and self.tokens[self.position + 1].text == ":":
                label = self.name("a label", stars=False)
                self.take()
                while self.here.kind == "end":
                    self.take()
            yield label
            if self.here.kind not in ("end", "stop"):
                raise self.error(f"expected ';' or a new line, found {self.here}", self.here.at)

    def node(self) -> tuple[Ref, ...]:
        if not self.sees("["):
            return (self.name("a signal's name or '['"),)
        self.take()
        names = [self.name("a signal's name")]
        while self.sees(","):
            self.take()
            names.append(self.name("a signal's name"))
        self.expect("]", "',' or ']'")
        return tuple(names)

    def chain(self, label: Ref | None) -> Flow:
        start = self.here.at
        node = self.node()
        steps: list[Step] = []
        while True:
            if self.sees("->"):
                raise self.error("an arrow carries the network's name: a -G-> b", self.here.at)
            if not self.sees("-"):
                break
            self.take()
            network = self.name("a network's name", stars=False)
            head = None
            if self.sees("."):
                self.take()
                head = self.name("the name of a discriminator's head", stars=False)
            self.expect("->", f"'->' after {network.name!r}")
            outputs = self.node()
            steps.append(Step(node, network, head, outputs))
            node = outputs
        if not self.sees("~"):
            return Flow(label, tuple(steps))
        tilde = self.take()
        if len(node) != 1:
            raise self.error(
                "one signal is compared with one signal: only a single name stands before '~'", start
            )
        target = self.name("the signal to compare with")
        if target.name == "_":
            raise self.error("a comparison needs a signal; '_' is no signal", target.at)
        if self.sees("-", "->", "~"):
            raise self.error(
                "a flow ends where it compares: nothing may follow the signal after '~'", self.here.at
            )
        if not steps and node[0].name == "_":
            raise self.error("a comparison needs a signal; '_' is no signal", tilde.at)
        return Flow(label, tuple(steps), node[0], target)

    def criterion(self, label: Ref | None) -> Flow:
        criterion = self.name("a criterion's name", stars=False)
        self.take()
        flow = self.chain(label)
        if flow.target is None:
            raise self.error(f"expected '~': {criterion.name!r} compares two signals", self.here.at)
        extras: list[Ref] = []
        while self.sees(","):
            self.take()
            extras.append(self.name("a signal's name"))
        self.expect(")", "',' or ')'")
        return Flow(label, flow.steps, flow.result, flow.target, criterion, tuple(extras))


def _joined(tokens: list[_Token]) -> list[_Token]:
    """Drop the ends of lines that go on in the next one."""
    kept: list[_Token] = []
    depth = 0
    for index, token in enumerate(tokens):
        if token.text in ("[", "("):
            depth += 1
        elif token.text in ("]", ")"):
            depth = max(0, depth - 1)
        if token.text == "\n":
            following = next((other.text for other in tokens[index + 1 :] if other.text != "\n"), "")
            before = kept[-1].text if kept else ""
            if depth or before in _OPENS - {":"} or following in _CONTINUES:
                continue
        kept.append(token)
    return kept


def parse_cycles(text: str) -> tuple[Flow, ...]:
    """Read ``cycles``: a name, then maps, up to the comparison that closes the cycle."""
    parser = _Parser("cycles", text)
    return tuple(_flows(parser, labelled=True))


def parse_losses(text: str) -> tuple[Flow, ...]:
    """Read ``losses``: comparisons, with maps before them where the compared signal is made for them alone."""
    return tuple(_flows(_Parser("losses", text), labelled=False))


def _flows(parser: _Parser, *, labelled: bool) -> Iterator[Flow]:
    label: Ref | None = None
    steps: tuple[Step, ...] = ()
    begun: int | None = None
    for new_label in parser.statements():
        at = parser.here.at if new_label is None else new_label.at
        if new_label is not None:
            if begun is not None:
                raise parser.error(_UNFINISHED, begun)
            label = new_label
        begun = at if begun is None else begun
        if labelled and label is None:
            raise parser.error("a cycle has a name: write it before the flow, with a colon", at)
        called = parser.here.kind == "name" and parser.tokens[parser.position + 1].text == "("
        flow = parser.criterion(label) if called else parser.chain(label)
        steps += flow.steps
        if flow.target is not None:
            yield Flow(label, steps, flow.result, flow.target, flow.criterion, flow.extras)
            label, steps, begun = None, (), None
        elif not flow.steps:
            raise parser.error("expected '-' and a network's name, or '~' and a signal", parser.here.at)
    if begun is not None:
        raise parser.error(_UNFINISHED, begun)


_UNFINISHED = "this flow compares nothing: end it with '~' and a signal, or move it to maps="


def parse_maps(text: str) -> tuple[Flow, ...]:
    """Read ``maps``: flows that are no cycle and compare nothing."""
    parser = _Parser("maps", text)
    flows: list[Flow] = []
    for label in parser.statements():
        if label is not None:
            raise parser.error("maps carry no name", label.at)
        flow = parser.chain(None)
        if flow.target is not None:
            raise parser.error(
                "maps compare nothing: say the comparison in losses= or the cycle in cycles=", flow.at
            )
        if not flow.steps:
            raise parser.error("expected '-' and a network's name", parser.here.at)
        flows.append(flow)
    return tuple(flows)


def parse_adversaries(text: str) -> tuple[Versus, ...]:
    """Read ``adversaries``: a discriminator, the tuple it takes for fake, the tuple it takes for real."""
    parser = _Parser("adversaries", text)
    found: list[Versus] = []
    label: Ref | None = None
    for new_label in parser.statements():
        label = new_label or label
        if label is None:
            raise parser.error(
                "an adversary begins with its discriminator's name and a colon", parser.here.at
            )
        fake = parser.node()
        parser.expect("vs", "'vs' and what is real")
        real = parser.node()
        for name in (*fake, *real):
            if name.name == "_":
                raise parser.error("a discriminator needs signals; '_' is no signal", name.at)
        found.append(Versus(label, fake, real))
    return tuple(found)


def format_node(names: tuple[Ref, ...] | tuple[str, ...]) -> str:
    """Return ``x`` or ``[x, y]``."""
    texts = [name if isinstance(name, str) else name.name for name in names]
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def format_flow(flow: Flow) -> str:
    """Return the canonical text of a flow, which parses to the same flow."""
    chains: list[str] = []
    previous: tuple[Ref, ...] | None = None
    for step in flow.steps:
        head = f".{step.head.name}" if step.head else ""
        arrow = f" -{step.network.name}{head}-> {format_node(step.outputs)}"
        if previous == step.inputs:
            chains[-1] += arrow
        else:
            chains.append(format_node(step.inputs) + arrow)
        previous = step.outputs
    if flow.result is not None and flow.target is not None:
        if previous != (flow.result,):
            chains.append(flow.result.name)
        chains[-1] += f" ~ {flow.target.name}"
    if flow.criterion is not None:
        extras = "".join(f", {extra.name}" for extra in flow.extras)
        chains[-1] = f"{flow.criterion.name}({chains[-1]}{extras})"
    label = f"{flow.label.name}: " if flow.label else ""
    return label + " ; ".join(chains)


def format_versus(versus: Versus) -> str:
    """Return the canonical text of an adversary, which parses to the same adversary."""
    return f"{versus.discriminator.name}: {format_node(versus.fake)} vs {format_node(versus.real)}"
