"""Drives yosys (the ``pyosys`` package): always in a process of its own, since an error ends the process."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bitsmith.hls.tools.once import once
from bitsmith.hls.tools.render import HERE, render
from bitsmith.hls.tools.run import Say, ToolStatus, run_tool, silent
from bitsmith.models.ir.errors import ToolError

REMEDY = "pip install 'bitsmith[rtl]'"

# The first line that this prints is the version; yosys's own log follows.
_RUNNER = (
    "import sys; from pyosys import libyosys as ys; print(ys.yosys_maybe_version(), flush=True); "
    "ys.run_pass('script ' + sys.argv[1], ys.Design())"
)

# Out of context: no pads, no clock buffers, ports stay as they are.
_SYNTH = {
    "xc7": "synth_xilinx -family xc7 -noiopad -noclkbuf",
    "xcup": "synth_xilinx -family xcup -noiopad -noclkbuf",
    "ecp5": "synth_lattice -family ecp5 -noiopad",
    "ice40": "synth_ice40",
    "gowin": "synth_gowin -noiopads",
    "gw5a": "synth_gowin -noiopads -family gw5a -nolutram",  # nextpnr has no place for its RAM16SDP4
}

# Where the cell library has been read and the top been found.
_SECOND_LABEL = {
    "xc7": "prepare",
    "xcup": "prepare",
    "ecp5": "coarse",
    "ice40": "flatten",
    "gowin": "coarse",
    "gw5a": "coarse",
}

# Families whose pads yosys puts in; nextpnr does it for the others.
_PADS = {"gowin": "synth_gowin", "gw5a": "synth_gowin -family gw5a -nolutram"}

# Mapped once more before nextpnr: its file says why.
_BEFORE_NEXTPNR = dict.fromkeys(("gowin", "gw5a"), HERE / "wrap" / "gowin_lut4.v")

# Drops abc9's last clean-up, &mfs: on a 10,323-LUT adder graph it took 31 of 63 CPU seconds for 0.3 % of the LUTs.
_QUICK = "scratchpad -set abc9.nomfs true"


FLAT = "flat"
FLAT_FILES = (f"{FLAT}.json", f"{FLAT}.il", f"{FLAT}.v", f"{FLAT}-ports.json")
"""The flattened netlist: its cells counted, itself, the same for a simulator, its ports."""


@dataclass(frozen=True)
class Mapping:
    """What one run of yosys found: ``stat -json`` with the hierarchy kept, and flattened."""

    version: str
    hierarchical: dict[str, Any]
    flat: dict[str, Any]
    command: str  # the synthesis command of the flat run
    depth: int | None = None  # cells on the longest path between registers, where nothing places and routes


@dataclass(frozen=True)
class Port:
    """A port of a mapped module."""

    name: str
    direction: str  # "input" | "output"
    bits: int


def status() -> ToolStatus:
    """Whether pyosys is installed, and how to get it."""
    if importlib.util.find_spec("pyosys") is None:
        return ToolStatus("yosys", False, "", REMEDY)
    return ToolStatus("yosys", True, importlib.metadata.version("pyosys"), REMEDY)


def run_yosys(commands: Sequence[str], folder: Path, name: str, timeout_s: float = 7200.0, say: Say = silent) -> str:
    """Run ``commands`` with ``folder`` as the working directory; returns the version of yosys.

    The script is kept as ``<name>.ys``, all output as ``<name>.log``.
    ToolError with the last lines if yosys is missing, fails or takes too long.
    """
    if not status().usable:
        raise ToolError(f"yosys is missing; install it with: {REMEDY}")
    (folder / f"{name}.ys").write_text("\n".join(commands) + "\n")
    command = [sys.executable, "-c", _RUNNER, f"{name}.ys"]
    log = folder / f"{name}.log"
    run_tool(command, folder, log, timeout_s, say=lambda text: say(text.replace(Path(sys.executable).name, "yosys", 1)))
    return _version(log)


def _version(log: Path) -> str:
    with log.open() as file:
        first = file.readline().split()
    if len(first) < 2 or first[0] != "Yosys":
        raise ToolError(f"yosys did not say its version; its log is {log}")
    return first[1]


def synth_command(family: str, device: str, top: str, blocks: bool, pads: bool = False) -> str:
    """The flattening synthesis command of a family; ``blocks`` lets it use DSP blocks and RAM.

    ``pads`` is for a top whose ports are pins of the chip.

    ToolError if yosys has none whose counts mean something on this family.
    """
    if family not in _SYNTH:
        known = ", ".join(sorted(_SYNTH))
        raise ToolError(f"no open synthesis for the family {family} (there is for {known}); run its vendor's tool")
    words = [(_PADS if pads else {}).get(family, _SYNTH[family]), f"-top {top}"]
    if family in ("xc7", "xcup"):
        words += ["-flatten"]
    if not blocks:
        words += ["-nobram"] if family == "ice40" else ["-nodsp", "-nobram", "-nolutram"]
    if family == "ice40":
        has_dsp = device.startswith("ice40up")
        words += ["-device u" if has_dsp else "-device hx"] + (["-dsp"] if has_dsp and blocks else [])
    if family == "gowin":
        words += ["-family gw2a" if device.startswith("gw2a") else "-family gw1n"]
    return " ".join(words)


# What ends a path, in the families that nothing here places and routes.
_PATH_ENDS = {"xc7": "FD* SRL* RAM* DSP48*", "xcup": "FD* SRL* RAM* DSP48*"}


def _measure_depth(top: str, family: str) -> list[str]:
    """Commands that write the longest path between registers; its length counts LUTs, carry blocks, multiplexers."""
    if family not in _PATH_ENDS:
        return []
    ends = " ".join(f"{top}/t:{kind}" for kind in _PATH_ENDS[family].split())
    return ["design -push-copy", f"delete {ends}", f"tee -q -o depth.txt ltp {top}", "design -pop"]


def _depth(folder: Path, family: str) -> int | None:
    if family not in _PATH_ENDS:
        return None
    found = re.search(r"Longest topological path in \S+ \(length=(\d+)\)", (folder / "depth.txt").read_text())
    return int(found[1]) if found else None


def _keep_flat(top: str) -> list[str]:
    """Commands that write the flat netlist: for counting, for a later run of yosys, for a simulator."""
    return [
        f"tee -q -o {FLAT}.json stat -json -top {top}",
        f"select -module {top}",
        f"write_rtlil -selected {FLAT}.il",
        "select -clear",
        "splitnets",  # chains of cells through one vector look like loops to a simulator
        f"write_verilog -noattr {FLAT}.v",
        f"delete {top}/c:*",
        f"select -module {top}",
        "opt_clean -purge",  # nothing but the ports is left
        f"write_json -selected {FLAT}-ports.json",
        "select -clear",
    ]


def map_design(
    files: Sequence[Path],
    top: str,
    kept: Sequence[str],
    family: str,
    device: str,
    blocks: bool,
    folder: Path,
    data: Sequence[Path] = (),
    say: Say = silent,
) -> Mapping:
    """Map SystemVerilog ``files`` twice: with the modules ``kept`` left standing, then wholly flattened.

    ``data`` are the files of $readmemh, which yosys finds beside the sources.
    All files of the run stay in ``folder``; it is not repeated on the same input.
    """
    command = synth_command(family, device, top, blocks)
    second = _SECOND_LABEL[family]
    commands = [
        *(f'read_verilog -sv "{path.resolve()}"' for path in files),
        f"{command} -run begin:{second}",  # reads the cell library: once is enough
        "design -save rtl",
        _QUICK,
        *(f"setattr -mod -set keep_hierarchy 1 {name}" for name in kept),
        f"{command} -run {second}:",
        f"tee -q -o hierarchical.json stat -json -top {top}",
        "design -load rtl",
        _QUICK,
        f"{command} -run {second}:",
        *_measure_depth(top, family),
        *_keep_flat(top),
    ]
    outputs = [*FLAT_FILES, "hierarchical.json", *(["depth.txt"] if family in _PATH_ENDS else [])]
    version = _once(commands, (*files, *data), folder, "yosys", outputs, say)
    counted = (_read(folder / "hierarchical.json"), _read(folder / f"{FLAT}.json"))
    return Mapping(version, *counted, command, _depth(folder, family))


def _once(
    commands: Sequence[str], files: Sequence[Path], folder: Path, name: str, outputs: Sequence[str], say: Say
) -> str:
    """:func:`run_yosys` unless the same run is in ``folder`` already; returns the version."""
    words = [*commands, status().version]
    made = [folder / output for output in (*outputs, f"{name}.log")]
    once(folder / f"{name}.sha256", files, words, made, lambda: _run(commands, folder, name, say))
    return _version(folder / f"{name}.log")


def _run(commands: Sequence[str], folder: Path, name: str, say: Say) -> None:
    run_yosys(commands, folder, name, say=say)


def map_flat(files: Sequence[Path], top: str, family: str, device: str, blocks: bool, folder: Path) -> Path:
    """Map and flatten only; returns the netlist for a simulator."""
    command = synth_command(family, device, top, blocks)
    reads = [f'read_verilog -sv "{path.resolve()}"' for path in files]
    run_yosys([*reads, _QUICK, command, *_keep_flat(top)], folder, "yosys")
    return folder / f"{FLAT}.v"


def mapped_ports(folder: Path, top: str) -> list[Port]:
    """The ports of the flat netlist in ``folder``."""
    ports = _read(folder / f"{FLAT}-ports.json")["modules"][top]["ports"]
    return [Port(name, port["direction"], len(port["bits"])) for name, port in ports.items()]


def cover_design(
    files: Sequence[Path],
    cover: str,
    top: str,
    family: str,
    device: str,
    folder: Path,
    name: str,
    data: Sequence[Path] = (),
    say: Say = silent,
) -> Path:
    """Map the design ``cover``, which instantiates ``top``, around the flat netlist of ``top`` in ``folder``.

    The netlist goes in as it is: nothing is optimised across its border, so what
    is placed is what was counted and simulated.  Returns the JSON for nextpnr.
    """
    stub = folder / f"{name}-stub.sv"
    stub.write_text(render("stub.sv.j2", top=top, ports=mapped_ports(folder, top)))
    last = [_BEFORE_NEXTPNR[family]] if family in _BEFORE_NEXTPNR else []
    commands = [
        *(f'read_verilog -sv "{path.resolve()}"' for path in (*files, stub)),
        _QUICK,
        synth_command(family, device, cover, True, pads=True),
        f"tee -q -o {name}-cover.json stat -json -top {cover}",
        f"delete {top}",
        f"read_rtlil {FLAT}.il",
        f"hierarchy -check -top {cover}",
        "flatten",
        f"tee -q -o {name}-stat.json stat -json -top {cover}",
        *(f'techmap -map "{path}"' for path in last),
        f"write_json {name}.json",
    ]
    outputs = [f"{name}.json", f"{name}-cover.json", f"{name}-stat.json"]
    _once(commands, (*files, stub, *data, *last, folder / f"{FLAT}.il"), folder, name, outputs, say)
    return folder / f"{name}.json"


def _read(path: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ToolError(f"yosys left no readable {path} ({error}); see {path.with_name('yosys.log')}") from error
    return data
