"""Simulates a mapped netlist in Verilator: what yosys made, on models of the family's cells.

Mapping can change a design without an error, so the netlist that is placed and
routed is itself run, at full load and with random stalls, with everything that
it leaves undefined at random.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bitsmith.hls.tools import verilator
from bitsmith.hls.tools.render import HERE, render
from bitsmith.hls.tools.run import Say, run_tool, silent
from bitsmith.hls.tools.yosys import map_flat
from bitsmith.models.ir.errors import ToolError

MODELS = {
    "ice40": ("ice40.sv", "ice40_dsp.sv"),
    "ecp5": ("block_ram.sv", "ecp5.sv", "ecp5_dsp.sv", "ecp5_bram.sv"),
    "gowin": ("block_ram.sv", "gowin.sv", "gowin_dsp.sv", "gowin_bram.sv"),
    "gw5a": ("block_ram.sv", "gowin.sv", "gowin_dsp.sv", "gowin_bram.sv"),
    "xc7": ("block_ram.sv", "xilinx.sv", "xilinx_ram.sv", "xilinx_bram.sv", "xilinx_dsp.sv"),
    "xcup": ("block_ram.sv", "xilinx.sv", "xilinx_ram.sv", "xilinx_bram.sv", "xilinx_dsp.sv"),
}
"""Cell models of each family, in ``models/``."""

STALLS = (0, 40)
"""Percentages of waiting on both sides, one run each."""

SECONDS = 30.0
"""No further frame is begun after so long in one run."""

PATIENCE = 1_000_000
"""Cycles without any beat after which a run hangs."""

# Undefined bits are random, and differ from run to run of the program; a netlist has no combinational loops,
# but long chains through one vector look like them.
OPTIONS = (
    *("-O3", "--x-assign", "unique", "--x-initial", "unique", "--output-split", "5000"),
    *("--converge-limit", "10000", "-Werror-USERFATAL"),
    *(f"-Wno-{name}" for name in ("fatal", "lint", "style", "MULTIDRIVEN", "UNOPTFLAT", "WIDTHCONCAT")),
)

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Frames:
    """What goes into one AXI4-Stream port: ``beats`` (frames, beats, bytes of tdata)."""

    port: str  # the signals are <port>_tdata, _tvalid, _tready, _tlast
    beats: Bytes


@dataclass(frozen=True, eq=False)
class NetlistRun:
    """What came out of ``m_axis``: ``beats`` (frames, beats, bytes), fewer frames than went in if the time was up."""

    beats: Bytes
    stall_percent: int
    cycles: int


def netlist_simulation(
    files: Sequence[Path],
    top: str,
    family: str,
    device: str,
    inputs: Sequence[Frames],
    out_beats: int,
    out_bytes: int,
    folder: Path,
    blocks: bool = True,
    seconds: float = SECONDS,
) -> list[NetlistRun]:
    """Map the SystemVerilog ``files`` for a device and simulate the netlist of ``top``, once per entry of ``STALLS``.

    ``top`` has the ports aclk, aresetn, those of ``inputs`` and m_axis; data
    files of $readmemh lie beside the sources.  ToolError if a cell has no model,
    the handshake hangs, or m_axis_tlast is not at the end of a frame.
    """
    folder.mkdir(parents=True, exist_ok=True)
    netlist = map_flat(files, top, family, device, blocks, folder)
    return simulate_netlist(netlist, top, family, inputs, out_beats, out_bytes, folder, seconds)


def rtl_simulation(
    files: Sequence[Path],
    top: str,
    inputs: Sequence[Frames],
    out_beats: int,
    out_bytes: int,
    folder: Path,
    seconds: float = SECONDS,
) -> list[NetlistRun]:
    """The same run of the RTL itself: same stimuli and stalls, cycle by cycle, to compare a netlist with."""
    folder.mkdir(parents=True, exist_ok=True)
    return _simulate(list(files), "rtl", top, inputs, out_beats, out_bytes, folder, seconds, silent)


def simulate_netlist(
    netlist: Path,
    top: str,
    family: str,
    inputs: Sequence[Frames],
    out_beats: int,
    out_bytes: int,
    folder: Path,
    seconds: float = SECONDS,
    say: Say = silent,
) -> list[NetlistRun]:
    """Run a written netlist; see :func:`netlist_simulation`."""
    if family not in MODELS:
        raise ToolError(f"no cell models for the family {family}; there are for {', '.join(MODELS)}")
    models = [HERE / "models" / name for name in MODELS[family]]
    say("netlist simulation: compiling")
    sources = [netlist, *models]
    return _simulate(sources, "netlist", top, inputs, out_beats, out_bytes, folder, seconds, say)


def _simulate(
    sources: Sequence[Path],
    name: str,
    top: str,
    inputs: Sequence[Frames],
    out_beats: int,
    out_bytes: int,
    folder: Path,
    seconds: float,
    say: Say,
) -> list[NetlistRun]:
    count = len(inputs[0].beats)
    if any(len(i.beats) != count for i in inputs) or not count:
        raise AssertionError("every input of a netlist takes the same number of frames, at least one")
    harness = folder / f"{name}_harness.cpp"
    ports = [{"port": i.port, "beats": i.beats.shape[1], "bytes": i.beats.shape[2]} for i in inputs]
    values = {"top": top, "inputs": ports, "out_beats": out_beats, "out_bytes": out_bytes, "patience": PATIENCE}
    harness.write_text(render("netlist_harness.cpp.j2", **values))
    build = (folder / f"{name}_sim").resolve()
    program = verilator.build([s.resolve() for s in sources], top, build, harness.resolve(), OPTIONS)
    files = []
    for entry in inputs:
        files.append((folder / f"{name}_{entry.port}.bin").resolve())
        files[-1].write_bytes(np.ascontiguousarray(entry.beats, np.uint8).tobytes())
    runs = []
    for seed, percent in enumerate(STALLS):
        target = (folder / f"{name}_out.bin").resolve()
        command: list[str | Path] = [program, str(count), str(percent), str(seed + 1), str(seconds), target, *files]
        where = sources[0].parent  # where $readmemh of the RTL finds its data
        text = run_tool(command, where, folder / f"{name}_run{percent}.log", 3600.0 + 10 * seconds, say=say)
        facts = json.loads(text.splitlines()[-1])
        beats = np.frombuffer(target.read_bytes(), np.uint8).reshape(facts["frames"], out_beats, out_bytes)
        runs.append(NetlistRun(beats, percent, facts["cycles"]))
    return runs
