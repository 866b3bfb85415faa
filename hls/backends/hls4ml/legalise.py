"""Rewrites a QNet into ops that hls4ml's layers compute exactly.

hls4ml has no groups, no dilation that every tool honours, no n-ary or scaled
addition, and its pooling pads with the type's own minimum.  Each of these has
an exact form in simpler ops, so the net is rewritten before any layer is made;
``execute`` of both nets gives the same integers.  Scales play no part here:
all are set to 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np

from bitsmith.models.ir.builder import NetBuilder
from bitsmith.models.ir.intervals import Interval
from bitsmith.models.ir.ops import Add, Concat, Conv, Dense, Op, Pad, Pads, Pool, QNet, Requant, Thresholds
from bitsmith.models.ir.types import IntArray, Overflow, QuantType, Rounding

BIT = QuantType(1, False)


class Legaliser:
    """Appends the rewritten ops of one net; every method returns the name of the new value."""

    def __init__(self, net: QNet, depthwise: bool) -> None:
        self.net = net
        self.depthwise = depthwise  # whether the tool has a depthwise convolution
        self.builder = NetBuilder(net.name)
        self.taken = {op.name for op in net.ops}

    def run(self) -> QNet:
        """The rewritten net.  Every op of the old net whose value survives keeps its name."""
        rewrites: dict[type[Op], Callable[..., str]] = {
            Dense: self.dense,
            Conv: self.conv,
            Pool: self.pool,
            Add: self.add,
            Concat: self.concat,
            Thresholds: self.thresholds,
        }
        for op in self.net.ops:
            last = rewrites.get(type(op), self.append)(op)
            made = self.builder.ops.pop(last)
            span = self.builder.spans.pop(last)
            self.builder.ops[op.name] = replace(made, name=op.name, type=op.type.with_scale(1.0))
            self.builder.spans[op.name] = span
        return QNet(self.net.name, tuple(self.builder.ops.values()), self.net.head)

    def append(self, op: Op, suffix: str = "value") -> str:
        """Add an op under a helper's name; its shape and type follow from its inputs."""
        name = f"{op.name}_{suffix}"
        while name in self.taken or name in self.builder.ops:
            name += "_"
        return self.builder.append(replace(op, name=name), 1.0)

    def span(self, name: str) -> Interval:
        """What the value ``name`` of the new net can hold."""
        return self.builder.spans[name]

    def rank(self, name: str) -> int:
        """Number of axes of the value ``name`` of the new net."""
        return len(self.builder.ops[name].shape)

    def dense(self, op: Dense) -> str:
        """On several places it is a convolution with a kernel of one."""
        axes = self.rank(op.inputs[0]) - 1
        if axes == 0:
            return self.append(op)
        return self.append(_conv(op, op.weight.reshape((1,) * axes + op.weight.shape), op.bias, op.weight_type))

    def pad(self, op: Op, x: str, pads: Pads) -> str:
        """``x`` with zeros around it; ``x`` itself where there are none."""
        if not any(a or b for a, b in pads):
            return x
        return self.append(Pad(name=op.name, inputs=(x,), shape=(), type=BIT, pads=pads), "pad")

    def conv(self, op: Conv) -> str:
        """Padding apart; dilation and groups as zeros in the kernel."""
        x = self.pad(op, op.inputs[0], op.pads)
        channels = self.builder.ops[x].shape[-1]
        keeps_groups = self.depthwise and op.groups == channels == op.weight.shape[-1]
        weight = dilate(op.weight, op.dilations)
        plain = _conv(op, weight if keeps_groups else ungroup(weight, op.groups), op.bias, op.weight_type)
        groups = op.groups if keeps_groups else 1
        return self.append(replace(plain, inputs=(x,), strides=op.strides, groups=groups))

    def pool(self, op: Pool) -> str:
        """A sum is a depthwise convolution with ones; a padded maximum is taken of values moved to 0 and up."""
        x = op.inputs[0]
        if op.mode == "sum":
            channels = self.builder.ops[x].shape[-1]
            ones = np.ones((*op.window, 1, channels), np.int64)
            conv = _conv(op, ones, np.zeros(channels, np.int64), BIT)
            return self.conv(replace(conv, strides=op.strides, pads=op.pads, groups=channels))
        lowest = self.span(x).min if any(a or b for a, b in op.pads) else 0
        if lowest < 0:
            x = self.affine(op, x, 1, -lowest, "lift")
        x = self.pad(op, x, op.pads)
        pooled = self.append(replace(op, inputs=(x,), pads=((0, 0),) * len(op.window)), "pool")
        return self.affine(op, pooled, 1, lowest, "lower") if lowest < 0 else pooled

    def affine(self, op: Op, x: str, mult: int, add: int, suffix: str) -> str:
        """``x * mult + add``, nothing lost."""
        span = self.span(x)
        ends = sorted((span.min * mult + add, span.max * mult + add))
        step = Requant(
            name=op.name,
            inputs=(x,),
            shape=(),
            type=BIT,
            mult=np.asarray(mult),
            add=np.asarray(add),
            shift=0,
            lo=ends[0],
            hi=ends[1],
            rounding=Rounding.FLOOR,
            overflow=Overflow.SATURATE,
        )
        return self.append(step, suffix)

    def add(self, op: Add) -> str:
        """Scaled branches first, then two at a time."""
        pairs = zip(op.inputs, op.factors, strict=True)
        terms = [x if f == 1 else self.affine(op, x, f, 0, f"term{k}") for k, (x, f) in enumerate(pairs)]
        if len(terms) == 1:
            return self.affine(op, terms[0], 1, 0, "copy")
        total = terms[0]
        for term in terms[1:]:
            total = self.append(replace(op, inputs=(total, term), factors=(1, 1)), "sum")
        return total

    def concat(self, op: Concat) -> str:
        """Two at a time."""
        joined = op.inputs[0]
        for other in op.inputs[1:]:
            joined = self.append(replace(op, inputs=(joined, other)), "join")
        return joined if len(op.inputs) > 1 else self.affine(op, joined, 1, 0, "copy")

    def thresholds(self, op: Thresholds) -> str:
        """Thresholds beyond the input's range moved to its edge; at least one per row."""
        span = self.span(op.inputs[0])
        if op.thresholds.shape[1] == 0:
            return self.append(replace(op, thresholds=np.full((1, 1), span.max + 1)))
        return self.append(replace(op, thresholds=np.clip(op.thresholds, span.min, span.max + 1)))


def _conv(op: Op, weight: IntArray, bias: IntArray, kind: QuantType) -> Conv:
    axes = weight.ndim - 2
    return Conv(
        name=op.name,
        inputs=op.inputs,
        shape=(),
        type=BIT,
        weight=weight,
        bias=bias,
        weight_type=kind.with_scale(1.0),
        strides=(1,) * axes,
        pads=((0, 0),) * axes,
        dilations=(1,) * axes,
    )


def dilate(weight: IntArray, dilations: tuple[int, ...]) -> IntArray:
    """The kernel (*kernel, n_in, n_out) with zeros between its taps."""
    kernel = tuple(d * (k - 1) + 1 for k, d in zip(weight.shape, dilations, strict=False))
    wide = np.zeros(kernel + weight.shape[-2:], np.int64)
    wide[tuple(slice(None, None, d) for d in dilations)] = weight
    return wide


def ungroup(weight: IntArray, groups: int) -> IntArray:
    """The kernel (*kernel, n_in / groups, n_out) as one of (*kernel, n_in, n_out), zero across groups."""
    n_in, n_out = weight.shape[-2:]
    full = np.zeros((*weight.shape[:-2], n_in * groups, n_out), np.int64)
    edges = np.arange(groups + 1)
    for g, (a, b) in enumerate(pairwise(edges * (n_out // groups))):
        full[..., g * n_in : (g + 1) * n_in, a:b] = weight[..., a:b]
    return full


def legalise(net: QNet, depthwise: bool) -> QNet:
    """``net`` in ops that hls4ml's layers compute exactly; ``depthwise`` if the tool has that convolution."""
    return Legaliser(net, depthwise).run()
