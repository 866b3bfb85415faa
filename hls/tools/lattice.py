"""What Radiant and Diamond have in common: a top with four pins around the project's, and the router's report."""

from __future__ import annotations

from typing import Any

from bitsmith.hls.tools.render import HERE
from bitsmith.hls.tools.vendor import CLOCK, Batch, Design, Reading, Report, tcl_word
from bitsmith.models.ir.errors import InputError, ToolError

WRAP = "bitsmith_pins"
WRAP_CLOCK = "clk"
_PRIMITIVES = ("bitsmith_serial_in.sv", "bitsmith_serial_out.sv")


def write_wrap(batch: Batch, design: Design, manifest: dict[str, Any]) -> list[str]:
    """Sources of the project and of :data:`WRAP` as words of Tcl; neither tool knows pins that exist in name only."""
    stream = manifest.get("stream")
    if not stream:
        raise InputError(f"{batch.project} was written by an older Bitsmith: it names no stream; emit it anew")
    sides: dict[str, list[tuple[str, int]]] = {
        "in": [("aresetn", 1), ("s_axis_tdata", 8 * stream["input"]["bytes"]), ("s_axis_tvalid", 1)],
        "out": [("s_axis_tready", 1), ("m_axis_tdata", 8 * stream["output"]["bytes"]), ("m_axis_tvalid", 1)],
    }
    sides["in"] += [("s_axis_tlast", 1), ("m_axis_tready", 1)]
    sides["out"] += [("m_axis_tlast", 1)]
    ports, bits = [], {"in": 0, "out": 0}
    for side, names in sides.items():
        for name, width in names:
            ports.append({"name": name, "side": side, "start": bits[side], "bits": width})
            bits[side] += width
    values = {"top": design.top, "wrap": WRAP, "clock": CLOCK, "ports": ports}
    batch.write(f"{WRAP}.sv", "wrap.sv.j2", in_bits=bits["in"], out_bits=bits["out"], **values)
    wrap = [HERE / "wrap" / name for name in _PRIMITIVES] + [batch.folder / f"{WRAP}.sv"]
    return [tcl_word(path) for path in (*design.sources, *wrap)]


def check_routed(par: Report) -> None:
    """ToolError if the router left nets open: timing and size of such a design mean nothing."""
    unrouted = par.need("how many nets are unrouted", r"^\s*\d+_\d+\s+\*?\s+(\d+)\s")
    if unrouted.value:
        raise ToolError(f"{unrouted.value:.0f} nets are not routed ({unrouted.where}); lower the clock or fold more")


def part_with_grade(part: str) -> str:
    """Lattice's full ordering name: with the temperature grade, industrial where the board's file leaves it open."""
    return part if part[-1] in "CI" else f"{part}I"


def figures(report: Report, rows: dict[str, str]) -> dict[str, Reading]:
    """The rows ``Number of ...: n out of m`` of a map report, by our names."""
    return {name: report.need(f"how many {name} it uses", rf"^\s*{row}:\s+(\d+)\b") for name, row in rows.items()}


def report_paths(implementation: str) -> dict[str, str]:
    """Map, place-and-route and timing report of an implementation, relative to the run's folder."""
    return {end: f"{implementation}/bitsmith_{implementation}.{end}" for end in ("mrp", "par", "twr")}
