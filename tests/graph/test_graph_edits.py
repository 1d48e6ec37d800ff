"""C2GAN, its schedule, and the rows of its Table 1 as edits of one graph."""

import pytest

from cyclekit.graph import CycleGraph, GraphError, Image, Label, NotationError, Schedule, StandIn
from tests.graph.family import C2GAN, CYCLEGAN, PG2, PIX2PIX, STARGAN

GENERATOR_USES = ["G_I(x, Ly) -> y*", "G_I(y*, Lx) -> x*", "G_K(y*) -> Ly*", "G_K(x*) -> Lx*"]
JUDGED_FAKES = ["D_I(x, Ly, y*)", "D_I(y, Lx, x*)", "D_K(y*, Ly*)", "D_K(x*, Lx*)"]
SINGLE_MODAL = "D_I: y* vs y ; x* vs x"

# Table 1: the edit, the generators, their uses, the discriminators' judgements of fakes, the comparisons.
TABLE_1 = {
    "I2I2I": (
        C2GAN.without("K2G2K", "K2R2K"),
        ["G_I"],
        GENERATOR_USES[:2],
        JUDGED_FAKES[:2],
        ["I2I2I", "y* ~ y"],
    ),
    "I2I2I+K2G2K": (
        C2GAN.without("K2R2K"),
        ["G_I", "G_K"],
        GENERATOR_USES[:3],
        JUDGED_FAKES[:3],
        ["I2I2I", "K2G2K", "y* ~ y"],
    ),
    "I2I2I+K2R2K": (
        C2GAN.without("K2G2K"),
        ["G_I", "G_K"],
        [*GENERATOR_USES[:2], GENERATOR_USES[3]],
        [*JUDGED_FAKES[:2], JUDGED_FAKES[3]],
        ["I2I2I", "K2R2K", "y* ~ y"],
    ),
    "I2I2I+K2G2K+K2R2K": (
        C2GAN,
        ["G_I", "G_K"],
        GENERATOR_USES,
        JUDGED_FAKES,
        ["I2I2I", "K2G2K", "K2R2K", "y* ~ y"],
    ),
    "single-modal D": (
        C2GAN.replace_adversary(SINGLE_MODAL),
        ["G_I", "G_K"],
        GENERATOR_USES,
        ["D_I(y*)", "D_I(x*)", *JUDGED_FAKES[2:]],
        ["I2I2I", "K2G2K", "K2R2K", "y* ~ y"],
    ),
    "non-sharing G": (
        C2GAN.unshare("G_I", "G_K"),
        ["G_I_1", "G_I_2", "G_K_1", "G_K_2"],
        ["G_I_1(x, Ly) -> y*", "G_I_2(y*, Lx) -> x*", "G_K_1(y*) -> Ly*", "G_K_2(x*) -> Lx*"],
        JUDGED_FAKES,
        ["I2I2I", "K2G2K", "K2R2K", "y* ~ y"],
    ),
}


@pytest.mark.parametrize("row", TABLE_1)
def test_a_row_of_table_1_is_one_edit(row):
    graph, generators, uses, fakes, comparisons = TABLE_1[row]
    plan = graph.plan()
    made = list(map(str, plan.generators.evaluations))
    assert list(graph.generators) == generators
    assert sorted(made) == sorted([*uses, *fakes])
    assert set(fakes) <= set(map(str, plan.discriminators.evaluations))
    assert len(plan.discriminators.evaluations) == 2 * len(fakes)
    compared = [name for name in plan.generators.terms if not name.startswith("D_")]
    assert compared == comparisons
    assert all(graph.term(name).weight == 10 for name in compared)
    assert len(plan.generators.terms) == len(compared) + len(fakes)
    assert set(graph.discriminators) == {use.partition("(")[0] for use in fakes}
    graph.check()


def test_channels_follow_the_edits():
    def channels(graph):
        return {name: (net.in_channels, net.out_channels) for name, net in graph.networks.items()}

    assert channels(C2GAN) == {"G_I": (21, 3), "G_K": (3, 18), "D_I": (24, 0), "D_K": (21, 0)}
    assert channels(TABLE_1["single-modal D"][0])["D_I"] == (3, 0)
    assert channels(TABLE_1["I2I2I"][0]) == {"G_I": (21, 3), "D_I": (24, 0)}
    unshared = channels(TABLE_1["non-sharing G"][0])
    assert {unshared[name] for name in ("G_I_1", "G_I_2")} == {(21, 3)}
    assert {unshared[name] for name in ("G_K_1", "G_K_2")} == {(3, 18)}


def test_c2gan_evaluates_four_generator_uses_of_seven():
    uses = [evaluation for evaluation in C2GAN.plan().generators.evaluations if evaluation.network.startswith("G")]
    assert list(map(str, uses)) == GENERATOR_USES
    assert len(C2GAN.calls) == 4
    cycles = [C2GAN.evaluations(C2GAN.term(name).prediction) for name in ("I2I2I", "K2G2K", "K2R2K")]
    assert list(map(len, cycles)) == [2, 2, 3]


def test_the_keypoint_cycles_train_the_image_generator():
    both, image = {"G_I", "G_K"}, {"G_I"}
    assert C2GAN.gradient_flow() == {
        "I2I2I": image,
        "K2G2K": both,
        "K2R2K": both,
        "y* ~ y": image,
        "D_I(y*)": image,
        "D_I(x*)": image,
        "D_K(Ly*)": both,
        "D_K(Lx*)": both,
    }


def test_the_real_side_trains_the_discriminator_alone():
    term = C2GAN.term("D_K(Ly*)")
    assert term.real == ("y*", "Ly")
    assert C2GAN.learners(term, "discriminators") == {"D_K"}
    assert "D_K(y*, Ly)" not in map(str, C2GAN.plan().generators.evaluations)
    assert C2GAN.plan().discriminators.given == ("y*", "x*", "Ly*", "Lx*")
    assert C2GAN.plan().discriminators.inputs == ("x", "Ly", "y", "Lx")


def test_unsharing_says_who_learns_from_what():
    flow = C2GAN.unshare("G_I").gradient_flow()
    assert flow["K2G2K"] == {"G_I_1", "G_K"}
    assert flow["K2R2K"] == {"G_I_1", "G_I_2", "G_K"}
    assert flow["y* ~ y"] == {"G_I_1"}


def test_unsharing_spreads_what_was_said_of_the_network():
    schedule = Schedule(order=("G_I", "D_I", "G_K", "D_K"), stand_ins=(StandIn("G_K", "estimator", 5),))
    graph = C2GAN.replace(schedule=schedule, frozen=["G_K"]).unshare("G_K", "D_I")
    assert graph.frozen == ("G_K_1", "G_K_2")
    assert graph.schedule.order == ("G_I", "D_I_1", "D_I_2", "G_K_1", "G_K_2", "D_K")
    assert [stand_in.network for stand_in in graph.schedule.stand_ins] == ["G_K_1", "G_K_2"]
    assert graph.term("D_I_2(x*)").discriminator == "D_I_2"


def test_unsharing_reaches_results_without_a_name():
    graph = CYCLEGAN.unshare("G_A")
    assert [str(call) for call in graph.calls if call.network.startswith("G_A")] == [
        "G_A_1(A) -> B*",
        "G_A_2(A*) -> B**",
        "G_A_3(B) -> G_A_3(B)",
    ]
    assert graph.term("idt_A").weight == 5


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda: C2GAN.unshare("G_J"), "unshare('G_J'): no network of that name; did you mean 'G_K' or 'G_I'?"),
        (lambda: PIX2PIX.unshare("G"), "unshare('G'): it is used once, there is nothing to unshare"),
        (lambda: STARGAN.unshare("D"), "unshare('D'): a discriminator's heads are shared with its judgements"),
        (
            lambda: CycleGraph({"x": Image(3)}, maps="x -G-> x* -G-> x** -G_1-> y*", losses="y* ~ x").unshare("G"),
            "unshare('G'): the name 'G_1' is taken",
        ),
        (lambda: C2GAN.without("K2H2K"), "without('K2H2K'): no term or discriminator of that name; did you mean 'K2"),
        (lambda: C2GAN.replace_adversary(""), "replace_adversary: the text names no adversary"),
        (
            lambda: C2GAN.replace_adversary("D_J: y* vs y"),
            "replace_adversary: the graph has no discriminator 'D_J'; did you mean 'D_K' or 'D_I'?",
        ),
        (lambda: C2GAN.reweight({"D_J": 2}), "weights names 'D_J', which is no term of this graph; did you mean 'D_K"),
        (lambda: C2GAN.term("K2G"), "no term is called 'K2G'; did you mean 'K2G2K'"),
        (lambda: C2GAN.evaluations("z"), "no signal is called 'z'"),
        (lambda: C2GAN.plan(["K2"]), "no term is called 'K2'"),
    ],
)
def test_an_edit_that_cannot_be_made_says_why(edit, message):
    with pytest.raises(GraphError) as caught:
        edit()
    assert str(caught.value).startswith(message)


def test_what_stays_may_not_need_what_goes():
    chained = CycleGraph(
        {"x": Image(3), "y": Image(3)},
        cycles="first: x -G-> y* -F-> x* ~ x ; second: x* -G-> y** -F-> x** ~ x",
    )
    with pytest.raises(GraphError) as caught:
        chained.without("first")
    assert str(caught.value) == (
        "without('first'): the cycle second needs x*, which nothing else makes; take it away as well"
    )
    assert chained.without("second").generated == ("y*", "x*")


def test_a_cycle_takes_along_what_only_it_makes():
    smaller = CYCLEGAN.without("backward")
    assert smaller.generated == ("B*", "A**")
    assert [term.name for term in smaller.terms] == ["forward", "idt_A", "idt_B", "D_A(B*)"]
    assert set(smaller.signals) >= {"A", "B"}
    assert STARGAN.without("D").discriminators == ()
    assert [term.name for term in STARGAN.without("D").terms] == ["rec"]
    assert STARGAN.without("D").inputs == ("x", "c", "c0")
    assert STARGAN.without("fake_cls", "real_cls").networks["D"].heads == ()
    assert PG2.without("D(y*)").discriminators == ()


def test_an_edit_keeps_what_was_said_of_the_terms_that_stay():
    graph = C2GAN.replace(
        weights={"I2I2I": 3, "D_K": 0.5},
        criteria={"y* ~ y": "l2", "D_K(Ly*)": "hinge"},
        optional=["D_K", "K2G2K"],
        adversarial="log",
    ).without("K2R2K")
    assert graph.term("I2I2I").weight == 3
    assert graph.term("D_K(Ly*)").weight == 0.5
    assert (graph.term("D_K(Ly*)").criterion, graph.term("D_I(y*)").criterion) == ("hinge", "log")
    assert graph.term("y* ~ y").criterion == "l2"
    assert [term.name for term in graph.terms if term.optional] == ["K2G2K", "D_K(Ly*)"]


def test_a_replaced_adversary_keeps_its_weight():
    graph = C2GAN.reweight({"D_I": 2}).replace_adversary("D_I: [y*, Ly] vs [y, Ly]")
    assert [(term.name, term.weight) for term in graph.terms if term.name.startswith("D_I")] == [("D_I(y*)", 2)]
    assert graph.networks["D_I"].in_channels == 21


def test_weight_zero_drops_evaluations_but_not_the_term():
    graph = C2GAN.reweight({"K2R2K": 0, "D_K(Lx*)": 0})
    uses = list(map(str, graph.plan().generators.evaluations))
    assert "G_K(x*) -> Lx*" not in uses
    assert len(uses) == 6
    assert graph.term("K2R2K").weight == 0
    assert "K2R2K" not in graph.gradient_flow()
    assert graph.reweight({"K2R2K": 10, "D_K(Lx*)": 1}) == C2GAN
    only = C2GAN.reweight({term.name: 0 for term in C2GAN.terms} | {"y* ~ y": 1})
    assert list(map(str, only.plan().generators.evaluations)) == ["G_I(x, Ly) -> y*"]
    assert only.plan().discriminators.evaluations == ()


def test_a_key_reaches_one_term_or_all_of_a_discriminator():
    weights = {"D_K(Ly*)": 3, "D_K": 2, " y*~y ": 7}
    graph = C2GAN.replace(weights=weights)
    assert graph == C2GAN.replace(weights=dict(reversed(weights.items())))
    assert [graph.term(name).weight for name in ("D_K(Ly*)", "D_K(Lx*)", "y* ~ y", "I2I2I")] == [3, 2, 7, 1]


def test_a_plan_of_some_terms_computes_what_they_need():
    assert list(map(str, C2GAN.plan(["y* ~ y"]).generators.evaluations)) == ["G_I(x, Ly) -> y*"]
    assert C2GAN.plan(["y* ~ y"]).discriminators.evaluations == ()
    assert C2GAN.plan(["y* ~ y"]).generators.inputs == ("x", "Ly", "y")
    assert list(map(str, C2GAN.evaluations("Lx*"))) == [GENERATOR_USES[i] for i in (0, 1, 3)]
    assert C2GAN.evaluations("x") == ()


# ------------------------------------------------------------------ the schedule


def test_the_papers_listing_is_a_schedule():
    graph = C2GAN.replace(schedule=Schedule.sequential("G_I", "D_I", "G_K", "D_K"))
    assert graph.schedule.order == ("G_I", "D_I", "G_K", "D_K")
    assert graph != C2GAN
    assert graph.without("K2G2K", "K2R2K").schedule.order == ("G_I", "D_I")
    critic = Schedule(order=("discriminators", "generators"), discriminator_steps=5, backward="per_cycle")
    assert C2GAN.replace(schedule=critic).schedule == critic
    assert Schedule.from_dict(critic.to_dict()) == critic


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (lambda: Schedule(order=()), "Schedule(order=()): name each player once"),
        (lambda: Schedule(order=("G", "G")), "Schedule(order=('G', 'G')): name each player once"),
        (lambda: Schedule(order="generators"), "Schedule(order='generators'): name the players in a list"),
        (lambda: Schedule(discriminator_steps=0), "Schedule(discriminator_steps=0): must be a whole number from 1"),
        (lambda: Schedule(penalty_interval=0), "Schedule(penalty_interval=0): must be a whole number from 1"),
        (lambda: Schedule(discriminator_steps=1.5), "Schedule(discriminator_steps=1.5): must be a whole number from 1"),
        (lambda: Schedule(discriminator_scale=0), "Schedule(discriminator_scale=0): must be a positive number"),
        (lambda: Schedule(backward="late"), "Schedule(backward='late'): choose 'joint' or 'per_cycle'"),
        (lambda: Schedule(history=-1), "Schedule(history=-1): must be a whole number from 0"),
        (lambda: StandIn("G", "E", 0), "StandIn(steps=0): must be a whole number from 1"),
        (lambda: StandIn("G", "G", 1), "StandIn: 'G' cannot stand in for itself"),
        (
            lambda: Schedule(stand_ins=(StandIn("G", "E", 1), StandIn("G", "F", 2))),
            "Schedule(stand_ins=...): a network is replaced twice in ['G', 'G']",
        ),
        (
            lambda: C2GAN.replace(schedule=Schedule(order=("generators", "D_I", "D_J"))),
            "Schedule(order=...) names 'D_J', no network; did you mean 'D_K' or 'D_I'?",
        ),
        (
            lambda: C2GAN.replace(schedule=Schedule(order=("generators", "D_I"))),
            "Schedule(order=('generators', 'D_I')) steps 'D_K' 0 times in a training step: each "
            "network that learns steps once",
        ),
        (
            lambda: C2GAN.replace(schedule=Schedule(order=("G_I", "generators", "discriminators"))),
            "Schedule(order=('G_I', 'generators', 'discriminators')) steps 'G_I' 2 times in a training step: each "
            "network that learns steps once",
        ),
        (
            lambda: C2GAN.replace(schedule=Schedule(stand_ins=(StandIn("D_K", "E", 1),))),
            "StandIn(network='D_K') names no generator; did you mean 'G_K'?",
        ),
        (
            lambda: C2GAN.replace(schedule=Schedule(stand_ins=(StandIn("G_K", "G_I", 1),))),
            "StandIn(by='G_I') names a network that learns: a stand-in is frozen, or used nowhere else",
        ),
        (
            lambda: PG2.replace(schedule=Schedule(stand_ins=(StandIn("G_1", "add", 1),))),
            "StandIn(by='add') names a function: a stand-in is a network",
        ),
    ],
)
def test_a_schedule_that_does_not_fit_says_why(schedule, message):
    with pytest.raises(GraphError) as caught:
        schedule()
    assert str(caught.value) == message


def test_a_stand_in_takes_its_place_frozen_while_its_time_runs():
    stand_in = StandIn("G_K", by="estimator", steps=100)
    graph = C2GAN.replace(schedule=Schedule.sequential("G_I", "D_I", "G_K", "D_K")).replace(
        schedule=Schedule(order=("G_I", "D_I", "G_K", "D_K"), stand_ins=(stand_in,))
    )
    early = graph.at_step(99)
    assert early == graph.at_step(0)
    assert graph.at_step(100) is graph
    assert early.generators == ("G_I", "estimator")
    assert early.frozen == ("estimator",)
    assert early.schedule.order == ("G_I", "D_I", "D_K")
    assert [term.name for term in early.terms] == [term.name for term in graph.terms]
    assert early.gradient_flow()["K2G2K"] == {"G_I"}
    assert early.networks["estimator"].out_channels == 18
    early.check()


def test_two_stand_ins_have_their_own_times():
    stand_ins = (StandIn("G_I", "warm", 10), StandIn("G_K", "estimator", 20))
    graph = C2GAN.replace(schedule=Schedule(stand_ins=stand_ins))
    assert graph.at_step(9).generators == ("warm", "estimator")
    assert graph.at_step(10).generators == ("G_I", "estimator")
    assert graph.at_step(20) is graph
    assert graph.at_step(0).plan().generators.terms == ()


def test_a_stand_in_that_cannot_take_the_place_is_refused_at_once():
    signals = {"x": Image(3), "y": Image(3), "c": Label(5)}
    schedule = Schedule(stand_ins=(StandIn("G", "E", 1),))
    with pytest.raises(NotationError, match="E takes"):
        CycleGraph(
            signals, maps="x -G-> y* ; [y, c] -E-> x*", losses="y* ~ y ; x* ~ x", frozen=["E"], schedule=schedule
        )


# ------------------------------------------------------------------ who minimises, who learns


def test_heads_on_real_inputs_are_a_part_of_the_discriminators_loss():
    assert [term.name for term in STARGAN.minimised_by("discriminators")] == [
        "real_cls",
        "D(y*)",
        "wgan_gp(D(y*))",
    ]
    assert [term.name for term in STARGAN.minimised_by("generators")] == ["rec", "fake_cls", "D(y*)"]
    with pytest.raises(GraphError, match="there is no side 'D': choose 'generators' or 'discriminators'"):
        STARGAN.minimised_by("D")


def test_a_frozen_generator_passes_gradient_on_but_takes_none():
    graph = C2GAN.replace(frozen=["G_K"])
    assert graph.gradient_flow()["K2R2K"] == {"G_I"}
    assert graph.plan().generators.evaluations == C2GAN.plan().generators.evaluations
    graph.check()


def test_functions_are_no_networks():
    graph = CycleGraph(
        {"x": Image(3), "y": Image(3), "p": Image(3)},
        maps="x -G-> y* ; y* -crop-> p* ; [p*, p] -add-> s",
        functions=["crop"],
        losses="s ~ y",
    )
    assert (graph.functions, graph.all_functions) == (("crop",), ("crop", "add"))
    assert list(graph.networks) == ["G"]
    assert graph.gradient_flow() == {"s ~ y": {"G"}}
    assert [evaluation.network for evaluation in graph.plan().generators.evaluations] == ["G", "crop", "add"]


def test_the_discriminators_take_made_signals_ready_and_judge_them_themselves():
    graph = CycleGraph(
        {"x": Image(3), "y": Image(3), "c": Label(5), "k2": Label(5)},
        maps="x -G-> y* ; [y*, x] -add-> s ; [x, y] -add-> t ; y* -D.cls-> k ; k -soften-> k2",
        functions=["soften"],
        adversaries="D: s vs t",
        losses="k2 ~ c ; x -D.cls-> _ ~ c",
    )
    plan = graph.plan().discriminators
    assert plan.given == ("s",)
    assert sorted(map(str, plan.evaluations)) == [
        "D(s)",
        "D(t)",
        "D(x) -> D.cls(x)",
        "add(x, y) -> t",
    ]
