"""Input integers to compare implementations of a net on."""

from __future__ import annotations

import numpy as np

from bitsmith.models.ir.ops import QNet
from bitsmith.models.ir.types import IntArray


def random_inputs(net: QNet, rows: int, seed: int) -> IntArray:
    """(rows, *input shape): all lowest, all highest, zeros, then uniform ones over the Input's range."""
    low, high = net.input.lo, net.input.hi
    x = np.random.default_rng(seed).integers(low, high + 1, (rows, *net.input.shape))
    for row, value in zip(range(rows), (low, high, min(max(0, low), high)), strict=False):
        x[row] = value
    return x
