"""The vendors' drivers by the name that a board gives its tool."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from bitsmith.hls.config import Board
from bitsmith.hls.results import SynthReport
from bitsmith.hls.tools import diamond, quartus, radiant, vivado
from bitsmith.hls.tools.run import ToolStatus


class Driver(Protocol):
    """What a driver's module offers."""

    REMEDY: str

    def status(self) -> ToolStatus:
        """Whether the tool is on PATH."""
        ...

    def run(self, project: Path, manifest: dict[str, Any], board: Board, folder: Path) -> SynthReport:
        """Synthesise, place and route; see the modules."""
        ...


DRIVERS: dict[str, Driver] = {
    "vivado": vivado,
    "quartus": quartus,
    "radiant": radiant,
    "diamond": diamond,
}


def status() -> list[ToolStatus]:
    """All four, for ``bitsmith doctor``."""
    return [driver.status() for driver in DRIVERS.values()]


def usable_driver(board: Board) -> Driver | None:
    """The driver of the board's own tool if that is there; None otherwise, and for boards of the open tools."""
    driver = DRIVERS.get(board.tool)
    return driver if driver and driver.status().usable else None
