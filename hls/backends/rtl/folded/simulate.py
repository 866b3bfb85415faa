"""Runs a written folded project in Verilator through its AXI4-Stream ports, and holds its cycles to the prediction."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from bitsmith.hls.backends.base import project_files, read_manifest
from bitsmith.hls.backends.rtl.folded.cycles import Cycles
from bitsmith.hls.backends.rtl.folded.design import StreamType
from bitsmith.hls.backends.rtl.folded.project import stream_rows, stream_values
from bitsmith.hls.results import Simulation
from bitsmith.hls.tools import verilator
from bitsmith.hls.tools.run import run_tool
from bitsmith.models.ir import QNet
from bitsmith.models.ir.errors import ToolError
from bitsmith.models.ir.types import IntArray

STALLS = ((40, 1), (80, 2))
"""Runs with random stalls on both sides: per cent of the cycles, and seed."""

LONG_RUN_CYCLES = 2_000_000
"""From so many cycles on the compiler may take its time."""

STALLED_CYCLES = 1_000_000
"""Those runs take as many frames as that many cycles at full load, between 2 and 500."""

OPTIONS = ("-O3", "--x-assign", "fast", "--x-initial", "fast", "--noassert", "--output-split", "5000", "-Wno-fatal")


def simulate(project: Path, net: QNet, x: IntArray, taps: bool) -> Simulation:
    """Integers that the project's RTL computes for the rows ``x`` (n, *input shape).

    All rows at full load, when every result must come in the predicted cycle; then
    some again under random stalls.  ToolError if the handshake loses, repeats or
    changes a beat, or the cycles are not those predicted.
    """
    run = _Run(project, net, taps)
    program = run.compile(len(x) * read_manifest(project)["ii_cycles"])
    outputs, done = run.drive(program, x, 0, 0)
    _as_predicted(project, run.manifest, done)
    ii = run.manifest["ii_cycles"]
    few = x[: min(500, max(2, STALLED_CYCLES // ii))]
    for percent, seed in STALLS if not taps else ():
        stalled, _ = run.drive(program, few, percent, seed)
        if (stalled != outputs[: len(few)]).any():
            row = int(np.argwhere(stalled != outputs[: len(few)])[0][0])
            raise ToolError(f"{project}: row {row} comes out differently when the streams stall; please report this")
    engine = f"Verilator {verilator.need_verilator().version}"
    latency = done[0] if done else None
    even = len(done) - len(run.manifest["done_cycles"])  # frames that came when everything ran evenly
    interval = max(b - a for a, b in zip(done[-even - 1 :], done[-even:], strict=False)) if even > 0 else None
    return Simulation(engine, outputs, latency, interval, run.values() if taps else {})


def _as_predicted(project: Path, manifest: dict[str, Any], done: list[int]) -> None:
    cycles = Cycles(tuple(manifest["done_cycles"]), tuple(manifest["distance_cycles"]))
    predicted = cycles.predict(len(done))
    if done != predicted:
        frame = next(i for i, (a, b) in enumerate(zip(done, predicted, strict=True)) if a != b)
        raise ToolError(
            f"{project}: result {frame} came after {done[frame]} cycles, predicted were {predicted[frame]}; "
            "please report this"
        )


class _Run:
    def __init__(self, project: Path, net: QNet, taps: bool) -> None:
        self.project = project
        self.net = net
        self.taps = taps
        self.manifest = read_manifest(project)
        kinds = [{k: v for k, v in self.manifest["stream"][end].items() if k != "bytes"} for end in ("input", "output")]
        self.input, self.output = (StreamType(**kind) for kind in kinds)
        self.folder = (project / "sim" / ("build_taps" if taps else "build")).resolve()

    def compile(self, cycles: int) -> Path:
        """The simulation program for so many cycles, with its ROMs beside it."""
        data = project_files(self.project, self.manifest["data"])
        sources = [path.resolve() for path in project_files(self.project, self.manifest["rtl"])]
        options: tuple[str, ...] = OPTIONS
        if self.taps:
            sources.append((self.project / "sim" / "bitsmith_tap.sv").resolve())
            options = (*OPTIONS, "-DBITSMITH_TAPS")
        flags = verilator.LONG_RUN_FLAGS if cycles > LONG_RUN_CYCLES else verilator.MODEL_FLAGS
        harness = (self.project / "sim" / "harness.cpp").resolve()
        program = verilator.build(sources, self.manifest["top"], self.folder, harness, options, model_flags=flags)
        for path in data:
            shutil.copy(path, self.folder)
        return program

    def drive(self, program: Path, x: IntArray, percent: int, seed: int) -> tuple[IntArray, list[int]]:
        """Outputs of the frames, and the cycles at which each was complete, counted from the first beat taken."""
        source, target = self.folder / "in.bin", self.folder / "out.bin"
        source.write_bytes(stream_rows(x, self.input).tobytes())
        command: list[str | Path] = [program, str(len(x)), str(percent), str(seed), target, source]
        facts = json.loads(run_tool(command, self.folder, self.folder / "run.log").splitlines()[-1])
        rows = np.frombuffer(target.read_bytes(), np.uint8).reshape(-1, self.output.bytes)
        outputs = stream_values(rows, self.output, self.net.output.shape)
        return outputs, [cycle - facts["first_taken"] for cycle in facts["done"]]

    def values(self) -> dict[str, IntArray]:
        """Every op's value, as its tap recorded it."""
        found = {}
        for tap in self.manifest["taps"]:
            stream = StreamType(0, tap["lanes"], tap["bits"], tap["signed"])
            lines = (self.folder / tap["file"]).read_text().split()
            beats = b"".join(bytes.fromhex(line.zfill(2 * stream.bytes)) for line in lines)
            rows = np.frombuffer(beats, np.uint8).reshape(len(lines), -1)[:, ::-1]
            found[tap["op"]] = stream_values(rows, stream, self.net[tap["op"]].shape)
        return found
