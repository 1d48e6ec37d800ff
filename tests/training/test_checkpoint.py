"""What a checkpoint refuses, and what it leaves behind."""

import os
import random
import re
from pathlib import Path

import pytest
import torch

from cyclekit import CycleModel, NetworkSpec
from cyclekit.errors import ShapeError
from cyclekit.training import (
    AdversarialStep,
    CheckpointError,
    create_optimizers,
    latest_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from tests.model.tiny import C2GAN, PIX2PIX, built, networks
from tests.sums import seal
from tests.training.runs import Run, with_short_history
from tests.training.small import assert_equal, batches, copied, files_of_at_most, stepping

FILES = ["SHA256SUMS", "graph.json", "model.safetensors", "networks.json", "training.pt"]


class Part:
    """Anything with a state."""

    def __init__(self, state):
        self.state = state

    def state_dict(self):
        return self.state

    def load_state_dict(self, state):
        self.state = state


@pytest.fixture
def run():
    model = built(PIX2PIX)
    step = stepping(model)
    step(batches(PIX2PIX)[0])
    return model, {"step": step}


@pytest.fixture
def folder(run, tmp_path):
    return save_checkpoint(tmp_path / "run", 1, *run)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def refused(folder, model, parts):
    """Return why a checkpoint is refused, which is one line that names the folder."""
    before = copied(model)
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(folder, model, parts)
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder) in message
    assert len(message) < len(str(folder)) + 250
    assert_equal(model.state_dict(), before)  # refused before anything was taken up
    return message


def test_a_checkpoint_is_a_folder_of_files_and_a_model(run, folder):
    model, _ = run
    assert folder.name == "step-00000001"
    assert names(folder) == FILES
    assert CycleModel.from_pretrained(folder, **networks(PIX2PIX)).graph == model.graph
    assert latest_checkpoint(folder.parent) == folder


def test_only_the_newest_stays(run, tmp_path):
    model, parts = run
    for iteration in (1, 2, 10, 10, 123_456_789):
        folder = save_checkpoint(tmp_path, iteration, model, parts)
        assert names(tmp_path) == [folder.name]
    assert latest_checkpoint(tmp_path).name == "step-123456789"


def test_what_a_killed_run_left_is_removed_and_what_a_user_keeps_is_not(run, tmp_path):
    kept = ["step-00000001-best", "best", ".step-00000001", "step-7", "notes.txt"]
    left = [".step-00000004-0123456789abcdef", ".step-00000004-old", "step-00000002"]
    for name in (*kept, *left):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").touch()
    save_checkpoint(tmp_path, 4, *run)
    assert names(tmp_path) == sorted([*kept, "step-00000004"])


def test_another_runs_later_checkpoint_is_not_overwritten(run, tmp_path):
    folder = save_checkpoint(tmp_path, 200, *run)
    with pytest.raises(FileExistsError, match=r"step-00000200 is further on than iteration 100: resume that run"):
        save_checkpoint(tmp_path, 100, *run)
    assert names(tmp_path) == [folder.name]


def test_the_latest_is_the_one_of_most_iterations(tmp_path):
    assert latest_checkpoint(tmp_path / "nowhere") is None
    assert latest_checkpoint(tmp_path) is None
    for name in ("step-100000000", "step-99999999", ".step-200000000-0123456789abcdef", "step-3"):
        (tmp_path / name).mkdir()
    assert latest_checkpoint(str(tmp_path)).name == "step-100000000"


def test_another_graph(folder):
    other = PIX2PIX.reweight({"y* ~ y": 7})
    model = built(other)
    assert refused(folder, model, {"step": stepping(model)}).endswith(
        "was written by another graph: they differ in weights; "
        "start a new run, or build the model from the checkpoint's graph"
    )
    model = built(C2GAN)
    assert "another graph: they differ in signals, " in refused(folder, model, {"step": stepping(model)})


def test_other_networks(folder):
    parts = networks(PIX2PIX)
    parts["generators"]["G"].layers[0] = torch.nn.Conv2d(3, 3, 5, padding=2)
    model = PIX2PIX.build(**parts).to(torch.float64)
    assert refused(folder, model, {"step": stepping(model)}).endswith(
        "holds weights of other networks: generators.G.layers.0.weight is torch.float64 of shape (3, 3, 3, 3) "
        "there and torch.float64 of shape (3, 3, 5, 5) in this model"
    )
    model = built(PIX2PIX, "batch")
    message = refused(folder, model, {"step": stepping(model)})
    assert "generators.G.layers.1.weight is missing there and torch.float64 of shape (3,) in this model" in message
    model = PIX2PIX.build(**networks(PIX2PIX))
    assert "is torch.float64 of shape (3, 3, 3, 3) there and torch.float32" in refused(
        folder, model, {"step": stepping(model)}
    )


def test_weights_too_many(run, tmp_path):
    folder = save_checkpoint(tmp_path, 1, built(PIX2PIX, "batch"), {})
    model = built(PIX2PIX)
    assert "discriminators.D.trunk.1.bias is torch.float64 of shape (3,) there and missing in" in refused(
        folder, model, {}
    )


def test_other_parts(run, folder):
    model, parts = run
    assert refused(folder, model, {}).endswith(
        "holds the parts ['step'], and load_checkpoint was given []: pass those that were saved"
    )
    assert refused(folder, model, {**parts, "ema": Part({})}).endswith(
        "holds the parts ['step'], and load_checkpoint was given ['ema', 'step']: pass those that were saved"
    )


def test_another_optimiser(folder):
    model = built(PIX2PIX)

    def in_two_groups(weights):
        first, *rest = weights
        return torch.optim.Adam([{"params": [first]}, {"params": rest}])

    optimizers = create_optimizers(model, in_two_groups)
    with pytest.raises(CheckpointError, match=r"^\S+ does not fit the part 'step': loaded state dict has a different"):
        load_checkpoint(folder, model, {"step": AdversarialStep(model, optimizers)})


def test_networks_of_other_options_and_equal_weights(tmp_path):
    """Their weights have the same shapes."""
    relu, leaky = (
        PIX2PIX.build(
            generators=NetworkSpec("unet_64", base_channels=2, dropout=dropout),
            discriminators=NetworkSpec("patchgan_16", base_channels=2),
        )
        for dropout in (0.0, 0.5)
    )
    folder = save_checkpoint(tmp_path, 1, relu, {})
    assert refused(folder, leaky, {}).endswith(
        "holds weights of other networks: G is NetworkSpec('unet_64', base_channels=2, dropout=0.0) there and "
        "NetworkSpec('unet_64', base_channels=2, dropout=0.5) in this model"
    )


def test_an_optimiser_of_another_class(folder):
    model = built(PIX2PIX)
    other = stepping(model, lambda weights: torch.optim.SGD(weights, 0.1))
    message = refused(folder, model, {"step": other})
    assert (
        "does not fit the part 'step': the optimisers are {'generators': 'Adam', 'discriminators': 'Adam'} " in message
    )


class Refusing(Part):
    """Takes nothing up but what it had."""

    def load_state_dict(self, state):
        if state != self.state:
            raise LookupError("never")


def test_a_part_that_refuses_leaves_everything_as_it_was(tmp_path):
    """Weights, optimisers, pools, iteration and random numbers, though other parts had taken theirs up."""
    data = batches(PIX2PIX, count=5)
    graph = with_short_history(PIX2PIX)
    saved = Run(graph)
    saved.play(data)
    saved.parts["own"] = Part({"a": 1})
    folder = saved.save(tmp_path)
    for played in (0, 2):  # no samples in the pools yet, or others
        current = Run(graph, seed=3)
        current.play(data[:played])
        twin = Run(graph, seed=3)
        twin.play(data[:played])
        current.parts["own"] = Refusing({})
        with pytest.raises(CheckpointError, match=r"^\S+ does not fit the part 'own': never$"):
            current.load(folder)
        del current.parts["own"]
        assert current.step.iteration == played
        for run in (current, twin):
            torch.manual_seed(9)
            random.seed(9)
            run.play(data[2:])
        assert_equal(current.everything()["model"], twin.everything()["model"])
        assert_equal(current.everything()["parts"], twin.everything()["parts"])
    state = torch.get_rng_state(), random.getstate()
    current.parts["own"] = Refusing({})
    with pytest.raises(CheckpointError):
        current.load(folder)
    assert torch.equal(torch.get_rng_state(), state[0])
    assert random.getstate() == state[1]


@pytest.mark.parametrize("iteration", [-1, True, 1.0, "1", None])
def test_an_iteration_is_a_number_of_steps(run, tmp_path, iteration):
    with pytest.raises((ValueError, ShapeError), match=r"iteration.*: .*expected (the number of training steps|int)"):
        save_checkpoint(tmp_path, iteration, *run)
    assert names(tmp_path) == []


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file(run, folder, file):
    (folder / file).unlink()
    assert f": {file} is missing" in refused(folder, *run)


def test_no_such_folder(run, tmp_path):
    assert refused(tmp_path / "nowhere", *run).endswith("nowhere holds no checkpoint: training.pt is missing")


@pytest.mark.parametrize("file", FILES)
def test_a_truncated_file(run, folder, file):
    whole = (folder / file).read_bytes()
    for length in {0, 1, 7, *range(16, len(whole) - 1, max(1, len(whole) // 23)), len(whole) - 2}:
        (folder / file).write_bytes(whole[:length])
        refused(folder, *run)
    (folder / file).write_bytes(whole)
    assert load_checkpoint(folder, *run) == 1


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("content", [b"garbage", b"{}", b"[]", b"null", b"\x80\x02]q\x00."])
def test_a_file_of_something_else(run, folder, file, content):
    (folder / file).write_bytes(content)
    refused(folder, *run)
    if file == "SHA256SUMS":
        return
    seal(folder)  # as if it had been written so
    if (file, content) == ("networks.json", b"{}"):  # which says nothing of modules of the user's own
        assert load_checkpoint(folder, *run) == 1
    else:
        refused(folder, *run)


def test_a_state_of_something_else(run, folder):
    torch.save({"step": 3}, folder / "training.pt")
    seal(folder)
    assert refused(folder, *run).endswith("training.pt cannot be read: it holds something else")


class Refused:
    """A class of the user's own, which no checkpoint reads back."""


def unreadable():
    return Path("x"), Refused(), torch.nn.Linear(1, 1), lambda: 0, (item for item in ())


@pytest.mark.parametrize("kind", range(5))
def test_a_state_that_could_not_be_read_back_is_not_written(run, folder, kind):
    model, parts = run
    with pytest.raises(CheckpointError, match=r"^a part's state holds more than a checkpoint gives back: tensors, "):
        save_checkpoint(folder.parent, 2, model, {**parts, "own": Part({"state": unreadable()[kind]})})
    assert names(folder.parent) == ["step-00000001"]


def test_plain_states_come_back(run, tmp_path):
    model, _ = run
    state = {"a": [1, 2.5, None, True], "b": {"c": ("text", torch.arange(3))}, 4: {1, 2}}
    part = Part(state)
    folder = save_checkpoint(tmp_path, 1, model, {"own": part})
    part.state = None
    load_checkpoint(folder, model, {"own": part})
    assert repr(part.state) == repr(state)


def test_a_full_disk_leaves_the_former_checkpoint(run, folder):
    model, parts = run
    sizes = {name: (folder / name).stat().st_size for name in FILES}
    assert sizes["graph.json"] < sizes["model.safetensors"] < sizes["training.pt"]
    for limit in (10, *(size - 100 for size in sorted(sizes.values())[1:])):
        with files_of_at_most(limit), pytest.raises(OSError) as caught:
            save_checkpoint(folder.parent, 2, model, parts)
        assert "\n" not in str(caught.value)
        assert re.search("cannot be written into, perhaps because the disk is full|File too large", str(caught.value))
        assert names(folder.parent) == ["step-00000001"]
    assert load_checkpoint(folder, model, parts) == 1


def test_an_unwritable_root_is_left_alone(run, tmp_path):
    file = tmp_path / "file"
    file.touch()
    for root in (file, file / "below", Path("/dev/null/run")):
        with pytest.raises(OSError):
            save_checkpoint(root, 1, *run)
    assert names(tmp_path) == ["file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_root_without_permission(run, tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(PermissionError):
            save_checkpoint(tmp_path, 1, *run)
        assert names(tmp_path) == []
    finally:
        tmp_path.chmod(0o700)


def test_an_error_while_a_state_is_asked_for_leaves_nothing(run, tmp_path):
    class Broken(Part):
        def state_dict(self):
            raise KeyError("no state")

    with pytest.raises(KeyError, match="no state"):
        save_checkpoint(tmp_path / "run", 1, run[0], {"own": Broken(None)})
    assert not (tmp_path / "run").exists()
