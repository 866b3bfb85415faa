"""One option per row of a table of prices, by integer programming (HiGHS, through scipy)."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from bitsmith.models.ir.types import IntArray

FloatArray = npt.NDArray[np.float64]


def cheapest(prices: FloatArray, starts: IntArray, limits: FloatArray) -> list[int] | None:
    """One option of each row: the least sum of shares of ``limits`` within them; None if there is none.

    ``prices`` (options, resources) of all rows one after the other; ``starts``: where each begins, the end last.
    """
    weights = prices @ np.array([1.0 / max(limit, 1e-3) for limit in limits])
    greedy = [int(np.argmin(weights[a:b])) for a, b in itertools.pairwise(starts)]
    if (chosen_total(prices, starts, greedy) <= limits).all():
        return greedy  # each row's own best, and together they fit: nothing can be smaller
    return _programme(prices, weights, starts, limits)


def chosen_total(prices: FloatArray, starts: IntArray, chosen: list[int]) -> FloatArray:
    """What the chosen options take together, by resource."""
    total: FloatArray = prices[[a + pick for a, pick in zip(starts, chosen, strict=False)]].sum(axis=0)
    return total


def leanest(prices: FloatArray, starts: IntArray, limits: FloatArray) -> list[int]:
    """One option per row, so that the largest share of any limit is as small as can be."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    number = len(prices)
    shares = prices / np.maximum(limits, 1e-3)
    least = LinearConstraint(np.column_stack([shares.T, -np.ones(len(limits))]), -np.inf, 0)
    found = milp(
        np.append(np.zeros(number), 1.0),
        integrality=np.append(np.ones(number), 0),
        bounds=Bounds(0, np.append(np.ones(number), np.inf)),
        constraints=[LinearConstraint(np.column_stack([_one_each(starts), np.zeros(len(starts) - 1)]), 1, 1), least],
    )
    return [int(np.argmax(found.x[a:b])) for a, b in itertools.pairwise(starts)]


def _one_each(starts: IntArray) -> FloatArray:
    """(rows, options): which options are a row's."""
    ones = np.zeros((len(starts) - 1, int(starts[-1])))
    for row, (a, b) in enumerate(itertools.pairwise(starts)):
        ones[row, a:b] = 1.0
    return ones


def _programme(prices: FloatArray, weights: FloatArray, starts: IntArray, limits: FloatArray) -> list[int] | None:
    from scipy.optimize import Bounds, LinearConstraint, milp

    number = len(prices)
    found = milp(
        weights,
        integrality=np.ones(number),
        bounds=Bounds(0, 1),
        constraints=[LinearConstraint(_one_each(starts), 1, 1), LinearConstraint(prices.T, -np.inf, limits)],
    )
    if found.x is None:
        return None
    return [int(np.argmax(found.x[a:b])) for a, b in itertools.pairwise(starts)]
