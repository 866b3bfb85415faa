"""The layers of an hls4ml project, made from a QNet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bitsmith.hls.backends.hls4ml.layers import HlsLayer, as_float, layer_names, no_pads, pads_of, range_of, sizes
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

PASSING = (Reshape, Pad, Upsample)
"""Ops whose layer has the type of its input in hls4ml."""


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
        return self.tool.cpp_type(kind)

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
            "count_t": self.text(QuantType.for_range(0, max(levels, 2))),
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
        """Free in io_parallel and before dense layers; any other reshape of a stream packs the values anew."""
        users = self.net.users(op.name)
        free = len(op.shape) == 1 and bool(users) and all(isinstance(user, Dense) for user in users)
        if not self.tool.dense_only and (free or not self.stream):
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
