"""Drives AMD Vivado: out-of-context synthesis, place and route of a project, and what its reports say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from bitsmith.hls.config import Board
from bitsmith.hls.results import SynthReport
from bitsmith.hls.tools.run import ToolStatus, need_tool
from bitsmith.hls.tools.vendor import CLOCK, Batch, Design, Reading, Report, tool_status
from bitsmith.models.ir.errors import ToolError

REMEDY = "install AMD Vivado 2020.2 or newer, then: source <its folder>/settings64.sh"
SYNTHESIS, UTILIZATION, TIMING = "utilization_synth.rpt", "utilization.rpt", "timing.rpt"

_ROWS = {
    "lut": r"(?:Slice|CLB) LUTs\*?",
    "ff": r"(?:Slice|CLB) Registers\*?",
    "dsp": r"DSPs",
    "bram": r"Block RAM Tile",  # 36 kbit; half a tile is one 18-kbit block
}


def status() -> ToolStatus:
    """Whether Vivado is on PATH."""
    return tool_status("Vivado", "vivado", REMEDY)


def run(project: Path, manifest: dict[str, Any], board: Board, folder: Path) -> SynthReport:
    """Implement the project's top for ``board`` out of context; everything stays in ``folder/vivado``.

    The timing covers paths from register to register: out of context the ports
    have no delays.  A design that does not fit comes back with ``fits`` False,
    its figures those of synthesis.  ToolError with the last lines if Vivado is
    missing or fails for another reason, or a report is missing.
    """
    batch = Batch("Vivado", project, folder / "vivado")
    design = batch.design(manifest)
    batch.write("build.tcl", "vivado_build.tcl.j2", top=design.top, part=board.device.part, **design.words)
    batch.write("clock.xdc", "clock.sdc.j2", clock=CLOCK, period_ns=design.period_ns)
    options = ("-mode", "batch", "-notrace", "-nojournal", "-nolog", "-source", "build.tcl")
    try:
        batch.run([need_tool("vivado", REMEDY), *options], (SYNTHESIS, UTILIZATION, TIMING))
    except ToolError as error:
        if not batch.has(SYNTHESIS) or batch.has(UTILIZATION):
            raise
        note = "none: not placed; the other figures are those of synthesis"
        found = _summary(batch, design, board, batch.report(SYNTHESIS), None, note, routed=False)
        if found.fits:
            raise error
        return found
    fmax, note = fmax_of(batch.report(TIMING))
    return _summary(batch, design, board, batch.report(UTILIZATION), fmax, note)


def _summary(
    batch: Batch, design: Design, board: Board, report: Report, fmax: Reading | None, note: str, routed: bool = True
) -> SynthReport:
    notes = {"timing": note} if fmax else {"fmax_mhz": note}
    figures = utilization_of(report)
    return batch.summary(design, board, version_of(report), figures, fmax, notes, routed=routed)


def version_of(report: Report) -> str:
    """Vivado's version, from the head of any of its reports."""
    return report.word("the version of Vivado", r"^\| Tool Version\s*: Vivado v\.(\S+)")


def utilization_of(report: Report) -> dict[str, Reading]:
    """Figures of ``report_utilization`` in the units of :class:`bitsmith.hls.config.Device`."""
    found = {name: report.need(f"how many {name} it uses", _row(label)) for name, label in _ROWS.items()}
    if blocks := report.first(_row("URAM")):  # not on every part
        found["uram"] = blocks
    tiles = found["bram"]
    found["bram"] = Reading(2 * tiles.value, f"{tiles.where} (two 18-kbit halves per tile)")
    return found


def _row(label: str) -> str:
    return rf"^\s*\|\s*{label}\s*\|\s*([\d.]+)\s*\|"


def fmax_of(report: Report) -> tuple[Reading | None, str]:
    """Fmax = 1 / (period - slack) of ``report_timing_summary``, and what is to be known about it.

    None where the clock has no path from register to register.
    """
    period = report.need(f"the period of {CLOCK}", rf"^\s*{CLOCK}\s+\{{[^}}]*\}}\s+([\d.]+)\s+[\d.]+\s*$")
    table = report.text.partition("| Intra Clock Table")[2].partition("| Inter Clock Table")[0]
    row = re.search(rf"^{CLOCK}\s+(.*)$", table, re.MULTILINE)
    fields = row[1].split() if row else []
    if len(fields) != 12 or fields[0] == "NA":  # four fields: only the width of its pulses was checked
        return None, f"none: {report.name} has no path from register to register of {CLOCK}"
    slack = float(fields[0])
    where = f"{report.name}: 1 / (period {period.value} ns - WNS {slack} ns), Intra Clock Table, {CLOCK}"
    state = "met" if slack >= 0 else "not met"
    return Reading(1e3 / (period.value - slack), where), f"{state}, register to register; ports have no delays"
