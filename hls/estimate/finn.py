"""Prices FINN builds from FINN-R's published formulas at the folding that the project would be written with."""

from __future__ import annotations

from bitsmith.hls.backends.finn.check import folding_of
from bitsmith.hls.backends.finn.folding import Choice
from bitsmith.hls.backends.finn.layers import layers_of
from bitsmith.hls.backends.finn.plan import plan
from bitsmith.hls.backends.finn.simplify import simplify
from bitsmith.hls.boards import Family
from bitsmith.hls.config import HwConfig
from bitsmith.hls.estimate.physics import reached_clock, scaled
from bitsmith.hls.estimate.priced import Priced
from bitsmith.hls.results import Figure, LayerCost
from bitsmith.models.ir import QNet
from bitsmith.models.ir.errors import DoesNotFitError

CALIBRATION = "FINN-R's formulas (Blott et al. 2018), uncalibrated: wide bounds by judgement"

LUT_OF_FORMULA = Figure(1.2, 0.5, 3.0)  # streams, width converters and control are left out of the formulas
FF_PER_LUT = Figure(1.1, 0.4, 2.5)
BRAM_OF_FORMULA = Figure(1.0, 0.0, 2.0)  # small memories may go to LUTs, FIFOs add blocks
DSP_OF_FORMULA = Figure(1.0, 0.8, 1.5)


def price_finn(net: QNet, hw: HwConfig, family: Family) -> Priced:
    """Rows per hardware layer; cycles are FINN's formulas, resources FINN-R's with wide bounds.

    DoesNotFitError if no folding meets ``hw.target_ii`` within the board.
    """
    units = simplify(plan(net))
    folding = folding_of(units, hw)
    if folding is None:
        raise DoesNotFitError(
            f"no folding of {net.name} fits {hw.board.name} at {hw.target_ii or 'any'} cycles between two results; "
            "take a larger board or a larger --target-ii"
        )
    ops = {layer.name: layer.op for layer in layers_of(units, hw.board.device.family)}
    rows: dict[str, LayerCost] = {}
    for choice in folding.choices:
        row = _row(choice, next((ops[name] for name in choice.settings if name in ops), ""))
        rows[row.op] = _joined(rows[row.op], row) if row.op in rows else row
    total = sum(row.latency_cycles for row in rows.values())
    ii = float(folding.ii_cycles)
    return Priced(
        layers=tuple(rows.values()),
        latency_cycles=Figure(float(total), ii, 1.5 * total + 10.0 * len(rows)),
        ii_cycles=Figure(ii, ii, 1.1 * ii + 8.0),
        fmax_mhz=reached_clock(hw.clock_mhz, family),
        calibration=CALIBRATION,
    )


def _row(choice: Choice, op: str) -> LayerCost:
    lut = scaled(choice.area.lut, LUT_OF_FORMULA)
    return LayerCost(
        op=op,
        kind=" + ".join(choice.settings),
        lut=lut,
        ff=Figure(lut.value * FF_PER_LUT.value, lut.low * FF_PER_LUT.low, lut.high * FF_PER_LUT.high),
        dsp=scaled(choice.area.dsp, DSP_OF_FORMULA),
        bram=scaled(choice.area.bram, BRAM_OF_FORMULA),
        latency_cycles=choice.cycles,
        detail="; ".join(f"{k} {v}" for settings in choice.settings.values() for k, v in settings.items()),
    )


def _joined(a: LayerCost, b: LayerCost) -> LayerCost:
    """Two hardware layers of one op as one row."""
    return LayerCost(
        op=a.op,
        kind=f"{a.kind} + {b.kind}",
        lut=a.lut + b.lut,
        ff=a.ff + b.ff,
        dsp=a.dsp + b.dsp,
        bram=a.bram + b.bram,
        latency_cycles=a.latency_cycles + b.latency_cycles,
        detail=f"{a.detail}; {b.detail}",
    )
