"""The units as an ONNX graph in FINN's dialect: float tensors that carry integers, number types on every one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bitsmith.hls.backends.finn.units import (
    Affine,
    Enlarge,
    Join,
    Pair,
    Pooling,
    Product,
    Reform,
    Sides,
    Source,
    Steps,
    Sum,
    Unit,
    Window,
    Winner,
)
from bitsmith.hls.backends.onnx_graph import QONNX_DOMAIN, GraphWriter
from bitsmith.models.ir.types import IntArray, QuantType

SPARSITY_KEY = "tensor_sparsity"
"""Annotation key under which qonnx keeps what it knows of a weight's zeros."""
LAYOUT_KEY = "tensor_layout"
"""Annotation key under which qonnx keeps the meaning of a tensor's axes."""
INT64 = 7
"""ONNX's number of that element type."""


def finn_type(lo: int, hi: int) -> str:
    """The narrowest of FINN's integer types that holds ``lo`` to ``hi``."""
    kind = QuantType.for_range(lo, hi)
    if kind.signed:
        return f"INT{max(kind.bits, 2)}"
    return "BINARY" if kind.bits == 1 else f"UINT{kind.bits}"


def write_graph(name: str, units: tuple[Unit, ...], path: Path) -> None:
    """Write the graph of ``units`` to ``path``: the first is its input, the last its output.

    ToolError if onnx is missing.
    """
    writer = _FinnWriter(GraphWriter(name))
    for unit in units:
        writer.add(unit)
    last = units[-1]
    writer.graph.output(last.name, last.shape)
    model = writer.graph.model()
    if isinstance(last, Winner):  # the one output that ONNX wants to be no float
        model.graph.output[0].type.tensor_type.elem_type = INT64
    for note in model.graph.quantization_annotation:
        name = note.tensor_name
        if name in writer.depthwise:
            words = {"dw": {"kernel_shape": list(writer.depthwise[name])}}
            note.quant_parameter_tensor_names.add(key=SPARSITY_KEY, value=str(words))
        if name == units[0].name:  # the other tensors follow from it
            layout = ["N", "C"] if len(units[0].shape) == 2 else ["N", "H", "W", "C"]
            note.quant_parameter_tensor_names.add(key=LAYOUT_KEY, value=str(layout))
    path.write_bytes(model.SerializeToString(deterministic=True))


def _window_attributes(
    source: tuple[int, ...], kernel: Pair, strides: Pair, pads: Sides, dilations: Pair, depthwise: bool
) -> dict[str, Any]:
    """Attributes of qonnx's Im2Col on a tensor of shape ``source``."""
    return {
        "kernel_size": kernel,
        "stride": strides,
        "pad_amount": pads,
        "dilations": dilations,
        "depthwise": int(depthwise),
        "input_shape": "({},{},{},{})".format(*source),
    }


class _FinnWriter:
    def __init__(self, graph: GraphWriter) -> None:
        self.graph = graph
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.types: dict[str, str] = {}
        self.depthwise: dict[str, Pair] = {}  # weight -> kernel
        self.methods: dict[type[Unit], Callable[..., None]] = {
            Source: self._source,
            Window: self._window,
            Product: self._product,
            Steps: self._steps,
            Affine: self._affine,
            Sum: self._sum,
            Join: self._join,
            Pooling: self._pooling,
            Reform: self._reform,
            Enlarge: self._enlarge,
            Winner: self._winner,
        }

    def add(self, unit: Unit) -> None:
        self.methods[type(unit)](unit)
        self.shapes[unit.name], self.types[unit.name] = unit.shape, finn_type(unit.lo, unit.hi)
        self.graph.annotate(unit.name, self.types[unit.name])

    def integers(self, name: str, values: IntArray) -> str:
        """A constant with its number type."""
        self.graph.constant(name, values)
        self.graph.annotate(name, finn_type(int(values.min()), int(values.max())))
        return name

    def node(self, kind: str, unit: Unit, extra: tuple[str, ...] = (), own: bool = False, **attributes: Any) -> None:
        """One node that computes ``unit``; ``own`` says that it is of qonnx's domain."""
        domain = QONNX_DOMAIN if own else ""
        self.graph.node(kind, (*unit.inputs, *extra), unit.name, unit.shape, domain, **attributes)

    def _source(self, unit: Source) -> None:
        self.graph.input(unit.name, unit.shape)

    def _window(self, unit: Window) -> None:
        source = self.shapes[unit.inputs[0]]
        attributes = _window_attributes(source, unit.kernel, unit.strides, unit.pads, unit.dilations, unit.depthwise)
        self.node("Im2Col", unit, own=True, **attributes)

    def _product(self, unit: Product) -> None:
        weight = self.integers(f"{unit.name}.weight", unit.weight)
        self.node("MatMul", unit, (weight,))
        if unit.kernel:  # this is how FINN knows a depthwise convolution
            self.depthwise[weight] = unit.kernel

    def _steps(self, unit: Steps) -> None:
        levels = self.integers(f"{unit.name}.thresholds", unit.thresholds)
        attributes = {
            "out_dtype": finn_type(unit.lo, unit.hi),
            "out_scale": 1.0,
            "out_bias": float(unit.base),
            "data_layout": "NHWC" if len(unit.shape) == 4 else "NC",
        }
        self.node("MultiThreshold", unit, (levels,), own=True, **attributes)

    def _affine(self, unit: Affine) -> None:
        self.node(unit.function, unit, (self.integers(f"{unit.name}.constant", unit.constant),))

    def _sum(self, unit: Sum) -> None:
        self.node("Add", unit)

    def _join(self, unit: Join) -> None:
        self.node("Concat", unit, axis=len(unit.shape) - 1)

    def _pooling(self, unit: Pooling) -> None:
        if unit.mode == "max":
            self.node("MaxPoolNHWC", unit, own=True, kernel_shape=unit.kernel, strides=unit.strides, pads=unit.pads)
            return
        # windows, their taps on an axis of their own, and the sum over it: FINN makes one pooling layer of it
        source, (*front, channels), taps = self.shapes[unit.inputs[0]], unit.shape, unit.kernel[0] * unit.kernel[1]
        windows, spread = f"{unit.name}.windows", f"{unit.name}.taps"
        attributes = _window_attributes(source, unit.kernel, unit.strides, unit.pads, (1, 1), True)
        self.graph.node("Im2Col", unit.inputs, windows, (*front, taps * channels), QONNX_DOMAIN, **attributes)
        shape = self.graph.constant(f"{unit.name}.shape", np.asarray([*front, taps, channels]), np.int64)
        self.graph.node("Reshape", (windows, shape), spread, (*front, taps, channels))
        axis = self.graph.constant(f"{unit.name}.axis", np.asarray([3]), np.int64)
        self.graph.node("ReduceSum", (spread, axis), unit.name, unit.shape, keepdims=0)
        for tensor in (windows, spread):
            self.graph.annotate(tensor, self.types[unit.inputs[0]])

    def _reform(self, unit: Reform) -> None:
        shape = self.graph.constant(f"{unit.name}.shape", np.asarray(unit.shape), np.int64)
        self.node("Reshape", unit, (shape,))

    def _enlarge(self, unit: Enlarge) -> None:
        factors = self.graph.constant(f"{unit.name}.factors", [1, *unit.factors, 1])
        region = self.graph.constant(f"{unit.name}.region", np.empty(0))
        modes: dict[str, Any] = {
            "mode": "nearest",
            "coordinate_transformation_mode": "asymmetric",
            "nearest_mode": "floor",
        }
        self.node("Resize", unit, (region, factors), **modes)

    def _winner(self, unit: Winner) -> None:
        count = self.graph.constant(f"{unit.name}.count", [1], np.int64)
        outputs = (f"{unit.name}.value", unit.name)
        self.graph.value(outputs[0], unit.shape)
        self.graph.node("TopK", (*unit.inputs, count), outputs, unit.shape, dtype=np.int64, axis=-1)
