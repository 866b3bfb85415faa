"""Which pins of a board the host link uses: one TOML file per board, each with the source of its numbers."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True)
class Pin:
    """One pin of the chip's package."""

    port: str  # of the top
    pin: str
    output: bool
    active_low: bool = False
    pull: str = ""  # "up" | "down"
    io: str = "LVCMOS33"
    value: int = 0  # of a pin that is held


@dataclass(frozen=True)
class HostBoard:
    """What the top of a board needs to know.  ``flash`` are command lines with ``{bitstream}`` in them."""

    boards: tuple[str, ...]  # names in ``bitsmith boards``
    source: str
    clock: str
    clock_mhz: float
    pll: str  # primitive
    wiring: str
    port: str  # as a rule
    flash: tuple[str, ...]
    pins: tuple[Pin, ...]
    ties: tuple[Pin, ...]  # pins to be held

    def pin(self, port: str) -> Pin | None:
        """The pin called ``port``; None if the board has none."""
        return next((pin for pin in self.pins if pin.port == port), None)


def _read(data: dict[str, Any]) -> HostBoard:
    pins = tuple(Pin(port=port, output=port not in ("uart_rx", "button"), **f) for port, f in data.pop("pins").items())
    ties = tuple(Pin(port=port, output=True, **facts) for port, facts in data.pop("ties", {}).items())
    boards, flash = tuple(data.pop("boards")), tuple(data.pop("flash"))
    return HostBoard(boards=boards, flash=flash, pins=pins, ties=ties, **data)


@cache
def host_boards() -> tuple[HostBoard, ...]:
    """Every board that there is a top for."""
    files = sorted((f for f in resources.files(__name__).iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return tuple(_read(tomllib.loads(file.read_text())) for file in files)


def host_board(name: str) -> HostBoard | None:
    """The pins of the board called ``name``; None if there is no top for it."""
    return next((board for board in host_boards() if name in board.boards), None)
