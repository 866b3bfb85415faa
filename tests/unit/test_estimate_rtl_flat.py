"""Unrolled designs as synthesis sees them, and when their bits are ready: small networks counted by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bitsmith.hls.backends.rtl.unrolled.costs import FAMILIES
from bitsmith.hls.backends.rtl.unrolled.design import Design, design_of
from bitsmith.hls.backends.rtl.unrolled.netlist import Kind
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.hls.estimate.rtl.arrival import arrivals, worst
from bitsmith.hls.estimate.rtl.flat import flatten
from bitsmith.hls.estimate.rtl.paths import unrolled_paths
from bitsmith.hls.estimate.rtl.sums import Sum, merged
from bitsmith.hls.estimate.rtl.unrolled import narrow_of, sum_terms
from bitsmith.models.ir import NetBuilder, QNet, QuantType, Rounding

BOARD = load_board("hx8k-breakout")
DELAYS = replace(FAMILIES["ice40"], lut_ns=1.0, carry_ns=10.0, carry_bit_ns=0.1)


def made_of(net: QNet, clock_mhz: float = 1.0) -> Design:
    """At 1 MHz everything is one stage."""
    return design_of(net, HwConfig(BOARD, clock_mhz, "rtl-unrolled"))


def dense(weight: list[list[int]], bits: int = 4, signed: bool = False) -> QNet:
    b = NetBuilder("net")
    x = b.input("x", (len(weight),), QuantType(bits, signed))
    return b.build(b.dense("fc", x, np.array(weight)))


def sums_of(net: QNet, clock_mhz: float = 1.0) -> list[Sum]:
    return list(merged(made_of(net, clock_mhz)).sums.values())


def counts(net: QNet) -> list[tuple[int, ...]]:
    """Summands, chain bits, full and half adders, levels of every sum."""
    return [(len(s.summands), s.chain_bits, s.full, s.half, s.levels) for s in sums_of(net)]


# ---- one graph


def test_equal_nodes_of_overlapping_windows_are_one() -> None:
    # two channels, the second the first moved by one: x0 + x1 of a place is x0 + x1 of its neighbour's other channel
    b = NetBuilder("conv")
    x = b.input("x", (5, 1), QuantType(4, False))
    y = b.conv("conv", x, np.array([[1, 0], [1, 1], [0, 1]]).reshape(3, 1, 2))
    flat = flatten(made_of(b.build(y)))
    # three places of two sums each; of the six, x1 + x2 and x2 + x3 stand twice
    assert sum(flat.nodes[k].kind is Kind.ADD for k in flat.live) == 4


def test_zeros_below_a_shift_are_known_to_the_next_layer() -> None:
    # 4 x0 is a wire with two zeros below; 4 x0 + x1 has nothing to add there
    b = NetBuilder("net")
    x = b.input("x", (2,), QuantType(4, False))
    y = b.dense("fc1", x, np.array([[4, 0], [0, 1]]))
    assert counts(b.build(b.dense("fc2", y, np.array([[1], [1]])))) == [(2, 7 - 2, 0, 0, 0)]


def test_readers_and_bits_that_are_dropped() -> None:
    # x0 + x1 goes into two outputs: no cell is its only reader
    flat = flatten(made_of(dense([[1, 1], [1, 1], [0, 1]])))
    (first,) = (k for k in flat.live if flat.nodes[k].kind is Kind.ADD and flat.nodes[k].width == 5)
    assert flat.readers[first] == 2 and first not in flat.only
    # floor((x0 + x1) / 4): the lowest two bits of the sum are only carried from
    b = NetBuilder("net")
    x = b.input("x", (2,), QuantType(4, False))
    y = b.requant("act", b.dense("fc", x, np.ones((2, 1), int)), 1.0, 0, 7, 2, rounding=Rounding.FLOOR)
    assert [(s.chain_bits, s.unread) for s in sums_of(b.build(y))] == [(5, 2)]


# ---- sums that become one


def test_two_summands_are_a_chain() -> None:
    assert counts(dense([[1], [1]])) == [(2, 5, 0, 0, 0)]
    # 4 x0 + x1: the lowest two bits are those of x1
    assert counts(dense([[4], [1]])) == [(2, 7 - 2, 0, 0, 0)]


def test_four_summands_take_two_levels() -> None:
    # 6 bits.  First level: rows a, b, c of 4 bits: 4 full adders -> a sum of bits 0..3 and carries of bits 1..4.
    # Second, with d: column 0 has the sum and d, two live; 1 to 3 three; 4 the carry alone.  -> sum 0..4, carries 1..4.
    # The chain is from bit 1 on.
    assert counts(dense([[1]] * 4)) == [(4, 5, 4 + 3, 1, 2)]


def test_a_register_between_sums_keeps_them_apart() -> None:
    fast = sums_of(dense([[1]] * 4), 120.0)
    assert len(fast) > 1 and sum(len(s.summands) - 1 for s in fast) == 3


def test_signs_keep_sums_apart() -> None:
    # fc1 makes x0 - x1 a signed number of 5 bits, which the next layer adds to an unsigned one: its sign is copied
    # by wires, so that the port of the second sum is another signal than what the first one makes
    b = NetBuilder("net")
    x = b.input("x", (3,), QuantType(4, False))
    y = b.dense("fc1", x, np.array([[1, 0], [-1, 0], [0, 1]]))
    assert [c[0] for c in counts(b.build(b.dense("fc2", y, np.array([[1], [1]]))))] == [2, 2]
    # all signed: the sum of two of 4 bits has the 5 bits that it needs
    assert [c[0] for c in counts(dense([[1]] * 3, signed=True))] == [3]


def test_terms_of_a_sum() -> None:
    chain = Sum((), 7, 2, 3, 1, 2)
    adders = {"graph.full_adders": 3, "graph.half_adders": 1}
    assert sum_terms(chain, 2, 1) == {**adders, "graph.adder_bits": 5, "graph.unread_bits": 2, "graph.adders": 1}
    # cells of two bits: four of them
    assert sum_terms(chain, 4, 2) == {**adders, "graph.adder_bits": 6, "graph.unread_bits": 2, "graph.adders": 1}
    assert sum_terms(Sum((), 3, 0, 3, 1, 2), 4, 2) == {**adders, "graph.narrow_bits": 4}
    assert sum_terms(Sum((), 7, 0, 3, 1, 4), 2, 1)["graph.deep_adders"] == 3 + 1


def test_where_adders_are_luts() -> None:
    assert [narrow_of(f) for f in ("ecp5", "max10", "ice40", "gowin", "gw5a", "xc7", "xcup")] == [4, 4, 2, 2, 2, 2, 2]


# ---- when bits are ready


def last(net: QNet) -> tuple[int, int, int]:
    """Levels, chains and bits of the longest path, for which an entry into a chain counts most."""
    seen = merged(made_of(net))
    found = arrivals(seen.flat, seen.sums, DELAYS, 2)
    end = worst(*(a for ends in found.values() for a in ends))
    assert abs(end.ns - (end.levels * 1.0 + end.chains * 10.0 + end.bits * 0.1)) < 1e-9
    return end.levels, end.chains, end.bits


def test_longest_paths_by_hand() -> None:
    # the multiplexer of the skid buffer, then the chain of 5 bits
    assert last(dense([[1], [1]])) == (1, 1, 5)
    # x0 is a wire
    assert last(dense([[1], [0]])) == (1, 0, 0)
    # two levels of full adders, then the chain
    assert last(dense([[1]] * 4)) == (1 + 2, 1, 5)


def test_carries_of_sums_in_a_row_overlap() -> None:
    # x0 + x1 is an output too, so it stays a sum of its own, of 5 bits; with x2 it is 6.  The lowest bit of the second
    # waits for the lowest of the first; the highest for the carry from there, 6 bits, or for the highest of the first,
    # 5 bits: the longer one counts, not both.
    assert last(dense([[1, 1], [1, 1], [0, 1]])) == (1, 2, 6)


def test_paths_grow_with_the_design() -> None:
    seen = merged(made_of(dense([[1], [1]])))
    small, large = (unrolled_paths(seen, BOARD.device, luts) for luts in (100.0, 1024.0))
    # LUT, ends of a chain and 5 of its bits by the table
    assert small == {"path": 1.0, "path.ns": small["path.ns"], "path.ns_size": 0.0}
    assert large["path.ns_size"] == 3 * large["path.ns"]  # three doublings beyond 128 LUTs
