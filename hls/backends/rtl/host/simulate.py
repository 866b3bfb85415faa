"""The complete board top in Verilator, its pins bridged to this process: a link that needs no board."""

from __future__ import annotations

import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bitsmith.hls.backends.base import project_files, read_manifest
from bitsmith.hls.backends.rtl.host.project import timeout_log2
from bitsmith.hls.tools import verilator
from bitsmith.models.ir.errors import InputError, ToolError

FAST_DIVIDER = 8
"""Clock cycles per bit of a quick simulation; the board has its manifest's."""

OPTIONS = ("-O3", "--x-assign", "fast", "--x-initial", "fast", "--noassert", "--output-split", "5000", "-Wno-fatal")


@dataclass(frozen=True)
class Lights:
    """What the board's lights show, and the clock cycles that passed."""

    passed: bool
    failed: bool
    cycles: int


class SimulatedBoard:
    """Runs the top; implements :class:`.client.Link`.  Time passes only within its methods.

    ``divider`` clock cycles make a bit of the board's, ``bit_cycles`` one of ours (default: as many), and a second is
    as long as ``baud`` of the board's bits.
    """

    def __init__(self, project: Path, divider: int = FAST_DIVIDER, bit_cycles: int | None = None) -> None:
        manifest = read_manifest(project)
        entry = manifest.get("board_top")
        if entry is None:
            raise InputError(f"{project} has no board top: there is none for the board {manifest['board']}")
        self.baud: int = entry["baud"]
        self.clock_hz = divider * self.baud
        self.ratio: int = entry["simulation"]["clock_ratio"]
        sources = project_files(project, (*manifest["rtl"], *entry["simulation"]["rtl"], *entry["rtl"]))
        data = project_files(project, (*manifest.get("data", ()), *entry["data"]))
        own = (f"-GDIVIDER={divider}", f"-GTIMEOUT_LOG2={timeout_log2(self.clock_hz)}", "-GRESET_LOG2=4")
        folder = (project / "board" / "sim" / f"build_{divider}").resolve()
        harness = (project / entry["simulation"]["harness"]).resolve()
        top = entry["top"]
        program = verilator.build([p.resolve() for p in sources], top, folder, harness, (*OPTIONS, *own))
        for path in data:
            shutil.copy(path, folder)  # sources name them without a folder
        command = [str(program), str((bit_cycles or divider) * self.ratio)]
        self.process = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._start()

    def _start(self) -> None:
        """Let the self-test end, as it has on a board before anybody asks."""
        for _ in range(200):
            self.hold(1, 0.001)
            lights = self.lights()
            if lights.passed or lights.failed:
                return

    def _cycles(self, seconds: float) -> int:
        return int(seconds * self.clock_hz) * self.ratio

    def _tell(self, data: bytes) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise ToolError("the simulation ended unexpectedly; please report this") from error

    def _hear(self, count: int) -> bytes:
        assert self.process.stdout is not None
        data = self.process.stdout.read(count)
        if len(data) < count:
            raise ToolError("the simulation ended unexpectedly; please report this")
        return data

    def write(self, data: bytes) -> None:
        """Send bytes to the board."""
        self._tell(b"w" + struct.pack("<I", len(data)) + data)

    def read(self, count: int, timeout_s: float) -> bytes:
        """Bytes from the board: ``count``, or what came within ``timeout_s`` simulated seconds."""
        self._tell(b"r" + struct.pack("<IQ", count, self._cycles(timeout_s)))
        return self._hear(int.from_bytes(self._hear(4), "little"))

    def hold(self, level: int, seconds: float) -> None:
        """Keep the board's receive line at ``level``."""
        self._tell(b"h" + struct.pack("<BQ", level, self._cycles(seconds)))

    def press(self, seconds: float) -> None:
        """Press the reset button, where the board has one."""
        self._tell(b"b" + struct.pack("<Q", self._cycles(seconds)))

    def lights(self) -> Lights:
        """What the lights show now."""
        self._tell(b"s")
        bits, cycles = struct.unpack("<BQ", self._hear(9))
        return Lights(bool(bits & 1), bool(bits & 2), cycles)

    def close(self) -> None:
        """End the simulation."""
        self.process.communicate()
