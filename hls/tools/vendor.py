"""What the drivers of the vendors' tools share: scripts, one batch run, and figures with the line they stand in."""

from __future__ import annotations

import math
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bitsmith.hls.config import Board
from bitsmith.hls.results import Placement, SynthReport
from bitsmith.hls.tools.render import render
from bitsmith.hls.tools.run import LAST_LINES, ToolStatus, find_tool, run_tool
from bitsmith.models.ir.errors import InputError, ToolError

CLOCK = "aclk"
PORTS = ("aresetn", *(f"{side}_axis_{port}" for side in "sm" for port in ("tdata", "tvalid", "tready", "tlast")))
"""Ports of every project's top, the clock left out."""

TIMEOUT_S = 6 * 3600.0

_LOST = re.compile(r"^.*(?:could not|cannot|can't|unable to) open.*\.hex\b.*$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Design:
    """The sources of a project as a tool takes them; the data files lie where the tool runs."""

    top: str
    sources: tuple[Path, ...]
    data: tuple[str, ...]  # names of the $readmemh files
    clock_mhz: float

    @property
    def words(self) -> dict[str, list[str]]:
        """``sources`` and ``data`` as words of Tcl, for a template."""
        return {"sources": [tcl_word(path) for path in self.sources], "data": [tcl_word(name) for name in self.data]}

    @property
    def period_ns(self) -> str:
        """Target period with three decimals, as every tool's constraints take it."""
        return f"{1e3 / self.clock_mhz:.3f}"


@dataclass(frozen=True)
class Reading:
    """A number from a report, and where it stands: the file and the line."""

    value: float
    where: str


class Report:
    """A text report of a tool."""

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name  # relative to the project

    def find(self, pattern: str) -> list[Reading]:
        """The number in group 1 of every match; ``^`` is the start of a line."""
        found = []
        for match in re.finditer(pattern, self.text, re.MULTILINE):
            start, end = self.text.rfind("\n", 0, match.start(1)) + 1, self.text.find("\n", match.end(1))
            line = self.text[start : end if end >= 0 else None]
            found.append(Reading(float(match[1].replace(",", "")), f"{self.name}: {' '.join(line.split())}"))
        return found

    def first(self, *patterns: str) -> Reading | None:
        """The first match of the first pattern that matches at all."""
        return next((found[0] for pattern in patterns if (found := self.find(pattern))), None)

    def need(self, what: str, *patterns: str) -> Reading:
        """As :meth:`first`; ToolError if there is none."""
        found = self.first(*patterns)
        if found is None:
            raise ToolError(f"{self.name} does not say {what}; its form is new to Bitsmith: please report it")
        return found

    def word(self, what: str, pattern: str) -> str:
        """The text in group 1 of the first match; ToolError if there is none."""
        match = re.search(pattern, self.text, re.MULTILINE)
        if match is None:
            raise ToolError(f"{self.name} does not say {what}; its form is new to Bitsmith: please report it")
        return " ".join(match[1].split())


def tool_status(name: str, executable: str, remedy: str) -> ToolStatus:
    """For ``bitsmith doctor``: where the executable is.  The tool is not started, so its version stays open."""
    place = find_tool(executable)
    return ToolStatus(name, place is not None, place or "", remedy)


class Batch:
    """One run of a tool in a folder of its own."""

    def __init__(self, tool: str, project: Path, folder: Path) -> None:
        self.tool = tool
        self.project = project.resolve()
        self.folder = folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / f"{tool.lower()}.log"
        self.seconds = 0.0

    def design(self, manifest: Mapping[str, Any]) -> Design:
        """The project's sources; its data files are copied here.  InputError if something is missing."""
        names, top = manifest.get("rtl"), manifest.get("top")
        if not names or not top:
            raise InputError(f"{self.project} holds no RTL: its manifest names no rtl and top")
        data = [str(name) for name in manifest.get("data", ())]
        missing = [name for name in (*names, *data) if not (self.project / name).is_file()]
        if missing:
            raise InputError(f"{self.project} is not complete: {', '.join(missing)} missing; emit it anew")
        for name in data:
            shutil.copyfile(self.project / name, self.folder / Path(name).name)
        sources = tuple(self.project / name for name in names)
        return Design(str(top), sources, tuple(Path(name).name for name in data), float(manifest["clock_mhz"]))

    def write(self, name: str, template: str, **values: object) -> None:
        """``templates/<template>`` with ``values`` into the file ``name``."""
        (self.folder / name).write_text(render(template, **values))

    def run(self, command: Sequence[str | Path], stale: Sequence[str]) -> None:
        """Run ``command`` here after what an earlier run left is gone: the files and folders ``stale``.

        ToolError with the last lines if it fails, or if it went on without a
        memory file: some tools only warn then, and build a ROM of zeros.
        """
        for path in (self.folder / name for name in stale):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        began = time.monotonic()
        output = run_tool(command, self.folder, self.log, TIMEOUT_S)
        self.seconds = time.monotonic() - began
        lost = _LOST.search(output)
        if lost:
            raise ToolError(f"{self.tool} did not find a memory file; the log is {self.log}:\n  {lost[0].strip()}")

    def has(self, name: str) -> bool:
        """Whether the run left the file ``name``."""
        return (self.folder / name).is_file()

    def report(self, name: str) -> Report:
        """A report that the run left; ToolError with the log's last lines if it did not."""
        path = self.folder / name
        if not path.is_file():
            lines = self.log.read_text(errors="replace").splitlines() if self.log.is_file() else []
            tail = "\n  ".join(lines[-LAST_LINES:])
            raise ToolError(f"{self.tool} left no {name}; the log is {self.log}; its last lines:\n  {tail}")
        place = path.relative_to(self.project) if path.is_relative_to(self.project) else path
        return Report(path.read_text(errors="replace"), place.as_posix())

    def summary(
        self,
        design: Design,
        board: Board,
        version: str,
        figures: Mapping[str, Reading],
        fmax: Reading | None,
        notes: Mapping[str, str],
        *,
        routed: bool = True,
        wrapped: bool = False,
    ) -> SynthReport:
        """``figures``: lut, ff, dsp, bram and perhaps uram.  ``notes`` tell what else is to be known, by figure."""
        shares = {name: share(figure.value, getattr(board.device, name)) for name, figure in figures.items()}
        number = {name: round(figure.value) for name, figure in figures.items()}
        where = {name: figure.where for name, figure in figures.items()} | ({"fmax_mhz": fmax.where} if fmax else {})
        placement = Placement(
            top=design.top,
            wrapped=wrapped,
            tool=self.tool,
            version=version,
            target_mhz=design.clock_mhz,
            clocks_mhz={CLOCK: fmax.value} if fmax else {},
            used={},
            added={},
            routed=True,
            reason="",
            seconds=self.seconds,
        )
        return SynthReport(
            tool=self.tool,
            version=version,
            lut=number["lut"],
            ff=number["ff"],
            dsp=number["dsp"],
            bram=number["bram"],
            fmax_mhz=fmax.value if fmax else None,
            fits=max(shares.values()) <= 1.0,
            bitstream=None,
            seconds=self.seconds,
            sources={**where, "bitstream": "none: the ports have no pins", **notes},
            tools={self.tool: version},
            binding=max(shares, key=lambda name: shares[name]),
            place_and_route=placement if routed else None,
            uram=number.get("uram"),
        )


def share(used: float, there: int) -> float:
    """Used over there; infinite if the device has none of it."""
    return used / there if there else math.inf if used else 0.0


def tcl_word(text: object) -> str:
    """One word of Tcl, in braces; InputError for what braces cannot hold."""
    word = str(text)
    if any(c in word for c in "{}\\\n"):
        raise InputError(f"{word!r} cannot stand in a Tcl script; rename its folder: no braces, no backslashes")
    return f"{{{word}}}"
