"""Terms, memories, products and trees by hand; where a comment says so, yosys 0.70 makes the same of the module."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitsmith.hls.backends.rtl.folded.form import plain_form
from bitsmith.hls.backends.rtl.folded.multiply import takes_multiplier
from bitsmith.hls.backends.rtl.folded.parts import Rom
from bitsmith.hls.estimate.rtl.arithmetic import (
    BLOCK,
    LUT,
    PACKED,
    SIGN,
    TERNARY,
    behind_blocks,
    block_share,
    dot_packed,
    product,
    product_bits,
    rows,
    stages,
    tree,
)
from bitsmith.hls.estimate.rtl.folded import live_columns, live_tables
from bitsmith.hls.estimate.rtl.heads import outlet
from bitsmith.hls.estimate.rtl.memory import block_count, live_share, ram, rom
from bitsmith.hls.estimate.rtl.terms import LENDER, Terms, bits_of, ceil_div, clog2, total
from bitsmith.models.ir import NetBuilder, QuantType
from bitsmith.models.ir.ops import Dense


def some(terms: Terms) -> dict[str, float]:
    """Those amounts that are not zero."""
    return {name: float(amount) for name, amount in terms.items() if float(amount)}


# ---- terms


def test_terms_add_name_by_name() -> None:
    a, b = Terms(ff=3, lut=1.5), Terms(ff=4, dsp=2)
    assert a + b == {"ff": 7, "lut": 1.5, "dsp": 2} == total([a, b])
    assert a * 2 == {"ff": 6, "lut": 3.0}
    assert a == {"ff": 3, "lut": 1.5} and b == {"ff": 4, "dsp": 2}  # neither is changed
    assert total([]) == {}


def test_terms_where() -> None:
    found = Terms(ff=np.array([1, 2, 3])).where(np.array([True, False, True]))
    assert found["ff"].tolist() == [1.0, 0.0, 3.0]
    assert Terms(ff=5).where(False)["ff"] == 0.0


def test_logarithms_by_hand() -> None:
    assert [float(clog2(n)) for n in (1, 2, 3, 4, 5, 8, 9, 1000, 1024, 1025)] == [0, 1, 2, 2, 3, 3, 4, 10, 10, 11]
    assert float(clog2(0)) == 0.0
    assert [float(bits_of(n)) for n in (1, 2, 3, 16, 17)] == [1, 1, 2, 4, 5]
    assert [float(ceil_div(a, b)) for a, b in ((0, 4), (1, 4), (4, 4), (5, 4))] == [0, 1, 1, 2]


@settings(deadline=None, derandomize=True)
@given(st.integers(1, 2**40))
def test_clog2_is_that_of_the_integer(n: int) -> None:
    assert float(clog2(n)) == (n - 1).bit_length()


def test_every_family_borrows_from_one_with_synthesis() -> None:
    assert set(LENDER.values()) <= {"ecp5", "xc7", "ice40", "gowin"} and not set(LENDER) & set(LENDER.values())


# ---- where memories go: bitsmith_outlet as yosys 0.70 maps it

LUTS, REGISTERS = "LUT RAM", "registers"


@pytest.mark.parametrize(
    ("family", "width", "depth", "place"),
    [
        ("ecp5", 12, 100, LUTS),  # 7 banks of 3 x 16 x 4: 7 * 12 + 0.55 * 12 * 6 = 123.6 against 128 a block
        ("ecp5", 12, 128, 1),  # 8 banks: 8 * 12 + 0.55 * 12 * 7 = 142.2
        ("ecp5", 36, 32, LUTS),  # 2 banks of 9: 72 + 0.55 * 36 = 91.8
        ("ecp5", 36, 40, 1),  # 3 banks: 108 + 0.55 * 36 * 2 = 147.6
        ("ecp5", 64, 32, LUTS),  # 128 + 0.55 * 64 = 163.2 against 256: 64 bits take two blocks
        ("ecp5", 64, 40, 2),  # 192 + 0.55 * 64 * 2 = 262.4
        ("xc7", 8, 300, LUTS),
        ("xc7", 8, 512, 1),
        ("xc7", 1, 1000, LUTS),
        ("gowin", 4, 300, LUTS),  # 19 banks: 76 + 0.55 * 4 * 18 = 115.6 against 128
        ("gowin", 8, 200, 1),  # 13 banks of 2: 104 + 0.55 * 8 * 12 = 156.8
        ("ice40", 8, 5, REGISTERS),  # 40 bits against 64 a block; there is no LUT RAM
        ("ice40", 8, 16, 1),  # 128 bits
    ],
)
def test_places_of_memories(family: str, width: int, depth: int, place: object) -> None:
    found = ram(depth, width, family)
    kind = (
        int(found["bram"]) if found["bram"] else LUTS if found["ram.luts"] else REGISTERS if found["ff"] > width else ""
    )
    assert kind == place
    if place == REGISTERS:
        assert found["ff"] == width * depth + width and found["ram.logic_bits"] == width * depth
    else:
        # the read register is in the block, or stands behind the LUT RAM
        assert found["ff"] == (width if place == LUTS else 0) and found["ram.logic_bits"] == 0


def test_borrowers_place_memories_as_their_lenders_in_blocks_of_their_own() -> None:
    # max10 borrows from ecp5, whose LUT RAM ends at 12 x 100; cyclonev from xc7 (M10K: 256 x 40)
    assert not ram(100, 12, "max10")["bram"] and ram(128, 12, "max10")["bram"] == 1
    assert ram(512, 40, "cyclonev")["bram"] == 2


def test_luts_and_banks_of_lut_ram() -> None:
    # 12 bits are 3 columns of 4, 100 words 7 banks of 16: 6 LUTs each; 6 choices a bit, in clog2(7) - 1 levels more
    found = some(ram(100, 12, "ecp5"))
    assert found == {
        "ff": 12,
        "ram.luts": 7 * 3 * 6,
        "ram.bank_bits": 72,
        "ram.bank_many": 72,
        "ram.bank_levels": 72 * 2,
    }
    # one bank: no choice
    assert some(ram(16, 4, "ecp5")) == {"ff": 4, "ram.luts": 6}
    assert some(ram(16, 4, "gowin")) == {"ff": 4, "ram.luts": 4}
    # 7 series, 64 words of 8 bits: 3 columns of 64 x 3 in one bank (cost 8 * 3 - 7 / 3 of unused bits), or 2 of 32 x 6
    # in two banks (cost 2 * (8 * 2 - 7 * 2 / 3) + 0.55 * 8); the first is cheaper by a little
    assert some(ram(64, 8, "xc7")) == {"ff": 8, "ram.luts": 3 * 4}
    # read where it is written, one column of 64 x 4 is 8 LUT inputs wide: 2 of them
    assert some(ram(64, 8, "xc7", one_address=True)) == {"ff": 8, "ram.luts": 2 * 4}


def test_block_shapes() -> None:
    # ecp5: 18 kbit as 512 x 36 ... 16384 x 1
    sizes = ((512, 36), (513, 36), (512, 37), (1024, 18), (2048, 9), (16384, 1), (16385, 1), (1, 1), (4096, 9))
    assert [int(block_count(*size, "ecp5")) for size in sizes] == [1, 2, 2, 1, 1, 1, 2, 1, 2]
    # ice40: 4 kbit as 256 x 16 ... 2048 x 2
    assert [int(block_count(*s, "ice40")) for s in ((256, 16), (257, 16), (512, 8), (1024, 16))] == [1, 2, 1, 4]


# ---- flip-flops of bitsmith_outlet


@pytest.mark.parametrize(
    ("family", "width", "depth", "flops"),
    [
        # two credit counters of clog2(17) = 5, two addresses of 4, room, m_valid, goes_around, and twice the data
        ("ecp5", 4, 16, 2 * 5 + 2 * 4 + 3 + 2 * 4),  # 29, as yosys gives
        # in block RAM the fetched word has no register of ours: 2 * 10 + 2 * 9 + 3 + 4 = 45, as yosys gives
        ("ecp5", 4, 512, 2 * 10 + 2 * 9 + 3 + 4),
        ("ecp5", 12, 100, 2 * 7 + 2 * 7 + 3 + 2 * 12),
        # places in registers: 40 bits more
        ("ice40", 8, 5, 2 * 3 + 2 * 3 + 3 + 2 * 8 + 5 * 8),
        ("ice40", 8, 16, 2 * 5 + 2 * 4 + 3 + 8),
        # a single place: no addresses, one register of data, a credit of one bit, the count of one bit
        ("ecp5", 4, 1, 2 * 1 + 2 + 4),
        ("xc7", 8, 2, 2 * 2 + 2 * 1 + 3 + 2 * 8),
    ],
)
def test_flops_of_an_outlet(family: str, width: int, depth: int, flops: int) -> None:
    assert float(outlet(width, depth, family)["ff"]) == flops


def test_logic_of_an_outlet() -> None:
    found = some(outlet(4, 16, "ecp5"))
    # a counter of 5 bits and an address of 4; the word that goes around; 6 LUTs of RAM
    assert found == {"outlet": 1, "outlet.bits": 5 + 4, "outlet.around_bits": 4, "ram.luts": 6, "ff": 29}
    assert some(outlet(4, 1, "ecp5")) == {"outlet": 1, "outlet.bits": 1, "ff": 8}


# ---- ROMs


def test_roms_by_hand() -> None:
    # one word is a constant
    assert some(rom(1, 64, 0, "ecp5")) == {} == some(rom(1, 64, 1, "ecp5"))
    # 16 words are one LUT4 a column; 8 of 16 columns are left of it
    assert some(rom(16, 16, 0, "ecp5", live=0.5)) == {"ff": 8, "rom.small": 8, "rom.address": 4}
    # 48 words: 3 LUT4 a column, of which half are alike
    found = some(rom(48, 8, 0, "ecp5", live=1.0, tables=0.5))
    assert found == {"ff": 8, "rom.luts": 8 * 3, "rom.tables": 4 * 3, "rom.address": 6}
    # of six inputs, 64 words are one LUT
    assert some(rom(64, 8, 0, "xc7", live=1.0)) == {"ff": 8, "rom.small": 8, "rom.address": 6}
    # a second register doubles the flip-flops; of block RAM, which has the first, it is the only one
    assert some(rom(48, 8, 0, "ecp5", 2, 1.0))["ff"] == 16
    assert some(rom(1024, 20, 1, "ecp5")) == {"bram": 2}
    assert some(rom(1024, 20, 1, "ecp5", 2)) == {"bram": 2, "ff": 20}


def test_live_tables_by_hand() -> None:
    # columns of 0, 3, 0, 7 from below: 0101, 0101, 0001; of two words each 01 01, 01 01, 00 01: one kind that varies
    assert live_tables(Rom(np.array([[0], [3], [0], [7]]), 3), 2) == 1 / 6
    assert live_tables(Rom(np.array([[0], [3], [0], [7]]), 3), 4) == 2 / 3  # as the columns
    # the last piece is filled with zeros: 1, 1, 1 of four is 1110, of two 11 and 10
    assert live_tables(Rom(np.array([[1], [1], [1]]), 1), 4) == 1 / (3 / 4)
    assert live_tables(Rom(np.array([[1], [1], [1]]), 1), 2) == 1 / (3 / 2)


def test_live_columns_by_hand() -> None:
    # columns of 0, 3, 0, 7 from below: 0101, 0101 (equal to the first), 0001: two of three
    assert live_columns(Rom(np.array([[0], [3], [0], [7]]), 3)) == 2 / 3
    # two lanes of 2 bits: lane 0 is constant (1, 1), lane 1 counts 0, 1, 2: 010 and 001
    assert live_columns(Rom(np.array([[1, 0], [1, 1], [1, 2]]), 2)) == 2 / 4
    # two's complement: -1 and 0 make all columns equal
    assert live_columns(Rom(np.array([[-1], [0], [-1]]), 4)) == 1 / 4
    assert live_columns(Rom(np.array([[5, 5]]), 4)) == 0.0  # one word is constant throughout


@pytest.mark.parametrize(("words", "width"), [(2, 2), (2, 3), (3, 2), (4, 2)])
def test_live_share_is_the_mean_over_all_contents(words: int, width: int) -> None:
    shares = [
        live_columns(Rom(np.array(contents)[:, None], width))
        for contents in itertools.product(range(1 << width), repeat=words)
    ]
    assert float(live_share(words, width)) == pytest.approx(np.mean(shares), rel=1e-12)


def test_deep_roms_keep_their_columns() -> None:
    assert float(live_share(1, 8)) == 0.0 and float(live_share(2, 1)) == pytest.approx(0.5)
    assert float(live_share(1000, 64)) == pytest.approx(1.0)


# ---- products and trees


@pytest.mark.parametrize(
    ("short", "gates", "adder_bits", "adders", "flops"),
    [
        # bitsmith_rows with WX = 8, by its recursion.  N = 1: a gated row with a register of 9 bits
        (1, 8, 0, 0, 9),
        # N = 2: two gated rows, a sum of 9 bits beside the lowest bit: 10 bits of register
        (2, 16, 9, 1, 10),
        # N = 3: those of 2 and of 1; the upper part of 9 bits is added; 11 bits
        (3, 24, 9 + 9, 2, 10 + 9 + 11),
        # N = 4: twice those of 2, a sum of 10 bits; 12 bits
        (4, 32, 2 * 9 + 10, 3, 2 * 10 + 12),
        # N = 5: of 4, and of 1 which waits for a stage (9 bits more); a sum of 9 bits; 13.  yosys: 63
        (5, 40, 28 + 9, 4, 32 + 9 + 9 + 13),
        # N = 6: of 4, and of 2 which waits for a stage (10 bits more); a sum of 10 bits; 14.  yosys: 66
        (6, 48, 28 + 9 + 10, 5, 32 + 10 + 10 + 14),
    ],
)
def test_rows_by_hand(short: int, gates: int, adder_bits: int, adders: int, flops: int) -> None:
    expected = {"rows.gates": gates, "rows.adder_bits": adder_bits, "rows.adders": adders, "ff": flops}
    assert rows(8, short) == expected == rows(short, 8)  # the narrower factor is the one with the masks


def test_products_by_hand() -> None:
    # a sign: a of 5 bits is widened by one and turned; the register is behind it
    for kind, name in ((SIGN, "sign"), (TERNARY, "ternary")):
        assert some(product(kind, 5, 1, "ecp5")) == {f"product.{name}_bits": 6, "ff": 6}
    # on a multiplier; Gowin's blocks hold two of up to 9 x 9 signed bits
    assert some(product(BLOCK, 8, 5, "ecp5")) == {"dsp": 1, "product.block_bits": 13, "ff.block": 13}
    assert some(product(BLOCK, 8, 5, "gowin"))["dsp"] == 0.5 and some(product(BLOCK, 9, 5, "gowin"))["dsp"] == 1
    assert product(LUT, 8, 5, "ecp5")["ff"] == rows(8, 5)["ff"]


def test_sizes_of_products() -> None:
    assert [float(product_bits(k, 5, 3)) for k in (LUT, SIGN, TERNARY, BLOCK)] == [8, 6, 6, 8]
    # of rows: a level for every doubling of the narrower factor; of two bits or a sign: one
    assert [float(stages(LUT, 8, w)) for w in (1, 2, 3, 4, 5, 8, 9)] == [1, 1, 2, 2, 3, 3, 3]
    assert [float(stages(k, 8, 8)) for k in (SIGN, TERNARY, BLOCK, PACKED)] == [1, 1, 1, 2]
    assert [float(block_share(a, 8, "gowin")) for a in (8, 9)] == [0.5, 1.0]
    assert float(block_share(2, 2, "ecp5")) == 1.0


@pytest.mark.parametrize(
    ("family", "a", "w", "mapped"),
    [  # signed factors; as yosys 0.70 maps bitsmith_product of KIND 3
        ("ecp5", 1, 4, False),
        ("ecp5", 2, 2, True),
        ("xc7", 4, 4, False),
        ("xc7", 4, 5, True),
        ("xc7", 2, 7, True),
        ("ice40", 5, 5, False),
        ("ice40", 6, 5, True),
        ("ice40", 2, 9, True),
        ("gowin", 3, 8, False),
        ("gowin", 4, 4, True),
    ],
)
def test_least_sizes_of_multipliers(family: str, a: int, w: int, mapped: bool) -> None:
    assert takes_multiplier(QuantType(a, True), w, True, family) is mapped
    if family == "xc7":
        assert takes_multiplier(QuantType(a, True), w, True, "xcup") is mapped


@pytest.mark.parametrize(
    ("family", "a", "a_signed", "w", "mapped"),
    [  # one factor without a sign: the zero above it counts for the size of a factor
        ("xc7", 4, 0, 5, True),
        ("ice40", 5, 0, 6, True),
        ("gowin", 3, 0, 4, True),
        ("ecp5", 1, 0, 2, True),
        ("gowin", 2, 0, 8, False),
        ("xc7", 4, 0, 4, False),  # but not for that of the product, 8 bits
        ("ice40", 5, 0, 5, True),  # but on ice40 it does, for the register is kept whole (ALONE)
        ("ice40", 5, 0, 4, False),
    ],
)
def test_least_sizes_with_a_factor_without_a_sign(family: str, a: int, a_signed: int, w: int, mapped: bool) -> None:
    assert takes_multiplier(QuantType(a, bool(a_signed)), w, True, family) is mapped


@pytest.mark.parametrize(
    ("family", "a", "w", "mapped"),
    [  # no factor has a sign: no zeros at all
        ("xc7", 4, 5, True),
        ("ice40", 5, 6, True),
        ("gowin", 4, 4, True),
        ("xc7", 4, 4, False),
        ("xc7", 3, 5, False),
        ("ice40", 4, 6, False),
        ("gowin", 3, 4, False),
        ("ecp5", 1, 8, False),
    ],
)
def test_least_sizes_without_signs(family: str, a: int, w: int, mapped: bool) -> None:
    assert takes_multiplier(QuantType(a, False), w, False, family) is mapped


def test_tree_by_hand() -> None:
    # 8 numbers of 4 bits, 7 bits hold the sum: 4 adders of 5, 2 of 6, 1 of 7; a register behind each
    assert some(tree("t", 8, 4, 7)) == {"t.adder_bits": 20 + 12 + 7, "t.adders": 7, "ff": 20 + 12 + 7}
    # bits above the 5th are not asked for
    assert some(tree("t", 8, 4, 5)) == {"t.adder_bits": 7 * 5, "t.adders": 7, "ff": 7 * 5}
    # one number is the sum
    assert some(tree("t", 1, 4, 7)) == {}
    # 5 numbers of 4: 2 adders of 5, of 3 left 1 adder of 6, of 2 left 1 of 6
    odd = tree("t", 5, 4, 6)
    assert (odd["t.adder_bits"], odd["t.adders"]) == (10 + 6 + 6, 4)


@pytest.mark.parametrize(
    ("count", "bits", "flops"),
    [
        (4, 6, 2 * 7 + 8),
        (8, 6, 4 * 7 + 2 * 8 + 9),
        # A number that waits keeps its width until it is added, whatever the library's register says: synthesis merges
        # the copies of its sign.  All as yosys 0.70 gives.
        (3, 6, (7 + 6) + 8),
        (5, 4, (2 * 5 + 4) + (6 + 4) + 7),
        (6, 6, 3 * 7 + (8 + 7) + 9),
        (7, 6, (3 * 7 + 6) + 2 * 8 + 9),
        (9, 6, (4 * 7 + 6) + (2 * 8 + 6) + (9 + 6) + 10),
    ],
)
def test_flops_of_a_tree(count: int, bits: int, flops: int) -> None:
    assert tree("t", count, bits, bits + 4)["ff"] == flops


def test_behind_blocks_renames() -> None:
    terms = Terms({"tree.adders": 3, "ff": 5})
    assert behind_blocks(terms) == {"block.tree.adders": 3, "ff.block_sum": 5}


def test_packed_dot_product_by_hand() -> None:
    # bitsmith_dot_packed: SIMD 4, inputs u4 (A1 = 5), shift 10, upper part 5 bits (W1 = 15): products of 20 bits.
    # LEVELS 1: leaves of two, so two packed sums of 21 bits (WS), each cut into 10 and 11 bits (WU)
    found = some(dot_packed(4, 4, 0, 10, 5, 1, 12))
    assert found["dsp"] == 4
    assert found["product.block_bits"] == found["ff.block"] == 4 * 20
    assert (found["block.tree.adder_bits"], found["block.tree.adders"]) == (2 * 21, 2)
    assert found["ff.block_sum"] == 2 * 21
    # the borrow: an adder of 11 bits for each sum; then a tree of two numbers of 10 bits and one of two of 11
    assert (found["tree.adder_bits"], found["tree.adders"]) == (2 * 11 + 11 + 12, 2 + 2)
    # both parts of each sum in registers, and the two trees' own
    assert found["ff"] == 2 * (10 + 11) + 11 + 12
    assert found["ff"] + found["ff.block"] + found["ff.block_sum"] == 187  # as yosys gives


def test_weights_of_one_bit_take_multipliers_as_two() -> None:
    """Weights of -1 and 1 are factors of two bits there; on 7 series 4 bits beside them are too few."""
    b = NetBuilder("signs")
    x = b.input("x", (8,), QuantType(4, False))
    net = b.build(b.dense("fc", x, np.where(np.eye(8, 4) > 0, 1, -1)))
    source, dense = net.ops
    assert isinstance(dense, Dense)
    kinds = {family: plain_form(dense, source, 2, 2, family, "dsp").mult for family in ("ecp5", "xc7")}
    assert kinds == {"ecp5": "dsp", "xc7": "sign"}
