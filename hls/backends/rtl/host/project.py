"""Writes the complete top of a board: ``board/`` of an RTL project."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bitsmith.hls.backends.rtl.host.clock import Clock, clock_for
from bitsmith.hls.backends.rtl.host.frames import Frames
from bitsmith.hls.backends.rtl.host.pins import HostBoard, host_board
from bitsmith.hls.backends.rtl.host.protocol import HASH_BYTES, MAX_FRAME, VERSION, Identity, crc16
from bitsmith.hls.backends.rtl.names import BANNER, Names
from bitsmith.hls.config import HwConfig
from bitsmith.models.ir import QNet, content_hash, execute
from bitsmith.models.ir.errors import InputError
from bitsmith.models.ir.types import IntArray

HERE = Path(__file__).parent
FOLDER = "board"

UNITS = ("host", "uart_rx", "uart_tx", "crc16", "frame_source", "frame_sink", "reset")
CONSTRAINTS = {"ice40": "pcf", "ecp5": "lpf", "gowin": "cst"}
BITSTREAMS = {"ice40": "bin", "ecp5": "bit", "gowin": "fs"}
BAUD_RATES = (115200, 57600, 38400, 19200, 9600)
MIN_DIVIDER = 8
MAX_RATE_ERROR = 0.02
"""Of the UART's rate; 8N1 stands some 5 % between both ends."""

SILENCE_S = 0.125
"""At most so long a board waits for the rest of a request; see :data:`.client.QUIET_S`."""

RESET_LOG2 = 12


@dataclass(frozen=True)
class HostTop:
    """The files of ``board/`` (path in the project to text) and the manifest's ``board_top``."""

    files: dict[str, str]
    entry: dict[str, Any]


@lru_cache(maxsize=1)
def _environment() -> Environment:
    loader = FileSystemLoader(HERE / "templates")
    return Environment(
        loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )


def uart_of(clock_mhz: float) -> tuple[int, int]:
    """(baud, clock cycles per bit): the fastest usual rate that the clock divides to; InputError if there is none."""
    for baud in BAUD_RATES:
        divider = round(clock_mhz * 1e6 / baud)
        if divider >= MIN_DIVIDER and abs(clock_mhz * 1e6 / divider / baud - 1) <= MAX_RATE_ERROR:
            return baud, divider
    raise InputError(f"no usual UART rate divides a clock of {clock_mhz:g} MHz; choose at least 1 MHz")


def timeout_log2(clock_hz: float) -> int:
    """Power of two of the cycles after which a board forgets an incomplete request."""
    return min(31, int(clock_hz * SILENCE_S).bit_length() - 1)


def host_files(net: QNet, hw: HwConfig, stream: dict[str, Any], top: str, vectors: IntArray) -> HostTop | None:
    """The complete top of the project's board around the AXI4-Stream module ``top``; None if there is none for it.

    ``stream`` is the manifest's: how rows become beats.  The golden frame of the self-test is the first row of
    ``vectors`` (n, *input shape).  InputError if the clock is too slow for a UART or a frame too long.
    """
    board = host_board(hw.board.name)
    if board is None:
        return None
    source, result = Frames.of(stream["input"]), Frames.of(stream["output"])
    if max(source.frame_bytes, result.frame_bytes) > MAX_FRAME:
        raise InputError(
            f"{net.name}: a frame is longer than {MAX_FRAME} bytes; choose another board than {hw.board.name}"
        )
    clock = clock_for(board.pll, hw.board.device.name, board.clock_mhz, hw.clock_mhz)
    baud, divider = uart_of(clock.mhz)
    golden = np.asarray(vectors)[:1]
    identity = Identity(
        VERSION,
        bytes.fromhex(content_hash(net))[:HASH_BYTES],
        source.frame_bytes,
        result.frame_bytes,
        round(clock.mhz * 1e6),
    )
    name = re.sub("_axis$", "", top) + "_board"
    values = _values(net, hw, board, clock) | {
        "module": name,
        "top": top,
        "source": source,
        "result": result,
        "baud": baud,
        "divider": divider,
        "timeout_log2": timeout_log2(clock.mhz * 1e6),
        "golden_crc": crc16(result.pack(execute(net, golden)).tobytes()),
        "rom": f"{name}.hex",
    }
    data = source.pack(golden).tobytes() + identity.encode()
    return _top(hw, board, clock, values, data)


def _values(net: QNet, hw: HwConfig, board: HostBoard, clock: Clock) -> dict[str, Any]:
    bitstream = f"synth/{Names(net.name).net}.{BITSTREAMS[hw.board.device.family]}"  # as bitsmith synth calls it
    return {
        "banner": BANNER.removeprefix("// "),
        "net": net.name,
        "board": hw.board.name,
        "pin_source": board.source,
        "clock_pin": board.clock,
        "clock": clock,
        "osc_mhz": board.clock_mhz,
        "wanted_mhz": hw.clock_mhz,
        "reset_log2": RESET_LOG2,
        "pins": board.pins,
        "ties": board.ties,
        "button": board.pin("button"),
        "led_pass": board.pin("led_pass"),
        "led_fail": board.pin("led_fail"),
        "wiring": board.wiring,
        "flash": [line.replace("{bitstream}", bitstream) for line in board.flash],
        "port": board.port,
    }


def _top(hw: HwConfig, board: HostBoard, clock: Clock, values: dict[str, Any], data: bytes) -> HostTop:
    def render(template: str) -> str:
        return _environment().get_template(template).render(**values)

    name = values["module"]
    units = [f"bitsmith_{unit}" for unit in UNITS]
    models = []
    if clock.primitive.startswith("bitsmith_"):
        units.append(clock.primitive)
    elif clock.primitive:
        models.append(clock.primitive)
    if board.pin("led_fail") is None:
        units.append("bitsmith_blink")
    files = {f"{FOLDER}/{unit}.sv": (HERE / "lib" / f"{unit}.sv").read_text() for unit in units}
    files[f"{FOLDER}/{name}.sv"] = render("top.sv.j2")
    rtl = list(files)
    kind = CONSTRAINTS[hw.board.device.family]
    files |= {
        f"{FOLDER}/{name}.hex": "".join(f"{byte:02x}\n" for byte in data),
        f"{FOLDER}/{name}.{kind}": render(f"top.{kind}.j2"),
        f"{FOLDER}/README.md": render("board.md.j2"),
        f"{FOLDER}/sim/harness.cpp": render("harness.cpp.j2"),
    }
    files |= {f"{FOLDER}/sim/{m}.sv": (HERE / "sim" / f"{m}.sv").read_text() for m in models}
    entry = {
        "top": name,
        "rtl": rtl,
        "data": [f"{FOLDER}/{name}.hex"],
        "constraints": f"{FOLDER}/{name}.{kind}",
        "clock_mhz": clock.mhz,
        "oscillator_mhz": board.clock_mhz,
        "baud": values["baud"],
        "divider": values["divider"],
        "port": board.port,
        "simulation": {
            "rtl": [f"{FOLDER}/sim/{model}.sv" for model in models],
            "harness": f"{FOLDER}/sim/harness.cpp",
            "clock_ratio": clock.ratio,
        },
    }
    return HostTop(files, entry)
