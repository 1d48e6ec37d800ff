"""A saved model is rebuilt from its folder alone, whatever its specs ask for."""

import json
import socket

import pytest
import torch

from cyclekit import CycleGraph, CycleModel, Image, NetworkSpec
from cyclekit._timm import import_timm
from cyclekit.errors import PretrainedError
from cyclekit.nets import create_generator, register_generator
from tests.sums import seal

GRAPH = CycleGraph({"x": Image(3), "y": Image(3)}, maps="x -G-> y*", losses="y* ~ y", adversaries="D: y* vs y")
UNET = {"backbone": "test_resnet", "base_channels": 2}


@pytest.fixture
def asked(monkeypatch):
    """Count attempts to reach out: by a socket, or through timm's loader of weights."""
    attempts, timm = [], import_timm()

    def refuse(*arguments, **options):
        attempts.append(arguments)
        raise OSError("no network here")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(timm.models._builder, "load_pretrained", refuse)
    monkeypatch.setattr(timm.models._factory, "load_model_config_from_hf", refuse)
    monkeypatch.setattr(timm.models._factory, "load_model_config_from_path", refuse)
    return attempts


def saved(folder, generator):
    """Save a model, and ask for pretrained weights in its folder, as one that was built with them does."""
    torch.manual_seed(0)
    spec = NetworkSpec("timm_projected", backbone="test_resnet", pretrained=False, base_channels=2)
    model = GRAPH.build(generators=generator, discriminators=spec).eval()
    model.save_pretrained(folder)
    networks = json.loads((folder / "networks.json").read_text())
    for network in networks.values():
        network["options"]["pretrained"] = True
    (folder / "networks.json").write_text(json.dumps(networks))
    seal(folder)
    return model


def test_a_pretrained_backbone_is_rebuilt_from_the_folder(tmp_path, asked):
    model = saved(tmp_path, NetworkSpec("timm_unet", **UNET))
    again = CycleModel.from_pretrained(tmp_path)
    assert asked == []
    torch.testing.assert_close(again.state_dict(), model.state_dict())
    assert again.specs["G"] == NetworkSpec("timm_unet", **UNET, pretrained=True)
    batch = {"x": torch.rand(1, 3, 64, 64) * 2 - 1}
    torch.testing.assert_close(again.generate(batch), model.generate(batch))
    with pytest.raises(OSError, match="timm cannot load the weights of 'test_resnet'"):  # only while loading
        create_generator("timm_unet", 3, 3, **UNET, pretrained=True)
    assert asked


@pytest.mark.parametrize("backbone", ["hf-hub:someone/else", "hf_hub:someone/else", "local-dir:/etc", "local-dir:."])
@pytest.mark.parametrize("pretrained", [True, False])
def test_a_spec_that_would_reach_out_is_refused(tmp_path, asked, backbone, pretrained):
    saved(tmp_path, NetworkSpec("timm_unet", **UNET))
    networks = json.loads((tmp_path / "networks.json").read_text())
    networks["G"]["options"] |= {"backbone": backbone, "pretrained": pretrained}
    (tmp_path / "networks.json").write_text(json.dumps(networks))
    seal(tmp_path)
    with pytest.raises(PretrainedError, match=f"cannot be built: the backbone '{backbone}' is described outside"):
        CycleModel.from_pretrained(tmp_path)
    assert asked == []


def test_an_own_network_is_built_without_weights_too(tmp_path, asked):
    built = []

    @register_generator("test_own_pretrained", override=True)
    def own(in_channels, out_channels, *, pretrained=True):
        built.append(pretrained)
        return torch.nn.Conv2d(in_channels, out_channels, 1)

    saved(tmp_path, "test_own_pretrained")
    CycleModel.from_pretrained(tmp_path)
    assert built == [True, False]
