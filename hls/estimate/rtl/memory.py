"""Where memories go and what they take.

yosys's ``memory_libmap`` puts every memory where it is cheapest by the costs in
the family's library files (``lutrams*.txt``, ``brams*.txt`` of yosys 0.70): these
are repeated here.  ROMs stand where our generator says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bitsmith.hls.backends.rtl.folded.roms import BITS_PER_LUT, BLOCK_SHAPES
from bitsmith.hls.estimate.rtl.terms import BRAM, FF, LENDER, Floats, Number, Terms, ceil_div, clog2


@dataclass(frozen=True)
class LutRam:
    """A memory of LUTs with a write and a read port: of a size, at a cost, and the LUTs that our counts give it.

    ``scale`` is what yosys leaves off the cost where none of its bits is needed.
    """

    words: int
    bits: int
    cost: float
    scale: float
    luts: int


@dataclass(frozen=True)
class Costs:
    """A family's RAM by yosys's costs; a bit in logic costs one."""

    lut_ram: tuple[LutRam, ...]
    block: float


COSTS = {
    "ecp5": Costs((LutRam(16, 4, 4, 0, 6),), 128),
    "gowin": Costs((LutRam(16, 4, 4, 4, 4),), 128),
    "xc7": Costs((LutRam(32, 6, 8, 7, 4), LutRam(64, 3, 8, 7, 4)), 129),
    "ice40": Costs((), 64),
}

BANK = 0.55
"""What choosing between banks costs a bit: within what yosys 0.70 was seen to decide on ECP5, 7 series and Gowin."""

BANK_ONE_ADDRESS = 0.25
"""The same of a memory that is read where it is written."""

FEW_BANKS = 4
"""Up to so many one LUT of a multiplexer per bit does."""

ONE_ADDRESS = {"xc7": tuple(LutRam(words, bits, 8, 8, 4) for words, bits in ((32, 8), (64, 4), (128, 2), (256, 1)))}
"""LUT RAM with one address for both ports, where the family has such."""


def block_count(words: Number, width: Number, family: str) -> Floats:
    """Block RAMs in the best of their shapes, halves of 18 kbit on AMD."""
    found = [ceil_div(words, depth) * ceil_div(width, bits) for depth, bits in BLOCK_SHAPES[family]]
    best: Floats = np.min(np.broadcast_arrays(*found), axis=0)
    return best


def ram(words: Number, width: Number, family: str, one_address: bool = False) -> Terms:
    """A memory with one writing and one registered reading port, its read register included."""
    like = LENDER.get(family, family)
    costs = COSTS[like]
    kinds = ONE_ADDRESS.get(like, costs.lut_ram) if one_address else costs.lut_ram
    bank = BANK_ONE_ADDRESS if one_address else BANK
    blocks = block_count(words, width, family)
    cheapest, luts, banks = words * width * 1.0, np.zeros_like(blocks), words * np.ones_like(blocks)
    flops = words * width * 1.0 + width
    for kind in kinds:
        rows, columns = ceil_div(words, kind.words), ceil_div(width, kind.bits)
        unused = kind.scale * (columns - np.divide(width, kind.bits))
        cost = rows * (kind.cost * columns - unused) + bank * width * (rows - 1)
        better = cost <= cheapest
        cheapest = np.where(better, cost, cheapest)
        luts = np.where(better, kind.luts * rows * columns, luts)
        banks = np.where(better, rows, banks)
        flops = np.where(better, width * 1.0, flops)
    in_block = costs.block * blocks < cheapest
    logic = (luts == 0) & ~in_block
    return Terms(
        {
            BRAM: np.where(in_block, blocks, 0.0),
            FF: np.where(in_block, 0.0, flops),
            "ram.luts": np.where(in_block, 0.0, luts),
            "ram.bank_bits": np.where(in_block | logic, 0.0, width * (banks - 1)),
            "ram.bank_many": np.where(in_block | logic | (banks <= FEW_BANKS), 0.0, width * (banks - 1)),
            "ram.bank_levels": np.where(in_block | logic, 0.0, width * (banks - 1) * np.maximum(0, clog2(banks) - 1)),
            "ram.logic_bits": np.where(logic, words * width * 1.0, 0.0),
        }
    )


def live_share(words: Number, width: Number) -> Floats:
    """Share of a ROM's columns that are left when constant and equal ones are gone, of random contents."""
    patterns = np.exp2(np.minimum(words, 40.0))
    alike = np.maximum(1, width)
    kept: Floats = np.maximum(0.0, patterns - 2) * -np.expm1(alike * np.log1p(-1 / np.maximum(patterns, 2))) / alike
    return kept


def rom(
    words: Number,
    width: Number,
    block: Number,
    family: str,
    registers: Number = 1,
    live: Number | None = None,
    tables: Number | None = None,
) -> Terms:
    """bitsmith_rom: ``registers`` read registers, the first of which block RAM holds; one word is a constant.

    ``live`` is the share of columns that are neither constant nor equal to another, by default that of random ones;
    ``tables`` the same of the pieces of columns that a LUT holds, by default ``live``.
    """
    live = live_share(words, width) if live is None else live
    tables = live if tables is None else tables
    rows = np.exp2(np.maximum(0, clog2(words) - np.log2(BITS_PER_LUT[family])))
    kept, in_block = np.greater(words, 1), np.asarray(block) > 0
    in_logic, columns = ~in_block & kept, width * live
    return Terms(
        {
            BRAM: np.where(in_block & kept, block_count(words, width, family), 0.0),
            FF: np.where(kept, np.where(in_block, width * (registers - 1.0), columns * registers), 0.0),
            "rom.luts": np.where(in_logic & (rows > 1), columns * np.divide(words, BITS_PER_LUT[family]), 0.0),
            "rom.tables": np.where(in_logic & (rows > 1), width * tables * np.divide(words, BITS_PER_LUT[family]), 0.0),
            "rom.small": np.where(in_logic & (rows <= 1), columns, 0.0),
            "rom.address": np.where(in_logic, clog2(words), 0.0),
        }
    )
