"""The pages' lines of the example run as they are written and in their order, on small networks and for few steps."""

import json
import re
import shlex
import shutil
import signal
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data import embedded

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    "README.md",
    *(f"docs/{name}.md" for name in ("installation", "c2gan", "persons", "results", "gallery", "study")),
)
SMALL = ("--base-channels", "4", "--batch", "2")
CHEAPER = {"train": SMALL, "estimator": SMALL, "tables": (*SMALL, "--seeds", "1"), "study": ("--pictures", "2")}


def lines_of(page: str) -> Iterator[str]:
    """Yield the lines of a page that run the example; `make demo` is the one behind it."""
    for block in re.findall(r"```bash\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL):
        for line in block.splitlines():
            if line.startswith("make demo"):
                yield re.findall(r"^\t\$\(BIN\)/(python .*--out runs/demo.*)$", (ROOT / "Makefile").read_text(), re.M)[
                    0
                ]
            elif line.startswith("python examples/c2gan/"):
                yield line


def cheaper(program: str, words: list[str]) -> list[str]:
    """Return a line's words with few steps, and what makes them fast behind them."""
    for flag, factor in (("--steps", 400), ("--decay", 400), ("--warm-up", 100), ("--sample", 1000)):
        if flag in words:
            place = words.index(flag) + 1
            words[place] = str(int(words[place]) and max(1, min(12, int(words[place]) // factor)))
    if program in ("train", "estimator", "tables") and "--steps" not in words:
        words += ["--steps", "4"]
    if "--size" in words:
        place = words.index("--size") + 1
        words[place : place + 2] = ["64" if word.isdigit() else word for word in words[place : place + 2]]
    return words if words[:1] == ["score"] else [*words, *CHEAPER.get(program, ())]


@pytest.fixture
def at_a_reader(tmp_path: Path, composites: Path, market: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A checkout with the folders that the pages name."""
    monkeypatch.setattr(embedded, "IDENTITIES", {"train": 3, "test": 4})
    monkeypatch.chdir(tmp_path)
    for panels in ("composites", "DIR"):
        Path(panels).symlink_to(composites)
    for annotations, images in (
        ("train.csv", "market/train"),
        ("market-annotation-train.csv", "bounding_box_train"),
        ("market-annotation-test.csv", "bounding_box_test"),
    ):
        shutil.copy(market / "annotations.csv", annotations)
        Path(images).parent.mkdir(exist_ok=True)
        Path(images).symlink_to(market / "images")
    dice = np.random.default_rng(0)
    for folder, names in (
        (
            "rafd",
            [f"Rafd090_{one:02}_Caucasian_male_{mood}_left.jpg" for one in (1, 2, 3) for mood in ("angry", "neutral")],
        ),
        ("photographs", [f"{who}/{number}.jpg" for who in ("anna", "bert") for number in (1, 2)]),
    ):
        for name in names:
            (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (64, 64), "grey").save(Path(folder) / name)
            if folder == "rafd":
                points = "\n".join(f"{x:.1f} {y:.1f}" for x, y in dice.uniform(5, 59, (68, 2)))
                file = Path("landmarks") / Path(name).with_suffix(".pts")
                said = f"version: 1\nn_points: 68\n{{\n{points}\n}}\n"
            else:
                body = [value for x, y in dice.uniform(5, 59, (18, 2)) for value in (x, y, 0.9)]
                file = Path("openpose") / Path(name).with_suffix("").with_name(f"{Path(name).stem}_keypoints.json")
                said = json.dumps({"version": 1.1, "people": [{"pose_keypoints": body}]})
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(said)
    Path("docs/study").mkdir(parents=True)
    shutil.copy(ROOT / "docs" / "results.md", "docs/results.md")
    answers = [{"trial": trial, "shown": ["real" if trial % 2 else "demo"], "answer": "real"} for trial in range(4)]
    practice = [
        {**one, "trial": 9 + place, "answer": ("fake", "real")[place % 2]} for place, one in enumerate(answers * 2)
    ]
    told = {"study": "s", "kind": "real_or_fake", "between": ["real", "demo"], "practice": practice}
    for number in (1, 2, 3):
        own = [{**one, "answer": "fake" if one["trial"] == number else "real"} for one in answers]
        Path(f"answers-{number}.json").write_text(json.dumps({**told, "answers": own}))
    handler = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, handler)


def ended(main: Callable[[list[str]], None], words: list[str]) -> object:
    """Return what a script ends with."""
    try:
        main(words)
    except SystemExit as ending:
        return ending.code
    return None


@pytest.mark.usefixtures("at_a_reader")
@pytest.mark.filterwarnings("ignore")
def test_they_run_one_after_the_other() -> None:
    ran, failed = 0, []
    for page in PAGES:
        if page == "docs/study.md":
            for name in ("one", "two"):
                shutil.rmtree(Path("runs") / name, ignore_errors=True)
                shutil.copytree("runs/demo", Path("runs") / name)
        for line in lines_of(page):
            _, script, *words = shlex.split(line)
            program = Path(script).stem
            if code := ended(import_module(program).main, cheaper(program, words)):
                failed.append(f"{page}: {line}: {code}")
            ran += 1
    assert not failed, "\n".join(failed)
    assert ran > 30
