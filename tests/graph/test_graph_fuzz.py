"""Whatever is written, nothing but a graph or a GraphError comes out."""

import re
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cyclekit.graph import CycleGraph, GraphError, Heatmap, Image, Label, NotationError
from cyclekit.graph.notation import (
    Flow,
    Ref,
    Step,
    Versus,
    format_flow,
    format_versus,
    parse_adversaries,
    parse_cycles,
    parse_losses,
    parse_maps,
)
from tests.graph.family import FAMILY
from tests.graph.test_graph_latex import assert_balanced

FIELDS = ("cycles", "maps", "adversaries", "losses")
SIGNALS = {"x": Image(3), "y": Image(3), "L": Heatmap(18), "c": Label(5)}
VALID = {
    "cycles": "K2G2K: [x, L] -G_I-> y* -G_K-> L* ~ L ; back: [y*, stop(L)] -stop(G_I)-> x* ~ x  # a comment\n",
    "maps": "[x, L] -G_I-> y*\n[y*, reverse(y*)] -add-> y2 ; x -E-> [_, _]",
    "adversaries": "D: [x, L, y*] vs [x, L, y]\n   [x, L, x] vs\n [x, L, stop(y)] ; D_2: y* <> y",
    "losses": "y* ~ stop(y) ; masked(x -E-> [m, _] ; [x, L] -G_I-> _ ~ x, L)\n"
    "cls: y* -D.cls-> _ ~ c ; kl(m, reverse(m))",
}
WORDS = ["x", "y", "L", "c", "x*", "y*", "_", "G", "D", "D.cls", "vs", "a", "_*", "add", "stop", "reverse", "²", "é"]
SIGNS = [
    "<>",
    "stop(",
    "-G->",
    "-",
    "->",
    "~",
    ",",
    "[",
    "]",
    "(",
    ")",
    ":",
    ";",
    "\n",
    ".",
    " ",
    "\t",
    "# no\n",
    "\0",
    "\ud800",
]
soups = st.lists(st.sampled_from(WORDS + SIGNS), max_size=40).map("".join)


@st.composite
def mutated(draw, field):
    text = VALID[field]
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        stop = draw(st.integers(start, min(len(text), start + 6)))
        text = text[:start] + draw(st.sampled_from(["", *WORDS, *SIGNS])) + text[stop:]
    return text


def texts(field):
    return st.text() | soups | mutated(field) | st.text(alphabet="xyG*_-> ~:;\n[],.()", max_size=60)


def refuses_or_builds(**fields):
    refused = None
    try:
        graph = CycleGraph(**{"signals": SIGNALS, **fields})
    except GraphError as error:
        refused = error
    if refused is None:
        assert CycleGraph.from_dict(graph.to_dict()) == graph
        assert str(graph)
        assert graph.to_mermaid()
        assert_balanced(graph.to_latex())
        assert not graph.diff(graph)
        graph.plan()
    elif isinstance(refused, NotationError):
        marks_its_place(refused, fields)
    else:
        assert str(refused)


def marks_its_place(error, fields):
    assert error.field in fields
    lines = error.text.split("\n")
    assert 1 <= error.line <= len(lines)
    assert 1 <= error.column <= len(lines[error.line - 1]) + 1
    head, shown, caret = str(error).rsplit("\n", 2)
    assert head.startswith(f"{error.field}, line {error.line}: ")
    line, place = lines[error.line - 1], caret.index("^")
    if len(line) <= 100:
        assert len(shown) == len(line) + 4
        assert place == error.column + 3
    assert len(shown) <= 206
    here, said = (f"{text}\n"[at] for text, at in ((shown, place), (line, error.column - 1)))
    assert here in (said, "\n", "\ufffd")
    str(error).encode()


@pytest.mark.parametrize("field", FIELDS)
@settings(max_examples=70, deadline=None)
@given(data=st.data())
def test_arbitrary_text_is_refused_with_its_place_or_builds(field, data):
    refuses_or_builds(**{field: data.draw(texts(field))})


@settings(max_examples=70, deadline=None)
@given(st.fixed_dictionaries({field: st.just(VALID[field]) | mutated(field) for field in FIELDS}))
@example(VALID)
def test_four_texts_together_are_refused_with_their_place_or_build(fields):
    refuses_or_builds(**fields, functions=["add"])


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["x", "y", "x*", "G", "_", "vs", ""]) | st.text(), st.just(Image(3)), max_size=4),
    st.dictionaries(st.sampled_from(["y* ~ y", "y*~y", "D", ""]) | st.text(), st.floats() | st.integers(), max_size=2),
    st.lists(st.sampled_from(["G", "D", "y* ~ y"]) | st.text(), max_size=2),
)
def test_arbitrary_names_and_numbers_raise_nothing_else(signals, weights, names):
    for options in ({"frozen": names}, {"optional": names}, {"functions": names}):
        with suppress(GraphError):
            CycleGraph(signals, maps="x -G-> y*", losses="y* ~ y", weights=weights, **options)


NAMES = st.sampled_from(["x", "y", "z", "x*", "y**", "näme", "_1"])
PLAIN = st.sampled_from(["G", "F_1", "D", "masked"])


def refs(names, least=1):
    return st.lists(names.map(Ref), min_size=least, max_size=3).map(tuple)


READ = NAMES | st.builds("{}({})".format, st.sampled_from(["stop", "reverse"]), NAMES)
steps = st.builds(Step, refs(READ), PLAIN.map(Ref), st.none() | PLAIN.map(Ref), refs(NAMES)) | st.builds(
    Step, refs(READ), PLAIN.map(Ref), st.none(), refs(NAMES), st.just(True)
)
comparing = st.builds(
    Flow,
    st.none() | PLAIN.map(Ref),
    st.lists(steps, max_size=4).map(tuple),
    READ.map(lambda name: (Ref(name),)),
    READ.map(Ref),
    st.none() | PLAIN.map(Ref),
    refs(READ, least=0),
).map(lambda flow: flow if flow.criterion else Flow(flow.label, flow.steps, flow.results, flow.target))
one_sided = st.builds(
    Flow,
    st.none() | PLAIN.map(Ref),
    st.lists(steps, max_size=4).map(tuple),
    READ.map(lambda name: (Ref(name),)),
    st.none(),
    PLAIN.map(Ref),
    refs(READ, least=0),
)
chains = st.builds(Step, refs(READ), PLAIN.map(Ref), st.none(), refs(NAMES), st.booleans()).flatmap(
    lambda first: st.lists(st.tuples(PLAIN.map(Ref), refs(NAMES)), max_size=4).map(lambda rest: chained(first, rest))
)
verses = st.builds(Versus, PLAIN.map(Ref), refs(READ), refs(READ), refs(PLAIN, least=0), st.booleans())


def chained(first, rest):
    found = [first]
    for network, outputs in rest:
        found.append(Step(found[-1].outputs, network, None, outputs))
    return Flow(None, tuple(found))


@settings(max_examples=60, deadline=None)
@given(st.lists(comparing | one_sided, max_size=4))
def test_parsing_undoes_formatting_of_measured_flows(flows):
    assert list(parse_losses("\n".join(map(format_flow, flows)))) == flows
    labelled = [replace(flow, label=Ref("n")) for flow in flows if flow.target is not None]
    assert list(parse_cycles(" ; ".join(map(format_flow, labelled)))) == labelled


@settings(max_examples=60, deadline=None)
@given(st.lists(chains, max_size=4), st.lists(verses, max_size=4))
def test_parsing_undoes_formatting_of_maps_and_adversaries(flows, versus):
    assert list(parse_maps("\n".join(map(format_flow, flows)))) == flows
    assert list(parse_adversaries("\n".join(map(format_versus, versus)))) == versus


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(FAMILY)), st.randoms(use_true_random=False))
def test_white_space_and_comments_do_not_count(name, random):
    graph = FAMILY[name]

    def loosened(text):
        bare = "\n".join(line.partition("#")[0] for line in text.splitlines())
        pieces = re.split(r"(->|[\[\],~()])", bare)
        gaps = ["", " ", "\t", "\n  ", " # why: [x, -> y\n"]
        return "".join(piece + (random.choice(gaps) if piece in ("->", "[", ",", "~") else "") for piece in pieces)

    said = {field: loosened(text) for field, text in graph.equations.items()}
    assert graph.replace(**said) == graph


@pytest.mark.parametrize("link", ["s{} -G-> s{} ", "-G-> _ "])
def test_very_long_chains_need_no_recursion(link):
    length = 3000
    if link.startswith("s"):
        lines = [f"s{i} -G-> s{i + 1}" for i in range(length)]
        graph = CycleGraph({"s0": Image(3)}, maps="\n".join(lines), losses=f"long: s{length} ~ s0")
    else:
        graph = CycleGraph({"s0": Image(3)}, losses="long: s0 " + link * length + "~ s0")
    assert len(graph.plan().generators.evaluations) == length
    assert graph.gradient_flow() == {"long": {"G"}}
    assert CycleGraph.from_dict(graph.to_dict()) == graph
    hash(graph)


def test_a_very_long_loop_needs_no_recursion():
    length = 3000
    lines = [f"s{i} -G-> s{(i + 1) % length}" for i in range(length)]
    with pytest.raises(NotationError, match="a loop: "):
        CycleGraph({"x": Image(3)}, maps="\n".join(lines), losses="s1 ~ x")


def test_results_without_a_name_do_not_grow_without_bound():
    graph = CycleGraph({"x": Image(3)}, losses="deep: [x, x] " + "-G-> [_, _] " * 200 + "-F-> _ ~ x")
    assert len(graph.calls) == 201
    assert max(len(value) for value in graph.signals) < 1000


@pytest.mark.parametrize(
    "text", ["x" * 100_000, "[" * 50_000, "x," * 50_000, "\n" * 100_000, "x -" * 50_000, "(" * 50_000]
)
def test_long_nonsense_is_refused_soon(text):
    for field in FIELDS:
        refuses_or_builds(**{field: text})
