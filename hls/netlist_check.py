"""A project's mapped netlist against ``execute``: mapping can change a design without an error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bitsmith.hls.backends.rtl.packing import pack_rows, row_bytes, unpack_rows
from bitsmith.hls.tools.netlist import SECONDS, Frames, NetlistRun, simulate_netlist
from bitsmith.hls.tools.run import Say, silent
from bitsmith.hls.tools.verilator import need_verilator
from bitsmith.hls.verify import load_net, verification_inputs
from bitsmith.models.ir import Op, execute
from bitsmith.models.ir.errors import InputError
from bitsmith.models.ir.types import IntArray

SAMPLES = 64
"""Frames at most; :data:`bitsmith.hls.tools.netlist.SECONDS` ends a slow design earlier."""

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Stream:
    """How a frame of ``size`` integers goes over a stream: ``beats`` of ``lanes`` integers of ``bits`` bits."""

    size: int
    beats: int
    lanes: int
    bits: int
    signed: bool
    bytes: int

    def pack(self, values: IntArray) -> Bytes:
        """(n, ...) integers to (n, beats, bytes)."""
        flat = np.zeros((len(values), self.beats * self.lanes), np.int64)
        flat[:, : self.size] = np.asarray(values).reshape(len(values), self.size)
        rows = pack_rows(flat.reshape(-1, self.lanes), self.bits)
        out = np.zeros((len(rows), self.bytes), np.uint8)
        out[:, : rows.shape[1]] = rows
        return out.reshape(len(values), self.beats, self.bytes)

    def difference(self, want: Bytes, got: Bytes) -> str:
        """The first difference of (n, beats, bytes) by row, beat and lane; empty if there is none."""
        places = np.argwhere((want != got).any(axis=2))
        if not len(places):
            return ""
        row, beat = (int(i) for i in places[0])
        pair = [unpack_rows(b[row, beat][None], self.lanes, self.bits, self.signed)[0] for b in (want, got)]
        lanes = np.flatnonzero(pair[0] != pair[1])
        if not len(lanes):
            return f"row {row}, beat {beat}: the padding above the last lane is not zero"
        lane = int(lanes[0])
        return f"row {row}, beat {beat}, lane {lane}: expected {pair[0][lane]}, got {pair[1][lane]}"


def stream_of(op: Op, stated: dict[str, Any] | None) -> Stream:
    """The stream of the net's input or output, as the manifest states it; else one beat with all elements."""
    size = math.prod(op.shape)
    if stated is None:
        kind = op.type
        return Stream(size, 1, size, kind.bits, kind.signed, row_bytes(size, kind.bits))
    found = Stream(size, **{key: stated[key] for key in ("beats", "lanes", "bits", "signed", "bytes")})
    if found.beats * found.lanes < size or found.bytes < row_bytes(found.lanes, found.bits):
        raise InputError(f"the manifest's stream of {op.name} does not hold its {size} elements; emit the project anew")
    return found


@dataclass(frozen=True)
class NetlistResult:
    """``samples`` frames of the shortest run were compared; ``mismatch`` is empty if all were equal."""

    samples: int
    mismatch: str
    engine: str  # simulator and version


def check_netlist(
    project: Path,
    manifest: dict[str, Any],
    netlist: Path,
    family: str,
    folder: Path,
    seconds: float = SECONDS,
    say: Say = silent,
) -> NetlistResult:
    """Run the mapped ``netlist`` of a project at full load and with stalls, compare with == with ``execute``.

    ToolError if a cell has no model, or the handshake of the netlist hangs.
    """
    net = load_net(project)
    x = verification_inputs(project, net, SAMPLES, int(manifest.get("seed", 0)))
    stated = manifest.get("stream", {})
    taken, given = stream_of(net.input, stated.get("input")), stream_of(net.output, stated.get("output"))
    frames = Frames("s_axis", taken.pack(x))
    runs = simulate_netlist(netlist, manifest["top"], family, [frames], given.beats, given.bytes, folder, seconds, say)
    want = given.pack(execute(net, x))
    engine = f"Verilator {need_verilator().version}"
    for run in runs:
        text = given.difference(want[: len(run.beats)], run.beats)
        if text:
            return NetlistResult(len(run.beats), f"{text} ({_load(run)})", engine)
    return NetlistResult(min(len(run.beats) for run in runs), "", engine)


def _load(run: NetlistRun) -> str:
    return f"stalls of {run.stall_percent} % on both sides" if run.stall_percent else "full load"
