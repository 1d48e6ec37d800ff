"""The plan: who learns from a term, and what is computed for it, in which order, once.

Values are named. A generated signal keeps its name; a result nobody named, and what a discriminator says of a
tuple, is called by its expression, ``D_I(x, Ly, y*)``.
"""

import heapq
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from cyclekit.graph.notation import GATES, expression
from cyclekit.graph.resolve import STOPPED, Meaning
from cyclekit.graph.terms import FEATURES, Adversary, Comparison, Regularizer, Side, Term


@dataclass(frozen=True)
class Evaluation:
    """One forward pass of one network.

    Args:
        network: The network's name.
        inputs: The values it reads, joined in this order.
        outputs: The values it makes; a discriminator makes its logits, called by their expression, one that
            stands in no adversary just its heads.
        heads: For a discriminator with heads: the value made of each head's output.
        stopped: Whether its weights take no gradient from it.
    """

    network: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    heads: tuple[tuple[str, str], ...] = ()
    stopped: bool = False

    @property
    def joinable(self) -> tuple[str, bool]:
        """What uses must have in common to run as one batch: the network, and whether it is stopped."""
        return self.network, self.stopped

    @property
    def makes(self) -> tuple[str, ...]:
        """Every value it makes, heads included."""
        return self.outputs + tuple(value for _, value in self.heads)

    def __str__(self) -> str:
        """Return ``G_I(x, Ly) -> y*``, or just ``D_I(x, Ly, y*)`` for logits."""
        use = expression(self.network, self.inputs, stopped=self.stopped)
        named = [value for value in self.makes if value != use]
        return f"{use} -> {', '.join(named)}" if named else use


@dataclass(frozen=True)
class LossPlan:
    """What is computed for one side's loss.

    Args:
        evaluations: In an order in which every value is made before it is read.
        terms: The names of the terms it sums.
        inputs: The signals a batch must carry.
        given: Generated signals it takes ready-made and detached from the generators' pass.
    """

    evaluations: tuple[Evaluation, ...]
    terms: tuple[str, ...]
    inputs: tuple[str, ...]
    given: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """The plans of both losses.

    Args:
        generators: What is computed for the generators' loss.
        discriminators: What is computed for the discriminators' loss.
    """

    generators: LossPlan
    discriminators: LossPlan

    def __str__(self) -> str:
        """Return one line an evaluation, under each side's name."""
        lines: list[str] = []
        for side, plan in (("generators", self.generators), ("discriminators", self.discriminators)):
            lines.append(f"{side}:")
            lines += [f"  {evaluation}" for evaluation in plan.evaluations]
        return "\n".join(lines)


def learners(
    meaning: Meaning, frozen: Iterable[str], term: Term, side: Side, stopped: Mapping[str, Collection[int]]
) -> frozenset[str]:
    """Return the networks that receive a term's gradient when a side minimises it.

    Args:
        meaning: What the graph means.
        frozen: Generators that do not learn.
        term: The term.
        side: Whose loss.
        stopped: By function or term, the places of the inputs that it passes no gradient to.
    """
    if term.discriminator is not None and side == "discriminators":
        return frozenset({term.discriminator})
    role = "generator" if side == "generators" else "discriminator"
    made = [value for place, value in enumerate(term.made(side)) if place not in stopped.get(term.name, ())]
    passed = meaning.upstream(made, stopped={**STOPPED, **stopped})
    found = {call.network for call in passed if meaning.role(call) == role and not call.stopped}
    return frozenset(found - set(frozen))


def find_makers(meaning: Meaning, terms: Iterable[Term]) -> dict[str, Evaluation]:
    """Return which evaluation makes each value, a discriminator's logits and heads included."""
    terms = tuple(terms)
    found: dict[str, Evaluation] = {}
    judged: dict[tuple[str, tuple[str, ...]], dict[str, str]] = {}
    for call in meaning.uses.calls:
        if call.head is not None:
            judged.setdefault((call.network, call.inputs), {})[call.head] = call.outputs[0]
        else:
            evaluation = Evaluation(call.network, call.inputs, call.outputs, stopped=call.stopped)
            found.update(dict.fromkeys(call.outputs, evaluation))
    judges = {term.discriminator for term in terms if isinstance(term, Adversary)}
    for term in terms:
        if isinstance(term, Adversary):
            judged.setdefault((term.discriminator, term.fake), {})
            judged.setdefault((term.discriminator, term.real), {})
        elif isinstance(term, Regularizer) and term.side == "generators":
            for signals, features in zip((term.fake, term.real), term.features, strict=True):
                judged[term.discriminator, signals][FEATURES] = features
    for (network, inputs), heads in judged.items():
        logits = (expression(network, inputs),) if network in judges else ()
        evaluation = Evaluation(network, inputs, logits, tuple(heads.items()))
        found.update(dict.fromkeys(evaluation.makes, evaluation))
    return found


def plan_loss(
    meaning: Meaning,
    makers: Mapping[str, Evaluation],
    terms: Iterable[Term],
    side: Side,
    against_real: Collection[str] = (),
) -> LossPlan:
    """Return what is computed for a side's loss over some terms, in order.

    Args:
        meaning: What the graph means.
        makers: Which evaluation makes each value.
        terms: The terms.
        side: Whose loss.
        against_real: The names of adversaries whose loss compares with the real side for the generators too.
    """
    terms = tuple(terms)
    if side == "discriminators":
        makers = {value: maker for value, maker in makers.items() if not _given(meaning, value)}
    wanted = [value for term in terms for value in term.needs(side)]
    wanted += [
        expression(term.discriminator, term.real)
        for term in terms
        if isinstance(term, Adversary) and term.name in against_real
    ]
    evaluations = ordered(wanted, makers)
    made = {value for evaluation in evaluations for value in evaluation.makes}
    read = dict.fromkeys([value for evaluation in evaluations for value in evaluation.inputs] + wanted)
    needed = [value for value in read if value not in made]
    return LossPlan(
        tuple(_without_unread_heads(evaluation, read) for evaluation in evaluations),
        tuple(term.name for term in terms),
        tuple(value for value in needed if value in meaning.inputs),
        tuple(value for value in needed if value not in meaning.inputs),
    )


def plan_signals(
    makers: Mapping[str, Evaluation], wanted: Iterable[str], known: Collection[str] = ()
) -> tuple[tuple[Evaluation, ...], tuple[str, ...]]:
    """Return what leads to some values where others are known: the evaluations, and the inputs they take."""
    wanted = [value for value in wanted if value not in known]
    evaluations = ordered(wanted, {value: maker for value, maker in makers.items() if value not in known})
    made = {value for evaluation in evaluations for value in evaluation.makes}
    read = dict.fromkeys([*wanted, *(value for evaluation in evaluations for value in evaluation.inputs)])
    return evaluations, tuple(value for value in read if value not in made and value not in known)


def backward_groups(meaning: Meaning, makers: Mapping[str, Evaluation], terms: Iterable[Term]) -> list[list[str]]:
    """Return the generators' terms by cycle: each cycle's with those that need nothing but what it makes.

    Returns:
        Names of terms that are back-propagated together; a term that is at home in no cycle stands alone.
    """
    terms = tuple(terms)
    homes: dict[str, list[str]] = {}
    groups: dict[str, list[str]] = {}
    for term in terms:
        if isinstance(term, Comparison) and term.kind == "cycle":
            groups[term.name] = [term.name]
            evaluations = ordered(term.needs("generators"), makers)
            for value in {value for evaluation in evaluations for value in evaluation.makes}:
                homes.setdefault(value, []).append(term.name)
    cycles = tuple(groups)
    for term in terms:
        if term.name not in cycles:
            # What leads to a value that a cycle makes is made by that cycle as well.
            made = [homes.get(value, []) for value in _generated(meaning, makers, term.needs("generators"))]
            shared = set(made[0]).intersection(*made[1:]) if made else {*cycles}
            home = next((cycle for cycle in cycles if cycle in shared), term.name)
            groups.setdefault(home, []).append(term.name)
    return list(groups.values())


def _generated(meaning: Meaning, makers: Mapping[str, Evaluation], values: Iterable[str]) -> list[str]:
    """Return the generated values that some values are, or that discriminators judge for them."""
    found: dict[str, None] = {}
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if value in makers and meaning.networks[makers[value].network].role == "discriminator":
            waiting += makers[value].inputs
        elif value in makers:
            found[value] = None
    return list(found)


def _without_unread_heads(evaluation: Evaluation, read: Collection[str]) -> Evaluation:
    return replace(evaluation, heads=tuple((head, value) for head, value in evaluation.heads if value in read))


def _given(meaning: Meaning, value: str) -> bool:
    """Whether the discriminators take a value ready-made: it is a generator's, and nothing a discriminator says.

    What is read in a gate they take from the signal in it.
    """
    if value in meaning.uses.makers and meaning.uses.makers[value].network in GATES:
        return False
    roles = {meaning.role(call) for call in meaning.upstream([value], through=["function"])}
    return "generator" in roles and "discriminator" not in roles


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
    pending: dict[tuple[str, bool], int] = {}
    ready: dict[tuple[str, bool], list[Evaluation]] = {}
    for evaluation, before in sources.items():
        pending[evaluation.joinable] = pending.get(evaluation.joinable, 0) + 1
        for source in before:
            readers[source].append(evaluation)

    # By network: whether some of its uses are not ready yet, and the first that is; passed over where that has changed.
    queue: list[tuple[bool, int, tuple[str, bool]]] = []

    def place(network: tuple[str, bool]) -> tuple[bool, int, tuple[str, bool]]:
        return len(ready[network]) < pending[network], needed[ready[network][0]], network

    def add(use: Evaluation) -> None:
        ready.setdefault(use.joinable, []).append(use)
        if len(ready[use.joinable]) in (1, pending[use.joinable]):
            heapq.heappush(queue, place(use.joinable))

    for evaluation, before in sources.items():
        if not before:
            add(evaluation)

    order: list[Evaluation] = []
    while queue:
        # A network whose uses are all ready runs now, so that none of its uses is left to run alone later.
        entry = heapq.heappop(queue)
        network = entry[-1]
        if network not in ready or entry != place(network):
            continue
        uses = sorted(ready.pop(network), key=needed.__getitem__)
        pending[network] -= len(uses)
        order += uses
        for use in uses:
            for reader in readers[use]:
                sources[reader].remove(use)
                if not sources[reader]:
                    add(reader)
    return tuple(order)


def grouped(evaluations: Iterable[Evaluation], joins: Callable[[str], bool]) -> tuple[tuple[Evaluation, ...], ...]:
    """Join neighbouring, independent uses of one network where ``joins`` allows it."""
    groups: list[list[Evaluation]] = []
    for evaluation in evaluations:
        last = groups[-1] if groups else []
        if (
            last
            and last[0].joinable == evaluation.joinable
            and len(last[0].inputs) == len(evaluation.inputs)
            and joins(evaluation.network)
            and not {value for e in last for value in e.makes} & set(evaluation.inputs)
        ):
            last.append(evaluation)
        else:
            groups.append([evaluation])
    return tuple(tuple(group) for group in groups)
