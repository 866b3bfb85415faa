"""Weights and bounds on terms, by a calibration made here; then prices of a small network on every family."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import numpy as np
import pytest

from bitsmith.hls.backends.rtl.folded.plan import plan
from bitsmith.hls.backends.rtl.unrolled.design import design_of
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.hls.estimate import estimate
from bitsmith.hls.estimate.calibration import Calibration, calibration_from, load_calibration
from bitsmith.hls.estimate.conformal import Band
from bitsmith.hls.estimate.rtl.model import WIDER, Model, model_of, rows_of
from bitsmith.hls.estimate.rtl.paths import folded_paths, slowness, unrolled_paths
from bitsmith.hls.estimate.rtl.sums import merged
from bitsmith.hls.estimate.rtl.terms import Terms
from bitsmith.hls.results import ZERO, Estimate, Figure
from bitsmith.models.ir import InputError, NetBuilder, QNet, QuantType, Rounding

BACKENDS = ("rtl-folded", "rtl-unrolled")
BOARDS = {"ecp5": "ulx3s-85f", "xc7": "arty-a7-100t", "ice40": "hx8k-breakout", "gowin": "tang-nano-20k"}
UP5K = "icebreaker"
FIGURES = [f.name for f in fields(Estimate) if f.type == "Figure"]
EXACT = Band(0.0, 1.0, 1.0, 40)
BY_HAND = Calibration(
    id="by-hand-1",
    tools={"yosys": "0.70"},
    designs=40,
    weights={
        "lut": {"adder_bits": 1.5, "gates": 0.5},
        "ff": {"ff": 1.0, "ff.delay": 0.25},
        "period": {"path": 2.0, "path.size": 0.5},
    },
    bands={
        "lut": Band(0.0, 0.5, 2.0, 40),
        "ff": Band(10.0, 0.9, 1.1, 40),
        "dsp": EXACT,
        "bram": EXACT,
        "fmax": Band(0.0, 0.8, 1.25, 10),
    },
    ranges={"lut": (100.0, 1000.0), "ff": (50.0, 500.0)},
    errors={},
)
MODEL = Model(BY_HAND, 1.0, "")


def small_net(channels: int = 4) -> QNet:
    """A convolution with padding, a pool, a dense layer."""
    rng = np.random.default_rng(8)
    b = NetBuilder("small")
    x = b.input("x", (6, 6, 1), QuantType(4, False))
    y = b.conv("conv", x, rng.integers(-3, 4, (3, 3, 1, channels)), pads=((1, 1), (1, 1)))
    y = b.requant("act", y, 1.0, 0, 15, 2, rounding=Rounding.HALF_UP)
    y = b.pool("pool", y, "max", (2, 2))
    y = b.reshape("flat", y, (9 * channels,))
    return b.build(b.dense("fc", y, rng.integers(-3, 4, (9 * channels, 3))))


def chain(layers: int) -> QNet:
    """Dense layers of 8, each with a ReLU of 4 bits."""
    rng = np.random.default_rng(8)
    b = NetBuilder("chain")
    x = b.input("x", (8,), QuantType(4, False))
    for k in range(layers):
        x = b.dense(f"fc{k}", x, rng.integers(-3, 4, (8, 8)))
        x = b.requant(f"act{k}", x, 1.0, 0, 15, 2, rounding=Rounding.HALF_UP)
    return b.build(x)


def hw(board: str, backend: str) -> HwConfig:
    return HwConfig(load_board(board), 20.0, backend)


def check(cost: Estimate) -> None:
    """Bounds in order, all finite, rows that add up to the totals exactly, in every bound."""
    for name in FIGURES:
        figure = getattr(cost, name)
        assert 0 <= figure.low <= figure.value <= figure.high < math.inf, name
    for name in ("lut", "ff", "dsp", "bram"):
        total = ZERO
        for row in cost.layers:
            figure = getattr(row, name)
            assert 0 <= figure.low <= figure.value <= figure.high, (row.op, name)
            total = total + figure
        assert total == getattr(cost, name)


# ---- by hand


def test_values_are_weighted_sums() -> None:
    found = MODEL.values({"adder_bits": 100, "gates": 20, "ff": 30, "ff.delay": 8, "dsp": 3, "unknown": 99})
    assert found == {"lut": 160.0, "ff": 32.0, "dsp": 3, "bram": 0.0}
    many = MODEL.values({"gates": np.array([2.0, 4.0]), "ff": np.array([1, 2])})
    assert many["lut"].tolist() == [1.0, 2.0] and many["ff"].tolist() == [1.0, 2.0]


def test_rows_share_the_bounds_of_the_sum() -> None:
    rows = {"fc1": Terms(adder_bits=100, ff=60), "fc2": Terms(gates=100, ff=20, dsp=2), "nothing": Terms()}
    figures, calibration = MODEL.figures(rows)
    assert calibration == "by-hand-1"
    assert figures["fc1"]["lut"] == Figure(150.0, 75.0, 300.0) and figures["fc2"]["lut"] == Figure(50.0, 25.0, 100.0)
    # 80 flip-flops: (80 + 10) * 0.9 - 10 = 71 to (80 + 10) * 1.1 - 10 = 89, of which fc1 has three quarters
    ff = figures["fc1"]["ff"]
    assert (ff.value, ff.low, ff.high) == (60.0, pytest.approx(71 * 0.75), pytest.approx(89 * 0.75))
    assert figures["fc2"]["dsp"] == Figure.exact(2.0)
    assert all(figure == ZERO for figure in figures["nothing"].values())
    assert [(row.op, row.kind, row.lut.value) for row in rows_of(figures)] == [
        ("fc1", "stream", 150.0), ("fc2", "stream", 50.0), ("nothing", "stream", 0.0),
    ]  # fmt: skip


def test_outside_of_the_range_is_said_and_widens() -> None:
    # 2,718 LUTs where the largest design had 1,000: e times, so bounds are 1 + log(e) = 2 times as far on a log scale
    figures, calibration = MODEL.figures({"fc": Terms(gates=2000 * math.e, ff=100)})
    assert calibration == "by-hand-1; outside of its range, bounds widened: 2718 LUT where it has seen 100 to 1000"
    lut = figures["fc"]["lut"]
    assert (lut.low / lut.value, lut.high / lut.value) == (pytest.approx(0.25), pytest.approx(4.0))
    # all targets are widened: what is wrong with one may be wrong with the other
    inside = MODEL.figures({"fc": Terms(gates=1000, ff=100)})[0]["fc"]["ff"]
    assert figures["fc"]["ff"].low < inside.low and figures["fc"]["ff"].high > inside.high


def test_smaller_than_all_designs_is_outside_too() -> None:
    figures, calibration = MODEL.figures({"fc": Terms(gates=100, ff=100)})
    assert "50 LUT where it has seen 100 to 1000" in calibration and "FF" not in calibration
    wide = 1.0 + math.log(2.0)
    assert figures["fc"]["lut"].high == pytest.approx(50 * 2.0**wide)
    assert BY_HAND.outside({"lut": 0.0, "ff": 60.0, "no such": 7.0}) == {}  # nothing is claimed of nothing
    assert BY_HAND.outside({"lut": 3000.0, "ff": 10.0}) == {"lut": 3.0, "ff": 5.0}


def test_the_clock_is_one_over_the_period() -> None:
    # 2 * 2 + 0.5 * 12 = 10 ns
    assert MODEL.fmax_mhz({"path": 2.0, "path.size": 12.0, "no weight": 5.0}) == Figure(100.0, 80.0, 125.0)
    assert Model(BY_HAND, 2.0, "").fmax_mhz({"path": 2.0, "path.size": 12.0}) == Figure(
        100.0, pytest.approx(64.0), pytest.approx(156.25)
    )
    nothing_placed = replace(BY_HAND, weights={k: v for k, v in BY_HAND.weights.items() if k != "period"})
    assert Model(nothing_placed, 1.0, "").fmax_mhz({"path": 1.0}) is None


def test_a_borrowed_calibration_is_widened() -> None:
    plain, wide = MODEL, Model(BY_HAND, 3.0, "calibrated on xc7, bounds widened for cyclonev")
    rows = {"fc": Terms(gates=400, ff=100)}
    assert wide.figures(rows)[1] == "by-hand-1; calibrated on xc7, bounds widened for cyclonev"
    assert plain.figures(rows)[0]["fc"]["lut"] == Figure(200.0, 100.0, 400.0)
    assert wide.figures(rows)[0]["fc"]["lut"] == Figure(200.0, 25.0, 1600.0)


def test_a_calibration_file_as_it_is_read() -> None:
    data = {
        "id": "a", "tools": {"yosys": "0.70"}, "designs": 3, "weights": {"lut": {"gates": 1.0}},
        "bands": {"lut": {"offset": 10.0, "down": 0.5, "up": 2.0, "n": 3}}, "ranges": {"lut": [1.0, 2.0]},
        "errors": {},
    }  # fmt: skip
    found = calibration_from(data)
    assert found.bands == {"lut": Band(10.0, 0.5, 2.0, 3)} and found.ranges == {"lut": (1.0, 2.0)}
    assert load_calibration("no-such") is None


# ---- the shipped calibrations


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("family", BOARDS)
def test_models_of_families_with_synthesis(family: str, backend: str) -> None:
    model = model_of(family, backend)
    assert (model.widened, model.note) == (1.0, "")
    assert model.calibration.id.startswith(f"{backend}-{family}-") and model.calibration.tools["yosys"]
    assert all(weight >= 0 for weights in model.calibration.weights.values() for weight in weights.values())
    for band in model.calibration.bands.values():
        assert 0 < band.down <= 1.0 <= band.up


@pytest.mark.parametrize("backend", BACKENDS)
def test_models_of_families_that_borrow(backend: str) -> None:
    same, other = model_of("xcup", backend), model_of("cyclonev", backend)
    assert same.calibration == other.calibration == model_of("xc7", backend).calibration
    assert (same.widened, same.note) == (1.0, "calibrated on xc7")
    assert (other.widened, other.note) == (WIDER, "calibrated on xc7, bounds widened for cyclonev")
    assert model_of("max10", backend).note == "calibrated on ecp5, bounds widened for max10"


def test_a_family_that_nobody_has_calibrated() -> None:
    with pytest.raises(InputError, match="no calibration of rtl-folded for the family nexus; run scripts/calibrate"):
        model_of("nexus", "rtl-folded")


def test_slow_parts() -> None:
    # the family's delays are those of the HX parts; the UltraPlus takes 2.6 times as long
    assert slowness(load_board("hx8k-breakout").device) == 1.0
    assert slowness(load_board("icebreaker").device) == pytest.approx(2.6)


def test_paths_scale_with_the_part() -> None:
    fast, slow = (folded_paths(plan(small_net(), hw(board, "rtl-folded")), 1024.0) for board in ("hx8k-breakout", UP5K))
    assert (fast["path"], fast["path.size"]) == (1.0, 10.0)  # log2 of the LUTs
    assert (slow["path"], slow["path.size"]) == (pytest.approx(2.6), pytest.approx(26.0))
    net = small_net(1)
    made = [design_of(net, hw(board, "rtl-unrolled")) for board in ("hx8k-breakout", UP5K)]
    boards = ("hx8k-breakout", UP5K)
    flat = [unrolled_paths(merged(d), load_board(b).device, 1.0) for d, b in zip(made, boards, strict=True)]
    assert (flat[0]["path"], flat[0]["path.ns_size"]) == (1.0, 0.0)  # so small a design has short nets
    assert flat[1]["path"] == pytest.approx(2.6) and all(found["path.ns"] > 0 for found in flat)


def test_paths_are_the_widest_not_the_sum() -> None:
    # two layers whose sums are about equally wide: the wider one counts
    slow = replace(hw("ulx3s-85f", "rtl-folded"), target_ii=64)
    one, two = (folded_paths(plan(chain(n), slow), 100.0) for n in (1, 2))
    assert one["path.sum_bits"] <= two["path.sum_bits"] < 2 * one["path.sum_bits"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("board", [*BOARDS.values(), "icebreaker", "zcu104", "de10-nano", "de10-lite"])
def test_prices_of_a_small_network(board: str, backend: str) -> None:
    net = small_net(1 if backend == "rtl-unrolled" else 4)
    cost = estimate(net, hw(board, backend))
    check(cost)
    assert cost.lut.value > 0 and cost.ff.value > 0 and cost.fmax_mhz.value > 0
    for name in ("latency_cycles", "ii_cycles"):  # they are known
        assert getattr(cost, name) == Figure.exact(getattr(cost, name).value)
    family = load_board(board).device.family
    model = model_of(family, backend)
    assert cost.calibration.split("; ")[0] == model.calibration.id
    borrowed = {"zcu104": "calibrated on xc7", "de10-nano": "calibrated on xc7, bounds widened for cyclonev",
                "de10-lite": "calibrated on ecp5, bounds widened for max10"}  # fmt: skip
    assert (borrowed.get(board, "calibrated on") in cost.calibration) == (board in borrowed)
    ops = [row.op for row in cost.layers]
    assert ops[-1] == "axi4_stream" and len(ops) == len(set(ops))


def test_borrowed_bounds_are_wider() -> None:
    own, borrowed = (estimate(small_net(), hw(board, "rtl-folded")).lut for board in ("arty-a7-100t", "de10-nano"))
    assert borrowed.high / borrowed.value > own.high / own.value and borrowed.low / borrowed.value < own.low / own.value


def test_a_network_larger_than_all_designs_says_so() -> None:
    rng = np.random.default_rng(9)
    b = NetBuilder("large")
    x = b.input("x", (64,), QuantType(8, False))
    net = b.build(b.dense("fc", x, rng.integers(-100, 100, (64, 64))))
    cost = estimate(net, replace(hw("arty-a7-100t", "rtl-folded"), target_ii=16))
    check(cost)
    most = model_of("xc7", "rtl-folded").calibration.ranges["lut"][1]
    assert cost.lut.value > most and "outside of its range, bounds widened" in cost.calibration
    assert f"{cost.lut.value:.0f} LUT where it has seen" in cost.calibration
