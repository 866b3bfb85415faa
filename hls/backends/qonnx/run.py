"""Runs a written QONNX file with qonnx's own execution, many rows at a time."""

from __future__ import annotations

import importlib.metadata
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bitsmith.hls.backends.onnx_graph import INSTALL
from bitsmith.hls.backends.qonnx.encoder import channels_first
from bitsmith.models.ir.errors import ToolError
from bitsmith.models.ir.ops import Input, Op, QNet, Thresholds
from bitsmith.models.ir.types import IntArray, Rounding

BATCH_VALUES = 1 << 24
"""Rows are taken in batches whose largest tensor has about this many values."""


def version() -> str:
    """Version of the installed qonnx; ToolError if there is none."""
    try:
        return importlib.metadata.version("qonnx")
    except importlib.metadata.PackageNotFoundError as error:
        raise ToolError(f"qonnx is not installed: {INSTALL}") from error


def real_inputs(op: Input, x: IntArray) -> npt.NDArray[np.float32]:
    """Real data that the graph's input quantizer turns into the integers ``x``, as surely as float32 can.

    Where the quantizer cuts, that is the middle of a step, unless the scale is a power of two.
    """
    middle = 0.5 if op.rounding is Rounding.FLOOR and not op.type.is_power_of_two else 0.0
    real: npt.NDArray[np.float32] = ((x + middle) * np.asarray(op.type.scale)).astype(np.float32)
    return real


def run_file(path: Path, net: QNet, x: IntArray, taps: bool) -> tuple[IntArray, dict[str, IntArray]]:
    """The output integers and, with ``taps``, all inner values by op, for the input integers ``x``.

    ToolError if qonnx is missing, cannot run the file, or computes something that is no integer.
    """
    import onnx

    version()
    try:
        model = onnx.load(path)
    except Exception as error:  # the file may be anything
        raise ToolError(f"{path} cannot be read as ONNX ({_line(error)}); emit the project anew") from error
    # The annotated types make qonnx look at every value for a second time, slowly; without them it computes the same.
    del model.graph.quantization_annotation[:]
    wanted = net.ops if taps else (net.output,)
    rows = max(1, BATCH_VALUES // max(_footprint(op) for op in net.ops))
    first = channels_first(net)
    parts: list[dict[str, IntArray]] = []
    for start in range(0, len(x), rows):
        feed = real_inputs(net.input, x[start : start + rows])
        values = _run_batch(model, feed)
        parts.append({op.name: _integers(op, values, first) for op in wanted})
    found = {
        op.name: np.concatenate([p[op.name] for p in parts]) if parts else np.empty((0, *op.shape), np.int64)
        for op in wanted
    }
    return found[net.output.name], found if taps else {}


def _footprint(op: Op) -> int:
    """Values per row of the largest thing that executing ``op`` makes."""
    return math.prod(op.shape) * (op.thresholds.shape[1] if isinstance(op, Thresholds) else 1)


def _run_batch(model: Any, feed: npt.NDArray[np.float32]) -> dict[str, Any]:
    """Every tensor of the graph by name."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx

    _set_batch(model.graph, len(feed))
    try:
        values: dict[str, Any] = execute_onnx(
            ModelWrapper(model), {model.graph.input[0].name: feed}, return_full_exec_context=True
        )
    except Exception as error:  # qonnx raises plain Exceptions, onnxruntime its own
        raise ToolError(f"qonnx cannot run the graph: {_line(error)}") from error
    return values


def _set_batch(graph: Any, rows: int) -> None:
    """Let everything that depends on the graph's input have ``rows`` rows."""
    batched = {graph.input[0].name}
    for node in graph.node:
        if batched.intersection(node.input):
            batched.update(node.output)
    for info in (*graph.input, *graph.output, *graph.value_info):
        if info.name in batched:
            info.type.tensor_type.shape.dim[0].dim_value = rows


def _integers(op: Op, values: dict[str, Any], first: bool) -> IntArray:
    """The value of ``op``, channels last."""
    found = values.get(op.name)
    if found is None:
        raise ToolError(f"the graph has no tensor {op.name}; emit the project anew")
    integers = np.rint(found)
    if (integers != found).any():
        raise ToolError(f"qonnx computed values of {op.name} that are no integers")
    last: IntArray = (np.moveaxis(integers, 1, -1) if first else integers).astype(np.int64)
    return last


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1][:300]
