"""What of an unrolled design is read: small networks counted by hand."""

from __future__ import annotations

import numpy as np

from bitsmith.hls.backends.rtl.unrolled.design import Design, design_of
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.hls.estimate.rtl.live import liveness
from bitsmith.hls.estimate.rtl.sums import merged
from bitsmith.hls.estimate.rtl.terms import Terms
from bitsmith.hls.estimate.rtl.unrolled import REST, design_terms
from bitsmith.models.ir import NetBuilder, QNet, QuantType, Rounding

BOARD = load_board("hx8k-breakout")  # carry chains from 3 bits on, a bit a cell


def design(net: QNet, clock_mhz: float = 1.0) -> Design:
    """At 1 MHz everything is one stage: no registers but those at the end."""
    return design_of(net, HwConfig(BOARD, clock_mhz, "rtl-unrolled"))


def terms_of(made: Design) -> dict[str, Terms]:
    return design_terms(made, merged(made), BOARD.device)


def some(terms: Terms) -> dict[str, float]:
    """Those amounts that are not zero."""
    return {name: float(amount) for name, amount in terms.items() if float(amount)}


def adders(made: Design, op: str) -> tuple[float, float]:
    """Adders of an op, and their bits."""
    terms = some(terms_of(made)[op])
    return terms.get("graph.adders", 0), terms.get("graph.adder_bits", 0)


def dense(weight: list[list[int]], bits: int = 4) -> QNet:
    b = NetBuilder("net")
    x = b.input("x", (len(weight),), QuantType(bits, False))
    return b.build(b.dense("fc", x, np.array(weight)))


def test_an_output_that_nobody_reads() -> None:
    # fc2 has a zero for act's second channel, the only one that x's third element goes into
    b = NetBuilder("dead")
    x = b.input("x", (3,), QuantType(4, False))
    y = b.dense("fc1", x, np.array([[1, 0], [1, 0], [0, 1]]))
    y = b.requant("act", y, 1.0, 0, 15, 1, rounding=Rounding.HALF_UP)
    made = design(b.build(b.dense("fc2", y, np.array([[1], [0]]))))
    read = {name: flags.tolist() for name, flags in liveness(made).read.items()}
    assert read == {"x": [True, True, False], "fc1": [True, False], "act": [True, False], "fc2": [True]}
    # 0..15 + 0..15 is 0..30, 5 bits; the half goes into the chain's carry, so both are one, which ends in act; the
    # lowest bit of its sum is dropped; nothing of the second channel, which would take 5 more
    assert adders(made, "fc1") == (0, 0) and adders(made, "act") == (1, 5 - 1) and adders(made, "fc2") == (0, 0)
    assert some(terms_of(made)["act"])["graph.unread_bits"] == 1
    # The skid buffer holds two of three elements of 4 bits, and last; the flops beside it are full and ready.
    rest = some(terms_of(made)[REST])
    assert rest == {"skid.bits": 9, "stream": 1, "ff": 9 + 2, "ff.delay": 2 * 1}
    # one register of 4 bits at the end
    assert some(terms_of(made)["fc2"]) == {"ff.delay_bits": 4}


def test_all_of_an_output_is_read() -> None:
    flags = liveness(design(dense([[1, 0], [0, 0]]))).read
    assert flags["fc"].tolist() == [True, True] and flags["x"].tolist() == [True, False]


def test_zero_weights_cost_nothing() -> None:
    # second output: x0 + x1 + x2, 6 bits; the first is x0, a wire; x3 is not read.  Full adders make two summands of
    # three, one for each of 4 bits; the chain begins where both have a bit, at the first carry, and ends at bit 5
    made = design(dense([[1, 1], [0, 1], [0, 1], [0, 0]]))
    assert adders(made, "fc") == (1, 5) and some(terms_of(made)["fc"])["graph.full_adders"] == 4
    assert liveness(made).read["x"].tolist() == [True, True, True, False]
    assert some(terms_of(made)[REST])["skid.bits"] == 3 * 4 + 1
    assert adders(design(dense([[0], [0], [4]])), "fc") == (0, 0)  # a power of two is a shift


def test_places_with_padding_have_fewer_adders() -> None:
    # x0 + x1 + x2 at three places, one of its operands a zero at either end
    b = NetBuilder("pad")
    x = b.input("x", (3, 1), QuantType(4, False))
    made = design(b.build(b.conv("conv", x, np.ones((3, 1, 1), int), pads=((1, 1),))))
    # x0 + x1 is 5 bits, and the last of it 6: at the left end the first is passed on, at the right the second; in the
    # middle there are three summands, as in the test above
    assert adders(made, "conv") == (3, 6 + 5 + 5) and some(terms_of(made)["conv"])["graph.full_adders"] == 4
    copies = liveness(made).copies["conv"]
    assert sorted(copy.count for copy in copies) == [1, 1, 1]
    # nothing outside of the image is read
    assert liveness(made).read["x"].tolist() == [True] * 3


def test_nothing_is_subtracted_at_the_padding() -> None:
    b = NetBuilder("pad")
    x = b.input("x", (3, 1), QuantType(4, False))
    made = design(b.build(b.conv("conv", x, np.array([1, 1, -1]).reshape(3, 1, 1), pads=((1, 1),))))
    # (x0 + x1) - x2: left end x1 - x2, middle three summands, right end x0 + x1 alone
    assert adders(made, "conv")[0] == 3


def test_copies_of_equal_places_are_counted_together() -> None:
    # 8 places of a convolution without padding: one form, eight times; each x0 + x1 of 5 bits
    b = NetBuilder("conv")
    x = b.input("x", (9, 1), QuantType(4, False))
    made = design(b.build(b.conv("conv", x, np.ones((2, 1, 1), int))))
    (copy,) = liveness(made).copies["conv"]
    assert copy.count == 8 and adders(made, "conv") == (8, 8 * 5)


def test_a_pool_that_leaves_out_the_last_place() -> None:
    # windows of two over five places: the fifth is not read, nor what it is made of
    b = NetBuilder("pool")
    x = b.input("x", (5, 1), QuantType(4, False))
    y = b.conv("conv", x, np.array([5]).reshape(1, 1, 1))
    made = design(b.build(b.pool("max", y, "max", (2,))))
    live = liveness(made)
    assert live.read["conv"].ravel().tolist() == [True] * 4 + [False] == live.read["x"].ravel().tolist()
    # 5x = x + (x << 2): 0..75 is 7 bits, the lowest two of which pass by; 4 places
    assert adders(made, "conv") == (4, 4 * 5)
    assert some(terms_of(made)[REST])["skid.bits"] == 4 * 4 + 1


def test_registers_inside_of_what_is_read() -> None:
    # at 300 MHz a tree of adders is cut into stages: every wire that crosses one has a register
    made = design(dense([[1]] * 8), 300.0)
    terms = some(terms_of(made)["fc"])
    assert made.latency_cycles > 2 and terms["ff"] > 0
    half = some(terms_of(design(dense([[1, 1]] * 4 + [[0, 0]] * 4), 300.0))["fc"])
    assert half["graph.adders"] == 3 < terms["graph.adders"] == 7  # equal outputs are one
