"""What a piece of hardware is made of: named amounts, the same for one unit or for a whole column of a table.

Every amount is a number or an array; all functions that make them work on both,
so that a design alone and a hundred thousand of them are priced by one formula.
``ff``, ``dsp`` and ``bram`` are counted as the unit's source says them; all other
names are pieces of logic, whose LUTs (and flip-flops saved or added by
synthesis) the calibration weighs per family.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Number = Any
"""An int, a float, or an array of them."""

Floats = NDArray[np.float64]

FF, DSP, BRAM = "ff", "dsp", "bram"
COUNTED = (FF, DSP, BRAM)


LENDER = {
    "xcup": "xc7",
    "cyclonev": "xc7",
    "arria10": "xc7",
    "agilex": "xc7",
    "max10": "ecp5",
    "polarfire": "ecp5",
    "gw5a": "gowin",
}
"""Families without open synthesis of their own -> the one whose LUTs are nearest.  yosys counts xcup as xc7."""


class Terms(dict[str, Number]):
    """Name -> amount; ``+`` adds name by name."""

    def __add__(self, other: Terms) -> Terms:
        total = Terms(self)
        for name, amount in other.items():
            total[name] = total[name] + amount if name in total else amount
        return total

    def __mul__(self, times: Number) -> Terms:
        return Terms({name: amount * times for name, amount in self.items()})

    def where(self, condition: Number) -> Terms:
        """These amounts where ``condition`` holds, nothing elsewhere."""
        return Terms({name: np.where(condition, amount, 0.0) for name, amount in self.items()})


def total(parts: Iterable[Terms]) -> Terms:
    """The sum of many."""
    found: dict[str, Number] = {}
    for part in parts:
        for name, amount in part.items():
            found[name] = found[name] + amount if name in found else amount
    return Terms(found)


def clog2(n: Number) -> Floats:
    """$clog2: bits that tell ``n`` values apart; 0 for 1."""
    bits: Floats = np.ceil(np.log2(np.maximum(n, 1)))
    return bits


def bits_of(n: Number) -> Floats:
    """Bits of a counter modulo ``n``, at least 1."""
    bits: Floats = np.maximum(clog2(n), 1)
    return bits


def ceil_div(a: Number, b: Number) -> Floats:
    """a / b, rounded up."""
    rounded: Floats = np.ceil(np.asarray(a, np.float64) / b)
    return rounded
