"""C2GAN whose G_K is supervised on real images."""

import pytest
import torch

from cyclekit import Heatmap, Landmarks, papers
from cyclekit.training import AdversarialStep, create_optimizers


@pytest.mark.parametrize(
    ("pose", "foreground", "asking"),
    [(Landmarks(3), "dark_foreground", 0.1), (Heatmap(4), "bright_foreground", 1)],
    ids=str,
)
def test_g_k_learns_to_read_real_images_and_g_i_learns_nothing_from_that(pose, foreground, asking):
    graph = papers.c2gan(pose, "supervised").graph
    flow = graph.gradient_flow()
    assert flow["real_y"] == flow["real_x"] == {"G_K"}
    assert flow["K2G2K"] == flow["K2R2K"] == {"G_I", "G_K"}
    keypoints = [graph.term(name) for name in ("K2G2K", "K2R2K", "real_y", "real_x")]
    assert [(term.criterion, term.weight) for term in keypoints] == [(foreground, asking)] * 2 + [(foreground, 10)] * 2
    assert graph.term("D_K(Ly*)").weight == graph.term("D_K(Lx*)").weight == asking
    assert graph.term("y* ~ y").weight == 100
    assert papers.c2gan(pose, "supervised", pixel_weight=30).graph.term("y* ~ y").weight == 30


def test_it_differs_from_the_released_code_in_what_g_k_learns_alone():
    graph = papers.c2gan(preset="supervised", pixel_weight=10).graph
    official = papers.c2gan().graph
    assert (graph.cycles, graph.adversaries) == (official.cycles, official.adversaries)
    weights = {**graph.weights, "K2G2K": 10, "K2R2K": 10}
    assert (
        graph.without("real_y", "real_x")
        .replace(criteria={})
        .replace(weights={key: weight for key, weight in weights.items() if key != "real_*"})
        .terms
        == official.terms
    )


def test_rows_of_table_1_keep_what_teaches_g_k():
    graph = papers.c2gan(preset="supervised", row="I2I2I+K2R2K").graph
    assert [term.name for term in graph.terms] == ["I2I2I", "K2R2K", "y* ~ y", "real_y", "real_x"] + [
        f"D_{judged}" for judged in ("I(y*)", "I(x*)", "K(Lx*)")
    ]


def test_both_readers_of_the_row_that_shares_none_learn_on_real_images():
    graph = papers.c2gan(preset="supervised", row="non_sharing").graph
    flow = graph.gradient_flow()
    assert graph.generators == ("G_I_1", "G_I_2", "G_K_1", "G_K_2")
    assert (set(flow["real_y"]), set(flow["real_x"])) == ({"G_K_1"}, {"G_K_2"})
    assert "G_K_1" in flow["K2G2K"]
    assert "G_K_2" in flow["K2R2K"]


def test_its_recipe_trains():
    torch.manual_seed(0)
    paper = papers.c2gan(Landmarks(3), "supervised")
    assert paper.recipe.size == (64, 64)
    model = paper.build(size=paper.recipe.size)
    step = AdversarialStep(model, create_optimizers(model, torch.optim.Adam))
    before = [weight.clone() for weight in model.generators["G_K"].parameters()]
    result = step({name: torch.rand(2, 3, 64, 64) * 2 - 1 for name in ("x", "y", "Lx", "Ly")})
    assert {"generators/real_y", "generators/K2G2K"} <= result.losses.keys()
    assert all((was != now).any() for was, now in zip(before, model.generators["G_K"].parameters(), strict=True))


def test_what_judges_faces_is_not_normalised():
    for pose, task, norm in ((Landmarks(3), "faces", "none"), (Heatmap(18), "persons", "batch")):
        recipe = papers.c2gan(pose, "supervised", task=task).recipe
        assert {spec.options["norm"] for spec in recipe.discriminators.values()} == {norm}
        assert {spec.options["norm"] for spec in recipe.generators.values()} == {"batch"}
