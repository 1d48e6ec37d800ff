"""Runs from the command line, from their data to what is made with them, in a reader's order."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import onnxruntime
import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import load_file

from cyclekit.papers import create_paper
from cyclekit.training import latest_checkpoint

SMALL = ["--size", "64", "--steps", "4", "--batch", "2", "--base-channels", "4", "--log-every", "2", "--workers", "0"]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "model" / "model.safetensors")


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def done(said) -> str:
    assert said.status == 0, said.error
    return said.out


def test_cyclegan_on_unpaired_folders_killed_resumed_and_used(cyclekit, inside):
    done(cyclekit("train", "cyclegan", "--data", "horse2zebra", *SMALL, "--out", "runs/whole"))
    words = ["train", "cyclegan", "--data", "horse2zebra", *SMALL, "--out", "runs/killed", "--checkpoint-steps", "1"]
    words += ["--keep", "4"]
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    process = subprocess.Popen(
        [sys.executable, "-m", "cyclekit", *words],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + 120
    while latest_checkpoint("runs/killed/checkpoints") is None and process.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    drawn = done(cyclekit("draw", "--run", "runs/killed"))
    assert "samples.png" in drawn
    assert "losses.png" in drawn
    done(cyclekit("train", "--out", "runs/killed", "--resume"))
    assert same(weights(Path("runs/killed")), weights(Path("runs/whole")))

    # any size, batched
    Path("pictures").mkdir()
    for number, size in enumerate([(64, 64), (51, 37), (90, 70), (90, 70), (200, 3)]):
        Image.new("RGB", size, (40 * number, 90, 10)).save(f"pictures/{number}.jpg")
    out = done(cyclekit("translate", "--run", "runs/killed", "--input", "pictures", "--out", "made"))
    assert "5 pictures: B*" in out
    for number in range(5):
        with Image.open(f"pictures/{number}.jpg") as given, Image.open(f"made/{number}.png") as made:
            assert made.size == given.size
    done(cyclekit("translate", "--run", "runs/killed", "--input", "pictures", "--out", "back", "--signal", "A*"))
    assert Path("back/0.png").read_bytes() != Path("made/0.png").read_bytes()

    # a checkpoint in place of the run
    line = ["translate", "--input", "pictures", "--run"]
    for step, alike in ((1, False), (4, True)):
        done(cyclekit(*line, f"runs/killed/checkpoints/step-{step:08}", "--out", f"made-{step}"))
        assert (Path(f"made-{step}/0.png").read_bytes() == Path("made/0.png").read_bytes()) is alike
    done(cyclekit("evaluate", "--run", "runs/killed/checkpoints/step-00000001"))
    assert Path("runs/killed/metrics-step-00000001.json").is_file()

    # export, for any batch, there and back
    back = done(cyclekit("export", "--run", "runs/killed", "--out", "back.onnx", "--signal", "A*"))
    assert "A* from B Image(3)" in back
    assert "differ by at most" in done(cyclekit("export", "--run", "runs/killed", "--out", "g.onnx"))
    session = onnxruntime.InferenceSession("g.onnx", providers=["CPUExecutionProvider"])
    (made,) = session.run(None, {"A": torch.zeros(5, 3, 64, 64).numpy()})
    assert made.shape == (5, 3, 64, 64)

    said = done(cyclekit("evaluate", "--run", "runs/killed"))
    assert "FID and KID are left out" in said
    metrics = json.loads(Path("runs/killed/metrics.json").read_text())
    assert set(metrics) == {"A** against A", "B** against B"}
    done(cyclekit("draw", "--run", "runs/killed", "--rows", "2"))
    shown = done(cyclekit("show", "runs/killed"))
    assert "base_channels: 4" in shown
    assert str(create_paper("cyclegan").graph) in shown
    assert same(weights(Path("runs/killed")), weights(Path("runs/whole")))


def test_pix2pix_on_side_by_side_pictures(cyclekit, inside):
    line = ["train", "pix2pix", "--data", "facades", *SMALL, "--direction", "BtoA", "--diff-augment"]
    assert "panels y x" in done(cyclekit(*line, "--out", "runs/facades"))
    spec = json.loads(Path("runs/facades/model/networks.json").read_text())["D"]
    assert spec["name"] == "diff_augment"
    assert spec["options"]["pictures"] == [0, 3]
    metrics = json.loads(Path("runs/facades/metrics.json").read_text())
    assert set(metrics) == {"y* against y"}
    assert set(metrics["y* against y"]) == {"model", "copy of x"}
    assert set(metrics["y* against y"]["model"]) == {"L1", "PSNR (dB)", "SSIM (skimage)"}
    Path("runs/facades/metrics.json").unlink()
    done(cyclekit("evaluate", "--run", "runs/facades", "--data", "facades"))
    assert json.loads(Path("runs/facades/metrics.json").read_text()) == metrics
    # figures of other pictures leave those of the run's tests alone
    Path("runs/facades/metrics.json").write_text("the training's")
    shutil.copytree("facades", "more/paintings")
    for words, name in (
        (["--split", "train"], "metrics-train"),
        (["--data", "more/paintings"], "metrics-test-paintings"),
        (["--data", "more/paintings", "--split", "train"], "metrics-train-paintings"),
    ):
        said = done(cyclekit("evaluate", "--run", "runs/facades", *words))
        assert f"the numbers are in runs/facades/{name}.json" in said
        assert set(json.loads(Path(f"runs/facades/{name}.json").read_text())) == {"y* against y"}
    assert Path("runs/facades/metrics.json").read_text() == "the training's"
    line = ["translate", "--run", "runs/facades", "--input", "facades/test", "--out", "made"]
    taken = cyclekit(*line, "--panels")
    assert taken.status == 0
    assert "warning" not in taken.error
    with Image.open("made/0.png") as made:
        assert made.size == (64, 64)
    # side by side, but not said so
    whole = cyclekit(*line[:-1], "whole")
    assert whole.status == 0
    assert whole.error == (
        "warning: the pictures in facades/test are as wide as 2 panels side by side (y x), and are translated whole: "
        "--panels takes them apart\n"
    )
    with Image.open("whole/0.png") as made:
        assert made.size == (128, 64)
    Path("mixed").mkdir()
    for number, width in enumerate((128, 64)):
        Image.new("RGB", (width, 64)).save(f"mixed/{number}.png")
    assert "warning" not in cyclekit("translate", "--run", "runs/facades", "--input", "mixed", "--out", "m").error
    # a direction and a copy of the input say what an independent look at the files says
    with Image.open("facades/test/0.jpg") as first, Image.open("facades/test/1.jpg") as second:
        l1 = [
            (pair[:, :, :64] - pair[:, :, 64:]).abs().mean()
            for pair in (
                torch.tensor(list(p.getdata())).view(64, 128, 3).permute(2, 0, 1) / 255 for p in (first, second)
            )
        ]
    assert metrics["y* against y"]["copy of x"]["L1"] == pytest.approx(float(sum(l1)) / 2, abs=1e-4)


def test_stargan_on_attributes_and_on_folders_of_classes(cyclekit, inside, refused):
    line = ["train", "stargan", "--data", "celeba", *SMALL, "--attributes", "Black_Hair", "Male"]
    assert "3 Black_Hair, 4 Male" in done(cyclekit(*line, "--out", "runs/celeba"))
    translate = ["translate", "--run", "runs/celeba", "--input", "celeba/images", "--out", "made"]
    assert "choose --label from Black_Hair, Male" in refused(*translate)
    assert "did you mean 'Male'" in refused(*translate, "--label", "Mole")
    done(cyclekit(*translate, "--label", "Black_Hair", "Male"))
    assert len(list(Path("made").iterdir())) == 6
    assert "x*" in done(cyclekit("evaluate", "--run", "runs/celeba"))
    done(cyclekit("train", "stargan", "--data", "animals", *SMALL, "--out", "runs/animals"))
    done(cyclekit("export", "--run", "runs/animals", "--out", "g.onnx"))
    folder = ["translate", "--run", "runs/animals", "--input", "animals/test/cats", "--out", "dogs"]
    assert "a picture has one of cats, dogs" in refused(*folder, "--label", "cats", "dogs")
    done(cyclekit(*folder, "--label", "dogs"))


@pytest.mark.parametrize("paper", ["c2gan", "gesturegan"])
def test_four_panels(cyclekit, inside, refused, paper):
    done(cyclekit("train", paper, "--data", "radboud", *SMALL, "--out", "runs/faces"))
    order = yaml.safe_load(Path("runs/faces/options.yaml").read_text())["order"]
    assert order == {"c2gan": "x y Ly Lx", "gesturegan": "x y Lx Ly"}[paper]
    done(cyclekit("translate", "--run", "runs/faces", "--input", "radboud/test", "--out", "made"))
    with Image.open("made/0.png") as made:
        assert made.size == (64, 64)
    Path("odd").mkdir()
    Image.new("RGB", (63, 64)).save("odd/1.png")
    assert "not 4 panels side by side" in refused("translate", "--run", "runs/faces", "--input", "odd", "--out", "o")
    Image.new("RGB", (64, 64)).save("odd/1.png")
    said = refused("translate", "--run", "runs/faces", "--input", "odd", "--out", "o")
    assert f"odd/1.png has 64x64 pixels, width by height: 4 panels side by side ({order}) would have 16x64 each" in said
    assert not Path("o").exists()
    assert "y* against y" in done(cyclekit("evaluate", "--run", "runs/faces"))
    if paper == "c2gan":
        done(cyclekit("export", "--run", "runs/faces", "--out", "g.onnx"))
        done(cyclekit("draw", "--run", "runs/faces"))
        assert "Landmarks(3)" in done(cyclekit("show", "runs/faces"))


def test_pictures_without_panels_are_not_cut_into_strips(cyclekit, inside, refused):
    for split in ("train", "test"):
        Path("plain", split).mkdir(parents=True)
        Image.new("RGB", (256, 256)).save(f"plain/{split}/1.png")
    line = ["--data", "plain", *SMALL, "--out", "runs/plain"]
    said = refused("train", "c2gan", *line)
    assert "plain/train/1.png has 256x256 pixels" in said
    assert "would have 64x256 each, more than 3 times as high as wide; give pictures that hold 4 panels" in said
    assert not Path("runs").exists()
    # two halves may be panels: how large they are, and what becomes of them, is said
    said = done(cyclekit("train", "pix2pix", *line))
    assert "1 pictures of the panels x y, 128x256 pixels each, width by height, cut to 64x64" in said.replace("\n", "")


def test_a_file_of_options_makes_the_same_run(cyclekit, inside, refused):
    told = [
        "--learning-rate",
        "1e-3",
        "--average",
        "0.9",
        "--weights",
        "y* ~ y",
        "50",
        "--norm",
        "instance",
        "--colour",
    ]
    told += ["--load-size", "72", "--fit", "squash", "--seed", "3", "--betas", "0.4", "0.9"]
    done(cyclekit("train", "pix2pix", "--data", "facades", *SMALL, *told, "--out", "runs/one"))
    done(cyclekit("train", "--config", "runs/one/options.yaml", "--out", "runs/two"))
    assert same(weights(Path("runs/one")), weights(Path("runs/two")))
    one, two = (yaml.safe_load(Path(f"runs/{name}/options.yaml").read_text()) for name in ("one", "two"))
    assert {**one, "out": None} == {**two, "out": None}
    assert one["optimisation"]["rate"] == 1e-3
    assert (one["optimisation"]["constant"], one["optimisation"]["decaying"]) == (2, 2)

    # the moving average is what a run leaves, and what its checkpoint gives where it has left nothing
    for path in Path("runs/one/model").iterdir():
        path.unlink()
    Path("runs/one/model").rmdir()
    for run in ("one", "two"):
        done(cyclekit("translate", "--run", f"runs/{run}", "--input", "facades/test", "--panels", "--out", run))
    assert Path("one/0.png").read_bytes() == Path("two/0.png").read_bytes()

    two["learning_rat"] = 1
    Path("wrong.yaml").write_text(yaml.safe_dump(two))
    assert "did you mean 'learning_rate'" in refused("train", "--config", "wrong.yaml")
    said = refused("train", "--out", "runs/two", "--resume", "--learning-rate", "2e-4")
    assert "was trained with optimisation.rate 0.001, not 0.0002: a resumed run" in said


@pytest.mark.slow
def test_two_processes_train_one_run_from_the_command_line(inside):
    words = ["train", "pix2pix", "--data", "facades", *SMALL, "--base-channels", "2", "--out", "runs/two"]
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "cyclekit"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true", "GLOO_SOCKET_IFNAME": "lo"}

    def launched(*more: str) -> "subprocess.CompletedProcess[str]":
        line = [sys.executable, *launcher, *words, *more]
        return subprocess.run(line, env=environment, capture_output=True, text=True)

    said = launched()
    assert said.returncode == 0, said.stderr
    assert latest_checkpoint("runs/two/checkpoints").name == "step-00000004"
    assert said.stdout.count("found") <= 2
    again = launched()
    assert again.returncode != 0
    assert again.stderr.count("error: ") == 1
    assert "holds a run already" in again.stderr


def test_a_recipe_counts_epochs_in_steps():
    from cyclekit.command.train import Options, rates

    cyclegan = create_paper("cyclegan")
    steps, whole = rates(cyclegan, Options(), per_epoch=10)
    assert (steps, whole.constant, whole.decaying, whole.end) == (2000, 1000, 1000, 2000)
    steps, part = rates(cyclegan, Options(steps=50), per_epoch=10)
    assert (steps, part.constant, part.decaying) == (50, 25, 25)
    steps, still = rates(cyclegan, Options(steps=50, decay="none"), per_epoch=10)
    assert (steps, still.factor(49)) == (50, 1.0)
    steps, munit = rates(create_paper("munit"), Options(steps=50), per_epoch=10)
    assert munit.factor(100_000) == 0.5
