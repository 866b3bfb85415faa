"""The multiplier, offset and shift of a Requant that equals a given monotone step function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bitsmith.models.ir.types import IntArray

MAX_SHIFT = 40
GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, eq=False)
class Affine:
    """floor((x * mult + add) / 2**shift), one multiplier and offset per column."""

    mult: IntArray
    add: IntArray
    shift: int


@dataclass(frozen=True, eq=False)
class _Line:
    """What the line ``m x + a`` must keep: ``>= at_least`` at ``x_at_least``, ``< below`` at ``x_below``."""

    x_at_least: IntArray
    at_least: IntArray
    x_below: IntArray
    below: IntArray

    def margin(self, slope: float) -> float:
        """Height of the band of offsets that a slope allows, in steps: concave in the slope."""
        return float((self.below - slope * self.x_below).min() - (self.at_least - slope * self.x_at_least).max())

    def best_slope(self) -> float:
        """The slope with the highest band, by golden-section search."""
        steepest = float(np.abs(self.at_least).max() + np.abs(self.below).max() + 2)
        a, b = 0.0, steepest
        c, d = b - GOLDEN * (b - a), a + GOLDEN * (b - a)
        fc, fd = self.margin(c), self.margin(d)
        for _ in range(120):
            if fc > fd:
                b, d, fd = d, c, fc
                c = b - GOLDEN * (b - a)
                fc = self.margin(c)
            else:
                a, c, fc = c, d, fd
                d = a + GOLDEN * (b - a)
                fd = self.margin(d)
        return (a + b) / 2

    def offset(self, mult: int, shift: int) -> int | None:
        """The offset in the middle of the band of ``mult``, in exact integers; None if the band is empty."""
        low = int(((self.at_least << shift) - mult * self.x_at_least).max())
        high = int(((self.below << shift) - mult * self.x_below).min()) - 1
        return (low + high) // 2 if low <= high else None

    def solve(self, slope: float, shift: int) -> tuple[int, int] | None:
        """(mult, offset) at this shift, if the multipliers next to the best slope allow any."""
        for mult in dict.fromkeys((round(slope * 2**shift), int(slope * 2**shift), int(slope * 2**shift) + 1)):
            offset = self.offset(mult, shift)
            if offset is not None:
                return mult, offset
        return None


def fit_affine(
    lo: IntArray, hi: IntArray, points: Sequence[IntArray], levels: Sequence[npt.NDArray[np.int64]]
) -> Affine | None:
    """The Requant with the smallest shift that has exactly these steps on ``lo[c]..hi[c]``.

    ``levels[c][i + 1]`` holds from ``points[c][i]`` on; every column rises or falls.
    The result is meant with saturation to the range of all levels.  None if there
    is no such line.
    """
    bottom, top = min(int(v.min()) for v in levels), max(int(v.max()) for v in levels)
    signs = np.array([-1 if v[-1] < v[0] else 1 for v in levels])
    lines, slopes, shift = [], [], 0
    for c, sign in enumerate(signs):
        line = _constraints(int(lo[c]), int(hi[c]), points[c], levels[c], sign, bottom, top)
        slope = line.best_slope()
        if line.margin(slope) <= 0:
            return None
        while line.solve(slope, shift) is None:
            shift += 1
            if shift > MAX_SHIFT:
                return None
        lines.append(line)
        slopes.append(slope)
    found = [line.solve(slope, shift) for line, slope in zip(lines, slopes, strict=True)]
    pairs = [pair for pair in found if pair is not None]
    if len(pairs) != len(found):
        return None
    mult, add = np.array(pairs, np.int64).T
    return Affine(mult * signs, add, shift)


def _constraints(lo: int, hi: int, points: IntArray, row: IntArray, sign: int, bottom: int, top: int) -> _Line:
    """A falling column is a rising one of ``-x``.  Saturation frees the ends that lie on the range's own ends."""
    if sign < 0:
        lo, hi, points, row = -hi, -lo, (1 - points)[::-1], row[::-1]
    x_at_least, at_least = points, row[1:]
    x_below, below = points - 1, row[:-1] + 1
    if row[0] != bottom or not len(points):
        x_at_least, at_least = np.append(x_at_least, lo), np.append(at_least, row[0])
    if row[-1] != top or not len(points):
        x_below, below = np.append(x_below, hi), np.append(below, row[-1] + 1)
    return _Line(x_at_least, at_least, x_below, below)
