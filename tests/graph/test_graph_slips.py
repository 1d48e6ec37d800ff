"""Slips in what a graph is made of: each is one error that names the thing, what came and what was expected."""

import json
import random
import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch

from cyclekit import CycleGraph, CycleKitError, GraphError, GraphWarning, Heatmap, Image, Label, Ramp
from cyclekit.graph import Classes, Schedule, StandIn, Vector

SIGNALS = {"x": Image(3), "y": Image(3)}
PLAIN = {"signals": SIGNALS, "maps": "x -G-> y*", "adversaries": "D: [x, y*] vs [x, y]", "losses": "y* ~ y"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Schedule(stand_ins=StandIn("G", "p", 3)), "stand_ins=StandIn("),
        (lambda: Schedule(stand_ins={"G": "p"}), "Schedule(stand_ins={'G': 'p'}): give instances of StandIn in a list"),
        (lambda: Schedule(order=None), "Schedule(order=None): name the players in a list"),
        (lambda: Schedule(order=[1]), "Schedule(order=[1]): name the players in a list"),
        (lambda: Schedule(discriminator_scale="0.5"), "Schedule(discriminator_scale='0.5'): must be a positive number"),
        (lambda: Schedule(discriminator_scale=Decimal("0.5")), "must be a positive number"),
        (lambda: Schedule(discriminator_scale=torch.tensor(0.5)), "must be a positive number"),
        (lambda: Schedule(discriminator_steps=10**400), "must be a whole number from 1"),
        (lambda: Schedule(backward=torch.zeros(2)), "choose 'joint' or 'per_cycle'"),
        (lambda: StandIn(None, "p", 3), "StandIn(network=None): must be a network's name"),
        (lambda: Ramp(Decimal(1), 0, 3), "Ramp(start=Decimal('1')): a weight is a finite number"),
        (lambda: Ramp(10**400, 0, 3), "a weight is a finite number"),
        (lambda: Image(10**400), "channels must be a positive integer"),
        (lambda: CycleGraph(**PLAIN, frozen=torch.tensor(1.0)), "frozen must be a list of names, got Tensor"),
        (lambda: CycleGraph(**PLAIN, weights={"D": Decimal(1)}), "weights['D'] = Decimal('1'): a weight is a finite"),
    ],
)
def test_values_of_schedules_are_checked(make, message):
    with pytest.raises(GraphError, match=re.escape(message)):
        make()


def test_numbers_of_other_libraries_are_stored_as_plain_ones():
    schedule = Schedule(discriminator_scale=np.float32(0.5), discriminator_steps=np.int64(3))
    graph = CycleGraph(**PLAIN, weights={"D": Fraction(1, 2), "y* ~ y": Ramp(np.float32(1), 0, np.int32(5))})
    assert json.loads(json.dumps(schedule.to_dict()))["discriminator_scale"] == 0.5
    assert CycleGraph.from_dict(json.loads(json.dumps(graph.to_dict()))) == graph
    assert schedule == Schedule(discriminator_scale=0.5, discriminator_steps=3)


ODD = [
    None, True, 0, -1, 1, 2, 3, 1.5, float("nan"), float("inf"), 10**400, -(10**400), "", "x", "G", "D", "y* ~ y", b"x",
    (), [], {}, ("G",), ["D", "D"], [1], [None], {"G": "p"}, {"y* ~ y": 2}, {1: 2}, {"D": None}, {"x": "y"}, object(),
    int, Image, Image(3), Ramp(1, 0, 5), StandIn("G", "p", 3), (StandIn("G", "p", 3),), Schedule(), np.float32(0.5),
    np.int64(2), np.zeros(3), np.array(1.0), Decimal(1), Fraction(1, 3), torch.tensor(1.0), torch.zeros(2, 2),
    lambda: 1, iter(["G"]), range(2), {"G"}, "x -G-> y*", "total: y* ~ y", {"y*": 7}, {"*": 2}, {"D": Ramp(1, 0, 5)},
    complex(1, 1),
]  # fmt: skip
DOORS = {
    Schedule: {
        "order": [], "discriminator_steps": [], "discriminator_scale": [], "penalty_interval": [], "backward": [],
        "history": [], "stand_ins": [],
    },
    StandIn: {"network": "G", "by": "p", "steps": 3, "learning": ()},
    Ramp: {"start": 1, "end": 0, "steps": 5, "after": 0},
    CycleGraph: {
        **PLAIN, "cycles": "", "weights": {}, "criteria": {}, "adversarial": "lsgan", "functions": (), "frozen": (),
        "optional": (), "schedule": Schedule(),
    },
}  # fmt: skip


def test_options_end_well_or_in_one_error_of_ours():
    chance = random.Random(0)
    for _ in range(400):
        kind = chance.choice([*DOORS, CycleGraph])
        base = {} if kind is Schedule else dict(DOORS[kind])
        changed = {name: chance.choice(ODD) for name in chance.sample([*DOORS[kind]], chance.choice((1, 1, 2)))}
        try:
            made = kind(**{**base, **changed})
        except CycleKitError:
            continue
        graph = made if kind is CycleGraph else None
        if kind is Schedule:
            assert Schedule.from_dict(json.loads(json.dumps(made.to_dict()))) == made, changed
        if graph is not None:
            assert CycleGraph.from_dict(json.loads(json.dumps(graph.to_dict()))) == graph, changed
            assert str(graph)


def test_no_term_is_called_as_the_total_is():
    with pytest.raises(GraphError, match="a term cannot be called 'total', as the sum of all is"):
        CycleGraph(SIGNALS, maps="x -G-> y*", losses="total: y* ~ y")


def test_a_signals_name_is_no_pattern():
    with pytest.raises(GraphError, match=r"weights names 'y\*', a signal, and as a pattern it would stand for 'yy'"):
        CycleGraph(SIGNALS, maps="x -G-> y*", losses="yy: y* ~ y", weights={"y*": 7})
    graph = CycleGraph(SIGNALS, maps="x -G-> y*", losses="yy: y* ~ y", weights={"yy*": 7})
    assert graph.term("yy").weight == 7


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (
            {"signals": SIGNALS, "maps": "x -G-> y*", "losses": "cross_entropy(y* ~ y)"},
            r"told classes or attributes, and 'y' is Image\(3\)",
        ),
        (
            {"signals": SIGNALS, "maps": "x -G-> y*", "losses": "binary_cross_entropy(y* ~ y)"},
            r"told classes or attributes, and 'y' is Image\(3\)",
        ),
        (
            {"signals": SIGNALS, "maps": "x -G-> y*", "losses": "keypoint_distance(y* ~ y)"},
            r"compares the joints of heatmaps, and 'y\*' is Image\(3\)",
        ),
        (
            {"signals": {"x": Image(3), "c": Label(1)}, "maps": "x -C-> c*", "losses": "c* ~ c"},
            r"the cross entropy of one class, Label\(1\), is always 0",
        ),
    ],
)
def test_a_criterion_made_for_one_kind_compares_that_kind(graph, message):
    with pytest.raises(GraphError, match=message):
        CycleGraph(**graph)


def test_what_criteria_are_made_for_passes():
    CycleGraph({"x": Image(3), "L": Heatmap(4)}, maps="x -G-> L*", losses="keypoint_distance(L* ~ L)")
    CycleGraph({"x": Image(3), "c": Classes(4)}, maps="x -G-> c*", losses="c* ~ c")
    CycleGraph({"x": Image(3), "a": Vector(4)}, maps="x -G-> a*", losses="binary_cross_entropy(a* ~ a)")


def test_an_interval_of_no_penalty_warns():
    graph = CycleGraph(**PLAIN, schedule=Schedule(penalty_interval=16))
    with pytest.warns(GraphWarning, match=r"penalty_interval=16\): no term of this graph is a penalty"):
        graph.check()
