"""Graphs and domains are values: equal, hashable, immutable, and the same again after every journey."""

import copy
import json
import pickle
import sys
from dataclasses import FrozenInstanceError, dataclass
from typing import ClassVar

import pytest

import cyclekit.graph
from cyclekit.graph import (
    CycleGraph,
    Domain,
    GraphError,
    GraphWarning,
    Heatmap,
    Image,
    Label,
    Landmarks,
    Latent,
    Mask,
    Ramp,
    Schedule,
    StandIn,
    Vector,
)
from tests.graph.family import C2GAN, CYCLEGAN, FAMILY, PG2

DETAILED = C2GAN.replace(
    criteria={"D_I": "hinge", "y* ~ y": "l2"},
    frozen=["G_K"],
    optional=["K2R2K"],
    schedule=Schedule(discriminator_steps=2, history=0, stand_ins=(StandIn("G_I", "E", 7),)),
)
GRAPHS = FAMILY | {"detailed": DETAILED}


@dataclass(frozen=True)
class Bathymetry(Domain):
    """A domain as a user would write it, with a field of its own."""

    channels: int = 1
    planes: tuple[float, ...] = (0.1, 10.0)
    bounds: ClassVar[tuple[float, float] | None] = (0.0, 10.0)


@pytest.fixture(params=GRAPHS)
def graph(request):
    return GRAPHS[request.param]


def test_a_graph_survives_every_journey(graph):
    journeys = {
        "json": CycleGraph.from_dict(json.loads(json.dumps(graph.to_dict()))),
        "sorted json": CycleGraph.from_dict(json.loads(json.dumps(graph.to_dict(), sort_keys=True))),
        "pickle": pickle.loads(pickle.dumps(graph)),
        "copy": copy.copy(graph),
        "deepcopy": copy.deepcopy(graph),
        "repr": eval(repr(graph), vars(cyclekit.graph)),
        "replace": graph.replace(),
    }
    for journey, again in journeys.items():
        assert again == graph, journey
        assert hash(again) == hash(graph), journey
        assert again.plan() == graph.plan(), journey
    assert journeys["json"].equations == graph.equations


def test_different_graphs_differ():
    assert len(set(GRAPHS.values())) == len(GRAPHS)
    assert C2GAN.reweight({"K2G2K": 1}) != C2GAN
    assert C2GAN.replace(adversarial="log") != C2GAN
    assert C2GAN.replace(frozen=["G_K"]) != C2GAN
    assert C2GAN.replace(schedule=Schedule(history=0)) != C2GAN
    assert C2GAN.replace(optional=["K2G2K"]) != C2GAN
    assert C2GAN != "C2GAN"


def test_white_space_comments_and_the_order_of_options_do_not_count():
    bare = {name: "\n".join(line.split("#")[0] for line in text.splitlines()) for name, text in C2GAN.equations.items()}
    signals = dict(reversed(list(C2GAN.to_dict()["signals"].items())))
    again = CycleGraph.from_dict({**C2GAN.to_dict(), **bare, "signals": signals})
    assert again == C2GAN
    assert again.equations != C2GAN.equations


def test_a_graph_never_changes():
    with pytest.raises(FrozenInstanceError, match=r"a graph never changes; CycleGraph.replace\(frozen=...\) returns"):
        C2GAN.frozen = ("G_I",)
    with pytest.raises(FrozenInstanceError, match="a graph never changes"):
        del C2GAN.cycles
    before = hash(C2GAN)
    for mapping in (C2GAN.signals, C2GAN.weights, C2GAN.criteria, C2GAN.domains, C2GAN.networks):
        with pytest.raises(TypeError, match="does not support item assignment"):
            mapping["x"] = Image(1)
    C2GAN.equations.clear()
    C2GAN.to_dict()["weights"].clear()
    assert hash(copy.deepcopy(C2GAN)) == hash(C2GAN) == before
    weights = {"K2G2K": 3.0}
    graph = C2GAN.replace(weights=weights)
    weights["K2G2K"] = 4.0
    assert graph.term("K2G2K").weight == 3
    with pytest.raises(FrozenInstanceError):
        C2GAN.term("K2G2K").weight = 4


@pytest.mark.parametrize(
    "wrong", [{}, {"signals": {}}, {"signals": 3, "schedule": {}}, {"signals": {}, "schedule": {}}]
)
def test_data_that_is_no_graph_is_refused(wrong):
    with pytest.raises(GraphError, match="this is not the data of a graph"):
        CycleGraph.from_dict(wrong)
    with pytest.raises(GraphError, match=r"this is not the data of a graph: TypeError: .*'later'"):
        CycleGraph.from_dict({**C2GAN.to_dict(), "later": 1})


def test_print_shows_equations_and_who_minimises_and_learns(graph):
    shown = str(graph)
    for text in graph.equations.values():
        for line in text.splitlines():
            assert line in shown
    table = [line.split() for line in shown.split("\n\n")[-1].splitlines()]
    assert table[0] == ["term", "weight", "criterion", "minimised", "by", "trains"]
    rows = [
        [*term.name.split(), *shown_weight(term.weight), term.criterion, *minimised(term, player), *learns]
        for player in ("generators", "discriminators")
        for term in graph.terms
        if term.minimised_by(player)
        for learns in [", ".join(sorted(graph.learners(term, player))).split() or ["nobody"]]
    ]
    assert [[cell.replace("reverse(", "").replace(")", "") for cell in row] for row in table[2:]] == [
        [cell.replace(")", "") for cell in row] for row in rows
    ]


def shown_weight(weight):
    return f"{weight.start:g} to {weight.end:g}".split() if isinstance(weight, Ramp) else [f"{weight:g}"]


def minimised(term, player):
    lowest = min(term.weight.start, term.weight.end) if isinstance(term.weight, Ramp) else term.weight
    return [f"{player},", "maximised"] if lowest < 0 else [player]


def test_the_table_of_c2gan():
    assert str(C2GAN).endswith(
        """
term      weight  criterion  minimised by    trains
--------  ------  ---------  --------------  --------
I2I2I     10      l1         generators      G_I
K2G2K     10      l1         generators      G_I, G_K
K2R2K     10      l1         generators      G_I, G_K
y* ~ y    10      l1         generators      G_I
D_I(y*)   1       lsgan      generators      G_I
D_I(x*)   1       lsgan      generators      G_I
D_K(Ly*)  1       lsgan      generators      G_I, G_K
D_K(Lx*)  1       lsgan      generators      G_I, G_K
D_I(y*)   1       lsgan      discriminators  D_I
D_I(x*)   1       lsgan      discriminators  D_I
D_K(Ly*)  1       lsgan      discriminators  D_K
D_K(Lx*)  1       lsgan      discriminators  D_K"""
    )


def test_the_picture_of_a_graph():
    graph = CycleGraph(
        {"x": Image(3), "y": Image(3), "c": Label(2)},
        cycles="back: x -G-> y* -F-> x* ~ x",
        adversaries="D: y* vs y",
        losses="y* -D.cls-> _ ~ c",
        weights={"back": 10},
    )
    assert graph.to_mermaid() == "\n".join(
        [
            "flowchart LR",
            '    s0(["x"])',
            '    s1(["y*"])',
            '    s2(["x*"])',
            '    s3(["D.cls(y*)"])',
            '    s4(["c"])',
            '    n0["G"]',
            "    s0 --> n0",
            "    n0 --> s1",
            '    n1["F"]',
            "    s1 --> n1",
            "    n1 --> s2",
            '    n2["D.cls"]',
            "    s1 --> n2",
            "    n2 --> s3",
            '    s2 -. "back, 10" .- s0',
            '    s3 -. "cross_entropy, 1" .- s4',
            '    d2{{"D: y* vs y"}}',
            "    s1 -.-> d2",
        ]
    )


# ------------------------------------------------------------------ domains


@pytest.mark.parametrize(
    ("domain", "shown", "spatial", "low", "high"),
    [
        (Image(), "Image(3)", True, 0, 1),
        (Image(1), "Image(1)", True, 0, 1),
        (Heatmap(18), "Heatmap(18)", True, 0, 1),
        (Landmarks(), "Landmarks(3)", True, 0, 1),
        (Mask(), "Mask(1)", True, None, None),
        (Latent(256), "Latent(256)", True, None, None),
        (Label(5), "Label(5)", False, None, None),
        (Vector(7), "Vector(7)", False, None, None),
        (Bathymetry(), "Bathymetry(1, planes=(0.1, 10.0))", True, 0, 10),
    ],
)
def test_a_domain_knows_its_layout_and_range(domain, shown, spatial, low, high):
    assert str(domain) == shown
    assert domain.spatial is spatial
    assert Domain.from_dict(json.loads(json.dumps(domain.to_dict()))) == domain
    assert pickle.loads(pickle.dumps(domain)) == domain
    if low is None:
        assert domain.normalize(0.3) == domain.denormalize(0.3) == 0.3
    else:
        assert (domain.normalize(low), domain.normalize(high)) == (-1, 1)
        assert (domain.denormalize(-1), domain.denormalize(1)) == (low, high)


@pytest.mark.parametrize("channels", [0, -1, 1.0, True, "3", None])
def test_channels_are_a_positive_whole_number(channels):
    with pytest.raises(GraphError, match=r"Image\(channels=.*\): channels must be a positive integer"):
        Image(channels)


def test_a_domain_of_ones_own_goes_with_the_graph():
    graph = CycleGraph({"x": Image(3), "d": Bathymetry(2, planes=(1.0,))}, maps="x -G-> d*", losses="d* ~ d")
    assert graph.domains["d*"] == Bathymetry(2, planes=(1.0,))
    for again in (CycleGraph.from_dict(json.loads(json.dumps(graph.to_dict()))), pickle.loads(pickle.dumps(graph))):
        assert again == graph
        assert isinstance(again.signals["d"], Bathymetry)
    assert eval(repr(graph), {**vars(cyclekit.graph), "Bathymetry": Bathymetry}) == graph


def test_an_unknown_domain_names_its_neighbours():
    with pytest.raises(GraphError, match=r"no domain is called 'Imag'; did you mean 'Image'\?"):
        Domain.from_dict({"domain": "Imag", "channels": 3})
    with pytest.raises(GraphError, match="this is not the data of a graph: TypeError: "):
        CycleGraph.from_dict({**C2GAN.to_dict(), "signals": {"x": {"domain": "Image", "chanels": 3}}})


def test_a_domains_name_is_taken_once():
    with pytest.raises(GraphError, match=r"a domain is called 'Image' already, in cyclekit.graph.domains"):
        type("Image", (Domain,), {})
    again = dataclass(frozen=True)(
        type("Bathymetry", (Domain,), {"__module__": Bathymetry.__module__, "__qualname__": Bathymetry.__qualname__})
    )
    assert isinstance(Domain.from_dict({"domain": "Bathymetry", "channels": 1}), again)
    Domain.__init_subclass__.__func__(Bathymetry)  # what the next test loads is the first one again
    with pytest.raises(GraphError, match="Domain is what domains derive from"):
        Domain(3)


# ------------------------------------------------------------------ before training


def test_a_sound_graph_passes(graph):
    if graph is not DETAILED:
        graph.check()


X = {"x": Image(3), "y": Image(3)}


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (
            CycleGraph(X, maps="x -G-> y* ; x -F-> x*", losses="y* ~ y"),
            "no term trains the generator 'F': compare one of its results, judge it by a discriminator, or declare it "
            "in frozen=",
        ),
        (
            CYCLEGAN.reweight({"forward": 0, "backward": 0, "D_A": 0, "idt_A": 0}),
            "no term trains the generator 'G_A': compare one of its results, judge it by a discriminator, or declare "
            "it in frozen=",
        ),
        (
            CycleGraph(X, maps="x -G-> y*", losses="y* ~ y", frozen=["G"]),
            "the term 'y* ~ y' (y* ~ y) trains nobody: no network that learns makes its signals; give it a generated "
            "signal, or weight 0",
        ),
        (
            CycleGraph(X, maps="x -G-> y*", losses="y* ~ y ; own: x ~ y"),
            "the term 'own' (x ~ y) trains nobody: no network that learns makes its signals; give it a generated "
            "signal, or weight 0",
        ),
    ],
)
def test_a_graph_that_cannot_be_trained_says_why(graph, message):
    with pytest.raises(GraphError) as caught:
        graph.check()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (C2GAN.replace(signals={**X, "Lx": Heatmap(18), "Ly": Heatmap(18), "z": Mask()}), "no loss needs the signal z"),
        (C2GAN.reweight({"K2R2K": 0, "D_K(Lx*)": 0}), "no loss needs the signal Lx*"),
        (PG2.reweight({"masked(y1 ~ y, M)": 0, "masked(y* ~ y, M)": 0}), "no loss needs the signal M"),
        (CycleGraph({**X, "z": Mask()}, maps="x -G-> [y*, x*]", losses="x* ~ x"), "no loss needs the signals y, z"),
    ],
)
def test_an_idle_signal_is_warned_of_at_the_callers_line(graph, message):
    line = sys._getframe().f_lineno + 2
    with pytest.warns(GraphWarning) as caught:
        graph.check()
    assert str(caught[0].message) == message
    assert (caught[0].filename, caught[0].lineno) == (__file__, line)


def test_building_warns_at_the_callers_line():
    nn = pytest.importorskip("torch.nn")
    graph = CycleGraph({**X, "z": Mask()}, maps="x -G-> y*", losses="y* ~ y")
    line = sys._getframe().f_lineno + 2
    with pytest.warns(GraphWarning, match="no loss needs the signal z") as caught:
        graph.build(generators=nn.Conv2d(3, 3, 1))
    assert (caught[0].filename, caught[0].lineno) == (__file__, line)
