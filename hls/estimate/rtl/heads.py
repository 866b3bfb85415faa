"""What the heads and outlets of the folded library take, from their parameters (``hls/backends/rtl/lib``)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bitsmith.hls.estimate.rtl.arithmetic import (
    BLOCK,
    DEEPEST,
    PACKED,
    behind_blocks,
    dot_packed,
    product,
    product_bits,
    stages,
    tree,
)
from bitsmith.hls.estimate.rtl.memory import ram, rom
from bitsmith.hls.estimate.rtl.terms import DSP, FF, Number, Terms, bits_of, ceil_div, clog2, total

Params = Mapping[str, Number]
"""Parameters of a library module by name, each a number or an array."""


def counter(n: Number, name: str = "count") -> Terms:
    """bitsmith_count, or a counter like it: none for N = 1."""
    some = np.greater(n, 1)
    return Terms(
        {f"{name}.bits": np.where(some, clog2(n), 0.0), FF: np.where(some, clog2(n), 0.0), f"{name}.number": some * 1.0}
    )


def outlet(width: Number, depth: Number, family: str) -> Terms:
    """bitsmith_outlet: a FIFO with credits."""
    many = np.greater(depth, 1)
    credit, address = clog2(np.add(depth, 1)), bits_of(depth)
    control = Terms(
        {
            "outlet.bits": credit + address * many,
            FF: 2 * credit + 2 + 2 * address * many,
            "outlet": 1.0 * np.ones_like(credit),
        }
    )
    around = Terms({"outlet.around_bits": width * 1.0, FF: width + 1.0})
    single = Terms({FF: width * 1.0})
    return control + (around + ram(depth, width, family)).where(many) + single.where(~many)


def mac(
    p: Params, depth: Number, outs: Number, pe: Number, simd: Number, one_step: Number, read: Number, family: str
) -> Terms:
    """bitsmith_mac: weights, dot products, accumulators."""
    kind, a, w, acc = p["KIND"], p["WA"], p["WW"], p["ACC"]
    packed = np.equal(kind, PACKED)
    n, m = p.get("N", 1), p.get("M", 1)
    count = np.floor_divide(simd, m) * n
    field = np.where(np.greater(p.get("INDEX", 0), 0), p.get("INDEX", 0), w) + clog2(m)
    word = np.where(packed, pe / 2 * simd * (np.add(w, p.get("WH", 0))), pe * count * field)
    late = (np.equal(read, 2) & np.equal(p["ROM_REG"], 0)) * bits_of(depth)
    registers = np.where(np.equal(p["ROM_REG"], 1), read, 1)
    weights = rom(depth, word, p["BLOCK"], family, registers, p.get("WEIGHTS_LIVE"), p.get("WEIGHTS_TABLES"))
    tree_of = tree("tree", count, product_bits(kind, a, w), acc)
    on_blocks = np.greater_equal(kind, BLOCK)
    sums_of = tree_of.where(np.logical_not(on_blocks)) + behind_blocks(tree_of).where(on_blocks)
    plain = (product(np.where(packed, 0, kind), a, w, family) * count + sums_of) * pe
    wired = np.equal(
        depth, 1
    )  # weights are constants: what is zero is not there, what is not is little more than wires
    constant = Terms({n if n in (DSP, FF) else f"wired.{n}": x * p.get("WEIGHTS_SHARE", 1.0) for n, x in plain.items()})
    plain = plain.where(~wired) + constant.where(wired)
    pairs = dot_packed(simd, a, p["A_SIGN"], p.get("SHIFT", 1), p.get("WH", 1), p.get("LEVELS", 0), acc) * (
        np.asarray(pe) / 2
    )
    picks = Terms(
        {
            "pick.bits": np.where(np.greater(m, 1), pe * count * a * np.subtract(m, 1.0), 0.0),
            "pick.book_bits": np.where(np.greater(p.get("INDEX", 0), 0), pe * count * w * 1.0, 0.0),
        }
    )
    flags = read + stages(kind, a, w) + clog2(count)
    steps = Terms({"ff.delay": 3 * flags, "mac": np.ones_like(flags)})
    sums = _sums(p, outs, pe, one_step, family)
    return total(
        [
            weights,
            counter(depth, "address"),
            Terms({FF: late}),
            plain.where(~packed),
            pairs.where(packed),
            picks,
            steps,
            sums,
        ]
    )


def _sums(p: Params, outs: Number, pe: Number, one_step: Number, family: str) -> Terms:
    """bitsmith_sums."""
    acc, bias = p["ACC"], np.equal(p["HAS_BIAS"], 1)
    there = bias | ~np.equal(one_step, 1)
    mux = np.where(np.equal(one_step, 1), 0.0, pe * acc * 1.0)
    own = Terms(
        {
            FF: pe * acc + 1.0,
            "sums.adder_bits": pe * acc * 1.0,
            "sums.first_bits": mux,
            "sums.bias_bits": np.where(bias, mux, 0.0),
        }
    )
    on_blocks = np.greater_equal(p["KIND"], BLOCK)
    own = own.where(np.logical_not(on_blocks)) + behind_blocks(own).where(on_blocks)
    words = rom(
        outs, pe * acc, p.get("BIAS_BLOCK", 0), family, live=p.get("BIAS_LIVE"), tables=p.get("BIAS_TABLES")
    ) + counter(outs, "address")
    return own.where(there) + words.where(bias)


def mvu(p: Params, family: str) -> Terms:
    """bitsmith_mvu."""
    nf, sf, pe, simd = p["NF"], p["SF"], p["PE"], p["SIMD"]
    beat = simd * p["WA"] * 1.0
    kept = np.greater(nf, 1) & np.greater(sf, 1)
    read = np.where(kept | np.equal(p["ROM_REG"], 1), 2, 1)
    stored = ram(sf, beat, family, one_address=True)  # its banks are chosen by one address: cheaper than a FIFO's
    buffer = Terms({name.replace("ram.", "kept."): amount for name, amount in stored.items()}) + Terms(
        {FF: 2 * beat + 1, "mvu.beat_bits": beat}
    )
    held = Terms({FF: beat * read})
    core = mac(p, p["GROUPS"] * nf * sf, p["GROUPS"] * nf, pe, simd, np.equal(sf, 1), read, family)
    return total(
        [counter(sf), counter(nf), buffer.where(kept), held.where(~kept), core, Terms({"mvu": np.ones_like(beat)})]
    )


def vvu(p: Params, family: str) -> Terms:
    """bitsmith_vvu."""
    beat = p["LANES"] * p["WA"] * (1.0 + p["ROM_REG"])
    core = mac(p, p["FOLDS"] * p["TAPS"], p["FOLDS"], p["LANES"], 1, np.equal(p["TAPS"], 1), 1 + p["ROM_REG"], family)
    return total([counter(p["TAPS"]), Terms({FF: beat, "mvu": np.ones_like(beat)}), core])


def window(p: Params, family: str) -> Terms:
    """bitsmith_window: address and place counters, the circular buffer."""
    row = p["COLS"] * p["OUTER"] * p["INNER"]
    words = p["BUF_ROWS"] * row
    extent = (p["KH"] - 1) * p["DH"] + 1
    reach = p["OH"] * p["SH"] + p["OW"] * p["SW"] + p["ROWS"] + p["COLS"] + extent + (p["KW"] - 1) * p["DW"]
    reach = reach + p["PT"] + p["PL"] + p["BUF_ROWS"] + 2
    address, place = bits_of(words), clog2(reach) + 2
    counters = total(counter(p[name]) for name in ("INNER", "KW", "KH", "OUTER", "OW", "OH", "UPH", "UPW"))
    two = np.greater(p["COLS"], 1)
    deep, folds = np.greater(p["KH"], 1), np.greater(row, p["COLS"])
    own = Terms(
        {
            "window": np.ones_like(address),
            "window.address_bits": address,
            "window.place_bits": place,
            "window.address_two_bits": address * two,
            "window.place_two_bits": place * two,
            "window.kernel_bits": (address + place) * deep,
            "window.fold_bits": address * folds,
            "window.pad_bits": p["WIDTH"] * 1.0,
            "window.odd_bits": address * (np.exp2(address) != words),
            FF: 6 * address + 7 * place + 5.0,
            "ff.window_two": (address + place) * two,
            "ff.window_kernel": (address + place) * deep,
        }
    )
    return own + counters + counter(row) + ram(words, p["WIDTH"], family)


def line_window(p: Params, family: str) -> Terms:
    """bitsmith_line_window: the walk, the lines, the window's registers."""
    high, wide = (p["KH"] - 1) * p["DH"] + 1, (p["KW"] - 1) * p["DW"] + 1
    first = wide - 1 - p["PL"]
    last = first + (p["OW"] - 1) * p["SW"]
    line = np.maximum(np.maximum(last + 1, p["COLS"]), p["COLS"] + p["PL"])
    top = p["PT"] + np.greater(p["PL"], 0)
    bottom = np.maximum(top + high - 1 - p["PT"] + (p["OH"] - 1) * p["SH"], top + p["ROWS"] - 1)
    row, column = clog2(bottom + 2), clog2(line + 1)
    deep = np.greater(p["KH"], 1)
    depth = np.where(deep, p["DH"] * line, 2)
    lines = ram(depth, (p["KH"] - 1) * p["WIDTH"], family) + Terms(
        {FF: 2 * clog2(depth), "lines.address": clog2(depth)}
    )
    own = Terms(
        {
            "lines": np.ones_like(row),
            "lines.place_bits": row + column,
            "lines.pad_bits": p["WIDTH"] * 1.0,
            FF: 2.0 * (row + column) + 5 + p["WIDTH"] + p["KH"] * wide * p["WIDTH"],
        }
    )
    return own + lines.where(deep)


def narrow(p: Params, family: str) -> Terms:
    """bitsmith_narrow: a multiplexer, or a shift register."""
    width, ratio, hold = p["WIDTH"], p["RATIO"], np.equal(p["HOLD"], 1)
    picked = Terms({FF: width + clog2(ratio), "narrow.pick_bits": width * (ratio - 1.0)})
    shifted = Terms({FF: ratio * width + 1.0, "narrow.shift_bits": ratio * width * 1.0})
    return (
        counter(ratio)
        + Terms({FF: np.ones_like(clog2(ratio)), "narrow": np.ones_like(clog2(ratio))})
        + picked.where(hold)
        + shifted.where(~hold)
    )


def widen(p: Params, family: str) -> Terms:
    """bitsmith_widen: a shift register."""
    return counter(p["RATIO"]) + Terms({FF: p["WIDTH"] * p["RATIO"] + 1.0, "widen": np.ones_like(clog2(p["RATIO"]))})


def join(p: Params, family: str) -> Terms:
    """bitsmith_join: a register."""
    return counter(p["INTERVAL"]) + Terms({FF: p["WIDTH"] + 1.0, "join": np.ones_like(clog2(p["INTERVAL"]))})


def reduce(p: Params, family: str) -> Terms:
    """bitsmith_reduce: maximum or sum."""
    largest = np.equal(p["MAX"], 1)
    bits = p["LANES"] * np.where(largest, p["WX"], p["WY"]) * 1.0
    compare, add = Terms({"reduce.max_bits": bits}), Terms({"reduce.sum_bits": bits})
    return (
        counter(p["TAPS"])
        + Terms({FF: bits + 2, "reduce": np.ones_like(bits)})
        + compare.where(largest)
        + add.where(~largest)
    )


def argmax(p: Params, family: str) -> Terms:
    """bitsmith_argmax: a tree of comparators, and the best so far."""
    levels = clog2(p["LANES"])
    wide = p["WX"] + levels
    pairs = p["LANES"] - 1.0
    many = np.greater(p["FOLDS"], 1)  # else nobody reads the value of the last winner
    flops = p["LANES"] * p["WX"] + np.where(many, wide + 2.0 * p["WY"], levels)
    for k in range(1, DEEPEST):
        bits = np.where(many | (levels > k), np.add(p["WX"], k), k)
        flops = flops + np.where(levels >= k, ceil_div(p["LANES"], 1 << k) * bits, 0.0)
    own = {
        FF: flops,
        "ff.delay": levels + 2 + np.where(many, levels + 1, 0.0),
        "argmax.pair_bits": pairs * wide,
        "argmax.best_bits": wide + p["WY"],
    }
    return counter(p["FOLDS"]) + Terms({**own, "argmax": np.ones_like(levels)})


def concat(p: Params, family: str) -> Terms:
    """bitsmith_concat: the inputs in turn."""
    bits = p["LANES"] * p["WY"] * 1.0
    inputs = p["INPUTS"]
    return Terms(
        {FF: bits + inputs + 1, "concat.bits": bits * inputs, "concat": np.ones_like(bits), "count.bits": 2.0 * inputs}
    )


def reorder(p: Params, family: str) -> Terms:
    """bitsmith_reorder: two vectors in memory, a copy for each lane that goes out."""
    beats, lanes, out = p["IN_BEATS"], p["IN_LANES"], p["OUT_LANES"]
    code = bits_of(beats) + clog2(lanes)
    words = rom(p["OUT_BEATS"], out * code, p["BLOCK"], family, live=p.get("ORDER_LIVE"), tables=p.get("ORDER_TABLES"))
    copies = ram(2 * np.exp2(bits_of(beats)), lanes * p["BITS"], family) * out
    picks = Terms({FF: out * (clog2(lanes) + p["BITS"]), "narrow.pick_bits": out * p["BITS"] * (lanes - 1.0)}).where(
        np.greater(lanes, 1)
    )
    own = Terms({FF: 11.0 * np.ones_like(code), "reorder": np.ones_like(code)})
    return total([counter(beats), counter(p["OUT_BEATS"]), words, copies, picks, own])
