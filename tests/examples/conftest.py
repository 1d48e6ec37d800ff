"""Small four-panel pictures to train on, and runs of train.py on them."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

for example in ("family", "c2gan"):
    sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / example))  # as Python does for the scripts


@pytest.fixture(scope="session")
def composites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of real files: each panel a colour gradient of its own, so that a mix-up of panels shows."""
    folder = tmp_path_factory.mktemp("composites")
    random = np.random.default_rng(0)
    for split, count in (("train", 4), ("test", 2)):
        (folder / split).mkdir()
        for number in range(count):
            pixels = np.zeros((64, 256, 3), dtype=np.uint8)
            for panel in range(4):
                slope = np.linspace(0, 40, 64, dtype=np.uint8)[None, :, None]
                pixels[:, panel * 64 : (panel + 1) * 64] = slope + 50 * panel + random.integers(0, 20, (64, 64, 3))
            Image.fromarray(pixels).save(folder / split / f"pair_{number}.png")
    return folder


@pytest.fixture
def small_run(composites: Path, tmp_path: Path) -> list[str]:
    """Arguments of a run that takes a few seconds; its output goes to tmp_path / "run"."""
    return [
        *("--data", str(composites), "--size", "64", "64", "--batch", "2", "--base-channels", "4"),
        *("--discriminator", "patchgan_16", "--steps", "6", "--log-every", "2", "--checkpoint-every", "2"),
        *("--out", str(tmp_path / "run")),
    ]


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five drawn persons in four poses each, in Market-1501's files: ``images/`` and ``annotations.csv``."""
    from data.persons import PersonPairs

    folder = tmp_path_factory.mktemp("market")
    (folder / "images").mkdir()
    persons = PersonPairs("test", (128, 64), identities=5)
    lines = ["name:keypoints_y:keypoints_x"]
    for number in range(len(persons.points)):
        identity, pose = divmod(number, persons.states)
        name = f"{identity + 1:04}_c1s1_{pose:06}_00.jpg"
        pair = next(index for index in range(len(persons)) if persons.drawings_of(index)[0] == number)
        pixels = ((persons[pair]["x"] + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(folder / "images" / name, quality=95)
        points, seen = persons.points[number].round().int(), persons.visible[number]
        columns = [[int(p[axis]) if there else -1 for p, there in zip(points, seen, strict=True)] for axis in (1, 0)]
        lines.append(f"{name}: {columns[0]}: {columns[1]}")
    (folder / "annotations.csv").write_text("\n".join(lines) + "\n")
    return folder
