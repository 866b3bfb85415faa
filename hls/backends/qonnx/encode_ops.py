"""How each op of a QNet is written as ONNX and QONNX nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bitsmith.hls.backends.onnx_graph import QONNX_DOMAIN
from bitsmith.hls.backends.qonnx.encoder import Encoder, datatype
from bitsmith.models.ir.intervals import Interval
from bitsmith.models.ir.ops import (
    Add,
    ArgMax,
    Concat,
    Conv,
    Dense,
    Input,
    Lut,
    Op,
    Pad,
    Pads,
    Pool,
    Requant,
    Reshape,
    Thresholds,
    Upsample,
)
from bitsmith.models.ir.types import QuantType


def flat_pads(pads: Pads) -> list[int]:
    """ONNX's order: all before, then all after."""
    return [before for before, _ in pads] + [after for _, after in pads]


def _parameters(e: Encoder, op: Dense | Conv, weight: np.ndarray) -> tuple[str, str | None]:
    """Weight and bias through Quant nodes that state their widths; no bias where all are zero."""
    w = e.parameter(f"{op.name}.weight", weight, op.weight_type)
    return w, e.parameter(f"{op.name}.bias", op.bias) if op.bias.any() else None


def _input(e: Encoder, op: Input) -> None:
    e.start(op)


def _dense(e: Encoder, op: Dense) -> None:
    w, b = _parameters(e, op, op.weight)
    name, x, swapped = op.name, op.inputs[0], e.swapped(op.shape)
    if swapped:
        x = e.transpose(x, f"{name}.last", e.net[x].shape, last=True)
        e.writer.annotate(x, datatype(e.net[op.inputs[0]].type))
    steps = [("MatMul", w, "product"), *([("Add", b, "sum")] if b is not None else [])]
    for n, (op_type, parameter, what) in enumerate(steps, 1):
        out = name if n == len(steps) and not swapped else f"{name}.{what}"
        x = e.writer.node(op_type, [x, parameter], out, (1, *op.shape))
        span = e.spans[name]
        e.integers(x, span if n == len(steps) else Interval(span.lo - op.bias, span.hi - op.bias))
    if swapped:
        e.transpose(x, name, op.shape, last=False)


def _conv(e: Encoder, op: Conv) -> None:
    w, b = _parameters(e, op, np.moveaxis(op.weight, (-1, -2), (0, 1)))
    inputs = [op.inputs[0], w] + ([b] if b is not None else [])
    e.writer.node(
        "Conv",
        inputs,
        op.name,
        e.shape(op.shape),
        kernel_shape=list(op.kernel),
        strides=list(op.strides),
        pads=flat_pads(op.pads),
        dilations=list(op.dilations),
        group=op.groups,
    )


def _pool(e: Encoder, op: Pool) -> None:
    window: dict[str, Any] = {"kernel_shape": list(op.window), "strides": list(op.strides), "pads": flat_pads(op.pads)}
    if op.mode == "max":
        e.writer.node("MaxPool", [op.inputs[0]], op.name, e.shape(op.shape), **window)
        return
    channels = op.shape[-1]  # a sum is a convolution with ones: an average would round
    ones = e.writer.constant(f"{op.name}.ones", np.ones((channels, 1, *op.window)))
    e.writer.annotate(ones, "BINARY")
    dilations = [1] * len(op.window)
    shape = e.shape(op.shape)
    e.writer.node("Conv", [op.inputs[0], ones], op.name, shape, **window, dilations=dilations, group=channels)


def _requant(e: Encoder, op: Requant) -> None:
    x, name, span = op.inputs[0], op.name, e.spans[op.inputs[0]]
    if op.mult.ndim or op.mult != 1:
        x = e.with_integers("Mul", x, op.mult, f"{name}.scaled", op.shape)
        span = _ordered(span.lo * op.mult, span.hi * op.mult)
        e.integers(x, span)
    if op.add.ndim or op.add != 0:
        x = e.with_integers("Add", x, op.add, f"{name}.moved", op.shape)
        span = _ordered(span.lo + op.add, span.hi + op.add)
        e.integers(x, span)
    if op.shift:
        x = e.halve(x, op.shift, f"{name}.shifted", op.shape)
    e.fit(x, op, op.lo, op.hi, op.rounding, op.overflow)


def _ordered(a: np.ndarray, b: np.ndarray) -> Interval:
    return Interval(np.minimum(a, b), np.maximum(a, b))


def _thresholds(e: Encoder, op: Thresholds) -> None:
    rows = e.writer.constant(f"{op.name}.thresholds", op.thresholds)
    shape = e.shape(op.shape)
    places = ("D" * len(op.shape) + "HW")[-len(op.shape) + 1 :] if len(op.shape) > 1 else ""
    layout = f"NC{places}" if e.first else f"N{places}C"
    if op.base.shape == op.step.shape == (1,):
        affine: dict[str, Any] = {
            "out_scale": float(op.step[0]),
            "out_bias": float(op.base[0]),
            "out_dtype": datatype(op.type),
        }
        e.writer.node(
            "MultiThreshold", [op.inputs[0], rows], op.name, shape, QONNX_DOMAIN, data_layout=layout, **affine
        )
        return
    count = QuantType.for_range(0, op.thresholds.shape[1])
    e.writer.node(
        "MultiThreshold",
        [op.inputs[0], rows],
        f"{op.name}.count",
        shape,
        QONNX_DOMAIN,
        data_layout=layout,
        out_scale=1.0,
        out_bias=0.0,
        out_dtype=datatype(count),
    )
    e.writer.annotate(f"{op.name}.count", datatype(count))
    x = e.with_integers("Mul", f"{op.name}.count", op.step, f"{op.name}.stepped", op.shape)
    e.with_integers("Add", x, op.base, op.name, op.shape)


def _lut(e: Encoder, op: Lut) -> None:
    x, shape = op.inputs[0], e.shape(op.shape)
    if op.offset:
        x = e.with_integers("Sub", x, op.offset, f"{op.name}.entry", op.shape)
    index = e.writer.node("Cast", [x], f"{op.name}.index", shape, dtype=np.int64, to=e.writer.element(np.int64))
    table = e.writer.constant(f"{op.name}.table", op.table)
    e.writer.node("Gather", [table, index], op.name, shape, axis=0)


def _add(e: Encoder, op: Add) -> None:
    alone = len(op.inputs) == 1
    terms, spans = [], []
    for n, (x, factor) in enumerate(zip(op.inputs, op.factors, strict=True)):
        span = e.spans[x]
        if alone or factor != 1:
            span = _ordered(span.lo * factor, span.hi * factor)
            x = e.with_integers("Mul", x, factor, op.name if alone else f"{op.name}.term{n}", op.shape)
            e.integers(x, span)
        terms.append(x)
        spans.append(span)
    total, span = terms[0], spans[0]
    for n, (term, more) in enumerate(zip(terms[1:], spans[1:], strict=True), 1):
        out = op.name if n + 1 == len(terms) else f"{op.name}.sum{n}"
        total = e.writer.node("Add", [total, term], out, e.shape(op.shape))
        span = Interval(span.lo + more.lo, span.hi + more.hi)
        e.integers(total, span)


def _concat(e: Encoder, op: Concat) -> None:
    axis = e.axis(op.shape)
    joined = op.inputs[0]  # two at a time: hls4ml joins no more at once
    for n, other in enumerate(op.inputs[1:], 1):
        out = op.name if n + 1 == len(op.inputs) else f"{op.name}.joined{n}"
        channels = sum(e.net[i].shape[-1] for i in op.inputs[: n + 1])
        joined = e.writer.node("Concat", [joined, other], out, e.shape((*op.shape[:-1], channels)), axis=axis)
        e.writer.annotate(joined, datatype(op.type))
    if len(op.inputs) == 1:
        e.writer.node("Concat", op.inputs, op.name, e.shape(op.shape), axis=axis)


def _reshape(e: Encoder, op: Reshape) -> None:
    x, before = op.inputs[0], e.net[op.inputs[0]].shape
    if e.swapped(before):
        x = e.transpose(x, f"{op.name}.last", before, last=True)
        e.writer.annotate(x, datatype(op.type))
    if len(op.shape) == 1:
        e.writer.node("Flatten", [x], op.name, (1, *op.shape), axis=1)
        return
    wanted = e.writer.constant(f"{op.name}.shape", np.asarray([0, *op.shape]), np.int64)  # 0: the batch as it is
    if not e.swapped(op.shape):
        e.writer.node("Reshape", [x, wanted], op.name, (1, *op.shape))
        return
    x = e.writer.node("Reshape", [x, wanted], f"{op.name}.cut", (1, *op.shape))
    e.writer.annotate(x, datatype(op.type))
    e.transpose(x, op.name, op.shape, last=False)


def _pad(e: Encoder, op: Pad) -> None:
    pads = e.writer.constant(f"{op.name}.pads", flat_pads(((0, 0), (0, 0), *op.pads)), np.int64)
    e.writer.node("Pad", [op.inputs[0], pads], op.name, e.shape(op.shape), mode="constant")


def _upsample(e: Encoder, op: Upsample) -> None:
    region = e.writer.constant(f"{op.name}.region", np.zeros(0))
    factors = e.writer.constant(f"{op.name}.factors", np.asarray([1, 1, *op.factors]))
    how: dict[str, Any] = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    e.writer.node("Resize", [op.inputs[0], region, factors], op.name, e.shape(op.shape), **how)


def _argmax(e: Encoder, op: ArgMax) -> None:
    shape = e.shape(op.shape)
    one = e.writer.constant(f"{op.name}.one", [1], np.int64)
    outputs = [f"{op.name}.largest", f"{op.name}.index"]  # the first of equals, as ONNX defines TopK
    e.writer.value(outputs[0], shape)
    how: dict[str, Any] = {"axis": e.axis(op.shape), "largest": 1, "sorted": 1}
    index = e.writer.node("TopK", [op.inputs[0], one], outputs, shape, dtype=np.int64, **how)
    e.writer.node("Cast", [index], op.name, shape, to=e.writer.element(np.float32))


WRITERS: dict[type[Op], Callable[[Encoder, Any], None]] = {
    Input: _input,
    Dense: _dense,
    Conv: _conv,
    Pool: _pool,
    Requant: _requant,
    Thresholds: _thresholds,
    Lut: _lut,
    Add: _add,
    Concat: _concat,
    Reshape: _reshape,
    Pad: _pad,
    Upsample: _upsample,
    ArgMax: _argmax,
}
