"""Sharing a model: the hub's own client, against a hub on this machine; and the card."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml

from cyclekit import CycleModel, NetworkSpec, papers
from cyclekit.errors import HubError
from cyclekit.model import ModelCard
from tests.model.hub import serving

ROOT = Path(__file__).parents[2]
MAKE = """
    import torch
    from cyclekit import CycleGraph, CycleModel, Image, NetworkSpec
    from cyclekit.errors import HubError
    from cyclekit.model import ModelCard

    graph = CycleGraph({"x": Image(3), "y": Image(3)}, maps="x -G-> y*", losses="y* ~ y")
    model = graph.build(generators=NetworkSpec("unet_64", base_channels=2)).eval()
"""


def run(code: str, tmp_path: Path, address: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process that knows no hub but ours."""
    environment = {**os.environ, "HF_ENDPOINT": address, "HF_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    environment |= {"HF_TOKEN": "hf_none", "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    text = textwrap.dedent(MAKE) + textwrap.dedent(code)
    return subprocess.run(
        [sys.executable, "-c", text], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )


def test_a_model_goes_to_the_hub_and_comes_back(tmp_path: Path) -> None:
    with serving() as hub:
        result = run(
            """
            address = model.push_to_hub("me/pairs", card=ModelCard(summary="Pairs.", scores={"SSIM": 0.5}))
            assert address.endswith("/me/pairs/commit/" + "0" * 40), address
            again = CycleModel.from_pretrained("me/pairs")
            assert again.graph == graph and again.specs == model.specs
            assert all(torch.equal(a, b) for a, b in zip(again.state_dict().values(), model.state_dict().values()))
            try:
                CycleModel.from_pretrained("me/nothing")
            except HubError as error:
                print(error)
            """,
            tmp_path,
            hub.address,
        )
        assert result.returncode == 0, (hub.asked, result.stderr)
        assert result.stdout.startswith("'me/nothing' is no folder here, and cannot be fetched from the hub: ")
        assert {*hub.files["me/pairs"]} == {
            *("README.md", "SHA256SUMS", "graph.json", "model.safetensors", "networks.json")
        }
        card = hub.files["me/pairs"]["README.md"].decode()
    assert 'CycleModel.from_pretrained("me/pairs")' in card
    assert "| SSIM | 0.5 |" in card


def test_a_hub_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    result = run("model.push_to_hub('me/pairs')", tmp_path, "http://127.0.0.1:9")
    assert result.returncode != 0
    assert "HubError: 'me/pairs' cannot be written to the hub" in result.stderr


def test_a_folder_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    graph = papers.pix2pix().graph
    networks = {"generators": NetworkSpec("unet_64", base_channels=2), "discriminators": NetworkSpec("patchgan_16")}
    graph.build(**networks).save_pretrained("me/pairs")
    assert CycleModel.from_pretrained("me/pairs").graph == graph


@pytest.mark.parametrize("name", ["pairs", "a/b/c", "a b/c", ""])
def test_a_repository_has_an_owner_and_a_name(name: str) -> None:
    model = papers.pix2pix().graph.build(
        generators=NetworkSpec("unet_64", base_channels=2), discriminators=NetworkSpec("patchgan_16")
    )
    with pytest.raises(HubError, match="expected owner/name"):
        model.push_to_hub(name)


@pytest.mark.parametrize("name", papers.list_papers())
def test_a_card_says_what_the_graph_says(name: str) -> None:
    paper = papers.create_paper(name)
    text = ModelCard(data="drawn", license="cc-by-4.0").text(paper.graph, {**paper.recipe.generators})
    _, metadata, body = text.split("---\n", 2)
    assert yaml.safe_load(metadata) == {
        "library_name": "cyclekit",
        "license": "cc-by-4.0",
        "tags": ["gan", "image-to-image"],
    }
    assert str(paper.graph) in body
    assert "people who did not agree" in body
    assert all(f"`{network}`" in body for network in paper.recipe.generators)
