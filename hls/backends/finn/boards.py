"""FINN's names for the boards that it has a shell for; any other AMD device is named by its part."""

from __future__ import annotations

from dataclasses import dataclass

from bitsmith.hls.config import Board

FAMILIES = ("xc7", "xcup")
"""Device families that FINN's dataflow build targets, of those that Bitsmith describes."""

ZYNQ, ALVEO = "vivado_zynq", "vitis_alveo"

NAMES: dict[str, tuple[str, str]] = {
    "pynq-z1": ("Pynq-Z1", ZYNQ),
    "pynq-z2": ("Pynq-Z2", ZYNQ),
    "ultra96": ("Ultra96", ZYNQ),
    "ultra96-v2": ("Ultra96-V2", ZYNQ),
    "zcu102": ("ZCU102", ZYNQ),
    "zcu104": ("ZCU104", ZYNQ),
    "zcu111": ("ZCU111", ZYNQ),
    "rfsoc2x2": ("RFSoC2x2", ZYNQ),
    "rfsoc4x2": ("RFSoC4x2", ZYNQ),
    "kv260": ("KV260_SOM", ZYNQ),
    "alveo-u50": ("U50", ALVEO),
    "alveo-u200": ("U200", ALVEO),
    "alveo-u250": ("U250", ALVEO),
    "alveo-u280": ("U280", ALVEO),
    "alveo-u55c": ("U55C", ALVEO),
}
"""Bitsmith's name -> FINN's name and the shell that makes a bitfile (``part_map`` of FINN+ 1.6.1)."""


@dataclass(frozen=True)
class Target:
    """What the build configuration says of the board."""

    part: str
    board: str = ""  # empty: FINN has no shell for it, so the build ends in an IP
    shell: str = ""


def target_of(board: Board) -> Target:
    """FINN's words for ``board``."""
    name, shell = NAMES.get(board.name, ("", ""))
    return Target(board.device.part, name, shell)
