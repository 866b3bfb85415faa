"""Magnitude pruning on the polynomial schedule of Zhu and Gupta (2017), in numpy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Weights = npt.NDArray[np.float32]


def scheduled(final: float, progress: float, begin: float, end: float) -> float:
    """Sparsity at ``progress`` (0..1 of the training): 0 until ``begin``, ``final`` from ``end`` on, cubic between."""
    if progress >= end:
        return final
    if progress <= begin:
        return 0.0
    return final * (1.0 - (1.0 - (progress - begin) / (end - begin)) ** 3)


def masks(weights: Sequence[Weights], sparsity: Sequence[float], across: bool) -> list[Weights]:
    """Per array 1.0 where a weight stays and 0.0 where it is pruned: the smallest magnitudes go.

    ``sparsity`` is the share of zeros wanted per array; with ``across`` the same
    number of zeros is chosen over all arrays at once, by magnitude.
    """
    zeros = [round(share * w.size) for share, w in zip(sparsity, weights, strict=True)]
    if not across:
        return [_smallest_off(w, count) for w, count in zip(weights, zeros, strict=True)]
    flat = _smallest_off(np.concatenate([w.ravel() for w in weights]), sum(zeros))
    parts = np.split(flat, np.cumsum([w.size for w in weights])[:-1])
    return [part.reshape(w.shape) for part, w in zip(parts, weights, strict=True)]


def _smallest_off(weights: Weights, count: int) -> Weights:
    keep = np.ones(weights.size, np.float32)
    keep[np.argsort(np.abs(weights), axis=None, kind="stable")[:count]] = 0.0
    return keep.reshape(weights.shape)
