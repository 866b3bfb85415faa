"""Runs a written project in Verilator through its AXI4-Stream ports."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from bitsmith.hls.backends.base import project_files, read_manifest
from bitsmith.hls.backends.rtl.packing import pack_rows, row_bytes, unpack_rows
from bitsmith.hls.results import Simulation
from bitsmith.hls.tools import verilator
from bitsmith.hls.tools.run import run_tool
from bitsmith.models.ir import QNet
from bitsmith.models.ir.errors import ToolError
from bitsmith.models.ir.types import IntArray

STALL_ROWS = 500
STALL_PERCENT = 40
"""The run with random stalls on both sides: how many rows, and how often each side waits."""

OPTIONS = ("-O3", "--x-assign", "fast", "--x-initial", "fast", "--noassert", "--output-split", "5000", "-Wno-fatal")


def simulate(project: Path, net: QNet, x: IntArray, taps: bool) -> Simulation:
    """Integers that the project's RTL computes for the rows ``x`` (n, *input shape).

    All rows at full load, then the first ``STALL_ROWS`` again with random stalls:
    ToolError if the handshake loses, repeats or changes a row.
    """
    manifest = read_manifest(project)
    run = _Run(project, net, manifest, taps)
    program = run.compile()
    rows = pack_rows(np.asarray(x, np.int64).reshape(len(x), -1), net.input.type.bits)
    full, facts, tap_rows = run.drive(program, rows, 0)
    few = rows[:STALL_ROWS]
    stalled, _, _ = run.drive(program, few, STALL_PERCENT)
    if not (stalled == full[: len(few)]).all():
        row = int(np.flatnonzero((stalled != full[: len(few)]).any(axis=1))[0])
        raise ToolError(f"{project}: row {row} comes out differently when the stream stalls; please report this")
    kind = net.output.type
    size = math.prod(net.output.shape)
    outputs = unpack_rows(full, size, kind.bits, kind.signed).reshape(len(x), *net.output.shape)
    values = run.values(tap_rows, len(x)) if taps else {}
    latency = facts["latency_cycles"] if len(x) else None
    ii = facts["ii_cycles"] if len(x) > 1 else None  # one row has no interval
    return Simulation(f"Verilator {verilator.need_verilator().version}", outputs, latency, ii, values)


class _Run:
    def __init__(self, project: Path, net: QNet, manifest: dict[str, Any], taps: bool) -> None:
        self.project = project
        self.net = net
        self.manifest = manifest
        self.taps = taps
        self.top = manifest["taps_top"] if taps else manifest["top"]
        self.folder = project / "sim" / ("build_taps" if taps else "build")

    def compile(self) -> Path:
        """The simulation program."""
        sources = project_files(self.project, self.manifest["rtl"])
        harness = self.project / "sim" / "harness.cpp"
        if self.taps:
            sources.append(self.project / "sim" / f"{self.top}.sv")
            harness = self.project / "sim" / "harness_taps.cpp"
        return verilator.build(
            [p.resolve() for p in sources], self.top, self.folder.resolve(), harness.resolve(), OPTIONS
        )

    def drive(self, program: Path, rows: Any, percent: int) -> tuple[Any, dict[str, int], Any]:
        """Send rows in; rows out, the measurements, and the tap rows of every cycle."""
        folder = self.folder.resolve()
        source, target, taps = folder / "rows_in.bin", folder / "rows_out.bin", folder / "taps.bin"
        source.write_bytes(np.ascontiguousarray(rows).tobytes())
        seed = str(self.manifest["seed"])
        command: list[str | Path] = [program, source, target, str(len(rows)), str(percent), seed]
        record = self.taps and percent == 0
        if record:
            command.append(taps)
        text = run_tool(command, folder, folder / "run.log")
        kind = self.net.output.type
        out_bytes = row_bytes(math.prod(self.net.output.shape), kind.bits)
        out = np.frombuffer(target.read_bytes(), np.uint8).reshape(len(rows), out_bytes)
        tap_rows = None
        if record:
            bits = sum(t["bits"] for t in self.manifest["taps"])
            tap_rows = np.frombuffer(taps.read_bytes(), np.uint8).reshape(-1, (bits + 7) // 8)
        return out, json.loads(text.splitlines()[-1]), tap_rows

    def values(self, tap_rows: Any, count: int) -> dict[str, IntArray]:
        """Every op's value: its signal in the stage where it is ready, plus the bias left to its readers."""
        found = {}
        for tap in self.manifest["taps"]:
            op = self.net[tap["op"]]
            rows = tap_rows[tap["stage"] : tap["stage"] + count]
            flat = unpack_rows(rows, math.prod(op.shape), tap["element_bits"], tap["signed"], tap["start"])
            found[op.name] = flat.reshape(count, *op.shape) + np.array(tap["offset"], np.int64)
        return found
