"""Sums whose type rounds or saturates (``ap_fixed<W, I, AP_RND, AP_SAT>``): what each addition costs beside its adder.

Source: ``ap_fixed_base::operator=``, ``quantization_adjust`` and ``overflow_adjust`` of AMD's HLS arbitrary precision
types, counted operation by operation for ``acc += (accum_t)product``, at the prices that csynth's reports give the
operations: W + 7 LUTs for an adder of W bits, W for a selection, 2 for a function of two bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bitsmith.hls.estimate.hls4ml.layers import Bools, Columns, Floats

ADDER = 7.0
"""LUTs of an adder beyond one per bit."""

BIT = 2.0
"""LUTs of a function of two bits."""

CAST_BITS, SUM_BITS, CARRY_BITS = 15, 5, 2
"""Functions of two bits: overflow and underflow of a product that is cast (deleted zeros and ones, the sign of source
and target), those of a sum, and the carry out of a rounded product."""

ADDITION_NS = 1.4
"""Of one saturating addition: 5, 8 and 11 cycles of 10 ns for chains of 20, 40 and 64 (reports, UltraScale+)."""


@dataclass(frozen=True, eq=False)
class Extra:
    """Cost of each layer beside plain sums, arrays of shape (layers,)."""

    lut: Floats
    ff: Floats


def extra_per_addition(c: Columns) -> Floats:
    """LUTs of each addition beyond those of one that truncates and wraps, (layers,).

    Rounding: an adder and its carry.  Saturation: the product is cast (two selections), the sum is added a second time
    with one more bit for its sign, and selected twice.
    """
    width = c.acc_bits
    rounding = width + ADDER + CARRY_BITS * BIT
    cast = 2 * width + CAST_BITS * BIT
    total = width + 1 + ADDER + 2 * width + SUM_BITS * BIT
    return np.where(c.rounds, rounding, 0.0) + np.where(c.saturates, cast + total, 0.0)


def extra_of_sums(c: Columns, terms: Floats, folded: Bools, vivado: bool) -> Extra:
    """What ``terms`` additions side by side cost more; zero where sums are plain.

    Registers: csynth keeps what is rounded or clipped outside of the DSP blocks.  A matrix of constants keeps the cast
    product, a folded one its factors and the whole product too, once from memory and once multiplied; these Vivado
    takes into the blocks (registers A, B and M of AMD UG579).
    """
    special = c.matrix & (c.rounds | c.saturates)
    kept = c.acc_bits + np.where(folded & ~np.bool_(vivado), 2 * (c.in_bits + c.weight_bits), 0.0)
    return Extra(special * terms * extra_per_addition(c), special * terms * kept)


def chain_cycles(c: Columns) -> Floats:
    """Pipeline stages of sums that saturate: their additions cannot be regrouped into a tree, so they are a chain."""
    fan = c.nonzero / np.maximum(c.n_out, 1.0)
    return np.asarray(2.0 + np.ceil(fan * ADDITION_NS / c.of_layers(c.clock_ns)), dtype=np.float64)
