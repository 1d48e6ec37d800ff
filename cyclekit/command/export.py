"""`cyclekit export`: a run's generator as an ONNX file, checked against torch, or on a page to drag landmarks."""

import re
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import torch
import tyro
from torch import Tensor, nn

from cyclekit.command.onnx_files import TOLERANCE, run_onnx, write_onnx
from cyclekit.command.runs import Run, open_fit
from cyclekit.command.signals import Making, fitting_size, making_of
from cyclekit.command.sizes import size_of, trained_size
from cyclekit.command.web import write_page
from cyclekit.errors import UsageError
from cyclekit.graph import Classes, Label
from cyclekit.model import CycleModel

_BATCHES = (1, 3)


@dataclass
class Options:
    """Write what a run's model makes of its inputs as an ONNX file, and check the file against torch.

    Or write a page on which the landmarks are dragged, with that file inside.
    """

    run: Path
    """The run's folder, or one of its checkpoints."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="NAME.onnx")] = None
    """The file."""
    web: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """A folder for a page, of a run whose model makes an image of an image and its keypoints, as c2gan's."""
    signal: str | None = None
    """What is made; the first picture that the model makes where it is not given. Quote it: 'A*'."""
    size: Annotated[tuple[int, ...], tyro.conf.arg(metavar="SIDE|HEIGHT WIDTH")] = ()
    """Height and width of the pictures it takes; those that the run was trained on where it is not given."""


class _Maker(nn.Module):
    """What a model makes, as a function of tensors."""

    def __init__(self, model: CycleModel, making: Making, inputs: tuple[str, ...]) -> None:
        super().__init__()
        self.model = model
        self.making = making
        self.inputs = inputs

    def forward(self, *values: Tensor) -> Tensor:
        return self.model(dict(zip(self.inputs, values, strict=True)))[self.making.signal]


def run(options: Options) -> None:
    """Write the file or the page, unless it differs from torch."""
    if options.web is not None:
        for name in ("out", "signal", "size"):
            if getattr(options, name):
                raise UsageError(
                    f"--{name} does not go with --web: the page is of one image, at the size it was trained"
                )
        print(write_page(open_fit(options.run), options.web))
        return
    if options.out is None:
        raise UsageError("choose what is written: --out NAME.onnx, or --web DIR for a page to drag landmarks on")
    if options.out.suffix != ".onnx":
        raise UsageError(f"--out {options.out}: the file's name must end in .onnx")
    if options.out.is_dir():
        raise UsageError(f"--out {options.out} is a folder: choose a file's name")
    _write_file(open_fit(options.run), options, options.out)


def _write_file(found: Run, options: Options, out: Path) -> None:
    model = found.model()
    making = making_of(model.graph, options.signal)
    size = size_of(options.size) or trained_size(found.options)
    if size is None:
        raise UsageError("the run does not say at which size it was trained: choose --size")
    if fitting_size(model, making.signal, size) != size:
        height, width = fitting_size(model, making.signal, size)
        raise UsageError(f"--size {size[0]} {size[1]} does not suit the networks: the next one is {height} {width}")
    inputs = (*making.maps, *making.labels, *making.noise)
    maker = _Maker(model, making, inputs).eval()
    names = tuple(map(_onnx_name, inputs))
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".", dir=out.parent) as folder:
        draft = Path(folder) / out.name
        examples = _examples(model, inputs, size, 2)
        write_onnx(maker, examples, draft, inputs=names, output=_onnx_name(making.signal), any_batch=True)
        largest = max(_difference(maker, _examples(model, inputs, size, batch), names, draft) for batch in _BATCHES)
        if not largest <= TOLERANCE:
            raise UsageError(
                f"{out} is not written: onnxruntime and torch differ by {largest:.2g} in {making.signal!r}, "
                f"more than {TOLERANCE:g}"
            )
        draft.replace(out)
    takes = ", ".join(f"{name} {model.graph.domains[name]}" for name in inputs)
    print(
        f"{out}: {making.signal} from {takes} at {size[0]}x{size[1]}, for any batch; onnxruntime and torch "
        f"differ by at most {largest:.2g} in batches of {' and '.join(map(str, _BATCHES))}"
    )


def _examples(model: CycleModel, inputs: tuple[str, ...], size: tuple[int, int], batch: int) -> tuple[Tensor, ...]:
    """Return inputs that say something: noise in the range of each."""
    random = torch.Generator().manual_seed(batch)
    values: list[Tensor] = []
    for name in inputs:
        domain = model.graph.domains[name]
        shape = (batch, domain.channels, *(size if domain.spatial else ()))
        value = torch.rand(shape, generator=random)
        if isinstance(domain, Label | Classes):  # one-hot
            value = (value == value.amax(1, keepdim=True)).float()
        values.append(value * 2 - 1 if domain.bounds is not None else value)
    return tuple(values)


def _difference(maker: _Maker, examples: tuple[Tensor, ...], names: tuple[str, ...], file: Path) -> float:
    """Return by how much the file's output differs from torch's at most."""
    with torch.no_grad():
        wanted = maker(*examples)
    return (run_onnx(file, names, examples) - wanted).abs().max().item()


def _onnx_name(signal: str) -> str:
    """Return a signal's name as ONNX allows it, ``B_star`` for ``B*``."""
    return re.sub(r"\W", "_", signal.replace("*", "_star"))
