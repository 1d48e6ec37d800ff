"""About a hundred wrong command lines: each ends in one line of ours, status 2, and nothing half-written."""

import random
import shutil
from pathlib import Path

import pytest
from PIL import Image

SMALL = ["--size", "64", "--steps", "2", "--batch", "2", "--base-channels", "4", "--workers", "0"]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    from cyclekit.command import run_command

    run = tmp_path_factory.mktemp("trained") / "run"
    words = ["train", "pix2pix", "--data", str(data / "facades"), *SMALL, "--out", str(run)]
    assert run_command(words) == 0
    return run


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("train", "say which paper to train"),
        ("train cyclegan", "--data DIR"),
        ("train cyclgan --data horse2zebra", "did you mean 'cyclegan'"),
        ("train cyclegan --data nowhere", "there is no such folder"),
        ("train cyclegan --data facades", "there is no trainA"),
        ("train pix2pix --data horse2zebra", "there is no train"),
        ("train stargan --data facades", "holds no folders"),
        ("train stargan --data horse2zebra", "folder a class"),
        ("train stargan --data celeba --attributes Blond", "has no attribute 'Blond'"),
        ("train posegan --data facades", "of your own, E_x"),
        ("train stargan_v2 --data celeba", "two reference pictures"),
        ("train recycle_gan --data horse2zebra", "three frames"),
        ("train pg2 --data facades", "folder a signal"),
        ("train dpig --data facades", "Heatmap(18)"),
        ("train cyclegan --data horse2zebra --size 66", "multiples of 4"),
        ("train cyclegan --data horse2zebra --size 64 64 64", "a side, or a height and a width"),
        ("train cyclegan --data horse2zebra --size 0", "a side, or a height and a width"),
        ("train cyclegan --data horse2zebra --load-size 32 --size 64", "smaller than --size"),
        ("train cyclegan --data horse2zebra --panels", "--panels"),
        ("train cyclegan --data horse2zebra --panels=AB", "says nothing about the data"),
        ("train pix2pix --data facades --panels=xz", "each of pix2pix's signals once"),
        ("train cyclegan --data horse2zebra --attributes Male", "says nothing about the data"),
        ("train cyclegan --data horse2zebra --size 64 --generator resnet_9block", "did you mean 'resnet_9blocks'"),
        ("train cyclegan --data horse2zebra --size 64 --discriminator nothing", "no discriminator is called"),
        ("train cyclegan --data horse2zebra --size 64 --weights forwards 3", "forward"),
        (
            "train cyclegan --data horse2zebra --size 64 --steps 1 --norm silly",
            "silly is no normalisation",
        ),
        ("train c2gan --data radboud --channels 1", "3 channels alone"),
        ("train cyclegan --data horse2zebra --steps 0", "must be 1 or more"),
        ("train cyclegan --data horse2zebra --steps x", "--steps 'x': expected"),
        ("train cyclegan --data horse2zebra --learning-rate nan", "positive number"),
        ("train cyclegan --data horse2zebra --learning-rate -1", "positive number"),
        ("train cyclegan --data horse2zebra --flip 2", "from 0 to 1"),
        ("train cyclegan --data horse2zebra --seed -1", "whole number"),
        ("train cyclegan --data horse2zebra --betas 0.5", "two numbers"),
        ("train cyclegan --data horse2zebra --betas 0.5 2", "two numbers"),
        ("train cyclegan --data horse2zebra --average 1", "less than 1"),
        ("train cyclegan --data horse2zebra --precision fp8", "invalid choice 'fp8'"),
        ("train cyclegan --data horse2zebra --direction ab", "invalid choice 'ab'"),
        ("train cyclegan --data horse2zebra --size 64 --steps 9 --constant 2 --decaying 3", "falls to 0 at step 5"),
        ("train cyclegan horse2zebra", "did you mean --data horse2zebra?"),
        ("train cyclegan --data horse2zebra --size 64x64", "--size '64x64': expected SIDE|HEIGHT WIDTH"),
        ("train cyclegan --data horse2zebra --weights forward", "--weights 'forward': expected TERM WEIGHT ..."),
        ("train cyclegan --out RUN --resume", "was trained with pix2pix: leave cyclegan out"),
        ("train --out RUN --resume --steps 1", "is at step 2 already, past --steps 1"),
        ("train --out RUN --resume --steps 4", "before --steps 4: --constant 3 lets it fall later"),
        ("train --config nowhere.yaml", "cannot be read as options"),
        ("train cyclegan --data horse2zebra --stps 3", "did you mean '--steps'"),
        ("evaluate", "--run"),
        ("evaluate --run nowhere", "lacks options.yaml"),
        ("evaluate --run RUN --data horse2zebra", "there is no train"),
        ("evaluate --run RUN --data nowhere", "no such folder"),
        ("evaluate --run RUN --inception nowhere.pth", "nowhere.pth"),
        ("evaluate --run RUN --batch 0", "must be 1 or more"),
        ("evaluate --run RUN --split val", "invalid choice 'val'"),
        ("translate --run RUN", "say --input PATH, --out PATH"),
        ("translate --run RUN/model --input facades/test --out made", "did you mean that?"),
        ("translate --run RUN/checkpoints/step-00000009 --input facades/test --out made", "is part of the run"),
        ("translate --run RUN --input nowhere --out made", "no such folder"),
        ("translate --run RUN --input celeba --out made", "holds no pictures"),
        ("translate --run RUN --input facades/test --out facades/test", "write over"),
        ("translate --run RUN --input facades/test --out made --signal z*", "'y*'"),
        ("translate --run RUN --input facades/test --out made --label 1", "no label is needed"),
        ("translate --run RUN --input facades/test --out made --size 0", "a side, or a height and a width"),
        ("translate --run RUN --input broken --out made", "cannot be read as a picture"),
        ("translate --run RUN --input twins --out made", "would both become"),
        ("export --run RUN --out g.pt", "must end in .onnx"),
        ("export --run RUN --out g.onnx --size 65", "the next one is 128 128"),
        ("export --run RUN --out g.onnx --signal x", "is not made by this model"),
        ("draw --run nowhere", "lacks options.yaml"),
        ("draw --run RUN --rows 0", "must be 1 or more"),
        ("show RUN --latex --diagram", "choose one of them"),
    ],
)
def test_a_mistake_is_one_line(refused, inside, trained, words, part):
    Path("broken").mkdir()
    Path("broken/1.png").write_bytes(b"no picture")
    Path("twins").mkdir()
    for name in ("1.png", "1.jpg"):
        Image.new("RGB", (64, 64)).save(f"twins/{name}")
    before = sorted(Path().iterdir())
    assert part in refused(*[word.replace("RUN", str(trained)) for word in words.split()])
    assert sorted(path for path in Path().iterdir()) == before


def damaged(run: Path, how: int) -> None:
    """Spoil a run's folder."""
    options, weights = run / "options.yaml", run / "model" / "model.safetensors"
    match how:
        case 0:
            options.write_text("")
        case 1:
            options.write_text("{")
        case 2:
            options.write_text("paper: nothing\n")
        case 3:
            options.write_text("paper: [1]\n")
        case 4:
            options.write_bytes(b"\xff\xfe\x00")
        case 5:
            weights.write_bytes(weights.read_bytes()[:1000])
        case 6:
            (run / "model" / "graph.json").write_text("[]")
        case _:
            shutil.rmtree(run / "model")
            shutil.rmtree(run / "checkpoints")


@pytest.mark.parametrize("how", range(8))
def test_a_damaged_run_is_named(refused, inside, trained, how):
    shutil.copytree(trained, "run")
    damaged(Path("run"), how)
    for words in ("translate --run run --input facades/test --out made", "export --run run --out g.onnx", "show run"):
        refused(*words.split())
    refused("evaluate", "--run", "run")
    refused("draw", "--run", "run")
    assert not Path("made").exists()
    assert not Path("g.onnx").exists()


@pytest.mark.parametrize("seed", range(40))
def test_words_thrown_together(cyclekit, inside, trained, seed):
    """Whatever is typed: a result, or one line."""
    chance = random.Random(seed)
    commands = ["list", "show", "train", "evaluate", "translate", "export", "draw", "", "--help"]
    vocabulary = [
        *("--run", str(trained), "--out", "made", "--input", "facades/test", "--data", "facades", "horse2zebra"),
        *("--size", "64", "-3", "x", "--steps", "--batch", "0", "--label", "--signal", "y*", "--config", "nan", "--"),
        *("cyclegan", "pix2pix", "--resume", "--latex", "--rows", "1e9", "''", "--panels", "ü", "\n", "--no-such"),
    ]
    words = [chance.choice(commands), *chance.choices(vocabulary, k=chance.randint(0, 6))]
    if words[0] == "train":
        words += ["--steps", "0"]  # nothing is trained here
    said = cyclekit(*words)
    assert said.status in (0, 2)
    if said.status == 2:
        assert said.error.startswith("error: ")
        assert said.error.count("\n") == 1
