"""Thresholds that are a multiplication, an addition and a shift."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from bitsmith.models.ir import Overflow, Rounding
from bitsmith.models.ir.affine import Affine, fit_affine
from bitsmith.models.ir.execute import apply_op
from bitsmith.models.ir.intervals import Interval
from bitsmith.models.ir.ops import Requant, Thresholds
from bitsmith.models.ir.types import IntArray


def as_requant(op: Thresholds, span: Interval) -> Requant | None:
    """A Requant that equals ``op`` for every x in ``span``; None if none was found.

    It is compared with ``op`` on both sides of every threshold and at both ends; both
    are monotone in each channel, so they are equal in between.
    """
    return _found(op, span.lo.tobytes(), span.hi.tobytes())


@lru_cache(maxsize=256)
def _found(op: Thresholds, lo_bytes: bytes, hi_bytes: bytes) -> Requant | None:
    span = Interval(np.frombuffer(lo_bytes, np.int64), np.frombuffer(hi_bytes, np.int64))
    single = len(op.thresholds) == op.base.size == op.step.size == 1
    lo, hi = (np.array([span.min]), np.array([span.max])) if single else (span.lo, span.hi)
    columns = len(lo)
    rows = np.broadcast_to(op.thresholds, (columns, op.thresholds.shape[1]))
    base, step = (np.broadcast_to(v, columns) for v in (op.base, op.step))
    if (step == 0).any():
        return None
    points, levels = [], []
    for c in range(columns):
        inside = rows[c][(rows[c] > lo[c]) & (rows[c] <= hi[c])]
        first = int((rows[c] <= lo[c]).sum())
        places, counts = np.unique(inside, return_counts=True)
        points.append(places)
        levels.append(base[c] + step[c] * (first + np.concatenate([[0], np.cumsum(counts)])))
    found = fit_affine(lo, hi, points, levels)
    if found is None or not _fits(found, lo, hi):
        return None
    result = Requant(
        name=op.name,
        inputs=op.inputs,
        shape=op.shape,
        type=op.type,
        mult=found.mult[0] if single else found.mult,
        add=found.add[0] if single else found.add,
        shift=found.shift,
        lo=min(int(v.min()) for v in levels),
        hi=max(int(v.max()) for v in levels),
        rounding=Rounding.FLOOR,
        overflow=Overflow.SATURATE,
    )
    return result if _equal(op, result, span) else None


def _fits(found: Affine, lo: IntArray, hi: IntArray) -> bool:
    """Whether ``x * mult + add`` stays far from the end of 62 bits."""
    reach = np.maximum(np.abs(lo), np.abs(hi)).astype(np.float64) * np.abs(found.mult) + np.abs(found.add)
    return bool(reach.max() < 2.0**60)


def _equal(op: Thresholds, other: Requant, span: Interval) -> bool:
    """Whether both give the same on both sides of every threshold, and at the ends of ``span``."""
    rows = np.broadcast_to(op.thresholds, (len(span.lo), op.thresholds.shape[1])).T  # (levels, channels)
    x = np.clip(np.concatenate([rows, rows - 1, span.lo[None], span.hi[None]]), span.lo, span.hi)
    return bool((apply_op(op, [x], [span]) == apply_op(other, [x], [span])).all())
