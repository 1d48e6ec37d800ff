"""Modules as ONNX files: as torch writes them, and with 16 bits a weight."""

import tempfile
import warnings
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from cyclekit.errors import UsageError

TOLERANCE = 1e-3
"""How far values in [-1, 1] may differ: less than half a grey level of 255."""

_LARGE = 16384
"""Numbers from which on a weight is kept in 16 bits: small ones, which are the first and the last, count most."""


def write_onnx(
    module: nn.Module,
    examples: tuple[Tensor, ...],
    file: Path,
    *,
    inputs: tuple[str, ...],
    output: str,
    any_batch: bool = False,
) -> None:
    """Write what a module does as an ONNX file.

    Args:
        module: In evaluation mode, with one output.
        examples: What it takes.
        file: Where the file goes.
        inputs: Names of what it takes.
        output: The name of what it makes.
        any_batch: Whether the file takes batches of other sizes than the examples'.

    Raises:
        UsageError: torch cannot export it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the exporter, about itself
            torch.onnx.export(
                module,
                examples,
                file,
                dynamo=True,
                verbose=False,
                external_data=False,
                input_names=list(inputs),
                output_names=[output],
                dynamic_shapes=(tuple({0: torch.export.Dim("batch")} for _ in examples),) if any_batch else None,
            )
    except torch.onnx.OnnxExporterError as error:
        reason = str(error.__cause__ or error).strip().partition("\n")[0]
        raise UsageError(f"torch cannot export what makes {output!r}: {reason}") from error


def run_onnx(model: Path | bytes, inputs: tuple[str, ...], values: tuple[Tensor, ...]) -> Tensor:
    """Return what an ONNX file makes of values, on the CPU."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    feeds = {name: value.numpy() for name, value in zip(inputs, values, strict=True)}
    return torch.from_numpy(cast("NDArray[np.float32]", session.run(None, feeds)[0]))


def small_onnx(
    module: nn.Module, examples: Sequence[tuple[Tensor, ...]], inputs: tuple[str, ...], output: str
) -> tuple[bytes, float]:
    """Return a module as an ONNX file, with 16 bits a weight where that holds the tolerance, and how far it is off.

    Args:
        module: In evaluation mode.
        examples: What it takes, several times; the file takes batches of this size alone.
        inputs: Names of what it takes.
        output: The name of what it makes.

    Raises:
        UsageError: torch cannot export it, or the file makes something else than torch.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "module.onnx"
        write_onnx(module, examples[0], file, inputs=inputs, output=output)
        whole = onnx.load(file)
    with torch.no_grad():
        wanted = [module(*values) for values in examples]
    difference = float("inf")
    for model in (_in_16_bits(whole), whole):
        content = _without_traces(model).SerializeToString()
        made = [run_onnx(content, inputs, values) for values in examples]
        difference = max((one - other).abs().max().item() for one, other in zip(made, wanted, strict=True))
        if difference <= TOLERANCE:
            return content, difference
    raise UsageError(f"onnxruntime and torch differ by {difference:.2g} in {output!r}, more than {TOLERANCE:g}")


def _in_16_bits(whole: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model whose large weights are whole numbers of 16 bits, with a scale for each row.

    The session turns them into 32-bit numbers when it starts. They are as small as in half precision, and several
    times nearer.
    """
    model = onnx.ModelProto()
    model.CopyFrom(whole)
    graph, number = model.graph, count()
    nodes: list[onnx.NodeProto] = []
    for weight in list(graph.initializer):
        if weight.data_type != TensorProto.FLOAT or int(np.prod(weight.dims)) < _LARGE:
            continue
        value: NDArray[np.float32] = numpy_helper.to_array(weight)
        largest = np.abs(value).max(axis=tuple(range(1, value.ndim)), keepdims=True)
        scale = np.where(largest > 0, largest / 32767, 1).astype(np.float32)
        graph.initializer.remove(weight)
        kept, scaling, whole_numbers = (f"{kind}_of_{next(number)}" for kind in ("weight", "scale", "numbers"))
        graph.initializer.append(numpy_helper.from_array(np.round(value / scale).astype(np.int16), kept))
        graph.initializer.append(numpy_helper.from_array(scale, scaling))
        nodes.append(helper.make_node("Cast", [kept], [whole_numbers], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", [whole_numbers, scaling], [weight.name]))
    after: list[Any] = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *after])
    return model


def _without_traces(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model without the notes on which line of torch each node comes from."""
    del model.graph.value_info[:]
    for part in (model, model.graph, *model.graph.node):
        del part.metadata_props[:]
    for node in model.graph.node:
        node.doc_string = ""
    return model
