from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from bitsmith.hls.boards import load_board, load_family
from bitsmith.hls.config import HwConfig
from bitsmith.hls.estimate import op_counts
from bitsmith.hls.estimate.physics import power_mw, timing
from bitsmith.hls.estimate.price import price
from bitsmith.hls.estimate.unrolled import price_plan
from bitsmith.hls.results import ZERO, Estimate, Figure
from bitsmith.models.ir import NetBuilder, QNet, QuantType, Rounding, verify

FIGURES = [f.name for f in fields(Estimate) if f.type == "Figure"]


class Layer:
    def __init__(self, op, adder_bits, other_luts, ff_bits, latency_cycles, critical_ns):
        self.op, self.kind, self.instances, self.adders = op, "dense", 1, adder_bits // 8
        self.adder_bits, self.other_luts, self.ff_bits = adder_bits, other_luts, ff_bits
        self.latency_cycles, self.critical_ns = latency_cycles, critical_ns


class Plan:
    def __init__(self, *layers, ii_cycles=1):
        self.layers, self.ii_cycles = layers, ii_cycles
        self.latency_cycles = sum(layer.latency_cycles for layer in layers)


PLAN = Plan(Layer("fc1", 1000, 30.5, 400, 2, 8.0), Layer("fc2", 333, 0.25, 120, 1, 5.0))


def small_net() -> QNet:
    """Conv with padding, pooling, dense: counted by hand below."""
    b = NetBuilder("small")
    x = b.input("x", (6, 6, 2), QuantType(4, False, 2**-4))
    weight = np.array([1, 0, -3, 2, 0, 0] * 9).reshape(3, 3, 2, 3)
    y = b.conv("conv", x, weight, scale=2**-2, pads=((1, 1), (1, 1)))
    y = b.requant("relu", y, 2**-4, 0, 15, 2, rounding=Rounding.HALF_EVEN)
    y = b.pool("pool", y, "max", (2, 2))
    y = b.reshape("flat", y, (27,))
    b.dense("fc", y, np.eye(27, 4, dtype=int) * 5, [1, 2, 3, 4], scale=2**-2)
    return verify(QNet("small", tuple(b.ops.values())))


def hw(backend="hls4ml", board="arty-a7-100t", **more) -> HwConfig:
    return HwConfig(load_board(board), 100.0, backend, **more)


def check(cost: Estimate) -> None:
    """Bounds in order, all finite, rows that add up to the totals exactly."""
    for name in FIGURES:
        figure = getattr(cost, name)
        assert 0 <= figure.low <= figure.value <= figure.high < float("inf"), name
    for name in ("lut", "ff", "dsp", "bram"):
        total = ZERO
        for row in cost.layers:
            total = total + getattr(row, name)
        assert total == getattr(cost, name)
    assert cost.calibration == "uncalibrated"


def test_op_counts_by_hand():
    counts = {c.op: c for c in op_counts(small_net())}
    conv, fc = counts["conv"], counts["fc"]
    # 3x3 taps x 2 inputs x 3 outputs = 54 weights at 36 places; 3 of 6 are zero; -3..2 takes 3 bits, inputs 4 bits
    assert (conv.weights, conv.nonzero_weights, conv.macs, conv.nonzero_macs) == (54, 27, 54 * 36, 27 * 36)
    assert (conv.weight_bits, conv.bit_ops, conv.sparsity) == (3, 27 * 36 * 3 * 4, 0.5)
    assert (conv.params, conv.stored_bits) == (54, 54 * 3)  # the bias is zero throughout
    # 27 x 4 weights of which 4 are 5 (u3), inputs u4; bias 1..4 (u3)
    assert (fc.weights, fc.nonzero_weights, fc.macs, fc.bit_ops) == (108, 4, 108, 4 * 3 * 4)
    assert (fc.params, fc.stored_bits) == (112, 108 * 3 + 4 * 3)
    assert all(counts[op].macs == 0 and counts[op].sparsity == 0.0 for op in ("x", "relu", "pool", "flat"))
    assert [c.shape for c in op_counts(small_net())] == [op.shape for op in small_net().ops]


def test_unrolled_rows_add_up_and_cycles_are_exact():
    cost = price(price_plan(PLAN, load_family("xc7")), hw("rtl-unrolled"))
    check(cost)
    assert cost.latency_cycles == Figure.exact(3) and cost.ii_cycles == Figure.exact(1)
    assert [row.latency_cycles for row in cost.layers] == [2, 1]
    family = load_family("xc7")
    for row, adder_bits, other_luts in zip(cost.layers, (1000, 333), (30.5, 0.25), strict=True):
        assert row.lut.low == adder_bits * family.adder_factor.low + other_luts * family.logic_factor.low
        assert row.lut.value == adder_bits * family.adder_factor.value + other_luts * family.logic_factor.value
    assert cost.ff.value == 400 * 0.9 + 120 * 0.9
    assert cost.dsp == cost.bram == ZERO
    assert cost.fmax_mhz.value == 125.0  # 8 ns in the slowest layer


def test_unrolled_plan_without_logic_is_bounded_by_the_family():
    family = load_family("ice40")
    cost = price(price_plan(Plan(Layer("flat", 0, 0, 8, 1, 0.0)), family), hw("rtl-unrolled", "icebreaker"))
    check(cost)
    assert cost.fmax_mhz.high == family.max_mhz


def test_four_input_families_are_dearer_and_wider():
    six, four = (price_plan(PLAN, load_family(f)).layers[0].lut for f in ("xc7", "ecp5"))
    assert four.value > six.value and four.high / four.low > six.high / six.low


def test_timing_runs_at_the_target_or_at_fmax():
    fast = timing(Figure.exact(4), Figure.exact(2), Figure(200, 150, 300), 100.0)
    assert fast.latency_ns == Figure.exact(40.0) and fast.throughput_per_s == Figure.exact(50e6)
    slow = timing(Figure.exact(4), Figure.exact(2), Figure(80, 50, 160), 100.0)
    assert slow.latency_ns == Figure(50.0, 40.0, 80.0)
    assert slow.throughput_per_s == Figure(40e6, 25e6, 50e6)


def test_power_is_static_plus_dynamic():
    family, device = load_family("xc7"), load_board("arty-a7-35t").device
    idle = power_mw(ZERO, ZERO, Figure.exact(100.0), device, family)
    assert idle.value == pytest.approx(20800 * family.static_uw_per_lut.value / 1e3)  # floats: order of the products
    busy = power_mw(Figure.exact(1000.0), ZERO, Figure.exact(100.0), device, family)
    assert busy.value - idle.value == pytest.approx(1000 * 100 * family.dynamic_uw_per_mhz_lut.value / 1e3)


def test_energy_is_power_times_interval():
    cost = price(price_plan(replace_ii(PLAN, 4), load_family("xc7")), hw("rtl-unrolled"))
    # 4 cycles at 100 MHz are 40 ns; mW * ns = 1e-6 uJ
    assert cost.energy_uj.value == pytest.approx(cost.power_mw.value * 40e-6)


def replace_ii(plan: Plan, ii: int) -> Plan:
    return Plan(*plan.layers, ii_cycles=ii)
