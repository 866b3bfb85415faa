"""Drives Intel (Altera) Quartus Prime: synthesis, fit and timing of a project, and what its reports say."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from bitsmith.hls.config import Board
from bitsmith.hls.results import SynthReport
from bitsmith.hls.tools.run import ToolStatus, need_tool
from bitsmith.hls.tools.vendor import CLOCK, PORTS, Batch, Design, Reading, Report, tool_status
from bitsmith.models.ir.errors import ToolError

REMEDY = "install Quartus Prime (Lite: Cyclone V, MAX 10; Pro: Arria 10, Agilex) and put its bin folder on PATH"
FIT, FIT_TABLES, STA, STA_TABLES = (f"bitsmith.{end}" for end in ("fit.summary", "fit.rpt", "sta.summary", "sta.rpt"))
FAMILIES = {"cyclonev": "Cyclone V", "max10": "MAX 10", "arria10": "Arria 10", "agilex": "Agilex 7"}
"""Our name of a family -> Quartus's, from Quartus Pro 23 on for Agilex."""

_COUNT = r"\s*:\s*([\d,]+)\s*/"


def status() -> ToolStatus:
    """Whether Quartus is on PATH."""
    return tool_status("Quartus", "quartus_sh", REMEDY)


def run(project: Path, manifest: dict[str, Any], board: Board, folder: Path) -> SynthReport:
    """Fit the project's top for ``board`` with virtual pins; everything stays in ``folder/quartus``.

    A design that does not fit comes back with ``fits`` False and the figures of
    the failed fit.  ToolError with the last lines if Quartus is missing or
    fails for another reason, or a report is missing.
    """
    family = FAMILIES.get(board.device.family)
    if family is None:
        raise ToolError(f"Quartus has no family {board.device.family} of {board.name}; it is for {', '.join(FAMILIES)}")
    batch = Batch("Quartus", project, folder / "quartus")
    design = batch.design(manifest)
    values = {"top": design.top, "family": family, "part": board.device.part, "ports": PORTS}
    batch.write("build.tcl", "quartus_build.tcl.j2", **values, **design.words)
    batch.write("clock.sdc", "clock.sdc.j2", clock=CLOCK, period_ns=design.period_ns)
    command = [need_tool("quartus_sh", REMEDY), "-t", "build.tcl"]
    try:
        batch.run(command, (FIT, FIT_TABLES, STA, STA_TABLES))
    except ToolError as error:
        if not batch.has(FIT) or "Fitter Status : Failed" not in batch.report(FIT).text:
            raise
        found = _summary(batch, design, board, None, "none: the fit failed", routed=False)
        if found.fits:
            raise error
        return found
    fmax = fmax_of(batch.report(STA_TABLES), batch.report(STA), float(design.period_ns))
    return _summary(batch, design, board, fmax, f"none: {STA} has no setup path of {CLOCK}")


def _summary(
    batch: Batch, design: Design, board: Board, fmax: Reading | None, note: str, routed: bool = True
) -> SynthReport:
    fit = batch.report(FIT)
    figures = utilization_of(fit)
    if "bram" not in figures:  # the summary of MAX 10 counts bits only
        blocks = r"^;\s*M9Ks\s*;\s*([\d,]+)\s*/"
        figures["bram"] = batch.report(FIT_TABLES).need("how many memory blocks it uses", blocks)
    notes = {} if fmax else {"fmax_mhz": note}
    return batch.summary(design, board, version_of(fit), figures, fmax, notes, routed=routed)


def version_of(fit: Report) -> str:
    """Quartus's version and edition, from the fitter's summary."""
    return fit.word("the version of Quartus", r"^Quartus Prime Version\s*:\s*(.+)$")


def utilization_of(fit: Report) -> dict[str, Reading]:
    """Figures of ``.fit.summary`` in the units of :class:`bitsmith.hls.config.Device`; for MAX 10 without ``bram``."""
    luts = (rf"^Logic utilization \(in ALMs\){_COUNT}", rf"^Total logic elements{_COUNT}")
    found = {
        "lut": fit.need("how much logic it uses", *luts),
        "ff": fit.need("how many registers it uses", r"^Total (?:dedicated logic )?registers\s*:\s*([\d,]+)"),
    }
    dsp, halves = fit.first(rf"^Total DSP Blocks{_COUNT}"), fit.first(rf"^Embedded Multiplier 9-bit elements{_COUNT}")
    if dsp:
        found["dsp"] = dsp
    elif halves:
        found["dsp"] = Reading(math.ceil(halves.value / 2), f"{halves.where} (two per 18x18 multiplier)")
    if blocks := fit.first(rf"^Total RAM Blocks{_COUNT}"):
        found["bram"] = blocks
    return found


def fmax_of(tables: Report, summary: Report, period_ns: float) -> Reading | None:
    """The lowest restricted Fmax over the corners, else 1 / (period - worst setup slack); None without a path."""
    row = rf"^;\s*[\d.]+ MHz\s*;\s*([\d.]+) MHz\s*;\s*{CLOCK}\s*;"
    if found := tables.find(row):
        return min(found, key=lambda reading: reading.value)
    slacks = summary.find(rf"^Type\s*: .*Setup '{CLOCK}'\s*\n\s*Slack\s*:\s*(-?[\d.]+)")
    if not slacks:
        return None
    worst = min(slacks, key=lambda reading: reading.value)
    where = f"{worst.where} of the setup of {CLOCK}: 1 / (period {period_ns} ns - slack {worst.value} ns)"
    return Reading(1e3 / (period_ns - worst.value), where)
