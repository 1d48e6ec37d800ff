"""What a model generates, and what it refuses."""

import copy
import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cyclekit import CycleModel, GraphError, GraphWarning, Image, Label, NetworkSpec, Vector
from cyclekit.errors import NetworkCallError
from cyclekit.graph import CycleGraph, Latent
from cyclekit.losses import create_adversarial_loss, l1
from cyclekit.model import NetworkOutputError, SignalError
from cyclekit.nets import ImageSizeError, MultiscalePatchGAN
from tests.model.tiny import (
    C2GAN,
    COMBOGAN,
    FAMILY,
    PIX2PIX,
    POSEGAN,
    STARGAN,
    TinyGenerator,
    TinyJudge,
    batch_of,
    built,
    networks,
    warp,
)

# DualGAN is declared without the clipping of its critics that its loop does.
pytestmark = pytest.mark.filterwarnings("ignore:.*is a wgan without a penalty")

PLAIN = CycleGraph({"x": Image(3), "y": Image(3)}, maps="x -G-> y*", losses="y* ~ y")


def without(mapping, *names):
    return {name: value for name, value in mapping.items() if name not in names}


@pytest.mark.parametrize("name", FAMILY)
def test_generate_returns_every_generated_signal(name):
    graph = FAMILY[name]
    model, batch = built(graph), batch_of(graph)
    made = model.generate(batch)
    assert tuple(made) == graph.generated
    assert not any(value.requires_grad for value in made.values())
    torch.testing.assert_close(made, model.generate(batch, graph.generated))
    paid = model.generator_loss(batch).signals
    torch.testing.assert_close(without(paid), {name: made[name] for name in paid})


def test_generate_needs_no_more_than_what_is_asked():
    model, batch = built(C2GAN), batch_of(C2GAN)
    everything = model.generate(batch)
    # inference: no y, no Lx
    assert set(model.generate({name: batch[name] for name in ("x", "Ly")})) == {"y*", "Ly*"}
    only = model.generate(without(batch, "Lx", "y"), ["y*"])
    torch.testing.assert_close(only, {"y*": everything["y*"]})
    assert model.generate({}) == {}
    with pytest.raises(SignalError, match="the batch carries no 'Lx'"):
        model.generate(without(batch, "Lx"), ["x*"])


def test_generate_takes_generated_signals_as_they_are():
    model, batch = built(C2GAN), batch_of(C2GAN)
    given = {"y*": torch.rand_like(batch["y"])}
    made = model.generate({**without(batch, "x"), **given})
    torch.testing.assert_close(made["y*"], given["y*"])
    torch.testing.assert_close(made["Ly*"], model.generators["G_K"](given["y*"]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda batch: without(batch, "Ly"), "the batch carries no 'Ly' (Heatmap(4)); it carries x, y, Lx"),
        (lambda batch: {}, "the batch carries no 'x' (Image(3)); it carries nothing"),
        (
            lambda batch: batch | {"x": batch["x"][:, :1]},
            "'x' is Image(3): expected (batch, channels, height, width) with 3 channels, got (2, 1, 6, 6)",
        ),
        (
            lambda batch: batch | {"x": batch["x"][0]},
            "'x' is Image(3): expected (batch, channels, height, width) with 3 channels, got (3, 6, 6)",
        ),
        (
            lambda batch: batch | {"x": (batch["x"] * 100).byte()},
            "'x' must hold floating-point numbers, got torch.uint8: scale the values to [0, 1] and use "
            "Image(3).normalize",
        ),
        (lambda batch: batch | {"x": [1.0]}, "'x' must be a tensor, got list"),
        (
            lambda batch: batch | {"Ly": batch["Ly"][:1]},
            "one batch has one size: 'x' has 2 samples and 'Ly' 1",
        ),
        (
            lambda batch: batch | {"y": batch["y"][..., :4]},
            "one batch has one size: 'x' has 6x6 pixels (height, width) and 'y' 6x4",
        ),
    ],
)
def test_batches_that_do_not_fit(change, message):
    model = built(C2GAN)
    with pytest.raises(SignalError, match=f"^{re.escape(message)}"):
        model.generator_loss(change(batch_of(C2GAN)))


def test_labels_become_one_hot():
    model, batch = built(STARGAN), batch_of(STARGAN)
    numbers = batch | {name: batch[name].argmax(1) for name in ("c", "c0")}
    paid = model.generator_loss(numbers)
    torch.testing.assert_close(paid, model.generator_loss(batch))
    torch.testing.assert_close(
        model.discriminator_loss(numbers, paid.signals), model.discriminator_loss(batch, paid.signals)
    )
    with pytest.raises(SignalError, match=r"'c' is Label\(5\): expected classes 0 to 4, got 5"):
        model.generator_loss(batch | {"c": torch.tensor([0, 5])})


def test_vectors_are_tiled_and_may_be_made():
    graph = CycleGraph(
        {"x": Image(3), "z": Vector(4), "c": Label(2)},
        maps="[x, z] -G-> x* ; x* -E-> z* ; [z, c] -M-> w",
        losses="z* ~ z ; x* ~ x ; w ~ z",
    )
    model, batch = built(graph), batch_of(graph)
    made = model.generate(batch)
    tiled = batch["z"][:, :, None, None] * torch.ones(1, 1, 6, 6, dtype=torch.float64)
    torch.testing.assert_close(made["x*"], model.generators["G"](torch.cat([batch["x"], tiled], dim=1)))
    assert made["z*"].shape == (2, 4)
    torch.testing.assert_close(made["w"], model.generators["M"](torch.cat([batch["z"], batch["c"]], dim=1)))


class Returns(nn.Module):
    """Returns what it is told to."""

    def __init__(self, make):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.make = make

    def forward(self, joined):
        return self.make(joined * self.weight)


TWO = CycleGraph({"x": Image(3), "y": Image(3), "m": Image(1)}, maps="x -G-> [y*, m*]", losses="y* ~ y ; m* ~ m")


@pytest.mark.parametrize(
    "make",
    [
        lambda x: torch.cat([x, x[:, :1]], dim=1),
        lambda x: (x, x[:, :1]),
        lambda x: [x, x[:, :1]],
    ],
    ids=["one tensor", "tuple", "list"],
)
def test_several_outputs(make):
    model = TWO.build(generators=Returns(make))
    batch = batch_of(TWO, dtype=torch.float32)
    made = model.generate(batch)
    torch.testing.assert_close(made, {"y*": batch["x"], "m*": batch["x"][:, :1]})


@pytest.mark.parametrize(
    ("make", "got"),
    [
        (lambda x: x, "(2, 3, 6, 6)"),
        (lambda x: (x[:, :1], x), "(2, 1, 6, 6), (2, 3, 6, 6)"),
        (lambda x: (x,), "(2, 3, 6, 6)"),
        (lambda x: (x.mean((2, 3)), x[:, :1]), "(2, 3), (2, 1, 6, 6)"),
        (lambda x: None, "NoneType"),
        (lambda x: (x, None), "tuple"),
    ],
)
def test_outputs_that_do_not_fit(make, got):
    model = TWO.build(generators=Returns(make))
    message = f"G(x) -> y*, m*: G must return 4 channels (y*: Image(3), m*: Image(1)), got {got}"
    with pytest.raises(NetworkOutputError, match=f"^{re.escape(message)}$"):
        model.generator_loss(batch_of(TWO, dtype=torch.float32))


@pytest.mark.parametrize(
    ("graph", "make", "message"),
    [
        (
            PIX2PIX,
            lambda x: None,
            "D(x, y*): D must return logits, a list of logits or a dict of heads, got NoneType",
        ),
        (PIX2PIX, lambda x: {"cls": x}, "D(x, y*): D must return the head 'source', it returned 'cls'"),
        (STARGAN, lambda x: x, "must return a dict of heads, got Tensor"),
        (STARGAN, lambda x: {"source": x}, "D must return the head 'cls', it returned 'source'"),
    ],
)
def test_judgements_that_do_not_fit(graph, make, message):
    model = graph.build(generators=networks(graph)["generators"], discriminators=Returns(make))
    with pytest.raises(NetworkOutputError, match=re.escape(message)):
        model.generator_loss(batch_of(graph, dtype=torch.float32))


def test_a_module_of_other_channels_names_the_place():
    model = PIX2PIX.build(generators=TinyGenerator(5, (Image(3),)), discriminators=TinyJudge(6))
    message = r"G\(x\) -> y\*: G was given float32 \(2, 3, 6, 6\) on cpu, and failed: .*to have 5 channels"
    with pytest.raises(NetworkCallError, match=message):
        model.generator_loss(batch_of(PIX2PIX, dtype=torch.float32))


def test_discriminators_may_judge_at_several_scales():
    judge = MultiscalePatchGAN(6, scales=2, layers=1, base_channels=2, norm="none")
    model = PIX2PIX.build(generators=networks(PIX2PIX)["generators"], discriminators=judge)
    batch = batch_of(PIX2PIX, dtype=torch.float32, size=32)
    paid = model.generator_loss(batch)
    scales = judge(torch.cat([batch["x"], paid.signals["y*"]], dim=1))
    assert len(scales) == 2
    torch.testing.assert_close(paid.terms["D(y*)"], sum(F.softplus(-scale).mean() for scale in scales))


def test_functions_and_criteria_of_ones_own():
    graph = POSEGAN.replace(
        criteria={"nearest_neighbour(y* ~ y)": "mine", "D": "theirs"},
        weights={"nearest_neighbour(y* ~ y)": 2},
    )

    class Crooked(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Buffer(torch.tensor(3.0))

        def forward(self, prediction, target):
            return self.scale * (prediction - target).abs().mean()

    model = graph.build(
        **networks(graph),
        functions={"warp": warp},
        criteria={"mine": Crooked(), "theirs": create_adversarial_loss("hinge")},
    ).to(torch.float64)
    batch = batch_of(graph)
    paid = model.generator_loss(batch)
    mine = graph.terms[0].name
    assert paid.terms[mine].dtype == torch.float64  # the criterion moved with the model
    torch.testing.assert_close(paid.terms[mine], 3 * l1(paid.signals["y*"], batch["y"]))
    torch.testing.assert_close(paid.total, 2 * paid.terms[mine] + sum(paid.terms.values()) - paid.terms[mine])


def test_a_function_may_be_a_module_and_make_several_signals():
    graph = CycleGraph(
        {"x": Image(3), "a0": Image(1), "b": Image(5)},
        maps="x -G-> x* ; [x*, x] -cut-> [a, b]",
        functions=["cut"],
        losses="a ~ a0 ; [b, a] -H-> _ ~ x",
    )

    class Cut(nn.Module):
        def forward(self, left, right):
            both = torch.cat([left, right], dim=1)
            return both[:, :1], both[:, 1:]

    model, batch = built(graph, functions={"cut": Cut()}), batch_of(graph)
    made = model.generate(batch)
    both = torch.cat([made["x*"], batch["x"]], dim=1)
    torch.testing.assert_close((made["a"], made["b"]), (both[:, :1], both[:, 1:]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"generators": {"G_I": "unet_64"}}, "generators says nothing of 'G_K'; it names G_I"),
        ({"generators": {}}, "generators says nothing of 'G_I'; it names nothing"),
        (
            {"generators": {"G_I": "unet_64", "G_K": "unet_64", "G_J": "unet_64"}},
            "generators names 'G_J', no network of this graph; did you mean 'G_K' or 'G_I'?",
        ),
        (
            {"generators": nn.Identity()},
            "generators: 'G_I' and 'G_K' are one module; give each network its own",
        ),
        (
            {"discriminators": dict.fromkeys(("D_I", "D_K"), nn.Identity())},
            "discriminators: 'D_I' and 'D_K' are one module; give each network its own",
        ),
        ({"generators": "unet_65"}, "no generator is called 'unet_65'; did you mean"),
        ({"functions": {"warp": warp}}, "functions passes 'warp', which the graph does not use"),
        ({"criteria": {"l11": l1}}, "criteria passes 'l11', which no term uses; did you mean 'l1'"),
        (
            {"criteria": {"lsgan": l1}},
            "the term 'D_I(y*)' is measured by an adversarial loss, got function for 'lsgan'",
        ),
    ],
)
def test_options_that_do_not_fit(options, message):
    tiny = {"generators": NetworkSpec("unet_64", base_channels=1), "discriminators": NetworkSpec("pixelgan")}
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        C2GAN.build(**{**tiny, **options})


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (
            PLAIN.replace(criteria={"y* ~ y": "l11"}),
            "the term 'y* ~ y': no criterion is called 'l11'; did you mean 'l1'",
        ),
        (
            PIX2PIX.replace(adversarial="lsgun"),
            "the term 'D(y*)': no adversarial loss is called 'lsgun'; did you mean 'lsgan'?; or pass "
            "build(criteria={'lsgun': ...})",
        ),
        (POSEGAN, "the graph's function 'warp' is missing: pass build(functions={'warp': ...})"),
        (
            CycleGraph({"x": Image(3), "y": Image(3)}, maps="x -values-> y*", losses="y* ~ y"),
            "'values' is a word of torch's module containers",
        ),
    ],
)
def test_graphs_that_need_more(graph, message):
    with pytest.raises(GraphError, match=f"^{re.escape(message)}"):
        graph.build(**networks(graph))


def test_stand_ins_must_be_given():
    from cyclekit import Schedule, StandIn

    graph = C2GAN.replace(schedule=Schedule(stand_ins=(StandIn("G_K", "pose", 5),)))
    with pytest.raises(GraphError, match="the stand-in 'pose' is a module of yours: pass generators="):
        graph.build(**networks(graph))


def test_sizes_are_refused_before_and_at_the_first_batch():
    options = {
        "generators": NetworkSpec("unet_64", base_channels=1),
        "discriminators": NetworkSpec("pixelgan"),
    }
    message = r"^G_I\(x, Ly\) -> y\*: a U-Net with 6 levels needs height and width to be multiples of 64"
    with pytest.raises(ImageSizeError, match=message):
        C2GAN.build(**options, size=(64, 48))
    model = C2GAN.build(**options, size=(128, 64))
    with pytest.raises(ImageSizeError, match=message):
        model.generator_loss(batch_of(C2GAN, dtype=torch.float32))


def test_sizes_behind_latents_and_functions_are_not_known_before():
    class Picky(TinyGenerator):
        def check_size(self, height, width):
            raise ImageSizeError("never")

    graph = COMBOGAN
    parts = networks(graph)
    known = graph.networks
    for name in ("T_A", "T_B", "T_C"):
        parts["generators"][name] = Picky(known[name].in_channels, known[name].outputs)
    graph.build(**parts, size=(6, 6))
    parts["generators"]["E_A"] = Picky(3, known["E_A"].outputs)
    with pytest.raises(ImageSizeError, match=r"^E_A\(A\) -> a: never"):
        graph.build(**parts, size=(6, 6))


def test_optional_terms_wait_for_their_signals():
    graph = C2GAN.replace(optional=["y* ~ y", "D_I(x*)"])
    model, batch = built(graph), batch_of(graph)
    everything = model.generator_loss(batch)
    unpaired = without(batch, "y")
    # Eq. 2's real side is y as well: only the discriminators need it
    paid = model.generator_loss(unpaired)
    assert set(everything.terms) - set(paid.terms) == {"y* ~ y", "D_I(x*)"}
    assert "D_I(y*)" in paid.terms
    with pytest.raises(SignalError, match="no 'y'"):
        model.discriminator_loss(unpaired, paid.signals)
    graph = C2GAN.replace(optional=["y* ~ y", "D_I"])
    model = built(graph)
    paid = model.generator_loss(unpaired)
    assert set(paid.terms) == {"I2I2I", "K2G2K", "K2R2K", "D_K(Ly*)", "D_K(Lx*)"}
    judged = model.discriminator_loss(unpaired, paid.signals)
    assert set(judged.terms) == {"D_K(Ly*)", "D_K(Lx*)"} == set(model.fakes(unpaired, paid.signals))


def test_terms_can_be_chosen():
    model, batch = built(C2GAN), batch_of(C2GAN)
    whole = model.generator_loss(batch)
    some = model.generator_loss(batch, terms=["D_K(Lx*)", "y* ~ y"])
    assert list(some.terms) == ["y* ~ y", "D_K(Lx*)"]
    torch.testing.assert_close(some.terms, {name: whole.terms[name] for name in some.terms})
    torch.testing.assert_close(some.total, 10 * some.terms["y* ~ y"] + some.terms["D_K(Lx*)"])
    judged = model.discriminator_loss(batch, whole.signals, terms=["D_K(Lx*)"])
    assert list(judged.terms) == ["D_K(Lx*)"]
    for loss in (model.generator_loss, model.discriminator_loss):
        with pytest.raises(GraphError, match=re.escape("no term is called 'y*~z'")):
            loss(batch, terms=["y*~z"])
    with pytest.raises(GraphError, match=re.escape("'z*' is no generated signal")):
        model.generate(batch, ["z*"])
    with pytest.raises(GraphError, match=re.escape("no term is called 'D_J(y*)'; did you mean 'D_I(y*)'")):
        model.discriminator_loss(batch, whole.signals, {"D_J(y*)": batch["x"]})


def test_autocast_covers_both_losses():
    model = built(C2GAN).to(torch.float32)
    batch = batch_of(C2GAN, dtype=torch.float32)
    exact = model.generator_loss(batch)
    with torch.autocast("cpu", torch.bfloat16):
        judged = model.discriminator_loss(batch, exact.signals)
        paid = model.generator_loss(batch)
        again = model.discriminator_loss(batch, paid.signals, model.fakes(batch, paid.signals))
    assert paid.signals["y*"].dtype == torch.bfloat16
    assert {paid.total.dtype, again.total.dtype} == {torch.float32}
    torch.testing.assert_close(paid.total, exact.total, rtol=0.05, atol=0.05)
    paid.total.backward()
    assert all(weight.grad is None for weight in model.discriminators.parameters())
    (judged.total + again.total).backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_copies_are_apart():
    model, batch = built(C2GAN), batch_of(C2GAN)
    before = model.generator_loss(batch)
    twin = copy.deepcopy(model)
    assert isinstance(twin, CycleModel)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    torch.testing.assert_close(twin.generator_loss(batch), before)
    twin.generator_loss(batch).total.backward()
    assert all(weight.grad is None for weight in model.parameters())


def test_a_network_can_be_exchanged():
    model, batch = built(C2GAN), batch_of(C2GAN)
    model.generator_loss(batch)
    model.generators["G_K"] = TinyGenerator(3, (C2GAN.signals["Ly"],)).to(torch.float64)
    made = model.generator_loss(batch).signals
    torch.testing.assert_close(made["Ly*"], model.generators["G_K"](made["y*"]))
    assert model.generator_objective().networks["G_K"] is model.generators["G_K"]


def test_a_graph_is_checked_when_it_is_built():
    graph = PLAIN.reweight({"y* ~ y": 0})
    with pytest.raises(GraphError, match="no term trains the generator 'G'"):
        graph.build(**networks(graph))
    graph = PLAIN.replace(signals={"x": Image(3), "y": Image(3), "spare": Latent(2)})
    with pytest.warns(GraphWarning, match="spare"):
        graph.build(**networks(graph))
