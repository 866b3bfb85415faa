"""Builds a QNet op by op; shapes, scales and widths follow from the inputs.

The front ends use it, so that none of them ever states a width: every type is
the narrowest that holds the exact interval.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from bitsmith.models.ir.intervals import Interval, infer_interval
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
    QNet,
    Requant,
    Reshape,
    Shape,
    Thresholds,
    Upsample,
)
from bitsmith.models.ir.shapes import infer_shape
from bitsmith.models.ir.structure import Structure
from bitsmith.models.ir.types import Overflow, QuantType, Rounding
from bitsmith.models.ir.verify import scale_of, times, verify

Scale = float | tuple[float, ...]
Ints = npt.ArrayLike

_ANY = QuantType(1, False)


class NetBuilder:
    """Appends ops; every method returns the name of the new value."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ops: dict[str, Op] = {}
        self.spans: dict[str, Interval] = {}

    def _fresh(self, wanted: str) -> str:
        name = re.sub(r"\W", "_", wanted, flags=re.ASCII) or "op"
        name = f"_{name}" if name[0].isdigit() else name
        candidate, n = name, 1
        while candidate in self.ops:
            n += 1
            candidate = f"{name}_{n}"
        return candidate

    def append(self, op: Op, scale: Scale | None = None) -> str:
        """Add ``op`` with its name made unique; shape, scale and width are set here.

        ``scale`` is given for the ops that define their own.  ValueError if the
        inputs do not suit the op, OverflowError if a value needs more than 62 bits.
        """
        fields = {k: getattr(op, k) for k in op.__dataclass_fields__}
        fields["name"] = self._fresh(op.name)
        args = [self.ops[i] for i in op.inputs]
        fields["shape"] = infer_shape(op, [a.shape for a in args])
        op = type(op)(**fields)
        if scale is None:
            scale = scale_of(op, [a.type for a in args])
            if scale is None:
                raise ValueError(f"{op.name}: inputs with the scales {[str(a.type) for a in args]} do not meet")
        span = infer_interval(op, [self.spans[i] for i in op.inputs], [a.shape for a in args])
        if isinstance(scale, tuple) and len(set(scale)) == 1:
            scale = scale[0]
        fields["type"] = QuantType.for_range(span.min, span.max, scale)
        self.ops[op.name] = type(op)(**fields)
        self.spans[op.name] = span
        return op.name

    def input(
        self,
        name: str,
        shape: Shape,
        type: QuantType,
        lo: int | None = None,
        hi: int | None = None,
        rounding: Rounding = Rounding.HALF_EVEN,
        overflow: Overflow = Overflow.SATURATE,
    ) -> str:
        """The Input; ``lo`` and ``hi`` default to the whole range of ``type``."""
        lo, hi = type.min if lo is None else lo, type.max if hi is None else hi
        op = Input(name=name, inputs=(), shape=shape, type=type, lo=lo, hi=hi, rounding=rounding, overflow=overflow)
        return self.append(op, type.scale)

    def dense(
        self,
        name: str,
        x: str,
        weight: Ints,
        bias: Ints | None = None,
        scale: Scale = 1.0,
        structure: Structure | None = None,
    ) -> str:
        """weight (n_in, n_out) in steps of ``scale``; bias in steps of the output."""
        w = np.asarray(weight, np.int64)
        b = np.zeros(w.shape[-1], np.int64) if bias is None else np.asarray(bias, np.int64)
        kind = QuantType.for_range(w.min(), w.max(), scale)
        op = Dense(name=name, inputs=(x,), shape=(), type=_ANY, weight=w, bias=b, weight_type=kind, structure=structure)
        return self.append(op)

    def conv(
        self,
        name: str,
        x: str,
        weight: Ints,
        bias: Ints | None = None,
        scale: Scale = 1.0,
        strides: Shape | None = None,
        pads: Pads | None = None,
        dilations: Shape | None = None,
        groups: int = 1,
        structure: Structure | None = None,
    ) -> str:
        """weight (*kernel, n_in / groups, n_out) in steps of ``scale``; bias in steps of the output."""
        w = np.asarray(weight, np.int64)
        axes = w.ndim - 2
        b = np.zeros(w.shape[-1], np.int64) if bias is None else np.asarray(bias, np.int64)
        op = Conv(
            name=name,
            inputs=(x,),
            shape=(),
            type=_ANY,
            weight=w,
            bias=b,
            weight_type=QuantType.for_range(w.min(), w.max(), scale),
            strides=strides or (1,) * axes,
            pads=pads or ((0, 0),) * axes,
            dilations=dilations or (1,) * axes,
            groups=groups,
            structure=structure,
        )
        return self.append(op)

    def pool(
        self,
        name: str,
        x: str,
        mode: str,
        window: Shape,
        strides: Shape | None = None,
        pads: Pads | None = None,
        scale: Scale | None = None,
    ) -> str:
        """Maximum, or sum; for an average give ``scale`` = input scale / window size."""
        op = Pool(
            name=name,
            inputs=(x,),
            shape=(),
            type=_ANY,
            mode=mode,
            window=window,
            strides=strides or window,
            pads=pads or ((0, 0),) * len(window),
        )
        return self.append(op, self.ops[x].type.scale if scale is None else scale)

    def requant(
        self,
        name: str,
        x: str,
        scale: Scale,
        lo: int,
        hi: int,
        shift: int,
        mult: Ints = 1,
        add: Ints = 0,
        rounding: Rounding = Rounding.HALF_EVEN,
        overflow: Overflow = Overflow.SATURATE,
    ) -> str:
        """round((x * mult + add) / 2**shift) brought into lo..hi, each step standing for ``scale``."""
        op = Requant(
            name=name,
            inputs=(x,),
            shape=(),
            type=_ANY,
            mult=np.asarray(mult, np.int64),
            add=np.asarray(add, np.int64),
            shift=shift,
            lo=lo,
            hi=hi,
            rounding=rounding,
            overflow=overflow,
        )
        return self.append(op, scale)

    def thresholds(self, name: str, x: str, scale: Scale, thresholds: Ints, base: Ints = 0, step: Ints = 1) -> str:
        """base + step * #{x >= thresholds}, each step standing for ``scale``; rows are channels."""
        op = Thresholds(
            name=name,
            inputs=(x,),
            shape=(),
            type=_ANY,
            thresholds=np.atleast_2d(np.asarray(thresholds, np.int64)),
            base=np.atleast_1d(np.asarray(base, np.int64)),
            step=np.atleast_1d(np.asarray(step, np.int64)),
        )
        return self.append(op, scale)

    def lut(self, name: str, x: str, scale: Scale, table: Ints, offset: int) -> str:
        """table[x - offset], each step standing for ``scale``."""
        values = np.asarray(table, np.int64)
        return self.append(Lut(name=name, inputs=(x,), shape=(), type=_ANY, table=values, offset=offset), scale)

    def add(self, name: str, xs: Sequence[str], scale: Scale, factors: Sequence[int] | None = None) -> str:
        """Sum of factor * x, every branch x of scale ``scale * |factor|``."""
        types = [self.ops[x].type for x in xs]
        signs = tuple(factors or (1,) * len(xs))
        probe = Add(name=name, inputs=tuple(xs), shape=(), type=_ANY.with_scale(scale), factors=signs)
        channels = (self.ops[xs[0]].shape[-1],)
        for kind, factor in zip(types, signs, strict=True):
            wanted = times(scale, abs(factor))
            if (np.broadcast_to(kind.scale, channels) != np.broadcast_to(wanted, channels)).any():
                raise ValueError(f"{name}: a branch of scale {kind.scale} times {factor} is not in steps of {scale}")
        return self.append(probe, scale)

    def concat(self, name: str, xs: Sequence[str], scale: Scale) -> str:
        """Inputs joined on the last axis; ``scale`` is theirs, or one per joined channel."""
        return self.append(Concat(name=name, inputs=tuple(xs), shape=(), type=_ANY), scale)

    def reshape(self, name: str, x: str, shape: Shape) -> str:
        """The same integers in another shape."""
        return self.append(Reshape(name=name, inputs=(x,), shape=shape, type=_ANY))

    def pad(self, name: str, x: str, pads: Pads) -> str:
        """Zeros around the spatial axes."""
        return self.append(Pad(name=name, inputs=(x,), shape=(), type=_ANY, pads=pads))

    def upsample(self, name: str, x: str, factors: Shape) -> str:
        """Nearest-neighbour repetition."""
        return self.append(Upsample(name=name, inputs=(x,), shape=(), type=_ANY, factors=factors))

    def argmax(self, name: str, x: str) -> str:
        """Index of the largest channel."""
        return self.append(ArgMax(name=name, inputs=(x,), shape=(), type=_ANY))

    def add_bias(self, name: str, steps: npt.NDArray[np.int64]) -> bool:
        """Give the Dense or Conv ``name``, which has no bias and which nobody reads yet, one; False if it cannot be.

        ``steps`` (n_out,) count the op's own output steps.
        """
        op = self.ops[name]
        if (
            not isinstance(op, Dense | Conv)
            or op.bias.any()
            or any(name in other.inputs for other in self.ops.values())
        ):
            return False
        del self.ops[name], self.spans[name]
        self.append(replace(op, bias=steps))
        return True

    def build(self, output: str, head: str = "none") -> QNet:
        """The finished net, ending in ``output``, without ops that it does not need; verified."""
        needed, order = {output}, list(self.ops.values())
        for op in reversed(order):
            if op.name in needed:
                needed.update(op.inputs)
        kept = [op for op in order if op.name in needed or isinstance(op, Input)]
        kept.sort(key=lambda op: op.name == output)  # stable: the output goes last
        return verify(QNet(self.name, tuple(kept), head))
