"""What a graph shows beside its equations, and what differs between two."""

from hypothesis import given, settings

from cyclekit.graph import CycleGraph, Image, Ramp, Schedule, Vector
from tests.graph.family import C2GAN, FAMILY, PIX2PIX
from tests.graph.strategies import graphs

GRAPH = CycleGraph(
    {"x": Image(3), "y": Image(3), "paired": Vector(1)},
    maps="x -E-> y1 -warp-> y*",
    adversaries="D: y* vs y",
    losses="y* ~ y ; y1 ~ y ; back: y* -C-> _ ~ x ; reverse(y1) -F-> _ ~ x",
    functions=["warp"],
    frozen=["C"],
    optional={"y* ~ y": "paired", "D(y*)": None},
    schedule=Schedule(discriminator_steps=5, history=0),
    weights={"y1 ~ y": Ramp(1, 0, steps=100), "back": -0.5},
)


def test_printing_shows_all_that_is_said():
    assert (
        str(GRAPH)
        == """\
signals: x Image(3), y Image(3), paired Vector(1), y1 Image(3), y* Image(3)

maps:
  x -E-> y1 -warp-> y*

adversaries:
  D: y* vs y

losses:
  y* ~ y ; y1 ~ y ; back: y* -C-> _ ~ x ; reverse(y1) -F-> _ ~ x

functions: warp
frozen: C
optional: y* ~ y (where paired), D(y*)
schedule: discriminator_steps=5, history=0

term                    weight  criterion  minimised by           trains
----------------------  ------  ---------  ---------------------  -------------
y* ~ y                  1       l1         generators             E
y1 ~ y                  1 to 0  l1         generators             E
back                    -0.5    l1         generators, maximised  E
reverse(y1) -F-> _ ~ x  1       l1         generators             reverse(E), F
D(y*)                   1       lsgan      generators             E
D(y*)                   1       lsgan      discriminators         D"""
    )


def test_a_notebook_shows_the_diagram_and_the_table():
    bundle = PIX2PIX._repr_mimebundle_()
    assert bundle["text/plain"] == str(PIX2PIX)
    assert (
        bundle["text/markdown"]
        == f"""\
```mermaid
{PIX2PIX.to_mermaid()}
```

| term | weight | criterion | minimised by | trains |
| --- | --- | --- | --- | --- |
| y\\* ~ y | 100 | l1 | generators | G |
| D(y\\*) | 1 | nonsaturating | generators | G |
| D(y\\*) | 1 | nonsaturating | discriminators | D |
"""
    )


def test_diff_of_an_ablation():
    assert C2GAN.diff(C2GAN.without("K2G2K", "K2R2K")).splitlines() == [
        "- cycles: K2G2K: [x, Ly] -G_I-> y* -G_K-> Ly* ~ Ly",
        "- cycles: K2R2K: [y*, Lx] -G_I-> x* -G_K-> Lx* ~ Lx",
        "- adversaries: D_K: [y*, Ly*] vs [y*, Ly]",
        "- adversaries: D_K: [x*, Lx*] vs [x*, Lx]",
        "- term K2G2K",
        "- term K2R2K",
        "- term D_K(Ly*)",
        "- term D_K(Lx*)",
    ]


def test_diff_of_what_stands_beside_the_equations():
    other = GRAPH.replace(
        signals={**GRAPH.signals, "y1": Image(3), "paired": Vector(1), "x": Image(1)},
        adversaries="D: y* vs y + r1",
        frozen=(),
        optional={"y* ~ y": None},
        schedule=Schedule(discriminator_steps=2, history=0),
        weights={"y1 ~ y": Ramp(1, 0.5, steps=100), "back": 2},
        criteria={"y* ~ y": "l2"},
    )
    assert GRAPH.diff(other).splitlines() == [
        "~ signal x: Image(3) -> Image(1)",
        "+ signal y1 Image(3)",
        "- adversaries: D: y* vs y",
        "+ adversaries: D: y* vs y + r1",
        "~ term y* ~ y: criterion l1 -> l2",
        "~ term y* ~ y: where paired -> None",
        "~ term y1 ~ y: weight 1 to 0 -> 1 to 0.5",
        "~ term back: weight -0.5 -> 2",
        "~ term D(y*): optional True -> False",
        "+ term r1(D(y*))",
        "- frozen C",
        "~ schedule discriminator_steps: 5 -> 2",
    ]


def test_diff_of_presets():
    assert C2GAN.diff(FAMILY["c2gan_paper"]).splitlines()[-1].startswith("~ schedule order:")


@settings(max_examples=40, deadline=None)
@given(graphs(), graphs())
def test_diff_is_empty_for_equals_alone_and_turns_round(one, other):
    assert one.diff(CycleGraph.from_dict(one.to_dict())) == ""
    assert (one.diff(other) == "") == (one == other)
    there, back = one.diff(other).splitlines(), other.diff(one).splitlines()
    assert {line[2:] for line in there if line[0] == "-"} == {line[2:] for line in back if line[0] == "+"}
    assert sum(line[0] == "~" for line in there) == sum(line[0] == "~" for line in back)
