"""What the longest path of a design is made of, in nanoseconds before calibration: the clock that it reaches.

Amounts are sizes of the widest and deepest units, not sums: the slowest of them sets the clock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from bitsmith.hls.backends.rtl.folded.plan import FoldedDesign
from bitsmith.hls.backends.rtl.unrolled.costs import FAMILIES, delays_of
from bitsmith.hls.config import Device
from bitsmith.hls.estimate.rtl.arrival import arrivals, worst
from bitsmith.hls.estimate.rtl.folded import params_of
from bitsmith.hls.estimate.rtl.memory import COSTS
from bitsmith.hls.estimate.rtl.sums import Merged
from bitsmith.hls.estimate.rtl.terms import LENDER, Number, bits_of
from bitsmith.hls.estimate.rtl.unrolled import narrow_of

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


def unrolled_paths(seen: Merged, device: Device, luts: float) -> dict[str, float]:
    """Amounts of an unrolled design of ``luts`` LUTs: its longest path, and by how much its nets are longer."""
    family = LENDER.get(device.family, device.family)
    lut_ns, carry_ns, bit_ns = PLACED_NS[family]
    d = replace(FAMILIES[family], lut_ns=lut_ns, carry_ns=carry_ns, carry_bit_ns=bit_ns)
    found = arrivals(seen.flat, seen.sums, d, narrow_of(family))
    ns = worst(*(a for ends in found.values() for a in ends)).ns
    slow = slowness(device)
    return {"path": slow, "path.ns": slow * ns, "path.ns_size": slow * ns * max(0.0, math.log2(max(2.0, luts)) - SMALL)}


PLACED_NS = {
    "ecp5": (1.0, 1.6, 0.05),
    "ice40": (1.0, 1.6, 0.2),
    "gowin": (0.86, 1.43, 0.035),
    "xc7": (0.75, 1.35, 0.03),
}
"""Nanoseconds of a LUT, of a carry chain's two ends, each with a short net, and of each of a chain's bits.

Gowin's are those of nextpnr 0.11's reports of critical paths; those of ECP5 and iCE40 are near what a fit of the three
to its clocks gives; those of 7 series, which it does not place, are the plan's.  The calibration scales their sum.
"""

SMALL = 7.0
"""Logarithm to base 2 of the LUTs of a design whose nets are short."""

PLACED = tuple(family for family in COSTS if family != "xc7")
"""Families with open place and route."""
