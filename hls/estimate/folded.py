"""Prices the ``rtl-folded`` backend from the design that its generator writes; cycles are exact."""

from __future__ import annotations

from bitsmith.hls.backends.rtl.folded.plan import PlannedStage, plan
from bitsmith.hls.boards import Family
from bitsmith.hls.config import HwConfig
from bitsmith.hls.estimate.physics import reached_clock, scaled
from bitsmith.hls.estimate.priced import Priced
from bitsmith.hls.results import Figure, LayerCost
from bitsmith.models.ir import QNet

LOGIC = Figure(1.0, 0.4, 2.0)  # cells found over cells of the units' models, before any calibration
BLOCKS = Figure(1.0, 0.5, 1.5)


def price_folded(net: QNet, hw: HwConfig, family: Family) -> Priced:
    """Rows per stage.  DoesNotFitError if no folding meets the target within the board."""
    design = plan(net, hw)
    return Priced(
        layers=tuple(_row(stage) for stage in design.rows()),
        latency_cycles=Figure.exact(design.cycles.latency_cycles),
        ii_cycles=Figure.exact(design.cycles.ii_cycles),
        fmax_mhz=reached_clock(hw.clock_mhz, family),
    )


def _row(stage: PlannedStage) -> LayerCost:
    return LayerCost(
        op=stage.name,
        kind=stage.ops,
        lut=scaled(stage.cost.lut, LOGIC),
        ff=scaled(stage.cost.ff, LOGIC),
        dsp=scaled(stage.cost.dsp, BLOCKS),
        bram=scaled(stage.cost.bram, BLOCKS),
        latency_cycles=stage.latency,
        detail=f"{stage.module}; takes {stage.takes}, offers {stage.offers}; {stage.cycles} cycles per frame",
    )
