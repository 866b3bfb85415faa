"""What the longest path of a design is made of, in nanoseconds before calibration: the clock that it reaches.

Amounts are sizes of the widest and deepest units, not sums: the slowest of them sets the clock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from bitsmith.hls.backends.rtl.folded.plan import FoldedDesign
from bitsmith.hls.backends.rtl.unrolled.costs import FAMILIES, delays_of
from bitsmith.hls.backends.rtl.unrolled.design import Design
from bitsmith.hls.backends.rtl.unrolled.plan import plan_of
from bitsmith.hls.config import Device
from bitsmith.hls.estimate.rtl.folded import params_of
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
        found["path.lanes"] = math.log2(lanes)
    if module == "bitsmith_window":
        words = p["BUF_ROWS"] * p["COLS"] * p["OUTER"] * p["INNER"]
        found["path.window_bits"] = float(bits_of(words))
    if module == "bitsmith_thresholds" and p["KIND"]:
        found["path.search_levels"] = float(bits_of(p["FOLDS"])) + p["WC"]
    return found


def unrolled_paths(design: Design, device: Device, luts: float) -> dict[str, float]:
    """Amounts of an unrolled design of ``luts`` LUTs; its plan knows the longest path by a delay model."""
    plan = plan_of(design)
    slowest = max((layer.critical_ns for layer in plan.layers), default=0.0)
    levels = max((layer.logic_levels for layer in plan.layers), default=0)
    slow = slowness(device)
    return {
        "path": slow,
        "path.size": slow * math.log2(max(2.0, luts)),
        "path.plan_ns": slowest,
        "path.levels": slow * levels,
    }


PLACED = tuple(family for family in COSTS if family != "xc7")
"""Families with open place and route."""
