"""Writes checkpoints and models as fast as it can, until it is killed; `test_beside_a_writer.py` reads them."""

import sys
from itertools import count
from pathlib import Path

from cyclekit.training import save_checkpoint
from tests.training.damaging import trained


def main(folder: Path) -> None:
    model, parts = trained()
    for number in count():
        for _ in range(2):  # the second takes the first one's place
            save_checkpoint(folder / "run", number, model, parts)
        model.save_pretrained(folder / "model")
        if number == 0:
            print("writing", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
