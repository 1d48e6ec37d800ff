"""The command, called as its user calls it, without a process of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from cyclekit.command import run_command


class Said(NamedTuple):
    """What a command line left behind."""

    status: int
    out: str
    error: str


Command = Callable[..., Said]


@pytest.fixture
def cyclekit(capsys: pytest.CaptureFixture[str]) -> Command:
    """Return a function that runs one command line and gives its status and what it printed."""

    def run(*words: object) -> Said:
        capsys.readouterr()
        try:
            status = run_command([str(word) for word in words])
        except SystemExit as end:  # --help
            status = int(end.code or 0)
        return Said(status, *capsys.readouterr())

    return run


@pytest.fixture
def refused(cyclekit: Command) -> Callable[..., str]:
    """Return a function that runs a command line that must be refused, and gives its one line."""

    def run(*words: object) -> str:
        said = cyclekit(*words)
        assert said.status == 2, said
        assert said.error.startswith("error: "), said.error
        assert said.error.count("\n") == 1, said.error
        return said.error

    return run


def picture(path: Path, height: int, width: int, random: np.random.Generator) -> None:
    """Write a picture of coloured squares, each 8 pixels wide."""
    path.parent.mkdir(parents=True, exist_ok=True)
    squares = random.integers(0, 255, (-(-height // 8), -(-width // 8), 3), dtype=np.uint8)
    Image.fromarray(squares.repeat(8, 0).repeat(8, 1)[:height, :width]).save(path)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data sets that the documentation speaks of, small: unpaired folders, panels, a table of attributes."""
    root, random = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    for split, count in (("train", 4), ("test", 2)):
        for number in range(count):
            picture(root / "horse2zebra" / f"{split}A" / f"n{number}.jpg", 72, 72, random)
            picture(root / "horse2zebra" / f"{split}B" / f"z{number}.jpg", 72, 80, random)
            picture(root / "facades" / split / f"{number}.jpg", 64, 128, random)
            picture(root / "radboud" / split / f"{number}.png", 64, 256, random)
            for kind in ("cats", "dogs"):
                picture(root / "animals" / split / kind / f"{number}.png", 64, 64, random)
    table = ["6", "Black_Hair Male Young"]
    for number in range(6):
        picture(root / "celeba" / "images" / f"{number}.jpg", 72, 64, random)
        table.append(f"{number}.jpg {1 if number % 2 else -1} {1 if number % 3 else -1} -1")
    (root / "celeba" / "list_attr_celeba.txt").write_text("\n".join(table) + "\n")
    return root


@pytest.fixture
def inside(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the data sets in it, as the documentation's lines are typed in."""
    monkeypatch.chdir(tmp_path)
    for folder in data.iterdir():
        (tmp_path / folder.name).symlink_to(folder)
    return tmp_path
