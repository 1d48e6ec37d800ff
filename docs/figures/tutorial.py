"""Draw what the tutorial's model has learned: discs of one family of colours in another."""

import re
from pathlib import Path

import matplotlib
import torch

matplotlib.use("Agg")
from matplotlib import pyplot as plt

ROOT = Path(__file__).resolve().parents[2]
STEPS = 300


def namespace() -> dict[str, object]:
    """Return the tutorial's own names: its graph, its model, its pictures, its step, after its first steps."""
    page = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    names: dict[str, object] = {}
    for code in re.findall(r"^```python\n(.*?)^```$", page.partition("## Use")[0], re.MULTILINE | re.DOTALL):
        exec(code.replace("save_checkpoint(", "# save_checkpoint("), names)
    return names


def main() -> None:
    """Train on with the tutorial's own loop, and draw."""
    names = namespace()
    step, model, discs = names["step"], names["model"], names["discs"]
    while step.iteration < STEPS:
        step({"A": discs(4, names["WARM"]), "B": discs(4, names["COLD"])})
    model.eval()
    torch.manual_seed(1)
    batch = {"A": discs(6, names["WARM"]), "B": discs(6, names["COLD"])}
    shown = {**batch, **model.generate(batch)}
    rows = ("A", "B*", "A**", "B", "A*", "B**")
    figure, axes = plt.subplots(len(rows), 6, figsize=(6, 6.2), layout="constrained")
    for name, cells in zip(rows, axes, strict=True):
        for image, cell in zip(shown[name], cells, strict=True):
            cell.imshow(((image + 1) / 2).clamp(0, 1).permute(1, 2, 0), interpolation="nearest")
            cell.set(xticks=[], yticks=[])
        cells[0].set_ylabel(name, rotation=0, labelpad=14, va="center")
    figure.savefig(ROOT / "docs" / "images" / "tutorial.png", dpi=90)


if __name__ == "__main__":
    main()
