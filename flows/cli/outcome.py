"""What a command returns, and what every command needs of its arguments."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bitsmith.flows.inputs import parse_type
from bitsmith.flows.options import Options
from bitsmith.models.ir.errors import InputError

OK, DOES_NOT_FIT, TOOL_FAILED, MISMATCH, INTERRUPTED = 0, 3, 4, 5, 130


@dataclass(frozen=True)
class Outcome:
    """The result of a command."""

    data: Any
    text: str
    code: int = OK


def options_of(args: argparse.Namespace) -> Options:
    """Command-line arguments as Options; the only place that reads the environment."""
    given = vars(args)
    data = given.get("data_dir") or os.environ.get("BITSMITH_DATA")
    if data and not Path(data).is_dir():
        raise InputError(f"no such folder of data sets: {data}; correct --data-dir or BITSMITH_DATA")
    kind = given.get("input_type")
    return Options(
        board=given.get("board"),
        backends=tuple(given.get("backend") or ()),
        clock_mhz=given.get("clock_mhz"),
        reuse=given.get("reuse"),
        target_ii=given.get("target_ii"),
        target_latency=given.get("target_latency"),
        target_rate=given.get("target_rate"),
        folding=Path(given["folding"]) if given.get("folding") else None,
        io=given.get("io"),
        strategy=given.get("strategy"),
        hls_tool=given.get("hls_tool"),
        framework=given.get("framework"),
        output=given.get("output"),
        input_type=parse_type(kind) if kind else None,
        bits=given.get("bits"),
        calibration=given.get("calibration_data"),
        dataset=given.get("dataset"),
        data_dir=Path(data) if data else None,
        samples=given.get("samples"),
        seed=given.get("seed"),
        synth=not given.get("no_synth", False),
        force=given.get("force", False),
    )
