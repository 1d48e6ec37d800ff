"""A page on which a run's landmarks are dragged: its networks, images to begin with, and all that they need."""

import base64
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import torch
from torch import Tensor, nn

from cyclekit._files import whole_file
from cyclekit.command.onnx_files import small_onnx
from cyclekit.command.posing import described, posed_images
from cyclekit.command.runs import Run
from cyclekit.command.signals import making_of
from cyclekit.data import Drawing, PosedImages
from cyclekit.errors import UsageError
from cyclekit.graph import CycleGraph, Heatmap, Image, Landmarks
from cyclekit.model import CycleModel

RUNTIME = ("drag.css", "drag.js", "worker.js", "ort.mjs", "ort.wasm.mjs", "ort.wasm.gz")
"""What every page needs, beside this module in ``page``."""

_LEAST = 3
"""Landmarks, fewer than which are none of a pose."""
_TRIED = 4
"""Images on which onnxruntime and torch are compared."""


def write_page(run: Run, folder: Path) -> str:
    """Write ``index.html``, which holds all that it needs, and opens from a disk.

    Args:
        run: A run whose model makes an image of an image and keypoints.
        folder: Where the page goes.

    Returns:
        What was written, and how far it is from torch.

    Raises:
        UsageError: The run is another one, or its landmarks are not known as points.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--web {folder} is a file: choose a folder")
    model = run.model()
    moved_signals(model.graph, run.folder)  # says of another run what it is, before its images are looked for
    posed = posed_images(run)
    if len(posed.drawing.skeleton) < _LEAST:
        count = len(posed.drawing.skeleton)
        raise UsageError(
            f"{run.folder}: its pictures of keypoints show {count} dot{'s' if count > 1 else ''}, too few to drag: "
            "drawn lines and areas have no points; train on points, such as a manifest of examples/c2gan/prepare.py"
        )
    held = page_files(model, posed, run.folder)
    page, file = _page(held), folder / "index.html"
    folder.mkdir(parents=True, exist_ok=True)
    whole_file(file, lambda draft: draft.write_text(page, encoding="utf-8"))
    said = json.loads(held["run.json"])
    return (
        f"{file}: {len(said['images'])} images with {len(said['joints'])} landmarks each, "
        f"{file.stat().st_size / 1e6:.1f} MB; onnxruntime and torch differ by at most {said['difference']:.2g}"
    )


def page_files(model: CycleModel, posed: PosedImages, run: Path) -> dict[str, bytes]:
    """Return what of a page is a run's own: ``run.json``, ``generator.onnx``, and ``reader.onnx`` where it reads.

    Args:
        model: The run's model, which makes an image of an image and keypoints.
        posed: Images to begin with.
        run: The run's folder, for what is wrong with it.

    Raises:
        UsageError: The model makes something else, or takes keypoints that are drawn otherwise.
    """
    made, image, keypoints = moved_signals(model.graph, run)
    takes, drawn = model.graph.domains[keypoints], posed.drawing.domain
    if type(drawn) is not type(takes) or drawn.channels != takes.channels:
        raise UsageError(f"{run} keeps keypoints that are drawn as {drawn}, and its model takes {takes}")
    generator = Generator(model, made, (image, keypoints), posed.drawing).eval()
    examples = _examples(posed)
    held: dict[str, bytes] = {}
    held["generator.onnx"], difference = small_onnx(generator, examples, ("image", "points"), "generated")
    if (reader := _reader(model, made)) is not None:
        with torch.no_grad():
            read = [(generator(*values),) for values in examples]
        held["reader.onnx"], other = small_onnx(reader.eval(), read, ("image",), "keypoints")
        difference = max(difference, other)
    said = {**described(posed), "reads": "reader.onnx" in held, "difference": difference}
    return {"run.json": json.dumps(said, separators=(",", ":")).encode(), **held}


class Generator(nn.Module):
    """What a model makes of an image and of keypoints as points, which it draws as in training.

    Args:
        model: The model.
        made: The signal that it makes.
        signals: The image and the keypoints that it makes it of.
        drawing: How the keypoints are drawn.
    """

    def __init__(self, model: CycleModel, made: str, signals: tuple[str, str], drawing: Drawing) -> None:
        super().__init__()
        self.model = model
        self.made = made
        self.signals = signals
        self.drawing = drawing

    def forward(self, image: Tensor, points: Tensor) -> Tensor:
        """Make an image of an image, both (1, 3, height, width), and points (1, joints, 2); NaN is a missing one."""
        image_name, keypoints_name = self.signals
        size = (image.shape[-2], image.shape[-1])
        drawn = self.drawing.draw(points, torch.isfinite(points).all(-1), size)
        keypoints = self.model.graph.domains[keypoints_name].normalize(drawn)
        return self.model({image_name: image, keypoints_name: keypoints})[self.made]


def runtime(name: str) -> bytes:
    """Return one of the files that every page needs."""
    return (files("cyclekit.command") / "page" / name).read_bytes()


def _page(held: Mapping[str, bytes]) -> str:
    """Return a page with its files inside."""
    inside = {**held, **{name: runtime(name) for name in RUNTIME if name not in ("drag.css", "drag.js")}}
    scripts = [
        f'<script type="text/plain" data-file="{name}">{base64.b64encode(content).decode()}</script>'
        for name, content in inside.items()
    ]
    page = runtime("page.html").decode()
    for place, text in (
        ("/* drag.css */", runtime("drag.css").decode()),
        ("<!-- files -->", "\n".join(scripts)),
        ("/* drag.js */", runtime("drag.js").decode()),
    ):
        page = page.replace(place, text)
    return page


def _examples(posed: PosedImages) -> list[tuple[Tensor, Tensor]]:
    """Return some images as a model takes them, each with the points of another; NaN where they are missing."""
    images = posed.images.float() / 127.5 - 1
    points = torch.where(posed.visible[..., None], posed.points.float(), torch.nan).roll(1, 0)
    return list(zip(images.split(1), points.split(1), strict=True))[:_TRIED]


def moved_signals(graph: CycleGraph, run: Path) -> tuple[str, str, str]:
    """Return the image that keypoints move, the image it is made of, and the keypoints.

    Raises:
        UsageError: There is none.
    """
    for name in graph.generated:
        if isinstance(graph.domains[name], Image):
            making = making_of(graph, name)
            kinds = {signal: graph.domains[signal] for signal in making.maps}
            images = [signal for signal, kind in kinds.items() if isinstance(kind, Image) and kind.channels == 3]
            keypoints = [signal for signal, kind in kinds.items() if isinstance(kind, Landmarks | Heatmap)]
            if (len(images), len(keypoints), len(kinds)) == (1, 1, 2) and not making.labels and not making.noise:
                return name, images[0], keypoints[0]
    made = ", ".join(f"{name} of {' and '.join(graph.requires(name))}" for name in graph.generated)
    raise UsageError(
        f"--web needs a model that makes an image of an image and its keypoints, as c2gan does; {run} makes {made}"
    )


def _reader(model: CycleModel, made: str) -> nn.Module | None:
    """Return the network that reads keypoints from the generated image, where there is one."""
    for call in model.graph.calls:
        if call.inputs == (made,) and call.network in model.generators and len(call.outputs) == 1:
            domain = model.graph.domains[call.outputs[0]]
            if isinstance(domain, Landmarks | Heatmap):
                return model.generators[call.network]
    return None
