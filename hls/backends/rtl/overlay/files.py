"""The files of an overlay: ``overlay/`` of a project for a Zynq board."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bitsmith.hls.config import HwConfig

HERE = Path(__file__).parent
FOLDER = "overlay"
BRIDGE = "bitsmith_dma_bridge.sv"

WIDEST = {"ps7": 8, "psu": 16}
"""Bytes of the processor's memory ports: Zynq-7000's HP ports have 64 bits, those of UltraScale+ 128."""


@dataclass(frozen=True)
class Zynq:
    """What Vivado has to know of a Zynq board."""

    processor: str  # "ps7" | "psu"
    board_part: str  # of its board files, whichever version is installed


BOARDS = {
    "pynq-z1": Zynq("ps7", "*:pynq-z1:part0:*"),
    "pynq-z2": Zynq("ps7", "*:pynq-z2:part0:*"),
    "zybo-z7-10": Zynq("ps7", "*:zybo-z7-10:part0:*"),
    "zybo-z7-20": Zynq("ps7", "*:zybo-z7-20:part0:*"),
    "ultra96-v2": Zynq("psu", "*:ultra96v2:part0:*"),
    "kv260": Zynq("psu", "*:kv260_som:part0:*"),
    "zcu102": Zynq("psu", "*:zcu102:part0:*"),
    "zcu104": Zynq("psu", "*:zcu104:part0:*"),
    "zcu111": Zynq("psu", "*:zcu111:part0:*"),
    "rfsoc2x2": Zynq("psu", "*:rfsoc2x2:part0:*"),
    "rfsoc4x2": Zynq("psu", "*:rfsoc4x2:part0:*"),
}
"""Board -> its processor and board files (Digilent, TUL, Avnet, AMD, Real Digital)."""


def overlay_files(
    stream: Mapping[str, Any], top: str, rtl: Sequence[str], data: Sequence[str], hw: HwConfig, name: str
) -> dict[str, str]:
    """Path in the project -> text: the network behind an AXI DMA, Vivado's script, the PYNQ driver.

    ``stream``, ``top``, ``rtl`` and ``data`` are those of the manifest.  Empty for a board without a Zynq.
    """
    zynq = BOARDS.get(hw.board.name)
    if zynq is None:
        return {}
    clean = re.sub(r"\W", "_", name, flags=re.ASCII).strip("_") or "net"
    sides = {side: _side(stream[side], WIDEST[zynq.processor]) for side in ("input", "output")}
    module = f"{top}_dma"
    values = {
        **sides,
        **{f"{side}_facts": _facts(facts) for side, facts in sides.items()},
        "name": clean,
        "module": module,
        "top": top,
        "board": hw.board.title,
        "part": hw.board.device.part,
        "clock_mhz": f"{hw.clock_mhz:g}",
        "processor": zynq.processor,
        "board_part": f"{{{zynq.board_part}}}",
        "board_name": zynq.board_part.split(":")[1],
        "sources": [*rtl, f"{FOLDER}/{BRIDGE}", f"{FOLDER}/{module}.v"],
        "data": list(data),
        "bridge": BRIDGE,
        "bit_pattern": f"{{{clean}.runs/impl_1/overlay_wrapper.bit}}",
        "hwh_pattern": f"{{{clean}.gen/*/bd/overlay/hw_handoff/*.hwh {clean}.srcs/*/bd/overlay/hw_handoff/*.hwh}}",
    }
    return {
        f"{FOLDER}/{BRIDGE}": (HERE / "lib" / BRIDGE).read_text(),
        f"{FOLDER}/{module}.v": _render("ip.v.j2", values),
        f"{FOLDER}/build.tcl": _render("build.tcl.j2", values),
        f"{FOLDER}/driver.py": _render("driver.py.j2", values),
        f"{FOLDER}/README.md": _render("readme.md.j2", values),
    }


def word_bytes(beat_bytes: int, widest: int) -> int:
    """Width of the DMA's stream: the beat's bytes up to a power of two, between four and the memory port's."""
    word = 4
    while word < min(beat_bytes, widest):
        word *= 2
    return word


def _side(facts: Mapping[str, Any], widest: int) -> dict[str, Any]:
    word = word_bytes(facts["bytes"], widest)
    return {**facts, "word": word, "size": facts["beats"] * facts["lanes"]}


def _facts(side: Mapping[str, Any]) -> str:
    return repr({key: side[key] for key in ("beats", "lanes", "bits", "signed", "bytes", "word")})


@lru_cache(maxsize=1)
def _environment() -> Environment:
    loader = FileSystemLoader(HERE / "templates")
    return Environment(
        loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )


def _render(template: str, values: Mapping[str, Any]) -> str:
    return _environment().get_template(template).render(**values)
