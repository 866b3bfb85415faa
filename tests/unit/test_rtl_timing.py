"""Pipelining: no path longer than the budget, and a plan that is what gets built."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from bitsmith.hls.backends.rtl.unrolled.backend import RtlUnrolled
from bitsmith.hls.backends.rtl.unrolled.costs import FAMILIES, carry_bits, delays_of, node_delay, usable_ns
from bitsmith.hls.backends.rtl.unrolled.design import design_of
from bitsmith.hls.backends.rtl.unrolled.netlist import Kind, Netlist, NetlistBuilder
from bitsmith.hls.backends.rtl.unrolled.plan import plan
from bitsmith.hls.backends.rtl.unrolled.timing import Schedule, schedule
from bitsmith.hls.backends.rtl.unrolled.units import linear_unit
from bitsmith.hls.config import Board, Device, HwConfig
from bitsmith.models.ir import NetBuilder, QNet, QuantType
from bitsmith.models.ir.intervals import Interval

DEVICE = Device("xc7a35t", "xc7", "xc7a35ticsg324-1L", 20800, 6, 41600, 90, 100, 18.0, "test")
BOARD = Board("arty-a7-35t", "Arty A7-35T", DEVICE, 100.0, "E3", "vivado", "test")
XC7 = FAMILIES["xc7"]


def mlp(sizes: tuple[int, ...], bits: int, zeros: float, seed: int = 0) -> QNet:
    """Dense layers with a half-even Requant between."""
    rng = np.random.default_rng(seed)
    b = NetBuilder("mlp")
    x = b.input("x", (sizes[0],), QuantType(bits, True))
    top = (1 << (bits - 1)) - 1
    for i, (n, m) in enumerate(itertools.pairwise(sizes)):
        weight = rng.integers(-top, top + 1, (n, m)) * (rng.random((n, m)) >= zeros)
        x = b.dense(f"fc{i}", x, weight, rng.integers(-50, 51, m))
        if i < len(sizes) - 2:
            x = b.requant(f"q{i}", x, 1.0, 0, (1 << bits) - 1, bits - 1)
    return b.build(x)


def longest_paths(net: Netlist, s: Schedule, t_in: float) -> float:
    """Longest path between registers, found anew from the stages alone."""
    ready: list[float] = []
    for k, node in enumerate(net.nodes):
        start = t_in if node.kind is Kind.INPUT else 0.0
        for a in node.args:
            if net.nodes[a].kind is Kind.CONST:
                continue
            assert s.stage[a] <= s.stage[k], "reads what is not there yet"
            assert s.last[a] >= s.stage[k], "reads what is no longer kept"
            if s.stage[a] == s.stage[k]:
                start = max(start, ready[a])
        ready.append(start + node_delay(node, net.nodes, XC7))
    return max(ready)


@pytest.mark.parametrize("clock_mhz", [20.0, 80.0, 150.0, 250.0])
def test_no_path_is_longer_than_the_budget(clock_mhz: float) -> None:
    design = design_of(mlp((12, 16, 8, 4), 5, 0.3), HwConfig(BOARD, clock_mhz))
    assert design.budget_ns == usable_ns(1e3 / clock_mhz, XC7)
    stages = 0
    for name, p in design.placed.items():
        sources = [design.placed[i] for i in p.layer.op.inputs]
        t_in = max((s.t_out for s in sources if s.stage == p.start), default=0.0)
        for unit, s in zip(p.layer.units, p.schedules, strict=True):
            assert longest_paths(unit, s, t_in) == s.critical_ns <= design.budget_ns, name
            assert s.latency == p.latency
        stages = max(stages, p.stage)
    assert design.latency_cycles in (stages, stages + 1)


@pytest.mark.parametrize(("seed", "period_ns"), [(39, 12.0), (236, 12.0)])
def test_no_node_stands_before_the_inputs(seed: int, period_ns: float) -> None:
    """Sums of delays taken in another order differ in their last bit."""
    rng = np.random.default_rng(seed)
    n, m, bits = int(rng.integers(2, 9)), int(rng.integers(1, 4)), int(rng.integers(1, 7))
    weight = rng.integers(-(1 << bits), 1 << bits, (n, m))
    span = Interval(-rng.integers(0, 9, n), rng.integers(0, 20, n))
    unit = linear_unit([(np.arange(n), weight)], span, rng.integers(-9, 9, m))
    delays = FAMILIES["ice40"]
    assert min(schedule(unit, 0.0, usable_ns(period_ns, delays), delays).stage) == 0


def test_faster_clock_takes_more_stages_and_slower_families_too() -> None:
    net = mlp((12, 16, 8, 4), 5, 0.3)
    slow, fast = (plan(net, HwConfig(BOARD, f)).latency_cycles for f in (50.0, 250.0))
    assert slow < fast
    ice = replace(BOARD, device=replace(DEVICE, family="ice40", part="ICE40HX8K"))
    up5k = replace(BOARD, device=replace(DEVICE, family="ice40", part="ICE40UP5K"))
    cycles = [plan(net, HwConfig(b, 40.0)).latency_cycles for b in (BOARD, ice, up5k)]
    assert cycles[0] < cycles[1] < cycles[2]


def test_requested_latency_is_kept() -> None:
    b = NetlistBuilder()
    net = b.finish([b.total([b.input(0, i, -8, 7) for i in range(9)])])
    free = schedule(net, 0.0, 4.0, XC7)
    longer = schedule(net, 0.0, 4.0, XC7, free.latency + 2)
    assert longer.latency == free.latency + 2
    assert longer.register_bits(net) > free.register_bits(net)


def test_register_bits_by_hand() -> None:
    b = NetlistBuilder()
    x, y, z = (b.input(0, i, 0, 15) for i in range(3))
    net = b.finish([b.add(b.add(x, y), z)])
    one_adder = node_delay(net.nodes[3], net.nodes, XC7)
    s = schedule(net, 0.0, 1.3 * one_adder, XC7)
    assert s.latency == 1
    assert s.register_bits(net) == 5 + 4  # the 5-bit sum of two, and z that waits for it


def test_full_adders_by_hand() -> None:
    b = NetlistBuilder()
    x, y = b.input(0, 0, 0, 15), b.input(0, 1, 0, 15)
    cases = {
        b.add(x, y): 5,  # 0..30
        b.add(x, y, 0, 2): 5,  # 0..75 is 7 bits, the two lowest are those of x
        b.add(x, y, 0, 2, sub=True): 5,  # -60..15 is 7 bits, the two lowest are those of x
        b.add(x, y, 2, 0, sub=True): 7,  # -15..60: y has to be negated from its lowest bit on
    }
    for node, expected in cases.items():
        assert carry_bits(b.nodes[node], tuple(b.nodes)) == expected


def test_plan_adds_up_and_counts_copies() -> None:
    b = NetBuilder("places")
    x = b.input("x", (4, 3), QuantType(3, False))
    net = b.build(b.dense("fc", x, [[1, 2], [3, 0], [5, 1]]))
    row = plan(net, HwConfig(BOARD, 10.0)).layers[1]
    assert (row.op, row.kind, row.instances) == ("fc", "dense", 4)
    design = design_of(net, HwConfig(BOARD, 10.0))
    adders = sum(n.kind in (Kind.ADD, Kind.SUB) for n in design.placed["fc"].layer.units[0].nodes)
    assert row.adders == 4 * adders


def test_unknown_family_and_impossible_clock_are_refused_in_words() -> None:
    net = mlp((4, 4), 3, 0.0)
    odd = replace(BOARD, device=replace(DEVICE, family="abacus"))
    found = RtlUnrolled().check(net, HwConfig(odd, 100.0))
    assert len(found) == 1 and "abacus" in found[0].text and "xc7" in found[0].remedy
    found = RtlUnrolled().check(net, HwConfig(BOARD, 900.0))
    assert [p.op for p in found] == ["fc0"]
    assert "1.11 ns" in found[0].text and "MHz" in found[0].remedy
    assert RtlUnrolled().check(net, HwConfig(BOARD, 100.0)) == []
    assert delays_of(DEVICE) == XC7


def test_too_large_layers_are_all_named() -> None:
    rng = np.random.default_rng(0)
    b = NetBuilder("big")
    x = b.input("x", (60, 60, 3), QuantType(8, False))
    x = b.conv("stem", x, rng.integers(-127, 128, (3, 3, 3, 16)))
    x = b.reshape("flat", b.requant("q", x, 1.0, 0, 15, 9), (58 * 58 * 16,))
    net = b.build(b.dense("head", x, rng.integers(-7, 8, (58 * 58 * 16, 2))))
    found = {p.op: p for p in RtlUnrolled().check(net, HwConfig(BOARD, 100.0))}
    assert set(found) == {"stem", "head"}
    assert "3364 places" in found["stem"].text and "rtl-folded" in found["stem"].remedy
