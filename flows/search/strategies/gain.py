"""How much hypervolume candidates would add, by counting points of the unit cube: thousands at once, in a blink."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
POINTS = 20_000
"""Drawn in the cube, where 0 is ideal: a point is dominated by what is nowhere above it."""
ROWS = 200
"""Candidates at a time, for the sake of memory."""


def best_additions(front: Floats, candidates: Floats, count: int, seed: int) -> list[int]:
    """Greedily the ``count`` candidates that together add most to the front, in the order of their choice.

    ``front`` and ``candidates``: (points, objectives), 0 ideal, 1 the reference.  What
    adds nothing that the points can show is not chosen.
    """
    points = np.random.default_rng(seed).random((POINTS, candidates.shape[1]), dtype=np.float32)
    open_points = points[~dominated(front, points).any(axis=0)] if len(front) else points
    covers = dominated(candidates, open_points)
    left = np.ones(len(open_points), bool)
    chosen: list[int] = []
    for _ in range(min(count, len(candidates))):
        gains = covers[:, left].sum(axis=1)
        gains[chosen] = -1
        best = int(gains.argmax())
        if gains[best] <= 0:
            break
        chosen.append(best)
        left &= ~covers[best]
    return chosen


def dominated(by: Floats, points: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Shape (len(by), len(points)): which points lie nowhere below which of ``by``."""
    found = np.ones((len(by), len(points)), bool)
    for start in range(0, len(by), ROWS):
        part = slice(start, start + ROWS)
        for axis in range(points.shape[1]):
            found[part] &= points[None, :, axis] >= by[part, None, axis]
    return found
