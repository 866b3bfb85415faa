"""Switching activity of a written RTL project, in Verilator at full load: of its RTL, and of its mapped netlist."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bitsmith.hls.backends.base import project_files, read_manifest
from bitsmith.hls.estimate.activity import Activity
from bitsmith.hls.netlist_check import stream_of
from bitsmith.hls.tools.activity import Load, count_toggles
from bitsmith.hls.tools.saif import Toggles
from bitsmith.hls.tools.sv_signals import Signals, read_signals
from bitsmith.hls.tools.verilator import need_verilator
from bitsmith.hls.verify import load_net, verification_inputs
from bitsmith.models.ir.errors import InputError, ToolError
from bitsmith.models.ir.types import IntArray

CYCLES = 300
"""Cycles that are counted, rounded up to whole intervals between two results."""

MOST_CYCLES = 50_000
"""Of a slower design only so many, so that the count takes seconds."""

FRAMES = 64
"""Rows of input that are sent over and over."""


NETLIST_OPTIONS = ("--trace-underscore", "--trace-depth", "2")
"""Nets of yosys begin with an underscore; only those of the top are looked at, not the ports of each cell."""

CELL_FAMILIES = ("xc7", "xcup", "ecp5")
"""Families whose cells are known by their pins, and whose netlists run when Verilator joins them into one module."""

_CELL = re.compile(r"^  (\w+) (?:#\(.*?\) )?\S+ +\(\n(.*?)\n  \);", re.MULTILINE | re.DOTALL)
_PIN = re.compile(r"\.(\w+)\(\\?([^()\s]+) ?\)")


@dataclass(frozen=True)
class CellActivity:
    """Changes per cycle of the outputs of a netlist's LUTs and flip-flops: means over the cells, and how many."""

    lut: float
    ff: float
    luts: int
    ffs: int
    cycles: int


def measure_activity(project: Path, x: IntArray | None = None, folder: Path | None = None) -> Activity:
    """Changes per bit and cycle of the RTL in ``project`` at full load.

    ``x`` (n, *input shape) are input integers; without, the vectors that were kept with the
    project, or random ones.  Works in ``folder``, the project's ``sim/activity`` if there is none.
    InputError for a project without RTL; ToolError if Verilator or g++ is missing or fails.
    """
    manifest, load = _load(project, x)
    sources = project_files(project, manifest["rtl"])
    data = project_files(project, manifest.get("data", ()))
    toggles = count_toggles(sources, data, manifest["top"], load, folder or project / "sim" / "activity")
    found = _summed(toggles, read_signals(sources), manifest["top"])
    return Activity(
        nets=found.mean(found.nets, load.cycles),
        registers=found.mean(found.registers, load.cycles),
        net_bits=found.nets[0],
        register_bits=found.registers[0],
        cycles=load.cycles,
        engine=f"Verilator {need_verilator().version}",
    )


def measure_cells(project: Path, netlist: Path, family: str, folder: Path, x: IntArray | None = None) -> CellActivity:
    """Changes per cycle of the cells of a mapped ``netlist`` of ``project``, which runs as in :func:`measure_activity`.

    For the families of ``CELL_FAMILIES``.  ToolError for another, if there is no LUT or no
    flip-flop, or if Verilator or g++ is missing or fails.
    """
    from bitsmith.hls.tools.netlist import MODELS, OPTIONS
    from bitsmith.hls.tools.render import HERE

    if family not in CELL_FAMILIES:
        raise ToolError(f"cells are counted in netlists of {', '.join(CELL_FAMILIES)}, not of {family}")
    manifest, load = _load(project, x)
    models = [HERE / "models" / name for name in MODELS[family]]
    text = _shortened(netlist.read_text())
    folder.mkdir(parents=True, exist_ok=True)
    short = folder / "netlist.v"
    if not short.exists() or short.read_text() != text:
        short.write_text(text)
    changes: dict[str, int] = {}
    for bit in count_toggles([short, *models], (), manifest["top"], load, folder, (*OPTIONS, *NETLIST_OPTIONS)):
        changes[f"{bit.name}[{bit.bit}]"] = changes[bit.name] = bit.count  # a wire, or a bit of a port
    cells = [dict(_PIN.findall(found[2])) for found in _CELL.finditer(text)]
    luts = [c[pin] for c in cells for pin in _lut_outputs(c) if c.get(pin) in changes]
    ffs = [c["Q"] for c in cells if {"C", "D", "Q"} <= c.keys() or {"CLK", "DI", "Q"} <= c.keys()]
    if not luts or not ffs:
        raise ToolError(f"{netlist} has no LUT or no flip-flop that is known by its pins")
    lut, ff = (sum(changes[net] for net in nets) / (len(nets) * load.cycles) for nets in (luts, ffs))
    return CellActivity(lut, ff, len(luts), len(ffs), load.cycles)


def _lut_outputs(cell: dict[str, str]) -> tuple[str, ...]:
    """The pins of a cell that are outputs of LUTs, those of ECP5's adders too."""
    pins = cell.keys()
    if {"I0", "O"} <= pins and not {"S", "CI", "DI"} & pins:
        return ("O",)
    if {"A", "B", "C", "D", "Z"} <= pins:
        return ("Z",)
    return ("S0", "S1") if {"S0", "S1"} & pins else ()


def _shortened(netlist: str) -> str:
    """A netlist without very long names, which yosys gives after the cells behind: Verilator 5.48 fails on them."""
    short: dict[str, str] = {}

    def name(found: re.Match[str]) -> str:
        return short.setdefault(
            found[0], f"_long{len(short)}_ " if found[0].startswith("\\") else f"_long{len(short)}_"
        )

    return re.sub(r"\\\S{50,} |\b\w{50,}\b", name, netlist)


def _load(project: Path, x: IntArray | None) -> tuple[dict[str, Any], Load]:
    manifest = read_manifest(project)
    if "rtl" not in manifest or "stream" not in manifest:
        raise InputError(
            f"{project} holds no RTL of ours (backend {manifest['backend']}), so no activity can be counted; "
            "emit it with --backend rtl-unrolled or rtl-folded"
        )
    net = load_net(project)
    rows = verification_inputs(project, net, FRAMES, int(manifest["seed"])) if x is None else x
    ii = int(manifest["ii_cycles"])
    cycles = min(MOST_CYCLES, math.ceil(CYCLES / ii) * ii)
    stream = stream_of(net.input, manifest["stream"]["input"])
    return manifest, Load(stream.pack(rows), int(manifest["latency_cycles"]) + 2 * ii, cycles)


class _Summed:
    """Bits and changes of each kind."""

    def __init__(self) -> None:
        self.nets = (0, 0)
        self.registers = (0, 0)

    def add(self, bit: Toggles, register: bool) -> None:
        self.nets = (self.nets[0] + 1, self.nets[1] + bit.count)
        if register:
            self.registers = (self.registers[0] + 1, self.registers[1] + bit.count)

    @staticmethod
    def mean(kind: tuple[int, int], cycles: int) -> float:
        bits, changes = kind
        return changes / (bits * cycles) if bits else 0.0


def _summed(toggles: Iterable[Toggles], modules: dict[str, Signals], top: str) -> _Summed:
    """Every bit once, in the module that makes it; scopes that are no instance are blocks of their module."""
    found = _Summed()
    of_scope: dict[tuple[str, ...], Signals] = {(): Signals(frozenset(), frozenset(), {top: top})}
    for bit in toggles:
        signals = _module_of(bit.scope, modules, of_scope)
        if bit.name in signals.registers or bit.name in signals.logic:
            found.add(bit, bit.name in signals.registers)
    return found


def _module_of(scope: tuple[str, ...], modules: dict[str, Signals], known: dict[tuple[str, ...], Signals]) -> Signals:
    if scope not in known:
        outer = _module_of(scope[:-1], modules, known)
        instance = outer.instances.get(scope[-1])
        known[scope] = modules[instance] if instance else outer
    return known[scope]
