"""What the weights of a matrix mean for constant multipliers, from counts or from the integers themselves."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

UNIFORM_DIGITS = (1 / 3, 0.3)
"""Mean CSD digits of integers spread evenly over b bits, as slope and offset: b/3 + 4/9 of whole binades."""


def csd_digits(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Nonzero digits of each integer in canonical signed form, of the shape of ``values``.

    v and 3 v differ in as many bits as the form has digits (Reitwieser 1960).
    """
    v = np.abs(values)
    return np.asarray(np.bitwise_count(v ^ (3 * v)), dtype=np.int64)


def counts_of(values: NDArray[np.int64]) -> tuple[float, float, float]:
    """Nonzero weights, powers of two among them, CSD digits of all."""
    digits = csd_digits(values)
    magnitude = np.abs(values)
    power = (magnitude > 0) & ((magnitude & (magnitude - 1)) == 0)
    return float(np.count_nonzero(values)), float(power.sum()), float(digits.sum())


def effective_bits(
    weight_bits: int, weight_int: int, shape: tuple[int, int], nonzero: float, powers_of_two: float
) -> float:
    """Bits of a typical weight's magnitude where nobody counted its digits.

    Of integers spread over b bits, b in 2**b - 1 are powers of two; with none seen, weights are taken that use
    all fractional bits up to Glorot's limit, sqrt(6 / (inputs + outputs)) (Glorot and Bengio 2010).
    """
    limit = math.log2(math.sqrt(6.0 / (shape[0] + shape[1])))
    most = max(1.0, min(weight_bits - 1.0, weight_bits - weight_int + limit))
    share = powers_of_two / nonzero if nonzero else 0.0
    if share <= 0.0:
        return most
    low, high = 1.0, 24.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if middle / (2**middle - 1) > share else (low, middle)
    return min(low, max(most, 1.0))


def guessed_digits(
    weight_bits: int, weight_int: int, shape: tuple[int, int], nonzero: float, powers_of_two: float
) -> float:
    """CSD digits of all weights, from their number and the share of powers of two."""
    slope, offset = UNIFORM_DIGITS
    bits = effective_bits(weight_bits, weight_int, shape, nonzero, powers_of_two)
    return nonzero * max(1.0, slope * bits + offset) if nonzero else 0.0


def legal_reuse(n_in: int, n_out: int, reuse: int) -> int:
    """The reuse factor that hls4ml takes in the place of ``reuse`` with the resource strategy.

    Source: hls4ml's ``FPGABackend.get_valid_reuse_factors`` and ``get_closest_reuse_factor``: it divides ``n_in *
    n_out`` and either divides ``n_in`` or is a multiple of it; of two as close, the smaller.
    """
    total = n_in * n_out
    candidates = set(_divisors(n_in)) | {n_in * d for d in _divisors(n_out)}
    return min((c for c in candidates if total % c == 0), key=lambda c: (abs(c - reuse), c))


def _divisors(n: int) -> list[int]:
    small = [d for d in range(1, math.isqrt(n) + 1) if n % d == 0]
    return small + [n // d for d in small]
