"""The inverse of the exported nodes of Dense, Conv and Pool, and what all patterns share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bitsmith.models.ir.ops import Conv, Dense, Op, Pads, Pool, Shape
from bitsmith.models.ir.types import IntArray, QuantType
from bitsmith.models.lower.exported.fit import Parameters
from bitsmith.models.lower.exported.reader import Group, Node, Types, require


@dataclass(frozen=True, eq=False)
class Context:
    """What a pattern needs to know: the constants, the annotations, the ops so far."""

    parameters: Parameters
    types: Types
    known: dict[str, Op]
    first: bool  # channels first, as in every graph with an op that works on places

    def shape(self, name: str) -> Shape:
        """Shape of an earlier op's value; Foreign if ``name`` is none."""
        require(name in self.known)
        return self.known[name].shape

    def swapped(self, shape: Shape) -> bool:
        """Whether a value of ``shape`` (without the batch) lies otherwise in the graph than in the net."""
        return self.first and len(shape) > 1

    def axis(self, shape: Shape) -> int:
        """Axis of the channels in the graph."""
        return 1 if self.first else len(shape)

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


def rank_of(g: Group, tensor: str) -> int:
    """Axes, without the batch, of what a Transpose makes."""
    permutation = g.peek(tensor).attributes.get("perm")
    require(isinstance(permutation, list) and len(permutation) > 2)
    return len(permutation or ()) - 1


def transposed(g: Group, tensor: str, permutation: list[int]) -> str:
    """What ``tensor`` is the transpose of."""
    node = g.take(tensor, "Transpose", 1)
    node.has(perm=permutation)
    return node.inputs[0]


def _weight(c: Context, g: Group, tensor: str) -> tuple[IntArray, QuantType]:
    return c.parameters.integers(g, tensor), c.types.of(tensor)


def _bias(c: Context, g: Group, tensor: str | None, n_out: int) -> IntArray:
    if tensor is None:
        return np.zeros(n_out, np.int64)
    bias = c.parameters.integers(g, tensor)
    require(bias.shape == (n_out,))
    return bias


def read_dense(c: Context, g: Group) -> Op:
    """MatMul and perhaps Add, on channels last."""
    out, bias = g.value, None
    swapped = g.kind(out) == "Transpose"
    if swapped:
        out = transposed(g, out, to_first(rank_of(g, out)))
    if g.kind(out) == "Add":
        node = g.take(out, "Add", 2)
        node.has()
        out, bias = node.inputs
    product = g.take(out, "MatMul", 2)
    product.has()
    x = product.inputs[0]
    if swapped:
        x = transposed(g, x, to_last(rank_of(g, g.value)))
    weight, kind = _weight(c, g, product.inputs[1])
    require(weight.ndim == 2 and c.swapped(c.shape(x)) == swapped)
    require(not swapped or len(c.shape(x)) == rank_of(g, g.value))
    return Dense(**c.common(g, x), weight=weight, bias=_bias(c, g, bias, weight.shape[1]), weight_type=kind)


def read_pads(flat: Any, axes: int) -> Pads:
    """ONNX's order (all before, then all after) to pairs."""
    require(isinstance(flat, list) and len(flat) == 2 * axes and min(flat, default=0) >= 0)
    return tuple(zip(flat[:axes], flat[axes:], strict=True))


def _window(node: Node, kernel: tuple[int, ...], **more: Any) -> dict[str, Any]:
    """Strides and pads of a Conv or MaxPool, which must have exactly the attributes of the form."""
    axes = len(kernel)
    strides, pads = node.attributes.get("strides"), node.attributes.get("pads")
    node.has(kernel_shape=list(kernel), strides=strides, pads=pads, **more)
    require(isinstance(strides, list) and len(strides) == axes and min(strides, default=0) >= 1)
    return {"strides": tuple(strides or ()), "pads": read_pads(pads, axes)}


def read_conv(c: Context, g: Group) -> Op:
    """A Conv whose weights come through a Quant; with plain ones it is the sum of a Pool."""
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


def read_max_pool(c: Context, g: Group) -> Op:
    """MaxPool."""
    node = g.take(g.value, "MaxPool", 1)
    window = node.attributes.get("kernel_shape")
    require(isinstance(window, list) and window)
    found = _window(node, tuple(window or ()))
    return Pool(**c.common(g, node.inputs[0]), mode="max", window=tuple(window or ()), **found)
