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
        "discriminators": "real_cls | D(y*) | wgan_gp(D(y*))",
        "flow": {"G": "rec | fake_cls | D(y*)"},
    },
    "g2gan": {
        "networks": {"G_t": (8, 3), "G_r": (8, 3), "D": (3, 0)},
        "evaluations": "G_t(x, c) -> y* | G_r(y*, c0) -> x* | G_r(x, c0) | D(y*) -> D.cls(y*)",
        "discriminators": "real_cls | D(y*)",
        "flow": {"G_r G_t": "rec | structure", "G_r": "identity", "G_t": "fake_cls | D(y*)"},
    },
    "gesturegan": {
        "networks": {"G": (6, 3), "D_1": (6, 0), "D_2": (9, 0)},
        "evaluations": """
            G(x, Ly) -> y* | G(y*, Lx) -> x** | G(y, Lx) -> x* | G(x*, Ly) -> y** | G(x, Lx) | G(y, Ly)
            D_1(x, y*) | D_1(y, x*) | D_2(x, Ly, y*) | D_2(y, Lx, x*)
        """,
        "discriminators": "D_1(y*) | D_1(x*) | D_2(y*) | D_2(x*)",
        "flow": {
            "G": """
                x_cycle | y_cycle | y* ~ y | x* ~ x | identity_x | identity_y
                total_variation(y*) | total_variation(x*) | D_1(y*) | D_1(x*) | D_2(y*) | D_2(x*)
            """
        },
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
    "attentiongan": {
        "networks": {"G_B": (3, 4), "G_A": (3, 4), "D_A": (3, 0), "D_B": (3, 0)},
        "discriminators": "D_A(B*) | D_B(A*)",
        "flow": {
            "G_A G_B": "A_cycle | B_cycle",
            "G_A": "pixel_A | total_variation(m) | D_A(B*)",
            "G_B": "pixel_B | total_variation(n) | D_B(A*)",
        },
    },
    "augmented_cyclegan": {
        "networks": {
            "G_AB": (19, 3),
            "E_A": (6, 16),
            "G_BA": (19, 3),
            "E_B": (6, 16),
            "D_A": (3, 0),
            "D_B": (3, 0),
            "D_zA": (16, 0),
            "D_zB": (16, 0),
        },
        "discriminators": "D_A(A*) | D_B(B*) | D_zA(ea) | D_zB(eb)",
        "flow": {
            "E_A G_AB G_BA": "A_cycle",
            "E_B G_AB G_BA": "B_cycle",
            "E_B G_AB": "z_B_cycle",
            "E_A G_BA": "z_A_cycle",
            "G_BA": "D_A(A*)",
            "G_AB": "D_B(B*)",
            "E_A G_AB": "D_zA(ea)",
            "E_B G_BA": "D_zB(eb)",
        },
    },
    "bicyclegan": {
        "networks": {"E": (3, 16), "G": (11, 3), "D_vae": (3, 0), "D": (3, 0)},
        "discriminators": "D_vae(B*) | D(Bz)",
        "flow": {
            "E G": "B* ~ B | D_vae(B*)",
            "E": "kl(mu, logvar)",
            "G": "code | D(Bz)",
        },
    },
    "cut": {
        "networks": {"E": (3, 256), "T": (256, 3), "H": (256, 256), "D": (3, 0)},
        "discriminators": "D(y*)",
        "flow": {
            "E H T": "nce | idt_nce",
            "E T": "D(y*)",
        },
    },
    "cycada": {
        "networks": {
            "G_T": (3, 3),
            "G_S": (3, 3),
            "F_S": (3, 10),
            "F_T": (3, 10),
            "D_T": (3, 0),
            "D_S": (3, 0),
            "D_feat": (10, 0),
        },
        "discriminators": "D_T(t*) | D_S(s*) | D_feat(q_t)",
        "flow": {
            "G_S G_T": "s_cycle | t_cycle",
            "F_T": "task | D_feat(q_t)",
            "G_T": "sem_s | D_T(t*)",
            "G_S": "sem_t | D_S(s*)",
        },
    },
    "distancegan": {
        "networks": {"G_AB": (3, 3), "D_B": (3, 0)},
        "discriminators": "D_B(B*)",
        "flow": {
            "G_AB": "distance(B* ~ A) | D_B(B*)",
        },
    },
    "dpig": {
        "networks": {"E": (3, 32), "G": (50, 3), "D": (3, 0)},
        "discriminators": "D(x*)",
        "flow": {
            "E G": "x* ~ x | D(x*)",
        },
    },
    "drit": {
        "networks": {
            "G_x": (264, 3),
            "G_y": (264, 3),
            "F_x": (3, 256),
            "E": (256, 256),
            "A_x": (3, 16),
            "F_y": (3, 256),
            "A_y": (3, 16),
            "D_c": (256, 0),
            "D_x": (3, 0),
            "D_y": (3, 0),
            "D_xz": (3, 0),
            "D_yz": (3, 0),
        },
        "discriminators": "D_c(c_x, c_y) | D_x(u) | D_y(v) | D_xz(xz) | D_yz(yz)",
        "flow": {
            "A_x A_y E F_x F_y G_x G_y": "cross_x | cross_y",
            "A_x E F_x G_x": "self_x",
            "A_y E F_y G_y": "self_y",
            "E F_y G_x": "latent_x | D_xz(xz)",
            "E F_x G_y": "latent_y | D_yz(yz)",
            "A_x": "kl(m_x, v_x)",
            "A_y": "kl(m_y, v_y)",
            "E F_x": "kl(c_x)",
            "E F_y": "kl(c_y)",
            "E F_x F_y": "D_c(c_x, c_y)",
            "A_x E F_y G_x": "D_x(u)",
            "A_y E F_x G_y": "D_y(v)",
        },
    },
    "gcgan": {
        "networks": {"G": (3, 3), "D": (3, 0), "D_t": (3, 0)},
        "discriminators": "D(y*) | D_t(yt*)",
        "flow": {
            "G": "gc | idt | idt_t | D(y*) | D_t(yt*)",
        },
    },
    "gpgan": {
        "networks": {"G": (3, 3), "C": (3, 2), "D": (6, 0)},
        "discriminators": "D(y*)",
        "flow": {
            "G": "gender | y* ~ y | perceptual(y* ~ y) | D(y*)",
        },
    },
    "munit": {
        "networks": {
            "G_A": (264, 3),
            "G_B": (264, 3),
            "Ec_A": (3, 256),
            "Es_A": (3, 8),
            "Ec_B": (3, 256),
            "Es_B": (3, 8),
            "D_A": (3, 0),
            "D_B": (3, 0),
        },
        "discriminators": "D_A(BA) | D_B(AB)",
        "flow": {
            "Ec_A Es_A G_A": "rec_A",
            "Ec_B Es_B G_B": "rec_B",
            "Ec_A Ec_B G_B": "content_A",
            "Ec_A Ec_B G_A": "content_B",
            "Ec_B Es_A G_A": "style_A",
            "Ec_A Es_B G_B": "style_B",
            "Ec_B G_A": "D_A(BA)",
            "Ec_A G_B": "D_B(AB)",
        },
    },
    "pix2pixhd": {
        "networks": {"G": (36, 3), "D": (39, 0)},
        "discriminators": "D(y*)",
        "flow": {
            "G": "perceptual(y* ~ y) | D(y*) | feature_matching(D(y*))",
        },
    },
    "recycle_gan": {
        "networks": {"G_A": (3, 3), "G_B": (3, 3), "P_B": (6, 3), "P_A": (6, 3), "D_A": (3, 0), "D_B": (3, 0)},
        "discriminators": """
            D_A(B0*) | D_A(B1*) | D_A(B2*) | D_A(stop(Bp)) | D_B(A0*) | D_B(A1*) | D_B(A2*) | D_B(stop(Ap))
        """,
        "flow": {
            "G_A G_B P_B": "recycle_A",
            "G_A G_B P_A": "recycle_B",
            "P_A": "recurrent_A",
            "P_B": "recurrent_B",
            "G_A": "idt_A0 | idt_A1 | D_A(B0*) | D_A(B1*)",
            "G_B": "idt_B0 | idt_B1 | D_B(A0*) | D_B(A1*)",
            "G_A P_B": "D_A(B2*)",
            "G_B P_A": "D_B(A2*)",
        },
    },
    "selectiongan": {
        "networks": {"G_i": (6, 3), "G_s": (3, 3), "G_a": (9, 4), "D": (6, 0)},
        "discriminators": "D(y1) | D(y2)",
        "flow": {
            "G_a G_i G_s": "l_1 | l_2 | s_1 | s_2 | y2 ~ y | S2 ~ S | total_variation(y2) | D(y2)",
            "G_i": "y1 ~ y | D(y1)",
            "G_i G_s": "S1 ~ S",
        },
    },
    "spade": {
        "networks": {"E": (3, 512), "G": (291, 3), "D": (38, 0)},
        "discriminators": "D(y*)",
        "flow": {
            "E": "kl(mu, logvar)",
            "E G": "perceptual(y* ~ y) | D(y*) | feature_matching(D(y*))",
        },
    },
    "stargan_v2": {
        "networks": {"E": (5, 64), "G": (67, 3), "F": (18, 64), "D": (5, 0)},
        "discriminators": "D(x*, c) | r1(D(x*, c)) | D(y*, c)",
        "flow": {
            "E F G": "cyc | sty",
            "G": "cyc_r | sty_r | ds_r | D(y*, c)",
            "F G": "ds | D(x*, c)",
        },
    },
    "ugatit": {
        "networks": {"G_BA": (3, 5), "G_AB": (3, 5), "DG_A": (3, 0), "DL_A": (3, 0), "DG_B": (3, 0), "DL_B": (3, 0)},
        "discriminators": "DG_A(A*) | DL_A(A*) | DG_B(B*) | DL_B(B*)",
        "flow": {
            "G_AB G_BA": "A_cycle | B_cycle",
            "G_BA": "idt_A | is_source(cam_B) | is_target(cam_AA) | DG_A(A*) | DL_A(A*)",
            "G_AB": "idt_B | is_source(cam_A) | is_target(cam_BB) | DG_B(B*) | DL_B(B*)",
        },
    },
    "unit": {
        "networks": {
            "T_A": (256, 3),
            "T_B": (256, 3),
            "T": (256, 256),
            "E_A": (3, 256),
            "E": (256, 256),
            "E_B": (3, 256),
            "D_A": (3, 0),
            "D_B": (3, 0),
        },
        "discriminators": "D_A(BA) | D_B(AB)",
        "flow": {
            "E E_A T T_A": "A_A",
            "E E_B T T_B": "B_B",
            "E E_A E_B T T_A T_B": "ABA | BAB",
            "E E_A": "kl(a)",
            "E E_B": "kl(b)",
            "E E_A E_B T T_B": "kl(ab)",
            "E E_A E_B T T_A": "kl(ba)",
            "E E_B T T_A": "D_A(BA)",
            "E E_A T T_B": "D_B(AB)",
        },
    },
    "xgan": {
        "networks": {
            "T_A": (1024, 3),
            "T_B": (1024, 3),
            "E_A": (3, 1024),
            "E_B": (3, 1024),
            "P": (3, 1024),
            "C": (1024, 2),
            "D_B": (3, 0),
        },
        "discriminators": "D_B(AB)",
        "flow": {
            "E_A T_A": "rec_A",
            "E_B T_B": "rec_B",
            "C E_A": "dann_A",
            "C E_B": "dann_B",
            "E_A E_B T_B": "sem_A",
            "E_A E_B T_A": "sem_B",
            "E_A": "teach",
            "E_A T_B": "D_B(AB)",
        },
    },
    "c2gan_paper": {
        "networks": {"G_I": (21, 3), "G_K": (3, 18), "D_I": (24, 0), "D_K": (21, 0)},
        "discriminators": "D_I(y*) | D_I(x*) | D_K(Ly*) | D_K(Lx*)",
        "flow": {
            "G_I": "I2I2I | y* ~ y | D_I(y*) | D_I(x*)",
            "G_I G_K": "K2G2K | K2R2K | D_K(Ly*) | D_K(Lx*)",
        },
    },
    "dpig_second": {
        "networks": {"E": (3, 32), "F": (32, 32), "D": (32, 0)},
        "discriminators": "D(e*) | wgan_gp(D(e*))",
        "flow": {
            "F": "D(e*)",
        },
    },
    "munit_with_cycles": {
        "networks": {
            "G_A": (264, 3),
            "G_B": (264, 3),
            "Ec_A": (3, 256),
            "Es_A": (3, 8),
            "Ec_B": (3, 256),
            "Es_B": (3, 8),
            "D_A": (3, 0),
            "D_B": (3, 0),
        },
        "discriminators": "D_A(BA) | D_B(AB)",
        "flow": {
            "Ec_A Es_A G_A": "rec_A",
            "Ec_B Es_B G_B": "rec_B",
            "Ec_A Ec_B Es_A G_A G_B": "cyc_A",
            "Ec_A Ec_B Es_B G_A G_B": "cyc_B",
            "Ec_A Ec_B G_B": "content_A",
            "Ec_A Ec_B G_A": "content_B",
            "Ec_B Es_A G_A": "style_A",
            "Ec_A Es_B G_B": "style_B",
            "Ec_B G_A": "D_A(BA)",
            "Ec_A G_B": "D_B(AB)",
        },
    },
    "distancegan_with_cycles": {
        "networks": {"G_AB": (3, 3), "G_BA": (3, 3), "D_B": (3, 0), "D_A": (3, 0)},
        "discriminators": "D_B(B*) | D_A(A*)",
        "flow": {
            "G_AB G_BA": "A_cycle | B_cycle",
            "G_AB": "distance(B* ~ A) | D_B(B*)",
            "G_BA": "distance(A* ~ B) | D_A(A*)",
        },
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
    if "evaluations" in expected:
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
        networks = {evaluation.network for evaluation in plan.evaluations} - set(graph.all_functions)
        assert networks <= set(graph.discriminators), name
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
