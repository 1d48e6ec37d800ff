"""Published models, each as its paper would say it."""

from cyclekit.graph import CycleGraph, Heatmap, Image, Label, Latent, Mask, Schedule

C2GAN = CycleGraph(  # Tang et al., ACM MM 2019, arXiv 1908.00999
    signals={"x": Image(3), "y": Image(3), "Lx": Heatmap(18), "Ly": Heatmap(18)},
    cycles="""
        I2I2I: [x, Ly]  -G_I-> y* ; [y*, Lx] -G_I-> x* ~ x      # Eq. 1, 5
        K2G2K: [x, Ly]  -G_I-> y* -G_K-> Ly* ~ Ly               # Eq. 6, 11
        K2R2K: [y*, Lx] -G_I-> x* -G_K-> Lx* ~ Lx               # Eq. 7, 11
    """,
    adversaries="""
        D_I: [x, Ly, y*] vs [x, Ly, y]                          # Eq. 2
        D_I: [y, Lx, x*] vs [y, Lx, x]                          # Eq. 3
        D_K: [y*, Ly*]   vs [y*, Ly]                            # Eq. 8
        D_K: [x*, Lx*]   vs [x*, Lx]                            # Eq. 9
    """,
    losses="y* ~ y",  # Eq. 12
    weights={"I2I2I": 10, "K2G2K": 10, "K2R2K": 10, "y* ~ y": 10},
)

PIX2PIX = CycleGraph(  # Isola et al., CVPR 2017
    signals={"x": Image(3), "y": Image(3)},
    maps="x -G-> y*",
    adversaries="D: [x, y*] vs [x, y]",
    losses="y* ~ y",
    weights={"y* ~ y": 100},
)

CYCLEGAN = CycleGraph(  # Zhu et al., ICCV 2017, with the identity loss
    signals={"A": Image(3), "B": Image(3)},
    cycles="""
        forward:  A -G_A-> B* -G_B-> A** ~ A
        backward: B -G_B-> A* -G_A-> B** ~ B
    """,
    adversaries="D_A: B* vs B ; D_B: A* vs A",
    losses="idt_A: B -G_A-> _ ~ B ; idt_B: A -G_B-> _ ~ A",
    weights={"forward": 10, "backward": 10, "idt_A": 5, "idt_B": 5},
)

DUALGAN = CycleGraph(  # Yi et al., ICCV 2017: Wasserstein critics that step more often
    signals={"u": Image(3), "v": Image(3)},
    cycles="""
        u_cycle: u -G_A-> v* -G_B-> u** ~ u
        v_cycle: v -G_B-> u* -G_A-> v** ~ v
    """,
    adversaries="D_A: v* vs v ; D_B: u* vs u",
    adversarial="wgan",
    weights={"u_cycle": 500, "v_cycle": 500},
    schedule=Schedule(order=("discriminators", "generators"), discriminator_steps=3, history=0),
)

DISCOGAN = CycleGraph(  # Kim et al., ICML 2017: log loss, squared reconstruction
    signals={"A": Image(3), "B": Image(3)},
    cycles="const_A: A -G_AB-> B* -G_BA-> A** ~ A ; const_B: B -G_BA-> A* -G_AB-> B** ~ B",
    adversaries="D_B: B* vs B ; D_A: A* vs A",
    criteria={"const_A": "l2", "const_B": "l2"},
    adversarial="log",
    schedule=Schedule(history=0),
)

COMBOGAN = CycleGraph(  # Anoosheh et al., CVPR workshops 2018: an encoder and a decoder for each of three domains
    signals={"A": Image(3), "B": Image(3), "C": Image(3)} | {name: Latent(256) for name in ("a", "b", "c")},
    cycles="""
        ABA: A -E_A-> a -T_B-> AB -E_B-> _ -T_A-> _ ~ A
        ACA: A -E_A-> a -T_C-> AC -E_C-> _ -T_A-> _ ~ A
        BAB: B -E_B-> b -T_A-> BA -E_A-> _ -T_B-> _ ~ B
        BCB: B -E_B-> b -T_C-> BC -E_C-> _ -T_B-> _ ~ B
        CAC: C -E_C-> c -T_A-> CA -E_A-> _ -T_C-> _ ~ C
        CBC: C -E_C-> c -T_B-> CB -E_B-> _ -T_C-> _ ~ C
    """,
    adversaries="""
        D_A: BA vs A ; CA vs A
        D_B: AB vs B ; CB vs B
        D_C: AC vs C ; BC vs C
    """,
    weights=dict.fromkeys(("ABA", "ACA", "BAB", "BCB", "CAC", "CBC"), 10),
)

STARGAN = CycleGraph(  # Choi et al., CVPR 2018: c0 is x's label, c the wanted one
    signals={"x": Image(3), "c": Label(5), "c0": Label(5)},
    cycles="rec: [x, c] -G-> y* ; [y*, c0] -G-> x* ~ x",
    adversaries="D: y* vs x",
    losses="real_cls: x -D.cls-> _ ~ c0 ; fake_cls: y* -D.cls-> _ ~ c",
    weights={"rec": 10},
)

G2GAN = CycleGraph(  # Tang et al., ACCV 2018: one generator translates, the other one reconstructs
    signals={"x": Image(3), "c": Label(5), "c0": Label(5)},
    cycles="rec: [x, c] -G_t-> y* ; [y*, c0] -G_r-> x* ~ x",
    adversaries="D: y* vs x",
    losses="""
        structure: ssim(x* ~ x)
        identity:  [x, c0] -G_r-> _ ~ x
        real_cls:  x -D.cls-> _ ~ c0
        fake_cls:  y* -D.cls-> _ ~ c
    """,
    weights={"rec": 10, "identity": 0.5},
)

GESTUREGAN = CycleGraph(  # Tang et al., ACM MM 2018
    signals={"x": Image(3), "y": Image(3), "Lx": Heatmap(3), "Ly": Heatmap(3)},
    cycles="""
        x_cycle: [x, Ly] -G-> y*  ; [y*, Lx] -G-> x** ~ x
        y_cycle: [y, Lx] -G-> x* ; [x*, Ly] -G-> y** ~ y
    """,
    adversaries="""
        D: [x, Ly, y*] vs [x, Ly, y]
        D: [y, Lx, x*] vs [y, Lx, x]
    """,
    losses="""
        y* ~ y ; x* ~ x
        identity_x: [x, Lx] -G-> _ ~ x
        identity_y: [y, Ly] -G-> _ ~ y
    """,
    weights={
        "x_cycle": 0.1,
        "y_cycle": 0.1,
        "y* ~ y": 800,
        "x* ~ x": 800,
        "identity_x": 0.01,
        "identity_y": 0.01,
    },
)

PG2 = CycleGraph(  # Ma et al., NIPS 2017: both stages at once
    signals={"x": Image(3), "y": Image(3), "Ly": Heatmap(18), "M": Mask()},
    maps="[x, Ly] -G_1-> y1 ; [x, y1] -G_2-> d ; [y1, d] -add-> y*",
    adversaries="D: y* vs y ; D: x vs y",
    losses="masked(y1 ~ y, M) ; masked(y* ~ y, M)",
    criteria={"D": "log"},
    weights={"masked(y* ~ y, M)": 10, "D(y*)": 0.5, "D(x)": 0.5},
)
PG2_FIRST = CycleGraph(
    signals={"x": Image(3), "y": Image(3), "Ly": Heatmap(18), "M": Mask()},
    maps="[x, Ly] -G_1-> y1",
    losses="masked(y1 ~ y, M)",
)
PG2_SECOND = PG2.without("masked(y1 ~ y, M)").replace(frozen=["G_1"])

POSEGAN = CycleGraph(  # Siarohin et al., CVPR 2018: features warped part by part between two poses
    signals={"x": Image(3), "y": Image(3), "Lx": Heatmap(18), "Ly": Heatmap(18)}
    | {"f": Latent(64), "f_Ly": Latent(64), "g": Latent(64)},
    maps="""
        [x, Lx]      -E_x->  f
        [f, Lx, Ly]  -warp-> f_Ly
        Ly           -E_L->  g
        [f_Ly, g]    -Dec->  y*
    """,
    functions=["warp"],
    adversaries="D: [x, Lx, y*, Ly] vs [x, Lx, y, Ly]",
    losses="nearest_neighbour(y* ~ y)",
    adversarial="log",
    weights={"nearest_neighbour(y* ~ y)": 0.01},
)

FAMILY: dict[str, CycleGraph] = {
    "c2gan": C2GAN,
    "pix2pix": PIX2PIX,
    "cyclegan": CYCLEGAN,
    "dualgan": DUALGAN,
    "discogan": DISCOGAN,
    "combogan": COMBOGAN,
    "stargan": STARGAN,
    "g2gan": G2GAN,
    "gesturegan": GESTUREGAN,
    "pg2": PG2,
    "pg2_first": PG2_FIRST,
    "pg2_second": PG2_SECOND,
    "posegan": POSEGAN,
}
