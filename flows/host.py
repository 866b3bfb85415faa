"""Asks the board that holds a project, or its simulation, and compares its answers with the net."""

from __future__ import annotations

import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from bitsmith.hls.backends.base import read_manifest
from bitsmith.hls.backends.rtl.host.client import Link
from bitsmith.hls.backends.rtl.host.run import ask_board
from bitsmith.hls.verify import load_net, verification_inputs
from bitsmith.models.ir.errors import InputError
from bitsmith.models.ir.types import IntArray

DEFAULT_ROWS = 100


def host_folder(folder: Path, port: str | None, samples: int | None, rows: str | None) -> dict[str, Any]:
    """Send rows to the board on ``port``, or to the simulated board top where that is None.

    The rows are those of the file ``rows`` (array ``x`` of an .npz), else those kept with the project, then corners
    and random ones: ``samples`` of them.
    """
    manifest = read_manifest(folder)
    top = manifest.get("board_top")
    if top is None:
        raise InputError(f"{folder} has no board top: none is written for the board {manifest['board']}")
    x = _rows(folder, samples, rows)
    link, engine = _link(folder, port, top["baud"])
    try:
        result = ask_board(folder, link, x)
    finally:
        link.close()
    data = {key: value for key, value in asdict(result).items() if key != "outputs"}
    micros = result.latency_cycles / result.clock_mhz if result.latency_cycles is not None else None
    return {"project": str(folder), "engine": engine, **data, "latency_us": micros}


def _link(folder: Path, port: str | None, baud: int) -> tuple[Link, str]:
    if port is None:
        from bitsmith.hls.backends.rtl.host.simulate import SimulatedBoard
        from bitsmith.hls.tools.verilator import need_verilator

        return SimulatedBoard(folder), f"board top in Verilator {need_verilator().version}"
    from bitsmith.hls.backends.rtl.host.serial import SerialPort

    return SerialPort(port, baud), f"board on {port}, {baud} baud"


def _rows(folder: Path, samples: int | None, rows: str | None) -> IntArray:
    net = load_net(folder)
    if rows is None:
        return verification_inputs(folder, net, samples or DEFAULT_ROWS)
    try:
        with np.load(rows, allow_pickle=False) as file:
            x = file["x"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise InputError(f"{rows} holds no rows ({error}); it must be an .npz with the input integers as x") from error
    if not np.issubdtype(x.dtype, np.integer):
        raise InputError(f"{rows}: x holds {x.dtype}, not integers; the board takes the net's input integers")
    taken: IntArray = x.astype(np.int64)[:samples]
    if not len(taken):
        raise InputError(f"{rows} holds no rows; give at least one")
    return taken
