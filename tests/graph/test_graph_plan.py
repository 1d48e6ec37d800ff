"""The plan of any graph: everything needed, nothing else, each once, in an order that works."""

import json
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from cyclekit.graph import Adversary, Comparison, CycleGraph, Evaluation, GraphError, Image, Regularizer, resolve
from cyclekit.graph.notation import expression
from cyclekit.graph.plan import grouped, ordered
from tests.graph.family import C2GAN, CYCLEGAN
from tests.graph.strategies import graphs

PLAYERS = ("generators", "discriminators")
several = settings(max_examples=60, deadline=None)


def wanted(graph, name, player):
    """Return the values a term is computed from, worked out from what is written."""
    term = graph.term(name)
    if isinstance(term, Adversary):
        sides = [term.fake] if player == "generators" and not term.confused else [term.fake, term.real]
        return [f"{term.discriminator}({', '.join(side)})" for side in sides]
    if isinstance(term, Comparison):
        return [term.prediction, *([term.target] if term.target else []), *term.extras]
    if term.criterion == "feature_matching":
        return [f"{term.discriminator}.features({', '.join(side)})" for side in (term.fake, term.real)]
    return [*term.fake, *term.real]


@several
@given(graphs())
def test_every_value_is_made_before_it_is_read_and_only_once(graph):
    for player in PLAYERS:
        plan = getattr(graph.plan(), player)
        known = {*plan.inputs, *plan.given}
        read = set()
        for evaluation in plan.evaluations:
            assert set(evaluation.inputs) <= known
            assert not known & set(evaluation.makes)
            read.update(evaluation.inputs)
            known.update(evaluation.makes)
        results = {value for name in plan.terms for value in wanted(graph, name, player)}
        assert results <= known
        assert {*plan.inputs, *plan.given} <= read | results
        assert all({*evaluation.makes} & (read | results) for evaluation in plan.evaluations)
        assert len(uses(plan)) == len(plan.evaluations)
        assert set(plan.inputs) <= set(graph.inputs)


@several
@given(graphs())
def test_the_discriminators_recompute_no_fake(graph):
    plan = graph.plan().discriminators
    assert not {evaluation.network for evaluation in plan.evaluations} & set(graph.generators)
    assert set(plan.given) <= set(graph.generated)


@several
@given(graphs(), st.data())
def test_terms_of_weight_zero_need_nothing(graph, data):
    silent = data.draw(st.sets(st.sampled_from([term.name for term in graph.terms])))
    reweighted = graph.reweight(dict.fromkeys(silent, 0))
    spoken = [term.name for term in graph.terms if term.weight != 0 and term.name not in silent]
    assert reweighted.plan() == graph.plan(spoken)
    assert set(reweighted.gradient_flow()) == set(graph.gradient_flow()) - silent


@several
@given(graphs())
def test_gradient_flow_is_what_a_run_of_the_plan_passes_through(graph):
    plan = graph.plan().generators
    passed = {name: frozenset() for name in plan.inputs}
    for evaluation in plan.evaluations:
        before = frozenset().union(*(passed[value] for value in evaluation.inputs))
        if evaluation.network == "stop":
            before = frozenset()
        passed.update(dict.fromkeys(evaluation.makes, before if evaluation.stopped else before | {evaluation.network}))
    learning = set(graph.generators) - set(graph.frozen)
    flow: dict[str, set[str]] = {}
    for name in plan.terms:
        values = wanted(graph, name, "generators")
        # what is matched on the real side is a constant
        paying = values[:1] if isinstance(graph.term(name), Regularizer) else values
        flow[name] = learning & frozenset().union(*(passed[value] for value in paying))
    assert {name: learners for name, learners in graph.gradient_flow().items() if learners} == flow


@several
@given(graphs())
def test_uses_that_could_be_joined_stand_side_by_side(graph):
    for player in PLAYERS:
        evaluations = getattr(graph.plan(), player).evaluations
        groups = grouped(evaluations, lambda network: True)
        assert tuple(evaluation for group in groups for evaluation in group) == evaluations
        for group in groups:
            makes = {value for evaluation in group for value in evaluation.makes}
            assert len({(*evaluation.joinable, len(evaluation.inputs)) for evaluation in group}) == 1
            assert not makes & {value for evaluation in group for value in evaluation.inputs}
        for former, latter in pairwise(groups):
            if former[0].joinable == latter[0].joinable and former[0].network in graph.networks:
                made = {value for evaluation in former for value in evaluation.makes}
                assert made & {value for evaluation in latter for value in evaluation.inputs}
        assert grouped(evaluations, lambda network: False) == tuple((evaluation,) for evaluation in evaluations)


def joined(graph, player):
    groups = grouped(getattr(graph.plan(), player).evaluations, lambda network: True)
    return [(group[0].network, len(group)) for group in groups]


def test_c2gan_and_cyclegan_join_all_that_can_be_joined():
    assert joined(C2GAN, "generators") == [("G_I", 1), ("G_I", 1), ("G_K", 2), ("D_I", 2), ("D_K", 2)]
    assert joined(C2GAN, "discriminators") == [("D_I", 4), ("D_K", 4)]
    assert joined(CYCLEGAN, "generators") == [("G_A", 2), ("G_B", 3), ("G_A", 1), ("D_A", 1), ("D_B", 1)]


def test_ordered_waits_for_uses_that_come_later():
    a, b = Evaluation("F", ("x",), ("a",)), Evaluation("G", ("x",), ("b",))
    c = Evaluation("F", ("b",), ("c",))
    makers = {"a": a, "b": b, "c": c}
    assert ordered(["a", "c"], makers) == (b, a, c)
    assert ordered(["c"], makers) == (b, c)
    assert ordered(["x"], makers) == ()
    assert str(b) == "G(x) -> b"
    assert expression("D", ["x", "y"], "cls") == "D.cls(x, y)"


def uses(plan):
    return {(*evaluation.joinable, evaluation.inputs) for evaluation in plan.evaluations}


@several
@given(graphs(), st.data())
def test_a_part_of_the_terms_needs_a_part_of_the_plan(graph, data):
    names = data.draw(st.sets(st.sampled_from([term.name for term in graph.terms])))
    whole, part = graph.plan(), graph.plan(names)
    for player in PLAYERS:
        assert uses(getattr(part, player)) <= uses(getattr(whole, player))
        assert set(getattr(part, player).terms) <= names
    for name in graph.generated:
        assert any(name in evaluation.makes for evaluation in graph.evaluations(name))


@several
@given(graphs())
def test_any_graph_survives_its_journeys(graph):
    again = CycleGraph.from_dict(json.loads(json.dumps(graph.to_dict())))
    assert again == graph
    assert hash(again) == hash(graph)
    assert again.plan() == graph.plan()
    assert str(again) == str(graph)
    assert again.to_mermaid() == graph.to_mermaid()


def said(term):
    return term.equation, term.weight, term.criterion, term.optional


@several
@given(graphs(), st.data())
def test_edits_of_any_graph(graph, data):
    term = data.draw(st.sampled_from(graph.terms))
    try:
        smaller = graph.without(term.name)
    except GraphError as refused:
        assert "take it away as well" in str(refused)  # noqa: PT017 - refusing is one of two right answers
    else:
        assert len(smaller.terms) < len(graph.terms)
        assert set(map(said, smaller.terms)) <= set(map(said, graph.terms))
        assert set(smaller.signals) <= set(graph.signals)
    for name in graph.generators:
        uses = [call for call in graph.calls if call.network == name]
        if len(uses) > 1:
            apart = graph.unshare(name)
            assert len(apart.generators) == len(graph.generators) + len(uses) - 1
            assert len(apart.calls) == len(graph.calls)
            assert [t.weight for t in apart.terms] == [t.weight for t in graph.terms]
            assert len(apart.plan().generators.evaluations) == len(graph.plan().generators.evaluations)


def test_names_found_late_are_read_once(monkeypatch):
    readings = []
    read = resolve._Reading.read
    monkeypatch.setattr(resolve._Reading, "read", lambda self: (readings.append(1), read(self))[1])
    size = 300
    names = "\n".join(f"{'x' if i == 0 else f's{i}'} -G-> s{i + 1}" for i in reversed(range(size)))
    graph = CycleGraph({"x": Image(3)}, maps=f"x {'-G-> _ ' * size}\n{names}", losses=f"s{size} ~ x")
    assert len(readings) == 1
    assert len(graph.calls) == size
    assert graph.generated == tuple(f"s{i + 1}" for i in range(size))
