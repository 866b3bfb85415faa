"""What one layer takes at a folding: cycles by FINN's own formulas, resources by those of the FINN-R paper.

Sources, read in FINN+ 1.6.1 (``custom_op/fpgadataflow``): ``get_exp_cycles`` of
every layer; ``lut_estimation`` and ``bram_estimation`` of the products, which cite
FINN-R (Blott et al., arXiv:1809.04570) and, for the width of a sum,
arXiv:2301.13376.  The paper's model leaves streams and control out; layers for
which FINN has no formula count one LUT per output bit here.  These figures
choose a folding.  They are not Bitsmith's estimate, and no synthesis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bitsmith.hls.backends.finn.layers import Layer

BASE_LUT, LUT_FACTOR = 300, 1.1  # c0 and c1 of FINN-R
LUTRAM_DEPTH = 64
WINDOW_DEPTH = 38  # values that one LUT keeps of one bit of a window
BRAM18_SHAPES = ((1, 16384), (2, 8192), (4, 4096), (9, 2048), (18, 1024), (36, 512))  # width, depth


@dataclass(frozen=True)
class Area:
    """Resources of a design or a part of it; ``bram`` counts blocks of 18 kbit."""

    lut: float = 0.0
    dsp: int = 0
    bram: int = 0

    def __add__(self, other: Area) -> Area:
        return Area(self.lut + other.lut, self.dsp + other.dsp, self.bram + other.bram)


def cycles(layer: Layer, pe: int, simd: int, parallel_window: bool = False) -> int:
    """Cycles per inference.  ``pe`` divides the channels, or ``simd`` does for layers that have no PE."""
    if layer.kind.startswith("ConvolutionInputGenerator"):
        return _window_cycles(layer, simd, parallel_window)
    if layer.kind.startswith(("MVAU", "VVAU")):
        return layer.channels * layer.rows * layer.vectors // (pe * simd)
    if layer.kind.startswith("Pool"):
        return layer.channels * math.prod(layer.kernel) * layer.vectors // pe
    return layer.channels * layer.vectors // (pe * simd)


def _window_cycles(layer: Layer, simd: int, parallel_window: bool) -> int:
    folds = layer.channels // simd
    if parallel_window or layer.kernel == (1, 1):
        return math.prod(layer.image) * folds + 2
    (height, width), (rows, places) = layer.image, layer.places
    (k_h, k_w), (s_h, s_w), (d_h, d_w) = layer.kernel, layer.strides, layer.dilations
    if height == 1 or width == 1:
        if width == 1:  # a sequence may lie along either axis
            width, places, k_w, s_w = height, rows, k_h, s_h
        if not layer.depthwise:
            return places * k_w * folds + 2
        out = places * k_w * folds + (folds - 1) * k_w
        return max(out, width * folds + folds * (k_w - 1) * (s_w - 1)) + 2
    start = ((k_h - 1) * d_h * width + (k_w - 1) * d_w + 1) * folds
    row = max(places * k_w * k_h * folds, s_w * width * folds)
    if layer.depthwise:
        row += places * (s_w - 1) * (folds - 1)
        start += (s_h - 1) * width * folds
    return start + rows * row


def area(layer: Layer, pe: int, simd: int, parallel_window: bool = False) -> Area:
    """Resources at a folding."""
    if layer.kind.startswith("ConvolutionInputGenerator"):
        return Area(_window_lut(layer, simd, parallel_window))
    if layer.kind.startswith("Thresholding"):
        return _thresholds(layer, pe)
    if layer.kind.startswith(("MVAU", "VVAU")):
        memory = _weight_bram(pe * simd * layer.weight_bits, layer.channels * layer.rows // (pe * simd))
        if layer.kind == "VVAU_hls" and layer.channels * layer.rows // (pe * simd) <= 128:
            memory = 0  # FINN puts a memory this small into LUTs
        if layer.kind.endswith("rtl"):
            return Area(0.0, math.ceil(pe / 4) * simd, memory)
        return Area(_product_lut(layer, pe, simd), 0, memory)
    return Area(float(layer.bits * pe * simd), 0, 0)


def _product_lut(layer: Layer, pe: int, simd: int) -> float:
    both = layer.weight_bits + layer.in_bits
    multipliers = simd * (2 * math.ceil(both / 6) - 1) * both
    adders = both * (2 * simd - 1)
    return BASE_LUT + LUT_FACTOR * pe * (multipliers + adders + layer.bits)


def _weight_bram(width: int, depth: int) -> int:
    """Blocks of a weight memory, in the shapes that a block of 18 kbit can take."""
    if width > 18 and depth > 512:  # as FINN counts it: half as wide, twice as deep
        return math.ceil(depth / 1024) * math.ceil(width / 18)
    block_width, block_depth = next((s for s in BRAM18_SHAPES if width <= s[0]), BRAM18_SHAPES[-1])
    return math.ceil(depth / block_depth) * math.ceil(width / block_width)


def _window_lut(layer: Layer, simd: int, parallel_window: bool) -> float:
    """FINN keeps the rows that windows need in LUT memory, unless told otherwise."""
    width, (k_h, k_w), (d_h, d_w) = layer.image[1], layer.kernel, layer.dilations
    folds, taps = layer.channels // simd, k_h * k_w
    reach = (k_h - 1) * d_h * width + (k_w - 1) * d_w
    if parallel_window or layer.kernel == (1, 1):
        depth = reach * folds + 2
    else:  # with what a stride lets it read ahead
        ahead = max(0, layer.strides[1] - 1 - taps) + max(0, (layer.strides[0] - 1) * width - taps)
        depth = (reach + 1 + ahead) * folds
    return float(BASE_LUT + simd * layer.in_bits * math.ceil(depth / WINDOW_DEPTH))


def _thresholds(layer: Layer, pe: int) -> Area:
    """A binary search: a comparator and a memory per output bit; stage x holds 2**x thresholds per channel."""
    folds = layer.channels // pe
    comparators = layer.in_bits * max(1, layer.levels.bit_length())
    stages = [_threshold_memory(layer.in_bits, folds << x) for x in range(max(1, layer.levels.bit_length()))]
    lut, bram = sum(s.lut for s in stages), sum(s.bram for s in stages)
    return Area(float(pe * (comparators + lut)), 0, pe * bram)


def _threshold_memory(width: int, depth: int) -> Area:
    """FINN takes the memory that wastes the fewest bits (``get_memutil_alternatives``): block RAM or LUTs."""
    blocks = [(math.ceil(width / w) * math.ceil(depth / d), w * d) for w, d in reversed(BRAM18_SHAPES[3:])]
    count, size = min(blocks, key=lambda block: block[0] * block[1])
    luts = width * math.ceil(depth / LUTRAM_DEPTH)
    return Area(0.0, 0, count) if count * size <= luts * LUTRAM_DEPTH else Area(float(luts))
