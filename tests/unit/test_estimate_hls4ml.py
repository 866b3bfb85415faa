"""The hls4ml world of the estimator: counts derived by hand, laws of the reports, bounds, whole nets."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from bitsmith.hls.boards import board_names, load_board
from bitsmith.hls.config import HwConfig
from bitsmith.hls.estimate import estimate
from bitsmith.hls.estimate.hls4ml import stages
from bitsmith.hls.estimate.hls4ml.area import product_area, shared_multipliers
from bitsmith.hls.estimate.hls4ml.bounds import bound
from bitsmith.hls.estimate.hls4ml.coefficients import from_json, load_calibration, to_json
from bitsmith.hls.estimate.hls4ml.cycles import design_cycles, layer_cycles
from bitsmith.hls.estimate.hls4ml.feasible import why_not
from bitsmith.hls.estimate.hls4ml.from_net import design_of_net
from bitsmith.hls.estimate.hls4ml.largest import largest_that_fits
from bitsmith.hls.estimate.hls4ml.layers import Columns, HlsDesign, HlsLayer, columns, dense_columns
from bitsmith.hls.estimate.hls4ml.memory import fifo_blocks, rom_blocks
from bitsmith.hls.estimate.hls4ml.model import AREAS, TARGETS, predict
from bitsmith.hls.estimate.hls4ml.sums import extra_per_addition
from bitsmith.hls.estimate.hls4ml.weights import bell_products, csd_digits, expected_products, legal_reuse, products_of
from bitsmith.hls.results import ZERO
from bitsmith.models.ir import DoesNotFitError, NetBuilder, QNet, QuantType, Rounding, verify

KNOWN = load_calibration()


def small_net() -> QNet:
    b = NetBuilder("small")
    x = b.input("x", (6, 6, 2), QuantType(4, False, 2**-4))
    weight = np.array([1, 0, -3, 2, 0, 0] * 9).reshape(3, 3, 2, 3)
    y = b.conv("conv", x, weight, scale=2**-2, pads=((1, 1), (1, 1)))
    y = b.requant("relu", y, 2**-4, 0, 15, 2, rounding=Rounding.HALF_EVEN)
    y = b.pool("pool", y, "max", (2, 2))
    y = b.reshape("flat", y, (27,))
    b.dense("fc", y, np.eye(27, 4, dtype=int) * 5, [1, 2, 3, 4], scale=2**-2)
    return verify(QNet("small", tuple(b.ops.values())))


def dense_net(weight: np.ndarray, in_bits: int = 16) -> QNet:
    b = NetBuilder("one")
    x = b.input("x", (weight.shape[0],), QuantType(in_bits, True, 2**-8))
    b.dense("fc", x, weight, scale=2**-10)
    return verify(QNet("one", tuple(b.ops.values())))


def hw(board: str = "arty-a7-100t", **more: object) -> HwConfig:
    return HwConfig(load_board(board), 100.0, "hls4ml", **more)


def dense(n_in: int = 64, n_out: int = 128, **more: object) -> HlsLayer:
    return replace(
        HlsLayer("dense", n_in=n_in, n_out=n_out, channels=n_in, weight_bits=8, nonzero=n_in * n_out), **more
    )


def one(layer: HlsLayer, **more: object) -> Columns:
    return columns([HlsDesign("d", (layer,), **more)])


def test_csd_digits_are_counted() -> None:
    # 0, 1, 2, 3 = 4-1, 7 = 8-1, 11 = 8+4-1, -11, 85 = 64+16+4+1
    assert csd_digits(np.array([0, 1, 2, 3, 7, 11, -11, 85])).tolist() == [0, 1, 1, 2, 2, 3, 3, 4]


def test_products_are_counted_once_per_input() -> None:
    # row 1: 1 twice, 3 (two digits), 11 (three digits, below 16: LUTs); row 2: 19 = 16+2+1 twice (DSP), -19, 0
    found = products_of(np.array([[1, 1, 3, 11], [19, 19, -19, 0]]), in_bits=16)
    assert (found.nonzero, found.ones, found.twos, found.soft, found.hard) == (7.0, 1.0, 1.0, 1.0, 2.0)


def test_products_of_narrow_inputs_stay_in_luts() -> None:
    # 8 x 8 bits: products of 80 bit pairs or fewer are in LUTs, so magnitudes below 2**9
    assert (
        products_of(np.array([[91]]), in_bits=8).hard == 0.0 and products_of(np.array([[91]]), in_bits=16).hard == 1.0
    )


def test_expected_products_add_up_to_the_different_values() -> None:
    # 2 inputs, 3 weights each, of -1..1: U = 2 values, 2 * (1 - (1/2)**3) = 1.75 different per input, all powers of two
    ones, twos, soft, hard = expected_products(2.0, 6.0, 0.0, 16.0)
    assert (float(ones), float(twos), float(soft), float(hard)) == (3.5, 0.0, 0.0, 0.0)


def test_expected_products_meet_counted_ones(rng: np.random.Generator) -> None:
    """32 x 64 weights of up to 39: what a report of 452 DSP blocks had."""
    weight = rng.integers(-39, 40, (32, 64))
    counted = products_of(weight, 16)
    _, twos, _, hard = expected_products(32.0, counted.nonzero, np.log2(39), 16.0)
    assert abs(float(hard) / counted.hard - 1) < 0.1 and abs(float(twos) / counted.twos - 1) < 0.1  # a random draw
    assert abs(counted.hard / 452 - 1) < 0.15


def test_products_of_bell_shaped_weights() -> None:
    # magnitudes 1, 2, 3, two of them powers: at a share of 2/3 they are evenly spread, and a draw hits each of the six
    # values with 1/6
    found = bell_products(1, 1.0, 2 / 3, weight_bits=3, in_bits=16)
    assert (found.ones, found.twos, found.soft, found.hard) == pytest.approx((2 / 3, 1 / 3, 0.0, 0.0), abs=0.01)
    # all powers: small weights; the 1 of either sign, hit by every input
    ones = bell_products(10, 1e4, 1.0, weight_bits=8, in_bits=16)
    assert ones.ones == pytest.approx(20.0, rel=1e-3) and ones.twos + ones.soft + ones.hard < 1e-3
    # fewer powers than any deviation gives: evenly spread up to the type's largest, 127
    even = bell_products(10, 1e3, 0.0, weight_bits=8, in_bits=16)
    assert even.span_bits == pytest.approx(math.log2(127), abs=0.02) and even.nonzero == 1e3
    # weights of one bit have one magnitude; of two, 1 alone
    assert bell_products(4, 16.0, 0.5, 1, 16).ones == 8.0
    assert bell_products(4, 16.0, 0.5, 2, 16).ones == pytest.approx(8 * (1 - 0.5**4))


def test_legal_reuse_is_hls4mls() -> None:
    # divisors of 224, or its multiples by divisors of 128; asked 512: 448 = 2 * 224 is nearer than 896
    assert legal_reuse(224, 128, 512) == 448 and legal_reuse(32, 64, 512) == 512 and legal_reuse(16, 64, 3) == 2
    assert legal_reuse(4, 3, 10**9) == 12


def test_rom_blocks_follow_the_shapes_of_a_block() -> None:
    depth = np.array([512.0, 512.0, 1024.0, 1024.0, 384.0, 480.0, 13824.0, 2.0])
    width = np.array([36.0, 37.0, 18.0, 896.0, 1792.0, 2.0, 70.0, 4096.0])
    # 37 bits: one of 36 and a rest of 1 in LUTs; 896 = 49 * 18 + 14; 1792 = 49 * 36 + 28; 960 bits in all: LUTs;
    # 13,824 words: 16K x 1 per bit; two words of 4,096 bits: 113 * 36 + 28
    assert rom_blocks(depth, width).tolist() == [1.0, 1.0, 1.0, 50.0, 50.0, 0.0, 70.0, 114.0]


def test_fifo_blocks() -> None:
    # 66 x 28 bits: two blocks of 18 each; the same packed: one; 16 x 28 bits are few
    assert fifo_blocks(np.array([66.0, 66.0, 16.0]), np.full(3, 28.0), 18.0).tolist() == [2.0, 2.0, 0.0]
    assert float(fifo_blocks(np.array(130.0), np.array(144.0), 36.0)) == 4.0
    # above 1,024 words, powers of two of 16,384 bits: 32,768, 8,192 and 65,536 words of 32 bits, 4,096 of 8
    deep = fifo_blocks(np.array([16900.0, 4356.0, 49152.0, 3072.0]), np.array([32.0, 32.0, 32.0, 8.0]), 18.0)
    assert deep.tolist() == [64.0, 16.0, 128.0, 2.0]


def test_the_axi_port_has_streams_as_deep_as_there_are_values() -> None:
    pad = HlsLayer("pad", n_in=3072, places_in=1024, places_out=1024, channels=3, in_bits=8, out_bits=8)
    fc = replace(dense(64, 10), out_bits=8)
    found = stages.axi_stage(columns([HlsDesign("d", (pad, fc), stream=True, axi=True)]))
    # three channels of 3,072 words of 8 bits, two blocks each; ten streams of ten words: none
    assert found.bram.tolist() == [6.0, 0.0] and found.lut.tolist() == [stages.AXI_LUT, 0.0]
    assert stages.axi_stage(columns([HlsDesign("d", (pad, fc), axi=True)])).bram.tolist() == [0.0, 0.0]
    assert stages.axi_stage(columns([])).bram.tolist() == []


@pytest.mark.parametrize(
    ("n_in", "n_out", "reuse", "blocks"), [(64, 128, 512, 16), (192, 256, 384, 128), (160, 224, 1120, 32)]
)
def test_folded_matrix_has_a_product_per_reuse(n_in: int, n_out: int, reuse: int, blocks: int) -> None:
    c = one(dense(n_in, n_out, strategy="resource", reuse=reuse))
    found = predict(c, KNOWN.coefficients).designs
    assert (
        found["dsp"].tolist() == [blocks]
        and found["ii"].tolist() == [reuse]
        and found["latency"].tolist() == [reuse + 2]
    )
    quiet = predict(
        one(dense(n_in, n_out, strategy="resource", reuse=reuse, weight_bits=4)), KNOWN.coefficients
    ).designs
    assert quiet["dsp"].tolist() == [0.0]


def test_shared_multipliers_are_limited() -> None:
    # 2,048 weights at reuse 512 and 1,024: 4 and 2 allowed, 4 and 3 built (csynth)
    layers = [dense(32, 64, reuse=r, hard=452.0, soft=44.0) for r in (512, 1024)]
    c = columns([HlsDesign("d", (x,)) for x in layers])
    assert shared_multipliers(c).tolist() == [4.0, 3.0]
    assert product_area(c, KNOWN.coefficients).dsp.tolist() == [4.0, 3.0]
    latency, interval = design_cycles(c, layer_cycles(c))
    # 496 products: 124 on each of 4, 165.3 on each of 3; csynth says 124 and 165
    assert interval.tolist() == [124.0, 166.0] and latency.tolist() == [123.0, 165.0]


def test_streams_run_at_the_slowest_layer() -> None:
    places = {"places_in": 25, "places_out": 9, "kernel_h": 3, "kernel_w": 3, "channels": 8}
    conv = HlsLayer("conv", n_in=72, n_out=8, weight_bits=16, nonzero=576.0, reuse=72, strategy="resource", **places)
    pad = HlsLayer("pad", n_in=72, places_in=9, places_out=25, channels=8)
    c = columns([HlsDesign("d", (pad, conv), stream=True)])
    found = predict(c, KNOWN.coefficients).designs
    # 25 positions of 4 cycles to shift and 72 + 2 in the matrix, and 1 (csynth: 1,976); the design's own start and
    # end: 1 and 2
    assert found["ii"].tolist() == [1952.0] and found["latency"].tolist() == [1953.0]
    # as it runs, 9 of the 25 complete a window, the others are shifted in
    runs = predict(c, KNOWN.coefficients, worst=False).designs
    assert runs["ii"].tolist() == [9 * 78 + 16 * 4 + 1 + 1]
    # 8 products of 16 bits: 128 wide, 72 deep: three blocks of 36 and a rest of 20; the index is below 1,024 bits
    assert found["bram"].tolist() == [4.0]


def test_a_stride_skips_matrices_but_not_positions() -> None:
    # RN06's first layer: 32 x 32 positions to 8 x 8; csynth's report says 2,048 to 888,832 cycles, 2 to 868 a position
    layer = HlsLayer("conv", n_in=27, n_out=32, weight_bits=8, nonzero=850.0, reuse=864, strategy="resource",
                     places_in=1024, places_out=64, kernel_h=3, kernel_w=3, channels=3, in_bits=8)  # fmt: skip
    c = one(layer, stream=True, clock_ns=10.0, series7=True, module=True)
    worst, runs = (layer_cycles(c, w).stream.tolist() for w in (True, False))
    assert worst == [1024 * (4 + 866) + 1] and runs == [64 * 870 + 960 * 4 + 1]


def test_a_window_of_one_dimension_shifts_in_a_loop() -> None:
    # csynth of 68 positions, 5 taps of 8 channels, sums that saturate, reuse 2: 544 to 884 cycles, 8 to 13 a position
    layer = HlsLayer("conv", n_in=40, n_out=8, weight_bits=8, nonzero=320.0, reuse=2, strategy="resource",
                     places_in=68, places_out=64, kernel_w=5, channels=8, in_bits=24, acc_bits=24,
                     saturates=True)  # fmt: skip
    c = one(layer, stream=True, module=True)
    assert layer_cycles(c).stream.tolist() == [68 * 13 + 1]
    # reuse 1 in the resource strategy: not pipelined over positions either (csynth of 66, 3 taps: 462, 7 a position)
    c = one(replace(layer, n_in=3, nonzero=24.0, reuse=1, kernel_w=3, places_in=66), stream=True, module=True)
    assert layer_cycles(c).stream.tolist() == [66 * 7 + 5]


def test_sums_that_round_and_saturate_cost_their_operations() -> None:
    # 24 bits.  Rounding: an adder of 24 (31 LUTs), its carry (2 functions of two bits, 2 LUTs each)
    # saturating: 15 functions and 2 selections of 24 for the product; an adder of 25 (32), 5 functions and 2
    # selections for the sum
    plain = dense(acc_bits=24, in_bits=24)
    extra = {(True, False): 31 + 4, (False, True): 30 + 48 + 32 + 10 + 48, (True, True): 35 + 168}
    for (rounds, saturates), luts in extra.items():
        special = one(replace(plain, rounds=rounds, saturates=saturates))
        assert extra_per_addition(special).tolist() == [luts]
        more = product_area(special, KNOWN.coefficients).lut - product_area(one(plain), KNOWN.coefficients).lut
        assert more.tolist() == pytest.approx([64 * 128 * luts])
    # registers of a folded matrix: 24 of the cast product; in csynth the factors of 24 and 8 bits and their product too
    folds = dense(acc_bits=24, in_bits=24, strategy="resource", reuse=128)
    special = one(replace(folds, saturates=True))
    for vivado, bits in ((False, 24 + 32 + 32), (True, 24)):
        more = product_area(special, KNOWN.coefficients, vivado).ff - product_area(one(folds), KNOWN.coefficients).ff
        assert more.tolist() == pytest.approx([64 * bits])
    assert extra_per_addition(one(plain)).tolist() == [0.0]


def test_a_chain_of_saturating_sums_is_no_tree() -> None:
    # 64 additions of 1.4 ns at 10 ns: 9 cycles, and 2 (csynth: 11); the resource strategy does not cut the chain
    chain = dense(64, 16, saturates=True)
    assert layer_cycles(one(chain, clock_ns=10.0)).latency.tolist() == [11.0]
    assert layer_cycles(one(replace(chain, strategy="resource"), clock_ns=10.0)).latency.tolist() == [1.0]


def test_layers_add_up_and_do_not_touch_each_other() -> None:
    a, b = HlsDesign("a", (dense(16, 32), dense(32, 5))), HlsDesign("b", (dense(strategy="resource", reuse=512),))
    both, alone = (predict(columns(d), KNOWN.coefficients) for d in ([a, b], [b]))
    for name in AREAS:
        if name not in ("dsp", "bram"):
            assert both.designs[name][0] == both.layers[name][:2].sum()
    for name in TARGETS:
        assert both.designs[name][1] == alone.designs[name][0]


def test_columns_of_dense_layers_are_those_of_designs() -> None:
    layers = [dense(32, 64, hard=100.0, twos=50.0, ones=10.0), dense(strategy="resource", reuse=512)]
    slow = predict(columns([HlsDesign("d", (x,)) for x in layers]), KNOWN.coefficients).designs

    def of(name: str) -> np.ndarray:
        return np.array([float(getattr(x, name)) for x in layers])

    products = [of(n) for n in ("nonzero", "ones", "twos", "soft", "hard", "span_bits")]
    c = dense_columns(of("n_in"), of("n_out"), of("in_bits"), of("acc_bits"), of("weight_bits"), products, of("reuse"),
                      np.array([False, True]))  # fmt: skip
    quick = predict(c, KNOWN.coefficients).designs
    for name in TARGETS:
        assert slow[name].tolist() == quick[name].tolist()


def test_feasibility() -> None:
    assert why_not(HlsDesign("d", (dense(32, 96),))) == ""
    assert "unroll limit" in why_not(HlsDesign("d", (dense(64, 64),)))
    assert why_not(HlsDesign("d", (dense(64, 64),), vitis=True)) == ""
    assert why_not(HlsDesign("d", (dense(64, 128, strategy="resource", reuse=512),))) == ""
    assert "too slow" in why_not(HlsDesign("d", (dense(96, 32),)))
    assert why_not(HlsDesign("d", (dense(96, 32, strategy="resource"),))) == ""


def test_outside_of_the_calibration_bounds_widen() -> None:
    inside, beyond = (dense(64, n, strategy="resource", reuse=512) for n in (128, 4096))
    c = columns([HlsDesign("d", (x,)) for x in (inside, beyond)])
    values = predict(c, KNOWN.coefficients).designs
    found = bound(c, values, KNOWN)
    assert found.outside.tolist() == [False, True]
    ratio = found.high["lut"] / values["lut"]
    assert 1.0 <= ratio[0] < ratio[1]
    for t in TARGETS:
        assert (found.low[t] <= values[t]).all() and (values[t] <= found.high[t]).all()


def test_calibration_survives_its_file() -> None:
    assert from_json(to_json(KNOWN)) == KNOWN


@pytest.mark.parametrize("io", ["io_parallel", "io_stream"])
@pytest.mark.parametrize("reuse", [1, 4])
@pytest.mark.parametrize("board", board_names())
def test_bounds_hold_together_on_every_board(io: str, reuse: int, board: str) -> None:
    cost = estimate(small_net(), hw(board, io=io, reuse=reuse))
    assert [row.op for row in cost.layers] == [op.name for op in small_net().ops]
    for name in AREAS:
        total = ZERO
        for row in cost.layers:
            total = total + getattr(row, name)
        assert total == getattr(cost, name)
    for name in (*AREAS, "latency_cycles", "ii_cycles", "power_mw"):
        figure = getattr(cost, name)
        assert 0 <= figure.low <= figure.value <= figure.high < float("inf"), name
    assert cost.lut.high > 1.5 * cost.lut.low and cost.calibration == KNOWN.id


def test_foreign_tools_are_outside_of_the_calibration() -> None:
    near, far = (estimate(small_net(), hw(hls_tool=tool)) for tool in ("vitis", "quartus"))
    assert far.lut.value == near.lut.value and far.lut.high > near.lut.high and far.lut.low <= near.lut.low


def test_reuse_trades_area_for_cycles(rng: np.random.Generator) -> None:
    net = dense_net(rng.integers(-99, 100, (32, 32)))
    flat, folded = (estimate(net, hw(strategy=s, reuse=r)) for s, r in (("latency", 1), ("resource", 32)))
    assert folded.lut.value < flat.lut.value and folded.dsp.value == 32 and folded.ii_cycles.value == 32


def test_positions_take_turns(rng: np.random.Generator) -> None:
    design = design_of_net(small_net(), hw(hls_tool="vivado", io="io_stream"))
    # 8 x 8 positions with padding, one a cycle, and 5 (a sum of few terms takes none); the design's own cycle
    assert predict(columns([design]), KNOWN.coefficients).designs["ii"].tolist() == [70.0]


def test_wide_factors_take_dsp_blocks() -> None:
    # 1..40 times 500: all have three digits or more, all are different
    cost = estimate(dense_net(np.arange(1, 41).reshape(8, 5) * 500), hw(hls_tool="vivado"))
    # 500 = 512 - 8 - 4 and so are its doubles; none of the others has fewer
    assert cost.dsp.value == 40


def test_largest_that_fits(rng: np.random.Generator) -> None:
    net = dense_net(rng.integers(-99, 100, (64, 64)))
    roomy, tight = (largest_that_fits(net, hw(board)) for board in ("alveo-u250", "basys3"))
    assert roomy.hw.strategy == "latency" and roomy.blocked_by == ""
    assert tight.hw.strategy == "resource" and tight.hw.reuse > 1 and tight.blocked_by in AREAS
    assert tight.areas["lut"] <= load_board("basys3").device.lut
    with pytest.raises(DoesNotFitError, match="larger board"):
        largest_that_fits(dense_net(rng.integers(-99, 100, (512, 512))), hw("basys3"))


def test_ten_thousand_designs_are_one_call() -> None:
    n = 10_000
    value = np.full(n, 64.0)
    products = [value * 60, value * 4, value * 9, value * 2, value * 20, np.full(n, 6.0)]
    bits = np.full(n, 16.0)
    c = dense_columns(value, value, bits, bits, np.full(n, 8.0), products, np.ones(n), np.zeros(n, dtype=np.bool_))
    found = predict(c, KNOWN.coefficients).designs
    assert all(found[t].shape == (n,) and (found[t] == found[t][0]).all() for t in TARGETS)
