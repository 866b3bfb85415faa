"""Writes the project folder of a design."""

from __future__ import annotations

from pathlib import Path

from bitsmith.hls.backends.base import write_manifest
from bitsmith.hls.backends.rtl.render import LIB, render
from bitsmith.hls.backends.rtl.unrolled.design import Design
from bitsmith.hls.backends.rtl.unrolled.modules import ModuleWriter, Names, RtlText
from bitsmith.hls.config import HwConfig
from bitsmith.hls.results import Project
from bitsmith.models.ir.types import IntArray


def write_project(design: Design, hw: HwConfig, out: Path, vectors: IntArray, backend: str) -> Project:
    """Everything into ``out``; see the README template for what lies where."""
    names = Names(design.net.name)
    writer = ModuleWriter(design, names)
    text = writer.run()
    files: dict[str, str] = {f"rtl/{name}.sv": (LIB / f"{name}.sv").read_text() for name in text.primitives}
    for name, body in text.modules.items():
        files[f"{'sim' if name == names.taps else 'rtl'}/{name}.sv"] = body
    values = writer.top_values()
    taps_bits = text.taps[-1].start + text.taps[-1].bits
    files["sim/harness.cpp"] = render("harness.cpp.j2", **{**values, "module": names.axis}, taps_bytes=0)
    files["sim/harness_taps.cpp"] = render(
        "harness.cpp.j2", **{**values, "module": names.taps}, taps_bytes=(taps_bits + 7) // 8
    )
    for name, body in files.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body)
    rtl = [name for name in files if name.startswith("rtl/")]
    write_manifest(out, design.net, hw, _facts(design, names, text, rtl))
    return Project(out, backend, tuple(files))


def _facts(design: Design, names: Names, text: RtlText, rtl: list[str]) -> dict[str, object]:
    taps = []
    for tap in text.taps:
        p = design.placed[tap.name]
        taps.append(
            {
                "op": tap.name,
                "start": tap.start,
                "bits": tap.bits,
                "element_bits": p.layer.bits,
                "signed": p.layer.signed,
                "stage": p.stage,
                "offset": p.layer.offset.tolist(),
            }
        )
    return {
        "latency_cycles": design.latency_cycles,
        "ii_cycles": 1,
        "top": names.axis,
        "taps_top": names.taps,
        "rtl": rtl,
        "taps": taps,
    }
