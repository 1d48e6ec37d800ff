"""The objective as a paper prints it: its exact text, its brackets, and that LaTeX takes it."""

import re
import shutil
import subprocess

import pytest
from hypothesis import given, settings

from cyclekit.graph import Classes, CycleGraph, Image, Label, Latent, Noise, Ramp, Vector
from tests.graph.family import FAMILY
from tests.graph.strategies import graphs


def lines(graph: CycleGraph) -> list[str]:
    return [line.strip() for line in graph.to_latex().splitlines()]


PIX2PIX = r"""
\begin{aligned}
y^{*} &= G(x) \\
\mathcal{L}_{y^{*} \sim y} &= \mathbb{E} \, \lVert y^{*} - y \rVert_1 \\
GEN{D(y^{*})} &= \mathbb{E} \, [-\log \sigma(D(x, y^{*}))] \\
DIS{D(y^{*})} &= \mathbb{E} \, [-\log \sigma(D(x, y))] + \mathbb{E} \, [-\log(1 - \sigma(D(x, y^{*})))] \\
\min_{G} &\; 100 \mathcal{L}_{y^{*} \sim y} + GEN{D(y^{*})} \\
\min_{D} &\; 0.5 \, \big[DIS{D(y^{*})}\big]
\end{aligned}
"""
# Eq. 1 to 13 of C2GAN, with the squares of its released code.
C2GAN = r"""
\begin{aligned}
y^{*} &= G_{I}(x, \mathit{Ly}) \\
x^{*} &= G_{I}(y^{*}, \mathit{Lx}) \\
\mathit{Ly}^{*} &= G_{K}(y^{*}) \\
\mathit{Lx}^{*} &= G_{K}(x^{*}) \\
\mathcal{L}_{\mathrm{I2I2I}} &= \mathbb{E} \, \lVert x^{*} - x \rVert_1 \\
\mathcal{L}_{\mathrm{K2G2K}} &= \mathbb{E} \, \lVert \mathit{Ly}^{*} - \mathit{Ly} \rVert_1 \\
\mathcal{L}_{\mathrm{K2R2K}} &= \mathbb{E} \, \lVert \mathit{Lx}^{*} - \mathit{Lx} \rVert_1 \\
\mathcal{L}_{y^{*} \sim y} &= \mathbb{E} \, \lVert y^{*} - y \rVert_1 \\
GEN{D_{I}(y^{*})} &= \mathbb{E} \, [(D_{I}(x, \mathit{Ly}, y^{*}) - 1)^2] \\
DIS{D_{I}(y^{*})} &= \mathbb{E} \, [(D_{I}(x, LY, y) - 1)^2] + \mathbb{E} \, [D_{I}(x, \mathit{Ly}, y^{*})^2] \\
GEN{D_{I}(x^{*})} &= \mathbb{E} \, [(D_{I}(y, \mathit{Lx}, x^{*}) - 1)^2] \\
DIS{D_{I}(x^{*})} &= \mathbb{E} \, [(D_{I}(y, LX, x) - 1)^2] + \mathbb{E} \, [D_{I}(y, \mathit{Lx}, x^{*})^2] \\
GEN{D_{K}(\mathit{Ly}^{*})} &= \mathbb{E} \, [(D_{K}(y^{*}, \mathit{Ly}^{*}) - 1)^2] \\
DIS{D_{K}(\mathit{Ly}^{*})} &= \mathbb{E} \, [(D_{K}(y^{*}, LY) - 1)^2] + \mathbb{E} \, [D_{K}(y^{*}, LY^{*})^2] \\
GEN{D_{K}(\mathit{Lx}^{*})} &= \mathbb{E} \, [(D_{K}(x^{*}, \mathit{Lx}^{*}) - 1)^2] \\
DIS{D_{K}(\mathit{Lx}^{*})} &= \mathbb{E} \, [(D_{K}(x^{*}, LX) - 1)^2] + \mathbb{E} \, [D_{K}(x^{*}, LX^{*})^2] \\
\min_{G_{I}, G_{K}} &\; 10 IMAGE + 10 GUIDANCE + 10 RESTORED + 10 \mathcal{L}_{y^{*} \sim y} \\
&\quad + GEN{D_{I}(y^{*})} + GEN{D_{I}(x^{*})} + GEN{D_{K}(\mathit{Ly}^{*})} + GEN{D_{K}(\mathit{Lx}^{*})} \\
\min_{D_{I}, D_{K}} &\; 0.5 \, \big[DIS{D_{I}(y^{*})} + DIS{D_{I}(x^{*})} + DIS{D_{K}(\mathit{Ly}^{*})} + LAST\big]
\end{aligned}
"""
SHORT = {
    "LAST": r"DIS{D_{K}(\mathit{Lx}^{*})}",
    "LX": r"\mathit{Lx}",
    "LY": r"\mathit{Ly}",
    "GEN": r"\mathcal{L}^{\mathrm{gen}}_",
    "DIS": r"\mathcal{L}^{\mathrm{dis}}_",
    "IMAGE": r"\mathcal{L}_{\mathrm{I2I2I}}",
    "GUIDANCE": r"\mathcal{L}_{\mathrm{K2G2K}}",
    "RESTORED": r"\mathcal{L}_{\mathrm{K2R2K}}",
}


@pytest.mark.parametrize(("name", "written"), [("pix2pix", PIX2PIX), ("c2gan", C2GAN)])
def test_the_whole_objective(name, written):
    for short, long in SHORT.items():
        written = written.replace(short, long)
    assert lines(FAMILY[name]) == written.strip().splitlines()


EVERYTHING = CycleGraph(
    {"x": Image(3), "y": Image(3), "c": Label(5), "s": Classes(4), "z_A": Noise(8), "mu_2": Vector(8), "__": Image(3)}
    | {"logvar": Vector(8), "f_x": Latent(8), "f_y": Latent(8), "a_b_c": Image(3), "s_1": Classes(4)},
    cycles="back: x -G_A-> y* -stop(G_B)-> x** ; x** ~ x",
    maps="""
        y -E-> [mu_2, logvar] -sample-> e ; [x, e] -G_1-> a_b_c ; [x, z_A] -G_1-> __
        x -F-> f_x ; y -F-> f_y ; x -S-> s* ; y -S-> s_1 -argmax-> s**
    """,
    adversaries="""
        D: y* vs y + r1 + r2 + wgan_gp + feature_matching ; __ vs y ; D_c: f_x <> f_y
        D_u: reverse(f_x) <> f_y
    """,
    losses="""
        kl(mu_2, logvar) ; total_variation(a_b_c) ; cls: y* -D.cls-> _ ~ c ; a_b_c ~ stop(y) ; s* ~ s** ; s_1 ~ s
        further_away: a_b_c ~ __ ; l2_of: reverse(y*) -H-> _ ~ y ; ssim(x -G_A-> _ ~ y)
    """,
    weights={"kl": 1e-6, "further_away": -0.5, "D": 2, "back": Ramp(1, 0, steps=100, after=10), "s_1 ~ s": -1},
    criteria={"D_u": "undecided", "l2_of": "l2"},
)
WRITTEN = [
    r"\mathcal{L}_{\mathrm{kl}(\mu_{2}, \mathit{logvar})} &= \mathbb{E} \, \mathrm{kl}(\mu_{2}, \mathit{logvar}) \\",
    r"x^{**} &= \mathrm{sg}(G_{B})(y^{*}) \\",
    r"\mathcal{L}_{a_{\mathit{b\_c}} \sim \mathrm{sg}(y)} &= "
    r"\mathbb{E} \, \lVert a_{\mathit{b\_c}} - \mathrm{sg}(y) \rVert_1 \\",
    r"\mathcal{L}_{\mathrm{cls}} &= \mathbb{E} \, -{c}^{\top} \log \mathrm{softmax}(D_{\mathrm{cls}}(y^{*})) \\",
    r"\mathcal{L}_{\mathrm{l2\_of}} &= \mathbb{E} \, \lVert H(\mathrm{rev}(y^{*})) - y \rVert_2^2 \\",
    r"\mathcal{L}_{\mathrm{r1}(D(y^{*}))} &= \mathbb{E} \, \lVert \nabla D(y) \rVert_2^2 \\",
    r"\mathcal{L}_{\mathrm{r2}(D(y^{*}))} &= \mathbb{E} \, \lVert \nabla D(y^{*}) \rVert_2^2 \\",
    r"\mathit{\_\_} &= G_{1}(x, z_{A}) \\",
    r"\lambda_{\mathrm{back}}(t) &\colon 1 \to 0, \; t = 10 \ldots 110 \\",
]


def test_every_construct_is_written():
    assert not {*WRITTEN} - {*lines(EVERYTHING)}
    total = " ".join(lines(EVERYTHING))
    assert r"+ 10^{-6} \mathcal{L}_{\mathrm{kl}(" in total
    assert r"-0.5 \mathcal{L}_{\mathrm{further\_away}}" in total
    assert r"+ \lambda_{\mathrm{back}}(t) \mathcal{L}_{\mathrm{back}}" in total.replace(
        r"&\; \lambda", r"&\; + \lambda"
    )


@pytest.mark.parametrize("criterion", ["log", "lsgan", "nonsaturating", "hinge", "wgan", "relativistic"])
def test_the_minimised_sums_name_every_term_once(criterion):
    graph = FAMILY["c2gan"].replace(adversarial=criterion)
    head, generators, discriminators = graph.to_latex().split(r"\min_")
    assert head.count("&=") == 4 + 4 + 2 * 4  # maps, comparisons, adversaries for both sides
    assert generators.count(r"\mathcal{L}") == 8
    assert discriminators.count(r"\mathcal{L}") == 4


def assert_balanced(text: str) -> None:
    """Every brace, bracket and environment closes; no symbol has two superscripts."""
    plain = re.sub(r"\\[{}_%&#$]", "", text)
    depth = 0
    for sign in re.findall(r"[{}]", plain):
        depth += 1 if sign == "{" else -1
        assert depth >= 0, text
    assert depth == 0, text
    pairs = [(r"\lVert", r"\rVert"), (r"\big[", r"\big]"), (r"\begin{aligned}", r"\end{aligned}")]
    for opening, closing in [*pairs, ("(", ")"), ("[", "]")]:
        assert plain.count(opening) == plain.count(closing), text
    assert not re.search(r"\^\{[^{}]*\}\^", plain), text
    assert not re.search(r"[_^]\{\}", plain), text
    for line in plain.splitlines()[1:-1]:
        assert line.count("&") == 1, line


@pytest.mark.parametrize("graph", [*FAMILY.values(), EVERYTHING], ids=[*FAMILY, "everything"])
def test_a_model_is_balanced(graph):
    assert_balanced(graph.to_latex())


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_a_random_graph_is_balanced(graph):
    assert_balanced(graph.to_latex())


PAGE = r"\documentclass{article}\usepackage[a3paper,landscape]{geometry}\usepackage{amsmath,amssymb}\begin{document}"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex (texlive-latex-base)")
def test_latex_takes_every_model(tmp_path):
    displayed = [f"\\[\n{graph.to_latex()}\n\\]\n\\newpage" for graph in [*FAMILY.values(), EVERYTHING]]
    (tmp_path / "models.tex").write_text("\n".join([PAGE, *displayed, r"\end{document}"]))
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "models.tex"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-2000:]
    assert f"({len(displayed)} pages" in result.stdout  # each on one page
    assert "Overfull \\hbox" not in result.stdout
