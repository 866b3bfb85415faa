"""Prices the ``rtl-unrolled`` backend from the design that its generator writes; cycles are exact."""

from __future__ import annotations

from dataclasses import replace

from bitsmith.hls.backends.rtl.unrolled.design import Design, design_of
from bitsmith.hls.backends.rtl.unrolled.plan import PlannedLayer, plan_of
from bitsmith.hls.boards import Family
from bitsmith.hls.config import HwConfig
from bitsmith.hls.estimate.physics import placed_clock
from bitsmith.hls.estimate.priced import Priced
from bitsmith.hls.estimate.rtl.model import model_of, rows_of
from bitsmith.hls.estimate.rtl.paths import unrolled_paths
from bitsmith.hls.estimate.rtl.sums import merged
from bitsmith.hls.estimate.rtl.unrolled import design_terms
from bitsmith.hls.results import Figure, LayerCost
from bitsmith.models.ir import QNet


def price_unrolled(net: QNet, hw: HwConfig, family: Family) -> Priced:
    """Rows per op; the backend's ``check`` must have found no problem."""
    return price_design(design_of(net, hw), hw, family)


def price_design(design: Design, hw: HwConfig, family: Family) -> Priced:
    """Rows of a design that is solved already."""
    seen = merged(design)
    terms = design_terms(design, seen, hw.board.device)
    model = model_of(family.name, "rtl-unrolled")
    figures, calibration = model.figures(terms)
    luts = sum(row["lut"].value for row in figures.values())
    plan = plan_of(design)
    layers = {layer.op: layer for layer in plan.layers}
    slowest_ns = max((layer.critical_ns for layer in plan.layers), default=0.0)
    promised_mhz = 1e3 / slowest_ns if slowest_ns > 0 else family.max_mhz
    placed = model.fmax_mhz(unrolled_paths(seen, hw.board.device, luts))
    return Priced(
        layers=tuple(_described(row, layers[row.op]) for row in rows_of(figures)),
        latency_cycles=Figure.exact(plan.latency_cycles),
        ii_cycles=Figure.exact(plan.ii_cycles),
        fmax_mhz=placed_clock(placed, promised_mhz, family),
        calibration=calibration,
    )


def _described(row: LayerCost, layer: PlannedLayer) -> LayerCost:
    copies = f"{layer.instances} x, " if layer.instances > 1 else ""
    detail = f"{copies}{layer.adders} adders of {layer.adder_bits} bits, {layer.other_luts:.0f} other LUTs"
    return replace(row, kind=layer.kind, latency_cycles=layer.latency_cycles, detail=detail)
