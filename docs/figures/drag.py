"""Writes what the page "Drag a landmark" shows, docs/drag/NAME, of the models that are there."""

from pathlib import Path

from cyclekit import CycleModel
from cyclekit.command.web import page_files
from cyclekit.data import PosedImages

ROOT = Path(__file__).parents[2]
RUNS = ROOT / "runs"
MODELS = {
    "demo": (RUNS / "demo" / "model", RUNS / "demo"),
    "large": (RUNS / "large" / "model", RUNS / "large"),
    "painter": (RUNS / "painting" / "painter", RUNS / "demo"),
}
"""A model, and the run that kept images of its size: of `make demo`, of the long run in "C2GAN, complete", and the one
that paints of `examples/c2gan/painting.py`."""


def main() -> None:
    """Write each model's networks and its images."""
    for name, (model, run) in MODELS.items():
        folder = ROOT / "docs" / "drag" / name
        if not model.is_dir():
            print(f"{model} is not there: {folder} stays as it is")
            continue
        held = page_files(CycleModel.from_pretrained(model), PosedImages.read(run), model)
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in held.items():
            (folder / file).write_bytes(content)
        print(f"{folder}: {', '.join(f'{file} {len(content) / 1e6:.1f} MB' for file, content in held.items())}")


if __name__ == "__main__":
    main()
