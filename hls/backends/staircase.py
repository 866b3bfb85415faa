"""A monotone function of integers as a MultiThreshold of QONNX and FINN: a base, and one threshold per step up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bitsmith.models.ir.execute import apply_op
from bitsmith.models.ir.intervals import Interval
from bitsmith.models.ir.ops import Lut, Requant, Thresholds
from bitsmith.models.ir.types import IntArray, Overflow

StepOp = Requant | Thresholds | Lut

MAX_LEVELS = 4095
"""Most thresholds per channel; FINN keeps each of them in memory, twelve bits are beyond any use of it."""


@dataclass(frozen=True, eq=False)
class Staircase:
    """``y[c] = sign[c] * (base + #{k : x[c] >= thresholds[c, k]})``, exactly the op for every x of its interval."""

    thresholds: IntArray  # (1 or channels, levels), each row ascending; at least one level
    base: int
    sign: IntArray  # (channels,): 1, or -1 where the function falls


def why_not(op: StepOp, span: Interval) -> str:
    """What keeps ``op`` from being constants or a staircase on ``span``; empty if nothing does."""
    if constants_of(op, span):
        return ""
    if isinstance(op, Requant) and op.overflow is Overflow.WRAP and not _same_when_saturated(op, span):
        return f"values outside of {op.lo}..{op.hi} wrap around"
    if isinstance(op, Lut):
        steps = np.diff(op.table[span.min - op.offset : span.max - op.offset + 1])
        if (steps > 0).any() and (steps < 0).any():
            return "its table rises and falls"
    low, high = _ends(op, span)
    levels = int(np.abs(high - low).max(initial=0))
    if levels > MAX_LEVELS:
        return f"its output takes {levels + 1} levels"
    return ""


def constants_of(op: StepOp, span: Interval) -> tuple[IntArray, IntArray] | None:
    """(mult, add), each (channels,), if ``op`` is ``x * mult + add`` on ``span``: nothing is dropped or clipped."""
    if not isinstance(op, Requant) or op.shift or not _same_when_saturated(op, span):
        return None
    channels = len(span.lo)
    return np.broadcast_to(op.mult, channels), np.broadcast_to(op.add, channels)


def staircase(op: StepOp, span: Interval) -> Staircase:
    """``op`` as thresholds, found by bisection over ``span``; :func:`why_not` must have nothing to say."""
    low, high = _ends(op, span)
    sign = np.where(high < low, -1, 1)
    bottom, top = np.minimum(low * sign, high * sign), np.maximum(low * sign, high * sign)
    base = int(bottom.min())
    wanted = np.arange(base + 1, max(int(top.max()), base + 1) + 1)[:, None]  # (levels, 1)
    if _per_tensor(op) and (sign == sign[0]).all():
        span = Interval(np.full_like(span.lo, span.min), np.full_like(span.hi, span.max))
    # below `first` the function is less than wanted, from `last` on it is not: shapes (levels, channels)
    first = np.broadcast_to(span.lo, (len(wanted), len(span.lo))).copy()
    last = np.broadcast_to(span.hi + 1, first.shape).copy()
    while (first < last).any():
        middle = (first + last) >> 1  # stays below `last`, so inside of the interval, where it matters
        reached = _evaluate(op, np.minimum(middle, span.hi), span) * sign >= wanted
        open_ = first < last
        last = np.where(open_ & reached, middle, last)
        first = np.where(open_ & ~reached, middle + 1, first)
    rows = first.T
    if (rows == rows[0]).all():
        rows = rows[:1]
    return Staircase(rows, base, sign)


def _per_tensor(op: StepOp) -> bool:
    if isinstance(op, Requant):
        return op.mult.size == 1 and op.add.size == 1
    if isinstance(op, Thresholds):
        return len(op.thresholds) == 1 and op.base.size == 1 and op.step.size == 1
    return True


def _evaluate(op: StepOp, x: IntArray, span: Interval) -> IntArray:
    """``op`` on integers (rows, channels) of its interval."""
    return apply_op(op, [x], [span])


def _ends(op: StepOp, span: Interval) -> tuple[IntArray, IntArray]:
    ends = _evaluate(op, np.stack([span.lo, span.hi]), span)
    channels = len(span.lo)
    return np.broadcast_to(ends[0], channels), np.broadcast_to(ends[1], channels)


def _same_when_saturated(op: Requant, span: Interval) -> bool:
    """Whether no value leaves the range, so that wrapping never happens."""
    wide = Requant(
        **{
            **{name: getattr(op, name) for name in op.__dataclass_fields__},
            "lo": -(1 << 61),
            "hi": (1 << 61) - 1,
            "overflow": Overflow.SATURATE,
        }
    )
    low, high = _ends(wide, span)
    return bool(min(low.min(), high.min()) >= op.lo and max(low.max(), high.max()) <= op.hi)
