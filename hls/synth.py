"""Synthesises a written project with the open tools of its board's family, and reads what came out.

Map with yosys, run the mapped netlist against ``execute``, place and route it
with nextpnr where that knows the family, pack the bitstream where the board has
a complete top.  Finished steps are kept in ``synth/``: a run that was killed
goes on after the last of them.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bitsmith.hls.backends.base import project_files, read_manifest
from bitsmith.hls.backends.rtl.names import Names
from bitsmith.hls.config import Board, Device
from bitsmith.hls.netlist_check import NetlistResult, check_netlist
from bitsmith.hls.placement import Placed, board_cover, place, wrapper
from bitsmith.hls.results import SynthReport
from bitsmith.hls.tools import nextpnr
from bitsmith.hls.tools.cells import TABLES, Hierarchy, Used, breakdown, used
from bitsmith.hls.tools.drivers import usable_driver
from bitsmith.hls.tools.run import Say, silent
from bitsmith.hls.tools.yosys import FLAT, Mapping, map_design
from bitsmith.models.ir.errors import InputError

FOLDER = "synth"
"""Subfolder of the project that keeps scripts, logs and reports."""

REST = "axi4_stream"
"""Row of what stands in no op's module: the stream interface and delay lines."""


@dataclass(frozen=True)
class _Run:
    """What the steps found."""

    board: str
    device: Device
    mapping: Mapping
    cells: dict[str, int]
    total: Used
    layers: dict[str, int]
    checked: NetlistResult | None = None
    placed: Placed | None = None


def synthesize(project: Path, board: Board, say: Say = silent, area_only: bool = False) -> SynthReport:
    """Map, simulate and place the project's RTL for ``board``; see the module.  ``area_only`` maps and counts.

    Where the board's own tool is a vendor's and is there, that tool does it instead.

    Totals are of the flattened design, ``layers`` of a run that keeps the
    modules (what crosses their borders is not optimised there, so the rows may
    add up to more than the total).  A netlist that differs from ``execute``, a
    design that does not fit and a missed clock are in the report, no errors.
    InputError if the folder holds no RTL project, ToolError if a tool is missing
    or fails, or the family has no open synthesis.
    """
    manifest = read_manifest(project)
    folder = project / FOLDER
    driver = None if area_only else usable_driver(board)
    if driver is not None:
        say(f"{board.tool}: synthesis, place and route for {board.device.name}; this takes minutes to hours")
        return driver.run(project, manifest, board, folder)
    began = time.monotonic()
    run = _map(project, manifest, board, folder, say)
    if not area_only:
        run = _prove_and_place(project, manifest, board, run, folder, say)
    return _report(run, time.monotonic() - began)


def _map(project: Path, manifest: dict[str, Any], board: Board, folder: Path, say: Say) -> _Run:
    files, top = _sources(project, manifest)
    folder.mkdir(exist_ok=True)
    device = board.device
    blocks = manifest["backend"] != "rtl-unrolled"  # it multiplies by constants and stores nothing but registers
    op_of = _module_of_op(manifest, project)
    kept = [path.stem for path in files if path.stem in op_of]  # one module per file, of the file's name
    data = [project / name for name in manifest.get("data", [])]
    say(f"yosys: mapping {top} for {device.name}")
    mapping = map_design(files, top, kept, device.family, device.name, blocks, folder, data, say)
    cells = Hierarchy(mapping.flat).flat(top)
    layers = layer_luts(Hierarchy(mapping.hierarchical), top, op_of, device.family)
    return _Run(board.name, device, mapping, cells, used(cells, device.family), layers)


def _prove_and_place(project: Path, manifest: dict[str, Any], board: Board, run: _Run, folder: Path, say: Say) -> _Run:
    """The netlist against ``execute``, then place and route; a wrong or too large one is not placed."""
    device, top = run.device, str(manifest["top"])
    say("simulating the mapped netlist against execute")
    checked = check_netlist(project, manifest, folder / f"{FLAT}.v", device.family, folder, say=say)
    run = replace(run, checked=checked)
    if checked.mismatch or not nextpnr.supported(device) or not _fits(run.total, device):
        return run
    whole = "board_top" in manifest
    cover = board_cover(project, manifest, folder) if whole else wrapper(folder, top, board)
    clock = manifest.get("board_top", {}).get("clock_mhz", manifest["clock_mhz"])
    placed = place(cover, top, device, float(clock), folder, Names(manifest["net"]).net, say)
    return replace(run, placed=placed)


def _report(run: _Run, seconds: float) -> SynthReport:
    checked, placed, total = run.checked, run.placed, run.total
    done = placed.placement if placed else None
    packed = placed.packed if placed else None
    tools = {"yosys": run.mapping.version}
    tools |= {checked.engine.split()[0]: checked.engine.split()[-1]} if checked else {}
    tools |= {done.tool: done.version} if done else {}
    tools |= {packed.program: packed.version} if packed else {}
    fits = _fits(total, run.device)
    return SynthReport(
        tool="yosys",
        version=run.mapping.version,
        lut=total.lut,
        ff=total.ff,
        dsp=total.dsp,
        bram=total.bram,
        fmax_mhz=min(done.clocks_mhz.values()) if done and done.clocks_mhz else None,
        fits=placed.fits if placed else fits,
        bitstream=f"{FOLDER}/{packed.bitstream.name}" if packed else None,
        seconds=seconds,
        layers=run.layers,
        sources=_origins(run),
        tools=tools,
        binding=placed.binding if placed and not placed.fits else _binding(total, run.device),
        netlist_exact=None if checked is None else not checked.mismatch,
        netlist_samples=checked.samples if checked else 0,
        netlist_mismatch=checked.mismatch if checked else "",
        place_and_route=done,
    )


def _sources(project: Path, manifest: dict[str, Any]) -> tuple[list[Path], str]:
    names, top = manifest.get("rtl"), manifest.get("top")
    if not names or not top:
        raise InputError(f"{project} holds no RTL: its manifest names no rtl and top; its vendor's tool must build it")
    project_files(project, manifest.get("data", ()))
    return project_files(project, names), str(top)


def _shares(total: Used, device: Device) -> dict[str, float]:
    """Resource -> used over there; more than all where the device has none of it."""
    pairs = {name: (getattr(total, name), getattr(device, name)) for name in ("lut", "ff", "dsp", "bram")}
    return {name: used / there if there else used * math.inf if used else 0.0 for name, (used, there) in pairs.items()}


def _binding(total: Used, device: Device) -> str:
    """The resource with the largest share of the device."""
    shares = _shares(total, device)
    return max(shares, key=lambda name: shares[name])


def _fits(total: Used, device: Device) -> bool:
    return max(_shares(total, device).values()) <= 1.0


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


def _origins(run: _Run) -> dict[str, str]:
    table, report, family = TABLES[run.device.family], f"{FOLDER}/flat.json", run.device.family
    cells, tool = run.cells, f"yosys {run.mapping.version}"
    others = {n: k for n, k in cells.items() if not n.startswith("$") and not any(vars(used({n: 2}, family)).values())}
    found = {
        name: f"{report}: {breakdown(cells, getattr(table, name))} ({tool})" for name in ("lut", "ff", "dsp", "bram")
    }
    found["not counted"] = f"{report}: {', '.join(f'{n} {k}' for n, k in sorted(others.items())) or 'none'} ({tool})"
    found["layers"] = f"{FOLDER}/hierarchical.json ({tool})"
    found["command"] = run.mapping.command
    if run.checked:
        found["netlist_exact"] = f"{FOLDER}/{FLAT}.v on cell models, against execute ({run.checked.engine})"
    return found | _placed_origins(run)


def _placed_origins(run: _Run) -> dict[str, str]:
    if run.placed is None:
        return {"fmax_mhz": _why_not_placed(run), "bitstream": "none: not placed"}
    done, packed = run.placed.placement, run.placed.packed
    kind = "between shift registers, out of context" if done.wrapped else "complete, with the board's pins"
    text = f"{FOLDER}/{run.placed.report}: {done.top}, {kind} ({done.tool} {done.version})"
    found = {"fmax_mhz": text, "fits": text, "place_and_route": text}
    if packed:
        found["bitstream"] = f"{FOLDER}/{packed.bitstream.name} ({packed.program} {packed.version})"
    elif done.wrapped:
        found["bitstream"] = f"none: the project has no complete top for {run.board}"
    return found


def _why_not_placed(run: _Run) -> str:
    if run.checked and run.checked.mismatch:
        return "none: the mapped netlist is wrong, so it was not placed"
    if not _fits(run.total, run.device):
        return "none: larger than the device by yosys's count, so it was not placed"
    if not nextpnr.supported(run.device):
        text = f"none: yosys does not place and route, and there is no open place and route for {run.device.family}"
        depth = run.mapping.depth
        return (
            text
            if depth is None
            else f"{text}; {depth} LUTs and carry blocks between registers (ltp, {FOLDER}/depth.txt)"
        )
    return "none: yosys does not place and route"
