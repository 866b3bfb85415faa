"""Names of boards on the command line: FPGA boards are built for, accelerators are priced only."""

from __future__ import annotations

import difflib
from dataclasses import asdict
from typing import Any

from bitsmith.hls.accelerators import accelerator_names, accelerators
from bitsmith.hls.boards import board_names, boards
from bitsmith.hls.config import Board
from bitsmith.models.ir.errors import InputError

DEFAULT_FPGA = "arty-a7-35t"


def is_accelerator(name: str) -> bool:
    """Whether ``name`` is a board with a fixed accelerator."""
    return name in accelerator_names()


def check_board(name: str, priced_only: bool) -> None:
    """InputError unless ``name`` can be used; ``priced_only`` where nothing is built, so that accelerators do."""
    if name in board_names() or (priced_only and is_accelerator(name)):
        return
    if is_accelerator(name):
        raise InputError(
            f"{name} is priced only (bitsmith estimate --board {name}): its accelerator is fixed, so nothing is built "
            f"for it; take an FPGA board, {DEFAULT_FPGA} for example (see bitsmith boards)"
        )
    known = [*board_names(), *(accelerator_names() if priced_only else ())]
    near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else "see bitsmith boards"
    raise InputError(f"there is no board {name!r}; {hint}")


def board_rows() -> list[dict[str, Any]]:
    """Every board as plain data, FPGAs first; ``kind`` says which it is."""
    return [_fpga(board) for board in boards()] + [
        {
            "name": board.name,
            "kind": "accelerator",
            "title": board.title,
            "device": board.device,
            "family": board.rates.model,
            **dict.fromkeys(("lut", "ff", "dsp", "bram", "uram"), 0),
            "clock_mhz": board.clock_mhz.value,
            "weights_bytes": board.memory.weights_bytes,
            "activations_bytes": board.memory.activations_bytes,
            "weight_bits": list(board.format.weight_bits),
            "active_mw": board.power.active_mw.as_json(),
            "sleep_mw": board.power.sleep_mw.as_json(),
            "sources": board.sources,
        }
        for board in accelerators()
    ]


def _fpga(board: Board) -> dict[str, Any]:
    chip = asdict(board.device)
    row = {**asdict(board), **{k: v for k, v in chip.items() if k not in ("name", "source")}}
    return {**row, "device": board.device.name, "kind": "fpga"}
