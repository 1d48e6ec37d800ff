"""Who learns from a term, and what has to be computed for it."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace

from cyclekit.graph._meaning import Meaning
from cyclekit.graph._plan import FEATURES, Evaluation, PlayerPlan, expression, ordered
from cyclekit.graph._terms import Adversary, Comparison, Player, Regularizer, Term


def learners(meaning: Meaning, frozen: Iterable[str], term: Term, player: Player) -> frozenset[str]:
    """Return the networks that receive a term's gradient when a player pays it."""
    if not isinstance(term, Comparison) and player == "discriminators":
        return frozenset({term.discriminator})
    values = term.signals if isinstance(term, Comparison) else term.fake
    role = "generator" if player == "generators" else "discriminator"
    found = {call.network for call in meaning.upstream(values) if meaning.role(call) == role}
    return frozenset(found - set(frozen))


def makers(meaning: Meaning) -> dict[str, Evaluation]:
    """Return which evaluation makes each value, judgements included."""
    found: dict[str, Evaluation] = {}
    judged: dict[tuple[str, tuple[str, ...]], dict[str, str]] = {}
    for call in meaning.uses.calls:
        if call.head is not None:
            judged.setdefault((call.network, call.inputs), {})[call.head] = call.outputs[0]
        else:
            found.update(dict.fromkeys(call.outputs, Evaluation(call.network, call.inputs, call.outputs)))
    for term in meaning.terms:
        if isinstance(term, Adversary):
            judged.setdefault((term.discriminator, term.fake), {})
            judged.setdefault((term.discriminator, term.real), {})
        elif isinstance(term, Regularizer) and term.player == "generators" and term.weight > 0:
            for side, features in zip((term.fake, term.real), term.features, strict=True):
                judged[term.discriminator, side][FEATURES] = features
    for (network, inputs), heads in judged.items():
        judgement = expression(network, inputs)
        evaluation = Evaluation(network, inputs, (judgement,), tuple(heads.items()))
        found.update(dict.fromkeys(evaluation.makes, evaluation))
    return found


def plan_player(
    meaning: Meaning, makers: Mapping[str, Evaluation], terms: Iterable[Term], player: Player
) -> PlayerPlan:
    """Return what a player computes for some terms, in order."""
    terms = tuple(terms)
    if player == "discriminators":
        makers = {value: maker for value, maker in makers.items() if not _given(meaning, value)}
    wanted = [value for term in terms for value in _wanted(term, player)]
    evaluations = ordered(wanted, makers)
    made = {value for evaluation in evaluations for value in evaluation.makes}
    read = dict.fromkeys([value for evaluation in evaluations for value in evaluation.inputs] + wanted)
    needed = [value for value in read if value not in made]
    return PlayerPlan(
        tuple(_without_idle_features(evaluation, read) for evaluation in evaluations),
        tuple(term.name for term in terms),
        tuple(value for value in needed if value in meaning.inputs),
        tuple(value for value in needed if value not in meaning.inputs),
    )


def _without_idle_features(evaluation: Evaluation, read: Container[str]) -> Evaluation:
    """Return an evaluation that makes features only where somebody reads them."""
    heads = tuple((head, value) for head, value in evaluation.heads if head != FEATURES or value in read)
    return replace(evaluation, heads=heads)


def _wanted(term: Term, player: Player) -> tuple[str, ...]:
    """Return the values a player needs for a term."""
    if isinstance(term, Comparison):
        return term.signals
    if isinstance(term, Regularizer):
        # A penalty judges the signals itself, for the sake of the gradient by them.
        return term.signals if player == "discriminators" else term.features
    sides = (term.fake,) if player == "generators" else (term.fake, term.real)
    return tuple(expression(term.discriminator, side) for side in sides)


def _given(meaning: Meaning, value: str) -> bool:
    """Whether the discriminators take a value ready-made: it is a generator's, and no judgement of theirs."""
    roles = {meaning.role(call) for call in meaning.upstream([value], through=["function"])}
    return "generator" in roles and "discriminator" not in roles
