"""Synthesises a written project with the open tool of its board's family, and reads what came out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from bitsmith.hls.backends.base import read_manifest
from bitsmith.hls.config import Board, Device
from bitsmith.hls.results import SynthReport
from bitsmith.hls.tools.cells import TABLES, Hierarchy, Used, breakdown, used
from bitsmith.hls.tools.yosys import Mapping, map_design
from bitsmith.models.ir.errors import InputError

FOLDER = "synth"
"""Subfolder of the project that keeps script, log and reports."""

REST = "axi4_stream"
"""Row of what stands in no op's module: the stream interface and delay lines."""


def synthesize(project: Path, board: Board) -> SynthReport:
    """Map the project's RTL for ``board`` out of context; place and route is not run.

    Totals are of the flattened design, ``layers`` of a run that keeps the
    modules (what crosses their borders is not optimised there, so the rows may
    add up to more than the total).  InputError if the folder holds no RTL
    project, ToolError if yosys is missing or fails, or the family has no open
    synthesis.
    """
    manifest = read_manifest(project)
    files, top = _sources(project, manifest)
    folder = project / FOLDER
    folder.mkdir(exist_ok=True)
    device = board.device
    began = time.monotonic()
    blocks = manifest["backend"] != "rtl-unrolled"  # it multiplies by constants and stores nothing but registers
    op_of = _module_of_op(manifest, project)
    kept = [path.stem for path in files if path.stem in op_of]  # one module per file, of the file's name
    mapping = map_design(files, top, kept, device.family, device.name, blocks, folder)
    seconds = time.monotonic() - began
    cells = Hierarchy(mapping.flat).flat(top)
    total = used(cells, device.family)
    return SynthReport(
        tool="yosys",
        version=mapping.version,
        lut=total.lut,
        ff=total.ff,
        dsp=total.dsp,
        bram=total.bram,
        fmax_mhz=None,
        fits=_fits(total, device),
        bitstream=None,
        seconds=seconds,
        layers=layer_luts(Hierarchy(mapping.hierarchical), top, op_of, device.family),
        sources=_origins(cells, device.family, mapping),
    )


def _sources(project: Path, manifest: dict[str, Any]) -> tuple[list[Path], str]:
    names, top = manifest.get("rtl"), manifest.get("top")
    if not names or not top:
        raise InputError(f"{project} holds no RTL: its manifest names no rtl and top; its vendor's tool must build it")
    files = [project / name for name in names]
    missing = [str(path) for path in files if not path.is_file()]
    if missing:
        raise InputError(f"{project} is not complete: {', '.join(missing)} missing; emit it anew")
    return files, str(top)


def _fits(total: Used, device: Device) -> bool:
    return all(getattr(total, name) <= getattr(device, name) for name in ("lut", "ff", "dsp", "bram"))


def _module_of_op(manifest: dict[str, Any], project: Path) -> dict[str, str]:
    """Module -> op: as the manifest says, else ``<design>_<op>`` for every op of the net in the project."""
    stated = manifest.get("modules")
    if stated:
        return {str(module): str(op) for op, module in stated.items()}
    from bitsmith.models.ir import load

    prefix = str(manifest["top"]).removesuffix("_axis").removesuffix("_core")
    return {f"{prefix}_{op.name}": op.name for op in load(project / "net").ops}


def layer_luts(tree: Hierarchy, top: str, op_of: dict[str, str], family: str) -> dict[str, int]:
    """LUTs per op in the order of ``op_of``, everything below its module included; then the rest."""
    total = used(tree.flat(top), family).lut
    instances = tree.instances(top)
    rows: dict[str, int] = {}
    for module, op in op_of.items():
        if module in instances:
            rows[op] = rows.get(op, 0) + instances[module] * used(tree.flat(module), family).lut
    return {**rows, REST: total - sum(rows.values())}


def _origins(cells: dict[str, int], family: str, mapping: Mapping) -> dict[str, str]:
    table = TABLES[family]
    report = f"{FOLDER}/flat.json"
    others = {n: k for n, k in cells.items() if not n.startswith("$") and not any(vars(used({n: 2}, family)).values())}
    return {
        "lut": f"{report}: {breakdown(cells, table.lut)}",
        "ff": f"{report}: {breakdown(cells, table.ff)}",
        "dsp": f"{report}: {breakdown(cells, table.dsp)}",
        "bram": f"{report}: {breakdown(cells, table.bram)}",
        "not counted": f"{report}: {', '.join(f'{n} {k}' for n, k in sorted(others.items())) or 'none'}",
        "layers": f"{FOLDER}/hierarchical.json",
        "fmax_mhz": "none: yosys does not place and route",
        "command": mapping.command,
    }
