"""The inverse of each op's nodes: which nodes, with which constants, are which op of a QNet.

A pattern is read from the op's value backwards.  Whatever is not exactly as the export
writes it raises :class:`Foreign`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bitsmith.models.ir.ops import (
    Add,
    ArgMax,
    Concat,
    Conv,
    Dense,
    Lut,
    Op,
    Pad,
    Pads,
    Pool,
    Requant,
    Reshape,
    Shape,
    Thresholds,
    Upsample,
)
from bitsmith.models.ir.types import IntArray, QuantType
from bitsmith.models.lower.qonnx_net_fit import Parameters, read_fit
from bitsmith.models.lower.qonnx_net_reader import Foreign, Group, Node, Types, require

FLOAT, INT64 = 1, 7
"""Element types of ONNX."""


@dataclass(frozen=True, eq=False)
class Context:
    """What a pattern needs to know: the constants, the annotations, the ops so far."""

    parameters: Parameters
    types: Types
    known: dict[str, Op]

    def shape(self, name: str) -> Shape:
        """Shape of an earlier op's value; Foreign if ``name`` is none."""
        require(name in self.known)
        return self.known[name].shape

    def common(self, g: Group, *inputs: str) -> dict[str, Any]:
        """The fields that all ops have; the shape is inferred later."""
        require(all(i in self.known for i in inputs))
        return {"name": g.value, "inputs": inputs, "shape": (), "type": self.types.of(g.value)}


def to_first(rank: int) -> list[int]:
    """Permutation from (batch, *spatial, channels) to (batch, channels, *spatial); ``rank`` is without the batch."""
    return [0, rank, *range(1, rank)]


def to_last(rank: int) -> list[int]:
    """Inverse of :func:`to_first`."""
    return [0, *range(2, rank + 1), 1]


def transposed(g: Group, tensor: str, permutation: list[int]) -> str:
    """What ``tensor`` is the transpose of."""
    node = g.take(tensor, "Transpose", 1)
    node.has(perm=permutation)
    return node.inputs[0]


def _channels(values: IntArray, rank: int) -> IntArray:
    """Integers () or (channels,) that were written for a channels-first value of ``rank`` axes."""
    require(values.ndim == 0 or values.shape[1:] == (1,) * (rank - 1))
    return values.reshape(values.shape[:1])


def _affine(c: Context, g: Group, op_type: str, tensor: str) -> tuple[str, IntArray]:
    """``(x, values)`` of the Add or Mul by integers that makes ``tensor``."""
    node = g.take(tensor, op_type, 2)
    node.has()
    return node.inputs[0], c.parameters.integers(g, node.inputs[1])


def _weight(c: Context, g: Group, tensor: str) -> tuple[IntArray, QuantType]:
    return c.parameters.integers(g, tensor), c.types.of(tensor)


def _bias(c: Context, g: Group, tensor: str | None, n_out: int) -> IntArray:
    if tensor is None:
        return np.zeros(n_out, np.int64)
    bias = c.parameters.integers(g, tensor)
    require(bias.shape == (n_out,))
    return bias


def _dense(c: Context, g: Group) -> Op:
    out, x, bias = g.value, "", None
    on_places = g.kind(out) == "Transpose"
    rank = 1
    if on_places:
        node = g.take(out, "Transpose", 1)
        rank = len(node.attributes.get("perm", ())) - 1
        node.has(perm=to_first(rank))
        out = node.inputs[0]
    if g.kind(out) == "Add":
        node = g.take(out, "Add", 2)
        node.has()
        out, bias = node.inputs
    product = g.take(out, "MatMul", 2)
    product.has()
    x = transposed(g, product.inputs[0], to_last(rank)) if on_places else product.inputs[0]
    weight, kind = _weight(c, g, product.inputs[1])
    require(weight.ndim == 2 and len(c.shape(x)) == rank)
    return Dense(**c.common(g, x), weight=weight, bias=_bias(c, g, bias, weight.shape[1]), weight_type=kind)


def _pads(flat: Any, axes: int) -> Pads:
    """ONNX's order (all before, then all after) to pairs."""
    require(isinstance(flat, list) and len(flat) == 2 * axes and min(flat, default=0) >= 0)
    return tuple(zip(flat[:axes], flat[axes:], strict=True))


def _window(node: Node, kernel: tuple[int, ...], **more: Any) -> dict[str, Any]:
    """Strides and pads of a Conv or MaxPool, which must have exactly the attributes of the form."""
    axes = len(kernel)
    strides, pads = node.attributes.get("strides"), node.attributes.get("pads")
    node.has(kernel_shape=list(kernel), strides=strides, pads=pads, **more)
    require(isinstance(strides, list) and len(strides) == axes and min(strides, default=0) >= 1)
    return {"strides": tuple(strides or ()), "pads": _pads(pads, axes)}


def _conv(c: Context, g: Group) -> Op:
    with_bias = len(g.peek(g.value).inputs) == 3
    node = g.take(g.value, "Conv", 3 if with_bias else 2)
    x, w = node.inputs[:2]
    if not g.kind(w):
        return _sum_pool(c, g, node)
    weight, kind = _weight(c, g, w)
    require(weight.ndim > 2)
    groups, dilations = node.attributes.get("group"), node.attributes.get("dilations")
    window = _window(node, weight.shape[2:], group=groups, dilations=dilations)
    require(isinstance(groups, int) and groups >= 1)
    require(isinstance(dilations, list) and len(dilations) == weight.ndim - 2 and min(dilations) >= 1)
    return Conv(
        **c.common(g, x),
        weight=np.moveaxis(weight, (0, 1), (-1, -2)),
        bias=_bias(c, g, node.inputs[2] if with_bias else None, len(weight)),
        weight_type=kind,
        dilations=tuple(dilations or ()),
        groups=int(groups or 0),
        **window,
    )


def _sum_pool(c: Context, g: Group, node: Node) -> Op:
    """A depthwise convolution with plain ones."""
    require(len(node.inputs) == 2)
    ones = c.parameters.constants.integers(node.inputs[1])
    channels = c.shape(node.inputs[0])[-1]
    require(ones.ndim > 2 and ones.shape[:2] == (channels, 1) and (ones == 1).all())
    window = ones.shape[2:]
    found = _window(node, window, group=channels, dilations=[1] * len(window))
    return Pool(**c.common(g, node.inputs[0]), mode="sum", window=window, **found)


def _max_pool(c: Context, g: Group) -> Op:
    node = g.take(g.value, "MaxPool", 1)
    window = node.attributes.get("kernel_shape")
    require(isinstance(window, list) and window)
    found = _window(node, tuple(window or ()))
    return Pool(**c.common(g, node.inputs[0]), mode="max", window=tuple(window or ()), **found)


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
        mult=_channels(mult, rank),
        add=_channels(add, rank),
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
    layout = {1: "NC", 2: "NCW", 3: "NCHW"}.get(rank, "")
    node.has(out_scale=scale, out_bias=bias, out_dtype=node.attributes.get("out_dtype"), data_layout=layout)
    if base is None or step is None:
        require(isinstance(scale, float) and isinstance(bias, float) and scale == int(scale) and bias == int(bias))
        base, step = np.asarray([int(bias or 0)]), np.asarray([int(scale or 0)])
    else:
        require((scale, bias) == (1.0, 0.0))
        base, step = _channels(base, rank), _channels(step, rank)
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
    first, inputs = g.value, []
    while g.kind(first) == "Concat":
        node = g.take(first, "Concat", len(g.peek(first).inputs))
        node.has(axis=1)
        require(len(node.inputs) == 2 or (len(node.inputs) == 1 and first == g.value))
        inputs += list(node.inputs[1:])
        first = node.inputs[0]
    return Concat(**c.common(g, first, *reversed(inputs)))


def _reshape(c: Context, g: Group) -> Op:
    if g.kind(g.value) == "Flatten":
        node = g.take(g.value, "Flatten", 1)
        node.has(axis=1)
        shape: Shape | None = None
    else:
        rank = len(g.peek(g.value).attributes.get("perm", ())) - 1
        node = g.take(transposed(g, g.value, to_first(rank)), "Reshape", 2)
        node.has()
        batch, *wanted = c.parameters.constants.indices(node.inputs[1])
        require(batch == 0 and len(wanted) == rank and min(wanted, default=0) > 0)
        shape = tuple(wanted)
    x = node.inputs[0]
    if g.kind(x) == "Transpose":
        rank = len(g.peek(x).attributes.get("perm", ())) - 1
        x = transposed(g, x, to_last(rank))
        require(len(c.shape(x)) == rank > 1)
    else:
        require(len(c.shape(x)) == 1)
    return Reshape(**{**c.common(g, x), "shape": shape or (math.prod(c.shape(x)),)})


def _pad(c: Context, g: Group) -> Op:
    node = g.take(g.value, "Pad", 2)
    node.has(mode="constant")
    flat = c.parameters.constants.indices(node.inputs[1])
    pads = _pads(flat, len(flat) // 2)
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
    node.has(axis=1, largest=1, sorted=1)
    require(c.parameters.constants.indices(node.inputs[1]) == [1])
    return ArgMax(**c.common(g, node.inputs[0]))


def _sum_or_other(c: Context, g: Group) -> Op:
    """An Add node ends a Dense with bias, Thresholds with steps per channel, or a sum of branches."""
    first, second = g.peek(g.value).inputs
    if g.kind(first) == "MatMul":
        return _dense(c, g)
    if g.kind(second) == "Quant":
        return _thresholds(c, g)
    return _add(c, g)


def _transpose(c: Context, g: Group) -> Op:
    return _reshape(c, g) if g.kind(g.peek(g.value).inputs[0]) == "Reshape" else _dense(c, g)


READERS: dict[str, Callable[[Context, Group], Op]] = {
    "Quant": _requant,
    "Clip": _requant,
    "Sub": _requant,
    "MatMul": _dense,
    "Add": _sum_or_other,
    "Transpose": _transpose,
    "Conv": _conv,
    "MaxPool": _max_pool,
    "MultiThreshold": _thresholds,
    "Gather": _lut,
    "Mul": _add,
    "Concat": _concat,
    "Flatten": _reshape,
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
