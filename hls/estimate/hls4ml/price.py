"""Prices hls4ml projects: the calibrated model's figures, laid out op by op."""

from __future__ import annotations

import numpy as np

from bitsmith.hls.boards import Family
from bitsmith.hls.config import HwConfig
from bitsmith.hls.estimate.hls4ml.bounds import bound
from bitsmith.hls.estimate.hls4ml.coefficients import load_calibration
from bitsmith.hls.estimate.hls4ml.feasible import why_not
from bitsmith.hls.estimate.hls4ml.from_net import design_of_net
from bitsmith.hls.estimate.hls4ml.layers import HlsDesign, columns
from bitsmith.hls.estimate.hls4ml.model import AREAS, TARGETS, predict
from bitsmith.hls.estimate.physics import reached_clock
from bitsmith.hls.estimate.priced import Priced
from bitsmith.hls.results import Figure, LayerCost
from bitsmith.models.ir import QNet

FOREIGN = ("quartus", "oneapi", "catapult", "libero")
"""Tools of other vendors: priced as Vitis, with bounds as outside of the calibration."""


def price_design(design: HlsDesign, foreign: bool = False, vivado: bool = True) -> dict[str, Figure]:
    """Totals of one design: target -> figure, Vivado's synthesis and the cycles as it runs, or csynth's report."""
    calibration = load_calibration()
    c = columns([design])
    values = predict(c, calibration.coefficients, vivado, worst=not vivado).designs
    found = bound(c, values, calibration, vivado)
    figures = {t: Figure(float(values[t][0]), float(found.low[t][0]), float(found.high[t][0])) for t in TARGETS}
    return {t: _widened(f, calibration.widening) for t, f in figures.items()} if foreign else figures


def _widened(f: Figure, factor: float) -> Figure:
    """Bounds ``factor`` times as far away on a logarithmic scale."""
    low = f.value * (f.low / f.value) ** factor if f.value > 0 else 0.0
    high = f.value * (f.high / f.value) ** factor if f.value > 0 else f.high * factor
    return Figure(f.value, low, high)


def price_hls4ml(net: QNet, hw: HwConfig, family: Family) -> Priced:
    """Rows of Vivado's synthesis (what goes onto the device) by op; cycles from the HLS schedule.

    Bounds are fitted on whole designs and spread over the ops by their value; what is common to all (registers
    between layers, FIFOs) stands with the op before it.
    """
    design = design_of_net(net, hw)
    c = columns([design])
    layers = predict(c, load_calibration().coefficients, vivado=True, worst=False).layers
    totals = price_design(design, hw.hls_tool in FOREIGN)
    problem = why_not(design)
    rows = []
    for i, op in enumerate(net.ops):
        areas = {name: _share(totals[name], layers[name], i) for name in AREAS}
        detail = _detail(design, i, problem if i == 0 else "")
        rows.append(LayerCost(op.name, op.kind, areas["lut"], areas["ff"], areas["dsp"], areas["bram"], detail=detail))
    return Priced(
        layers=tuple(rows),
        latency_cycles=_at_least_one(totals["latency"]),
        ii_cycles=_at_least_one(totals["ii"]),
        fmax_mhz=reached_clock(hw.clock_mhz, family),
        calibration=load_calibration().id,
    )


def _share(total: Figure, layers: np.ndarray[tuple[int, ...], np.dtype[np.float64]], i: int) -> Figure:
    """The part of ``total`` that falls on layer ``i``; bounds of a total of nothing stand with the first."""
    whole = float(layers.sum())
    if whole <= 0.0:
        return Figure(0.0, 0.0, total.high if i == 0 else 0.0)
    part = float(layers[i]) / whole
    return Figure(total.value * part, total.low * part, total.high * part)


def _at_least_one(f: Figure) -> Figure:
    return Figure(max(f.value, 1.0), max(f.low, 1.0), max(f.high, 1.0))


def _detail(design: HlsDesign, i: int, problem: str) -> str:
    layer = design.layers[i]
    if problem:
        return f"HLS will not finish: {problem}"
    if layer.kind not in ("dense", "conv"):
        return ""
    bits = f"{layer.weight_bits} x {layer.in_bits} bits"
    if layer.strategy == "resource" and layer.reuse > 1:
        return f"{-(-layer.n_in * layer.n_out // layer.reuse)} products of {bits}, reuse {layer.reuse}"
    return f"{layer.nonzero:.0f} products of {bits}, constants"
