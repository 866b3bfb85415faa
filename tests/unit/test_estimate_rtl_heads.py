"""Heads of the folded library, counted by hand from their sources; "yosys" is what 0.70 gives for ECP5."""

from __future__ import annotations

import pytest

from bitsmith.hls.estimate.rtl import heads
from bitsmith.hls.estimate.rtl.heads import Params, counter
from bitsmith.hls.estimate.rtl.terms import Terms

MVU: Params = {
    "GROUPS": 1, "NF": 2, "SF": 4, "PE": 2, "SIMD": 4, "WA": 4, "A_SIGN": 0, "WW": 4, "W_SIGN": 1, "KIND": 0,
    "ACC": 12, "HAS_BIAS": 1, "ROM_REG": 0, "BLOCK": 0, "WEIGHTS_LIVE": 1.0, "BIAS_LIVE": 1.0,
}  # fmt: skip
VVU: Params = {
    "FOLDS": 2, "TAPS": 9, "LANES": 4, "WA": 4, "A_SIGN": 0, "WW": 4, "W_SIGN": 1, "KIND": 0, "ACC": 12,
    "HAS_BIAS": 1, "ROM_REG": 0, "BLOCK": 0, "WEIGHTS_LIVE": 1.0, "BIAS_LIVE": 1.0,
}  # fmt: skip
WINDOW: Params = {
    "WIDTH": 8, "ROWS": 6, "COLS": 6, "OUTER": 1, "INNER": 2, "KH": 3, "KW": 3, "SH": 1, "SW": 1, "DH": 1, "DW": 1,
    "PT": 1, "PL": 1, "OH": 6, "OW": 6, "UPH": 1, "UPW": 1, "BUF_ROWS": 4,
}  # fmt: skip
LINES: Params = {
    "WIDTH": 8, "ROWS": 4, "COLS": 4, "KH": 3, "KW": 3, "SH": 1, "SW": 1, "DH": 1, "DW": 1, "PT": 1, "PL": 1,
    "OH": 4, "OW": 4,
}  # fmt: skip


def some(terms: Terms) -> dict[str, float]:
    """Those amounts that are not zero."""
    return {name: float(amount) for name, amount in terms.items() if float(amount)}


def test_counters() -> None:
    assert some(counter(1)) == {}
    assert some(counter(2)) == {"count.bits": 1, "ff": 1, "count.number": 1}
    assert some(counter(5)) == {"count.bits": 3, "ff": 3, "count.number": 1}
    assert some(counter(8, "address")) == {"address.bits": 3, "ff": 3, "address.number": 1}


# ---- matrix-vector units


def test_flops_of_a_matrix_vector_unit() -> None:
    found = heads.mvu(MVU, "ecp5")
    kept = 3 * 16 + 1  # 4 beats of 16 bits in LUT RAM: fetched, passing, beat, and whether it is fresh
    weights = 3 + 3 + 32  # address of 2 * 4 words, a cycle late since beats are kept, 2 * 4 weights of 4 bits read
    products = 8 * (2 * 6 + 8)  # 4 x 4 bits: twice two rows with 6 bits, and their sum with 8
    trees = 2 * (2 * 9 + 10)  # four products of 8 bits
    sums = 2 * 12 + 1  # accumulators, put
    bias = 24 + 1  # a word of both lanes, read from two
    assert found["ff"] == 2 + 1 + kept + weights + products + trees + sums + bias
    # goes, starts and ends: READ 2 and 2 cycles of a product and 2 levels
    assert found["ff.delay"] == 3 * (2 + 2 + 2)


def test_logic_of_a_matrix_vector_unit() -> None:
    found = some(heads.mvu(MVU, "ecp5"))
    assert (found["count.bits"], found["count.number"]) == (2 + 1, 2)
    assert found["address.bits"] == 3 + 1  # of weights and of the bias
    assert found["kept.luts"] == 4 * 6 and found["mvu.beat_bits"] == 16
    assert found["rom.small"] == 32 + 24 and "rom.luts" not in found  # 8 and 2 words are a LUT a column
    # 8 products: 4 rows of 4 gates, adders of 5, 5 and 6 bits
    assert (found["rows.gates"], found["rows.adder_bits"], found["rows.adders"]) == (8 * 16, 8 * 16, 8 * 3)
    assert (found["tree.adder_bits"], found["tree.adders"]) == (2 * (18 + 10), 2 * 3)
    assert found["sums.adder_bits"] == found["sums.first_bits"] == found["sums.bias_bits"] == 24
    assert (found["mvu"], found["mac"]) == (1, 1)


def test_a_matrix_vector_unit_without_a_bias() -> None:
    with_bias, without = heads.mvu(MVU, "ecp5"), heads.mvu({**MVU, "HAS_BIAS": 0}, "ecp5")
    assert with_bias["ff"] - without["ff"] == 24 + 1 and "sums.bias_bits" not in some(without)
    assert without["sums.first_bits"] == 24  # the sum so far or zero
    # one step a sum and no bias: nothing is accumulated; the beat is read once and not kept
    straight = some(heads.mvu({**MVU, "HAS_BIAS": 0, "SF": 1}, "ecp5"))
    assert not [name for name in straight if name.startswith("sums.")] and "mvu.beat_bits" not in straight
    # nf, 16 bits held, an address of 2 words, 32 weights, 8 products, 2 trees; READ is 1
    assert straight["ff"] == 1 + 16 + 1 + 32 + 8 * 20 + 2 * 28
    assert straight["ff.delay"] == 3 * (1 + 2 + 2)


def test_flops_as_yosys_finds_them() -> None:
    # drawn weights of which 30 of 32 columns differ, and a bias of two words: only two patterns are not constant
    params = {**MVU, "WEIGHTS_LIVE": 30 / 32, "BIAS_LIVE": 2 / 24}

    def flops(**more: int) -> float:
        found = heads.mvu({**params, **more}, "ecp5")
        return float(found["ff"] + found["ff.delay"])

    assert (flops(), flops(HAS_BIAS=0), flops(HAS_BIAS=0, NF=1, SF=8)) == (350, 347, 308)
    depthwise = {**VVU, "BIAS_LIVE": 2 / 48}
    found = [heads.vvu({**depthwise, "HAS_BIAS": bias}, "ecp5") for bias in (0, 1)]
    assert [float(terms["ff"] + terms["ff.delay"]) for terms in found] == [179, 182]


def test_weights_in_block_ram() -> None:
    # the block's register is the one of the ROM; a word of 32 bits, 8 deep: one block
    logic, block = heads.mvu(MVU, "ecp5"), heads.mvu({**MVU, "BLOCK": 1}, "ecp5")
    assert (block["bram"], logic["ff"] - block["ff"]) == (1, 32)
    # with ROM_REG a second one stands behind it, and the address need not wait
    late = heads.mvu({**MVU, "BLOCK": 1, "ROM_REG": 1}, "ecp5")
    assert late["ff"] - block["ff"] == 32 - 3


def test_products_on_multipliers() -> None:
    found = some(heads.mvu({**MVU, "KIND": 3}, "ecp5"))
    assert found["dsp"] == 8 and found["product.block_bits"] == found["ff.block"] == 8 * 8
    # sums behind multipliers are weighed apart, for some tools put them into the same blocks
    assert found["block.tree.adder_bits"] == 2 * 28 and "tree.adder_bits" not in found
    assert found["ff.block_sum"] == 2 * 28 + 25


def test_packed_pairs() -> None:
    found = some(heads.mvu({**MVU, "KIND": 4, "WH": 5, "SHIFT": 10, "LEVELS": 1}, "ecp5"))
    assert found["dsp"] == 4  # one pair of lanes, four inputs
    assert found["rom.small"] == 4 * (4 + 5) + 24  # a word: the low weight and the upper part of every input
    assert found["ff.delay"] == 3 * (2 + 2 + 2)


def test_sparse_and_shared_weights() -> None:
    # 2 of 4: two products for four inputs, and where they stand (2 bits each)
    sparse = some(heads.mvu({**MVU, "N": 2, "M": 4, "WEIGHTS_LIVE": 1.0}, "ecp5"))
    assert sparse["rom.small"] == 2 * 2 * (4 + 2) + 24 and sparse["rows.adders"] == 4 * 3
    assert sparse["pick.bits"] == 2 * 2 * 4 * 3  # of every product one of 4 inputs of 4 bits
    # a codebook of 4 values: 2 bits a weight
    shared = some(heads.mvu({**MVU, "INDEX": 2}, "ecp5"))
    assert shared["rom.small"] == 8 * 2 + 24 and shared["pick.book_bits"] == 8 * 4


def test_depthwise_units() -> None:
    found = heads.vvu(VVU, "ecp5")
    # tap, the beat held, address of 18 words and 16 bits of weights; 4 products without a tree; 4 accumulators and
    # put; bias of 2 words
    assert found["ff"] == 4 + 16 + 5 + 16 + 4 * 20 + (4 * 12 + 1) + (4 * 12 + 1)
    assert found["ff.delay"] == 3 * (1 + 2 + 0) and "tree.adder_bits" not in some(found)
    assert found["rom.luts"] == 16 * 18 / 16 and found["rom.small"] == 48


# ---- windows


def test_address_bits_of_a_window() -> None:
    found = some(heads.window(WINDOW, "ecp5"))
    # 4 rows of 6 * 2 words are 48: 6 bits, and not a power of two, so addresses turn around by a comparison
    assert found["window.address_bits"] == found["window.odd_bits"] == 6
    # REACH: 6 + 6 windows, 6 + 6 places, 3 rows and 2 columns of kernel, 1 + 1 padding, 4 rows of buffer, 2: 37
    assert found["window.place_bits"] == 6 + 2
    assert found["window.address_two_bits"] == found["window.fold_bits"] == 6
    assert found["window.place_two_bits"] == 8 and found["window.kernel_bits"] == 6 + 8
    assert found["window.pad_bits"] == 8
    # inner 1, kernel 2 + 2, windows 3 + 3, words of a row 4
    assert (found["count.bits"], found["count.number"]) == (1 + 2 + 2 + 3 + 3 + 4, 6)
    assert found["ram.luts"] == 3 * 2 * 6 and "bram" not in found  # 48 words of 8 bits: 3 banks of 2 columns
    # 16 columns more: 4 rows of 22 * 2 words are 176 of 8 bits; block RAM
    large = some(heads.window({**WINDOW, "COLS": 22}, "ecp5"))
    assert large["bram"] == 1 and large["window.address_bits"] == 8


def test_a_signal_has_no_second_dimension() -> None:
    found = some(heads.window({**WINDOW, "COLS": 1, "KW": 1, "PL": 0, "OW": 1, "BUF_ROWS": 4}, "ecp5"))
    assert not [name for name in found if "two" in name]
    assert found["window.address_bits"] == 3 and "window.odd_bits" not in found  # 8 words


def test_registers_of_windows_are_flops() -> None:
    found = heads.window({**WINDOW, "INNER": 1}, "ecp5")
    # 24 words: 5 bits of address for write, left, column, frame, top, row and the memory's own (no folds of channels);
    # 8 bits for top, left, y, x, have, held, freed and kept; 5 flags; counters of 2 + 2 + 3 + 3 and 3; the word.
    # That is 125; yosys: 122.
    flops = sum(amount for name, amount in found.items() if name.startswith("ff"))
    assert 122 <= flops <= 122 + 2 * (5 + 8)  # the two-dimensional and the kernel's registers, each 5 + 8


def test_flops_of_a_line_window() -> None:
    found = heads.line_window(LINES, "ecp5")
    # LINE: the last corner at column 1 + 3 = 4 is beyond the image, so 5 places; END_ROW: 2 rows above, the last
    # corner at 3 + 3 = 6: 3 bits each for row, column, and those of the corner
    assert found["lines.place_bits"] == 3 + 3 and found["lines.address"] == 3
    # 5 words of two rows, 16 bits, in one bank of LUT RAM
    assert found["ram.luts"] == 4 * 6 and found["lines.pad_bits"] == 8


def test_all_flops_of_a_line_window() -> None:
    # the walk, 5 flags, the place taken, a window of 9 places, two addresses of 3, the word fetched; yosys: 119
    assert heads.line_window(LINES, "ecp5")["ff"] == 2 * 6 + 5 + 8 + 9 * 8 + 2 * 3 + 16


def test_a_line_window_of_one_row_has_no_lines() -> None:
    found = some(heads.line_window({**LINES, "KH": 1, "ROWS": 1, "PT": 0, "OH": 1}, "ecp5"))
    assert not [name for name in found if name.startswith("ram.") or name in ("bram", "lines.address")]


# ---- other heads


def test_width_converters() -> None:
    # a multiplexer: counter and part, put, the beat of 3 bits.  yosys: 8
    assert some(heads.narrow({"WIDTH": 3, "RATIO": 4, "HOLD": 1}, "ecp5")) == {
        "narrow": 1, "count.bits": 2, "count.number": 1, "narrow.pick_bits": 3 * 3, "ff": 2 + 2 + 1 + 3,
    }  # fmt: skip
    # a shift register of all four, and first.  yosys: 16
    assert some(heads.narrow({"WIDTH": 3, "RATIO": 4, "HOLD": 0}, "ecp5")) == {
        "narrow": 1, "count.bits": 2, "count.number": 1, "narrow.shift_bits": 12, "ff": 2 + 1 + 1 + 12,
    }  # fmt: skip
    # yosys: 15
    assert some(heads.widen({"WIDTH": 3, "RATIO": 4}, "ecp5")) == {
        "widen": 1, "count.bits": 2, "count.number": 1, "ff": 2 + 1 + 12,
    }  # fmt: skip


def test_joins() -> None:
    assert some(heads.join({"WIDTH": 16, "INTERVAL": 1}, "ecp5")) == {"join": 1, "ff": 16 + 1}
    waits = some(heads.join({"WIDTH": 16, "INTERVAL": 5}, "ecp5"))
    assert waits == {"join": 1, "ff": 16 + 1 + 3, "count.bits": 3, "count.number": 1}


def test_reductions() -> None:
    largest = {"LANES": 2, "TAPS": 4, "MAX": 1, "WX": 5, "WY": 5}
    # counter, put, first, two numbers of 5 bits.  yosys: 14
    assert some(heads.reduce(largest, "ecp5")) == {
        "reduce": 1, "count.bits": 2, "count.number": 1, "reduce.max_bits": 10, "ff": 2 + 2 + 10,
    }  # fmt: skip
    sums = some(heads.reduce({**largest, "MAX": 0, "WY": 7}, "ecp5"))  # sums are as wide as the result
    assert (sums["reduce.sum_bits"], sums["ff"]) == (14, 2 + 2 + 14) and "reduce.max_bits" not in sums


def test_concatenation() -> None:
    found = some(heads.concat({"LANES": 1, "WY": 8, "INPUTS": 2}, "ecp5"))
    # put, a turn for each input, the beat.  yosys: 11
    assert found == {"concat": 1, "ff": 1 + 2 + 8, "concat.bits": 16, "count.bits": 4}


def test_logic_of_the_argmax() -> None:
    found = some(heads.argmax({"LANES": 4, "FOLDS": 3, "WX": 5, "WY": 4}, "ecp5"))
    # 3 comparisons of a value with its lane, 5 + 2 bits; the best so far and its place
    assert (found["argmax.pair_bits"], found["argmax.best_bits"]) == (3 * 7, 7 + 4)
    assert found["ff.delay"] == (2 + 1) + (2 + 2) and found["count.bits"] == 2


@pytest.mark.parametrize(
    ("lanes", "folds", "wx", "wy", "flops"),
    [
        # Values in; winners of level k with k bits of lane; the best with its lane; place of lane 0, now and of the
        # best; two lines of flags; a counter.  yosys: 61 and 39
        (4, 3, 5, 4, 4 * 5 + (2 * 6 + 7) + 7 + 2 * 4 + (3 + 4) + 2),
        (2, 4, 6, 3, 2 * 6 + 7 + 7 + 2 * 3 + (2 + 3) + 2),
        # all lanes at once: of the last winner only the lane is read and kept.  yosys: 40 and 103
        (4, 1, 5, 2, 4 * 5 + (2 * 6 + 2) + 2 + 4),
        (8, 1, 6, 3, 8 * 6 + (4 * 7 + 2 * 8 + 3) + 3 + 5),
    ],
)
def test_flops_of_the_argmax(lanes: int, folds: int, wx: int, wy: int, flops: int) -> None:
    found = heads.argmax({"LANES": lanes, "FOLDS": folds, "WX": wx, "WY": wy}, "ecp5")
    assert found["ff"] + found["ff.delay"] == flops


def test_reordering() -> None:
    found = some(
        heads.reorder(
            {"BITS": 4, "IN_LANES": 2, "IN_BEATS": 8, "OUT_LANES": 3, "OUT_BEATS": 16, "BLOCK": 0, "ORDER_LIVE": 1.0},
            "ecp5",
        )
    )
    # where each of 3 elements stands: 3 bits of beat and 1 of lane; 16 words are a LUT a column
    assert found["rom.small"] == 3 * 4
    # three copies of two vectors of 8 beats of 8 bits: 16 words, 2 columns
    assert found["ram.luts"] == 3 * 2 * 6
    assert found["narrow.pick_bits"] == 3 * 4 and found["count.bits"] == 3 + 4
    # words of the ROM, fetched beats, lane and element picked; two counters; two halves, late, two numbers of 2
    # vectors, freed, reading, two puts
    assert found["ff"] == 12 + 3 * 8 + 3 * (1 + 4) + 7 + (3 + 2 + 2 + 1 + 1 + 2)
    one = {"BITS": 4, "IN_LANES": 2, "IN_BEATS": 8, "OUT_LANES": 1, "OUT_BEATS": 16, "BLOCK": 0, "ORDER_LIVE": 1.0}
    assert heads.reorder(one, "ecp5")["ff"] == 4 + 8 + (1 + 4) + 7 + 11  # yosys: 35
