"""Real scales in exact arithmetic: a step that several have in common, and real numbers counted in a step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from bitsmith.models.ir.types import IntArray
from bitsmith.models.lower.functions import Floats, Scale

FLOAT32_NOISE = 2.0**-21
"""Relative: a product of two float32 scales and a multiple of it, each rounded."""


def common_scale(scales: Sequence[float] | Floats) -> float:
    """The largest real number that all are exact multiples of: floats are whole numbers times powers of two."""
    exact = [Fraction(abs(float(s))) for s in scales if s]
    if not exact:
        return 1.0
    shared = math.lcm(*(f.denominator for f in exact))
    return float(Fraction(math.gcd(*(int(f * shared) for f in exact)), shared))


def steps_of(bias: Floats, scales: Scale, step: Floats | None = None) -> IntArray | None:
    """A bias as integers of the accumulator's ``scales``; None if it is on no such grid.

    ``step`` is what the bias's own quantizer counts in: where that is the
    accumulator's scale but for float32 rounding, so are the integers.
    """
    steps = bias / np.broadcast_to(np.asarray(scales, np.float64), bias.shape)
    whole = np.rint(steps)
    on_grid = bool((steps == whole).all()) and np.abs(steps).max() < 2.0**60
    if step is not None and not on_grid:
        alike = bool(np.abs(step / scales - 1.0).max() < FLOAT32_NOISE)
        on_grid = alike and bool((np.abs(steps - whole) <= FLOAT32_NOISE * np.maximum(np.abs(whole), 1)).all())
    return whole.astype(np.int64) if on_grid else None
