"""Prices by table beside those of whole designs: cycles of folded ones, and that no cycle is taken for a LUT."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from bitsmith.flows.calibrate import rtl
from bitsmith.flows.calibrate.designs import recipe_from
from bitsmith.flows.calibrate.rtl_measured import Measured
from bitsmith.flows.calibrate.rtl_report import shipped_rows
from bitsmith.flows.calibrate.rtl_table import LATENCY, table_of
from bitsmith.hls.backends.rtl.folded.plan import plan
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.hls.estimate.rtl.many import folded_cycles
from bitsmith.hls.estimate.table import LayerTable, layer_table
from bitsmith.models.ir import NetBuilder, QNet, QuantType

SIZES = (64, 48, 32, 10)


def dense_chain() -> QNet:
    rng = np.random.default_rng(5)
    b = NetBuilder("chain")
    x = b.input("x", (SIZES[0],), QuantType(4, False))
    for number, (n_in, n_out) in enumerate(pairwise(SIZES)):
        x = b.dense(f"fc{number}", x, rng.integers(-7, 8, (n_in, n_out)))
        if number < 2:
            x = b.requant(f"act{number}", x, 1.0, 0, 15, 6)
    return b.build(x)


def rows(*foldings: tuple[int, int]) -> LayerTable:
    pe, simd = np.array(foldings).T
    zero = np.zeros(len(foldings), np.int64)
    return layer_table(zero, channels=SIZES[:-1], outputs=SIZES[1:], a_bits=4, w_bits=4, act_bits=4, pe=pe, simd=simd)


@pytest.mark.parametrize("target_ii", [32, 300, 3072])
def test_cycles_of_a_chain_of_dense_layers(target_ii: int) -> None:
    exact = plan(dense_chain(), HwConfig(load_board("ulx3s-85f"), 50.0, "rtl-folded", target_ii=target_ii))
    folds = [exact.folding[f"fc{n}"] for n in range(3)]
    latency, interval = folded_cycles(rows(*((f.pe, f.simd) for f in folds)))
    assert interval.tolist() == [exact.cycles.ii_cycles]
    assert latency[0] == pytest.approx(exact.cycles.latency_cycles, rel=0.15), "by its rows alone"


def test_each_design_of_a_table_has_cycles_of_its_own() -> None:
    one, other = rows((1, 1), (1, 1), (1, 1)), rows((4, 8), (2, 4), (1, 2))
    both = layer_table(
        np.repeat([0, 1], 3),
        **{name: np.concatenate([getattr(t, name) for t in (one, other)]) for name in vars(one) if name != "design"},
    )
    for found, first, second in zip(folded_cycles(both), folded_cycles(one), folded_cycles(other), strict=True):
        assert found.tolist() == [first[0], second[0]]


def test_cycles_of_the_calibrations_designs() -> None:
    found = [(table_of(recipe_from(row)), row) for row in shipped_rows() if row["backend"] == "rtl-folded"]
    ratio = [folded_cycles(table)[0][0] / row["latency_cycles"] for table, row in found if table is not None]
    assert len(ratio) > 100
    assert 0.97 < np.median(ratio) < 1.03 and np.quantile(np.abs(np.log(ratio)), 0.9) < 0.25


def test_a_latency_is_no_lut() -> None:
    def design(cycles: float) -> Measured:
        table = {"mvu.beat_bits": 10.0, LATENCY: cycles}
        return Measured("d", "ecp5", "rtl-folded", 1, {}, {}, table, None, {}, {}, {})

    weights = {"lut": {}, "ff": {}}
    few, many = (rtl.values(weights, design(cycles)) for cycles in (10.0, 1e6))
    assert few["table.lut"] == many["table.lut"] and many["table.latency_cycles"] == 1e6
