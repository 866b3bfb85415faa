"""Writes the project folder of a design."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bitsmith import __version__
from bitsmith.hls.backends.base import write_files, write_manifest
from bitsmith.hls.backends.rtl.host.project import host_files
from bitsmith.hls.backends.rtl.names import BANNER, Names
from bitsmith.hls.backends.rtl.overlay.files import overlay_files
from bitsmith.hls.backends.rtl.packing import hex_rows, pack_rows, row_bytes
from bitsmith.hls.backends.rtl.render import LIB, render
from bitsmith.hls.backends.rtl.unrolled.adder_graph import status
from bitsmith.hls.backends.rtl.unrolled.design import Design
from bitsmith.hls.backends.rtl.unrolled.modules import ModuleWriter, RtlText
from bitsmith.hls.backends.rtl.unrolled.plan import plan_of
from bitsmith.hls.config import HwConfig
from bitsmith.hls.results import Project
from bitsmith.models.ir import QNet, content_hash, execute
from bitsmith.models.ir.errors import InputError
from bitsmith.models.ir.types import IntArray

TB_ROWS = 200
"""Golden rows of the testbench at most."""


def write_project(design: Design, hw: HwConfig, out: Path, vectors: IntArray) -> Project:
    """Everything into ``out``, which is made if needed; the README template says what lies where."""
    names = Names(design.net.name)
    writer = ModuleWriter(design, names)
    text = writer.run()
    values = writer.top_values() | _hardware_values(design, names, hw)
    files = {f"rtl/{name}.sv": (LIB / f"{name}.sv").read_text() for name in text.primitives}
    for name, body in text.modules.items():
        files[f"{'sim' if name == names.taps else 'rtl'}/{name}.sv"] = body
    rtl = list(files)
    rtl.remove(f"sim/{names.taps}.sv")
    files |= _testbench(design.net, values, vectors)
    files |= _harnesses(values, text)
    files["vivado/build.tcl"] = render("vivado.tcl.j2", **values)
    files[f"vivado/{names.axis}.xdc"] = render("constraints.xdc.j2", **values)
    files[f"{names.net}.core"] = render("fusesoc.core.j2", **values, rtl=rtl)
    files["README.md"] = render("readme.md.j2", **values)
    stream = _stream(design)
    host = host_files(design.net, hw, stream, names.axis, vectors)
    files |= host.files if host else {}
    files |= overlay_files(stream, names.axis, rtl, [], hw, names.net)
    write_files(out, files)
    facts = _facts(design, names, text, rtl) | {"stream": stream}
    write_manifest(out, design.net, hw, facts | ({"board_top": host.entry} if host else {}))
    return Project(out, hw.backend, (*files, "net/net.json", "net/net.npz", "project.json"))


def _hardware_values(design: Design, names: Names, hw: HwConfig) -> dict[str, object]:
    rows = plan_of(design).layers
    scales = {"in_scale": design.net.input.type, "out_scale": design.net.output.type}
    return {
        "banner": BANNER.removeprefix("// "),
        "net_name": names.net,
        "tb": names.tb,
        "taps": names.taps,
        "period_ns": f"{hw.clock_ns:.3f}",
        "clock_mhz": f"{hw.clock_mhz:g}",
        "latency_ns": f"{design.latency_cycles * hw.clock_ns:.1f}",
        "critical_ns": f"{max(row.critical_ns for row in rows):.2f}",
        "delay_source": design.delays.source,
        "device": hw.board.device.name,
        "part": hw.board.device.part,
        "board": hw.board.name,
        "sha256": content_hash(design.net),
        "layers": rows,
        **{key: "its channel's scale" if t.is_per_channel else f"{t.scales[0]:g}" for key, t in scales.items()},
    }


def _stream(design: Design) -> dict[str, dict[str, int]]:
    """How a row becomes the beat of either port, and back."""
    sides = {}
    for side, op in {"input": design.net.input, "output": design.net.output}.items():
        layer = design.placed[op.name].layer
        size = row_bytes(layer.size, layer.bits)
        sides[side] = {"beats": 1, "lanes": layer.size, "bits": layer.bits, "signed": layer.signed, "bytes": size}
    return sides


def _testbench(net: QNet, values: dict[str, object], vectors: IntArray) -> dict[str, str]:
    x = np.asarray(vectors)[:TB_ROWS]
    if not len(x):
        raise InputError(f"{net.name}: the testbench needs at least one row of vectors")
    y = execute(net, x)
    banner = {"banner": BANNER, "module": values["tb"], "rows": len(x)}
    return {
        f"tb/{values['tb']}.sv": render("tb.sv.j2", **(values | banner)),
        "tb/rows.hex": hex_rows(pack_rows(x.reshape(len(x), -1), net.input.type.bits)),
        "tb/results.hex": hex_rows(pack_rows(y.reshape(len(y), -1), net.output.type.bits)),
    }


def _harnesses(values: dict[str, object], text: RtlText) -> dict[str, str]:
    taps_bits = text.taps[-1].start + text.taps[-1].bits
    plain = values | {"module": values["axis"], "taps_bytes": 0}
    tapped = values | {"module": values["taps"], "taps_bytes": (taps_bits + 7) // 8}
    return {
        "sim/harness.cpp": render("harness.cpp.j2", **plain),
        "sim/harness_taps.cpp": render("harness.cpp.j2", **tapped),
    }


def _facts(design: Design, names: Names, text: RtlText, rtl: list[str]) -> dict[str, object]:
    """What the manifest says beyond the common part; ``taps`` is how to read the simulation's taps."""
    taps = []
    for tap in text.taps:
        p = design.placed[tap.name]
        facts = {"start": tap.start, "bits": tap.bits, "element_bits": p.layer.bits, "signed": p.layer.signed}
        taps.append({"op": tap.name, "stage": p.stage, "offset": p.layer.offset.tolist(), **facts})
    return {
        "latency_cycles": design.latency_cycles,
        "ii_cycles": 1,
        "versions": {"bitsmith": __version__, "da4ml": status().version},
        "top": names.axis,
        "core": names.core,
        "testbench": names.tb,
        "taps_top": names.taps,
        "rtl": rtl,
        "taps": taps,
    }
