"""What the pipes of the folded library take, from their parameters (``hls/backends/rtl/lib``)."""

from __future__ import annotations

import numpy as np

from bitsmith.hls.estimate.rtl.arithmetic import BLOCK, LUT, SIGN, product, product_bits, stages, tree
from bitsmith.hls.estimate.rtl.heads import Params, counter
from bitsmith.hls.estimate.rtl.memory import rom
from bitsmith.hls.estimate.rtl.terms import FF, Number, Terms, bits_of, clog2, total

COMPARATORS, SEARCH, SERIAL = range(3)
"""KIND of bitsmith_thresholds."""


def affine(p: Params, kind: Number, width: Number, kept: Number, family: str) -> Terms:
    """The product and the sum of bitsmith_requant; ``kind`` below 0: no product.

    ``width``: bits of the sum, ``kept``: those of them that anybody reads.
    """
    lanes = p["LANES"]
    there = np.greater_equal(kind, 0)
    m = p.get("WM", 1)
    as_product = np.select([np.equal(kind, 3), np.equal(kind, 1)], [BLOCK, SIGN], LUT)
    constant = np.equal(p.get("M_FOLDS", 1), 1)
    made = product(as_product, p["WX"], m, family) * lanes
    folded = Terms({f"constant.{name}" if name.startswith("rows.") else name: amount for name, amount in made.items()})
    times = folded.where(there & constant) + made.where(there & ~constant)
    mult_live, mult_tables = p.get("MULT_FILE_LIVE"), p.get("MULT_FILE_TABLES")
    words = rom(
        p.get("M_FOLDS", 1), lanes * m, p.get("M_BLOCK", 0), family, live=mult_live, tables=mult_tables
    ) + counter(p.get("M_FOLDS", 1), "address")
    has_add = np.equal(p.get("HAS_ADD", 0), 1)
    flops = Terms({FF: lanes * kept * 1.0})
    plain = Terms({"affine.plain_bits": lanes * width * 1.0}) + flops
    varying = Terms({"affine.adder_bits": lanes * width * 1.0}) + flops
    several = np.greater(p.get("A_FOLDS", 1), 1)
    adds = rom(
        p.get("A_FOLDS", 1),
        lanes * p.get("WA", 1),
        p.get("A_BLOCK", 0),
        family,
        live=p.get("ADD_FILE_LIVE"),
        tables=p.get("ADD_FILE_TABLES"),
    ) + counter(p.get("A_FOLDS", 1), "address")
    delay = np.where(there, stages(as_product, p["WX"], m), 0.0) + has_add
    line = Terms({"ff.delay": delay})
    return total(
        [
            times,
            words.where(there),
            plain.where(has_add & ~several),
            varying.where(has_add & several),
            adds.where(has_add),
            line,
        ]
    )


def requant(p: Params, family: str) -> Terms:
    """bitsmith_requant."""
    lanes = p["LANES"]
    kind, shift, out = p.get("KIND", -1), p["SHIFT"], p["WY"]
    rest = p["WT"] - shift
    last = np.equal(p["LAST"], 1)
    clips = p.get("CLIP_LO", 0) + p.get("CLIP_HI", 0)
    even = np.equal(p.get("HALF_EVEN", 0), 1)
    end = Terms(
        {
            FF: np.where(last, lanes * out * 1.0, 0.0),
            "ff.delay": last * 1.0,
            "clip.out_bits": np.where(np.greater(clips, 0), lanes * out * 1.0, 0.0),
            "clip.test_bits": lanes * clips * np.maximum(0.0, rest - out),
            "even.bits": np.where(even, lanes * shift * 1.0, 0.0),
            "wrap.bits": np.where(np.greater(p.get("WRAP", 0), 0), lanes * out * 1.0, 0.0),
            "requant": np.ones_like(rest * 1.0),
        }
    )
    return affine(p, kind, p["WT"], np.where(even, p["WT"], rest), family) + end


def thresholds(p: Params, family: str) -> Terms:
    """bitsmith_thresholds."""
    lanes, folds, each = p["LANES"], p["FOLDS"], np.equal(p["EACH"], 1)
    width, bits, kind = p["WU"], p["WC"], p["KIND"]
    rows = np.where(each, lanes, 1)
    levels, read = p.get("LEVELS", 1), p.get("READ", 1)
    compare = lanes * levels * width * 1.0
    many = np.greater(folds, 1)
    comparators = Terms(
        {
            "levels.constant_bits": np.where(many, 0.0, compare),
            "levels.varying_bits": np.where(many, compare, 0.0),
            "levels.encode": lanes * levels * 1.0,
            FF: lanes * (levels + bits) * 1.0,
            "ff.delay": 2.0 * np.ones_like(compare),
        }
    )
    comparators += (
        rom(folds, rows * levels * width, np.equal(p.get("BLOCK_FROM", 16), 0), family) + counter(folds)
    ).where(many)
    found = comparators.where(np.equal(kind, COMPARATORS)) + _search(p, rows, read, family).where(
        np.equal(kind, SEARCH)
    )
    found += _serial(p, rows, read, family).where(np.equal(kind, SERIAL))
    step = p.get("STEP", -1)
    inner = {**p, "WX": bits}
    value = affine(inner, np.where(np.equal(step, 2), -1, step), p["WY"], p["WY"], family)
    return found + value.where(np.greater_equal(step, 0))


def _search(p: Params, rows: Number, read: Number, family: str) -> Terms:
    """bitsmith_search: a memory and a comparator for each bit of the answer."""
    lanes, folds, width, bits = p["LANES"], p["FOLDS"], p["WU"], p["WC"]
    compare = lanes * bits * width * 1.0
    waits = lanes * (np.subtract(bits, 1.0)) * (width + bits / 2) * read
    own = Terms({"search.compare_bits": compare, FF: waits + lanes * bits, "ff.delay": (bits - 1.0) * read + 1})
    many = np.greater(folds, 1)
    own += Terms({"ff.delay_bits": np.where(many, clog2(folds) * np.maximum(0.0, bits - 2.0) * read, 0.0)})
    first = rom(
        folds,
        rows * width,
        np.equal(p.get("BLOCK_FROM", 16), 0),
        family,
        live=p.get("FILE_0_LIVE"),
        tables=p.get("FILE_0_TABLES"),
    )
    own += (first + counter(folds) * 2).where(many)  # turns of its words, and of all others
    for k in range(1, int(np.max(bits))):
        words, there = folds * (1 << k), np.greater(bits, k)
        block, live = np.less_equal(p.get("BLOCK_FROM", 16), k), (p.get(f"FILE_{k}_LIVE"), p.get(f"FILE_{k}_TABLES"))
        copies: Terms = _lookup(words, rows * width, block, read, family, live) * lanes
        own += copies.where(there)
    return own


def _serial(p: Params, rows: Number, read: Number, family: str) -> Terms:
    """bitsmith_search_serial."""
    lanes, folds, width, bits = p["LANES"], p["FOLDS"], p["WU"], p["WC"]
    block, live = np.equal(p.get("BLOCK_FROM", 16), 0), (p.get("FILE_0_LIVE"), p.get("FILE_0_TABLES"))
    memory: Terms = _lookup(folds * np.exp2(bits), rows * width, block, read, family, live) * lanes
    own = {
        FF: lanes * (2.0 * bits + width),
        "search.compare_bits": lanes * width * 1.0,
        "search.address_bits": lanes * (bits + clog2(folds)),
    }
    return memory + Terms({**own, "ff.delay": bits * read + 1.0}) + counter(folds) + counter(folds)


def _lookup(
    words: Number, width: Number, block: Number, read: Number, family: str, live: tuple[Number | None, Number | None]
) -> Terms:
    """bitsmith_lookup: a ROM whose register in logic stands at its address; ``live``: see :func:`rom`, with tables."""
    found = rom(words, width, block, family, read, *live)
    in_logic = np.logical_not(block)
    at_address = Terms({FF: bits_of(words) + width * (np.asarray(read) - 1.0) - found[FF]})
    return found + at_address.where(in_logic)


def lut(p: Params, family: str) -> Terms:
    """bitsmith_lut: a table."""
    lanes, folds = p["LANES"], p["FOLDS"]
    words = folds * np.exp2(p["WA"])
    width = np.where(np.equal(p["EACH"], 1), lanes, 1) * p["WY"]
    copies = np.where(np.equal(p["EACH"], 1) & np.equal(folds, 1), 1, lanes)
    # with a table for each lane only its own column of the word is left
    own = np.where(np.equal(p["EACH"], 1), p["WY"], width)
    tables: Terms = rom(words, own, p["BLOCK"], family, live=p.get("FILE_LIVE"), tables=p.get("FILE_TABLES")) * lanes
    blocks: Terms = rom(words, width, p["BLOCK"], family) * copies
    in_block = np.equal(p["BLOCK"], 1)
    return (
        tables.where(~in_block)
        + blocks.where(in_block)
        + counter(folds)
        + Terms({"ff.delay": 1.0 * np.ones_like(words)})
    )


def add(p: Params, family: str) -> Terms:
    """bitsmith_add: adders for all bits of the factors but one, and a tree; ``ADDERS`` is how many in all."""
    lanes, inputs, times = p["LANES"], p["INPUTS"], np.equal(p["TIMES"], 1)
    more = Terms(
        {
            "add.adder_bits": lanes * p["ADDERS"] * p["WT"] * 1.0,
            FF: np.where(times, lanes * inputs * p["WT"] * 1.0, 0.0),
        }
    )
    line = Terms({"ff.delay": times + clog2(inputs), "add": np.ones_like(clog2(inputs))})
    sums: Terms = tree("add", inputs, p["WT"], p["WY"]) * lanes
    return more + sums + line


def weigh(p: Params, family: str) -> Terms:
    """bitsmith_weigh: a multiplier a lane for the sums of all codewords in turn."""
    lanes, count, ws, ww, acc = p["LANES"], p["COUNT"], p["WS"], p["WW"], p["ACC"]
    shifts = Terms({FF: lanes * count * ws + count * (ww + 1.0), "weigh.shift_bits": lanes * count * ws * 1.0})
    kind = p["KIND"]
    products = product(kind, ws, ww, family) * lanes
    sums = Terms({FF: lanes * acc + 1.0, "sums.adder_bits": lanes * acc * 1.0, "sums.first_bits": lanes * acc * 1.0})
    bias = (rom(p["FOLDS"], lanes * acc, p.get("BLOCK", 0), family) + counter(p["FOLDS"], "address")).where(
        np.equal(p["HAS_BIAS"], 1)
    )
    wide = np.minimum(product_bits(kind, ws, ww), acc)
    return total(
        [
            shifts,
            products,
            sums,
            bias,
            Terms({"ff.delay": 3.0 * (1 + stages(kind, ws, ww)), "weigh": np.ones_like(wide)}),
        ]
    )
