"""Writes the project folder of a folded design."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path

import numpy as np

from bitsmith import __version__
from bitsmith.hls.backends.base import write_files, write_manifest
from bitsmith.hls.backends.rtl.folded.design import StreamType
from bitsmith.hls.backends.rtl.folded.modules import FoldedText, ModuleWriter
from bitsmith.hls.backends.rtl.folded.plan import FoldedDesign
from bitsmith.hls.backends.rtl.host.project import host_files
from bitsmith.hls.backends.rtl.names import BANNER, Names
from bitsmith.hls.backends.rtl.overlay.files import overlay_files
from bitsmith.hls.backends.rtl.packing import Bytes, hex_rows, pack_rows, unpack_rows
from bitsmith.hls.backends.rtl.render import LIB, render
from bitsmith.hls.config import HwConfig
from bitsmith.hls.results import Project
from bitsmith.models.ir import content_hash, execute
from bitsmith.models.ir.errors import InputError
from bitsmith.models.ir.types import IntArray

TB_CYCLES = 200_000
"""Golden frames of the testbench: as many as take so many cycles, 4 at least, 200 at most."""


def stream_rows(values: IntArray, stream: StreamType) -> Bytes:
    """(n, *shape) integers to the beats of ``n`` frames: (n * beats, bytes)."""
    return pack_rows(np.asarray(values, np.int64).reshape(-1, stream.lanes), stream.bits)


def stream_values(rows: Bytes, stream: StreamType, shape: tuple[int, ...]) -> IntArray:
    """Inverse of :func:`stream_rows`."""
    return unpack_rows(rows, stream.lanes, stream.bits, stream.signed).reshape(-1, *shape)


def stream_facts(stream: StreamType) -> dict[str, int]:
    """A stream as the manifest says it."""
    return {**asdict(stream), "bytes": stream.bytes}


def write_project(design: FoldedDesign, hw: HwConfig, out: Path, vectors: IntArray) -> Project:
    """Everything into ``out``, which is made if needed; the README template says what lies where."""
    names = Names(design.net.name)
    text = ModuleWriter(design.structure, design.depths, names).run()
    files = {f"rtl/{name}.sv": (LIB / f"{name}.sv").read_text() for name in text.primitives}
    files |= {f"rtl/{name}.sv": body for name, body in text.modules.items()}
    rtl = list(files)
    files |= {f"rtl/{name}": body for name, body in text.roms.items()}
    data = [name for name in files if name not in rtl]
    files |= _testbench(design, names, vectors)
    files["sim/bitsmith_tap.sv"] = (LIB / "bitsmith_tap.sv").read_text()
    values = _values(design, names, hw)
    files["sim/harness.cpp"] = render("stream.cpp.j2", **values)
    files["vivado/build.tcl"] = render("vivado.tcl.j2", **values)
    files[f"vivado/{names.axis}.xdc"] = render("constraints.xdc.j2", **values)
    files[f"{names.net}.core"] = render("fusesoc.core.j2", **values, rtl=rtl, data=data)
    files["README.md"] = render("readme_folded.md.j2", **values)
    stream = {"input": stream_facts(design.structure.input), "output": stream_facts(design.structure.output)}
    host = host_files(design.net, hw, stream, names.axis, vectors)
    files |= host.files if host else {}
    files |= overlay_files(stream, names.axis, rtl, data, hw, names.net)
    write_files(out, files)
    facts = _facts(design, names, text, rtl, data) | {"stream": stream}
    write_manifest(out, design.net, hw, facts | ({"board_top": host.entry} if host else {}))
    return Project(out, hw.backend, (*files, "net/net.json", "net/net.npz", "project.json"))


def _values(design: FoldedDesign, names: Names, hw: HwConfig) -> dict[str, object]:
    s = design.structure
    scales = {"in_scale": design.net.input.type, "out_scale": design.net.output.type}
    return {
        "banner": BANNER.removeprefix("// "),
        "net": design.net.name,
        "net_name": names.net,
        "module": names.axis,
        "axis": names.axis,
        "core": names.core,
        "tb": names.tb,
        "inputs": [{"port": "s_axis", **stream_facts(s.input)}],
        "input": s.input,
        "output": s.output,
        "patience": design.cycles.latency_cycles + 20 * design.cycles.ii_cycles + 1000,
        "latency": design.cycles.latency_cycles,
        "ii": design.cycles.ii_cycles,
        "period_ns": f"{hw.clock_ns:.3f}",
        "clock_mhz": f"{hw.clock_mhz:g}",
        "device": hw.board.device.name,
        "part": hw.board.device.part,
        "board": hw.board.name,
        "sha256": content_hash(design.net),
        "rows": design.rows(),
        **{key: "its channel's scale" if t.is_per_channel else f"{t.scales[0]:g}" for key, t in scales.items()},
    }


def _testbench(design: FoldedDesign, names: Names, vectors: IntArray) -> dict[str, str]:
    frames = min(200, max(4, TB_CYCLES // design.cycles.ii_cycles))
    x = np.asarray(vectors)[:frames]
    if not len(x):
        raise InputError(f"{design.net.name}: the testbench needs at least one row of vectors")
    s = design.structure
    predicted = design.cycles.predict(len(x))
    text = render(
        "tb_stream.sv.j2",
        banner=BANNER,
        axis=names.axis,
        module=names.tb,
        frames=len(x),
        input=s.input,
        output=s.output,
        latency=predicted[0],
        last=predicted[-1],
        patience=predicted[0] + 20 * design.cycles.ii_cycles + 1000,
    )
    return {
        f"tb/{names.tb}.sv": text,
        "tb/rows.hex": hex_rows(stream_rows(x, s.input)),
        "tb/results.hex": hex_rows(stream_rows(execute(design.net, x), s.output)),
    }


def _facts(design: FoldedDesign, names: Names, text: FoldedText, rtl: list[str], data: list[str]) -> dict[str, object]:
    """What the manifest says beyond the common part."""
    return {
        "latency_cycles": design.cycles.latency_cycles,
        "ii_cycles": design.cycles.ii_cycles,
        "done_cycles": list(design.cycles.done),
        "distance_cycles": list(design.cycles.distances),
        "versions": {"bitsmith": __version__},
        "top": names.axis,
        "core": names.core,
        "testbench": names.tb,
        "rtl": rtl,
        "data": data,
        "modules": text.module_of,
        "taps": [asdict(tap) for tap in text.taps],
        "folding": {name: asdict(fold) for name, fold in design.folding.items()},
        "fifos": {f"{e.producer} -> {e.consumer or 'output'}": depth for e, depth in design.depths.items()},
        "elements": {"input": math.prod(design.net.input.shape), "output": math.prod(design.net.output.shape)},
    }
