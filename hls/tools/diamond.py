"""Drives Lattice Diamond (ECP5): synthesis, place and route of a project, and what its reports say."""

from __future__ import annotations

import math
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

REMEDY = "install Lattice Diamond with its free licence and put its bin/lin64 folder on PATH"
IMPLEMENTATION = "impl1"
_ROWS = {"lut": "Number of LUT4s", "ff": "Number of registers", "bram": "Number of block RAMs"}


def status() -> ToolStatus:
    """Whether Diamond is on PATH."""
    return tool_status("Diamond", "diamondc", REMEDY)


def run(project: Path, manifest: dict[str, Any], board: Board, folder: Path) -> SynthReport:
    """Place and route the project's top between two shift registers; everything stays in ``folder/diamond``.

    ToolError with the last lines if Diamond is missing or fails (also where the
    design does not fit), or a report is missing.
    """
    batch = Batch("Diamond", project, folder / "diamond")
    design = batch.design(manifest)
    values = {
        "top": WRAP,
        "implementation": IMPLEMENTATION,
        "part": part_with_grade(board.device.part),
        "sources": write_wrap(batch, design, manifest),
        "folder": tcl_word(batch.folder),
    }
    batch.write("build.tcl", "diamond_build.tcl.j2", **values)
    batch.write("clock.lpf", "clock.lpf.j2", clock=WRAP_CLOCK, clock_mhz=design.clock_mhz)
    reports = report_paths(IMPLEMENTATION)
    batch.run([need_tool("diamondc", REMEDY), "build.tcl"], (IMPLEMENTATION, "bitsmith.ldf"))
    mapped, timing = batch.report(reports["mrp"]), batch.report(reports["twr"])
    check_routed(batch.report(reports["par"]))
    fmax = fmax_of(timing)
    notes = {"lut_note": "with the shift registers at the ports"}
    if fmax is None:
        notes["fmax_mhz"] = f"none: {timing.name} has no frequency of {WRAP_CLOCK}"
    found = utilization_of(mapped)
    return batch.summary(design, board, version_of(mapped), found, fmax, notes, wrapped=True)


def version_of(mapped: Report) -> str:
    """Diamond's version, from the map report."""
    return mapped.word("the version of Diamond", r"version:\s+Diamond \(64-bit\) (\S+)")


def utilization_of(mapped: Report) -> dict[str, Reading]:
    """Figures of ``.mrp`` in the units of :class:`bitsmith.hls.config.Device`."""
    found = figures(mapped, _ROWS)
    sites = mapped.need("how many multipliers it uses", r"^\s*Number of Used DSP MULT Sites:\s+(\d+)\b")
    whole = math.ceil(sites.value / 2)
    return {**found, "dsp": Reading(whole, f"{sites.where} (two 9-bit sites per 18x18 multiplier)")}


def fmax_of(timing: Report) -> Reading | None:
    """What the setup analysis reached for the clock's preference; None if it had no path."""
    setup = timing.text.partition("Lattice TRACE Report - Hold")[0].partition("Report Summary")[2]
    name = rf'FREQUENCY (?:PORT|NET) "{WRAP_CLOCK}(?:_c)?"'
    # A long preference goes on in a second row of the table.
    row = rf"^{name}[^|]*\|(?:[ ]*\|[ ]*\|[ ]*\n[^|\n]*\|)?\s*[\d.]+ MHz\|\s*([\d.]+) MHz"
    return Report(setup, timing.name).first(row)
