"""Every op of a net as units of logic and the places where copies of them stand."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bitsmith.hls.backends.rtl.unrolled import units
from bitsmith.hls.backends.rtl.unrolled.netlist import Netlist
from bitsmith.models.ir import QNet
from bitsmith.models.ir.execute import windows
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
    Shape,
    Thresholds,
    Upsample,
)
from bitsmith.models.ir.types import IntArray, QuantType

ZERO = -1
"""In a list of elements: a zero instead of one."""


@dataclass(frozen=True, eq=False)
class Instance:
    """A copy of a unit: for every port the flat elements it reads (ZERO for none), and the flat elements it makes."""

    unit: int
    ins: tuple[IntArray, ...]
    outs: IntArray


@dataclass(frozen=True, eq=False)
class Layer:
    """One op as logic.

    Every element of its signal has ``bits`` and ``signed``.  The op's value is
    that signal plus ``offset`` (channels,): a bias that every reader adds to a
    constant of its own, where it costs nothing.
    """

    op: Op
    units: tuple[Netlist, ...]
    instances: tuple[Instance, ...]
    span: Interval  # of the signal, without the offset
    offset: IntArray
    bits: int
    signed: bool

    @property
    def size(self) -> int:
        """Elements of the output."""
        return math.prod(self.op.shape)


_Logic = tuple[list[Netlist], list[Instance]]


def lower_net(net: QNet) -> dict[str, Layer]:
    """All ops of ``net`` in its order, by name."""
    done: dict[str, Layer] = {}
    for op in net.ops:
        done[op.name] = _lower_input(op) if isinstance(op, Input) else _lower_op(net, op, [done[i] for i in op.inputs])
    return done


def leaves_bias(net: QNet, op: Op) -> bool:
    """Whether the bias of ``op`` moves into constants that all its readers have anyway."""
    users = net.users(op.name)
    return isinstance(op, Dense | Conv) and bool(users) and all(isinstance(u, Requant | Thresholds) for u in users)


def _lower_input(op: Input) -> Layer:
    channels = op.shape[-1]
    span = Interval(np.full(channels, op.lo), np.full(channels, op.hi))
    return Layer(op, (), (), span, np.zeros(channels, np.int64), op.type.bits, op.type.signed)


def _lower_op(net: QNet, op: Op, args: list[Layer]) -> Layer:
    channels = op.shape[-1]
    offset = np.zeros(channels, np.int64)
    if isinstance(op, Dense | Conv) and leaves_bias(net, op):
        offset = op.bias
    logic, instances = _logic(op, args, keep_bias=not leaves_bias(net, op))
    span = _output_span(logic, channels)
    kind = op.type if op is net.output else QuantType.for_range(span.min, span.max)
    assert kind.contains(span.min) and kind.contains(span.max)
    return Layer(op, tuple(logic), tuple(instances), span, offset, kind.bits, kind.signed)


def _logic(op: Op, args: list[Layer], keep_bias: bool) -> _Logic:
    x = args[0]
    if isinstance(op, Dense):
        everything = np.arange(op.weight.shape[0])
        unit = units.linear_unit([(everything, op.weight)], x.span, op.bias if keep_bias else None)
        return _per_place(unit, op, args)
    if isinstance(op, Conv):
        return _conv(op, x, keep_bias)
    if isinstance(op, Pool):
        return _pool(op, x)
    if isinstance(op, Requant):
        return _per_place(units.requant_unit(op, x.span, x.offset), op, args)
    if isinstance(op, Thresholds):
        return _per_place(units.thresholds_unit(op, x.span, x.offset), op, args)
    if isinstance(op, Lut):
        return _per_place(units.lut_unit(op, x.span), op, args)
    if isinstance(op, Add):
        return _per_place(units.add_unit(op, [a.span for a in args]), op, args)
    if isinstance(op, ArgMax):
        return _per_place(units.argmax_unit(x.span), op, args)
    return _wiring(op, args)


def _output_span(logic: list[Netlist], channels: int) -> Interval:
    ends = [[(n.nodes[o].lo, n.nodes[o].hi) for o in n.outputs] for n in logic]
    flat = np.concatenate([np.array(e, np.int64).reshape(-1, channels, 2) for e in ends])
    return Interval(flat[..., 0].min(axis=0), flat[..., 1].max(axis=0))


def _elements(shape: Shape) -> IntArray:
    return np.arange(math.prod(shape)).reshape(shape)


def _per_place(unit: Netlist, op: Op, args: list[Layer]) -> _Logic:
    """One copy for every place, all channels of the last axis in each."""
    ports = [_elements(a.op.shape).reshape(-1, a.op.shape[-1]) for a in args]
    outs = _elements(op.shape).reshape(-1, op.shape[-1])
    return [unit], [Instance(0, tuple(p[i] for p in ports), outs[i]) for i in range(len(outs))]


def _pad(elements: IntArray, pads: Pads) -> IntArray:
    return np.pad(elements, (*pads, (0, 0)), constant_values=ZERO)


def _conv(op: Conv, x: Layer, keep_bias: bool) -> _Logic:
    """One copy of the kernel for every output place; its elements are tap after tap, channels inside."""
    taps = math.prod(op.kernel)
    n_in, n_out = op.weight.shape[-2:]
    per_group = n_out // op.groups
    weight = op.weight.reshape(taps * n_in, n_out)
    element = np.arange(taps * n_in * op.groups).reshape(taps, op.groups, n_in)
    blocks = [(element[:, g].reshape(-1), weight[:, g * per_group : (g + 1) * per_group]) for g in range(op.groups)]
    span = x.span.with_zero() if any(a or b for a, b in op.pads) else x.span
    tiled = Interval(np.tile(span.lo, taps), np.tile(span.hi, taps))
    unit = units.linear_unit(blocks, tiled, op.bias if keep_bias else None)
    view = windows(_pad(_elements(x.op.shape), op.pads)[None], op.kernel, op.strides, op.dilations)
    places = view.reshape(-1, taps * x.op.shape[-1])
    outs = _elements(op.shape).reshape(-1, n_out)
    return [unit], [Instance(0, (p,), o) for p, o in zip(places, outs, strict=True)]


def _pool(op: Pool, x: Layer) -> _Logic:
    """One copy for every output place; at the edges, a maximum has units of its own without the padded taps."""
    taps, channels = math.prod(op.window), x.op.shape[-1]
    view = windows(_pad(_elements(x.op.shape), op.pads)[None], op.window, op.strides, (1,) * len(op.window))
    places = view.reshape(-1, taps, channels)
    outs = _elements(op.shape).reshape(-1, channels)
    if op.mode == "sum":
        span = x.span.with_zero() if any(a or b for a, b in op.pads) else x.span
        unit = units.pool_unit("sum", taps, span)
        return [unit], [Instance(0, (p.reshape(-1),), o) for p, o in zip(places, outs, strict=True)]
    sizes: dict[int, int] = {}
    instances = []
    for p, o in zip(places, outs, strict=True):
        real = p[p[:, 0] != ZERO]
        unit_number = sizes.setdefault(len(real), len(sizes))
        instances.append(Instance(unit_number, (real.reshape(-1),), o))
    return [units.pool_unit("max", n, x.span) for n in sizes], instances


def empty_windows(op: Pool, shape: Shape) -> int:
    """Places of a pool whose whole window lies in the padding."""
    view = windows(_pad(_elements(shape), op.pads)[None], op.window, op.strides, (1,) * len(op.window))
    return int((view.reshape(-1, math.prod(op.window), shape[-1]) == ZERO).all(axis=(1, 2)).sum())


def _wiring(op: Op, args: list[Layer]) -> _Logic:
    sizes = [a.size for a in args]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).tolist()
    tensors = [_elements(a.op.shape) + s for a, s in zip(args, starts, strict=True)]
    if isinstance(op, Concat):
        source = np.concatenate(tensors, axis=-1)
    elif isinstance(op, Pad):
        source = _pad(tensors[0], op.pads)
    elif isinstance(op, Upsample):
        source = tensors[0]
        for axis, factor in enumerate(op.factors):
            source = np.repeat(source, factor, axis=axis)
    else:
        assert isinstance(op, Reshape), f"no hardware for op {op.kind}"
        source = tensors[0]
    unit = units.wire_unit(source.reshape(-1), [a.span for a in args], starts)
    ports = tuple(_elements((n,)) for n in sizes)
    return [unit], [Instance(0, ports, np.arange(source.size))]
