"""Runs an ONNX graph with qonnx, many rows at once."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from bitsmith.models.ir import ToolError
from bitsmith.models.lower.onnx.graph import (
    DOMAIN,
    QUANTIZERS,
    Array,
    Graph,
    Node,
    channel_axis,
)
from bitsmith.models.lower.onnx.io import import_onnx, import_qonnx
from bitsmith.models.lower.onnx.run import for_batch, resized_places, runner

BATCH_VALUES = 1 << 24
CANCELLED = 2.0**-40
"""A float64 sum this much smaller than its like is the noise of terms that cancel: steps are far larger."""


class Execution:
    """The graph up to the value ``output``, executed by ``qonnx.core.onnx_exec`` on batches of rows."""

    def __init__(self, graph: Graph, constants: Mapping[str, Array], output: str) -> None:
        """``constants`` are the values that were folded; their nodes are left out."""
        self.graph, self.output = graph, output
        self.constants = {**constants, **graph.constants}
        self.nodes = [n for n in graph.nodes if not all(o in constants for o in n.outputs) or n.op in QUANTIZERS]
        self._models: dict[int, Any] = {}

    def __call__(self, x: Array) -> Array:
        """Output (n, ...) in float64 for real inputs (n, *shape) in ONNX's layout, computed in float32."""
        rows = _rows(x)
        outs = [self._run(x[i : i + rows].astype(np.float32)) for i in range(0, len(x), rows)]
        return np.concatenate(outs).astype(np.float64)

    def _run(self, x: Array) -> Array:
        execute = import_qonnx("core.onnx_exec").execute_onnx
        if len(x) not in self._models:
            self._models[len(x)] = self._model(len(x))
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            done = execute(self._models[len(x)], {self.graph.input: x})
        return np.asarray(done[self.output])

    def _model(self, rows: int) -> Any:
        """The graph for a batch of ``rows``: a shape that begins with a batch of one takes the batch as it comes."""
        onnx = import_onnx()
        helper, as_tensor = onnx.helper, onnx.numpy_helper.from_array
        constants = dict(self.constants)
        protos = []
        for node in self.nodes:
            proto = onnx.NodeProto()
            proto.CopyFrom(node.proto)
            proto.name = node.name
            if node.op in QUANTIZERS:
                proto.domain = DOMAIN
            for i, shape in enumerate(for_batch(self.graph, node.op, [constants.get(k) for k in proto.input], rows)):
                if shape is not constants.get(proto.input[i]):
                    assert shape is not None
                    constants[f"{node.name}_batched"], proto.input[i] = shape, f"{node.name}_batched"
            protos.append(proto)
        used = {i for p in protos for i in p.input}
        given = helper.make_tensor_value_info(self.graph.input, 1, [rows, *self.graph.input_shape])
        model = helper.make_model(
            helper.make_graph(
                _needed(protos, self.output),
                "source",
                [given],
                [helper.make_tensor_value_info(self.output, self._output_type(), None)],
                [as_tensor(np.asarray(v, order="C"), k) for k, v in constants.items() if k in used],
            ),
            opset_imports=self._opsets(),
            ir_version=8,
        )
        wrapper = import_qonnx("core.modelwrapper").ModelWrapper(model)
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            wrapper = wrapper.transform(import_qonnx("transformation.infer_shapes").InferShapes())
        shape = wrapper.get_tensor_shape(self.output)
        if not shape or shape[0] != rows:
            raise ToolError(f"qonnx finds the shape {shape} for the output of a batch of {rows} rows")
        return wrapper

    def _output_type(self) -> int:
        """Float, or int64 behind a node that names a class."""
        makers = {o: n for n in self.nodes for o in n.outputs}
        node = makers[self.output]
        while node.op in ("Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze") and node.inputs[0] in makers:
            node = makers[node.inputs[0]]
        return 7 if node.op in ("ArgMax", "TopK") else 1

    def _opsets(self) -> list[Any]:
        """ONNX's own opset; of QONNX's the version that tells the two forms of Trunc apart by their inputs."""
        helper = import_onnx().helper
        trunc = max((len(n.inputs) for n in self.nodes if n.op == "Trunc"), default=0)
        own = [helper.make_opsetid(DOMAIN, 2 if trunc == 6 else 1)]
        return [helper.make_opsetid("", self.graph.opset), *own]


class DoubleExecution:
    """The same graph with its sums in float64, to tell a wrong net from float32 sums that were rounded the other way.

    The nodes called ``single`` are computed in float32 all the same: what they read
    has no noise.
    """

    def __init__(self, graph: Graph, constants: Mapping[str, Array], output: str, single: frozenset[str]) -> None:
        self.graph, self.output, self.single = graph, output, single
        shapes = {k: v for k, v in constants.items() if v.dtype.kind in "iub"}
        self.constants = {**graph.constants, **shapes}
        self.nodes = [n for n in graph.nodes if not all(o in shapes for o in n.outputs)]

    def __call__(self, x: Array) -> Array:
        """Output (n, ...) for real inputs (n, *shape) in ONNX's layout."""
        return np.concatenate([self._run(x[i : i + _rows(x)]) for i in range(0, len(x), _rows(x))])

    def _run(self, x: Array) -> Array:
        values = {k: v.astype(np.float64) if v.dtype == np.float32 else v for k, v in self.constants.items()}
        values[self.graph.input] = x.astype(np.float64)
        for node in self.nodes:
            args = [values[i] if i else None for i in node.inputs]
            args = for_batch(self.graph, node.op, args, len(x))
            values[node.outputs[-1 if node.op == "TopK" else 0]] = self._one(node, args)
            if self.output in values:
                break
        return np.asarray(values[self.output], np.float64)

    def _one(self, node: Node, args: list[Array | None]) -> Array:
        if node.name not in self.single:
            return self._double(node, args)
        y = self._double(node, [a if a is None or a.dtype != np.float64 else a.astype(np.float32) for a in args])
        if node.op not in QUANTIZERS or node.op == "MultiThreshold":
            return y.astype(np.float64)
        step = args[4 if node.op == "Trunc" and len(args) == 6 else 1]
        assert step is not None
        return np.rint(y / step) * step  # the multiple itself, not its float32 rounding

    def _double(self, node: Node, args: list[Array | None]) -> Array:
        if node.op == "MultiThreshold":
            return self._thresholds(node, args)
        if node.op in ("Resize", "Upsample"):
            x = np.asarray(args[0])
            places = resized_places(self.graph, node, x.shape[2:], args[1:])
            return x.reshape(*x.shape[:2], -1)[..., places]
        y = runner(self.graph, node, -1 if node.op == "TopK" else 0)(*args)
        if node.op in ("Conv", "MatMul", "Gemm", "Add", "Sub", "Sum"):  # terms that cancel: zero, not 1e-17
            y = np.where(np.abs(y) < CANCELLED * np.abs(y).max(initial=0.0), 0.0, y)
        return y

    def _thresholds(self, node: Node, args: list[Array | None]) -> Array:
        x, thresholds = args
        assert x is not None and thresholds is not None
        axis = channel_axis(node, x.ndim)
        moved = np.moveaxis(x, axis, -1)
        flat = runner(self.graph, node)(moved.reshape(-1, moved.shape[-1]), thresholds)
        return np.moveaxis(flat.reshape(moved.shape), -1, axis)


def _rows(x: Array) -> int:
    """How many rows of ``x`` to take at once: values inside of a net may be many times its input's."""
    most: int = BATCH_VALUES // max(1, x[0].size * 64)
    return max(1, min(len(x), most))


def _needed(protos: list[Any], output: str) -> list[Any]:
    """The nodes that ``output`` depends on."""
    needed, kept = {output}, []
    for proto in reversed(protos):
        if any(o in needed for o in proto.output):
            needed.update(proto.input)
            kept.append(proto)
    return kept[::-1]
