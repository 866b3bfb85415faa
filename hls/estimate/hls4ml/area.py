"""LUTs, registers and DSP blocks of hls4ml layers as Vivado HLS counts them, term by term, for many layers at once.

The terms follow hls4ml's C++ templates (nnet_dense_latency.h,
nnet_dense_resource.h, nnet_conv_stream.h, nnet_activation.h of hls4ml 0.8.1
to 1.3); what a term costs was read off csynth reports, and where ``fit`` does
not set it, the number stands here with what it was read from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bitsmith.hls.estimate.hls4ml.coefficients import MODES, Coefficients
from bitsmith.hls.estimate.hls4ml.layers import Bools, Columns, Floats
from bitsmith.hls.estimate.hls4ml.sums import extra_of_sums
from bitsmith.hls.estimate.hls4ml.weights import LUT_PRODUCT_BITS

UNIT = 16.0
"""Widths enter the terms in units of 16 bits, which most of the calibration has."""


CONTROL_POWER = 0.4
"""How the constant part of a folded matrix grows with the width of the inputs: 0.79 at 8 bits, 1.44 at 32 (reports)."""

WIDEST_MUX = 256
BEYOND_MUX = 0.1
"""Selecting one of more inputs costs a tenth: 288, 784 and 2,304 inputs in three reports."""

SHARING_REUSE = 8
"""From here on, shared multipliers keep their products in registers; at a reuse of 2 they do not (one design)."""

SLOW_PRODUCT_FF, SLOW_SUM_FF = 90.0, 9.0
"""Registers of pipelines at 5 ns on 28 nm parts: per product in a DSP block, per term of a sum, of 16 bits."""


TREE = 0.15
"""Cycles of 5 ns on UltraScale+ per square root of the terms of a sum of 16 bits, read off sixteen reports: 0 to 4."""

WIDTH_POWER = 1.5
"""Wider sums take more: 3 and 4 cycles for 108 and 185 terms of 25 bits, 1 for 96 of 16 bits."""


@dataclass(frozen=True, eq=False)
class Area:
    """Cost of each layer, arrays of shape (layers,)."""

    lut: Floats
    ff: Floats
    dsp: Floats


def accumulator_bits(c: Columns) -> Floats:
    """Width of a typical sum in the tree: what was declared, or less where its terms are narrow.

    Halfway up the tree, half of the levels have added a bit each.
    """
    return np.minimum(c.acc_bits, c.in_bits + c.span_bits + np.log2(np.maximum(c.n_in, 2.0)) / 2)


def blocks_per_product(c: Columns) -> Floats:
    """DSP48E2 blocks (27 x 18 signed, AMD UG579) of one product that is not built from LUTs.

    Bits of the weights' type that no weight uses count for nothing.
    """
    used = np.minimum(c.weight_bits, np.where(c.span_bits > 0, np.ceil(c.span_bits) + 1, c.weight_bits))
    wide, narrow = np.maximum(c.in_bits, used), np.minimum(c.in_bits, used)
    tiles = np.ceil(wide / 27.0) * np.ceil(narrow / 18.0)
    return np.asarray(np.where(c.in_bits * c.weight_bits <= LUT_PRODUCT_BITS, 0.0, tiles), dtype=np.float64)


def modes(c: Columns) -> dict[str, Bools]:
    """Which layers are matrices of constants, by mode; what is left of the matrices is folded."""
    unfolded, shares = ~c.resource & c.matrix, c.reuse >= SHARING_REUSE
    return dict(
        zip(
            MODES,
            (unfolded & ~shares, unfolded & shares, c.matrix & c.resource & (c.reuse <= 1)),
            strict=True,
        )
    )


def folded(c: Columns) -> Bools:
    """Which layers are matrices with weights in memory: resource strategy above a reuse of 1."""
    return c.matrix & c.resource & (c.reuse > 1)


def multiplier_limit(c: Columns) -> Floats:
    """Multipliers that the latency strategy may build at its reuse factor (hls4ml's ``multiplier_limit``)."""
    zeros = c.n_in * c.n_out - c.nonzero
    limit = np.ceil(c.n_in * c.n_out / c.reuse) - np.floor(zeros / c.reuse)
    return np.asarray(np.maximum(1.0, limit), dtype=np.float64)


def shared_multipliers(c: Columns) -> Floats:
    """Multipliers that HLS builds: one more where the limit is below 4 (csynth: 2 -> 3, 3 -> 4, but 4 and 6 stay)."""
    limit = multiplier_limit(c)
    return np.asarray(limit + (limit < 4), dtype=np.float64)


def sum_cycles(c: Columns) -> Floats:
    """Pipeline stages of the sums of a matrix of constants, of ``fan`` terms each."""
    fan = c.nonzero / np.maximum(c.n_out, 1.0)
    width = (c.acc_bits / UNIT) ** WIDTH_POWER
    pace = 5.0 / c.of_layers(c.clock_ns) * np.where(c.of_layers(c.series7), 1.5, 1.0)
    return np.asarray(np.floor(0.5 + TREE * np.sqrt(fan) * width * pace), dtype=np.float64)


def shared_products(c: Columns) -> Floats:
    """Products that share those multipliers: all of three digits or more, if any of them is in a DSP block."""
    return np.asarray(np.where(c.hard >= 0.5, c.hard + c.soft, 0.0), dtype=np.float64)


def product_terms(c: Columns) -> Floats:
    """Terms of a matrix of constants, (layers, len(PRODUCT_TERMS)).

    One adder into the sum per nonzero weight; what the distinct products cost by class; inputs and outputs.
    """
    width = accumulator_bits(c) / UNIT
    per_product = np.stack([c.nonzero, c.ones, c.twos, c.soft, c.hard], axis=1) * width[:, None]
    return np.concatenate([per_product, np.stack([c.n_in * c.in_bits / UNIT, c.n_out * width], axis=1)], axis=1)


def block_factor(c: Columns) -> Floats:
    """Multipliers side by side of a folded matrix."""
    return np.ceil(c.n_in * c.n_out / c.reuse)


def inputs_in_memory(c: Columns) -> Bools:
    """Dense layers on streams whose inputs were not taken apart into registers (one report: 2,048 inputs)."""
    return np.asarray(c.is_kind("dense") & c.of_layers(c.stream) & (c.n_in > 1024), dtype=np.bool_)


def folded_lut_terms(c: Columns) -> Floats:
    """Terms of the LUTs of a folded matrix, (layers, len(FOLDED_TERMS)).

    The input is selected out of ``n_in``; above a reuse of twice ``n_in``, so is the sum that a product is added to,
    out of all ``n_out`` (HLS does not see that only ``reuse / n_in`` of them occur): a multiplexer per multiplier,
    whose cost steps at powers of two.  At twice ``n_in`` it sees it; at ``n_in`` and below, there is none, and the
    products of one output are added in a tree.
    """
    width = c.acc_bits / UNIT
    blocks = block_factor(c)
    outer = c.reuse / c.n_in
    size = np.log2(np.maximum(c.n_out, 1.0))
    selects = outer > 2
    steps = [
        selects & (size <= 5),
        selects & (size > 5) & (size <= 6),
        selects & (size > 6) & (size <= 7),
        selects & (size > 7),
    ]
    beyond = [np.ones(size.shape), np.ones(size.shape), np.ones(size.shape), 2.0 ** np.maximum(0.0, np.ceil(size) - 8)]
    below = np.where(size <= 5, 2.0 ** (0.7 * (np.ceil(size) - 5)), 1.0)
    beyond[0] = below
    memory = inputs_in_memory(c)
    return np.stack(
        [
            np.where(memory, 0.2, (c.in_bits / UNIT) ** CONTROL_POWER),
            np.where(memory, 0.0, np.where(c.n_in <= WIDEST_MUX, c.n_in, BEYOND_MUX * c.n_in) * c.in_bits / UNIT),
            c.n_out * width,
            blocks * width * ~selects,
            *(blocks * width * step * more for step, more in zip(steps, beyond, strict=True)),
            blocks * (blocks_per_product(c) == 0),
        ],
        axis=1,
    )


def folded_ff_terms(c: Columns) -> Floats:
    """Terms of its registers, (layers, len(FOLDED_FF_TERMS)): sums, then products or weights."""
    width = c.acc_bits / UNIT
    blocks = block_factor(c)
    outer = c.reuse / c.n_in
    in_dsp = blocks_per_product(c) > 0
    return np.stack(
        [
            np.ones(blocks.shape),
            c.n_out * width,
            blocks * width * (in_dsp & (outer > 2)),
            blocks * c.weight_bits / UNIT * (in_dsp & (outer <= 2)),
            blocks * c.weight_bits / UNIT * (~in_dsp & (outer > 2)),
        ],
        axis=1,
    )


def product_area(c: Columns, k: Coefficients, vivado: bool = False) -> Area:
    """Cost of the matrices, csynth's or (registers of sums that saturate) Vivado's; zero for all other layers."""
    lut, ff, dsp = (np.zeros(c.kind.size) for _ in range(3))
    terms = product_terms(c)
    hard = c.hard * np.maximum(1.0, blocks_per_product(c))
    for mode, rows in modes(c).items():
        lut[rows] = (terms @ np.array(k.product[mode]["lut"]))[rows]
        ff[rows] = (terms @ np.array(k.product[mode]["ff"]))[rows]
    ff = np.where(modes(c)["latency"] & (sum_cycles(c) < 1), 0.0, ff)  # nothing is pipelined
    limit = np.minimum(shared_multipliers(c), np.ceil(shared_products(c))) * blocks_per_product(c)
    slow = c.of_layers(c.series7) & (c.of_layers(c.clock_ns) < 7.0) & ~folded(c)
    width = accumulator_bits(c) / UNIT
    ff = ff + slow * width * (SLOW_PRODUCT_FF * hard + SLOW_SUM_FF * c.nonzero) * c.matrix
    dsp = np.where(~c.resource & (c.reuse > 1), limit, np.where(c.matrix, hard, 0.0))
    rows = folded(c)
    lut[rows] = (folded_lut_terms(c) @ np.array(k.folded))[rows]
    ff[rows] = (folded_ff_terms(c) @ np.array(k.folded_ff))[rows]
    dsp[rows] = (block_factor(c) * blocks_per_product(c))[rows]
    extra = extra_of_sums(c, np.where(rows, block_factor(c), c.nonzero), rows, vivado)
    return Area((lut + extra.lut) * c.copies, (ff + extra.ff) * c.copies, dsp * c.copies)
