"""The two tasks from raw files to figures, with the documented commands: prepare, train, evaluate, resume."""

import csv
import json
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image

import evaluate
import prepare
import train
from measuring.scoring import interval


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The authors' files: 1024x256 JPEGs of four panels, ten to a split, some with their mirror image beside them."""
    from data.faces import FacePairs

    folder = tmp_path_factory.mktemp("official")
    for split in ("train", "test"):
        (folder / split).mkdir()
        faces = FacePairs(split, (256, 256), identities=1)
        for number in range(10):
            pair = faces[number]
            panels = [pair[name] for name in ("x", "y", "Ly", "Lx")]
            copies = (
                {"": panels, "_lr": [panel.flip(-1) for panel in panels]}
                if split == "train" and number < 3
                else {"": panels}
            )
            for ending, values in copies.items():
                pixels = ((torch.cat(values, 2) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
                name = f"Rafd090_{number + 1:02}_Caucasian_female_happy_left{ending}.jpg"
                Image.fromarray(pixels).save(folder / split / name, quality=95)
    return folder


SMALL = ["--base-channels", "4", "--discriminator", "patchgan_16", "--batch", "2"]


def test_the_authors_files_are_trained_evaluated_and_resumed_as_they_are(
    official: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    command = ["--task", "faces", "--data", str(official), "--size", "64", "--out", str(run), *SMALL]
    train.main([*command, "--steps", "8"])
    said = capsys.readouterr().out.replace("\n", "")
    assert "13 pictures of the panels x y Ly Lx, 256x256 pixels each, width by height; " in said
    assert "; 3 of them mirror images (_lr); 20 with" in said
    evaluate.main(["--run", str(run), "--data", str(official)])
    printed = capsys.readouterr().out
    assert "PSNR" in printed
    assert "left out: IS, mask-IS, FID, KID: need Inception's weights" in printed
    train.main([*command, "--steps", "12", "--resume"])
    assert yaml.safe_load((run / "options.yaml").read_text())["steps"] == 12
    with (run / "evaluation" / "pairs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["x"] for row in rows] == sorted(file.name for file in (official / "test").iterdir())
    summary = json.loads((run / "evaluation" / "summary.json").read_text())
    mean = summary["C2GAN"]["SSIM"]
    assert mean["mean"] == pytest.approx(sum(float(row["SSIM"]) for row in rows) / 10, abs=1e-4)
    assert mean["low"] <= mean["mean"] <= mean["high"]
    with Image.open(run / "evaluation" / "best_median_worst.png") as sheet:
        assert min(sheet.size) > 128


@pytest.fixture(scope="module")
def persons(market: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest of drawn persons, and a run on it."""
    folder = tmp_path_factory.mktemp("persons")
    prepare.main(
        [
            *("--dataset", "market", "--annotations", str(market / "annotations.csv")),
            *("--images", str(market / "images"), "--out", str(folder / "manifest")),
        ]
    )
    train.main(
        [
            *("--task", "persons", "--data", str(folder / "manifest"), "--size", "128", "64", "--steps", "2"),
            *("--out", str(folder / "run"), *SMALL),
        ]
    )
    return folder


def test_persons_are_trained_on_points_and_scored_by_their_masks(
    persons: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate.main(["--run", str(persons / "run")])
    printed = capsys.readouterr().out
    assert "mask-SSIM posegan" in printed
    assert "G_K does not read: " in printed, "two steps teach nothing"
    summary = json.loads((persons / "run" / "evaluation" / "summary.json").read_text())
    for name in ("mask-SSIM posegan", "SSIM posegan", "G_K(y) distance px", "G_K(y) PCKh"):
        assert summary["C2GAN"][name]["mean"] is not None
    assert summary["C2GAN"]["mask-SSIM posegan"]["mean"] > summary["C2GAN"]["SSIM posegan"]["mean"]
    assert not list(persons.rglob("*.npy"))


def test_the_released_way_differs_and_goes_into_a_folder_of_its_own(persons: Path) -> None:
    evaluate.main(["--run", str(persons / "run"), "--limit", "3"])
    evaluate.main(["--run", str(persons / "run"), "--limit", "3", "--like-released"])
    proper, released = (
        json.loads((persons / "run" / folder / "summary.json").read_text())
        for folder in ("evaluation", "evaluation-like-released")
    )
    assert proper["pairs"] == released["pairs"] == 3
    assert proper["C2GAN"]["PSNR"]["mean"] != released["C2GAN"]["PSNR"]["mean"]


def test_figures_go_where_they_are_told(persons: Path, composites: Path, tmp_path: Path) -> None:
    words = ["--run", str(persons / "run"), "--out", str(tmp_path / "figures")]
    evaluate.main([*words, "--limit", "2"])
    assert json.loads((tmp_path / "figures" / "summary.json").read_text())["pairs"] == 2
    with pytest.raises(SystemExit, match="--limit 0: must be 1 or more"):
        evaluate.main([*words, "--limit", "0"])
    with pytest.raises(SystemExit, match=r"holds no manifest, and .* takes heatmaps"):
        evaluate.main([*words, "--data", str(composites)])


def test_faces_and_persons_are_not_mixed_up(persons: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="holds persons: use --task persons"):
        train.main(["--task", "faces", "--data", str(persons / "manifest"), "--out", str(tmp_path), "--size", "64"])


def test_identity_kept_is_the_cosine_to_the_source(persons: Path, tmp_path: Path) -> None:
    class Means(torch.nn.Module):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return image.mean((2, 3))

    example = (torch.zeros(2, 3, 128, 64),)
    batch = torch.export.Dim("batch", min=1)
    torch.export.save(torch.export.export(Means(), example, dynamic_shapes=({0: batch},)), tmp_path / "means.pt2")
    evaluate.main(["--run", str(persons / "run"), "--limit", "4", "--identity", str(tmp_path / "means.pt2")])
    kept = json.loads((persons / "run" / "evaluation" / "summary.json").read_text())["C2GAN"]["identity kept (cosine)"]
    assert -1 <= kept["mean"] <= 1
    (tmp_path / "bad.pt2").write_bytes(b"nothing")
    with pytest.raises(SystemExit, match=r"is no program of torch\.export"):
        evaluate.main(["--run", str(persons / "run"), "--identity", str(tmp_path / "bad.pt2")])


def test_intervals_hold_the_mean_and_leave_out_what_is_nan() -> None:
    values = torch.randn(400, generator=torch.Generator().manual_seed(1)).double()
    found = interval(torch.cat([values, torch.tensor([float("nan")])]))
    assert found["pairs"] == 400
    assert found["mean"] == pytest.approx(values.mean().item())
    half = 1.96 * values.std().item() / 20
    assert found["high"] - found["mean"] == pytest.approx(half, rel=0.2)
    assert interval(torch.tensor([float("nan")]))["pairs"] == 0
