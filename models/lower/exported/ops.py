"""The inverse of each op's nodes: which nodes, with which constants, are which op of a QNet.

A pattern is read from the op's value backwards.  Whatever is not exactly as the export
writes it raises :class:`Foreign`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bitsmith.models.ir.ops import Add, ArgMax, Concat, Lut, Op, Pad, Requant, Reshape, Thresholds, Upsample
from bitsmith.models.ir.types import IntArray
from bitsmith.models.lower.exported.fit import read_fit
from bitsmith.models.lower.exported.layers import (
    Context,
    rank_of,
    read_conv,
    read_dense,
    read_max_pool,
    read_pads,
    to_first,
    to_last,
    transposed,
)
from bitsmith.models.lower.exported.reader import Foreign, Group, require

FLOAT, INT64 = 1, 7
"""Element types of ONNX."""


def _channels(c: Context, values: IntArray, rank: int) -> IntArray:
    """Integers () or (channels,) that were written for a value of ``rank`` axes."""
    require(values.ndim == 0 or values.shape[1:] == (1,) * (rank - 1 if c.first else 0))
    return values.reshape(values.shape[:1])


def _affine(c: Context, g: Group, op_type: str, tensor: str) -> tuple[str, IntArray]:
    """``(x, values)`` of the Add or Mul by integers that makes ``tensor``."""
    node = g.take(tensor, op_type, 2)
    node.has()
    return node.inputs[0], c.parameters.integers(g, node.inputs[1])


def _requant(c: Context, g: Group) -> Op:
    fit = read_fit(c.parameters, g)
    x, shift, mult, add = fit.x, 0, np.asarray(1), np.asarray(0)
    if g.kind(x) == "Mul" and (times := c.parameters.halvings(g, g.peek(x).inputs[-1])):
        node = g.take(x, "Mul", 2)
        node.has()
        shift, x = times, node.inputs[0]
    if g.kind(x) == "Add":
        x, add = _affine(c, g, "Add", x)
    if g.kind(x) == "Mul":
        x, mult = _affine(c, g, "Mul", x)
    rank = len(c.shape(x))
    return Requant(
        **c.common(g, x),
        mult=_channels(c, mult, rank),
        add=_channels(c, add, rank),
        shift=shift,
        lo=fit.lo,
        hi=fit.hi,
        rounding=fit.rounding,
        overflow=fit.overflow,
    )


def _thresholds(c: Context, g: Group) -> Op:
    out, base, step = g.value, None, None
    if g.kind(out) == "Add":
        out, base = _affine(c, g, "Add", out)
        out, step = _affine(c, g, "Mul", out)
    node = g.take(out, "MultiThreshold", 2)
    rank = len(c.shape(node.inputs[0]))
    scale, bias = node.attributes.get("out_scale"), node.attributes.get("out_bias")
    places = ("D" * rank + "HW")[-rank + 1 :] if rank > 1 else ""
    layout = f"NC{places}" if c.first else f"N{places}C"
    node.has(out_scale=scale, out_bias=bias, out_dtype=node.attributes.get("out_dtype"), data_layout=layout)
    if base is None or step is None:
        require(isinstance(scale, float) and isinstance(bias, float) and scale == int(scale) and bias == int(bias))
        base, step = np.asarray([int(bias or 0)]), np.asarray([int(scale or 0)])
    else:
        require((scale, bias) == (1.0, 0.0))
        base, step = _channels(c, base, rank), _channels(c, step, rank)
    rows = c.parameters.constants.integers(node.inputs[1])
    require(rows.ndim == 2 and base.ndim == step.ndim == 1)
    return Thresholds(**c.common(g, node.inputs[0]), thresholds=rows, base=base, step=step)


def _lut(c: Context, g: Group) -> Op:
    node = g.take(g.value, "Gather", 2)
    node.has(axis=0)
    cast = g.take(node.inputs[1], "Cast", 1)
    cast.has(to=INT64)
    x, offset = cast.inputs[0], np.asarray(0)
    if g.kind(x) == "Sub":
        x, offset = _affine(c, g, "Sub", x)
        require(offset.shape == ())
    return Lut(**c.common(g, x), table=c.parameters.constants.integers(node.inputs[0]), offset=int(offset))


def _add(c: Context, g: Group) -> Op:
    if g.kind(g.value) == "Mul":
        terms = [g.value]
    else:
        total, terms = g.value, []
        while g.kind(total) == "Add":
            node = g.take(total, "Add", 2)
            node.has()
            total = node.inputs[0]
            terms.append(node.inputs[1])
        terms.append(total)
    inputs, factors = [], []
    for term in reversed(terms):
        factor = np.asarray(1)
        if g.kind(term) == "Mul":
            term, factor = _affine(c, g, "Mul", term)
        require(factor.shape == ())
        inputs.append(term)
        factors.append(int(factor))
    return Add(**c.common(g, *inputs), factors=tuple(factors))


def _concat(c: Context, g: Group) -> Op:
    first, others = g.value, []
    while g.kind(first) == "Concat":
        node = g.take(first, "Concat", len(g.peek(first).inputs))
        node.has(axis=c.axis(c.shape(node.inputs[-1])))
        require(len(node.inputs) == 2 or (len(node.inputs) == 1 and first == g.value))
        others += list(node.inputs[1:])
        first = node.inputs[0]
    return Concat(**c.common(g, first, *reversed(others)))


def _reshape(c: Context, g: Group) -> Op:
    out, shape = g.value, None
    if g.kind(out) == "Flatten":
        node = g.take(out, "Flatten", 1)
        node.has(axis=1)
    else:
        if g.kind(out) == "Transpose":
            out = transposed(g, out, to_first(rank_of(g, out)))
        node = g.take(out, "Reshape", 2)
        node.has()
        batch, *wanted = c.parameters.constants.indices(node.inputs[1])
        shape = tuple(wanted)
        require(batch == 0 and len(shape) > 1 and min(shape) > 0)
        require(c.swapped(shape) == (out != g.value))
        require(out == g.value or len(shape) == rank_of(g, g.value))
    x = node.inputs[0]
    swapped = g.kind(x) == "Transpose"
    if swapped:
        rank, x = rank_of(g, x), transposed(g, x, to_last(rank_of(g, x)))
        require(len(c.shape(x)) == rank)
    require(c.swapped(c.shape(x)) == swapped)
    flat = Reshape(**c.common(g, x))
    return replace(flat, shape=shape or (math.prod(c.shape(x)),))


def _pad(c: Context, g: Group) -> Op:
    node = g.take(g.value, "Pad", 2)
    node.has(mode="constant")
    flat = c.parameters.constants.indices(node.inputs[1])
    pads = read_pads(flat, len(flat) // 2)
    require(len(pads) > 2 and pads[:2] == ((0, 0), (0, 0)))
    return Pad(**c.common(g, node.inputs[0]), pads=pads[2:])


def _upsample(c: Context, g: Group) -> Op:
    node = g.take(g.value, "Resize", 3)
    node.has(mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    region, factors = (c.parameters.constants.integers(i) for i in node.inputs[1:])
    require(region.size == 0 and factors.ndim == 1 and factors.size > 2 and (factors >= 1).all())
    require((factors[:2] == 1).all())
    return Upsample(**c.common(g, node.inputs[0]), factors=tuple(int(f) for f in factors[2:]))


def _argmax(c: Context, g: Group) -> Op:
    cast = g.take(g.value, "Cast", 1)
    cast.has(to=FLOAT)
    node = g.take(cast.inputs[0], "TopK", 2, outputs=2)
    node.has(axis=c.axis(c.shape(node.inputs[0])), largest=1, sorted=1)
    require(c.parameters.constants.indices(node.inputs[1]) == [1])
    return ArgMax(**c.common(g, node.inputs[0]))


def _sum_or_other(c: Context, g: Group) -> Op:
    """An Add node ends a Dense with bias, Thresholds with steps per channel, or a sum of branches."""
    inputs = g.peek(g.value).inputs
    require(len(inputs) == 2)
    first, second = inputs
    if g.kind(first) == "MatMul":
        return read_dense(c, g)
    if g.kind(second) == "Quant":
        return _thresholds(c, g)
    return _add(c, g)


def _transpose(c: Context, g: Group) -> Op:
    return _reshape(c, g) if g.kind(g.peek(g.value).inputs[0]) == "Reshape" else read_dense(c, g)


READERS: dict[str, Callable[[Context, Group], Op]] = {
    "Quant": _requant,
    "Clip": _requant,
    "Sub": _requant,
    "MatMul": read_dense,
    "Add": _sum_or_other,
    "Transpose": _transpose,
    "Conv": read_conv,
    "MaxPool": read_max_pool,
    "MultiThreshold": _thresholds,
    "Gather": _lut,
    "Mul": _add,
    "Concat": _concat,
    "Flatten": _reshape,
    "Reshape": _reshape,
    "Pad": _pad,
    "Resize": _upsample,
    "Cast": _argmax,
}


def read_op(c: Context, g: Group) -> Op:
    """The op that the nodes of ``g`` are, its shape not yet inferred; Foreign if they are none."""
    reader = READERS.get(g.kind(g.value))
    if reader is None:
        raise Foreign
    op = reader(c, g)
    g.finish()
    return op
