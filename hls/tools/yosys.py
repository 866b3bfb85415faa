"""Drives yosys (the ``pyosys`` package): always in a process of its own, since an error ends the process."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bitsmith.hls.tools.run import ToolStatus, run_tool
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
}

# Where the cell library has been read and the top been found.
_SECOND_LABEL = {"xc7": "prepare", "xcup": "prepare", "ecp5": "coarse", "ice40": "flatten", "gowin": "coarse"}

# Drops abc9's last clean-up, &mfs: on a 10,323-LUT adder graph it took 31 of 63 CPU seconds for 0.3 % of the LUTs.
_QUICK = "scratchpad -set abc9.nomfs true"


@dataclass(frozen=True)
class Mapping:
    """What one run of yosys found: ``stat -json`` with the hierarchy kept, and flattened."""

    version: str
    hierarchical: dict[str, Any]
    flat: dict[str, Any]
    command: str  # the synthesis command of the flat run


def status() -> ToolStatus:
    """Whether pyosys is installed, and how to get it."""
    if importlib.util.find_spec("pyosys") is None:
        return ToolStatus("yosys", False, "", REMEDY)
    return ToolStatus("yosys", True, importlib.metadata.version("pyosys"), REMEDY)


def run_yosys(commands: Sequence[str], folder: Path, name: str, timeout_s: float = 3600.0) -> str:
    """Run ``commands`` with ``folder`` as the working directory; returns the version of yosys.

    The script is kept as ``<name>.ys``, all output as ``<name>.log``.
    ToolError with the last lines if yosys is missing, fails or takes too long.
    """
    if not status().usable:
        raise ToolError(f"yosys is missing; install it with: {REMEDY}")
    (folder / f"{name}.ys").write_text("\n".join(commands) + "\n")
    command = [sys.executable, "-c", _RUNNER, f"{name}.ys"]
    output = run_tool(command, folder, folder / f"{name}.log", timeout_s)
    first = output.split("\n", 1)[0].split()
    if len(first) < 2 or first[0] != "Yosys":
        raise ToolError(f"yosys did not say its version; its log is {folder / f'{name}.log'}")
    return first[1]


def synth_command(family: str, device: str, top: str, blocks: bool) -> str:
    """The flattening synthesis command of a family; ``blocks`` lets it use DSP blocks and RAM.

    ToolError if yosys has none whose counts mean something on this family.
    """
    if family not in _SYNTH:
        known = ", ".join(sorted(_SYNTH))
        raise ToolError(f"no open synthesis for the family {family} (there is for {known}); run its vendor's tool")
    words = [_SYNTH[family], f"-top {top}"]
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


def map_design(
    files: Sequence[Path], top: str, kept: Sequence[str], family: str, device: str, blocks: bool, folder: Path
) -> Mapping:
    """Map SystemVerilog ``files`` twice: with the modules ``kept`` left standing, then wholly flattened.

    All files of the run stay in ``folder``.
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
        f"tee -q -o flat.json stat -json -top {top}",
    ]
    version = run_yosys(commands, folder, "yosys")
    return Mapping(version, _read(folder / "hierarchical.json"), _read(folder / "flat.json"), command)


def _read(path: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ToolError(f"yosys left no readable {path} ({error}); see {path.with_name('yosys.log')}") from error
    return data
