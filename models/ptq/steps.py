"""Steps (scales) that round given numbers best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SHARES = np.linspace(0.15, 1.25, 45)
"""Candidates, as shares of the step that just covers the largest number."""


def square_error(values: Floats, step: Floats | float, lo: int, hi: int) -> Floats:
    """Of rounding ``values`` to integers of ``lo..hi`` times ``step``, elementwise."""
    error: Floats = np.square(np.clip(np.rint(values / step), lo, hi) * step - values)
    return error


def best_step(values: Floats, lo: int, hi: int) -> float:
    """The step with the least square error when ``values`` are rounded to integers of ``lo..hi`` times it."""
    return float(best_steps(values.reshape(1, -1), lo, hi)[0])


def best_steps(rows: Floats, lo: int, hi: int) -> Floats:
    """The best step of every row (n, m) on its own; 1 for a row of zeros."""
    largest = np.abs(rows).max(axis=1, initial=0.0)
    largest[largest == 0] = max(abs(lo), hi)
    full = largest / max(abs(lo), hi)
    errors = [square_error(rows, (full * share)[:, None], lo, hi).sum(axis=1) for share in SHARES]
    best: Floats = full * SHARES[np.argmin(errors, axis=0)]
    return best


def shared_step(members: Sequence[tuple[Floats, int, int]]) -> float:
    """One step for several tensors, each (values, lo, hi), with the least mean square error over all of them."""
    full = max(float(np.abs(v).max(initial=0.0)) / max(abs(lo), hi) for v, lo, hi in members) or 1.0
    errors = [sum(float(square_error(v, full * s, lo, hi).mean()) for v, lo, hi in members) for s in SHARES]
    return float(full * SHARES[int(np.argmin(errors))])
