"""What a mapped netlist occupies, family by family: physical LUTs, flip-flops, DSP blocks and block RAM.

Counted as LUT: every LUT cell of any size, each for itself (two small ones that
a placer may pack into one LUT6 count as two); every inverter left over, which
takes a LUT1; distributed RAM by the LUTs that hold it; shift registers in LUTs;
carry cells only where the family builds them from LUTs (ECP5 CCU2C: two, Gowin
ALU: one).  Not counted: carry chains of AMD and iCE40 and wide multiplexers,
which stand beside the LUTs.  Latches count as flip-flops.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Weights = Mapping[str, float]


@dataclass(frozen=True)
class CellTable:
    """Cell name (a regular expression for the whole name) -> how much of the resource one cell takes."""

    lut: Weights
    ff: Weights
    dsp: Weights
    bram: Weights


@dataclass(frozen=True)
class Used:
    """What a netlist occupies, in the units of :class:`bitsmith.hls.config.Device`."""

    lut: int
    ff: int
    dsp: int
    bram: int


_AMD = CellTable(
    lut={
        r"LUT[1-6]|INV": 1,
        r"SRL16E|SRLC16E|SRLC32E": 1,
        r"RAM(32|64)X1S(_1)?": 1,
        r"RAM128X1S(_1)?|RAM(16|32|64)X1D(_1)?": 2,
        r"RAM256X1S|RAM128X1D|RAM32M|RAM64M": 4,
        r"RAM512X1S|RAM256X1D|RAM32M16|RAM64M8": 8,
    },
    ff={r"FD[RSCP]E(_1)?|LD[CP]E": 1},
    dsp={r"DSP48E[12]": 1},
    bram={r"RAMB18E[12]": 1, r"RAMB36E[12]": 2},
)

_GOWIN = CellTable(
    lut={r"LUT[1-4]|INV|ALU": 1, r"RAM16S(DP)?1": 1, r"RAM16S(DP)?2": 2, r"RAM16S(DP)?4": 4},
    ff={r"DFFN?[RSCP]?E?|DLN?[CP]?E?": 1},
    dsp={r"MULT9X9": 0.5, r"MULT12X12|MULT18X18": 1, r"MULT36X36": 4},
    bram={r"(SP|SDPB|DPB|pROM)|(SPX9|SDPX9B|DPX9B|pROMX9)": 1},
)

TABLES: dict[str, CellTable] = {
    "xc7": _AMD,
    "xcup": _AMD,
    "ecp5": CellTable(
        # A DPR16X4 holds its bits in four LUTs, and the two of its slice of write ports are lost as well.
        lut={r"LUT4|INV": 1, r"CCU2C": 2, r"TRELLIS_DPR16X4": 6},
        ff={r"TRELLIS_FF": 1},
        dsp={r"MULT18X18D": 1},
        bram={r"DP16KD|PDPW16KD": 1},
    ),
    "ice40": CellTable(
        lut={r"SB_LUT4": 1},
        ff={r"SB_DFF\w*": 1},
        dsp={r"SB_MAC16": 1},
        bram={r"SB_RAM40_4K\w*": 1},
    ),
    "gowin": _GOWIN,
    "gw5a": _GOWIN,
}
"""Families with open synthesis."""


def weigh(cells: Mapping[str, int], weights: Weights) -> int:
    """How much of one resource ``cells`` (name -> number) take; halves are rounded up in the sum."""
    total = 0.0
    for name, number in cells.items():
        total += number * next((w for pattern, w in weights.items() if re.fullmatch(pattern, name)), 0.0)
    return math.ceil(total)


def used(cells: Mapping[str, int], family: str) -> Used:
    """What ``cells`` (name -> number) occupy in ``family``."""
    table = TABLES[family]
    return Used(*(weigh(cells, w) for w in (table.lut, table.ff, table.dsp, table.bram)))


def breakdown(cells: Mapping[str, int], weights: Weights) -> str:
    """Those cells that count for one resource, as text: ``LUT2 5188, LUT3 2153``."""
    parts = [f"{name} {number}" for name, number in sorted(cells.items()) if weigh({name: number}, weights)]
    return ", ".join(parts) or "none"


class Hierarchy:
    """Cells of every module, as ``stat -json`` of yosys lists them, summed over the modules below."""

    def __init__(self, stat: Mapping[str, Any]) -> None:
        self.modules: dict[str, dict[str, int]] = {
            _plain(name): {_plain(cell): int(n) for cell, n in module["num_cells_by_type"].items()}
            for name, module in stat["modules"].items()
        }

    def children(self, module: str) -> dict[str, int]:
        """Modules that stand in ``module``, and how often."""
        return {cell: n for cell, n in self.modules[module].items() if cell in self.modules}

    def flat(self, module: str) -> dict[str, int]:
        """Cells of ``module`` and of everything below it."""
        total: dict[str, int] = {}
        for cell, n in self.modules[module].items():
            below = {key: n * k for key, k in self.flat(cell).items()} if cell in self.modules else {cell: n}
            for key, k in below.items():
                total[key] = total.get(key, 0) + k
        return total

    def instances(self, top: str) -> dict[str, int]:
        """How often every module stands below ``top``."""
        found: dict[str, int] = {}
        for child, n in self.children(top).items():
            found[child] = found.get(child, 0) + n
            for name, k in self.instances(child).items():
                found[name] = found.get(name, 0) + n * k
        return found


def _plain(name: str) -> str:
    """A name without yosys's leading backslash."""
    return name.removeprefix("\\")
