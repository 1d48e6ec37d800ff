"""The notation: text to statements and back.

    statement  = [name ":"] (flow | adversary | criterion)
    flow       = node {"-" name ["." name] "->" node} ["~" name]
    adversary  = node "vs" node {"+" name}
    criterion  = name "(" flow {"," name} ")"
    node       = name | "[" name {"," name} "]"

A statement ends at ``;`` or at a new line that cannot be a continuation; ``#`` starts a comment.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

from cyclekit.errors import NotationError

Kind = Literal["name", "sign", "end", "stop"]

_TOKEN = re.compile(r"(?P<space>[^\S\n]+|#[^\n]*)|(?P<end>[;\n])|(?P<name>[^\W\d]\w*\**)|(?P<sign>->|[-+~\[\],:().])")
_GOES_ON_AFTER = frozenset({"[", "(", ",", "-", "->", "~", ".", "vs", "+"})
_GOES_ON_BEFORE = frozenset({"]", ")", ",", "-", "->", "~", ".", "vs", "+"})


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


def expression(network: str, inputs: Iterable[str], head: str | None = None) -> str:
    """Return how a value is called that has no name of its own, ``D.cls(x)``."""
    return f"{network}{f'.{head}' if head else ''}({', '.join(inputs)})"


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


@dataclass(frozen=True)
class Token:
    """A name, a sign, the end of a statement, or the end of the text."""

    kind: Kind
    text: str
    at: int

    def __str__(self) -> str:
        """Return how a message calls it."""
        if self.kind == "stop":
            return "the end of the text"
        return "the end of the line" if self.text == "\n" else repr(self.text)


def tokens(field: str, text: str) -> list[Token]:
    """Return the tokens of a text; ends of lines that go on in the next one are left out.

    Raises:
        NotationError: A character means nothing in the notation.
    """
    kept: list[Token] = []
    depth = 0
    pending: list[Token] = []
    for token in _scanned(field, text):
        if token.text == "\n":
            pending.append(token)
            continue
        goes_on = depth > 0 or (bool(kept) and kept[-1].text in _GOES_ON_AFTER) or token.text in _GOES_ON_BEFORE
        if not goes_on:
            kept += pending
        pending.clear()
        if token.text in ("[", "("):
            depth += 1
        elif token.text in ("]", ")"):
            depth = max(0, depth - 1)
        kept.append(token)
    return kept


def _scanned(field: str, text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        unknown = at if match is None else _unknown_in_name(match)
        if match is None or unknown is not None:
            raise NotationError(
                f"{text[unknown or at]!r} means nothing here: signals and networks are names, arrows are -G->",
                field=field,
                text=text,
                at=unknown or at,
            )
        if match.lastgroup != "space":
            yield Token(cast("Kind", match.lastgroup), match.group(), at)
        at = match.end()
    yield Token("stop", "", len(text))


def _unknown_in_name(match: re.Match[str]) -> int | None:
    """Return the offset of a character that no Python name holds, such as ``²``."""
    name = match.group().rstrip("*")
    if match.lastgroup != "name" or name.isidentifier():
        return None
    return match.start() + next(end for end in range(len(name)) if not name[: end + 1].isidentifier())


class _Parser:
    """Walks along the tokens of one text."""

    def __init__(self, field: str, text: str) -> None:
        self.field = field
        self.text = text
        self.tokens = tokens(field, text)
        self.position = 0

    def error(self, message: str, at: int) -> NotationError:
        return NotationError(message, field=self.field, text=self.text, at=at)

    @property
    def here(self) -> Token:
        return self.tokens[self.position]

    @property
    def next_text(self) -> str:
        return self.tokens[self.position + 1].text if self.here.kind != "stop" else ""

    def sees(self, *texts: str) -> bool:
        return self.here.text in texts

    def take(self) -> Token:
        token = self.here
        self.position += 1
        return token

    def expect(self, text: str, what: str) -> Token:
        if not self.sees(text):
            raise self.error(f"expected {what}, found {self.here}", self.here.at)
        return self.take()

    def signal(self, what: str = "a signal's name") -> Ref:
        token = self.here
        if token.kind != "name" or token.text == "vs":
            raise self.error(f"expected {what}, found {token}", token.at)
        if token.text.startswith("_*"):
            raise self.error("'_' is a result nobody needs by name; it carries no star", token.at)
        self.take()
        return Ref(token.text, token.at)

    def plain_name(self, what: str) -> Ref:
        token = self.here
        if token.kind == "name" and token.text.endswith("*"):
            raise self.error(f"expected {what}, found {token}: only signals carry a star", token.at)
        if token.text == "_":
            raise self.error(f"expected {what}, found '_': only a signal can go without a name", token.at)
        return self.signal(what)

    def statements(self) -> Iterator[Ref | None]:
        """Stand at each statement in turn, and say the label it carries."""
        while True:
            while self.sees(";", "\n"):
                self.take()
            if self.here.kind == "stop":
                return
            label = None
            if self.here.kind == "name" and self.next_text == ":":
                label = self.plain_name("a name before ':'")
                self.take()
                while self.sees("\n"):
                    self.take()
            yield label
            if not self.sees(";", "\n", ""):
                raise self.error(f"expected ';' or a new line, found {self.here}", self.here.at)

    def node(self) -> tuple[Ref, ...]:
        if not self.sees("["):
            return (self.signal("a signal's name or '['"),)
        self.take()
        found = [self.signal()]
        while self.sees(","):
            self.take()
            found.append(self.signal())
        self.expect("]", "',' or ']'")
        return tuple(found)

    def arrow(self) -> tuple[Ref, Ref | None]:
        self.take()
        network = self.plain_name("a network's name")
        head = None
        if self.sees("."):
            self.take()
            head = self.plain_name("the name of a discriminator's head")
        self.expect("->", f"'->' after {head.name if head else network.name!r}")
        return network, head

    def chain(self, label: Ref | None) -> Flow:
        start = self.here.at
        node = self.node()
        steps: list[Step] = []
        while self.sees("-"):
            network, head = self.arrow()
            outputs = self.node()
            steps.append(Step(node, network, head, outputs))
            node = outputs
        if self.sees("->"):
            raise self.error("an arrow carries a network's name: a -G-> b", self.here.at)
        if self.sees("vs"):
            raise self.error("'vs' belongs in adversaries=; signals are compared with '~'", self.here.at)
        if not self.sees("~"):
            return Flow(label, tuple(steps))
        if len(node) != 1:
            raise self.error("one signal is compared with one: a single name stands before '~'", start)
        if not steps:
            self.named(node)
        self.take()
        target = self.signal("the signal to compare with")
        self.named((target,))
        if self.sees("-", "->", "~"):
            raise self.error("a flow ends where it compares: nothing follows the signal after '~'", self.here.at)
        return Flow(label, tuple(steps), node[0], target)

    def criterion(self, label: Ref | None) -> Flow:
        criterion = self.plain_name("a criterion's name")
        self.take()
        flow = self.chain(label)
        if flow.target is None:
            raise self.error(f"expected '~', found {self.here}: {criterion.name!r} compares two signals", self.here.at)
        extras: list[Ref] = []
        while self.sees(","):
            self.take()
            extras.append(self.signal())
        self.named(extras)
        self.expect(")", "',' or ')'")
        return Flow(label, flow.steps, flow.result, flow.target, criterion, tuple(extras))

    def regularizers(self) -> Iterator[Ref]:
        while self.sees("+"):
            self.take()
            yield self.plain_name("a regularizer's name")

    def named(self, refs: tuple[Ref, ...] | list[Ref]) -> None:
        """Refuse ``_`` where a signal must have a name."""
        for ref in refs:
            if ref.name == "_":
                raise self.error("a signal with a name is needed here; '_' has none", ref.at)


def parse_cycles(text: str) -> tuple[Flow, ...]:
    """Read ``cycles``: a name, then maps, up to the comparison that closes the cycle."""
    return tuple(_flows(_Parser("cycles", text), labelled=True))


def parse_losses(text: str) -> tuple[Flow, ...]:
    """Read ``losses``: comparisons, after the maps that make what only they need."""
    return tuple(_flows(_Parser("losses", text), labelled=False))


def _flows(parser: _Parser, *, labelled: bool) -> Iterator[Flow]:
    label: Ref | None = None
    steps: tuple[Step, ...] = ()
    begun: int | None = None
    for new_label in parser.statements():
        at = parser.here.at if new_label is None else new_label.at
        if new_label is not None:
            _refuse_unfinished(parser, begun)
            label = new_label
        begun = at if begun is None else begun
        if labelled and label is None:
            raise parser.error("a cycle has a name: write it before the flow, with a colon", at)
        called = parser.here.kind == "name" and parser.next_text == "("
        flow = parser.criterion(label) if called else parser.chain(label)
        steps += flow.steps
        if flow.target is not None:
            yield Flow(label, steps, flow.result, flow.target, flow.criterion, flow.extras)
            label, steps, begun = None, (), None
        elif not flow.steps:
            raise parser.error(
                f"expected '-' and a network's name, or '~' and a signal, found {parser.here}", parser.here.at
            )
    _refuse_unfinished(parser, begun)


def _refuse_unfinished(parser: _Parser, begun: int | None) -> None:
    if begun is not None:
        raise parser.error("this flow compares nothing: end it with '~' and a signal, or move it to maps=", begun)


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
                "maps compare nothing: say the comparison in losses=, or the cycle in cycles=", flow.target.at
            )
        if not flow.steps:
            raise parser.error(f"expected '-' and a network's name, found {parser.here}", parser.here.at)
        flows.append(flow)
    return tuple(flows)


def parse_adversaries(text: str) -> tuple[Versus, ...]:
    """Read ``adversaries``: a discriminator, the tuples it takes for fake and for real, and regularizers."""
    parser = _Parser("adversaries", text)
    found: list[Versus] = []
    label: Ref | None = None
    for new_label in parser.statements():
        label = new_label or label
        if label is None:
            raise parser.error("an adversary begins with its discriminator's name and a colon", parser.here.at)
        fake = parser.node()
        parser.expect("vs", "'vs' and what is real")
        real = parser.node()
        parser.named((*fake, *real))
        found.append(Versus(label, fake, real, tuple(parser.regularizers())))
    return tuple(found)


@dataclass(frozen=True)
class Statements:
    """What a graph's four texts say.

    Args:
        texts: The texts by argument, without common indentation.
        flows: Every flow, with the argument it stands in.
        adversaries: Every adversary.
    """

    texts: Mapping[str, str]
    flows: tuple[tuple[str, Flow], ...]
    adversaries: tuple[Versus, ...]

    @classmethod
    def read(cls, texts: Mapping[str, str]) -> "Statements":
        """Parse the texts ``cycles``, ``maps``, ``losses`` and ``adversaries``."""
        parsers = {"cycles": parse_cycles, "maps": parse_maps, "losses": parse_losses}
        flows = tuple((place, flow) for place, parse in parsers.items() for flow in parse(texts[place]))
        return cls(texts, flows, parse_adversaries(texts["adversaries"]))

    @property
    def discriminators(self) -> tuple[str, ...]:
        """The discriminators' names in order of appearance."""
        return tuple(dict.fromkeys(versus.discriminator.name for versus in self.adversaries))

    def error(self, message: str, place: str, at: int) -> NotationError:
        """Return the error for a place in one of the texts."""
        return NotationError(message, field=place, text=self.texts[place], at=at)
