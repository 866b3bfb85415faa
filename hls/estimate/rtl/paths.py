"""What the longest path of a design is made of, in nanoseconds before calibration: the clock that it reaches.

Amounts are sizes of the widest and deepest units, not sums: the slowest of them sets the clock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from bitsmith.hls.backends.rtl.folded.plan import FoldedDesign
from bitsmith.hls.backends.rtl.unrolled.costs import FAMILIES, carry_bits, delays_of
from bitsmith.hls.backends.rtl.unrolled.design import Design
from bitsmith.hls.backends.rtl.unrolled.netlist import Kind, Netlist
from bitsmith.hls.backends.rtl.unrolled.timing import Schedule
from bitsmith.hls.config import Device
from bitsmith.hls.estimate.rtl.arithmetic import NARROW
from bitsmith.hls.estimate.rtl.folded import params_of
from bitsmith.hls.estimate.rtl.live import SUMS
from bitsmith.hls.estimate.rtl.memory import COSTS
from bitsmith.hls.estimate.rtl.terms import Number, bits_of

WIDTHS = {
    "bitsmith_mvu": ("path.sum_bits", "ACC"),
    "bitsmith_vvu": ("path.sum_bits", "ACC"),
    "bitsmith_requant": ("path.requant_bits", "WT"),
    "bitsmith_thresholds": ("path.compare_bits", "WU"),
    "bitsmith_reduce": ("path.reduce_bits", "WX"),
    "bitsmith_argmax": ("path.compare_bits", "WX"),
    "bitsmith_add": ("path.sum_bits", "WY"),
}
"""Library module -> path, and the parameter that says how wide its adders and comparators are."""


def slowness(device: Device) -> float:
    """How many times slower than its family's fastest parts a device is."""
    delays = delays_of(device)
    return delays.lut_ns / FAMILIES[device.family].lut_ns if delays is not None else 1.0


def folded_paths(design: FoldedDesign, luts: float) -> dict[str, float]:
    """Amounts of a folded design of ``luts`` LUTs."""
    device = design.hw.board.device
    found = {"path": 1.0, "path.size": math.log2(max(2.0, luts))}
    for stage in design.structure.stages.values():
        for part in (stage.head, *stage.pipes):
            if not part.params and part.latency > 1:  # an adder graph, cut to stages of the plan's length
                found["path.graph_ns"] = design.hw.clock_ns / slowness(device)
            for name, amount in _part(part.module, params_of(part), device.family).items():
                found[name] = max(found.get(name, 0.0), amount)
    return {name: amount * slowness(device) for name, amount in found.items()}


def _part(module: str, p: Mapping[str, Number], family: str) -> dict[str, float]:
    found: dict[str, float] = {}
    if module in WIDTHS:
        name, width = WIDTHS[module]
        found[name] = float(p[width])
    if module in ("bitsmith_mvu", "bitsmith_vvu"):
        depth = p["GROUPS"] * p["NF"] * p["SF"] if module == "bitsmith_mvu" else p["FOLDS"] * p["TAPS"]
        lanes = p["PE"] * p["SIMD"] if module == "bitsmith_mvu" else p["LANES"]
        found["path.rom_levels"] = 0.0 if p["BLOCK"] else float(bits_of(depth))
        found["path.block"] = float(p["BLOCK"])
        found["path.multiplier"] = float(p["KIND"] >= 3)
        found["path.product_bits"] = float(p["WA"] + p["WW"]) if p["KIND"] == 0 else 0.0
        found["path.lanes"] = math.log2(lanes)
    if module == "bitsmith_window":
        words = p["BUF_ROWS"] * p["COLS"] * p["OUTER"] * p["INNER"]
        found["path.window_bits"] = float(bits_of(words))
    if module == "bitsmith_thresholds" and p["KIND"]:
        found["path.search_levels"] = float(bits_of(p["FOLDS"])) + p["WC"]
    return found


def unrolled_paths(design: Design, device: Device, luts: float) -> dict[str, float]:
    """Amounts of an unrolled design of ``luts`` LUTs: of its longest paths by nodes, by carry bits, by the plan."""
    slow = slowness(device)
    found = {
        "path": 1.0,
        "path.size": math.log2(max(2.0, luts)),
        "path.wide": 0.0,
        "path.narrow": 0.0,
        "path.carry": 0.0,
    }
    for placed in design.placed.values():
        for unit, plan in zip(placed.layer.units, placed.schedules, strict=True):
            for name, amount in _longest(unit, plan).items():
                found[name] = max(found[name], amount)
    plan_ns = max((s.critical_ns for p in design.placed.values() for s in p.schedules), default=0.0)
    return {**{name: slow * amount for name, amount in found.items()}, "path.plan_ns": plan_ns}


def _longest(unit: Netlist, plan: Schedule) -> dict[str, float]:
    """Between two registers: most wide adders, other nodes with logic, and carry bits, each for itself."""
    best: dict[str, list[float]] = {name: [] for name in WAYS}
    for k, node in enumerate(unit.nodes):
        before = [a for a in node.args if plan.stage[a] == plan.stage[k]]
        sums = node.kind in SUMS
        wide = sums and node.width > NARROW
        own = {
            "path.wide": float(wide),
            "path.narrow": float(not wide and node.kind not in WIRES),
            "path.carry": float(carry_bits(node, unit.nodes)) if wide else 0.0,
        }
        for name, values in best.items():
            values.append(own[name] + max((values[a] for a in before), default=0.0))
    return {name: max(values, default=0.0) for name, values in best.items()}


WAYS = ("path.wide", "path.narrow", "path.carry")

WIRES = (Kind.INPUT, Kind.CONST, Kind.SHL, Kind.SHR, Kind.LOW)
"""Nodes without logic."""

PLACED = tuple(family for family in COSTS if family != "xc7")
"""Families with open place and route."""
