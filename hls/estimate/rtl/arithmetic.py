"""Products, sums of products, and trees of adders, as the library builds them; all sizes are numbers or arrays."""

from __future__ import annotations

from functools import cache

import numpy as np

from bitsmith.hls.estimate.rtl.terms import DSP, FF, Floats, Number, Terms, ceil_div, clog2

LUT, SIGN, TERNARY, BLOCK, PACKED = range(5)
"""KIND of bitsmith_mac and bitsmith_product."""

NARROW = 4
"""Bits up to which an adder is a few tables rather than a carry chain."""

WIDEST = 65
"""Factors up to one bit less are tabulated."""

DEEPEST = 16
"""Levels of a tree, at most."""


def adders(name: str, count: Number, bits: Number) -> Terms:
    """``count`` adders of ``bits`` bits, a register not included."""
    return Terms({f"{name}.adder_bits": count * bits, f"{name}.adders": count * np.ones_like(np.asarray(bits, float))})


@cache
def _row_table() -> Floats:
    """(long, short) -> gates, adder bits, adders, flip-flops of bitsmith_rows in its fewest stages."""
    table = np.zeros((WIDEST, WIDEST, 4))
    long = np.arange(WIDEST, dtype=float)
    table[:, 1] = np.stack([long, 0 * long, 0 * long, long + 1], axis=-1)
    table[:, 2] = np.stack([2 * long, long + 1, 0 * long + 1, long + 2], axis=-1)
    for short in range(3, WIDEST):
        low = 1 << ((short - 1).bit_length() - 1)
        high = short - low
        parts = table[:, low] + table[:, high]
        late = (low - 1).bit_length() - max(1, (high - 1).bit_length())
        parts[:, 3] += (long + high) * max(0, late)
        own = np.stack([0 * long, long + high, 0 * long + 1, long + short], axis=-1)
        table[:, short] = parts + own
    return table


def rows(a_bits: Number, w_bits: Number) -> Terms:
    """bitsmith_rows: a product from masked copies of the wider factor, one for each bit of the narrower."""
    long, short = np.maximum(a_bits, w_bits).astype(int), np.minimum(a_bits, w_bits).astype(int)
    found = _row_table()[long, short]
    names = ("rows.gates", "rows.adder_bits", "rows.adders", FF)
    return Terms({name: found[..., k] for k, name in enumerate(names)})


def block_share(a_bits: Number, w_bits: Number, family: str) -> Floats:
    """Blocks of ``Device.dsp`` that a product takes: Gowin's hold two of 9 x 9 signed bits."""
    small = np.maximum(a_bits, w_bits) <= (8 if family == "gowin" else 0)
    return np.where(small, 0.5, 1.0)


def product(kind: Number, a_bits: Number, w_bits: Number, family: str) -> Terms:
    """bitsmith_product; one on a multiplier keeps its register there where the family's tool puts it there."""
    a, w = np.asarray(a_bits), np.asarray(w_bits)
    sign = Terms({"product.sign_bits": a + 1.0, FF: a + 1.0})
    ternary = Terms({"product.ternary_bits": a + 1.0, FF: a + 1.0})
    block = Terms({DSP: block_share(a, w, family), "product.block_bits": 1.0 * (a + w), "ff.block": 1.0 * (a + w)})
    found = rows(a, w).where(np.equal(kind, LUT)) + sign.where(np.equal(kind, SIGN))
    return found + ternary.where(np.equal(kind, TERNARY)) + block.where(np.greater_equal(kind, BLOCK))


def product_bits(kind: Number, a_bits: Number, w_bits: Number) -> Floats:
    """Bits of a product, signed."""
    flips = np.equal(kind, SIGN) | np.equal(kind, TERNARY)
    bits: Floats = np.where(flips, np.add(a_bits, 1.0), np.asarray(a_bits) + w_bits)
    return bits


def tree(name: str, count: Number, bits: Number, most: Number) -> Terms:
    """bitsmith_tree: ``count`` numbers of ``bits`` bits, sums of at most ``most`` bits, registers behind the levels."""
    left: Floats = np.asarray(count, float)
    width: Floats = np.asarray(bits, float)
    waiting = width  # of a number without a partner: synthesis merges the copies of its sign
    adder_bits, number, flops, narrow = (np.zeros_like(left + width) for _ in range(4))
    for _ in range(DEEPEST):
        live = left > 1
        if not live.any():
            break
        wider = np.minimum(width + 1, most)
        pairs = np.where(live, np.floor(left / 2), 0.0)
        adder_bits, number = adder_bits + pairs * wider, number + pairs
        narrow = narrow + np.where(wider <= NARROW, pairs * wider, 0.0)
        odd = np.equal(left % 2, 1)
        flops = flops + np.where(live, pairs * wider + odd * waiting, 0.0)
        waiting = np.where(live & ~odd, wider, waiting)
        left, width = np.where(live, left - pairs, left), np.where(live, wider, width)
    found = {f"{name}.adder_bits": adder_bits, f"{name}.adders": number, f"{name}.narrow_bits": narrow}
    return Terms({**found, FF: flops})


def behind_blocks(terms: Terms) -> Terms:
    """Sums of products on multipliers under names of their own: some families' tools put them into the same blocks."""
    names = {FF: "ff.block_sum"}
    return Terms({names.get(name, f"block.{name}"): amount for name, amount in terms.items()})


def dot_packed(
    simd: Number, a_bits: Number, a_signed: Number, shift: Number, upper: Number, levels: Number, acc: Number
) -> Terms:
    """bitsmith_dot_packed: two dot products on one multiplier for each input."""
    wide = np.asarray(shift) + upper + a_bits + 1.0 - a_signed
    leaf = np.exp2(levels)
    sums = ceil_div(simd, leaf)
    above = wide + levels - shift
    multipliers = Terms({DSP: simd * 1.0, "product.block_bits": simd * wide, "ff.block": simd * wide})
    inner = behind_blocks(tree("tree", leaf, wide, wide + levels)) * sums
    split = adders("tree", sums, above) + Terms({FF: sums * (above + shift)})
    return multipliers + inner + split + tree("tree", sums, shift, acc) + tree("tree", sums, above, acc)


def stages(kind: Number, a_bits: Number, w_bits: Number) -> Floats:
    """Cycles of a product."""
    short = np.minimum(a_bits, w_bits)
    plain = np.where(np.not_equal(kind, LUT) | (short <= 2), 1.0, clog2(short))
    return np.where(np.equal(kind, PACKED), 2.0, plain)
