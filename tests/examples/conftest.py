"""Small four-panel pictures to train on, and runs of train.py on them."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "c2gan"))  # as Python does for the scripts


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
