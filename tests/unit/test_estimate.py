from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.hls.estimate import estimate, op_counts
from bitsmith.hls.estimate.activity import Activity
from bitsmith.hls.estimate.physics import timing
from bitsmith.hls.estimate.price import binding_resource, price
from bitsmith.hls.estimate.priced import Priced
from bitsmith.hls.results import ZERO, Estimate, Figure, LayerCost
from bitsmith.models.ir import DoesNotFitError, InputError, NetBuilder, QNet, QuantType, Rounding, verify

FIGURES = [f.name for f in fields(Estimate) if f.type == "Figure"]


def layer(op, lut, ff, latency_cycles) -> LayerCost:
    return LayerCost(op, "dense", Figure(lut, 0.9 * lut, 1.2 * lut), Figure(ff, ff, ff), ZERO, ZERO, latency_cycles)


PRICED = Priced(
    layers=(layer("fc1", 1030.5, 360, 2), layer("fc2", 333.25, 108, 1)),
    latency_cycles=Figure.exact(3),
    ii_cycles=Figure.exact(1),
    fmax_mhz=Figure(125.0, 100.0, 160.0),
    calibration="by hand",
)


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


def test_totals_are_the_sums_of_the_rows():
    cost = price(PRICED, hw("rtl-unrolled"))
    check(cost)
    assert cost.latency_cycles == Figure.exact(3) and cost.ii_cycles == Figure.exact(1)
    assert [row.latency_cycles for row in cost.layers] == [2, 1]
    assert (cost.lut.value, cost.ff.value, cost.fmax_mhz.value) == (1363.75, 468, 125.0)
    assert cost.dsp == cost.bram == ZERO
    assert cost.calibration == "by hand"


def test_timing_runs_at_the_target_or_at_fmax():
    fast = timing(Figure.exact(4), Figure.exact(2), Figure(200, 150, 300), 100.0)
    assert fast.latency_ns == Figure.exact(40.0) and fast.throughput_per_s == Figure.exact(50e6)
    slow = timing(Figure.exact(4), Figure.exact(2), Figure(80, 50, 160), 100.0)
    assert slow.latency_ns == Figure(50.0, 40.0, 80.0)
    assert slow.throughput_per_s == Figure(40e6, 25e6, 50e6)


def test_power_is_static_plus_dynamic():
    cost = price(PRICED, hw("rtl-unrolled"))
    assert cost.power_mw == cost.static_mw + cost.dynamic_mw
    assert cost.energy_uj == cost.energy_static_uj + cost.energy_dynamic_uj
    assert cost.static_mw.value == 97.0  # xc7a100t
    assert cost.power_source.startswith("model: default activity of rtl-unrolled")
    seen = price(PRICED, hw("rtl-unrolled"), Activity(0.0, 0.0, 9, 9, 300, "by hand"))
    assert seen.dynamic_mw.value < cost.dynamic_mw.value and seen.static_mw == cost.static_mw
    assert "activity of this design in by hand" in seen.power_source


def test_energy_is_power_times_interval():
    cost = price(replace(PRICED, ii_cycles=Figure.exact(4)), hw("rtl-unrolled"))
    # 4 cycles at 100 MHz are 40 ns; mW * ns = 1e-6 uJ
    assert cost.energy_uj.value == pytest.approx(cost.power_mw.value * 40e-6)


def test_fits_and_binding():
    device = load_board("icestick").device  # 1,280 LUTs, no DSP
    small = dict.fromkeys(("lut", "ff", "dsp", "bram"), ZERO)
    assert binding_resource(small, device) == ("lut", 0.0)
    assert binding_resource({**small, "ff": Figure.exact(640.0)}, device) == ("ff", 0.5)
    assert binding_resource({**small, "dsp": Figure.exact(1.0)}, device) == ("dsp", float("inf"))
    cost = price(PRICED, hw("rtl-unrolled", "icestick"))
    assert (cost.fits, cost.binding) == (False, "lut")
    assert price(PRICED, hw("rtl-unrolled")).fits


def test_unknown_backend():
    with pytest.raises(InputError, match="backend qonnx writes no hardware"):
        estimate(small_net(), hw("qonnx"))


def test_finn_designs_have_a_price_at_their_folding() -> None:
    fast, slow = (estimate(small_net(), replace(hw("finn", "pynq-z2"), target_ii=ii)) for ii in (None, 1000))
    assert 1 <= fast.ii_cycles.value < slow.ii_cycles.value <= 1000
    assert fast.lut.value > slow.lut.value > 0
    assert fast.lut.value == sum(row.lut.value for row in fast.layers)
    assert fast.lut.low < fast.lut.value < fast.lut.high
    with pytest.raises(DoesNotFitError, match="--target-ii"):
        estimate(small_net(), replace(hw("finn", "pynq-z2"), target_ii=1))


def test_rows_of_a_finn_design_are_one_per_op() -> None:
    cost = estimate(small_net(), hw("finn", "pynq-z2"))
    ops = [row.op for row in cost.layers]
    assert len(ops) == len(set(ops)) and "" not in ops
