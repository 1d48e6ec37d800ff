"""Every paper's recipe builds, fits its graph at its size, and trains a step; the registry of papers."""

import pickle
import traceback

import pytest
import torch

from cyclekit import CycleGraph, GraphError, Image, Landmarks, NetworkSpec, Schedule, papers
from cyclekit.errors import UnknownNameError
from cyclekit.nets import discriminators, generators
from cyclekit.papers import Paper, Recipe, Source, create_paper, cyclegan, list_papers, paper, register_paper
from cyclekit.training import AdversarialStep, create_optimizers
from tests.model.tiny import FAMILY, TinyGenerator, TinyJudge, batch_of, built, warp


@pytest.fixture(autouse=True)
def own_registry(monkeypatch):
    monkeypatch.setattr(paper._registry, "_factories", dict(paper._registry._factories))


# What a paper leaves to the user, whose modules no test can know.
LACKING = {
    "cycada": {"F_S", "F_T"},
    "gpgan": {"C"},
    "munit": {"G_A", "G_B"},
    "posegan": {"E_x", "E_L", "Dec", "warp"},
    "selectiongan": {"G_a"},
    "spade": {"G"},
    "stargan_v2": {"E", "F", "G", "D"},
    "ugatit": {"G_AB", "G_BA", "DG_A", "DL_A", "DG_B", "DL_B"},
    "xgan": {"E_A", "E_B", "T_A", "T_B", "P"},
}
C2GAN_ROWS = ("I2I2I", "I2I2I+K2G2K", "I2I2I+K2R2K", "single_modal", "non_sharing")
# By the papers' arguments; VGG's weights are not at hand.
UNTRAINED = {name: {"perceptual": False} for name in ("gpgan", "pix2pixhd", "spade")}
VARIANTS = [
    *((name, UNTRAINED.get(name, {})) for name in list_papers()),
    ("c2gan", {"preset": "paper"}),
    ("c2gan", {"preset": "paper", "task": "persons"}),
    ("c2gan", {"keypoints": Landmarks(3)}),
    *(("c2gan", {"row": row}) for row in C2GAN_ROWS),
    ("combogan", {"domains": "ABCD"}),
    ("cyclegan", {"identity": 0}),
    ("dpig", {"stage": "second"}),
    ("distancegan", {"cycles": True}),
    ("munit", {"cycle": 10}),
    ("pg2", {"stage": "first"}),
    ("pg2", {"stage": "second"}),
    ("xgan", {"teacher": False}),
]
every_variant = pytest.mark.parametrize(("name", "options"), VARIANTS, ids=str)


@every_variant
def test_a_recipe_names_registered_networks_for_all_of_its_graph(name, options):
    chosen = create_paper(name, **options)
    recipe = chosen.recipe
    assert recipe.generators.keys() == set(chosen.graph.generators)
    assert recipe.discriminators.keys() == set(chosen.graph.discriminators)
    assert set(chosen.lacking) == LACKING.get(name, set()) - ({"P"} if options == {"teacher": False} else set())
    for specs, registry in ((recipe.generators, generators), (recipe.discriminators, discriminators)):
        assert all(spec.name in registry for spec in specs.values() if spec is not None)
    assert recipe.rates.keys() <= {*chosen.graph.generators, *chosen.graph.discriminators}
    assert hasattr(torch.optim, recipe.optimizer)


def lacking_parts(chosen):
    """Return tiny networks and functions for those that a paper leaves to the user."""
    graph, lacking = chosen.graph, set(chosen.lacking)
    known = graph.networks
    return {
        "generators": {
            name: TinyGenerator(known[name].in_channels, known[name].outputs)
            for name in graph.generators
            if name in lacking
        },
        "discriminators": {
            name: TinyJudge(known[name].in_channels) for name in graph.discriminators if name in lacking
        },
        "functions": dict.fromkeys(set(graph.functions) & lacking, warp),
    }


# DualGAN is declared without the clipping of its critics that its loop does.
@pytest.mark.filterwarnings("ignore:.*is a wgan without a penalty")
@every_variant
def test_a_recipes_networks_fit_its_graph_at_its_size(name, options):
    chosen = create_paper(name, **options)
    graph, size = chosen.graph, chosen.recipe.size
    with torch.device("meta"):
        model = chosen.build(size=size, **lacking_parts(chosen))
        if chosen.lacking:
            return  # which sizes the user's networks make is not known
        domains = {signal: graph.domains[signal] for signal in graph.inputs}
        batch = {
            signal: torch.empty(2, domain.channels, *(size if domain.spatial else ()))
            for signal, domain in domains.items()
        }
        paid = model.generator_loss(batch)
        assert paid.terms.keys() == graph.gradient_flow().keys()
        if graph.discriminators:
            judged = model.discriminator_loss(batch, paid.signals)
            assert judged.terms.keys() == {term.name for term in graph.minimised_by("discriminators")}


@pytest.mark.filterwarnings("ignore:.*is a wgan without a penalty")
@pytest.mark.parametrize("name", FAMILY)
def test_a_step_trains_every_network_that_is_not_frozen(name):
    graph = FAMILY[name].replace(schedule=Schedule(history=0))
    model, batch = built(graph), batch_of(graph)
    before = {key: weight.clone() for key, weight in model.named_parameters()}
    step = AdversarialStep(model, create_optimizers(model, lambda weights: torch.optim.Adam(weights, 1e-3)))
    assert all(loss.isfinite() for loss in step(batch).losses.values())
    moved = {key.split(".")[1] for key, weight in model.named_parameters() if not torch.equal(weight, before[key])}
    assert moved == {*graph.generators, *graph.discriminators} - {*graph.frozen}


def test_a_missing_network_is_named():
    with pytest.raises(GraphError, match=r"Cross-View.*no network for G_a; pass build\(generators="):
        create_paper("selectiongan").build()


def test_what_is_passed_takes_the_papers_place():
    spec = NetworkSpec("resnet_6blocks", base_channels=2)
    model = create_paper("cyclegan").build(generators={"G_A": spec}, discriminators="pixelgan")
    assert model.specs["G_A"] == spec
    assert model.specs["G_B"].name == "resnet_9blocks"
    assert model.specs["D_A"].name == "pixelgan"


def test_a_paper_is_a_value():
    assert create_paper("cyclegan").graph == create_paper("cyclegan").graph
    assert create_paper("cyclegan").recipe == create_paper("cyclegan").recipe
    assert create_paper("cyclegan", channels=1).graph.signals["A"] == Image(1)


def test_c2gan_is_the_papers_in_both_presets():
    official, text = create_paper("c2gan"), create_paper("c2gan", preset="paper")
    assert [official.recipe.batch, text.recipe.batch] == [8, 16]
    assert [official.graph.adversarial, text.graph.adversarial] == ["lsgan", "log"]
    assert "\n".join(str(text.recipe).splitlines()[:2]) == (
        "G_I: unet_256(init='normal', norm='batch')\nG_K: unet_256(init='normal', norm='batch')"
    )
    assert "rate: constant for 100 epochs, then linearly to 0 over 100" in str(official.recipe)
    assert str(official.source).endswith("ACM MM 2019, arXiv 1908.00999, github.com/Ha0Tang/C2GAN")


def test_a_misspelt_paper_is_told_which_are_near():
    with pytest.raises(AttributeError) as caught:
        papers.cycelgan()
    shown = "AttributeError: module 'cyclekit.papers' has no attribute 'cycelgan'; did you mean 'cyclegan' or "
    assert traceback.format_exception_only(caught.value)[-1].startswith(shown)
    assert "Did you mean" not in traceback.format_exception_only(caught.value)[-1]
    with pytest.raises(ImportError, match="cannot import name 'cycelgan'"):
        exec("from cyclekit.papers import cycelgan")
    assert not hasattr(papers, "cycelgan")
    assert getattr(papers, "cycelgan", None) is None
    assert pickle.loads(pickle.dumps(papers.cyclegan)) is cyclegan


def test_registering_listing_and_mistakes():
    @register_paper("toy")
    def toy(channels: int = 3) -> Paper:
        graph = CycleGraph({"x": Image(channels), "y": Image(3)}, maps="x -G-> y*", losses="y* ~ y")
        source = Source("A toy", "Nobody", "nowhere")
        return Paper(
            source=source, supervision="pairs", graph=graph, recipe=Recipe(generators={"G": NetworkSpec("unet_64")})
        )

    assert list_papers("to*") == ["toy"]
    assert create_paper("toy", channels=1).build().graph.signals["x"] == Image(1)
    with pytest.raises(UnknownNameError, match="no paper is called 'tox'; did you mean 'toy'"):
        create_paper("tox")
    with pytest.raises(TypeError, match=r"paper 'toy': .*'colour'; it takes channels"):
        create_paper("toy", colour=3)
    with pytest.raises(ValueError, match="registered already"):
        register_paper("toy")(toy)
