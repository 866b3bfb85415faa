"""Where the figures of an estimate come from, in words: for ``bitsmith estimate --explain``."""

from __future__ import annotations

from bitsmith.hls.config import HwConfig
from bitsmith.hls.estimate.calibration import Calibration
from bitsmith.hls.estimate.rtl.model import Model, model_of
from bitsmith.hls.results import Estimate

OURS = ("rtl-unrolled", "rtl-folded")


def origins(cost: Estimate, hw: HwConfig) -> dict[str, str]:
    """Figure -> what it rests on."""
    power = {"power_mw": cost.power_source, "energy_uj": "power times the interval between two results"}
    if hw.backend in OURS:
        return {**_ours(model_of(hw.board.device.family, hw.backend), hw), **power}
    if hw.backend == "hls4ml":
        text = f"sums over layers of hls4ml's templates, calibrated on HLS and Vivado reports ({cost.calibration})"
        cycles = "the HLS schedule by strategy, reuse factor and io type"
        clock = "the clock asked for; HLS promises it, place and route may miss it"
        return {**dict.fromkeys(("lut", "ff", "dsp", "bram"), text), **_timing(cycles, clock), **power}
    text = f"FINN-R's formulas at the folding that is written ({cost.calibration})"
    return {**dict.fromkeys(("lut", "ff", "dsp", "bram"), text), **_timing("FINN's cycle formulas", text), **power}


def _timing(cycles: str, clock: str) -> dict[str, str]:
    return {"latency_cycles": cycles, "ii_cycles": cycles, "fmax_mhz": clock}


def _ours(model: Model, hw: HwConfig) -> dict[str, str]:
    calibration = model.calibration
    tool = f"yosys {calibration.tools['yosys']}"
    note = f"; {model.note}" if model.note else ""
    found = {}
    for name in ("lut", "ff"):
        law = "pieces of logic counted from the units' parameters, weighed by a fit to" if name == "lut" else "counted"
        by = "" if name == "lut" else ", weighed by a fit to"
        found[name] = f"{law}{by} {calibration.designs} designs in {tool}: {_error(calibration, name)}{note}"
    for name in ("dsp", "bram"):
        found[name] = f"counted by the rules that {tool} maps by: {_error(calibration, name)}{note}"
    exact = "exact: the schedule of the design" if hw.backend == "rtl-folded" else "exact: the pipeline of the design"
    placed = calibration.tools.get("nextpnr")
    clock = "what the plan promises; no place and route to calibrate on"
    if "fmax" in calibration.bands and placed:
        clock = f"longest paths, weighed by a fit to nextpnr {placed}: {_error(calibration, 'fmax')}{note}"
    return {**found, **_timing(exact, clock)}


def _error(calibration: Calibration, target: str) -> str:
    errors = calibration.errors.get(target)
    if not errors:
        return "not measured"
    low = f"median error {errors['median_ape']:.1f} %, nine in ten below {errors['p90_ape']:.1f} %"
    return f"{low} on networks not seen"
