"""The family, as declared: networks with their channels, evaluations, terms, gradient flow."""

import pytest

from cyclekit.graph import CycleGraph
from tests.graph.family import FAMILY

# By model: generators and discriminators with (in, out) channels; what the generators' pass evaluates; the terms each
# player pays; and who learns from each term the generators pay.
EXPECTED = {
    "c2gan": {
        "networks": {"G_I": (21, 3), "G_K": (3, 18), "D_I": (24, 0), "D_K": (21, 0)},
        "evaluations": """
            G_I(x, Ly) -> y* | G_I(y*, Lx) -> x* | G_K(y*) -> Ly* | G_K(x*) -> Lx*
            D_I(x, Ly, y*) | D_I(y, Lx, x*) | D_K(y*, Ly*) | D_K(x*, Lx*)
        """,
        "discriminators": "D_I(y*) | D_I(x*) | D_K(Ly*) | D_K(Lx*)",
        "flow": {
            "G_I": "I2I2I | y* ~ y | D_I(y*) | D_I(x*)",
            "G_I G_K": "K2G2K | K2R2K | D_K(Ly*) | D_K(Lx*)",
        },
    },
    "pix2pix": {
        "networks": {"G": (3, 3), "D": (6, 0)},
        "evaluations": "G(x) -> y* | D(x, y*)",
        "discriminators": "D(y*)",
        "flow": {"G": "y* ~ y | D(y*)"},
    },
    "cyclegan": {
        "networks": {"G_A": (3, 3), "G_B": (3, 3), "D_A": (3, 0), "D_B": (3, 0)},
        "evaluations": """
            G_A(A) -> B* | G_B(B*) -> A** | G_B(B) -> A* | G_A(A*) -> B** | G_A(B) | G_B(A) | D_A(B*) | D_B(A*)
        """,
        "discriminators": "D_A(B*) | D_B(A*)",
        "flow": {"G_A G_B": "forward | backward", "G_A": "idt_A | D_A(B*)", "G_B": "idt_B | D_B(A*)"},
    },
    "dualgan": {
        "networks": {"G_A": (3, 3), "G_B": (3, 3), "D_A": (3, 0), "D_B": (3, 0)},
        "evaluations": "G_A(u) -> v* | G_B(v*) -> u** | G_B(v) -> u* | G_A(u*) -> v** | D_A(v*) | D_B(u*)",
        "discriminators": "D_A(v*) | D_B(u*)",
        "flow": {"G_A G_B": "u_cycle | v_cycle", "G_A": "D_A(v*)", "G_B": "D_B(u*)"},
    },
    "discogan": {
        "networks": {"G_AB": (3, 3), "G_BA": (3, 3), "D_B": (3, 0), "D_A": (3, 0)},
        "evaluations": "G_AB(A) -> B* | G_BA(B*) -> A** | G_BA(B) -> A* | G_AB(A*) -> B** | D_B(B*) | D_A(A*)",
        "discriminators": "D_B(B*) | D_A(A*)",
        "flow": {"G_AB G_BA": "const_A | const_B", "G_AB": "D_B(B*)", "G_BA": "D_A(A*)"},
    },
    "combogan": {
        "networks": {f"E_{d}": (3, 256) for d in "ABC"}
        | {f"T_{d}": (256, 3) for d in "ABC"}
        | {f"D_{d}": (3, 0) for d in "ABC"},
        "evaluations": """
            E_A(A) -> a | E_B(B) -> b | E_C(C) -> c
            T_B(a) -> AB | T_C(a) -> AC | T_A(b) -> BA | T_C(b) -> BC | T_A(c) -> CA | T_B(c) -> CB
            E_B(AB) | E_C(AC) | E_A(BA) | E_C(BC) | E_A(CA) | E_B(CB)
            T_A(E_B(AB)) | T_A(E_C(AC)) | T_B(E_A(BA)) | T_B(E_C(BC)) | T_C(E_A(CA)) | T_C(E_B(CB))
            D_B(AB) | D_C(AC) | D_A(BA) | D_C(BC) | D_A(CA) | D_B(CB)
        """,
        "discriminators": "D_B(AB) | D_C(AC) | D_A(BA) | D_C(BC) | D_A(CA) | D_B(CB)",
        "flow": {
            "E_A E_B T_A T_B": "ABA | BAB",
            "E_A E_C T_A T_C": "ACA | CAC",
            "E_B E_C T_B T_C": "BCB | CBC",
            "E_A T_B": "D_B(AB)",
            "E_A T_C": "D_C(AC)",
            "E_B T_A": "D_A(BA)",
            "E_B T_C": "D_C(BC)",
            "E_C T_A": "D_A(CA)",
            "E_C T_B": "D_B(CB)",
        },
    },
    "stargan": {
        "networks": {"G": (8, 3), "D": (3, 0)},
        "evaluations": "G(x, c) -> y* | G(y*, c0) -> x* | D(y*) -> D.cls(y*)",
        "discriminators": "real_cls | D(y*)",
        "flow": {"G": "rec | fake_cls | D(y*)"},
    },
    "g2gan": {
        "networks": {"G_t": (8, 3), "G_r": (8, 3), "D": (3, 0)},
        "evaluations": "G_t(x, c) -> y* | G_r(y*, c0) -> x* | G_r(x, c0) | D(y*) -> D.cls(y*)",
        "discriminators": "real_cls | D(y*)",
        "flow": {"G_r G_t": "rec | structure", "G_r": "identity", "G_t": "fake_cls | D(y*)"},
    },
    "gesturegan": {
        "networks": {"G": (6, 3), "D": (9, 0)},
        "evaluations": """
            G(x, Ly) -> y* | G(y*, Lx) -> x** | G(y, Lx) -> x* | G(x*, Ly) -> y** | G(x, Lx) | G(y, Ly)
            D(x, Ly, y*) | D(y, Lx, x*)
        """,
        "discriminators": "D(y*) | D(x*)",
        "flow": {"G": "x_cycle | y_cycle | y* ~ y | x* ~ x | identity_x | identity_y | D(y*) | D(x*)"},
    },
    "pg2": {
        "networks": {"G_1": (21, 3), "G_2": (6, 3), "D": (3, 0)},
        "evaluations": "G_1(x, Ly) -> y1 | G_2(x, y1) -> d | add(y1, d) -> y* | D(y*)",
        "discriminators": "D(y*) | D(x)",
        "flow": {"G_1": "masked(y1 ~ y, M)", "G_1 G_2": "masked(y* ~ y, M) | D(y*)"},
    },
    "pg2_first": {
        "networks": {"G_1": (21, 3)},
        "evaluations": "G_1(x, Ly) -> y1",
        "discriminators": "",
        "flow": {"G_1": "masked(y1 ~ y, M)"},
    },
    "pg2_second": {
        "networks": {"G_1": (21, 3), "G_2": (6, 3), "D": (3, 0)},
        "evaluations": "G_1(x, Ly) -> y1 | G_2(x, y1) -> d | add(y1, d) -> y* | D(y*)",
        "discriminators": "D(y*) | D(x)",
        "flow": {"G_2": "masked(y* ~ y, M) | D(y*)"},
    },
    "posegan": {
        "networks": {"E_x": (21, 64), "E_L": (18, 64), "Dec": (128, 3), "D": (42, 0)},
        "evaluations": """
            E_x(x, Lx) -> f | warp(f, Lx, Ly) -> f_Ly | E_L(Ly) -> g | Dec(f_Ly, g) -> y* | D(x, Lx, y*, Ly)
        """,
        "discriminators": "D(y*)",
        "flow": {"Dec E_L E_x": "nearest_neighbour(y* ~ y) | D(y*)"},
    },
}


def listed(text):
    return [part.strip() for line in text.strip().splitlines() for part in line.split("|") if part.strip()]


def test_the_whole_family_is_here():
    assert EXPECTED.keys() == FAMILY.keys()


@pytest.mark.parametrize("name", FAMILY)
def test_a_member_is_what_its_paper_says(name):
    graph, expected = FAMILY[name], EXPECTED[name]
    assert {n: (net.in_channels, net.out_channels) for n, net in graph.networks.items()} == expected["networks"]
    plan = graph.plan()
    assert sorted(map(str, plan.generators.evaluations)) == sorted(listed(expected["evaluations"]))
    assert sorted(plan.discriminators.terms) == sorted(listed(expected["discriminators"]))
    flow = {term: set(names.split()) for names, terms in expected["flow"].items() for term in listed(terms)}
    assert graph.gradient_flow() == flow
    assert set(plan.generators.terms) == flow.keys()


@pytest.mark.parametrize("name", FAMILY)
def test_a_member_can_be_trained(name):
    FAMILY[name].check()


def test_a_discriminator_with_a_head_is_evaluated_once_for_both():
    graph = FAMILY["stargan"]
    assert graph.networks["D"].heads == (("cls", 5),)
    assert list(map(str, graph.plan().discriminators.evaluations)) == ["D(x) -> D.cls(x)", "D(y*)"]
    assert graph.plan().discriminators.given == ("y*",)
    assert [graph.term(name).criterion for name in ("real_cls", "fake_cls", "rec")] == ["cross_entropy"] * 2 + ["l1"]


def test_the_discriminators_recompute_no_fake():
    for name, graph in FAMILY.items():
        plan = graph.plan().discriminators
        assert {evaluation.network for evaluation in plan.evaluations} <= set(graph.discriminators), name
        assert set(plan.given) <= set(graph.generated), name


def test_latents_take_their_domain_from_where_else_they_are_made():
    graph = FAMILY["combogan"]
    assert str(graph.domains["E_B(AB)"]) == "Latent(256)"
    assert {str(graph.domains[name]) for name in graph.generated} == {"Latent(256)", "Image(3)"}


def test_a_sum_takes_its_domain_from_what_it_sums_and_gives_it():
    graph = FAMILY["pg2"]
    assert str(graph.domains["d"]) == "Image(3)"
    assert graph.all_functions == ("add",)


def test_several_outputs_of_one_network():
    attention = CycleGraph(
        signals={"x": FAMILY["pg2"].signals["x"], "y": FAMILY["pg2"].signals["y"], "m": FAMILY["pg2"].signals["M"]},
        maps="x -G-> [y*, m*]",
        adversaries="D: [y*, m*] vs [y, m]",
        losses="y* ~ y",
    )
    assert attention.networks["G"].out_channels == 4
    assert list(map(str, attention.plan().generators.evaluations)) == ["G(x) -> y*, m*", "D(y*, m*)"]
