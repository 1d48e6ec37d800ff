"""Where G_K reads from: the measure on images whose dots are known, and the script, small."""

import json
from pathlib import Path

import pytest
import torch

import painting
from cyclekit.keypoints import landmark_image
from data import FacePairs
from measuring.reading import READ, dot_contrast, dots_read


@pytest.fixture(scope="module")
def batch() -> dict[str, torch.Tensor]:
    pairs = FacePairs("test", (64, 64), identities=4)
    return torch.utils.data.default_collate([pairs[index] for index in range(0, len(pairs), 3)])


def test_a_reader_of_painted_dots_is_found_out(batch: dict[str, torch.Tensor]) -> None:
    """It takes what is dark for a dot, and nothing of the face for one."""

    def reader(images: torch.Tensor) -> torch.Tensor:
        return images.sign()

    ink = (1 - batch["Ly"]) / 2
    painted = torch.full_like(batch["y"], 0.5) - 0.9 * ink
    plain = torch.full_like(batch["y"], 0.5)
    score = dict(zip(READ, dots_read(reader, painted, plain, batch["Ly"]).mean(0).tolist(), strict=True))
    assert score["y*"] > 0.9
    assert score["y* blurred"] < 0.5  # where dots are dense, at the mouth, a mean is dark too
    assert score["y"] == score["another's"] == 0


def test_painted_dots_show_in_their_contrast(batch: dict[str, torch.Tensor]) -> None:
    ink = ((1 - batch["Ly"]) / 2 > 0.5).float()
    painted = dot_contrast(batch["y"] - 0.4 * ink, batch["Ly"])
    torch.testing.assert_close(painted - dot_contrast(batch["y"], batch["Ly"]), torch.full_like(painted, 0.2))
    assert dot_contrast(torch.zeros_like(batch["y"]), batch["Ly"]).abs().max() == 0


def test_a_reader_that_says_the_same_of_everybody_is_found_out(batch: dict[str, torch.Tensor]) -> None:
    average = landmark_image(torch.rand(1, 68, 2, generator=torch.Generator().manual_seed(0)) * 30 + 16, (64, 64), 2)

    def reader(images: torch.Tensor) -> torch.Tensor:
        return (2 * average - 1).expand_as(images)

    generated, blurred, real, others = dots_read(reader, batch["x"], batch["y"], batch["Ly"]).mean(0).tolist()
    assert generated == blurred == real
    assert abs(real - others) < 0.05


def test_the_script_trains_once_measures_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--check", "--ways", "supervised", "--out", str(tmp_path)]
    painting.main(arguments)
    scores = json.loads((tmp_path / "scores.json").read_text())["supervised"]
    reading = {f"{who}: {what}" for who in ("G_K", "judge") for what in READ}
    assert scores.keys() == {"seconds", "PSNR", "SSIM", "contrast", "contrast of y", *reading}
    assert 5 < scores["PSNR"] < 30
    assert (tmp_path / "painting.png").stat().st_size > 10_000
    trained = (tmp_path / "supervised" / "model.safetensors").stat().st_mtime_ns
    painting.main(arguments)
    assert (tmp_path / "supervised" / "model.safetensors").stat().st_mtime_ns == trained
    assert json.loads((tmp_path / "scores.json").read_text())["supervised"] == scores
    printed = capsys.readouterr().out
    assert "preset supervised" in printed
    assert "dots cover 2.5% of the landmark pictures; drawn at 256x256, 1.3%" in printed


def test_ways_differ_in_what_they_say() -> None:
    graphs = {name: way.graph for name, way in painting.ways().items()}
    assert graphs["none"].generators == ("G_I",)
    assert graphs["judge"].generators == ("G_K",)
    assert graphs["held"].gradient_flow()["K2G2K"] == {"G_I"}
    assert graphs["painter"].gradient_flow()["K2G2K"] == {"G_I", "G_K"}
    assert [graphs[name].term("K2G2K").weight for name in ("released", "painter", "lighter", "held")] == [10, 10, 1, 1]
