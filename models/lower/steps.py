"""Step functions of integers: found by evaluation, written as the cheapest op that equals them.

A quantizer behind any chain of real functions is a step function of the
accumulator's integer.  ``staircase`` finds its steps by asking the source
framework itself; ``emit`` writes them as a Requant, as Thresholds or as a Lut.
Numpy only: every front end can use it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bitsmith.models.ir import NetBuilder, Rounding
from bitsmith.models.ir.affine import Affine, fit_affine
from bitsmith.models.ir.types import IntArray

Floats = npt.NDArray[np.float64]
Scale = float | tuple[float, ...]
Function = Callable[[IntArray], Floats]
"""(n, columns) integers to (n, columns) values: each column on its own."""

TABLE = 1 << 18
"""Up to this many evaluations the whole interval is tabulated; beyond it a monotone function is bisected."""
LUT_ENTRIES = 1 << 16
CHUNK = 1 << 20
FEW_STEPS = 3
"""With so few thresholds comparators are cheaper than anything else."""
COMPARATOR = 0.5
"""Cost of a comparator with a constant, in adders."""


class NotAStaircase(Exception):
    """The function cannot be brought into an op; the message says why."""


@dataclass(frozen=True, eq=False)
class Staircase:
    """Per column: ``levels[i]`` holds from ``points[i - 1]`` (the interval's start for i = 0) to ``points[i] - 1``."""

    lo: IntArray
    hi: IntArray
    points: tuple[IntArray, ...]
    levels: tuple[Floats, ...]

    @property
    def is_monotone(self) -> bool:
        """Whether every column only rises or only falls."""
        rises = [np.diff(row) > 0 for row in self.levels]
        return all(bool(up.all() or not up.any()) for up in rises)


def staircase(f: Function, lo: IntArray, hi: IntArray, monotone: bool) -> Staircase:
    """The steps of ``f`` on ``lo[c]..hi[c]``.

    NotAStaircase if the interval is too wide to tabulate and ``f`` is not known
    to be monotone.
    """
    width = int((hi - lo).max()) + 1
    if width * len(lo) <= TABLE:
        return _tabulate(f, lo, hi, width)
    if not monotone:
        raise NotAStaircase(f"it is not monotone, and its input takes up to {width:,} values in {len(lo)} columns")
    return _bisect(f, lo, hi)


def _tabulate(f: Function, lo: IntArray, hi: IntArray, width: int) -> Staircase:
    grid = np.minimum(lo + np.arange(width)[:, None], hi)
    values = f(grid)
    points, levels = [], []
    for c in range(len(lo)):
        column = values[: hi[c] - lo[c] + 1, c]
        steps = np.flatnonzero(column[1:] != column[:-1]) + 1
        points.append(steps + lo[c])
        levels.append(column[np.concatenate([[0], steps])])
    return Staircase(lo, hi, tuple(points), tuple(levels))


def _evaluate(f: Function, lo: IntArray, column: IntArray, x: IntArray) -> Floats:
    """``f`` at single places: x[i] in column[i]."""
    order = np.argsort(column, kind="stable")
    counts = np.bincount(column, minlength=len(lo))
    rank = np.empty(len(x), np.int64)
    rank[order] = np.concatenate([np.arange(n) for n in counts])
    out = np.empty(len(x))
    rows = max(1, CHUNK // len(lo))
    for start in range(0, int(counts.max()), rows):
        inside = (rank >= start) & (rank < start + rows)
        grid = np.tile(lo, (int(rank[inside].max()) - start + 1, 1))
        grid[rank[inside] - start, column[inside]] = x[inside]
        out[inside] = f(grid)[rank[inside] - start, column[inside]]
    return out


def _bisect(f: Function, lo: IntArray, hi: IntArray) -> Staircase:
    """All steps of a monotone function: intervals whose ends differ are halved until they are one apart."""
    ends = f(np.stack([lo, hi]))
    column = np.flatnonzero(ends[0] != ends[1])
    a, b, fa, fb = lo[column], hi[column], ends[0, column], ends[1, column]
    found: list[tuple[IntArray, IntArray, Floats]] = []
    while len(column):
        done = b - a == 1
        found.append((column[done], b[done], fb[done]))
        column, a, b, fa, fb = (v[~done] for v in (column, a, b, fa, fb))
        if not len(column):
            break
        middle = (a + b) // 2
        fm = _evaluate(f, lo, column, middle)
        left, right = fm != fa, fm != fb
        a, b = np.concatenate([a[left], middle[right]]), np.concatenate([middle[left], b[right]])
        fa, fb = np.concatenate([fa[left], fm[right]]), np.concatenate([fm[left], fb[right]])
        column = np.concatenate([column[left], column[right]])
    columns, places, values = (np.concatenate(v) for v in zip(*found, strict=True)) if found else (np.empty(0),) * 3
    points, levels = [], []
    for c in range(len(lo)):
        here = np.flatnonzero(columns == c)
        here = here[np.argsort(places[here])]
        points.append(places[here].astype(np.int64))
        levels.append(np.concatenate([ends[:1, c], values[here]]))
    return Staircase(lo, hi, tuple(points), tuple(levels))


def emit(b: NetBuilder, name: str, x: str, stairs: Staircase, scale: Scale) -> str:
    """An op that equals ``stairs``, whose levels are integers in steps of ``scale``; one column serves all channels.

    NotAStaircase if no op of the QNet can.
    """
    levels = [row.astype(np.int64) for row in stairs.levels]
    if not stairs.is_monotone:
        return _emit_lut(b, name, x, stairs, levels, scale)
    most = max(len(p) for p in stairs.points)
    affine = fit_affine(stairs.lo, stairs.hi, stairs.points, levels) if most > FEW_STEPS else None
    if affine is not None and _adders(affine) <= COMPARATOR * most:
        low, high = min(int(r.min()) for r in levels), max(int(r.max()) for r in levels)
        mult, add = (v[0] if len(v) == 1 else v for v in (affine.mult, affine.add))
        return b.requant(name, x, scale, low, high, affine.shift, mult, add, Rounding.FLOOR)
    jumps = np.concatenate([np.abs(np.diff(row)) for row in levels])
    unit = int(np.gcd.reduce(jumps)) if len(jumps) else 1
    if max(int(np.abs(np.diff(row)).sum()) // unit for row in levels) <= 2 * most + 8:
        return _emit_thresholds(b, name, x, stairs, levels, scale, unit)
    table = np.unique(np.concatenate(levels))
    index = [np.searchsorted(table, row) for row in levels]
    at = _emit_thresholds(b, f"{name}_level", x, stairs, index, 1.0, 1)
    return b.lut(name, at, scale, table, 0)


def _adders(affine: Affine) -> int:
    """Adders of the multiplication by a constant and the offset: signed digits of the widest multiplier."""
    magnitude = np.abs(affine.mult)
    return int(np.bitwise_count((magnitude ^ (3 * magnitude)).astype(np.uint64)).max())


def _emit_thresholds(
    b: NetBuilder, name: str, x: str, stairs: Staircase, levels: list[IntArray], scale: Scale, unit: int
) -> str:
    """A jump of n units is the same threshold n times."""
    rows = [np.repeat(p, np.abs(np.diff(v)) // unit) for p, v in zip(stairs.points, levels, strict=True)]
    never = int(stairs.hi.max()) + 1
    longest = max(len(row) for row in rows)
    thresholds = np.full((len(rows), longest), never, np.int64)
    for c, row in enumerate(rows):
        thresholds[c, : len(row)] = row
    base = np.array([v[0] for v in levels])
    step = np.array([-unit if v[-1] < v[0] else unit for v in levels])
    return b.thresholds(name, x, scale, thresholds, base, step)


def _emit_lut(b: NetBuilder, name: str, x: str, stairs: Staircase, levels: list[IntArray], scale: Scale) -> str:
    """A table over the interval; columns that differ get tables one after the other, chosen by an added offset."""
    lo, hi = int(stairs.lo.min()), int(stairs.hi.max())
    width = hi - lo + 1
    if width * len(levels) > LUT_ENTRIES:
        raise NotAStaircase(f"it is not monotone, and a table of {width * len(levels):,} entries is too large")
    tables = []
    for start, end, points, row in zip(stairs.lo, stairs.hi, stairs.points, levels, strict=True):
        lengths = np.diff(np.concatenate([[start], points, [end + 1]]))
        table = np.repeat(row, lengths)
        tables.append(np.pad(table, (start - lo, hi - end), mode="edge"))
    if len(tables) > 1:
        add = np.arange(len(tables)) * width - lo
        x = b.requant(f"{name}_address", x, 1.0, 0, width * len(tables) - 1, 0, 1, add)
        lo = 0
    return b.lut(name, x, scale, np.concatenate(tables), lo)
