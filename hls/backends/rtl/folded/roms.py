"""Where a ROM goes: block RAM or logic."""

from __future__ import annotations

import math

BLOCK_SHAPES = {
    "xc7": ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)),
    "xcup": ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)),
    "ecp5": ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)),
    "ice40": ((256, 16), (512, 8), (1024, 4), (2048, 2)),
    "gowin": ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)),
    "gw5a": ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)),
    "cyclonev": ((256, 40), (512, 20), (1024, 10), (2048, 5), (4096, 2), (8192, 1)),
    "max10": ((256, 36), (512, 18), (1024, 9), (2048, 4), (4096, 2), (8192, 1)),
    "arria10": ((512, 40), (1024, 20), (2048, 10)),
    "agilex": ((512, 40), (1024, 20), (2048, 10)),
    "polarfire": ((512, 40), (1024, 20), (2048, 10), (4096, 5), (8192, 2), (16384, 1)),
}
"""Words and bits of one block, in the units of ``Device.bram``.  Those of Intel and Microchip are M10K, M9K, M20K
and LSRAM after the vendors' memory guides; no tool of theirs has confirmed our counts."""

LUTS_PER_BLOCK = {
    "xc7": 190,
    "xcup": 180,
    "ecp5": 400,
    "ice40": 180,
    "gowin": 330,
    "gw5a": 410,
    "cyclonev": 75,
    "max10": 270,
    "arria10": 150,
    "agilex": 70,
    "polarfire": 310,
}
"""LUTs for every block on common devices: what a block is worth."""

BITS_PER_LUT = {
    "xc7": 64,
    "xcup": 64,
    "ecp5": 16,
    "ice40": 16,
    "gowin": 16,
    "gw5a": 16,
    "cyclonev": 64,
    "max10": 16,
    "arria10": 64,
    "agilex": 64,
    "polarfire": 16,
}

LUT_RAM = {"xc7": (32, 6, 4), "xcup": (32, 6, 4), "ecp5": (16, 4, 6), "gowin": (16, 4, 4)}
"""Words and bits of a small memory in LUTs, and the LUTs that it takes."""


def blocks(depth: int, width: int, family: str) -> int:
    """Block RAMs for ``depth`` words of ``width`` bits, in the best of the block's shapes."""
    return min(math.ceil(depth / d) * math.ceil(width / w) for d, w in BLOCK_SHAPES[family])


def logic_luts(depth: int, width: int, family: str) -> float:
    """LUTs of the same as logic: one column of ``depth`` bits after the other."""
    return width * max(1.0, depth / BITS_PER_LUT[family]) if depth > 1 else 0.0


def in_block(depth: int, width: int, family: str) -> bool:
    """Whether block RAM is the cheaper place, by what both are worth on common devices of the family."""
    if family not in BLOCK_SHAPES or depth < 16:
        return False
    return blocks(depth, width, family) * LUTS_PER_BLOCK[family] < logic_luts(depth, width, family)
