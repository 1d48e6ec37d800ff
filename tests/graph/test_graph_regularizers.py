"""What stands behind an adversary: named, weighed, paid, edited."""

import pytest

from cyclekit.graph import CycleGraph, GraphError, Image, NotationError, Regularizer
from tests.graph.family import C2GAN

SIGNALS = {"x": Image(3), "y": Image(3)}
GRAPH = CycleGraph(
    SIGNALS,
    maps="x -G-> y*",
    adversaries="D: [x, y*] vs [x, y] + r1 + feature_matching",
    weights={"r1(D)": 5, "feature_matching(D)": 10},
)
REGULARIZED = C2GAN.replace(
    adversaries="""
        D_I: [x, Ly, y*] vs [x, Ly, y] + r1
             [y, Lx, x*] vs [y, Lx, x] + r1
        D_K: [y*, Ly*] vs [y*, Ly]
             [x*, Lx*] vs [x*, Lx] + wgan_gp
    """,
    weights={**{term.name: term.weight for term in C2GAN.terms}, "r1(D_I)": 2, "r1(D_I(x*))": 3},
)


def weights(graph):
    return {term.name: term.weight for term in graph.terms if isinstance(term, Regularizer)}


def test_each_adversary_has_its_own():
    assert [str(term.name) for term in GRAPH.terms] == ["D(y*)", "r1(D(y*))", "feature_matching(D(y*))"]
    assert weights(REGULARIZED) == {"r1(D_I(y*))": 2, "r1(D_I(x*))": 3, "wgan_gp(D_K(Lx*))": 1}
    assert [term.adversary for term in REGULARIZED.terms if isinstance(term, Regularizer)] == [
        "D_I(y*)",
        "D_I(x*)",
        "D_K(Lx*)",
    ]


def test_who_minimises_and_learns():
    assert [term.name for term in GRAPH.minimised_by("generators")] == ["D(y*)", "feature_matching(D(y*))"]
    assert [term.name for term in GRAPH.minimised_by("discriminators")] == ["D(y*)", "r1(D(y*))"]
    assert GRAPH.gradient_flow() == {"D(y*)": {"G"}, "feature_matching(D(y*))": {"G"}}
    assert GRAPH.learners(GRAPH.term("r1(D(y*))"), "discriminators") == {"D"}
    other = GRAPH.replace(criteria={"feature_matching(D)": "mine"})
    assert other.replace_adversary("D: y* vs y + feature_matching").term("feature_matching(D(y*))").criterion == "mine"


def test_a_penalty_needs_signals_and_no_judgement():
    plan = GRAPH.plan(["r1(D(y*))"])
    assert plan.discriminators.evaluations == ()
    assert plan.discriminators.inputs == ("x", "y")
    assert plan.discriminators.given == ("y*",)
    assert plan.generators.terms == ()


def test_features_come_with_the_judgement():
    assert [str(each) for each in GRAPH.plan().generators.evaluations] == [
        "G(x) -> y*",
        "D(x, y*) -> D.features(x, y*)",
        "D(x, y) -> D.features(x, y)",
    ]
    assert [str(each) for each in GRAPH.plan().discriminators.evaluations] == ["D(x, y*)", "D(x, y)"]
    assert GRAPH.plan(["D(y*)"]).generators.inputs == ("x",)


def test_edits_take_them_along():
    assert weights(REGULARIZED.without("I2I2I")) == weights(REGULARIZED)
    assert weights(REGULARIZED.without("r1(D_I(y*))")) == {"r1(D_I(x*))": 3, "wgan_gp(D_K(Lx*))": 1}
    assert weights(REGULARIZED.without("r1(D_I)")) == {"wgan_gp(D_K(Lx*))": 1}
    assert weights(REGULARIZED.without("K2R2K")) == {"r1(D_I(y*))": 2, "r1(D_I(x*))": 3}
    apart = REGULARIZED.unshare("D_I")
    assert weights(apart) == {"r1(D_I_1(y*))": 2, "r1(D_I_2(x*))": 3, "wgan_gp(D_K(Lx*))": 1}
    single = REGULARIZED.replace_adversary("D_I: y* vs y + r1 + r2")
    assert weights(single) == {"r1(D_I(y*))": 2, "r2(D_I(y*))": 1, "wgan_gp(D_K(Lx*))": 1}
    assert weights(REGULARIZED.reweight({"r1(D_I)": 7})) == {
        "r1(D_I(y*))": 7,
        "r1(D_I(x*))": 7,
        "wgan_gp(D_K(Lx*))": 1,
    }


def test_shown_and_stored():
    assert str(GRAPH).splitlines()[-1].split() == ["r1(D(y*))", "5", "r1", "discriminators", "D"]
    assert '{{"D: [x, y*] vs [x, y] + r1 + feature_matching"}}' in GRAPH.to_mermaid()
    assert GRAPH.term("r1(D(y*))").equation == "D: [x, y*] vs [x, y] + r1"
    assert CycleGraph.from_dict(REGULARIZED.to_dict()) == REGULARIZED
    broken = REGULARIZED.replace(
        adversaries=REGULARIZED.equations["adversaries"].replace(" + r1", "\n + # penalty\n r1")
    )
    assert broken == REGULARIZED


@pytest.mark.parametrize(
    ("adversaries", "message"),
    [
        ("D: y* vs y +", "expected a regularizer's name, found the end of the text"),
        ("D: y* vs y + r1*", "expected a regularizer's name, found 'r1*': only signals carry a star"),
        ("D: y* vs y + _", "expected a regularizer's name, found '_'"),
        ("D: y* vs y + r1 + r1", "two terms are called 'r1(D(y*))'"),
        ("D: y* + r1 vs y", "expected 'vs' and what is real, found '+'"),
    ],
)
def test_what_cannot_be_read(adversaries, message):
    with pytest.raises(NotationError) as error:
        CycleGraph(SIGNALS, maps="x -G-> y*", adversaries=adversaries)
    assert message in str(error.value)


def test_keys_that_name_nothing():
    with pytest.raises(GraphError, match=r"weights names 'r2\(D\)'.*did you mean 'r1\(D\)'"):
        GRAPH.replace(weights={"r2(D)": 1})


def test_what_nobody_learns_from_is_refused():
    graph = GRAPH.replace(frozen=["G"])
    with pytest.raises(GraphError, match=r"feature_matching\(D\(y\*\)\).*trains nobody"):
        graph.check()
