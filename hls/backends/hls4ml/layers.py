"""The layers of an hls4ml project as plain data, from a legalised QNet.

Every type is ``fixed<W,W>``: integers, no fractional bits, hls4ml's default
truncation and wrap, which never happen since widths come from the net.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bitsmith.hls.backends.hls4ml.legalise import legalise
from bitsmith.hls.backends.hls4ml.tools import HlsTool
from bitsmith.models.ir.intervals import Interval, intervals
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
    Pool,
    QNet,
    Requant,
    Reshape,
    Shape,
    Thresholds,
    Upsample,
)
from bitsmith.models.ir.types import IntArray, Overflow, QuantType, Rounding

BIT = QuantType(1, False)
PASSING = (Reshape, Pad, Upsample)
"""Ops whose layer has the type of its input in hls4ml."""


@dataclass(frozen=True, eq=False)
class HlsLayer:
    """One layer: what hls4ml's ``ModelGraph.from_layer_list`` takes, and its exact types."""

    name: str  # in hls4ml, lower case
    op: str  # the op of the net whose value it gives; empty for a helper
    kind: str  # class of the layer in hls4ml
    inputs: tuple[str, ...]
    shape: Shape
    type: QuantType
    attrs: dict[str, Any] = field(default_factory=dict)
    types: dict[str, QuantType] = field(default_factory=dict)  # of weight, bias, accum, ...

    def as_dict(self) -> dict[str, Any]:
        """The layer's dict for ``from_layer_list``."""
        return {"name": self.name, "class_name": self.kind, "inputs": list(self.inputs), **self.attrs}

    def precision(self) -> dict[str, str]:
        """Every variable's type in hls4ml's words."""
        return {"result": fixed(self.type), **{k: fixed(t) for k, t in self.types.items()}}


def fixed(kind: QuantType) -> str:
    """An integer type in hls4ml's words."""
    return f"{'' if kind.signed else 'u'}fixed<{kind.bits},{kind.bits}>"


def cpp_type(kind: QuantType, ac: bool) -> str:
    """An integer type in C++, of AMD's or of Siemens' library."""
    if ac:
        return f"ac_fixed<{kind.bits},{kind.bits},{str(kind.signed).lower()}>"
    return f"ap_{'' if kind.signed else 'u'}fixed<{kind.bits},{kind.bits}>"


def range_of(values: IntArray) -> QuantType:
    """The narrowest type of an array of parameters."""
    return QuantType.for_range(values.min(initial=0), values.max(initial=0))


def layer_names(net: QNet) -> dict[str, str]:
    """A name in hls4ml for every op: lower case and unique.

    hls4ml keeps a layer's output beside its attributes, under the layer's name, and names types and ports after it;
    the prefix keeps clear of its attributes (``bias``, ``table``) and of the words of C++.
    """
    names: dict[str, str] = {}
    for op in net.ops:
        base = f"{'x' if isinstance(op, Input) else 'op'}_{op.name.lower()}"
        name, n = base, 1
        while name in names.values():
            n += 1
            name = f"{base}_{n}"
        names[op.name] = name
    return names


def project_name(net: QNet) -> str:
    """Name of the top function and of its files: no keyword, no name of the C++ library."""
    return (re.sub(r"\W+", "_", net.name).strip("_").lower() or "qnet") + "_ip"


def layers_of(net: QNet, tool: HlsTool, stream: bool) -> tuple[HlsLayer, ...]:
    """The layers for ``net``, in order; ``stream`` for io_stream."""
    legal = legalise(net, tool.depthwise)
    return _Maker(net, legal, tool, stream).run()


class _Maker:
    """Makes the layers one by one; knows the net, its intervals, its names in hls4ml."""

    def __init__(self, source: QNet, net: QNet, tool: HlsTool, stream: bool) -> None:
        self.source, self.net, self.tool, self.stream = source, net, tool, stream
        self.spans = intervals(net)
        self.names = layer_names(net)
        self.types: dict[str, QuantType] = {}

    def run(self) -> tuple[HlsLayer, ...]:
        makers: dict[type[Op], Callable[..., HlsLayer]] = {
            Input: self.input,
            Dense: self.dense,
            Conv: self.conv,
            Pool: self.pool,
            Requant: self.requant,
            Thresholds: self.thresholds,
            Lut: self.lut,
            Add: self.merge,
            Concat: self.merge,
            Reshape: self.reshape,
            Pad: self.pad,
            Upsample: self.upsample,
            ArgMax: self.argmax,
        }
        made = []
        for op in self.net.ops:
            self.types[op.name] = self.types[op.inputs[0]] if isinstance(op, PASSING) else op.type
            made.append(makers[type(op)](op))
        return tuple(made)

    def layer(self, op: Op, kind: str, attrs: dict[str, Any], types: dict[str, QuantType] | None = None) -> HlsLayer:
        inputs = tuple(self.names[i] for i in op.inputs)
        value = op.name if op.name in self.source.by_name else ""
        given = {"data_format": "channels_last", **attrs}
        return HlsLayer(self.names[op.name], value, kind, inputs, op.shape, self.types[op.name], given, types or {})

    def shape(self, op: Op) -> Shape:
        return self.net[op.inputs[0]].shape

    def span(self, op: Op) -> Interval:
        return self.spans[op.inputs[0]]

    def text(self, kind: QuantType) -> str:
        return cpp_type(kind, self.tool.ac_types)

    def input(self, op: Input) -> HlsLayer:
        return self.layer(op, "InputLayer", {"input_shape": list(op.shape)})

    def matrix(self, op: Dense | Conv) -> dict[str, QuantType]:
        return {"weight": op.weight_type, "bias": range_of(op.bias), "accum": op.type}

    def dense(self, op: Dense) -> HlsLayer:
        n_in, n_out = op.weight.shape
        attrs = {"n_in": n_in, "n_out": n_out, "weight_data": as_float(op.weight), "bias_data": as_float(op.bias)}
        return self.layer(op, "Dense", attrs, self.matrix(op))

    def conv(self, op: Conv) -> HlsLayer:
        axes = len(op.kernel)
        deep = op.groups > 1
        weight = as_float(op.weight.swapaxes(-1, -2) if deep else op.weight)  # depthwise: (*kernel, channels, 1)
        attrs = {
            **sizes("in", self.shape(op)[:-1]),
            **sizes("out", op.shape[:-1]),
            **sizes("filt", op.kernel),
            **sizes("stride", op.strides),
            **no_pads(axes),
            "n_chan": self.shape(op)[-1],
            "n_filt": op.shape[-1],
            "dilation": 1,
            "depthwise_data" if deep else "weight_data": weight,
            "bias_data": as_float(op.bias),
        }
        if deep:
            attrs["depth_multiplier"] = 1
        return self.layer(op, f"{'Depthwise' if deep else ''}Conv{axes}D", attrs, self.matrix(op))

    def pool(self, op: Pool) -> HlsLayer:
        axes = len(op.window)
        if self.stream and op.window != op.strides:  # hls4ml has only this case on streams
            flat = (1,) * (2 - axes)
            params = {
                **sizes("in", flat + self.shape(op)[:-1]),
                **sizes("pool", flat + op.window),
                **sizes("stride", flat + op.strides),
            }
            return self.own(op, "MaxPool", params, {})
        spatial = {**sizes("in", self.shape(op)[:-1]), **sizes("out", op.shape[:-1])}
        if axes == 1:
            spatial = {"n_in": self.shape(op)[0], "n_out": op.shape[0]}
        attrs = {
            **spatial,
            **sizes("pool", op.window),
            **sizes("stride", op.strides),
            **no_pads(axes),
            "n_filt": op.shape[-1],
            "count_pad": False,
        }
        return self.layer(op, f"MaxPooling{axes}D", attrs, {"accum": op.type})

    def own(self, op: Op, kind: str, params: dict[str, Any], weights: dict[str, IntArray]) -> HlsLayer:
        """A layer of ours: ``params`` fill its C++ template, ``weights`` become arrays of the project."""
        types = {k: range_of(v) for k, v in weights.items()}
        given = {"n_in": int(np.prod(self.shape(op))), "n_chan": self.shape(op)[-1], **params}
        attrs = {
            "target_shape": list(op.shape),
            "params": given,
            "own_weights": list(weights),
            **{f"{k}_data": as_float(v.reshape(-1)) for k, v in weights.items()},
        }
        return self.layer(op, f"Bitsmith{kind}", attrs, types)

    def requant(self, op: Requant) -> HlsLayer:
        span = self.span(op)
        mult, add = np.atleast_1d(op.mult), np.atleast_1d(op.add)
        ends = np.stack([span.lo * mult, span.hi * mult, span.lo * mult + add, span.hi * mult + add])
        ends = np.concatenate([ends.reshape(-1), span.lo, span.hi, [op.lo, op.hi]])
        margin = 1 << op.shift  # rounding adds less than this
        wide = QuantType.for_range(min(int(ends.min()) - margin, -1), max(int(ends.max()) + margin, 1))
        size = op.hi - op.lo + 1
        wraps = op.overflow is Overflow.WRAP and size > 1
        if wraps:  # v - lo before its high bits are dropped
            wide = QuantType(wide.bits + 1, True)
        params = {
            "n_mult": mult.size,
            "n_add": add.size,
            "shift": op.shift,
            "rounding": str(op.rounding),
            "plain": bool((mult == 1).all() and (add == 0).all()),
            "wraps": wraps,
            "lo": op.lo,
            "hi": op.hi,
            "wide_t": self.text(wide),
            "wrap_t": self.text(QuantType(max(1, size.bit_length() - 1), False)),
            "bit_t": self.text(BIT),
        }
        return self.own(op, "Requant", params, {"mult": mult, "add": add})

    def thresholds(self, op: Thresholds) -> HlsLayer:
        levels = op.thresholds.shape[1]
        most = levels * np.abs(op.step).max() + np.abs(op.base).max()
        params = {
            "n_levels": levels,
            "n_rows": op.thresholds.shape[0],
            "n_base": op.base.size,
            "n_step": op.step.size,
            "wide_t": self.text(QuantType.for_range(-most, most)),
            "count_t": self.text(QuantType.for_range(0, levels)),
            "bit_t": self.text(BIT),
        }
        return self.own(op, "Thresholds", params, {"thresholds": op.thresholds, "base": op.base, "step": op.step})

    def lut(self, op: Lut) -> HlsLayer:
        span = self.span(op)
        table = op.table[span.min - op.offset : span.max - op.offset + 1]  # what the input can reach
        ends = (span.min, span.max, span.max - span.min, 0)
        wide = QuantType.for_range(min(*ends, -span.min, -1), max(*ends, -span.min))
        params = {"n_table": table.size, "offset": span.min, "wide_t": self.text(wide)}
        return self.own(op, "Lut", params, {"table": table})

    def argmax(self, op: ArgMax) -> HlsLayer:
        return self.own(op, "ArgMax", {}, {})

    def merge(self, op: Add | Concat) -> HlsLayer:
        rank = len(op.shape)
        if isinstance(op, Add):
            return self.layer(op, "Merge", {"op": "add"})
        return self.layer(op, "Concatenate", {"op": f"concatenate{rank}d", "axis": rank})

    def reshape(self, op: Reshape) -> HlsLayer:
        """Flattening before dense layers costs nothing; on a stream any other reshape packs the values anew."""
        feeds_dense = all(isinstance(user, Dense) for user in self.net.users(op.name))
        if not self.stream or (len(op.shape) == 1 and feeds_dense and self.net.users(op.name)):
            return self.layer(op, "Reshape", {"target_shape": list(op.shape)})
        span = self.span(op)
        return self.requant(
            Requant(
                name=op.name,
                inputs=op.inputs,
                shape=op.shape,
                type=self.types[op.name],
                mult=np.ones((), np.int64),
                add=np.zeros((), np.int64),
                shift=0,
                lo=span.min,
                hi=span.max,
                rounding=Rounding.FLOOR,
                overflow=Overflow.SATURATE,
            )
        )

    def pad(self, op: Pad) -> HlsLayer:
        attrs = {
            **sizes("in", self.shape(op)[:-1]),
            **sizes("out", op.shape[:-1]),
            **pads_of(op.pads),
            "n_chan": op.shape[-1],
        }
        return self.layer(op, f"ZeroPadding{len(op.pads)}D", attrs)

    def upsample(self, op: Upsample) -> HlsLayer:
        before, after = self.shape(op)[:-1], op.shape[:-1]
        if len(op.factors) == 1:
            before, after = (1, *before), (1, *after)
        attrs = {**sizes("in", before), **sizes("out", after), "n_chan": op.shape[-1], "algorithm": "nearest"}
        return self.layer(op, "Resize", attrs)


def as_float(values: IntArray) -> np.ndarray[Any, np.dtype[np.float64]]:
    """hls4ml prints parameters from floats; integers up to 2**53 survive."""
    return values.astype(np.float64)


def sizes(what: str, values: Shape) -> dict[str, int]:
    """``{what}_height`` and ``{what}_width``, or the width alone."""
    axes = ("height", "width")[-len(values) :]
    return {f"{what}_{axis}": int(v) for axis, v in zip(axes, values, strict=True)}


def pads_of(pads: tuple[tuple[int, int], ...]) -> dict[str, int]:
    """hls4ml's words for padding."""
    names = (("pad_top", "pad_bottom"), ("pad_left", "pad_right"))[-len(pads) :]
    return {name: size for pair, ends in zip(names, pads, strict=True) for name, size in zip(pair, ends, strict=True)}


def no_pads(axes: int) -> dict[str, int]:
    """Padding of nothing."""
    return pads_of(((0, 0),) * axes)
