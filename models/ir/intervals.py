"""Exact integer intervals through a net: what every accumulator can hold.

Interval arithmetic per channel of the last axis, on the real weights, so a
width that follows from it is never guessed.  Sound, not always tight: values
that depend on each other are taken as free.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bitsmith.models.ir.numerics import count_thresholds, exact_matmul, fit, round_shift
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
)
from bitsmith.models.ir.types import MAX_BITS, IntArray, Overflow


@dataclass(frozen=True, eq=False)
class Interval:
    """``lo[c] <= x[..., c] <= hi[c]``; both of shape (channels,)."""

    lo: IntArray
    hi: IntArray

    @property
    def min(self) -> int:
        """Smallest value over the channels."""
        return int(self.lo.min())

    @property
    def max(self) -> int:
        """Largest value over the channels."""
        return int(self.hi.max())

    @property
    def magnitude(self) -> IntArray:
        """Largest absolute value per channel."""
        return np.maximum(np.abs(self.lo), np.abs(self.hi))

    def with_zero(self) -> Interval:
        """The smallest interval that holds zero too."""
        return Interval(np.minimum(self.lo, 0), np.maximum(self.hi, 0))


def intervals(net: QNet) -> dict[str, Interval]:
    """The interval of every value of ``net``, by name."""
    known: dict[str, Interval] = {}
    shapes = {op.name: op.shape for op in net.ops}
    for op in net.ops:
        args = [known[i] for i in op.inputs]
        known[op.name] = infer_interval(op, args, [shapes[i] for i in op.inputs])
    return known


def infer_interval(op: Op, args: list[Interval], shapes: list[Shape]) -> Interval:
    """Interval of the output of ``op``; OverflowError beyond MAX_BITS."""
    if isinstance(op, Input):
        return _constant(op.lo, op.hi, op.shape[-1])
    if isinstance(op, Add):
        return _add(op, args)
    if isinstance(op, Concat):
        return Interval(np.concatenate([a.lo for a in args]), np.concatenate([a.hi for a in args]))
    if isinstance(op, ArgMax):
        return _constant(0, shapes[0][-1] - 1, 1)
    x = args[0]
    if isinstance(op, Dense):
        return _matmul(x, op.weight, op.bias)
    if isinstance(op, Conv):
        return _conv(op, x)
    if isinstance(op, Pool):
        return _pool(op, x)
    if isinstance(op, Requant):
        return _requant(op, x)
    if isinstance(op, Thresholds):
        ends = [op.base + op.step * count_thresholds(v, op.thresholds) for v in (x.lo, x.hi)]
        return Interval(np.minimum(*ends), np.maximum(*ends))
    if isinstance(op, Lut):
        return _lut(op, x)
    if isinstance(op, Reshape):
        return _reshape(x, shapes[0], op.shape)
    if isinstance(op, Pad):
        return x.with_zero() if any(a or b for a, b in op.pads) else x
    return x  # Upsample


def _constant(lo: int, hi: int, channels: int) -> Interval:
    return Interval(np.full(channels, lo, np.int64), np.full(channels, hi, np.int64))


def _guard(bound: float) -> None:
    """The same sum in float64 decides whether int64 can hold it."""
    if bound >= 2.0 ** (MAX_BITS - 1):
        raise OverflowError(f"values reach 2^{math.log2(bound):.1f}, more than {MAX_BITS} bits")


def matmul_bound(x: Interval, weight: IntArray) -> float:
    """Upper bound of sum |x| |w| over all outputs; weight (n_in, n_out)."""
    return float((x.magnitude.astype(np.float64) @ np.abs(weight).astype(np.float64)).max(initial=0.0))


def _matmul(x: Interval, weight: IntArray, bias: IntArray) -> Interval:
    bound = matmul_bound(x, weight)
    _guard(bound + float(np.abs(bias).max(initial=0)))
    positive, negative = np.maximum(weight, 0), np.minimum(weight, 0)
    lo = exact_matmul(x.lo, positive, bound) + exact_matmul(x.hi, negative, bound)
    hi = exact_matmul(x.hi, positive, bound) + exact_matmul(x.lo, negative, bound)
    return Interval(lo + bias, hi + bias)


def _conv(op: Conv, x: Interval) -> Interval:
    if any(a or b for a, b in op.pads):
        x = x.with_zero()
    taps = math.prod(op.kernel)
    n_in, n_out = op.weight.shape[-2:]
    flat = op.weight.reshape(taps * n_in, n_out)
    per_group = n_out // op.groups
    parts = []
    for g in range(op.groups):
        channels = slice(g * n_in, (g + 1) * n_in)
        outs = slice(g * per_group, (g + 1) * per_group)
        window = Interval(np.tile(x.lo[channels], taps), np.tile(x.hi[channels], taps))
        parts.append(_matmul(window, flat[:, outs], op.bias[outs]))
    return Interval(np.concatenate([p.lo for p in parts]), np.concatenate([p.hi for p in parts]))


def _pool(op: Pool, x: Interval) -> Interval:
    if op.mode == "max":
        return x
    taps = math.prod(op.window)
    _guard(float(x.magnitude.max()) * taps)
    lo, hi = x.lo * taps, x.hi * taps
    if any(a or b for a, b in op.pads):
        lo, hi = np.minimum(lo, x.lo), np.maximum(hi, x.hi)
        return Interval(lo, hi).with_zero()
    return Interval(lo, hi)


def _requant(op: Requant, x: Interval) -> Interval:
    _guard(float((x.magnitude * np.abs(op.mult).astype(np.float64) + np.abs(op.add)).max()) + 2.0**op.shift)
    ends = [round_shift(v * op.mult + op.add, op.shift, op.rounding) for v in (x.lo, x.hi)]
    lo, hi = np.minimum(*ends), np.maximum(*ends)
    if op.overflow is Overflow.WRAP:
        outside = (lo < op.lo) | (hi > op.hi)
        return Interval(np.where(outside, op.lo, lo), np.where(outside, op.hi, hi))
    return Interval(fit(lo, op.lo, op.hi, op.overflow), fit(hi, op.lo, op.hi, op.overflow))


def _lut(op: Lut, x: Interval) -> Interval:
    if x.min < op.offset or x.max >= op.offset + op.table.size:
        end = op.offset + op.table.size - 1
        raise OverflowError(f"the table covers {op.offset}..{end}, the input {x.min}..{x.max}")
    reach = [op.table[lo - op.offset : hi - op.offset + 1] for lo, hi in zip(x.lo, x.hi, strict=True)]
    return Interval(np.array([r.min() for r in reach]), np.array([r.max() for r in reach]))


def _add(op: Add, args: list[Interval]) -> Interval:
    _guard(sum(abs(f) * float(a.magnitude.max()) for f, a in zip(op.factors, args, strict=True)))
    lo = sum(f * (a.lo if f > 0 else a.hi) for f, a in zip(op.factors, args, strict=True))
    hi = sum(f * (a.hi if f > 0 else a.lo) for f, a in zip(op.factors, args, strict=True))
    return Interval(np.asarray(lo), np.asarray(hi))


def _reshape(x: Interval, before: Shape, after: Shape) -> Interval:
    """Channels of the new last axis gather values of several old channels, in row-major order."""
    if before[-1] == after[-1]:
        return x
    if len(after) == 1:
        times = after[0] // before[-1]
        return Interval(np.tile(x.lo, times), np.tile(x.hi, times))
    full = [np.broadcast_to(v, before).reshape(-1, after[-1]) for v in (x.lo, x.hi)]
    return Interval(full[0].min(axis=0), full[1].max(axis=0))
