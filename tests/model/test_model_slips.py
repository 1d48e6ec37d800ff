"""Slips that once passed in silence, or ended in somebody else's error, when a model is built, run and saved."""

import numpy as np
import pytest
import torch
from torch import nn

from cyclekit import CycleGraph, CycleModel, GraphError, Image, NetworkSpec
from cyclekit.errors import (
    ArgumentError,
    NetworkCallError,
    NetworkOutputError,
    OptionError,
    PretrainedError,
    ShapeError,
    SignalError,
    TrainingDivergedError,
)
from cyclekit.graph import Noise, Vector
from tests.model.tiny import TinyGenerator, TinyJudge, batch_of, networks

SIGNALS = {"x": Image(3), "y": Image(3)}
GRAPH = CycleGraph(SIGNALS, maps="x -G-> y*", adversaries="D: [x, y*] vs [x, y]", losses="y* ~ y")
CUT = CycleGraph(SIGNALS, maps="x -cut-> c -G-> y*", functions=["cut"], losses="y* ~ y")


def batch(graph=GRAPH, **signals):
    return batch_of(graph, dtype=torch.float32) | signals


def built(graph=GRAPH, **parts):
    return graph.build(**networks(graph) | parts)


class Makes(nn.Module):
    """A network that makes something of its input, beside what a weight is needed for."""

    def __init__(self, make):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.make = make

    def forward(self, x):
        return self.make(x * self.weight if self.make.__name__ != "writes" else x)


def writes(x):
    return x.mul_(0)


# ------------------------------------------------------------------ values and types of a batch


def test_generate_looks_at_the_first_batch_alone():
    model = built()
    with pytest.raises(SignalError, match=r"'x' is Image\(3\), its values go from 200 to 200"):
        model.generate({"x": torch.full((2, 3, 6, 6), 200.0)})
    model.generate(batch())
    model.generate({"x": torch.full((2, 3, 6, 6), 200.0)})  # looking would wait for the device


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", ["x", "y"])
def test_another_type_than_the_weights_is_refused(dtype, name):
    wrong = batch()
    wrong[name] = wrong[name].to(dtype)
    with pytest.raises(
        SignalError, match=rf"'{name}' is {str(dtype)[6:]} and the model's weights float32: use .float()"
    ):
        built().generator_loss(wrong)


def test_types_that_autocast_brings_together_pass():
    with torch.autocast("cpu", torch.bfloat16):
        assert built().generator_loss({n: v.bfloat16() for n, v in batch().items()}).total.isfinite()
    assert built().double().generator_loss({n: v.double() for n, v in batch().items()}).total.isfinite()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (torch.zeros(2, 3, 6, 6).to_sparse(), r"'x' is a sparse tensor: use .to_dense\(\)"),
        (torch.zeros(2, 3, 6, 6, device="meta"), "'x' is on the device 'meta', where tensors hold no values"),
    ],
)
def test_tensors_without_values_of_their_own(value, message):
    with pytest.raises(SignalError, match=message):
        built().generate({"x": value})


NOISY = CycleGraph({**SIGNALS, "z": Noise(4)}, maps="[x, z] -G-> y*", adversaries="D: y* vs y", losses="y* ~ y")


@pytest.mark.parametrize("graph", [GRAPH, NOISY])
@pytest.mark.parametrize("asked", ["generator_loss", "discriminator_loss", "generate", "forward"])
def test_a_batch_is_a_dict_of_one_sample_or_more(graph, asked):
    door = getattr(built(graph), asked)
    with pytest.raises(SignalError, match=r"^a batch is a dict of signals by name, .*, got list$"):
        door([torch.zeros(1, 3, 8, 8)])
    empty = {name: torch.zeros(0, 3, 8, 8) for name in ("x", "y")}
    with pytest.raises(SignalError, match=r"^'[xy]' holds no values: its shape is \(0, 3, 8, 8\)"):
        door(empty)


def test_keys_that_are_no_names():
    with pytest.raises(SignalError, match=r"the batch carries no 'y'.*it carries x, 3"):
        built().generator_loss({"x": batch()["x"], 3: batch()["y"]})


@pytest.mark.parametrize("flags", [[0.5, 0.5, 1, 0], [2, 0, 0, 0], [-1, 1, 1, 1]])
def test_flags_are_0_and_1(flags):
    graph = CycleGraph(
        {**SIGNALS, "paired": Vector(1)}, maps="x -G-> y*", losses="y* ~ y", optional={"y* ~ y": "paired"}
    )
    model = built(graph)
    good = batch_of(graph, samples=4, dtype=torch.float32)
    model.check_values(good | {"paired": torch.tensor([[1.0], [0.0], [1.0], [1.0]])})
    with pytest.raises(SignalError, match="it tells which samples have what a term needs, by 1"):
        model.check_values(good | {"paired": torch.tensor(flags, dtype=torch.float32)[:, None]})


def test_attributes_are_from_0_to_1():
    graph = CycleGraph({"x": Image(3), "a": Vector(3)}, maps="x -C-> a*", losses="binary_cross_entropy(a* ~ a)")
    with pytest.raises(SignalError, match="the target of a binary cross entropy is 1 where an attribute holds"):
        built(graph).check_values(batch(graph, a=torch.full((2, 3), 5.0)))


# ------------------------------------------------------------------ what is built in


@pytest.mark.parametrize(
    ("parts", "error", "message"),
    [
        ({"functions": {"cut": 3}}, GraphError, "functions passes 3 for 'cut', which cannot be called"),
        (
            {"functions": {"cut": lambda: 1}},
            GraphError,
            r"cut is given 1 signals \(x\), and .* takes nothing",
        ),
        ({"functions": {"cut": lambda a, b: a}}, GraphError, "the function takes a, b"),
        (
            {"functions": {"cut": torch.abs}, "generators": NetworkSpec("unet_64", in_channels=3)},
            OptionError,
            "in_channels follows from the graph; leave it out",
        ),
    ],
)
def test_parts_that_do_not_fit(parts, error, message):
    with pytest.raises(error, match=message):
        built(CUT, **parts)


def test_heads_follow_from_the_graph():
    with pytest.raises(OptionError, match="heads follows from the graph"):
        built(discriminators=NetworkSpec("stargan", heads=5))


def test_a_class_is_no_criterion():
    graph = GRAPH.replace(losses="zz(y* ~ y)")
    with pytest.raises(GraphError, match=r"'zz' is the class L1Loss: make one of it, L1Loss\(...\)"):
        built(graph, criteria={"zz": nn.L1Loss})


# ------------------------------------------------------------------ what comes out


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda x: x[:1], NetworkOutputError, "G was given 2 samples and returned 1 for 'y\\*'"),
        (lambda x: x[:, :, ::2, ::2], NetworkOutputError, "'x' has 6x6, 'y\\*' has 3x3"),
        (lambda x: x.byte(), NetworkOutputError, "G must return floating-point numbers, got torch.uint8 for 'y\\*'"),
        (lambda x: x @ torch.zeros(5, 5), NetworkCallError, "G was given float32 \\(2, 3, 6, 6\\) on cpu, and failed"),
        (lambda x: x.nothing, NetworkCallError, "G was given .* and failed: 'Tensor' object has no attribute"),
        (writes, NetworkOutputError, "G writes into what it is given"),
    ],
)
def test_what_a_network_makes_fits(make, error, message):
    model = built(generators=Makes(make))
    with pytest.raises(error, match=message):
        model.generator_loss(batch())


def test_a_discriminator_of_other_channels():
    with pytest.raises(NetworkCallError, match=r"D was given float32 \(2, 6, 6, 6\) on cpu, and failed: .*4 channels"):
        built(discriminators=TinyJudge(4)).generator_loss(batch())


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (writes, NetworkOutputError, "cut writes into what it is given"),
        (lambda x: x.byte(), NetworkOutputError, "cut must return floating-point numbers, got torch.uint8"),
        (lambda x: x.numpy(), NetworkOutputError, "cut must return 3 channels"),
    ],
)
def test_what_a_function_makes_fits(function, error, message):
    model = built(CUT, functions={"cut": function})
    with pytest.raises(error, match=message):
        model.generator_loss(batch(CUT))


def test_a_number_of_numpy_is_no_loss():
    model = built(GRAPH.replace(losses="zz(y* ~ y)"), criteria={"zz": lambda one, other: np.float64(0.5)})
    with pytest.raises(NetworkOutputError, match="'zz' must return a scalar tensor, got float64"):
        model.generator_loss(batch())


# ------------------------------------------------------------------ steps, names, files


@pytest.mark.parametrize("step", [-7, 1.5, True, "3"])
def test_a_step_is_a_whole_number(step):
    for call in (lambda m: m.generator_loss(batch(), step=step), lambda m: m.discriminator_loss(batch(), step=step)):
        with pytest.raises(ArgumentError, match=r"step: got .*, expected the training steps taken so far"):
            call(built())


def test_signals_that_nothing_makes():
    with pytest.raises(SignalError, match=r"signals names 'q', which nothing makes; known names: y\*"):
        built().discriminator_loss(batch(), {"q": torch.zeros(2, 3, 6, 6)})


def test_weights_that_are_not_finite_are_neither_saved_nor_loaded(tmp_path):
    model = GRAPH.build(
        generators=NetworkSpec("unet_64", base_channels=1), discriminators=NetworkSpec("patchgan_16", base_channels=1)
    )
    model.save_pretrained(tmp_path / "model")
    before = (tmp_path / "model" / "model.safetensors").read_bytes()
    weight = next(model.generators["G"].parameters())
    weight.data.view(-1)[0] = torch.nan
    with pytest.raises(TrainingDivergedError, match=r"the model's generators\.G\..* is not finite, and is not written"):
        model.save_pretrained(tmp_path / "model")
    assert (tmp_path / "model" / "model.safetensors").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    with pytest.raises(ShapeError, match=r"save_pretrained.*argument 'folder'"):
        model.save_pretrained(3)


def test_a_saved_nan_is_refused(tmp_path, monkeypatch):
    model = GRAPH.build(
        generators=NetworkSpec("unet_64", base_channels=1), discriminators=NetworkSpec("patchgan_16", base_channels=1)
    )
    next(model.parameters()).data.view(-1)[0] = torch.inf
    with monkeypatch.context() as patch:  # as an earlier version wrote it
        patch.setattr("cyclekit.model.model.not_finite", lambda weights: None)
        model.save_pretrained(tmp_path / "model")
    with pytest.raises(PretrainedError, match="which is not finite: nothing can be made of it"):
        CycleModel.from_pretrained(tmp_path / "model")


def test_tiny_generators_are_not_the_cause():
    assert built(generators=TinyGenerator(3, (Image(3),))).generator_loss(batch()).total.isfinite()


def test_vectors_alone_are_taken_together():
    graph = CycleGraph({"a": Vector(3), "b": Vector(2), "c": Vector(3)}, maps="[a, b] -G-> c*", losses="c* ~ c")
    assert built(graph).generate(batch(graph))["c*"].shape == (2, 3)
    with pytest.raises(SignalError, match="'a' has 2 samples and 'b' 1"):
        built(graph).generate(batch(graph, b=torch.zeros(1, 2)))
