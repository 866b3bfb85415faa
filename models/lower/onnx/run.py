"""Single ONNX nodes, computed by onnxruntime and qonnx: what they mean is what these do."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bitsmith.models.ir import InputError, ToolError
from bitsmith.models.lower.functions import Refusal
from bitsmith.models.lower.onnx.graph import QUANTIZERS, Array, Graph, Node, text
from bitsmith.models.lower.onnx.io import INSTALL, MOST_ELEMENTS, import_onnx, import_qonnx

Run = Callable[..., Array]
INFLATING = {"ConstantOfShape": 0, "Expand": 1, "Tile": 1, "Range": 1}
"""Ops whose result may be far larger than what they read, and the input that says how large."""

SHAPE_INPUTS = {"Reshape": 1, "Resize": 3}
"""Inputs that name a whole shape, the batch included."""


def import_runtime() -> Any:
    """onnxruntime; ToolError with the line that installs it."""
    try:
        return importlib.import_module("onnxruntime")
    except ImportError as error:
        raise ToolError(f"onnxruntime is not installed ({error}); {INSTALL}") from error


def runner(graph: Graph, node: Node, output: int = 0) -> Run:
    """A function that computes one output of ``node`` from all of its inputs (None where one is left out).

    It computes in the precision of its inputs: float32, or float64 if they are; what
    onnxruntime has in float32 only, ONNX's reference implementation computes then.
    """
    if node.op in QUANTIZERS:
        return lambda *args: _quantize(graph, node, args)
    sessions: dict[tuple[str, ...], Any] = {}

    def run(*args: Array | None) -> Array:
        kinds = tuple("" if a is None else str(a.dtype) for a in args)
        if kinds not in sessions:
            sessions[kinds] = _session(graph, node, args)
        feeds = {f"x{i}": np.asarray(a, order="C") for i, a in enumerate(args) if a is not None}
        return np.asarray(sessions[kinds].run(None, feeds)[output])

    return run


def _session(graph: Graph, node: Node, args: Sequence[Array | None]) -> Any:
    onnx, ort = import_onnx(), import_runtime()
    proto = copy.deepcopy(node.proto)
    proto.domain = ""
    del proto.input[:]
    proto.input.extend("" if a is None else f"x{i}" for i, a in enumerate(args))
    inputs = [
        onnx.helper.make_tensor_value_info(f"x{i}", onnx.helper.np_dtype_to_tensor_dtype(a.dtype), None)
        for i, a in enumerate(args)
        if a is not None
    ]
    outputs = [onnx.ValueInfoProto(name=o) for o in proto.output]  # their types follow from the inputs
    model = onnx.helper.make_model(
        onnx.helper.make_graph([proto], "node", inputs, outputs),
        opset_imports=[onnx.helper.make_opsetid("", graph.opset)],
        ir_version=8,
    )
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    try:
        return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has its own types
        if any(a is not None and a.dtype == np.float64 for a in args):
            return importlib.import_module("onnx.reference").ReferenceEvaluator(model)
        reason = " ".join(str(error).split())[:200]
        raise Refusal(f"onnxruntime does not take it ({reason})", "export the model with another opset") from error


def fold(graph: Graph, node: Node, args: Sequence[Array | None]) -> list[Array]:
    """All outputs of a node whose inputs are constants."""
    if node.op in INFLATING:
        _check_inflation(node, args)
    if len(node.outputs) > 1:
        raise Refusal("computes several constants at once", "fold the constants before export")
    return [runner(graph, node)(*args)]


def _check_inflation(node: Node, args: Sequence[Array | None]) -> None:
    given = [np.asarray(0) if a is None else np.abs(a.astype(np.float64)) for a in args]
    claimed = float(np.prod(given[INFLATING[node.op]])) * (given[0].size if node.op == "Tile" else 1)
    if claimed > MOST_ELEMENTS:
        raise InputError(f"node {node.name} ({node.op}) makes a tensor of {claimed:,.0f} elements; the file is damaged")


def _quantize(graph: Graph, node: Node, args: Sequence[Array | None]) -> Array:
    """QONNX's own functions, in the precision of the first input."""
    x, *given = (np.asarray(a) for a in args if a is not None)
    parameters = [p.astype(x.dtype) for p in given]
    general = "custom_op.general"
    if node.op == "BipolarQuant":
        return np.asarray(import_qonnx(f"{general}.bipolar_quant").binary_quant(x, *parameters))
    mode = text(node.attributes.get("rounding_mode", "FLOOR" if node.op == "Trunc" else "ROUND"))
    if node.op == "Trunc":
        trunc = import_qonnx(f"{general}.trunc")
        if len(parameters) == 4:
            return np.asarray(trunc.trunc_v1(x, *parameters, mode))
        narrow, signed = bool(node.attributes.get("narrow", 0)), bool(node.attributes.get("signed", 1))
        scale, zero, bits, out_scale, out_bits = parameters
        return np.asarray(trunc.trunc_v2(x, scale, zero, bits, narrow, signed, out_scale, out_bits, mode))
    if node.op == "MultiThreshold":
        return _multithreshold(node, x, parameters[0])
    scale, zero, bits = parameters
    if not {"signed", "narrow"} <= node.attributes.keys():
        raise Refusal("does not say whether it is signed and narrow", "set both attributes, or export it anew")
    signed, narrow = bool(node.attributes["signed"]), bool(node.attributes["narrow"])
    return np.asarray(import_qonnx(f"{general}.quant").quant(x, scale, zero, bits, signed, narrow, mode))


def _multithreshold(node: Node, x: Array, thresholds: Array) -> Array:
    """On (n, channels): rows of thresholds are channels."""
    scale, bias = (float(node.attributes.get(k, d)) for k, d in (("out_scale", 1.0), ("out_bias", 0.0)))
    counts = np.stack([np.searchsorted(row, x[:, c], side="right") for c, row in _rows(thresholds, x.shape[1])], axis=1)
    return (scale * counts.astype(x.dtype) + bias).astype(x.dtype)


def _rows(thresholds: Array, channels: int) -> list[tuple[int, Array]]:
    return [(c, np.sort(thresholds[c if len(thresholds) > 1 else 0])) for c in range(channels)]


def for_batch(graph: Graph, op: str, args: Sequence[Array | None], rows: int) -> list[Array | None]:
    """The inputs of a Reshape or Resize, whose whole shape names the file's own batch, for ``rows``; others as is."""
    given, at = list(args), SHAPE_INPUTS.get(op, 0)
    shape = given[at] if 0 < at < len(given) else None
    if shape is not None and shape.size and shape[0] in (1, graph.batch):
        given[at] = np.concatenate([[rows], shape[1:]]).astype(np.int64)
    return given


def resized_places(graph: Graph, node: Node, size: tuple[int, ...], others: Sequence[Array | None]) -> Array:
    """Which place of a plane of ``size`` a Resize or Upsample puts where; ``others`` are the node's other inputs."""
    plane = np.arange(np.prod(size), dtype=np.float32).reshape(1, 1, *size)
    given = [o if o is None or o.size else None for o in others]
    if len(given) == 3 and given[2] is not None and len(given[2]) == plane.ndim:  # sizes, batch and channels among them
        given[2] = np.concatenate([[1, 1], given[2][2:]]).astype(np.int64)
    held = [g.astype(np.float32) if g is not None and g.dtype == np.float64 else g for g in given]
    return np.asarray(runner(graph, node)(plane, *held)[0, 0], np.int64)


def applied(run: Run, constants: Sequence[Array | None], at: int, dtype: npt.DTypeLike) -> Callable[[Array], Array]:
    """``run`` as a function of its input number ``at`` alone, in ``dtype``; the others are ``constants``."""
    held = [c.astype(dtype) if c is not None and np.issubdtype(c.dtype, np.floating) else c for c in constants]

    def apply(x: Array) -> Array:
        args = [*held[:at], x.astype(dtype), *held[at:]]
        return run(*args).astype(np.float64)

    return apply
