"""What pipes take: LUTs and flip-flops from their structure, blocks counted.

The factors of :data:`ROM_FACTOR` and the clip's two LUTs a bit are from yosys 0.70; how well the formulas fit is
measured by the test of this module.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from bitsmith.hls.backends.rtl.folded.multiply import DSP_SIZE
from bitsmith.hls.backends.rtl.folded.parts import Cost
from bitsmith.hls.backends.rtl.folded.roms import LUTS_PER_BLOCK, blocks, logic_luts

MOST_TABLE_BITS = 5
"""Input bits up to which a function is a table rather than arithmetic."""

MOST_COMPARATORS = 63

LUTS_PER_DSP = {"xc7": 240, "xcup": 200, "ecp5": 540, "gowin": 430}
"""LUTs for every multiplier on common devices: what one is worth.  iCE40's few go to the matrix units."""

ROM_FACTOR = {"xc7": 1.0, "xcup": 1.0, "ecp5": 1.4, "ice40": 2.0, "gowin": 1.5}
"""What a ROM in logic takes more than the LUTs that hold its bits: multiplexers, and what mapping misses."""


def worth(cost: Cost, family: str) -> float:
    """One number for a choice between units, in LUTs; a flip-flop comes with nearly every one."""
    return (
        cost.lut + cost.ff / 4 + cost.dsp * LUTS_PER_DSP.get(family, 500) + cost.bram * LUTS_PER_BLOCK.get(family, 200)
    )


def product_cost(x_bits: int, mult_bits: int, ones: int | None, dsp: bool, family: str) -> Cost:
    """One product; ``ones`` is how many bits of a constant multiplier are set, None if it changes."""
    width = x_bits + mult_bits
    if dsp:
        wide, narrow = DSP_SIZE[family]
        long, short = max(x_bits, mult_bits), min(x_bits, mult_bits)
        parts = math.ceil(long / wide) * math.ceil(short / narrow)
        return Cost((parts - 1) * width, width, parts)
    long, short = max(x_bits, mult_bits), min(x_bits, mult_bits)
    rows = short if ones is None else ones
    lut = (rows - 1) * (long + 3) + (
        0 if ones is not None else long * short * (0.6 if family in ("xc7", "xcup") else 1)
    )
    ff, level = 0.0, 2
    while level < 2 * short or level == 2:
        ff += min(math.ceil(short / level), rows) * (long + level)
        level *= 2
    return Cost(lut, ff)


def wants_dsp(x_bits: int, mult_bits: int, ones: int | None, family: str) -> bool:
    """Whether a product is better made on a multiplier of the device."""
    if family not in LUTS_PER_DSP:
        return False
    logic, block = (worth(product_cost(x_bits, mult_bits, ones, dsp, family), family) for dsp in (False, True))
    return block < logic


def clip_cost(bits: int, even: bool, width: int) -> Cost:
    """Saturation or wrapping to ``bits`` bits, with the repair of ties where ``even``."""
    return Cost(2.0 * bits + (width / 3 if even else 0), bits)


def rom_cost(depth: int, bits: int, block: bool, lanes: int, family: str) -> Cost:
    """A table per lane; its register counts too."""
    if block:
        return Cost(bram=float(lanes * blocks(depth, bits, family)))
    return Cost(lut=lanes * _rom_luts(depth, bits, family), ff=lanes * bits)


def _rom_luts(depth: int, bits: int, family: str) -> float:
    if depth <= 1:
        return 0.0
    depth = 1 << (depth - 1).bit_length()  # addresses without a word cost as the others
    leaf = 64 if family in ("xc7", "xcup") else 16
    return bits if depth <= leaf else logic_luts(depth, bits, family) * ROM_FACTOR.get(family, 1.5)


def in_block(depth: int, bits: int, family: str) -> bool:
    """Whether a ROM is better in block RAM, by what it takes in logic as measured."""
    if family not in LUTS_PER_BLOCK or depth < 16:
        return False
    return blocks(depth, bits, family) * LUTS_PER_BLOCK[family] < _rom_luts(depth, bits, family)


def add_cost(factors: Sequence[int], width: int, bits: int, lanes: int) -> Cost:
    """bitsmith_add: an adder for every input but one, for every further bit of a factor, and to negate a product."""
    terms = len(factors)
    more = sum(abs(f).bit_count() - 1 + (f < -1) for f in factors)
    times = terms if more or terms == 1 else 0
    return Cost(lanes * ((terms - 1) * (bits + 3) + more * (width + 3)), lanes * ((terms - 1) * bits + times * width))


def comparators_cost(levels: int, bits: int, width: int, folds: int, lanes: int, each: bool, family: str) -> Cost:
    """bitsmith_levels: thresholds that are constants save half of a comparator."""
    if not each or folds == 1:
        return Cost(lanes * (levels * width / 2 + levels), lanes * (levels + bits))
    columns = min(lanes * levels * width, 1 << min(folds, 20))  # equal ones are made once
    rom = Cost(_rom_luts(folds, columns, family), columns)
    return Cost(lanes * levels * (width + 2), lanes * (levels + bits)) + rom


def search_cost(bits: int, width: int, folds: int, lanes: int, read: int, first_block: int, family: str) -> Cost:
    """bitsmith_search; x and the known bits of the answer wait ``read`` cycles for each memory."""
    waiting = (bits - 1) * (width + bits / 2) * read + (read - 1) * (bits - 1) * width
    cost = Cost(lanes * bits * (width + 1), lanes * (waiting + bits))
    for k in range(bits):
        rom = rom_cost(folds << k, width, k >= first_block, lanes, family)
        cost += Cost(rom.lut, 0.0, 0.0, rom.bram)
    return cost


def serial_cost(bits: int, width: int, folds: int, lanes: int, read: int, block: bool, family: str) -> Cost:
    """bitsmith_search_serial."""
    rom = rom_cost(folds << bits, width, block, lanes, family)
    return Cost(lanes * (width + 2 * bits) + rom.lut, lanes * (width * read + 2 * bits), 0.0, rom.bram)
