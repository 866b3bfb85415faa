"""Exact integer arithmetic on numpy arrays, shared by ``execute`` and the intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bitsmith.models.ir.types import IntArray, Overflow, Rounding


def carrier(bound: float) -> type[np.generic]:
    """The fastest number type in which a sum of products is exact.

    ``bound`` is an upper bound of sum(|a| |b|), so of every partial sum in any
    order.  Below 2**24 (2**53) float32 (float64) holds every one of them, and numpy
    hands the product to BLAS; integer products it does itself, about 100 times slower.
    """
    return np.float32 if bound < 2**24 else np.float64 if bound < 2**53 else np.int64


def exact_matmul(a: npt.NDArray[Any], b: IntArray, bound: float) -> IntArray:
    """``a @ b`` on integers; ``a`` may already be in the carrier of ``bound`` (see :func:`carrier`)."""
    kind = carrier(bound)
    product: IntArray = (a.astype(kind, copy=False) @ b.astype(kind)).astype(np.int64, copy=False)
    return product


def round_shift(x: IntArray, shift: int, rounding: Rounding) -> IntArray:
    """round(x / 2**shift) for ``shift >= 0``.

    Half-even is one adder: floor((x + 2**(s-1) - 1 + bit_s(x)) / 2**s), since the
    lowest kept bit says which way a tie goes.
    """
    if shift == 0:
        return x
    half = 1 << (shift - 1)
    if rounding is Rounding.HALF_UP:
        x = x + half
    elif rounding is Rounding.HALF_EVEN:
        x = x + (half - 1) + ((x >> shift) & 1)
    return x >> shift


def fit(x: IntArray, lo: int, hi: int, overflow: Overflow) -> IntArray:
    """``x`` brought into ``lo..hi``: clipped, or taken modulo the size of the range."""
    if overflow is Overflow.SATURATE:
        return np.clip(x, lo, hi)
    return (x - lo) % (hi - lo + 1) + lo


def count_thresholds(x: IntArray, thresholds: IntArray) -> IntArray:
    """How many of its channel's thresholds every integer reaches.

    Shapes: x (..., channels), thresholds (1 or channels, levels) ascending.
    """
    if thresholds.shape[0] == 1:
        return np.searchsorted(thresholds[0], x, side="right").astype(np.int64)
    count = np.empty_like(x)
    for c, row in enumerate(thresholds):
        count[..., c] = np.searchsorted(row, x[..., c], side="right")
    return count
