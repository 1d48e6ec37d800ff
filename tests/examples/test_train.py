"""The example from the command line: what a run leaves, resuming, and bad input."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import evaluate
import generate
import train
from cyclekit.papers import c2gan
from cyclekit.training import latest_checkpoint, read_options, run_lock
from data.composites import CompositePairs
from data.sources import ShuffledPairs, keypoints_of
from options import read_options as command_line
from recipe import fitting_unet

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "examples" / "c2gan" / "train.py"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


def weights_of(run: Path) -> dict[str, torch.Tensor]:
    folder = latest_checkpoint(run / "checkpoints")
    assert folder is not None
    return load_file(folder / "model.safetensors")


def assert_equal_weights(one: Path, other: Path) -> None:
    first, second = weights_of(one), weights_of(other)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, composites: Path) -> Path:
    """A run of six steps that nothing disturbed."""
    run = tmp_path_factory.mktemp("finished") / "run"
    train.main(
        [
            *("--data", str(composites), "--size", "64", "64", "--batch", "2", "--base-channels", "4"),
            *(
                "--discriminator",
                "patchgan_16",
                "--steps",
                "6",
                "--log-every",
                "2",
                "--checkpoint-every",
                "2",
            ),
            *("--out", str(run)),
        ]
    )
    return run


def test_a_run_leaves_what_it_promises(finished: Path) -> None:
    with Image.open(finished / "samples.png") as samples:
        assert samples.width > samples.height
    with Image.open(finished / "losses.png") as curves:
        assert min(curves.size) > 100
    metrics = json.loads((finished / "metrics.json").read_text())
    reading = metrics.pop("what G_K reads")
    assert set(reading) == {"y*", "y* blurred", "y", "another's"}
    assert all(0 <= score <= 1 for score in reading.values())
    assert set(metrics) == {"C2GAN", "copy of x", "mean target"}
    assert all(set(scores) == {"PSNR", "SSIM"} for scores in metrics.values())
    assert list((finished / "events").glob("events.out.tfevents*"))
    assert [path.name for path in (finished / "checkpoints").iterdir()] == ["step-00000006"]
    assert [path.name for path in finished.rglob(".*")] == [".lock"]


def test_a_finished_run_can_be_measured_and_used(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = json.loads((finished / "metrics.json").read_text())
    evaluate.main(["--run", str(finished)])
    assert f"{metrics['C2GAN']['PSNR']:.3f}" in capsys.readouterr().out
    evaluate.main(["--run", str(finished), "--split", "train"])
    assert "train pairs" in capsys.readouterr().out
    picture, pose = (str(finished / "try" / name) for name in ("images/1.png", "pose_2.png"))
    arguments = ["--run", str(finished), "--image", picture]
    generate.main([*arguments, "--out", str(tmp_path / "keypoints.png")])
    generate.main([*arguments, "--keypoints", pose, "--out", str(tmp_path / "moved.png")])
    for name in ("keypoints.png", "moved.png"):
        with Image.open(tmp_path / name) as made:
            assert made.size == (64, 64)


def test_resuming_a_finished_run_changes_nothing(finished: Path, composites: Path) -> None:
    before = weights_of(finished)
    options = read_options(finished)
    assert options["steps"] == 6
    train.main(
        [
            *("--data", str(composites), "--size", "64", "64", "--batch", "2", "--base-channels", "4"),
            *(
                "--discriminator",
                "patchgan_16",
                "--steps",
                "6",
                "--log-every",
                "2",
                "--checkpoint-every",
                "2",
            ),
            *("--out", str(finished), "--resume"),
        ]
    )
    after = weights_of(finished)
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize(
    "wait", [0.4, pytest.param(0.0, marks=pytest.mark.slow), pytest.param(1.1, marks=pytest.mark.slow)]
)
def test_a_killed_run_ends_like_one_that_never_stopped(
    finished: Path, small_run: list[str], tmp_path: Path, wait: float
) -> None:
    """Killed some time after its first checkpoint appears; the deterministic moments are in tests/training."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    process = subprocess.Popen([sys.executable, str(SCRIPT), *small_run], env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while latest_checkpoint(tmp_path / "run" / "checkpoints") is None and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(wait)
    process.send_signal(signal.SIGKILL)
    process.wait()
    train.main([*small_run, "--resume"])
    assert_equal_weights(tmp_path / "run", finished)


def refused(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> str:
    """Run train.py with arguments it must refuse, and return its one line."""
    with pytest.raises(SystemExit) as exit_:
        train.main(arguments)
    assert exit_.value.code not in (0, None)
    line = str(exit_.value.code)
    assert line.startswith("error: ")
    assert "\n" not in line
    return line


def test_bad_input_ends_in_one_line_and_leaves_nothing(
    small_run: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    cases = {
        ("--data", str(tmp_path / "nowhere")): "no such folder",
        ("--batch", "9"): "--batch 9 is more than the 8 training pairs",
        ("--generator", "unet_265"): "did you mean 'unet_256'",
        ("--discriminator", "patchgan"): "no discriminator is called 'patchgan'",
        ("--size", "96", "96"): "multiples of 64",
        ("--steps", "0"): "--steps 0: must be 1 or more",
        ("--batch", "0"): "--batch 0: must be 1 or more",
        ("--workers", "-1"): "--workers -1: must be 0 or more",
        ("--learning-rate", "-1"): "--learning-rate -1.0: must be a positive number",
        ("--learning-rate", "nan"): "--learning-rate nan: must be a positive number",
        ("--pixel-weight", "-1"): "--pixel-weight -1.0: must be a number, 0 or more",
        ("--seed", "-1"): "--seed -1: must be a whole number",
        ("--decay", "7"): "--decay 7: must be from 0 to --steps 6",
    }
    for change, said in cases.items():
        arguments = list(small_run)
        at = arguments.index(change[0]) if change[0] in arguments else len(arguments)
        arguments[at : at + len(change)] = change
        assert said in refused(capsys, arguments)
        assert not out.exists()


def test_an_unreadable_picture_is_named(
    small_run: list[str], composites: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for split in ("train", "test"):
        (tmp_path / "data" / split).mkdir(parents=True)
    (tmp_path / "data" / "train" / "bad.jpg").write_bytes(b"no picture")
    arguments = [*small_run[2:], "--data", str(tmp_path / "data")]
    assert "bad.jpg cannot be read" in refused(capsys, arguments)


def test_an_unwritable_output_is_named(
    small_run: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    arguments = [*small_run[:-1], str(tmp_path / "file" / "run")]
    assert "cannot be written into" in refused(capsys, arguments)
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_run_is_not_overwritten_nor_resumed_with_another_graph(
    finished: Path, small_run: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = weights_of(finished)
    arguments = [*small_run[:-1], str(finished)]
    assert "holds a run already" in refused(capsys, arguments)
    said = refused(capsys, [*arguments, "--resume", "--preset", "paper"])
    assert f"{finished} was trained with --preset supervised, not paper: leave --preset out" in said
    assert all(torch.equal(before[name], value) for name, value in weights_of(finished).items())


@pytest.mark.parametrize(
    ("flag", "values", "was"),
    [
        ("--learning-rate", ["2e-4"], "0.001"),
        ("--batch", ["1"], "2"),
        ("--seed", ["5"], "0"),
        ("--panels", ["x y Lx Ly"], "x y Ly Lx"),
        ("--precision", ["bf16"], "no"),
        ("--size", ["128", "128"], "64 64"),
        ("--data", ["elsewhere"], None),
        ("--decay", ["1"], "3"),
    ],
)
def test_a_resumed_run_keeps_its_options(
    finished: Path, flag: str, values: list[str], was: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    told = (finished / "options.yaml").read_bytes()
    said = refused(capsys, ["--out", str(finished), "--resume", flag, *values])
    assert f"{finished} was trained with {flag} {was or ''}" in said
    assert (finished / "options.yaml").read_bytes() == told


def test_a_longer_run_falls_later(finished: Path) -> None:
    """Six steps whose last three fell: of nine, the last three fall."""
    run = command_line(["--out", str(finished), "--resume", "--steps", "9"])
    assert (run.constant, run.decay) == (6, 3)
    run = command_line(["--out", str(finished), "--resume", "--steps", "4", "--size", "64"])
    assert (run.constant, run.decay, run.options.steps, run.options.size) == (3, 3, 4, (64, 64))


def test_a_run_without_decay_goes_on_as_a_longer_one(small_run: list[str], tmp_path: Path) -> None:
    for name, steps in (("long", "4"), ("longer", "6")):
        arguments = [*small_run[:-1], str(tmp_path / name), "--decay", "0"]
        arguments[arguments.index("--steps") + 1] = steps
        train.main(arguments)
    train.main(["--out", str(tmp_path / "long"), "--resume", "--steps", "6"])
    assert_equal_weights(tmp_path / "long", tmp_path / "longer")
    told = read_options(tmp_path / "long")
    assert (told["steps"], told["batch"], told["optimisation"]["decaying"]) == (6, 2, 0)
    events = EventAccumulator(str(tmp_path / "long" / "events")).Reload()
    assert [point.step for point in events.Scalars("G")] == [2, 4, 6]
    assert Path(told["data"]).is_absolute()


def test_damaged_options_are_named(small_run: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    out.mkdir()
    for content in ("", "[]", "{}", "[" * 5000, '{"steps": 3}'):
        (out / "options.yaml").write_text(content)
        assert "cannot be read as a run's options" in refused(capsys, ["--out", str(out), "--resume"])


def test_a_loss_that_is_not_finite_ends_the_run_and_leaves_the_good_checkpoint(
    small_run: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, read = [], CompositePairs.__getitem__  # three are read before, then batches of two: it is in the fifth

    def spoilt(self: CompositePairs, index: int) -> dict[str, torch.Tensor]:
        taken.append(index)
        pair = read(self, index)
        return {**pair, "y": pair["y"] * float("nan")} if len(taken) == 12 else pair

    monkeypatch.setattr(CompositePairs, "__getitem__", spoilt)
    said = refused(capsys, small_run)
    assert "not finite" in said or "NaN" in said
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir() if path.name.startswith("step")] == [
        "step-00000004"
    ]
    assert all(value.isfinite().all() for value in weights_of(tmp_path / "run").values())


def test_two_runs_in_one_folder(small_run: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with run_lock(tmp_path / "run"):
        assert "in use" in refused(capsys, small_run)


def in_two_processes(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Run the documented command, from the root of the repository, with some more options."""
    page = (ROOT / "docs" / "c2gan.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^(torchrun .*) --out runs/two$", page, re.MULTILINE)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    words = [*shlex.split(command), *arguments]
    return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_two_processes_train_one_run_and_say_what_is_wrong_once(small_run: list[str], tmp_path: Path) -> None:
    result = in_two_processes(small_run)
    assert result.returncode == 0, result.stderr
    assert latest_checkpoint(tmp_path / "run" / "checkpoints").name == "step-00000006"
    refused = in_two_processes([*small_run, "--resume", "--learning-rate", "1"])
    assert refused.returncode != 0
    assert (refused.stdout + refused.stderr).count("leave --learning-rate out") == 1


@pytest.mark.parametrize("seconds", [0.2, 0.6])
def test_ctrl_c_while_python_imports_shows_no_traceback(seconds: float, tmp_path: Path) -> None:
    words = [sys.executable, str(SCRIPT), "--out", str(tmp_path / "run")]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Traceback" not in said


def test_scripts_refuse_a_folder_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="holds no run"):
        evaluate.main(["--run", str(tmp_path)])


def test_batches_can_begin_anywhere() -> None:
    def first(count: int, start: int = 0) -> list[list[int]]:
        order = ShuffledPairs(range(10), 3, seed=4).order(start)
        return [next(order) for _ in range(count)]

    whole = first(9)
    assert first(4, start=5) == whole[5:]
    for epoch in range(3):
        seen = [index for batch in whole[3 * epoch : 3 * epoch + 3] for index in batch]
        assert len(set(seen)) == 9
    assert whole[:3] != whole[3:6]


def test_a_preset_brings_its_networks_rate_and_weights() -> None:
    supervised = command_line(["--preset", "supervised"]).options
    assert (supervised.discriminator, supervised.base_channels) == ("patchgan_16", 16)
    assert (supervised.learning_rate, supervised.pixel_weight, supervised.batch) == (1e-3, 100, 4)
    assert command_line([]).options == supervised
    official = command_line(["--preset", "official"]).options
    assert (official.discriminator, official.base_channels) == ("patchgan_70", 32)
    assert (official.learning_rate, official.pixel_weight, official.batch) == (2e-4, 10, 8)
    said = command_line(["--preset", "supervised", "--base-channels", "8", "--pixel-weight", "0"]).options
    assert (said.base_channels, said.pixel_weight) == (8, 0)


def test_presets_say_what_the_paper_and_its_code_do() -> None:
    text, code = c2gan(keypoints_of("persons", None), "paper"), c2gan(keypoints_of("faces", None), "official")
    paper, official = text.graph, code.graph
    assert paper.schedule.order == ("G_I", "D_I", "G_K", "D_K")
    assert paper.term("D_I(y*)").criterion == "log"
    assert paper.networks["G_I"].in_channels == 21
    assert official.term("D_K(Lx*)").criterion == "lsgan"
    assert official.gradient_flow()["K2G2K"] == {"G_I", "G_K"}
    batches = [
        c2gan(preset=preset, task=task).recipe.batch
        for preset in ("paper", "official")
        for task in ("faces", "persons")
    ]
    assert batches == [16, 4, 8, 8]
    assert [fitting_unet(size) for size in ((256, 256), (128, 128), (128, 64))] == [
        "unet_256",
        "unet_128",
        "unet_64",
    ]
