"""LUTs, registers, DSP blocks and block RAM of everything around the matrices: buffers, functions, ports, FIFOs.

Each number was read off csynth module reports of public hls4ml projects
(Vivado HLS 2019.2 to Vitis HLS 2025.1); ``fit`` scales whole components.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bitsmith.hls.estimate.hls4ml.area import block_factor, folded
from bitsmith.hls.estimate.hls4ml.layers import Columns, Floats
from bitsmith.hls.estimate.hls4ml.memory import SMALL_ROM_BITS, fifo_blocks, rom_blocks
from bitsmith.hls.estimate.hls4ml.weights import LUT_PRODUCT_BITS

AXI_LUT, AXI_FF = 4659.0, 2230.0
"""Medians of three designs, with and without the port."""


@dataclass(frozen=True, eq=False)
class Stage:
    """Cost of each layer beside its matrix, arrays of shape (layers,)."""

    lut: Floats
    ff: Floats
    dsp: Floats
    bram: Floats


def values_at_once(c: Columns) -> Floats:
    """Values that a function works on side by side: all of them, one position's, or one."""
    return np.where(c.single_stream, 1.0, np.where(c.of_layers(c.stream), c.channels, c.n_in))


def function_stage(c: Columns) -> Stage:
    """Functions value by value, softmax, pooling, padding, normalization and the like."""
    n = values_at_once(c)
    stream = c.of_layers(c.stream)
    zero = np.zeros(n.shape)
    lut, ff, dsp, bram = zero.copy(), zero.copy(), zero.copy(), zero.copy()
    narrows = c.out_bits < c.in_bits  # then it rounds and saturates
    taps = c.kernel_h * c.kernel_w

    def add(kinds: tuple[str, ...], luts: Floats, ffs: Floats, dsps: Floats = zero, brams: Floats = zero) -> None:
        rows = c.is_kind(*kinds)
        for total, part in ((lut, luts), (ff, ffs), (dsp, dsps), (bram, brams)):
            total[rows] = part[rows]

    # relu of 64 x 16 bits: 1,792 LUTs; to 6 bits with saturation 3.5 to 4.5 per input bit
    one = c.single_stream
    relu = n * c.in_bits * np.where(narrows, 3.8, 1.75)
    # one value at a time, with a slope: 239 LUTs, 428 registers, 2 DSP at 32 bits
    add(
        ("activation",),
        np.where(one, c.in_bits * 7.5, relu),
        np.where(one, c.in_bits * 13.5, np.where(stream, n * c.in_bits * 0.5 + 10, 0.0)),
        np.where(one, np.ceil(c.in_bits / 18), 0.0),
    )
    # softmax over 5: 664 LUTs, 236 registers, 5 DSP, 4 blocks (two lookups per table and port)
    add(("softmax",), 130.0 * n, 50.0 * n, n, np.ceil(n / 2) + 1)
    add(("pool",), n * c.in_bits * taps * 1.2, n * c.in_bits * taps * 1.6)
    add(("global_pool",), n * c.in_bits * 3.5, n * c.in_bits * 2.0)
    # zeropad of 1, 4, 8, 32 channels: 105, 243, 410, 1,249 LUTs
    # one value at a time: 354 of 8 channels, 2,357 of 256
    pads = np.where(one, 290.0 + 8.0 * c.channels, 60.0 + 38.0 * n)
    add(("pad",), pads, np.where(one, 60.0 + 5.0 * c.channels, 12.0 + 0.5 * n))
    # constants of three digits or more: about 0.4 of those of 8 bits
    products = 0.4 * n * (c.in_bits * c.weight_bits > LUT_PRODUCT_BITS)
    add(("normalize",), n * 57.0, n * 40.0, products)
    add(("merge",), n * c.in_bits * 1.5, np.where(stream, n * c.in_bits, 0.0))
    add(("resize", "clone"), np.where(stream, 60.0 + 14.0 * n, 0.0), np.where(stream, 50.0 + 10.0 * n, 0.0))
    return Stage(lut, ff, dsp, bram)


def window_stage(c: Columns) -> Stage:
    """Line buffers and the window of convolutions and pools on streams.

    One shift register per channel and line: 32 LUTs and 64 registers in Vivado HLS at every width and length (csynth
    of 3 to 256 channels); Vitis HLS adds 9 LUTs per tap of a row.
    """
    rows = c.is_kind("conv", "pool") & c.of_layers(c.stream)
    lines = c.channels * (c.kernel_h - 1)
    per_line = 32.0 + np.where(c.of_layers(c.vitis), 9.0 * c.kernel_w, 0.0)
    taps = c.kernel_h * c.kernel_w
    inner = taps > 1
    lut = rows * (lines * per_line + inner * 150.0)
    # the window twice: as it shifts, and as the matrix takes it
    ff = rows * (lines * 64.0 + inner * c.channels * taps * c.in_bits * np.where(c.matrix, 2.0, 1.0))
    zero = np.zeros(lut.shape)
    return Stage(lut, ff, zero, zero)


def gather_stage(c: Columns) -> Stage:
    """A dense layer on a stream gathers its inputs first (nnet_dense_stream.h): registers for all of them.

    Enables of their own where they come in several beats.  Also of inputs that end in memory.  Seven reports of modules
    with their wrappers: the difference is the inputs' bits, and in four the outputs' too.
    """
    rows = c.is_kind("dense") & c.of_layers(c.stream)
    zero = np.zeros(c.n_in.shape)
    return Stage(rows * (c.n_in > c.channels) * c.n_in * 0.3, rows * c.n_in * c.in_bits, zero, zero)


def weight_blocks(c: Columns, vivado: bool) -> Floats:
    """Block RAM of weights: ``reuse`` words of one weight per multiplier; above twice ``n_in``, a table of outputs.

    Vivado turns a ROM of few words back into LUTs.
    """
    rows = folded(c)
    blocks = rom_blocks(c.reuse, block_factor(c) * c.weight_bits)
    outer = c.reuse / c.n_in
    bits = c.reuse * np.ceil(np.log2(np.maximum(outer, 2.0)))
    index = np.where((outer > 2) & (bits >= SMALL_ROM_BITS), np.ceil(bits / 18432), 0.0)
    if vivado:
        return np.where(rows & (c.reuse >= 64), blocks, 0.0)
    return np.where(rows, blocks + index, 0.0)


def fifo_stage(c: Columns, vivado: bool) -> Stage:
    """The FIFO behind each layer of an io_stream design: as deep as the layer has positions.

    Vivado HLS makes one per channel of at most 18 bits to a block, Vitis HLS one for the whole position.
    """
    rows = c.of_layers(c.stream) & ~c.of_layers(c.module) & ~c.is_kind("wiring")
    vitis = c.of_layers(c.vitis)
    values = np.where(c.single_stream, 1.0, np.where(c.matrix, c.n_out, c.channels))
    bits = c.out_bits
    depth = c.places_out
    apart = values * fifo_blocks(depth, bits, 36.0 if vivado else 18.0)
    packed = fifo_blocks(depth, values * bits, 36.0)
    lut = np.where(vitis, 60.0 + 0.5 * values * bits, 60.0 * values)
    ff = np.where(vitis, 60.0 + 0.5 * values * bits, 40.0 * values)
    zero = np.zeros(lut.shape)
    return Stage(rows * lut, rows * ff, zero, np.where(rows, np.where(vitis, packed, apart), 0.0))


def port_stage(c: Columns) -> Stage:
    """What stands around the layers of an io_parallel design.

    Registers: outputs of matrices and of functions behind them, once each (three nets of 16-64-32-32-5 carry 3,424
    bits beside their modules).
    """
    several = c.sums(np.ones(c.kind.size)) > 1
    rows = ~c.of_layers(c.stream) & ~c.of_layers(c.module) & c.of_layers(several)
    bits = np.where(
        c.matrix, c.n_out * c.acc_bits, np.where(c.is_kind("activation", "softmax"), c.n_in * c.out_bits * 0.6, 0.0)
    )
    zero = np.zeros(bits.shape)
    return Stage(zero, rows * bits, zero, zero)


def turn_stage(c: Columns) -> Stage:
    """An io_parallel convolution whose places take turns: a register per bit of its output, selected at each turn."""
    turns = np.ceil(c.places_out / c.copies)
    rows = c.is_kind("conv") & ~c.of_layers(c.stream) & (turns > 1)
    bits = rows * c.places_out * c.n_out * c.out_bits
    return Stage(bits * turns, bits, np.zeros(turns.shape), np.zeros(turns.shape))


def axi_stage(c: Columns) -> Stage:
    """The AXI port of hls4ml's accelerator back ends, with the first and the last layer.

    3,389 to 6,771 LUTs in three designs.  Streams from and to it are as deep as there are values (N_IN, N_OUT), each
    channel's own; so in two reports, of hls4ml's vivado_accelerator_writer.py of 2021, later ones are as deep as there
    are positions.
    """
    changes = c.design[1:] != c.design[:-1]
    starts, ends = (np.concatenate(parts) if c.design.size else np.zeros(0, dtype=np.bool_)
                    for parts in (([True], changes), (changes, [True])))  # fmt: skip
    starts, ends = starts & c.of_layers(c.axi), ends & c.of_layers(c.axi)
    given = np.where(c.matrix, c.n_out, c.channels)
    blocks = np.zeros(c.kind.size)
    for rows, values, places, bits in (
        (
            starts,
            c.channels,
            np.where(c.is_kind("dense"), c.n_in / np.maximum(c.channels, 1.0), c.places_in),
            c.in_bits,
        ),
        (ends, given, c.places_out, c.out_bits),
    ):
        apart = np.where(c.single_stream, 1.0, values)
        blocks = blocks + np.where(rows & c.of_layers(c.stream), apart * fifo_blocks(values * places, bits, 18.0), 0.0)
    return Stage(starts * AXI_LUT, starts * AXI_FF, np.zeros(c.kind.size), blocks)
