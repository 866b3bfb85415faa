"""Pipes of the folded library, counted by hand from their sources; "yosys" is what 0.70 gives for ECP5."""

from __future__ import annotations

import numpy as np
import pytest

from bitsmith.hls.backends.rtl.folded.parts import Bits, Cost, Part, Rom
from bitsmith.hls.estimate.rtl import pipes
from bitsmith.hls.estimate.rtl.folded import part_terms
from bitsmith.hls.estimate.rtl.heads import Params
from bitsmith.hls.estimate.rtl.memory import live_share
from bitsmith.hls.estimate.rtl.terms import Terms


def some(terms: Terms) -> dict[str, float]:
    """Those amounts that are not zero."""
    return {name: float(amount) for name, amount in terms.items() if float(amount)}


def test_requantisation_by_a_shift() -> None:
    found = some(
        pipes.requant(
            {"LANES": 2, "WX": 12, "WT": 13, "SHIFT": 4, "HAS_ADD": 1, "CLIP_LO": 1, "CLIP_HI": 1, "LAST": 1, "WY": 4},
            "ecp5",
        )
    )
    # A constant is added in 13 bits, of which 9 are read; both bounds look at the 5 bits above the 4 that are left.
    assert found == {
        "requant": 1, "affine.plain_bits": 26, "clip.out_bits": 8, "clip.test_bits": 2 * 2 * 5,
        "ff": 2 * 9 + 2 * 4, "ff.delay": 1 + 1,
    }  # fmt: skip


def test_requantisation_half_to_even_reads_all_bits() -> None:
    base = {"LANES": 1, "WX": 12, "WT": 13, "SHIFT": 4, "HAS_ADD": 1, "LAST": 1, "WY": 4}
    even, up = pipes.requant({**base, "HALF_EVEN": 1}, "ecp5"), pipes.requant(base, "ecp5")
    assert even["even.bits"] == 4 and even["ff"] - up["ff"] == 4 and up["even.bits"] == 0
    wrapped = pipes.requant({**base, "WRAP": 4}, "ecp5")
    assert wrapped["wrap.bits"] == 4 and wrapped["clip.out_bits"] == 0


def test_requantisation_by_a_multiplier_for_each_channel() -> None:
    found = some(
        pipes.requant(
            {
                "LANES": 2, "WX": 10, "X_SIGN": 1, "KIND": 3, "WM": 8, "M_SIGN": 0, "M_FOLDS": 4, "MULT_FILE_LIVE": 1.0,
                "HAS_ADD": 1, "A_FOLDS": 4, "WA": 12, "ADD_FILE_LIVE": 1.0, "WT": 19, "SHIFT": 8, "CLIP_LO": 1,
                "CLIP_HI": 1, "LAST": 1, "WY": 4,
            },
            "ecp5",
        )
    )  # fmt: skip
    assert found["dsp"] == 2 and found["product.block_bits"] == found["ff.block"] == 2 * 18
    assert found["rom.small"] == 2 * 8 + 2 * 12 and found["address.bits"] == 2 + 2
    assert found["affine.adder_bits"] == 2 * 19 and "affine.plain_bits" not in found
    # both words, both addresses; the 11 bits of the sum that are read; the results
    assert found["ff"] == 16 + 24 + 4 + 2 * 11 + 2 * 4
    assert found["ff.delay"] == 1 + 1 + 1


def test_a_constant_multiplier_in_logic_is_cheaper() -> None:
    params = {"LANES": 1, "WX": 8, "KIND": 0, "WM": 3, "WT": 12, "SHIFT": 0, "LAST": 0, "WY": 12}
    found = some(pipes.requant(params, "ecp5"))
    assert found["constant.rows.gates"] == 24 and "rows.gates" not in found
    folded = some(pipes.requant({**params, "M_FOLDS": 2, "MULT_FILE_LIVE": 1.0}, "ecp5"))
    assert folded["rows.gates"] == 24 and "constant.rows.gates" not in folded


def test_thresholds_by_comparators() -> None:
    params = {"LANES": 2, "FOLDS": 1, "EACH": 0, "WU": 6, "WC": 2, "WY": 2, "KIND": 0, "LEVELS": 3}
    # 3 comparators of 6 bits a lane, their thermometer, the count of 2 bits
    assert some(pipes.thresholds(params, "ecp5")) == {
        "levels.constant_bits": 2 * 3 * 6, "levels.encode": 6, "ff": 2 * (3 + 2), "ff.delay": 2,
    }  # fmt: skip
    # of 4 folds: thresholds from a ROM of 4 words, one row for both lanes, or one for each
    folded = some(pipes.thresholds({**params, "FOLDS": 4}, "ecp5"))
    assert folded["levels.varying_bits"] == 36 and folded["rom.address"] == 2 and folded["count.bits"] == 2
    assert folded["rom.small"] == pytest.approx(18 * live_share(4, 18))
    each = some(pipes.thresholds({**params, "FOLDS": 4, "EACH": 1}, "ecp5"))
    assert each["rom.small"] == pytest.approx(36 * live_share(4, 36))


SEARCH: Params = {
    "LANES": 1, "FOLDS": 1, "EACH": 0, "WU": 8, "WC": 3, "WY": 3, "KIND": 1, "READ": 1, "FILE_0_LIVE": 1.0,
    "FILE_1_LIVE": 1.0, "FILE_2_LIVE": 1.0,
}  # fmt: skip


def test_thresholds_by_search() -> None:
    found = some(pipes.thresholds(SEARCH, "ecp5"))
    assert found["search.compare_bits"] == 3 * 8  # a comparator for each bit of the answer
    assert found["rom.small"] == 8 + 8  # of 2 and of 4 thresholds
    # x and the bits known so far wait: 8 + 1 and 8 + 2 bits; addresses of 1 and 2 bits; the answer
    assert found["ff"] == (8 + 1) + (8 + 2) + (1 + 2) + 3


def test_all_flops_of_a_search() -> None:
    found = pipes.thresholds(SEARCH, "ecp5")
    assert found["ff"] + found["ff.delay"] + found["ff.delay_bits"] == 25 + 3  # yosys: 28


def test_flops_of_a_search_with_folds() -> None:
    # 28 as above; two counters of 2 bits, a word of 8 read for bit 0, the fold a cycle later, 2 bits more in both
    # addresses.  yosys: 46
    found = pipes.thresholds({**SEARCH, "FOLDS": 4}, "ecp5")
    assert found["ff"] + found["ff.delay"] + found["ff.delay_bits"] == 28 + 4 + 8 + 2 + 4
    assert found["rom.small"] == 8 + 8 + 8


def test_serial_search() -> None:
    params = {"LANES": 2, "FOLDS": 1, "EACH": 0, "WU": 8, "WC": 3, "WY": 3, "KIND": 2, "READ": 1, "FILE_0_LIVE": 1.0}
    found = some(pipes.thresholds(params, "ecp5"))
    assert found["rom.small"] == 2 * 8 and found["search.compare_bits"] == 2 * 8
    # node and answer of 3 bits, x of 8, an address of 3
    assert found["ff"] == 2 * (3 + 3 + 8 + 3) and found["ff.delay"] == 3 + 1


def test_tables() -> None:
    # 2^5 words of 3 bits for all lanes, a copy for each of two; 32 words are 2 LUT4 a column
    found = some(pipes.lut({"LANES": 2, "FOLDS": 1, "EACH": 0, "WA": 5, "WY": 3, "BLOCK": 0, "FILE_LIVE": 1.0}, "ecp5"))
    assert found == {"rom.luts": 2 * 3 * 2, "rom.tables": 2 * 3 * 2, "rom.address": 2 * 5, "ff": 2 * 3, "ff.delay": 1}
    block = some(pipes.lut({"LANES": 2, "FOLDS": 1, "EACH": 0, "WA": 10, "WY": 18, "BLOCK": 1}, "ecp5"))
    assert block == {"bram": 2, "ff.delay": 1}


def test_sums_of_inputs() -> None:
    # three inputs of WT 12 bits in 2 lanes; two adders more for factors; products have a register
    found = some(pipes.add({"LANES": 2, "INPUTS": 3, "TIMES": 1, "WT": 12, "WY": 14, "ADDERS": 2}, "ecp5"))
    # trees: one adder of 13, then one of 14
    assert found["add.adder_bits"] == 2 * 2 * 12 + 2 * (13 + 14) and found["add.adders"] == 2 * 2
    assert found["ff.delay"] == 1 + 2 and found["add"] == 1


def test_adders_of_factors() -> None:
    # 3 = 2 + 1: one adder; -5 = -(4 + 1): one, and one to turn the sign; -1 and 8: none (turned in the sum)
    def part(*factors: int) -> Part:
        value = sum((f % (1 << 64)) << (64 * k) for k, f in enumerate(factors))
        params = {"LANES": 1, "INPUTS": len(factors), "TIMES": 0, "WT": 8, "WY": 9}
        return Part("bitsmith_add", {**params, "FACTOR": Bits(value, 64 * len(factors))}, 1, 1, 9)

    plain = part_terms(part(1, 8), "ecp5")["add.adder_bits"]
    assert plain == 9  # the sum itself
    assert part_terms(part(3, 8), "ecp5")["add.adder_bits"] == 9 + 8
    assert part_terms(part(-5, -1), "ecp5")["add.adder_bits"] == 9 + 2 * 8
    assert part_terms(part(7, -1), "ecp5")["add.adder_bits"] == 9 + 2 * 8


def test_weighing_by_codewords() -> None:
    params = {"LANES": 2, "COUNT": 3, "WS": 8, "WW": 8, "ACC": 16, "KIND": 1, "FOLDS": 4, "HAS_BIAS": 0}
    found = some(pipes.weigh(params, "ecp5"))
    # sums and codewords on their way, turns; a product of 9 bits; accumulators and put
    assert found["ff"] == 2 * 3 * 8 + 3 * (8 + 1) + 2 * 9 + (2 * 16 + 1)
    assert found["weigh.shift_bits"] == 48 and found["sums.adder_bits"] == 32
    assert "address.bits" not in found
    biased = some(pipes.weigh({**params, "HAS_BIAS": 1}, "ecp5"))
    assert biased["address.bits"] == 2


def test_parts_of_a_design_alone_bring_their_cost() -> None:
    part = Part("net_fc1_graph", {}, 3, 4, 8, cost=Cost(lut=120.0, ff=64.0))
    assert part_terms(part, "ecp5") == {"graph.adder_bits": 120.0, "ff": 64.0, "ff.delay": 3.0}


def test_params_of_a_part_hold_the_share_of_its_rom() -> None:
    contents = Rom(np.array([[0], [3], [0], [7]]), 3)  # two of three columns
    params = {"LANES": 1, "FOLDS": 1, "EACH": 0, "WA": 2, "WY": 3, "BLOCK": 0, "FILE": "x.mem"}
    found = part_terms(Part("bitsmith_lut", params, 1, 1, 3, roms={"FILE": contents}), "ecp5")
    assert found["rom.small"] == pytest.approx(2.0) and found["ff"] == pytest.approx(2.0)
