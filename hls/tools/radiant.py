"""Drives Lattice Radiant (iCE40 UltraPlus, Nexus): synthesis, place and route of a project, and its reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bitsmith.hls.config import Board
from bitsmith.hls.results import SynthReport
from bitsmith.hls.tools.lattice import (
    WRAP,
    WRAP_CLOCK,
    check_routed,
    figures,
    part_with_grade,
    report_paths,
    write_wrap,
)
from bitsmith.hls.tools.run import ToolStatus, need_tool
from bitsmith.hls.tools.vendor import Batch, Reading, Report, tcl_word, tool_status

REMEDY = "install Lattice Radiant with its free licence and put its bin/lin64 folder on PATH"
IMPLEMENTATION = "impl_1"
PERFORMANCE = {"ice40": "High-Performance_1.2V"}
"""Family -> the performance grade that has to be named."""

_ROWS = {
    "lut": "Number of LUT4s",
    "ff": "Number of slice registers",
    "dsp": "Number of DSPs",
    "bram": "Number of (?:EBRs|Block RAMs)",
}


def status() -> ToolStatus:
    """Whether Radiant is on PATH."""
    return tool_status("Radiant", "radiantc", REMEDY)


def run(project: Path, manifest: dict[str, Any], board: Board, folder: Path) -> SynthReport:
    """Place and route the project's top between two shift registers; everything stays in ``folder/radiant``.

    ToolError with the last lines if Radiant is missing or fails (also where the
    design does not fit), or a report is missing.
    """
    batch = Batch("Radiant", project, folder / "radiant")
    design = batch.design(manifest)
    values = {
        "top": WRAP,
        "implementation": IMPLEMENTATION,
        "part": part_with_grade(board.device.part),
        "performance": PERFORMANCE.get(board.device.family),
        "sources": write_wrap(batch, design, manifest),
        "folder": tcl_word(batch.folder),
    }
    batch.write("build.tcl", "radiant_build.tcl.j2", **values)
    batch.write("clock.sdc", "clock.sdc.j2", clock=WRAP_CLOCK, period_ns=design.period_ns)
    reports = report_paths(IMPLEMENTATION)
    batch.run([need_tool("radiantc", REMEDY), "build.tcl"], (IMPLEMENTATION, "bitsmith.rdf"))
    mapped, timing = batch.report(reports["mrp"]), batch.report(reports["twr"])
    check_routed(batch.report(reports["par"]))
    fmax = fmax_of(timing)
    notes = {"lut_note": "with the shift registers at the ports"}
    if fmax is None:
        notes["fmax_mhz"] = f"none: {timing.name} has no path of {WRAP_CLOCK}"
    found = figures(mapped, _ROWS)
    return batch.summary(design, board, version_of(mapped), found, fmax, notes, wrapped=True)


def version_of(mapped: Report) -> str:
    """Radiant's version, from the map report."""
    return mapped.word("the version of Radiant", r"^Mapper:\s+version Radiant Software \(64-bit\) (\S+)")


def fmax_of(timing: Report) -> Reading | None:
    """The slowest corner's frequency of all paths within the clock; None if it has none."""
    row = rf"^ From {WRAP_CLOCK}\s*\|\s*Target \|.*\n\s*\|\s*Actual \(all paths\) \|\s*[\d.]+ ns \|\s*([\d.]+) MHz"
    found = timing.find(row)
    return min(found, key=lambda reading: reading.value) if found else None
