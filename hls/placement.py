"""Place and route of a mapped design, inside a wrapper or the board's complete top, to the bitstream."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bitsmith.hls.config import Board, Device
from bitsmith.hls.results import Placement
from bitsmith.hls.tools import nextpnr
from bitsmith.hls.tools.cells import Hierarchy, used
from bitsmith.hls.tools.nextpnr import Routed, place_and_route
from bitsmith.hls.tools.pack import Packed, pack
from bitsmith.hls.tools.render import HERE, render
from bitsmith.hls.tools.run import Say, silent
from bitsmith.hls.tools.yosys import Port, cover_design, mapped_ports
from bitsmith.models.ir.errors import InputError

WRAPPER = "bitsmith_wrap"
SERIAL = ("bitsmith_serial_in.sv", "bitsmith_serial_out.sv")
CLOCK = "aclk"


@dataclass(frozen=True)
class Cover:
    """What stands around the design: its sources, its module, and its pin constraints if it has any."""

    name: str  # of the files of its run
    top: str
    wrapped: bool  # out of context, not a board's top
    sources: tuple[Path, ...]
    constraints: str | None
    data: tuple[Path, ...] = ()  # files of $readmemh, beside the sources


@dataclass(frozen=True)
class Placed:
    """A placement, the resource that binds, and the bitstream where the board's top was placed."""

    placement: Placement
    binding: str
    fits: bool | None  # None: only the wrapper is too much
    packed: Packed | None
    report: str  # file that the figures come from, in the folder


def wrapper(folder: Path, top: str, board: Board) -> Cover:
    """The wrapper of a design by shift registers, written into ``folder``."""
    ports = mapped_ports(folder, top)
    sides: dict[str, list[dict[str, Any]]] = {"in": [], "out": []}
    widths = {"in": 0, "out": 0}
    for port in ports:
        if port.name != CLOCK:
            side = "in" if port.direction == "input" else "out"
            sides[side].append({"name": port.name, "bits": port.bits, "side": side, "start": widths[side]})
            widths[side] += port.bits
    _need_clock(ports, top)
    text = render(
        "wrap.sv.j2",
        top=top,
        wrap=WRAPPER,
        clock=CLOCK,
        in_bits=widths["in"],
        out_bits=widths["out"],
        ports=sides["in"] + sides["out"],
    )
    (folder / f"{WRAPPER}.sv").write_text(text)
    sources = (*(HERE / "wrap" / name for name in SERIAL), folder / f"{WRAPPER}.sv")
    constraints = None
    if board.device.family in ("gowin", "gw5a"):  # the others' pins are chosen by nextpnr
        constraints = "wrap.cst"
        ports_of = ("load", "serial_in", "serial_out")
        pins = [("clk", board.clock_pin), *zip(ports_of, nextpnr.gowin_pins(board.device.part), strict=True)]
        (folder / constraints).write_text(render("wrap.cst.j2", pins=pins))
    return Cover("wrap", WRAPPER, True, sources, constraints)


def _need_clock(ports: list[Port], top: str) -> None:
    if not any(p.name == CLOCK and p.direction == "input" for p in ports):
        raise InputError(f"module {top} has no clock input {CLOCK}; emit the project anew")


def board_cover(project: Path, manifest: dict[str, Any], folder: Path) -> Cover:
    """The board's complete top of a project; its constraints are copied into ``folder``."""
    board = manifest["board_top"]
    sources = tuple(project / name for name in board["rtl"])
    constraints = project / board["constraints"]
    missing = [str(path) for path in (*sources, constraints) if not path.is_file()]
    if missing:
        raise InputError(f"{project} is not complete: {', '.join(missing)} missing; emit it anew")
    shutil.copy(constraints, folder / f"board{constraints.suffix}")
    data = tuple(project / name for name in board.get("data", []))
    return Cover("board", board["top"], False, sources, f"board{constraints.suffix}", data)


def place(
    cover: Cover,
    top: str,
    device: Device,
    clock_mhz: float,
    folder: Path,
    bitstream: str,
    say: Say = silent,
) -> Placed:
    """Put the flat netlist of ``top`` in ``folder`` into its cover, place, route and, for a board's top, pack it."""
    began = time.monotonic()
    wrapped = cover.wrapped
    say(f"mapping {cover.top} around {top}")
    chip = (device.family, device.name)
    netlist = cover_design(cover.sources, cover.top, top, *chip, folder, cover.name, cover.data, say)
    stat = Hierarchy(json.loads((folder / f"{cover.name}-cover.json").read_text()))
    around = {name: n for name, n in stat.flat(cover.top).items() if name != top}
    added = vars(used(around, device.family))
    say(f"place and route of {cover.top} at {clock_mhz:g} MHz")
    routed = place_and_route(netlist, device, clock_mhz, folder, cover.constraints, say)
    packed = None
    if routed.output is not None and not wrapped:
        packed = pack(routed.output, device, folder, bitstream)
    placement = Placement(
        top=cover.top,
        wrapped=wrapped,
        tool=routed.program,
        version=routed.version,
        target_mhz=clock_mhz,
        clocks_mhz=routed.clocks_mhz,
        used=routed.used,
        added=added,
        routed=routed.output is not None,
        reason=routed.reason,
        seconds=time.monotonic() - began,
    )
    report = f"{cover.name}-report.json" if routed.output else f"{cover.name}-nextpnr.log"
    return Placed(placement, nextpnr.binding(routed.used), _fits(routed, wrapped, added), packed, report)


def _fits(routed: Routed, wrapped: bool, added: dict[str, int]) -> bool | None:
    """False if there is no room; None if there would be without the wrapper's registers."""
    if routed.output is not None:
        return True
    full = nextpnr.overfull(routed.used)
    without = [c for c in full if routed.used[c][0] - _share(c, added) > routed.used[c][1]]
    return None if wrapped and full and not without else False


def _share(cell: str, added: dict[str, int]) -> int:
    """What the wrapper takes of a cell type; an iCE40 logic cell holds a LUT and the flip-flop behind it."""
    if cell == "ICESTORM_LC":
        return max(added["lut"], added["ff"])
    return added.get(nextpnr.resource(cell), 0)
