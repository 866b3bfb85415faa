"""A quantizer with everything pending before it, as the cheapest op that equals it on the whole interval."""

from __future__ import annotations

from functools import reduce

import numpy as np

from bitsmith.models.ir import NetBuilder, Requant
from bitsmith.models.ir.numerics import fit, round_shift
from bitsmith.models.ir.types import IntArray, Overflow, Rounding
from bitsmith.models.lower.functions import Floats, Function, Quantizer, Refusal, Rounder, Scale
from bitsmith.models.lower.steps import NotAStaircase, Staircase, emit, staircase
from bitsmith.models.lower.weights import dyadic_scale, is_power_of_two

MORE_BITS = 24
"""An offset may make the direct form this much finer than its quantizer; beyond, a fitted multiplier is cheaper."""
CHECKED_LEVELS = 1 << 15
OFF_GRID, FLOAT32 = 2.0**-10, 2.0**-23
"""How far, in steps and relative, float32 may put a value beside its grid (x + (q - x) is q but for rounding)."""


def lower_quantizer(
    b: NetBuilder, x: str, offset: Floats | None, chain: tuple[Function, ...], q: Quantizer, name: str
) -> str:
    """The op ``q(chain(x * scale + offset))``; Refusal if the net has none for it."""
    oracle = _Oracle(b, x, offset, chain, q)
    direct = _direct(b, x, offset, chain, q)
    if direct is not None and oracle.agrees(direct):
        assert q.scale is not None
        return b.requant(
            name, x, q.scale, direct.lo, direct.hi, direct.shift, direct.mult, direct.add, Rounding.HALF_EVEN
        )
    monotone = q.is_monotone and all((f.direction != 0).all() for f in chain)
    try:
        stairs = staircase(oracle, oracle.lo, oracle.hi, monotone)
        grid, scale = _on_grid(stairs, q)
        return emit(b, name, x, grid, scale)
    except (NotAStaircase, OverflowError) as error:
        names = " + ".join([f.name for f in chain] + [q.name])
        raise Refusal(f"{names} has no exact form: {error}", "put a quantizer of few bits before it") from error


class _Oracle:
    """The source framework's own answer for integers: (n, columns) -> levels, in steps where the grid is uniform."""

    def __init__(self, b: NetBuilder, x: str, offset: Floats | None, chain: tuple[Function, ...], q: Quantizer) -> None:
        op, span = b.ops[x], b.spans[x]
        separate = op.type.is_per_channel or offset is not None or q.per_channel or any(f.per_channel for f in chain)
        self.columns = op.shape[-1] if separate else 1
        self.lo = span.lo if separate else np.array([span.min])
        self.hi = span.hi if separate else np.array([span.max])
        self.scale = np.broadcast_to(np.asarray(op.type.scale, np.float64), (self.columns,))
        self.offset = offset
        self.chain, self.q = chain, q

    def __call__(self, x: IntArray) -> Floats:
        real = self.real(x)
        value = self.q.apply(reduce(lambda y, f: f.apply(y), self.chain, real))
        if self.q.scale is None:
            return value
        if not np.isfinite(value).all():
            raise NotAStaircase("it is NaN or infinite for some of its inputs")
        steps = value / np.asarray(self.q.scale)
        whole: Floats = np.rint(steps)
        if (np.abs(steps - whole) > OFF_GRID + FLOAT32 * np.abs(whole)).any():
            raise NotAStaircase(f"its values are not multiples of {self.q.scale}")
        return whole

    def real(self, x: IntArray) -> Floats:
        """What the accumulator stands for, its bias added."""
        real: Floats = x * self.scale
        return real if self.offset is None else real + self.offset

    def agrees(self, r: Requant) -> bool:
        """Whether ``r`` equals the framework: at both ends and on both sides of every step, which is everywhere.

        Both rise with x, so equality around the steps is equality in between.  Where
        float32 cannot hold the accumulator, exact arithmetic is taken as the meaning.
        """
        values = [self.lo, self.hi]
        edges = np.unique(np.linspace(r.lo, r.hi - 1, min(CHECKED_LEVELS, max(1, r.hi - r.lo))).astype(np.int64))
        for level in edges:
            # first x with (x * mult + add) / 2**shift above level + 1/2, within rounding of the division
            values.append(((2 * level + 1 << r.shift) // 2 - r.add) // r.mult)
        near = np.stack([np.broadcast_to(v, (self.columns,)) for v in values])
        x = np.concatenate([near + d for d in (-1, 0, 1)])
        x = np.clip(x, self.lo, self.hi)
        y = fit(round_shift(x * r.mult + r.add, r.shift, Rounding.HALF_EVEN), r.lo, r.hi, Overflow.SATURATE)
        real = self.real(x)
        held = real.astype(np.float32) == real
        return bool(((y == self(x)) | ~held).all())


def _direct(b: NetBuilder, x: str, offset: Floats | None, chain: tuple[Function, ...], q: Quantizer) -> Requant | None:
    """Shift and round half to even, where all scales are powers of two and the functions before only clip."""
    rounder, op = q.rounder, b.ops[x]
    if rounder is None or q.scale is None or any(f.clip is None and not f.is_noise for f in chain):
        return None
    ratio = np.atleast_1d(np.asarray(op.type.scale, np.float64)) / np.asarray(rounder.step)
    add = np.zeros(1) if offset is None else offset / np.asarray(rounder.step)
    if not is_power_of_two(ratio).all():
        return None
    finest = dyadic_scale(np.concatenate([ratio, add]))
    shift = max(0, -int(np.log2(finest)))
    if shift > MORE_BITS + max(0, -int(np.log2(ratio.min()))):
        return None
    bounds = _clipped(rounder, chain)
    if bounds is None:
        return None
    mult, shifted = (ratio * 2.0**shift).astype(np.int64), (add * 2.0**shift).astype(np.int64)
    return Requant(
        name="direct",
        inputs=(x,),
        shape=op.shape,
        type=op.type,
        mult=mult[0] if (mult == mult[0]).all() else mult,
        add=shifted[0] if (shifted == shifted[0]).all() else shifted,
        shift=shift,
        lo=bounds[0],
        hi=bounds[1],
        rounding=Rounding.HALF_EVEN,
        overflow=Overflow.SATURATE,
    )


def _clipped(rounder: Rounder, chain: tuple[Function, ...]) -> tuple[int, int] | None:
    """The rounder's range within the clips before it, rounded as it rounds; None if channels differ or none is left."""
    lo, hi = rounder.lo, rounder.hi
    for f in chain:
        if f.clip is not None:
            low, high = (np.unique(np.rint(np.asarray(end) / np.asarray(rounder.step))) for end in f.clip)
            if len(low) > 1 or len(high) > 1:
                return None
            lo, hi = int(max(lo, low[0])), int(min(hi, high[0]))
    return (lo, hi) if lo <= hi else None


def _on_grid(stairs: Staircase, q: Quantizer) -> tuple[Staircase, Scale]:
    """Levels as integers: they are already where the grid is uniform, else multiples of a power of two."""
    if q.scale is not None:
        return stairs, q.scale
    scale = dyadic_scale(np.concatenate(stairs.levels))
    if max(np.abs(row).max() for row in stairs.levels) / scale > 2.0**60:
        raise NotAStaircase("its levels span more than 60 bits")
    return Staircase(stairs.lo, stairs.hi, stairs.points, tuple(row / scale for row in stairs.levels)), scale
