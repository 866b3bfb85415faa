"""What the matrix-vector heads take: counted from their structure, weighed per family.

The weights are least-squares fits to yosys's counts, see :data:`WEIGHTS`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

from bitsmith.hls.backends.rtl.folded.form import (
    Form,
    is_depthwise,
    placed,
    plain_form,
    structured_form,
    words_of,
    work_of,
)
from bitsmith.hls.backends.rtl.folded.parts import Cost
from bitsmith.hls.backends.rtl.folded.pipe_costs import worth
from bitsmith.hls.backends.rtl.folded.roms import LUT_RAM, blocks, in_block, logic_luts
from bitsmith.models.ir.ops import Conv, Dense, Op


@dataclass(frozen=True)
class Logic:
    """Bits of logic by kind; every one is about a LUT."""

    masks: float = 0.0  # gates of two or three inputs
    adders: float = 0.0  # bits of adders
    carries: float = 0.0  # adders, each for its ends
    muxes: float = 0.0
    ff: float = 0.0

    def __add__(self, other: Logic) -> Logic:
        return Logic(
            self.masks + other.masks,
            self.adders + other.adders,
            self.carries + other.carries,
            self.muxes + other.muxes,
            self.ff + other.ff,
        )

    def __mul__(self, times: float) -> Logic:
        return Logic(*(times * v for v in (self.masks, self.adders, self.carries, self.muxes, self.ff)))


@lru_cache(maxsize=4096)
def _rows(long: int, short: int, stages: int) -> Logic:
    """bitsmith_rows, with ``stages`` registers."""
    need = max(1, (short - 1).bit_length())
    late = Logic(ff=(long + short) * (stages - need))
    if short == 1:
        return late + Logic(masks=long, ff=long)
    if short == 2:
        return late + Logic(2 * long, long + 1, 1, 0, long + 2)
    low = 1 << (need - 1)
    high = short - low
    parts = _rows(long, low, need - 1) + _rows(long, high, need - 1)
    return late + parts + Logic(0, long + high, 1, 0, long + short)


def product_logic(form: Form, a_bits: int) -> tuple[Logic, int]:
    """One product (a pair of them, packed), and its bits."""
    bits = form.weights.bits
    if form.mult in ("sign", "ternary"):
        return Logic(a_bits + 1, a_bits + 1, 1, 0, a_bits + 1), a_bits + 1
    if form.mult == "lut":
        long, short = max(a_bits, bits), min(a_bits, bits)
        return _rows(long, short, max(1, (short - 1).bit_length())), a_bits + bits
    if form.packing:
        wide = form.packing.shift + form.packing.upper_bits + a_bits
        return Logic(ff=wide), wide
    return Logic(ff=a_bits + bits), a_bits + bits


@lru_cache(maxsize=4096)
def tree_logic(count: int, width: int, most: int) -> Logic:
    """bitsmith_tree."""
    total = Logic()
    while count > 1:
        wider = min(width + 1, most)
        pairs = count // 2
        total += Logic(0, pairs * wider, pairs, 0, (count - pairs) * wider)
        count, width = count - pairs, wider
    return total


def _dots(form: Form, a_bits: int, pe: int, simd: int, acc: int) -> Logic:
    """All dot products of a step."""
    product, width = product_logic(form, a_bits)
    if not form.packing:
        count, m = form.products(simd), form.sparse[1]
        pick = Logic(masks=form.weights.bits if form.index else 0, muxes=a_bits * (m - 1) * 0.67)
        return ((product + pick) * count + tree_logic(count, width, acc)) * pe
    packing = form.packing
    leaf = 1 << packing.levels
    sums = math.ceil(simd / leaf)
    inner = tree_logic(leaf, width, width + packing.levels) * sums
    upper = width + packing.levels - packing.shift
    split = Logic(0, upper, 1, 0, upper + packing.shift) * sums
    outer = tree_logic(sums, packing.shift, acc) + tree_logic(sums, upper, acc)
    return (product * simd + inner + split + outer) * (pe // 2)


MOST_LUT_RAM = {"xc7": 4096, "xcup": 4096, "ecp5": 1024, "gowin": 1024}
"""Bits of a memory up to which yosys prefers LUTs to a block."""


def _buffer(depth: int, width: int, family: str) -> Cost:
    """The memory of kept beats: in LUTs while it is small, as yosys decides."""
    if family not in LUT_RAM:
        return Cost(bram=blocks(depth, width, family)) if depth > 4 else Cost(lut=depth * width, ff=depth * width)
    if depth * width > MOST_LUT_RAM[family]:
        return Cost(bram=blocks(depth, width, family))
    words, bits, luts = LUT_RAM[family]
    banks = math.ceil(depth / words)
    return Cost(lut=banks * math.ceil(width / bits) * luts + (banks - 1) * width, ff=width)


@dataclass(frozen=True)
class LutWeights:
    """LUTs per unit of :class:`Logic`, and of a unit's control."""

    masks: float
    adders: float
    carries: float
    muxes: float
    control: float


WEIGHTS = {
    "xc7": LutWeights(1.03, 0.60, 0.0, 0.39, 0.0),
    "xcup": LutWeights(1.03, 0.60, 0.0, 0.39, 0.0),
    "ecp5": LutWeights(1.16, 0.85, 0.0, 1.19, 0.0),
    "ice40": LutWeights(1.52, 0.71, 0.0, 0.50, 35.0),
    "gowin": LutWeights(0.78, 1.15, 1.05, 0.35, 0.0),
}
WEIGHTS |= dict.fromkeys(("cyclonev", "arria10", "agilex"), WEIGHTS["xc7"])
WEIGHTS |= dict.fromkeys(("max10", "polarfire"), WEIGHTS["ecp5"]) | {"gw5a": WEIGHTS["gowin"]}
"""Fitted to yosys 0.70 on 9 (gowin) to 30 (ecp5) units a family: dense layers of 16 to 256 inputs, 1- to 8-bit inputs,
1- to 8-bit weights, 2 to 16 products a step, all ways of multiplying.  LUTs come out within 10 % (gowin), 11 % (ice40
from logic; 28 % on its multipliers), 16 % (ecp5) and 20 % (xc7) of yosys's count, ecp5's smallest units (below 200
LUTs) within 36 %; blocks and multipliers mostly to the one, flip-flops within 14 % (34 % on multipliers of xc7 and
ice40).  xcup's counts are those of xc7 in yosys.  Families without a fit are taken like the one whose LUTs are
nearest (six inputs like xc7, four like ecp5); these nobody has checked."""


IN_MULTIPLIER = {"xc7": 0.42, "xcup": 0.42, "ice40": 0.65}
"""Flip-flops left of a unit on multipliers, where yosys puts registers of products and sums into these."""


def mvu_logic(form: Form, a_bits: int, pe: int, simd: int, acc: int, nf: int, sf: int) -> Logic:
    """bitsmith_mvu without its memories."""
    kept = nf > 1 and sf > 1
    sums = Logic(0, pe * acc, pe, pe * acc if sf > 1 else 0, pe * acc) if sf > 1 or form.has_bias else Logic()
    beat = Logic(muxes=simd * a_bits, ff=3 * simd * a_bits) if kept else Logic(ff=(1 + form.register) * simd * a_bits)
    return _dots(form, a_bits, pe, simd, acc) + sums + beat


def form_of(op: Dense | Conv, x: Op, pe: int, simd: int, family: str, mult: str = "auto", rom: str = "auto") -> Form:
    """The form for ``op`` with multipliers (auto, lut, dsp, packed) and weights (auto, block, logic) of that kind.

    The structure of ``op`` is made use of where that is cheaper.
    """
    words = words_of(op, pe, simd)
    plain = plain_form(op, x, pe, simd, family, mult)
    other = structured_form(op, simd, plain)
    forms = [placed(f, words, pe, simd, family, rom) for f in (plain, other) if f is not None]
    if len(forms) == 1:
        return forms[0]
    return min(forms, key=lambda form: worth(form_cost(form, op, x, pe, simd, family), family))


def mvu_cost(op: Dense | Conv, x: Op, pe: int, simd: int, family: str, mult: str = "auto", rom: str = "auto") -> Cost:
    """What the head of ``op`` takes; for a depthwise convolution the one of ``pe`` lanes."""
    return form_cost(form_of(op, x, pe, simd, family, mult, rom), op, x, pe, simd, family)


def form_cost(form: Form, op: Dense | Conv, x: Op, pe: int, simd: int, family: str) -> Cost:
    """What the head of ``op`` takes in this form."""
    work, depthwise = work_of(op), is_depthwise(op)
    nf, sf = (1, work.inputs) if depthwise else (work.outputs // pe, work.inputs // simd)
    groups = work.groups // pe if depthwise else work.groups
    logic = mvu_logic(form, x.type.bits, pe, simd, op.type.bits, nf, sf)
    if depthwise:
        logic += Logic(ff=(pe - 1) * (1 + form.register) * x.type.bits)
    cost = weigh(logic, family)
    if form.mult in ("dsp", "packed"):
        cost = replace(cost, ff=cost.ff * IN_MULTIPLIER.get(family, 1.0))
    cost += _memory(groups * nf * sf, form.word(pe, simd), form.block, form.register, family)
    if form.has_bias:
        width = pe * op.type.bits
        cost += _memory(groups * nf, width, in_block(groups * nf, width, family), False, family)
    if nf > 1 and sf > 1:
        cost += _buffer(sf, simd * x.type.bits, family)
    if form.mult in ("dsp", "packed"):
        share = pe * form.products(simd) / (2 if form.mult == "packed" else 1)
        cost += Cost(dsp=share * _dsp_share(form, x.type.bits, family))
    return cost


def weigh(logic: Logic, family: str) -> Cost:
    """LUTs and flip-flops of logic, a unit's control included."""
    w = WEIGHTS[family]
    lut = w.masks * logic.masks + w.adders * logic.adders + w.carries * logic.carries + w.muxes * logic.muxes
    return Cost(lut=lut + w.control, ff=0.9 * logic.ff + 30)


def product_cost(a_bits: int, w_bits: int, family: str) -> Cost:
    """One product from logic alone."""
    long, short = max(a_bits, w_bits), min(a_bits, w_bits)
    rows = _rows(long, short, max(1, (short - 1).bit_length()))
    w = WEIGHTS[family]
    return Cost(lut=w.masks * rows.masks + w.adders * rows.adders + w.carries * rows.carries, ff=rows.ff)


def _memory(depth: int, width: int, block: bool, register: bool, family: str) -> Cost:
    if block:
        return Cost(ff=width * register, bram=blocks(depth, width, family))
    return Cost(lut=logic_luts(depth, width, family), ff=width if depth > 1 else 0)


def _dsp_share(form: Form, a_bits: int, family: str) -> float:
    """Of a block of ``Device.dsp``: Gowin's takes two products of 9 bits."""
    return 0.5 if family == "gowin" and not form.packing and max(a_bits, form.weights.bits) <= 8 else 1.0
