"""``x * mult + add`` per channel, as parameters and ROMs of bitsmith_requant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bitsmith.hls.backends.rtl.folded import pipe_costs as costs
from bitsmith.hls.backends.rtl.folded.lanes import folds_of, side_by_side
from bitsmith.hls.backends.rtl.folded.parts import Cost, Parameter, Rom
from bitsmith.models.ir import QuantType
from bitsmith.models.ir.types import IntArray

REQUANT_SOURCES = (
    "bitsmith_rom",
    "bitsmith_lookup",
    "bitsmith_put_line",
    "bitsmith_fold_words",
    "bitsmith_rows",
    "bitsmith_product",
    "bitsmith_bounds",
)

NO_PRODUCT, ROWS, SIGN, DSP = -1, 0, 1, 3
"""KIND of bitsmith_requant."""


@dataclass(frozen=True, eq=False)
class Affine:
    """``x * (mult << z) + add`` as parameters of bitsmith_requant, for channels in ``lanes`` lanes."""

    params: dict[str, Parameter]
    roms: dict[str, Rom]
    latency: int
    kind: int
    cost: Cost


def affine_params(
    mult: IntArray, add: IntArray, x: QuantType, width: int, lanes: int, family: str, dsp: bool | None
) -> Affine:
    """``mult`` and ``add`` per channel (channels,); sums of ``width`` bits.

    ``dsp`` says whether the product is made on a multiplier of the device, None: what is cheaper.
    """
    folds = folds_of(len(mult), lanes, "the pipe")
    whole = int(np.bitwise_or.reduce(np.abs(mult)))
    z = (whole & -whole).bit_length() - 1 if whole else 0
    mult = mult >> z
    params: dict[str, Parameter] = {"Z": z}
    roms: dict[str, Rom] = {}
    kind, latency, cost = NO_PRODUCT, 0, Cost()
    if (mult != 1).any():
        m = QuantType.for_range(int(mult.min()), int(mult.max()))
        if (np.abs(mult) == 1).all():
            kind, words, bits, latency = SIGN, (mult < 0).astype(np.int64), 1, 1
            cost = Cost(lanes * (x.bits + 1), lanes * (x.bits + 1))
        else:
            kind, words, bits = ROWS, mult, m.bits
            per_fold = mult.reshape(folds, lanes)
            ones = None if (per_fold != per_fold[0]).any() else _ones(mult, bits)
            if costs.wants_dsp(x.bits, bits, ones, family) if dsp is None else dsp:
                kind = DSP
            latency = 1 if kind == DSP else max(1, (min(x.bits, bits) - 1).bit_length())
            one = costs.product_cost(x.bits, bits, ones, kind == DSP, family)
            cost = Cost(one.lut * lanes, one.ff * lanes, one.dsp * lanes)
        params |= {"KIND": kind, "WM": bits, "M_SIGN": int(m.signed)}
        _parameters(params, roms, "M", "MULT", words, bits, lanes, folds, family)
    if add.any():
        bits = min(QuantType.for_range(min(int(add.min()), -1), int(add.max())).bits, width)
        params |= {"HAS_ADD": 1, "WA": bits}
        _parameters(params, roms, "A", "ADD", add, bits, lanes, folds, family)
        latency += 1
        cost += Cost(lanes * width, lanes * width)
    for rom in roms.values():
        cost += costs.rom_cost(folds, lanes * rom.bits, costs.in_block(folds, lanes * rom.bits, family), 1, family)
    return Affine(params, roms, latency, kind, cost)


def _ones(values: IntArray, bits: int) -> int:
    """Most bits that are set in one of ``values``, in two's complement."""
    return int(np.bitwise_count((values & ((1 << bits) - 1)).astype(np.uint64)).max())


def _parameters(
    params: dict[str, Parameter],
    roms: dict[str, Rom],
    letter: str,
    name: str,
    values: IntArray,
    bits: int,
    lanes: int,
    folds: int,
    family: str,
) -> None:
    """Integers per channel as a literal where all folds have the same, else as a ROM."""
    words = values.reshape(folds, lanes)
    if (words == words[0]).all():
        params[name] = side_by_side(words[0], bits)
        return
    params[f"{letter}_FOLDS"] = folds
    if costs.in_block(folds, lanes * bits, family):
        params[f"{letter}_BLOCK"] = 1
    roms[f"{name}_FILE"] = Rom(words, bits)
