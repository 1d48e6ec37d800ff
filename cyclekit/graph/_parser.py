"""The notation: tokens to flows and adversaries.

    statement  = [name ":"] (flow | adversary | criterion)
    flow       = node {"-" name ["." name] "->" node} ["~" name]
    adversary  = node "vs" node {"+" name}
    criterion  = name "(" flow {"," name} ")"
    node       = name | "[" name {"," name} "]"

A statement ends at ``;`` or at a new line that cannot be a continuation; ``#`` starts a comment.
"""

from collections.abc import Iterator

from cyclekit.errors import NotationError
from cyclekit.graph._syntax import Flow, Ref, Step, Versus
from cyclekit.graph._tokens import Token, tokens


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
