"""A QNet in FINN's units, op by op, in the order of the net."""

from __future__ import annotations

from collections.abc import Callable
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
    Source,
    Steps,
    Sum,
    Unit,
    Window,
    Winner,
    carried,
    pair,
    sides,
)
from bitsmith.hls.backends.staircase import constants_of, staircase
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
from bitsmith.models.ir.types import IntArray


def folds_bias(net: QNet, op: Op) -> bool:
    """Whether the bias of ``op`` can go into the thresholds of everyone who reads it."""
    users = net.users(op.name)
    return bool(users) and op is not net.output and all(isinstance(u, Requant | Thresholds | Lut) for u in users)


def plan(net: QNet) -> tuple[Unit, ...]:
    """The units of ``net``, op by op; the backend's check must have passed it.  ``simplify`` comes next."""
    return tuple(_Planner(net).run())


class _Planner:
    def __init__(self, net: QNet) -> None:
        self.net = net
        self.spans = intervals(net)
        self.units: list[Unit] = []
        self.tensors: dict[str, str] = {}  # value of the net -> tensor
        self.missing: dict[str, IntArray] = {}  # value of the net -> bias that its tensor lacks
        self.methods: dict[type[Op], Callable[..., None]] = {
            Input: self._input,
            Dense: self._dense,
            Conv: self._conv,
            Pool: self._pool,
            Requant: self._steps,
            Thresholds: self._steps,
            Lut: self._steps,
            Add: self._add,
            Concat: self._concat,
            Reshape: self._reshape,
            Pad: self._pad,
            Upsample: self._upsample,
            ArgMax: self._argmax,
        }

    def run(self) -> list[Unit]:
        for op in self.net.ops:
            self.methods[type(op)](op)
        return self.units

    def put(self, kind: type[Unit], op: Op, inputs: tuple[str, ...], name: str = "", **fields: Any) -> str:
        """Append a unit; without ``name`` it is the value of ``op`` itself, with the op's interval and shape."""
        span = self.spans[op.name]
        own = {"shape": carried(op.shape), "lo": span.min, "hi": span.max, "exact": not name}
        unit = kind(name=name or op.name, op=op.name, inputs=inputs, **{**own, **fields})
        self.units.append(unit)
        if not name:
            self.tensors[op.name] = unit.name
        return unit.name

    def source(self, op: Op) -> tuple[str, Interval, Shape]:
        """Tensor, interval and carried shape of the first input of ``op``."""
        name = op.inputs[0]
        return self.tensors[name], self.spans[name], carried(self.net[name].shape)

    def _input(self, op: Input) -> None:
        self.put(Source, op, ())

    def _dense(self, op: Dense) -> None:
        self.product(op, self.source(op)[0], op.weight, op.bias)

    def product(self, op: Op, x: str, weight: IntArray, bias: IntArray, kernel: Pair | None = None) -> None:
        """A product and its bias, which goes into the thresholds that follow, or into an addition."""
        if not bias.any():
            self.put(Product, op, (x,), weight=weight, kernel=kernel)
            return
        span = self.spans[op.name]
        raw = {"lo": int((span.lo - bias).min()), "hi": int((span.hi - bias).max())}
        name = self.put(Product, op, (x,), f"{op.name}.product", weight=weight, kernel=kernel, **raw)
        if folds_bias(self.net, op):
            self.tensors[op.name], self.missing[op.name] = name, bias
        else:
            self.put(Affine, op, (name,), function="Add", constant=bias)

    def window(self, op: Op, x: str, depthwise: bool, kernel: Pair, **fields: Any) -> str:
        """Windows for a product; their values are those of the input, and the zeros of the padding."""
        span, channels = self.spans[op.inputs[0]], self.net[op.inputs[0]].shape[-1]
        shape = (*carried(op.shape)[:-1], kernel[0] * kernel[1] * channels)
        ends = {"lo": min(span.min, 0), "hi": max(span.max, 0)} if any(fields["pads"]) else {}
        fields = {"lo": span.min, "hi": span.max, **ends, "shape": shape, **fields}
        return self.put(Window, op, (x,), f"{op.name}.windows", depthwise=depthwise, kernel=kernel, **fields)

    def _conv(self, op: Conv) -> None:
        x, _, shape = self.source(op)
        kernel, strides, pads = pair(op.kernel), pair(op.strides), sides(op.pads)
        channels, outs = shape[-1], op.shape[-1]
        deep = op.groups == channels == outs and channels > 1
        if kernel != (1, 1) or strides != (1, 1) or any(pads):
            x = self.window(op, x, deep, kernel, strides=strides, pads=pads, dilations=pair(op.dilations))
        self.product(op, x, dense_weight(op, channels), op.bias, kernel if deep else None)

    def _pool(self, op: Pool) -> None:
        fields: dict[str, Any] = {
            "mode": op.mode,
            "kernel": pair(op.window),
            "strides": pair(op.strides),
            "pads": sides(op.pads),
        }
        span = self.spans[op.inputs[0]]
        if op.mode == "max" and any(fields["pads"]) and span.min < 0:
            self.lifted_pool(op, span, fields)
        else:
            self.put(Pooling, op, (self.source(op)[0],), **fields)

    def lifted_pool(self, op: Pool, span: Interval, fields: dict[str, Any]) -> None:
        """FINN pads with zeros, which must not win: values below zero are lifted to zero and up, and put back."""
        # by thresholds, not by an addition: FINN must see an unsigned type
        lift: dict[str, Any] = {"lo": 0, "hi": max(span.max - span.min, 1)}
        x, _, shape = self.source(op)
        levels = np.arange(span.min + 1, span.min + 1 + lift["hi"])[None]
        x = self.put(Steps, op, (x,), f"{op.name}.raised", thresholds=levels, base=0, shape=shape, **lift)
        x = self.put(Pooling, op, (x,), f"{op.name}.largest", **fields, **lift)
        back = np.full(op.shape[-1], span.min)
        if folds_bias(self.net, op):
            self.tensors[op.name], self.missing[op.name] = x, back
        else:
            self.put(Affine, op, (x,), function="Add", constant=back)

    def _steps(self, op: Requant | Thresholds | Lut) -> None:
        x, span, _ = self.source(op)
        constants = constants_of(op, span)
        if constants is not None:
            self.line(op, x, span, *constants)
            return
        stairs = staircase(op, span)
        rows = stairs.thresholds
        if op.inputs[0] in self.missing:
            rows = rows - self.missing[op.inputs[0]][:, None]
        source = next(u for u in self.units if u.name == x)
        rows = np.clip(rows, source.lo, source.hi + 1)  # FINN wants no threshold below an unsigned type
        reach = {"lo": stairs.base, "hi": stairs.base + rows.shape[1]}
        if (stairs.sign == 1).all():
            self.put(Steps, op, (x,), thresholds=rows, base=stairs.base, **reach)
            return
        name = self.put(Steps, op, (x,), f"{op.name}.steps", thresholds=rows, base=stairs.base, **reach)
        self.put(Affine, op, (name,), function="Mul", constant=stairs.sign)

    def line(self, op: Op, x: str, span: Interval, mult: IntArray, add: IntArray) -> None:
        """x * mult + add, with what ``x`` lacks."""
        add = add + mult * self.missing.get(op.inputs[0], np.zeros_like(mult))
        own = self.spans[op.name]
        reach = {"lo": int((own.lo - add).min()), "hi": int((own.hi - add).max())}
        x = self.put(Affine, op, (x,), f"{op.name}.times", function="Mul", constant=mult, **reach)
        self.put(Affine, op, (x,), function="Add", constant=add)

    def _add(self, op: Add) -> None:
        branches = [self._scaled(op, i, factor) for i, factor in enumerate(op.factors)]
        total, span = branches[0]
        for i, (name, part) in enumerate(branches[1:], 1):
            span = Interval(span.lo + part.lo, span.hi + part.hi)
            last = i == len(branches) - 1
            total = self.put(Sum, op, (total, name), "" if last else f"{op.name}.sum{i}", lo=span.min, hi=span.max)
        if len(branches) == 1:
            self.put(Affine, op, (total,), function="Mul", constant=np.ones(op.shape[-1], np.int64))

    def _scaled(self, op: Add, index: int, factor: int) -> tuple[str, Interval]:
        name = self.tensors[op.inputs[index]]
        span = self.spans[op.inputs[index]]
        if factor == 1:
            return name, span
        ends = np.stack([span.lo * factor, span.hi * factor])
        span = Interval(ends.min(axis=0), ends.max(axis=0))
        constant = np.full(op.shape[-1], factor)
        unit = f"{op.name}.branch{index}"
        return self.put(Affine, op, (name,), unit, function="Mul", constant=constant, lo=span.min, hi=span.max), span

    def _concat(self, op: Concat) -> None:
        self.put(Join, op, tuple(self.tensors[i] for i in op.inputs))

    def _reshape(self, op: Reshape) -> None:
        """Nothing at the end of the net: a stream has no shape, so the output is declared without it."""
        x, _, shape = self.source(op)
        ends = op is self.net.output and x != self.units[0].name
        if ends or (shape == carried(op.shape) and op is not self.net.output):
            self.tensors[op.name] = x
        else:
            self.put(Reform, op, (x,))

    def _pad(self, op: Pad) -> None:
        """Windows of one place: FINN pads in front of them."""
        one = (1, 1)
        fields: dict[str, Any] = {
            "kernel": one,
            "strides": one,
            "dilations": one,
            "pads": sides(op.pads),
            "depthwise": False,
        }
        self.put(Window, op, (self.source(op)[0],), **fields)

    def _upsample(self, op: Upsample) -> None:
        self.put(Enlarge, op, (self.source(op)[0],), factors=pair(op.factors))

    def _argmax(self, op: ArgMax) -> None:
        self.put(Winner, op, (self.source(op)[0],))


def dense_weight(op: Conv, channels: int) -> IntArray:
    """The convolution's weight as one matrix (taps * channels, n_out), zero between groups."""
    taps = int(np.prod(op.kernel))
    part = op.weight.reshape(taps, channels // op.groups, op.groups, -1)  # outputs are group-major
    full = np.zeros((taps, op.groups, channels // op.groups, op.groups, part.shape[-1]), np.int64)
    for g in range(op.groups):
        full[:, g, :, g, :] = part[:, :, g, :]
    return full.reshape(taps * channels, -1)
