"""Cycles of hls4ml layers: latency and interval, for many layers at once.

Sources: the pipeline pragmas of hls4ml's templates, and csynth reports of the
calibration; the formulas say which.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bitsmith.hls.estimate.hls4ml.area import (
    blocks_per_product,
    folded,
    modes,
    shared_multipliers,
    shared_products,
    sum_cycles,
)
from bitsmith.hls.estimate.hls4ml.layers import Columns, Floats
from bitsmith.hls.estimate.hls4ml.sums import chain_cycles

DSP_STAGES = 4.0
"""More of them on 28 nm parts, whose multipliers are pipelined at 5 ns."""


@dataclass(frozen=True, eq=False)
class Cycles:
    """Of each layer: of its matrix alone, and on a stream from the first position taken to the last one given."""

    latency: Floats
    interval: Floats
    stream: Floats


def unfolded_latency(c: Columns) -> Floats:
    """Pipeline stages of a matrix of constants: of its sums and, on 28 nm parts, of its multipliers.

    Only the latency strategy cuts chains of saturating sums: with the other, csynth misses its clock instead.
    """
    in_dsp = c.of_layers(c.series7) & (c.hard >= 0.5)
    stages = np.round(DSP_STAGES * np.minimum(1.0, 5.0 / c.of_layers(c.clock_ns)))
    return np.where(c.saturates & ~c.resource, chain_cycles(c), sum_cycles(c)) + np.where(in_dsp, stages, 0.0)


def matrix_cycles(c: Columns) -> tuple[Floats, Floats]:
    """Latency and interval of each matrix; 0 and 1 for all other layers.

    Folded: interval = reuse, latency = reuse + 2 (756 reports, all exact).  Constants at reuse 1 in the resource
    strategy: 1 and 2.  Above 1 in the latency strategy, the multipliers that are left share what ``multiplier_limit``
    allows; with none left, HLS still ends at an interval of 3 (or at the reuse factor).
    """
    plain = unfolded_latency(c)
    mode = modes(c)
    turns = c.matrix & ~c.resource & (c.reuse > 1)
    shared = np.ceil(shared_products(c) / shared_multipliers(c))
    interval = np.where(turns, np.minimum(np.maximum(shared, 3.0), c.reuse), 1.0)
    latency = np.where(turns & (c.reuse > 2), interval - 1.0, plain)
    interval = np.where(mode["constant"] & (plain > 0), plain + 1.0, interval)
    rows = folded(c)
    # a cycle less where nothing is selected and no product is in a DSP block
    quick = (c.reuse <= 2 * c.n_in) & (blocks_per_product(c) == 0)
    slow = c.saturates  # a cycle more where the product is cast (four reports)
    return np.where(rows, c.reuse + 2.0 - quick + slow, np.where(c.matrix, latency, 0.0)), np.where(
        rows, c.reuse, interval
    )


def layer_cycles(c: Columns, worst: bool = True) -> Cycles:
    """Cycles of every layer; ``worst`` as in ``stream_cycles``."""
    latency, interval = matrix_cycles(c)
    stream = c.of_layers(c.stream)
    slow = c.of_layers(c.series7) & (c.of_layers(c.clock_ns) < 7.0)
    softmax = c.is_kind("softmax")
    latency = np.where(softmax, np.where(slow, 13.0, 4.0), latency)
    # io_parallel convolutions take the positions in turn, ``copies`` at a time
    places = np.ceil(c.places_out / c.copies)
    spread = c.is_kind("conv") & ~stream & (places > 1)
    latency = np.where(spread, places * interval + latency, latency)
    interval = np.where(spread, places * interval, interval)
    return Cycles(latency, interval, np.where(stream, stream_cycles(c, latency, worst), latency))


def shift_cycles(c: Columns) -> Floats:
    """Cycles of a position that a convolution on a stream takes in and that completes no window.

    hls4ml's nnet_conv_stream.h: of one dimension, the window shifts in a loop over its width (5 taps: 8 cycles, 3: 6,
    in seven reports); of two, in one pipelined function (2 and 4 cycles in two reports).  Streams of single values
    take them one by one.
    """
    one_row = (c.kernel_h <= 1) & (c.kernel_w > 1)
    return np.where(c.single_stream, c.channels + 1.0, np.where(one_row, c.kernel_w + 3.0, 4.0))


def position_cycles(c: Columns, latency: Floats) -> tuple[Floats, Floats]:
    """Cycles of a convolution on a stream per position: of one that gives an output, and of one that does not.

    The latency strategy pipelines over the positions, so that all are alike: the reuse factor in Vivado HLS; in Vitis
    HLS the call per position is not pipelined and takes the matrix's latency and 2 (3 from a latency of 3 on).  The
    resource strategy does not: shift the window in, and, where it is complete, call the matrix and wait.
    """
    shift = shift_cycles(c)
    called = np.where(folded(c), latency, np.maximum(1.0, latency))
    waits = shift + np.where(c.single_stream, c.reuse + 2.0 + c.n_out, called)
    vitis = c.of_layers(c.vitis)
    plain = np.maximum(np.where(vitis, latency + 2 + (latency >= 3), 1.0), c.reuse)
    plain = plain + np.where(c.single_stream, c.channels + c.n_out, 0.0)
    turns = c.resource & (folded(c) | ~vitis)
    return np.where(turns, waits, plain), np.where(turns, shift, plain)


def stream_cycles(c: Columns, latency: Floats, worst: bool) -> Floats:
    """Cycles that each layer of a stream takes for one input.

    csynth does not know which positions complete a window and, in the ``worst`` case, has all of them do so; as it
    runs, ``places_out`` do.  A dense layer gathers its input first.
    """
    vitis = c.of_layers(c.vitis)
    gives, takes = position_cycles(c, latency)
    given = c.places_in if worst else np.minimum(c.places_out, c.places_in)
    conv = given * gives + (c.places_in - given) * takes
    conv = conv + np.where(folded(c), 1.0, latency + np.where(vitis, 2, 5))
    dense = np.ceil(c.n_in / np.maximum(c.channels, 1.0)) + latency + np.where(c.n_in > c.channels, 4, 1)
    one_by_one = np.where(c.single_stream, c.channels, 1.0)
    pooled = c.places_in * np.where(vitis, 2.0, 1.0)  # Vitis: 1,155 cycles for 576 positions
    out = one_by_one * np.where(c.is_kind("pool"), pooled, np.maximum(c.places_in, c.places_out))
    other = np.where(c.is_kind("softmax"), latency + 4.0, out + 2.0)
    return np.where(
        c.is_kind("conv"), conv, np.where(c.is_kind("dense"), dense, np.where(c.is_kind("wiring"), 0.0, other))
    )


def _ends(c: Columns) -> Floats:
    """Values into the first layer and out of the last one of each design, with that layer."""
    starts = np.concatenate([[True], c.design[1:] != c.design[:-1]])
    ends = np.concatenate([c.design[1:] != c.design[:-1], [True]])
    return np.where(starts, c.n_in, 0.0) + np.where(ends, np.where(c.matrix, c.n_out, c.channels), 0.0)


def design_cycles(c: Columns, cycles: Cycles) -> tuple[Floats, Floats]:
    """Latency and interval of each design, arrays of shape (designs,).

    io_parallel: the layers' latencies and 1.3 cycles for each matrix where there are several layers (registers
    between them: 4 to 7 in nine nets of 4); the slowest layer sets the interval.  io_stream: the slowest layer, then
    the dense layers and softmax behind it, which wait for all of it.
    """
    several = c.sums(np.ones(c.kind.size)) > 1
    # an AXI port takes and gives values one by one, and no input before the output is out
    ports = np.where(c.axi & ~c.stream, c.sums(np.where(c.is_kind("wiring"), 0.0, _ends(c))), 0.0)
    # floor(x + 0.5), for every platform the same
    between = np.where(several & ~c.module, np.floor(1.3 * c.sums(c.matrix.astype(np.float64)) + 0.5), 0.0)
    latency = c.sums(cycles.latency) + between + ports
    interval = np.where(c.axi & ~c.stream, latency + 1, np.maximum(1.0, c.largest(cycles.interval)))
    slowest = c.largest(cycles.stream)
    waits = c.is_kind("dense", "softmax")
    tail = c.sums(np.where(waits, cycles.stream, 0.0))
    # where the slowest is one of those that wait, it is not behind itself; others as slow are
    tail = tail - np.where(c.largest(np.where(waits, 0.0, cycles.stream)) < slowest, slowest, 0.0)
    last = np.where(c.module, 0.0, tail + 2)
    return np.where(c.stream, slowest + last, latency), np.where(
        c.stream, np.maximum(1.0, slowest + ~c.module), interval
    )
