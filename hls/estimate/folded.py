"""Prices the ``rtl-folded`` backend from the design that its generator writes; cycles are exact."""

from __future__ import annotations

from dataclasses import replace

from bitsmith.hls.backends.rtl.folded.plan import FoldedDesign, PlannedStage, plan
from bitsmith.hls.boards import Family
from bitsmith.hls.config import HwConfig
from bitsmith.hls.estimate.physics import placed_clock
from bitsmith.hls.estimate.priced import Priced
from bitsmith.hls.estimate.rtl.folded import design_terms
from bitsmith.hls.estimate.rtl.model import model_of, rows_of
from bitsmith.hls.estimate.rtl.paths import folded_paths
from bitsmith.hls.results import Figure, LayerCost
from bitsmith.models.ir import QNet


def price_folded(net: QNet, hw: HwConfig, family: Family) -> Priced:
    """Rows per stage.  DoesNotFitError if no folding meets the target within the board."""
    return price_design(plan(net, hw), family)


def price_design(design: FoldedDesign, family: Family) -> Priced:
    """Rows of a design that is planned already."""
    model = model_of(family.name, "rtl-folded")
    figures, calibration = model.figures(design_terms(design))
    luts = sum(row["lut"].value for row in figures.values())
    stages = {stage.name: stage for stage in design.rows()}
    return Priced(
        layers=tuple(_described(row, stages.get(row.op)) for row in rows_of(figures)),
        latency_cycles=Figure.exact(design.cycles.latency_cycles),
        ii_cycles=Figure.exact(design.cycles.ii_cycles),
        fmax_mhz=placed_clock(model.fmax_mhz(folded_paths(design, luts)), design.hw.clock_mhz, family),
        calibration=calibration,
    )


def _described(row: LayerCost, stage: PlannedStage | None) -> LayerCost:
    """The row with what its stage is; there is none for the stream around them all."""
    if stage is None:
        return row
    detail = f"{stage.module}; takes {stage.takes}, offers {stage.offers}; {stage.cycles} cycles per frame"
    return replace(row, kind=stage.ops, latency_cycles=stage.latency, detail=detail)
