"""Weights of terms by non-negative least squares on relative errors, held towards what one would guess."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

DELTA = 15.0
"""Cells: below that an error counts as if it were absolute."""

STIFFNESS = 1.0
"""Weight of the guess: as if one more row said it of every term."""

HUBER = 0.1
"""Relative error from which on a row pulls with constant force."""

ROUNDS = 8


@dataclass(frozen=True)
class Row:
    """A design or a part of one: its terms and what synthesis found."""

    design: str
    terms: dict[str, float]
    truth: float
    weight: float


def fit_weights(
    rows: Sequence[Row], guess: Callable[[str], float], delta: float = DELTA, stiffness: float = STIFFNESS
) -> dict[str, float]:
    """Term -> weight, none below zero, for every term of ``rows``; errors count as if of truths larger by ``delta``.

    Iteratively reweighted, so that single odd rows do not pull the others along.
    """
    from scipy.optimize import nnls

    names = sorted({name for row in rows for name in row.terms})
    amounts = np.array([[row.terms.get(name, 0.0) for name in names] for row in rows])
    truth = np.array([row.truth for row in rows])
    scale = 1.0 / (truth + delta)
    a, b = amounts * scale[:, None], truth * scale
    stiff = stiffness * (np.sqrt((a**2).mean(axis=0)) + 1e-9)
    guesses = np.array([guess(name) for name in names])
    pull = np.ones(len(rows))
    found = guesses
    for _ in range(ROUNDS):
        k = np.sqrt(np.array([row.weight for row in rows]) * pull)
        left = np.vstack([a * k[:, None], np.diag(stiff)])
        found, _ = nnls(left, np.concatenate([b * k, stiff * guesses]), maxiter=50 * len(names))
        pull = 1.0 / np.maximum(1.0, np.abs(a @ found - b) / HUBER)
    return dict(zip(names, (round(float(w), 5) for w in found), strict=True))


def predict(weights: dict[str, float], terms: dict[str, float], guess: Callable[[str], float]) -> float:
    """Weighted sum; a term that the fit has not seen counts as guessed."""
    return sum((weights[name] if name in weights else guess(name)) * amount for name, amount in terms.items())
