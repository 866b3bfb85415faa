"""How good estimates are against real results: the figures that papers on estimators quote."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

SMAPE_EPSILON = 1e-6
"""Keeps 0 against 0 at an error of 0 (wa-hls4ml adds 1 there, which flatters small figures)."""


@dataclass(frozen=True)
class Score:
    """Errors over ``n`` designs; ``smape``, ``median_ape`` and ``p90_ape`` in percent.

    ``smape`` is the mean of 2 |p - t| / (|t| + |p|), so 200 is the worst; an
    absolute error in percent is |p - t| / max(t, 1); ``coverage90`` the share
    of truths within their bounds.  ``r2`` is NaN where all truths are equal.
    """

    n: int
    r2: float
    smape: float
    median_ape: float
    p90_ape: float
    coverage90: float


def score(truth: ArrayLike, value: ArrayLike, low: ArrayLike, high: ArrayLike) -> Score:
    """The errors of ``value`` and of the bounds against ``truth``; all of shape (n,), n >= 1."""
    t, p, lo, hi = (np.asarray(a, dtype=np.float64) for a in (truth, value, low, high))
    assert t.shape == p.shape == lo.shape == hi.shape and t.ndim == 1 and t.size
    error = np.abs(p - t)
    spread = float(((t - t.mean()) ** 2).sum())
    ape = 100.0 * error / np.maximum(t, 1.0)
    return Score(
        n=t.size,
        r2=1.0 - float((error**2).sum()) / spread if spread else float("nan"),
        smape=float(np.mean(200.0 * error / (np.abs(t) + np.abs(p) + SMAPE_EPSILON))),
        median_ape=float(np.median(ape)),
        p90_ape=float(np.percentile(ape, 90)),
        coverage90=float(np.mean((lo <= t) & (t <= hi))),
    )
