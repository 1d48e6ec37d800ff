"""Use a trained C2GAN: an image and target keypoints to an image, or an image to its keypoints.

python examples/c2gan/generate.py --run runs/faces --image face.png --keypoints target.png --out moved.png
python examples/c2gan/generate.py --run runs/faces --image face.png --out keypoints.png
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # while Python imports, Ctrl-C ends at once, without a traceback

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import tyro
from accelerate import Accelerator

from cyclekit import Heatmap
from data.sources import read_image, write_image
from errors import UsageError, clear_errors
from evaluate import load_run


@dataclass
class Options:
    """Generate one picture."""

    run: Path
    """The folder train.py wrote."""
    image: Path
    """A picture of the subject."""
    out: Path
    """Where the result goes."""
    keypoints: Path | None = None
    """The target keypoints, drawn as in training; the image's own keypoints are found where it is not given."""


@torch.inference_mode()
def generate(options: Options) -> None:
    """Write the generated image, or the keypoints of the image."""
    model, trained = load_run(options.run)
    model.eval().to(Accelerator().device)
    device = next(model.parameters()).device
    size = trained["size"]
    x = read_image(options.image, size)[None].to(device)
    if options.keypoints is None:
        write_image(model.generators["G_K"](x)[0].cpu(), options.out)
        return
    if isinstance(model.graph.domains["Ly"], Heatmap):
        raise UsageError("this run takes heatmaps; a picture cannot hold them: call model.generate from Python")
    Ly = read_image(options.keypoints, size)[None].to(device)
    write_image(model.generate({"x": x, "Ly": Ly}, ["y*"])["y*"][0].cpu(), options.out)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and generate."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with clear_errors():
        generate(tyro.cli(Options, args=arguments))


if __name__ == "__main__":
    main()
