"""Block RAM as HLS reports it, in 18-kbit halves: ROMs of weights, FIFOs between layers."""

from __future__ import annotations

import numpy as np

from bitsmith.hls.estimate.hls4ml.layers import Floats

SHAPES = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
"""Depth and width of one RAMB18 (AMD UG473 and UG573, "Block RAM"; the true width of x4 and below has no parity)."""

SMALL_ROM_BITS = 1024
"""A ROM of fewer bits goes into LUTs: 480 x 2 does, 512 x 2 does not."""

SMALL_REST = 2
"""So many bits that are left over beside whole columns go into LUTs: 128 bits take seven columns of 18."""

SMALL_FIFO_BITS = 512
"""A FIFO of so many bits or fewer goes into shift registers."""


def rom_blocks(depth: Floats, width: Floats) -> Floats:
    """Blocks of a ROM of ``depth`` words of ``width`` bits: the cheapest split of the width into columns.

    A column is one shape, stacked to the depth; whole columns of the widest kind first, the rest in the cheapest.
    Above 2,048 words the depth is a power of two and parity bits are not used (three reports: 5,040, 9,216 and 13,824
    words).  Checked against csynth reports of weights of 32 to 256 by 32 to 256 at depths 384 to 1280.
    """
    deep_words = 2.0 ** np.ceil(np.log2(np.maximum(depth, 1.0)))
    best = np.full(np.broadcast(depth, width).shape, np.inf)
    for deep, wide in SHAPES:
        stack = np.ceil(depth / deep)
        whole = np.floor(width / wide)
        rest = width - whole * wide
        tail = np.full(best.shape, np.inf)
        for d, w in SHAPES:
            tail = np.minimum(tail, np.ceil(depth / d) * np.ceil(rest / w))
        tail = np.where((whole > 0) & (rest <= SMALL_REST), 0.0, tail)
        best = np.minimum(best, stack * whole + tail)
    best = np.where(depth > 2048, np.ceil(deep_words * width / 16384), best)
    return np.where(depth * width < SMALL_ROM_BITS, 0.0, best)


def fifo_blocks(depth: Floats, width: Floats, widest: float) -> Floats:
    """Blocks of a FIFO, at most ``widest`` bits of a word in one block.

    Above 1,024 words the depth is a power of two and parity bits are not used, as in ROMs: 49,152, 16,900 and 4,356
    words of 32 bits in a report.
    """
    words = 2.0 ** np.ceil(np.log2(np.maximum(depth, 1.0)))
    shallow = np.ceil(width / np.minimum(widest, np.where(depth <= 512, 36.0, 18.0)))
    blocks = np.where(depth > 1024, np.ceil(words * width / 16384), shallow)
    return np.where((depth <= 1) | (depth * width <= SMALL_FIFO_BITS), 0.0, blocks)
