"""C2GAN on persons as the text has it: who learns while the estimator stands in, and who when G_K takes over."""

import pytest
import torch

from cyclekit import CycleModel, NetworkSpec, papers
from cyclekit.errors import ArgumentError
from cyclekit.training import AdversarialStep, create_optimizers

WARM_UP = 2
UNET = NetworkSpec("unet_64", base_channels=2)
TINY = {
    "generators": dict.fromkeys(("G_I", "G_K"), UNET),
    "discriminators": NetworkSpec("patchgan_16", base_channels=2),
}


def batch() -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    channels = {"x": 3, "y": 3, "Lx": 4, "Ly": 4}
    signals = {name: torch.rand(2, count, 64, 64, generator=random) * 2 - 1 for name, count in channels.items()}
    return signals | {"M": (torch.rand(2, 1, 64, 64, generator=random) > 0.5).float()}


@pytest.fixture(scope="module")
def trained() -> tuple[CycleModel, list[set[str]], list[set[str]]]:
    """A model after two steps of warm-up and one more: what moved in each, and which losses there were."""
    torch.manual_seed(0)
    paper = papers.c2gan(4, "paper", task="persons", warm_up=WARM_UP)
    pose = papers.c2gan(4).graph.build(generators=UNET, discriminators="pixelgan").generators["G_K"]
    model = paper.build(**{**TINY, "generators": {**TINY["generators"], "pose": pose}}, size=(64, 64))
    step = AdversarialStep(model, create_optimizers(model, torch.optim.Adam))
    moved, losses = [], []
    for _ in range(WARM_UP + 1):
        before = {name: value.clone() for name, value in model.state_dict().items()}
        losses.append(set(step(batch()).losses))
        changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
        moved.append({name.split(".")[1] for name in changed})
    return model, moved, losses


def test_who_moves_when(trained) -> None:
    _, moved, _ = trained
    assert moved == [{"G_I", "D_I", "G_K"}] * WARM_UP + [{"G_I", "D_I", "G_K", "D_K"}]


def test_terms_of_the_warm_up_end_with_it(trained) -> None:
    _, _, losses = trained
    assert [{"G_K/real_y", "G_K/real_x"} <= there for there in losses] == [True] * WARM_UP + [False]
    assert ["G_K/K2G2K" in there for there in losses] == [False] * WARM_UP + [True]
    assert ["G_I/K2G2K" in there for there in losses] == [True] * (WARM_UP + 1)
    graph = papers.c2gan(4, "paper", task="persons", warm_up=WARM_UP).graph
    assert [graph.term("real_y").weight.at(step) for step in (0, WARM_UP - 1, WARM_UP, 100)] == [10, 10, 0, 0]


def test_g_k_learns_from_real_images_alone_and_g_i_from_the_estimator() -> None:
    graph = papers.c2gan(4, "paper", task="persons", warm_up=WARM_UP).graph
    early, late = graph.at_step(0).gradient_flow(), graph.at_step(WARM_UP).gradient_flow()
    assert {name for name, who in early.items() if "G_K" in who} == {"real_y", "real_x"}
    keypoints = {"K2G2K", "K2R2K", "keypoint_distance(Ly* ~ Ly)"}
    assert {name for name in keypoints if early[name] == {"G_I"} and late[name] == {"G_I", "G_K"}} == keypoints
    assert not {"D_K(Ly*)", "D_K(Lx*)"} & early.keys()


def test_a_saved_model_does_without_the_estimator(trained, tmp_path) -> None:
    model, _, _ = trained
    model.eval().save_pretrained(tmp_path)
    used = CycleModel.from_pretrained(tmp_path).eval()
    assert "pose" not in used.generators
    asked = {name: batch()[name] for name in ("x", "Ly")}
    made = [net.generate(asked, ["y*", "Ly*"]) for net in (model, used)]
    assert all(torch.equal(made[0][name], made[1][name]) for name in ("y*", "Ly*"))


def test_a_pixel_of_distance_costs_about_what_the_maps_do() -> None:
    """The weight of 0.1 beside K2G2K's 10, at the size and width of blobs that persons have."""
    from cyclekit.keypoints import render_heatmaps
    from cyclekit.losses import keypoint_distance, l1

    points = torch.tensor([[[30.0, 60.0], [20.0, 40.0]]])
    maps = [2 * render_heatmaps(points + shift, (128, 64), 6.0) - 1 for shift in (0.0, torch.tensor([1.0, 0.0]))]
    ratio = 0.1 * keypoint_distance(maps[1], maps[0]) / (10 * l1(maps[1], maps[0]))
    assert 1 < ratio < 2


@pytest.mark.parametrize(
    "options",
    [{}, {"preset": "paper"}, {"task": "persons"}, {"preset": "paper", "task": "persons", "row": "I2I2I"}],
    ids=str,
)
def test_a_warm_up_is_the_texts_on_persons_alone(options) -> None:
    with pytest.raises(ArgumentError, match=r"c2gan\(warm_up=2\): an estimator stands in for G_K with preset='paper'"):
        papers.c2gan(warm_up=2, **options)


def test_rows_of_table_1_on_persons() -> None:
    def terms(row):
        return {term.name for term in papers.c2gan(preset="paper", task="persons", row=row).graph.terms}

    assert "keypoint_distance(Ly* ~ Ly)" in terms("I2I2I+K2G2K")
    assert "keypoint_distance(Ly* ~ Ly)" not in terms("I2I2I+K2R2K") | terms("I2I2I")
    assert all("masked(y* ~ y, M)" in terms(row) for row in ("I2I2I", "full", "single_modal", "non_sharing"))
