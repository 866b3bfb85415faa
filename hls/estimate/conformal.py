"""Bounds that hold: split conformal prediction on residuals of designs that the model has not seen.

Vovk, Gammerman, Shafer: *Algorithmic Learning in a Random World* (2005); here
with log ratios as residuals, and a quantile of its own on either side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitsmith.hls.results import Figure

COVERAGE = 0.90
"""Share of real results that is to lie within ``low`` and ``high``."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Band:
    """Bounds around a value: ``(value + offset) * down - offset`` to ``(value + offset) * up - offset``.

    The offset lets a truth of a few cells stand beside an estimate of none.
    """

    offset: float
    down: float  # at most 1
    up: float  # at least 1
    n: int  # residuals that it rests on

    def around(self, value: float) -> Figure:
        """``value`` with its bounds, none below zero."""
        low, high = self.bounds(np.float64(value))
        return Figure(value, float(low), float(high))

    def bounds(self, values: ArrayLike) -> tuple[Floats, Floats]:
        """Low and high for many values, of their shape."""
        base = np.asarray(values, dtype=np.float64) + self.offset
        low = np.maximum(0.0, base * self.down - self.offset)
        return np.minimum(low, values), np.maximum(base * self.up - self.offset, values)

    def widened(self, factor: float) -> Band:
        """Bounds ``factor`` times as far away on a logarithmic scale: for what lies outside of the calibration."""
        return Band(self.offset, self.down**factor, self.up**factor, self.n)


def beyond_extremes(n: int, coverage: float = COVERAGE) -> float:
    """How many times farther out than the extremes of ``n`` residuals their ``coverage`` is, if their tails are normal.

    The extremes cover (n - 1) / (n + 1) of the next ones; from 19 on (for 90 %) nothing is needed.
    """
    covered = (n - 1) / (n + 1)
    if not 0 < covered < coverage:
        return 1.0
    tail = NormalDist()
    return tail.inv_cdf((1 + coverage) / 2) / tail.inv_cdf((1 + covered) / 2)


def fit_band(truth: ArrayLike, unseen: ArrayLike, offset: float, coverage: float = COVERAGE) -> Band:
    """The band for estimates ``unseen`` (each by a model fitted without its group) of ``truth``; both (n,).

    With fewer residuals than the coverage needs (19 for 90 %), the most extreme ones are taken.
    """
    t, p = (np.asarray(a, dtype=np.float64) for a in (truth, unseen))
    ratio = np.sort(np.log((t + offset) / (p + offset)))
    tail, n = (1.0 - coverage) / 2, ratio.size
    low = max(0, math.floor(round((n + 1) * tail, 6)) - 1)  # rounded: (1 - 0.9) / 2 is a little below 0.05
    high = min(n - 1, math.ceil(round((n + 1) * (1 - tail), 6)) - 1)
    return Band(offset, min(1.0, math.exp(ratio[low])), max(1.0, math.exp(ratio[high])), n)


def fit_band_of_groups(
    truth: ArrayLike, unseen: ArrayLike, groups: Sequence[str], offset: float, apart: bool = False,
    coverage: float = COVERAGE,
) -> Band:  # fmt: skip
    """The band that holds all rows of a new group with probability ``coverage``: one residual per group, its worst.

    Rows of one group (a designer, a tool's release) err alike, so they are no residuals of their own: of m groups, m
    scores are exchangeable with that of the next.  A score is the group's largest log ratio in size, and the band as
    wide up as down; with ``apart``, its extremes on either side, and a quantile each.  Where the groups are too few for
    the coverage, the worst is moved out as far as ``beyond_extremes`` says.
    """
    t, p = (np.asarray(a, dtype=np.float64) for a in (truth, unseen))
    ratio = np.log((t + offset) / (p + offset))
    names = np.asarray(list(groups))
    known = np.unique(names)
    m = known.size
    high = np.sort([max(0.0, float(ratio[names == g].max())) for g in known])
    low = np.sort([max(0.0, -float(ratio[names == g].min())) for g in known])
    if apart:
        i = min(m - 1, math.ceil(round((m + 1) * (1 + coverage) / 2, 6)) - 1)
        return Band(offset, math.exp(-low[i]), math.exp(high[i]), t.size).widened(beyond_extremes(m, coverage))
    worst = np.sort([float(np.abs(ratio[names == g]).max()) for g in known])
    score = worst[min(m - 1, math.ceil(round((m + 1) * coverage, 6)) - 1)]
    # the worst of m sizes covers m / (m + 1), as the extremes of 2 m + 1 residuals do
    return Band(offset, math.exp(-score), math.exp(score), t.size).widened(beyond_extremes(2 * m + 1, coverage))
