"""Persons as the text has them, by the commands: an estimator is trained, stands in for G_K, and goes."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import estimator
import evaluate
import prepare
import train
from cyclekit import CycleModel
from cyclekit.data import Drawing
from cyclekit.keypoints import OPENPOSE_18
from cyclekit.training import latest_checkpoint, read_options
from errors import UsageError
from options import read_options as command_line
from standing_in import open_estimator

IMAGES = torch.rand(2, 3, 128, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
DRAWING = Drawing(OPENPOSE_18, "heatmaps", width=6)


SCRIPTS = {
    "prepare.py": prepare.main,
    "estimator.py": estimator.main,
    "train.py": train.main,
    "evaluate.py": evaluate.main,
}
SMALL = {
    "prepare.py": "--sample 4",
    "estimator.py": "--steps 2 --batch 2 --base-channels 2",
    "train.py": "--steps 4 --warm-up 2 --base-channels 2 --discriminator patchgan_16 --batch 2 --log-every 1 "
    "--sample-every 3 --checkpoint-every 9",
    "evaluate.py": "--limit 2",
}


@pytest.fixture(scope="module")
def commands() -> dict[str, list[str]]:
    """The page's commands by script, each with what makes it short."""
    page = (Path(__file__).parents[2] / "docs" / "persons.md").read_text(encoding="utf-8")
    block, _ = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)
    lines = [shlex.split(line) for line in block.splitlines()]
    assert [Path(line[1]).name for line in lines] == list(SCRIPTS)
    return {name: [*line[2:], *shlex.split(SMALL[name])] for name, line in zip(SCRIPTS, lines, strict=True)}


@pytest.fixture(scope="module")
def place(market: Path, commands: dict[str, list[str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which the page's data lie, prepared: a person to train on and one to test with, in three poses each.

    Everything below runs in it.
    """
    folder = tmp_path_factory.mktemp("place")
    header, *rows = (market / "annotations.csv").read_text().splitlines()
    for split, own in (("train", rows[:3]), ("test", rows[4:7])):
        (folder / f"market-annotation-{split}.csv").write_text("\n".join([header, *own]) + "\n")
        (folder / f"bounding_box_{split}").symlink_to(market / "images")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        prepare.main(commands["prepare.py"])
        estimator.main(commands["estimator.py"])
        yield folder


def test_the_pages_commands_run_and_a_run_is_resumed_within_the_warm_up(
    place: Path, commands: dict[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    train.main(commands["train.py"])
    assert "G_K does not read: " in capsys.readouterr().out, "four steps teach nothing"
    parts = [*commands["train.py"], "--out", "runs/parts"]
    train.main([*parts, "--steps", "1"])
    train.main([*parts, "--resume"])
    folders = [latest_checkpoint(place / "runs" / run / "checkpoints") for run in ("parts", "market-text")]
    resumed, whole = (load_file(folder / "model.safetensors") for folder in folders if folder is not None)
    assert resumed.keys() == whole.keys()
    assert all(torch.equal(resumed[name], value) for name, value in whole.items())
    assert not any("pose" in name for name in whole)
    assert read_options(place / "runs" / "parts")["warm_up"] == 2
    assert (place / "runs" / "market-text" / "watched.png").is_file()
    program = place / "runs" / "market-pose" / "pose.pt2"
    away = program.rename(program.with_suffix(".away"))
    assert "pose" not in CycleModel.from_pretrained(place / "runs" / "market-text" / "model").generators
    evaluate.main(commands["evaluate.py"])
    away.rename(program)
    summary = json.loads((place / "runs" / "market-text" / "evaluation" / "summary.json").read_text())
    assert summary["G_K"]["reads"] is False
    assert summary["G_K"]["verdict"].startswith("G_K does not read: ")
    with pytest.raises(SystemExit, match=r"was trained with --warm-up 2, not 3: leave --warm-up out"):
        train.main([*commands["train.py"], "--resume", "--warm-up", "3"])


class Points(nn.Module):
    """Finds every joint at the image's centre of brightness, sure of half of them."""

    def __init__(self, columns: int = 3) -> None:
        super().__init__()
        self.columns = columns

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        bright = (images.mean(1) + 1).flatten(1).softmax(1).unflatten(1, images.shape[2:])
        y, x = ((bright.sum(axis) * torch.arange(side)).sum(1) for axis, side in ((2, 128), (1, 64)))
        points = torch.stack([x, y], -1)[:, None].expand(-1, 18, -1)
        sure = (torch.arange(18) % 2).float().expand(len(points), -1)[..., None]
        return torch.cat([points, sure], -1)[..., : self.columns]


class Hard(nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.detach().new_zeros(len(images), 18, 2)


class Wrong(nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images


class Unsigned(nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return (images[:, :1].expand(-1, 18, -1, -1) + 1) / 2


class Strict(nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("expected 256x256")


@pytest.mark.parametrize(("name", "there"), [("Points", 9), ("Flat", 18)])
def test_points_become_heatmaps_that_pass_gradients(name: str, there: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "Flat", lambda: Points(2))
    pose = open_estimator(f"{__name__}:{name}", DRAWING, IMAGES)
    images = torch.rand(2, 3, 128, 64).requires_grad_()
    maps = pose(images)
    assert maps.shape == (2, 18, 128, 64)
    assert int((maps.amax((2, 3)) > 0.9).sum()) == 2 * there
    maps.square().mean().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0


def test_a_program_is_used_as_the_network_it_was(place: Path) -> None:
    program = place / "runs" / "market-pose" / "pose.pt2"
    pose = open_estimator(str(program), DRAWING, IMAGES)
    reader = CycleModel.from_pretrained(program.parent / "model").generators["G_K"].eval()
    images = torch.rand(3, 3, 128, 64) * 2 - 1
    torch.testing.assert_close(pose.train()(images), reader(images).detach())
    assert not any(weight.requires_grad for weight in pose.parameters())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere.pt2", "nowhere.pt2 cannot be opened: FileNotFoundError: no such file"),
        ("no_such_module:pose", "cannot be opened: ModuleNotFoundError"),
        ("pathlib:Path", "expected a torch.nn.Module, got PosixPath"),
        (f"{__name__}:Hard", "no gradient passes from what it finds to the image"),
        (f"{__name__}:Wrong", r"of 2 images it gives \(2, 3, 128, 64\); expected heatmaps \(2, 18, 128, 64\)"),
        (f"{__name__}:Unsigned", r"gives heatmaps from .* to 1; expected -1 where no joint .* take 2 .* maps - 1"),
        (f"{__name__}:Strict", "cannot read images of 128x64: expected 256x256"),
    ],
)
def test_an_estimator_that_cannot_teach_is_refused(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        open_estimator(name, DRAWING, IMAGES)


def test_a_file_of_something_else_is_no_estimator(tmp_path: Path) -> None:
    (tmp_path / "pose.pt2").write_bytes(b"nothing")
    with pytest.raises(UsageError, match=r"pose\.pt2 cannot be opened"):
        open_estimator(str(tmp_path / "pose.pt2"), DRAWING, IMAGES)


def test_options_of_the_warm_up(composites: Path) -> None:
    persons = ["--task", "persons", "--preset", "paper"]
    run = command_line([*persons, "--estimator", "a.pt2"]).options
    assert (run.batch, run.warm_up, run.size, run.pixel_weight) == (4, 80, (128, 64), 10)
    assert command_line([*persons, "--warm-up", "0"]).options.warm_up == 0
    for words, said in {
        (*persons,): r"train one by estimator\.py .* or say --warm-up 0 to go without",
        (*persons, "--warm-up", "-1"): "--warm-up -1: must be 0 or more",
        ("--warm-up", "5"): "--warm-up 5: an estimator stands in for G_K with --task persons --preset paper",
        ("--task", "persons", "--estimator", "a.pt2"): "an estimator stands in for G_K with",
        (*persons, "--data", str(composites)): "takes points, a manifest by prepare.py, not pictures",
    }.items():
        with pytest.raises(UsageError, match=said):
            command_line(list(words))
