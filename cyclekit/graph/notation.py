"""The notation: text to statements and back.

    statement  = [name ":"] (flow | adversary | criterion)
    flow       = node {"-" network "->" node} ["~" read]
    adversary  = node ("vs" | "<>") node {"+" name}
    criterion  = name "(" {flow ";"} flow {"," read} ")"
    network    = name ["." name] | "stop" "(" name ")"
    node       = read | "[" read {"," read} "]"
    read       = signal | ("stop" | "reverse") "(" signal ")"

A statement ends at ``;`` or at a new line that cannot be a continuation; ``#`` starts a comment.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import Literal, cast

from cyclekit.errors import NotationError

Kind = Literal["name", "sign", "end", "stop"]

_TOKEN = re.compile(
    r"(?P<space>[^\S\n]+|#[^\n]*)|(?P<end>[;\n])|(?P<name>[^\W\d]\w*\**)|(?P<sign>->|<>|[-+~\[\],:().])"
)
_GOES_ON_AFTER = frozenset({"[", "(", ",", "-", "->", "~", ".", "vs", "<>", "+"})
_GOES_ON_BEFORE = frozenset({"]", ")", ",", "-", "->", "~", ".", "vs", "<>", "+"})

GATES = {
    "stop": "stop(s) reads a signal without its gradient, -stop(G)-> uses a network as it is",
    "reverse": "reverse(s) reads a signal and turns its gradient round",
}
"""Words that say how the gradient passes where a signal is read."""

_GATES_ELSEWHERE = {
    **dict.fromkeys(("detach", "no_grad", "stop_gradient", "sg"), "stop"),
    **dict.fromkeys(("grl", "flip"), "reverse"),
}
"""What libraries and papers call them."""


@dataclass(frozen=True)
class Ref:
    """A name where it stands in the text, a signal's maybe in a gate, ``stop(s)``; equal to the same name elsewhere."""

    name: str
    at: int = field(default=0, compare=False, repr=False)

    @property
    def gate(self) -> str | None:
        """``stop`` or ``reverse``."""
        return self.name.partition("(")[0] if self.name.endswith(")") else None

    @property
    def signal(self) -> "Ref":
        """What stands in the gate, or the name itself."""
        return Ref(self.name.partition("(")[2].removesuffix(")"), self.at) if self.gate else self


@dataclass(frozen=True)
class Step:
    """One map: ``[inputs] -network.head-> [outputs]``, or ``-stop(network)->``."""

    inputs: tuple[Ref, ...]
    network: Ref
    head: Ref | None
    outputs: tuple[Ref, ...]
    stopped: bool = False


@dataclass(frozen=True)
class Flow:
    """Maps in their order, and how their results are measured: against a target, or by themselves."""

    label: Ref | None
    steps: tuple[Step, ...]
    results: tuple[Ref, ...] = ()
    target: Ref | None = None
    criterion: Ref | None = None
    extras: tuple[Ref, ...] = ()

    @property
    def measured(self) -> tuple[Ref, ...]:
        """The signals its criterion reads, in order: its results, its target, its extras; none of a mere map."""
        return (*self.results, *([self.target] if self.target else []), *self.extras)

    @property
    def reads(self) -> tuple[Ref, ...]:
        """Every signal it reads, where it reads it."""
        return (*(ref for step in self.steps for ref in step.inputs), *self.measured)

    @property
    def at(self) -> int:
        """Where it begins."""
        return min(ref.at for ref in (self.label, self.criterion, *self.reads) if ref is not None)


@dataclass(frozen=True)
class Versus:
    """``discriminator: [fake] vs [real] + regularizers``, or with ``<>`` where both sides are to be confused."""

    discriminator: Ref
    fake: tuple[Ref, ...]
    real: tuple[Ref, ...]
    regularizers: tuple[Ref, ...] = ()
    confused: bool = False

    @property
    def reads(self) -> tuple[Ref, ...]:
        """Every signal it judges."""
        return (*self.fake, *self.real)


def names(refs: Iterable[Ref]) -> tuple[str, ...]:
    """Return names without their places."""
    return tuple(ref.name for ref in refs)


def expression(network: str, inputs: Iterable[str], head: str | None = None, *, stopped: bool = False) -> str:
    """Return how a value is called that has no name of its own, ``D.cls(x)``."""
    return f"{used(network, head, stopped=stopped)}({', '.join(inputs)})"


def used(network: str, head: str | None = None, *, stopped: bool = False) -> str:
    """Return how a use of a network is written, ``D.cls`` or ``stop(E)``."""
    return f"stop({network})" if stopped else f"{network}.{head}" if head else network


def format_node(signals: tuple[str, ...]) -> str:
    """Return ``x`` or ``[x, y]``."""
    return signals[0] if len(signals) == 1 else f"[{', '.join(signals)}]"


def format_flow(flow: Flow) -> str:
    """Return the canonical text of a flow, which parses to the same flow."""
    chains: list[str] = []
    previous: tuple[Ref, ...] | None = None
    for step in flow.steps:
        use = used(step.network.name, step.head.name if step.head else None, stopped=step.stopped)
        arrow = f" -{use}-> {format_node(names(step.outputs))}"
        if previous == step.inputs:
            chains[-1] += arrow
        else:
            chains.append(format_node(names(step.inputs)) + arrow)
        previous = step.outputs
    if flow.results and previous != flow.results:
        chains.append(format_node(names(flow.results)))
    if flow.target is not None:
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
    sign = "<>" if versus.confused else "vs"
    return f"{format_node(names(versus.fake))} {sign} {format_node(names(versus.real))}"


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
            character = text[unknown or at]
            mend = "; a star stands right behind its signal's name, y*" if character == "*" else ""
            raise NotationError(
                f"{character!r} means nothing here: signals and networks are names, arrows are -G->{mend}",
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
        if token.text in GATES:
            raise self.error(f"expected {what}, found {token}: {GATES[token.text]}", token.at)
        self.take()
        return Ref(token.text, token.at)

    @property
    def at_gate(self) -> bool:
        return self.here.text in GATES and self.next_text == "("

    def read(self, what: str = "a signal's name") -> Ref:
        """Take a signal where it is read: by its name, or in a gate."""
        if not self.at_gate:
            signal = self.signal(what)
            if self.sees("("):
                raise self.no_gate(signal)
            return signal
        gate = self.take()
        self.take()
        signal = self.signal()
        self.named((signal,))
        self.expect(")", f"')' after {signal.name!r}, since {gate.text} takes one signal")
        return Ref(f"{gate.text}({signal.name})", gate.at)

    def no_gate(self, word: Ref) -> NotationError:
        """Say that a word with a bracket behind it, where a signal is read, is none of the gates."""
        name = word.name.rstrip("*").lower()
        near = [_GATES_ELSEWHERE[name]] if name in _GATES_ELSEWHERE else get_close_matches(name, GATES, n=1)
        mend = (
            f"did you mean {near[0]}(...)?"
            if near
            else "a criterion stands in losses= or cycles= in front of all that it measures, l1(y* ~ y)"
        )
        gates = " and ".join(f"{gate}(s)" for gate in GATES)
        return self.error(f"{word.name!r} is no signal modifier: there are {gates}; {mend}", word.at)

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
            return (self.read("a signal's name or '['"),)
        self.take()
        found = [self.read()]
        while self.sees(","):
            self.take()
            found.append(self.read())
        self.expect("]", "',' or ']'")
        return tuple(found)

    def made(self) -> tuple[Ref, ...]:
        """Take what an arrow makes."""
        node = self.node()
        for ref in node:
            if ref.gate:
                raise self.error(f"an arrow makes a signal, and {ref.gate} reads one: give it its name here", ref.at)
        return node

    def arrow(self) -> tuple[Ref, Ref | None, bool]:
        """Take ``-G->``: the network, its head, and whether it is used as it is."""
        self.take()
        head = None
        if self.at_gate:
            return self.stopped_network(), None, True
        network = self.plain_name("a network's name")
        if self.sees("."):
            self.take()
            head = self.plain_name("the name of a discriminator's head")
        elif self.sees("("):
            raise self.error(f"{network.name!r} is no modifier of a network: -stop(G)-> uses one as it is", network.at)
        self.expect("->", f"'->' after {head.name if head else network.name!r}")
        return network, head, False

    def stopped_network(self) -> Ref:
        gate = self.take()
        if gate.text != "stop":
            raise self.error(f"{gate.text} turns the gradient of a signal: {gate.text}(s) -G->", gate.at)
        self.take()
        network = self.plain_name("a network's name")
        if self.sees("."):
            raise self.error("a head never trains its network on generated signals: write it without stop", gate.at)
        self.expect(")", f"')' after {network.name!r}")
        self.expect("->", f"'->' after 'stop({network.name})'")
        return network

    def chain(self, label: Ref | None) -> Flow:
        start = self.here.at
        node = self.node()
        steps: list[Step] = []
        while self.sees("-"):
            network, head, stopped = self.arrow()
            outputs = self.made()
            steps.append(Step(node, network, head, outputs, stopped))
            node = outputs
        if self.sees("->"):
            raise self.error("an arrow carries a network's name: a -G-> b", self.here.at)
        if self.sees("vs", "<>"):
            raise self.error(f"{self.here} belongs in adversaries=; signals are compared with '~'", self.here.at)
        if not self.sees("~"):
            return Flow(label, tuple(steps))
        if len(node) != 1:
            raise self.error("one signal is compared with one: a single name stands before '~'", start)
        if not steps:
            self.named(node)
        self.take()
        target = self.read("the signal to compare with")
        self.named((target,))
        if self.sees("-", "->", "~"):
            raise self.error("a flow ends where it compares: nothing follows the signal after '~'", self.here.at)
        return Flow(label, tuple(steps), node, target)

    def criterion(self, label: Ref | None) -> Flow:
        criterion = self.plain_name("a criterion's name")
        self.take()
        steps: tuple[Step, ...] = ()
        while True:
            start = self.here.at
            alone = self.lone_signal()
            flow = Flow(label, (), (alone,)) if alone else self.chain(label)
            steps += flow.steps
            if not self.sees(";"):
                break
            if flow.results:
                raise self.error("the last statement inside a criterion is what it measures", self.here.at)
            self.take()
        if not flow.results and not flow.steps:
            raise self.error(f"a criterion takes signals one by one: {criterion.name}(mu, logvar)", start)
        results = flow.results or flow.steps[-1].outputs
        extras: list[Ref] = []
        while self.sees(","):
            self.take()
            extras.append(self.read())
        self.named(extras)
        self.expect(")", "',' or ')'" if flow.target or alone else "'-', '~', ',' or ')'")
        if alone and self.sees("-", "->", "~", ",", "vs", "<>"):
            raise self.no_gate(criterion)  # what follows makes it a signal that is read
        return Flow(label, steps, results, flow.target, criterion, tuple(extras))

    def lone_signal(self) -> Ref | None:
        """Take a signal that a criterion measures by itself, ``kl(mu, logvar)``."""
        begun = self.position
        if self.here.kind != "name":
            return None
        signal = self.read()
        if self.sees(",", ")"):
            self.named((signal,))
            return signal
        self.position = begun
        return None

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
        called = parser.here.kind == "name" and parser.next_text == "(" and not parser.at_gate
        flow = parser.criterion(label) if called else parser.chain(label)
        steps += flow.steps
        if labelled and flow.results and flow.target is None:
            raise parser.error("a cycle is compared with what it came from: end it with '~' and a signal", at)
        if flow.results:
            yield Flow(label, steps, flow.results, flow.target, flow.criterion, flow.extras)
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
        confused = parser.sees("<>")
        if not confused:
            parser.expect("vs", "'vs' and what is real")
        else:
            parser.take()
        real = parser.node()
        parser.named((*fake, *real))
        found.append(Versus(label, fake, real, tuple(parser.regularizers()), confused))
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

    @cached_property
    def discriminators(self) -> tuple[str, ...]:
        """The discriminators' names in order of appearance: those of adversaries, then those with heads alone."""
        judges = [versus.discriminator.name for versus in self.adversaries]
        judges += [step.network.name for _, flow in self.flows for step in flow.steps if step.head is not None]
        return tuple(dict.fromkeys(judges))

    @cached_property
    def adversarial(self) -> frozenset[str]:
        """The discriminators that adversaries name."""
        return frozenset(versus.discriminator.name for versus in self.adversaries)

    @cached_property
    def headless(self) -> frozenset[str]:
        """The networks and functions that a flow uses without a head."""
        return frozenset(s.network.name for _, flow in self.flows for s in flow.steps if s.head is None)

    @property
    def gates(self) -> dict[Ref, str]:
        """Every signal that is read in a gate, with the argument it first stands in."""
        found: dict[Ref, str] = {}
        reads = [(place, ref) for place, flow in self.flows for ref in flow.reads]
        reads += [("adversaries", ref) for versus in self.adversaries for ref in versus.reads]
        for place, ref in reads:
            if ref.gate:
                found.setdefault(ref, place)
        return found

    def error(self, message: str, place: str, at: int) -> NotationError:
        """Return the error for a place in one of the texts."""
        return NotationError(message, field=place, text=self.texts[place], at=at)
