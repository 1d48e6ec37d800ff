"""Models on disk: whole or not at all, and the same when they come back."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from cyclekit import CycleModel, GraphError, Image, NetworkSpec
from cyclekit._files import standing, whole_folder
from cyclekit.graph import CycleGraph
from cyclekit.model import PretrainedError
from cyclekit.model.files import FILES, GRAPH_FILE, NETWORKS_FILE, WEIGHTS_FILE
from tests.model.tiny import C2GAN, PIX2PIX, POSEGAN, STARGAN, TinyGenerator, batch_of, built, networks, warp
from tests.sums import seal

SPECS = {
    "generators": {
        "G_I": NetworkSpec("unet_64", base_channels=2, dropout=0.0),
        "G_K": NetworkSpec("unet_64", base_channels=1, norm="instance"),
    },
    "discriminators": NetworkSpec("patchgan_16", base_channels=2),
}


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def written(folder):
    """Return what a writer put into a folder, checksums left out."""
    return {name: content for name, content in contents(folder).items() if name != "SHA256SUMS"}


def test_a_folder_alone_brings_a_model_back(tmp_path):
    model = C2GAN.build(**SPECS)
    batch = batch_of(C2GAN, dtype=torch.float32, size=64)
    model.generator_loss(batch)  # moves the statistics of batch normalisation
    model.save_pretrained(tmp_path / "deep" / "model")
    assert sorted(contents(tmp_path / "deep" / "model")) == sorted(FILES)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["model"]
    again = CycleModel.from_pretrained(tmp_path / "deep" / "model")
    assert again.graph == model.graph
    assert again.specs == model.specs
    assert not again.training
    for one in (model, again):
        one.eval()
    torch.testing.assert_close(again.state_dict(), model.state_dict(), rtol=0, atol=0)
    torch.testing.assert_close(again.generate(batch), model.generate(batch), rtol=0, atol=0)
    torch.testing.assert_close(again.generator_loss(batch), model.generator_loss(batch), rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_the_dtype_comes_back(tmp_path, dtype):
    model = PIX2PIX.build(generators=SPECS["generators"]["G_I"], discriminators=SPECS["discriminators"]).to(dtype)
    model.to(memory_format=torch.channels_last)
    model.save_pretrained(tmp_path / "model")
    again = CycleModel.from_pretrained(tmp_path / "model")
    torch.testing.assert_close(again.state_dict(), model.state_dict(), rtol=0, atol=0)
    assert next(again.parameters()).dtype == dtype


def test_modules_of_ones_own_are_passed_again(tmp_path):
    model = built(POSEGAN)
    model.save_pretrained(tmp_path / "model")
    with pytest.raises(GraphError, match=r"'E_x' is a module of your own; pass generators=\{'E_x': module\}"):
        CycleModel.from_pretrained(tmp_path / "model")
    parts = networks(POSEGAN)
    for part in (*parts["generators"].values(), *parts["discriminators"].values()):
        for weight in part.parameters():
            nn.init.zeros_(weight)
    with pytest.raises(GraphError, match="function 'warp' is missing"):
        CycleModel.from_pretrained(tmp_path / "model", **parts)
    again = CycleModel.from_pretrained(tmp_path / "model", **parts, functions={"warp": warp})
    batch = batch_of(POSEGAN)
    torch.testing.assert_close(again.generate(batch), model.generate(batch), rtol=0, atol=0)


def test_one_module_may_be_passed_as_to_build(tmp_path):
    judge = SPECS["discriminators"]
    model = PIX2PIX.build(generators=TinyGenerator(3, (Image(3),)), discriminators=judge)
    model.save_pretrained(tmp_path / "model")
    again = CycleModel.from_pretrained(tmp_path / "model", generators=TinyGenerator(3, (Image(3),)))
    torch.testing.assert_close(again.state_dict(), model.state_dict(), rtol=0, atol=0)
    with pytest.raises(GraphError, match="generators names 'H', no network of this graph"):
        CycleModel.from_pretrained(
            tmp_path / "model", generators={"G": TinyGenerator(3, (Image(3),)), "H": nn.Identity()}
        )
    with pytest.raises(PretrainedError, match="holds weights of other networks"):
        CycleModel.from_pretrained(tmp_path / "model", generators=nn.Conv2d(3, 3, 1))


class Tied(nn.Module):
    """Two layers of one weight."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 3, 1)
        self.second = nn.Conv2d(3, 3, 1)
        self.second.weight = self.first.weight

    def forward(self, joined):
        return self.second(self.first(joined))


def test_tied_weights_survive(tmp_path):
    graph = CycleGraph({"x": Image(3), "y": Image(3)}, maps="x -G-> y*", losses="y* ~ y")
    model = graph.build(generators=Tied())
    model.save_pretrained(tmp_path / "model")
    again = CycleModel.from_pretrained(tmp_path / "model", generators=Tied())
    torch.testing.assert_close(again.state_dict(), model.state_dict(), rtol=0, atol=0)
    network = again.generators["G"]
    assert network.first.weight is network.second.weight


def test_a_runs_folder_says_where_its_model_is(tmp_path):
    with pytest.raises(PretrainedError, match=r"holds no model: graph\.json is missing$"):
        CycleModel.from_pretrained(tmp_path)
    networks = {"generators": SPECS["generators"]["G_I"], "discriminators": SPECS["discriminators"]}
    PIX2PIX.build(**networks).save_pretrained(tmp_path / "model")
    said = f"{tmp_path} holds no model: graph.json is missing; {tmp_path / 'model'} holds one"
    with pytest.raises(PretrainedError, match=f"^{re.escape(said)}$"):
        CycleModel.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("file", "damage", "message"),
    [
        (GRAPH_FILE, None, "holds no model: graph.json is missing"),
        (WEIGHTS_FILE, None, "holds no model: model.safetensors is missing"),
        (GRAPH_FILE, lambda data: data[: len(data) // 2], "graph.json cannot be read"),
        (GRAPH_FILE, lambda data: b"[]", "graph.json cannot be read: expected an object, got list"),
        (GRAPH_FILE, lambda data: b'{"signals": {}}', "holds no readable model: this is not the data of a graph"),
        (NETWORKS_FILE, lambda data: data.replace(b'"name"', b'"game"'), "a network spec is"),
        (NETWORKS_FILE, lambda data: b"\xff", "networks.json cannot be read"),
        (WEIGHTS_FILE, lambda data: data[: len(data) // 2], "model.safetensors cannot be read"),
        (WEIGHTS_FILE, lambda data: b"", "model.safetensors cannot be read"),
    ],
)
def test_damage_is_said(tmp_path, file, damage, message):
    PIX2PIX.build(generators=SPECS["generators"]["G_I"], discriminators=SPECS["discriminators"]).save_pretrained(
        tmp_path
    )
    if damage is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(damage((tmp_path / file).read_bytes()))
        with pytest.raises(PretrainedError, match=f"{file} cannot be read: it is damaged, as SHA256SUMS says$"):
            CycleModel.from_pretrained(tmp_path)
        seal(tmp_path)  # as if it had been written so
    with pytest.raises(PretrainedError, match=re.escape(message)) as raised:
        CycleModel.from_pretrained(tmp_path)
    assert str(tmp_path) in str(raised.value)


def test_weights_of_other_networks_are_said(tmp_path):
    small = {**SPECS, "generators": SPECS["generators"]["G_K"]}
    PIX2PIX.build(**small).save_pretrained(tmp_path)
    specs = json.loads((tmp_path / NETWORKS_FILE).read_text())
    specs["G"]["options"]["base_channels"] = 3
    (tmp_path / NETWORKS_FILE).write_text(json.dumps(specs))
    seal(tmp_path)
    with pytest.raises(PretrainedError, match="holds weights of other networks"):
        CycleModel.from_pretrained(tmp_path)


def test_an_earlier_model_is_replaced_and_nothing_else(tmp_path):
    model = built(STARGAN)
    model.save_pretrained(tmp_path)
    old = contents(tmp_path)
    with torch.no_grad():
        next(model.parameters()).add_(1)
    model.save_pretrained(tmp_path)
    assert contents(tmp_path).keys() == old.keys()
    assert contents(tmp_path) != old
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"holds 'notes.txt', which is no model's"):
        model.save_pretrained(tmp_path)
    with pytest.raises(NotADirectoryError, match=r"notes.txt is a file"):
        model.save_pretrained(tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("place", [".", "..", "../here", "../link"])
def test_the_working_directory_is_not_replaced(tmp_path, monkeypatch, place):
    (tmp_path / "here").mkdir()
    (tmp_path / "link").symlink_to("here")
    monkeypatch.chdir(tmp_path / "here")
    if place == "..":
        (tmp_path / "link").unlink()
        monkeypatch.setattr("cyclekit.model.model.FILES", ("here",))  # as if a model were all there is
    with pytest.raises(
        FileExistsError, match=r"is the working directory, or holds it; choose the name of a folder in it"
    ):
        built(PIX2PIX).save_pretrained(place)
    built(PIX2PIX).save_pretrained("model")
    assert sorted(contents(Path("model"))) == sorted(FILES)


@pytest.mark.parametrize("there", [True, False])
def test_an_exception_leaves_what_was_there(tmp_path, there):
    folder = tmp_path / "model"
    if there:
        folder.mkdir()
        (folder / "old").write_text("old")

    def fail():
        with whole_folder(folder) as draft:
            (draft / "new").write_text("new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert folder.exists() == there
    assert [path.name for path in tmp_path.iterdir()] == (["model"] if there else [])
    if there:
        assert contents(folder) == {"old": b"old"}


def test_a_symbolic_link_is_followed(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    with whole_folder(tmp_path / "link") as draft:
        (draft / "new").write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert written(tmp_path / "there") == {"new": b"new"}


WRITER = """
import sys
from pathlib import Path
from cyclekit._files import whole_folder

folder = Path(sys.argv[1])
for turn in range(10**9):
    with whole_folder(folder) as draft:
        for part in range(4):
            (draft / str(part)).write_text(str(turn) * 1000)
    print(turn, flush=True)
"""


@pytest.mark.parametrize("moment", range(6))
def test_a_killed_writer_leaves_a_whole_folder(tmp_path, moment):
    folder = tmp_path / "model"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        text=True,
    )
    assert writer.stdout is not None
    for _ in range(3):
        writer.stdout.readline()
    time.sleep(moment * 0.0007)  # anywhere within a turn
    os.kill(writer.pid, signal.SIGKILL)
    writer.communicate()
    found = written(standing(folder))
    assert sorted(found) == ["0", "1", "2", "3"]
    assert len(set(found.values())) == 1
    # what is left beside it does not hinder the next one
    with whole_folder(folder) as draft:
        (draft / "new").write_text("new")
    assert written(folder) == {"new": b"new"}


def test_between_the_two_renames_the_former_model_is_read(tmp_path, monkeypatch):
    model = PIX2PIX.build(generators=SPECS["generators"]["G_I"], discriminators=SPECS["discriminators"])
    folder = tmp_path / "model"
    model.save_pretrained(folder)
    renamed, found = Path.rename, []

    def looking(path, other):
        found.append(folder.exists())
        torch.testing.assert_close(CycleModel.from_pretrained(folder).state_dict(), model.state_dict())
        return renamed(path, other)

    monkeypatch.setattr(Path, "rename", looking)
    model.save_pretrained(folder)
    assert found == [True, False, True]  # before it steps aside, between the two, before the former is removed


STOPPED = """
import sys
from pathlib import Path
from cyclekit._files import whole_folder

with whole_folder(Path(sys.argv[1])) as draft:
    (draft / "new").write_text("half")
    print("writing", flush=True)
    sys.stdin.read()
"""


def test_a_writer_killed_in_the_middle_leaves_the_old_folder(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "old").write_text("old")
    writer = subprocess.Popen(
        [sys.executable, "-c", STOPPED, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        text=True,
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "writing\n"
    writer.kill()
    writer.communicate()
    assert contents(folder) == {"old": b"old"}
