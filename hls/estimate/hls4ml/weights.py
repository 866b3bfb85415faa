"""What the weights of a matrix mean for constant multipliers: exactly from the integers, or expected from counts.

HLS multiplies an input by a constant once, however many outputs want that
product; the products that are left fall into classes by the digits of the
constant in canonical signed form (CSD).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LUT_PRODUCT_BITS = 80
"""Products of factors whose widths multiply to no more are in LUTs: 16 x 5, 16 x 4, 8 x 8; 16 x 6 is not (csynth)."""

TABLE_BITS = 16
"""Magnitudes up to 2**16 are counted one by one; beyond, nearly all have three digits or more."""


@dataclass(frozen=True)
class Products:
    """Distinct products of a matrix (an input times a value), by class."""

    nonzero: float  # weights that are not zero: terms of the sums
    ones: float  # values that are powers of two
    twos: float  # of two digits
    soft: float  # of three digits or more, narrow enough for LUTs
    hard: float  # of three digits or more, in DSP blocks
    span_bits: float  # of the largest magnitude


def csd_digits(values: Ints) -> Ints:
    """Nonzero digits of each integer in canonical signed form, of the shape of ``values``.

    v and 3 v differ in as many bits as the form has digits (Reitwieser 1960).
    """
    v = np.abs(values)
    return np.asarray(np.bitwise_count(v ^ (3 * v)), dtype=np.int64)


def narrowest_hard(in_bits: ArrayLike) -> Floats:
    """Smallest magnitude whose product with ``in_bits`` wide inputs goes into a DSP block; of the same shape.

    A magnitude of b bits is a signed constant of b + 1.
    """
    bits = np.floor(LUT_PRODUCT_BITS / np.asarray(in_bits, dtype=np.float64))
    return np.asarray(2.0 ** np.maximum(bits - 1, 0.0), dtype=np.float64)


def products_of(values: Ints, in_bits: int) -> Products:
    """The products of a matrix of integers (rows of inputs, columns of outputs), counted."""
    by_input = np.sort(values.reshape(-1, values.shape[-1]), axis=1)
    first = np.ones(by_input.shape, dtype=np.bool_)
    first[:, 1:] = by_input[:, 1:] != by_input[:, :-1]
    digits, magnitude = csd_digits(by_input), np.abs(by_input)
    in_dsp = magnitude >= narrowest_hard(in_bits)
    return Products(
        nonzero=float(np.count_nonzero(values)),
        ones=float((first & (digits == 1)).sum()),
        twos=float((first & (digits == 2)).sum()),
        soft=float((first & (digits > 2) & ~in_dsp).sum()),
        hard=float((first & (digits > 2) & in_dsp).sum()),
        span_bits=math.log2(max(1, int(magnitude.max(initial=1)))),
    )


@cache
def _classes() -> tuple[Floats, Floats, Floats]:
    """How many of 1..v have one, two, more digits, for v = 0 .. 2**TABLE_BITS; and their mean digits so far."""
    digits = csd_digits(np.arange(2**TABLE_BITS + 1, dtype=np.int64))
    ones, twos = np.cumsum(digits == 1).astype(np.float64), np.cumsum(digits == 2).astype(np.float64)
    means = np.cumsum(digits) / np.maximum(1, np.arange(digits.size))
    return ones, twos, means


def expected_products(
    n_in: ArrayLike, nonzero: ArrayLike, span_bits: ArrayLike, in_bits: ArrayLike
) -> tuple[Floats, Floats, Floats, Floats]:
    """Ones, twos, soft and hard products to expect of weights spread evenly over -L..L, L = 2**span_bits; arrays alike.

    Of U = 2 L values, n draws per input hit U (1 - (1 - 1/U)**n) different ones.
    """
    inputs, weights = (np.asarray(a, dtype=np.float64) for a in (n_in, nonzero))
    ones, twos, _ = _classes()
    exact = 2.0 ** np.asarray(span_bits, dtype=np.float64)
    largest = np.clip(np.round(exact), 1, 2**TABLE_BITS).astype(np.int64)
    narrow = np.minimum(np.minimum(narrowest_hard(in_bits) - 1, largest), 2**TABLE_BITS).astype(np.int64)
    values = 2.0 * largest
    draws = weights / np.maximum(inputs, 1.0)
    distinct = np.where(exact > largest + 1, draws, values * (1.0 - (1.0 - 1.0 / values) ** draws))
    per_value = inputs * distinct / largest
    one, two = ones[largest], twos[largest]
    soft = np.maximum(0.0, narrow - ones[narrow] - twos[narrow])
    return per_value * one, per_value * two, per_value * soft, per_value * np.maximum(0.0, largest - one - two - soft)


def span_from_digits(mean: float) -> float:
    """Bits of the largest of evenly spread magnitudes whose CSD forms have ``mean`` digits."""
    _, _, means = _classes()
    whole = 2 ** np.arange(0, TABLE_BITS + 1)
    return float(np.interp(mean, means[whole], np.arange(0.0, TABLE_BITS + 1)))


def bell_products(n_in: int, nonzero: float, share: float, weight_bits: int, in_bits: int) -> Products:
    """Products to expect of weights whose magnitudes are normal, cut at what ``weight_bits`` hold.

    Trained weights are bell-shaped; the deviation is the one at which ``share`` of the nonzero magnitudes are powers of
    two.  A value of probability p is hit by one of n draws with 1 - (1 - p)**n, each magnitude by two values.
    """
    digits = csd_digits(np.arange(1, 2 ** min(weight_bits - 1, TABLE_BITS) + 1, dtype=np.int64))[:-1]
    if digits.size < 1:  # weights of 1
        return Products(nonzero, min(nonzero, 2.0 * n_in), 0.0, 0.0, 0.0, 0.0)
    magnitude = np.arange(1.0, digits.size + 1)
    narrow, wide = 0.05, 4.0 * digits.size  # deviations: all weights of 1; evenly spread
    for _ in range(40):
        deviation = math.sqrt(narrow * wide)
        p = _normal(magnitude, deviation)
        narrow, wide = (deviation, wide) if p[digits == 1].sum() > share else (narrow, deviation)
    p = _normal(magnitude, wide)
    different = 2.0 * n_in * (1.0 - (1.0 - p / 2) ** (nonzero / max(n_in, 1)))
    in_dsp = magnitude >= narrowest_hard(in_bits)
    # the largest of so many: where less than one is left above it
    above = nonzero * (1.0 - np.cumsum(p))
    largest = magnitude[np.argmax(above < 1.0)]
    return Products(
        nonzero=nonzero,
        ones=float(different[digits == 1].sum()),
        twos=float(different[digits == 2].sum()),
        soft=float(different[(digits > 2) & ~in_dsp].sum()),
        hard=float(different[(digits > 2) & in_dsp].sum()),
        span_bits=math.log2(largest),
    )


def _normal(magnitude: Floats, deviation: float) -> Floats:
    """Probabilities of magnitudes, none of zero."""
    # relative to the first: the exponent of a small deviation would underflow for all of them
    p = np.exp(-((magnitude / deviation) ** 2 - (magnitude[0] / deviation) ** 2) / 2)
    return np.asarray(p / p.sum(), dtype=np.float64)


def span_from_type(weight_bits: int, weight_int: int, n_in: int, n_out: int) -> float:
    """Bits of the largest magnitude of weights about which nothing is known but their type and shape.

    They are taken to fill the type's fraction up to Glorot's limit, sqrt(6 / (inputs + outputs)) (Glorot, Bengio 2010).
    """
    limit = math.log2(math.sqrt(6.0 / (n_in + n_out)))
    return max(1.0, min(weight_bits - 1.0, weight_bits - weight_int + limit))


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
