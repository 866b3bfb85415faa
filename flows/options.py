"""What the command line may ask for, apart from MODEL and DIR."""

from __future__ import annotations

import json
import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bitsmith.flows.backends import load_backend
from bitsmith.flows.boards import check_board
from bitsmith.flows.config import Folded, HardwareConfig, TaskConfig, problems_in
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.models.ir.errors import InputError
from bitsmith.models.ir.types import QuantType


@dataclass(frozen=True)
class Options:
    """None means: what the task says, or the default."""

    board: str | None = None
    backends: tuple[str, ...] = ()
    clock_mhz: float | None = None
    reuse: int | None = None
    target_ii: int | None = None
    target_latency: int | None = None
    target_rate: float | None = None
    folding: Path | None = None
    io: str | None = None
    strategy: str | None = None
    hls_tool: str | None = None
    framework: str | None = None
    output: str | None = None
    input_type: QuantType | None = None
    bits: str | None = None
    calibration: str | None = None
    dataset: str | None = None
    data_dir: Path | None = None
    out: Path | None = None
    samples: int | None = None
    seed: int | None = None
    synth: bool = True
    activity: bool = True
    force: bool = False


def resolve_hardware(config: TaskConfig | None, options: Options, priced_only: bool = False) -> HardwareConfig:
    """The task's hardware section with what the command line says on top; names are checked here, before any work.

    ``priced_only``: nothing will be built, so that boards with a fixed accelerator may be asked for.
    """
    base = config.hardware if config else HardwareConfig()
    asked = {
        "board": options.board,
        "backends": options.backends or None,
        "clock_mhz": options.clock_mhz,
        "reuse": options.reuse,
        "target_ii": options.target_ii,
        "target_latency": options.target_latency,
        "target_rate": options.target_rate,
        "folding": read_folding(options.folding) if options.folding else None,
        "io": options.io,
        "strategy": options.strategy,
        "hls_tool": options.hls_tool,
        "output": options.output,
    }
    wanted = {k: v for k, v in asked.items() if v is not None}
    try:
        merged = HardwareConfig.model_validate({**base.model_dump(), **wanted})
    except ValidationError as error:
        raise InputError(f"the hardware asked for {problems_in(error)}") from error
    check_board(merged.board, priced_only)
    for name in merged.backends:
        load_backend(name)
    return merged


FPGA_OPTIONS = {
    "backends": "--backend",
    "clock_mhz": "--clock-mhz",
    "reuse": "--reuse",
    "target_ii": "--target-ii",
    "target_latency": "--target-latency",
    "target_rate": "--target-rate",
    "folding": "--folding",
    "io": "--io",
    "strategy": "--strategy",
    "hls_tool": "--hls-tool",
}
"""Options that shape hardware: a fixed accelerator has none of them."""


def refuse_fpga_options(options: Options, board: str) -> None:
    """InputError if the command line shapes hardware that ``board`` has fixed."""
    given = [flag for name, flag in FPGA_OPTIONS.items() if getattr(options, name) not in (None, ())]
    if given:
        raise InputError(f"{', '.join(given)}: {board} is a fixed accelerator, leave that out or take an FPGA board")


def read_folding(path: Path) -> dict[str, Any]:
    """Op -> {pe, simd, mult} or {unrolled} from TOML or JSON; InputError if the file cannot be read as either."""
    try:
        text = path.read_text()
        data: Any = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} cannot be read as a folding: {error}; write [op] with pe and simd (TOML or .json)"
        ) from error
    keys = set(Folded.model_fields)
    if not isinstance(data, dict) or not all(isinstance(v, dict) and set(v) <= keys for v in data.values()):
        raise InputError(f"{path} is no folding: every entry is an op with pe and simd, mult, or unrolled = true")
    return data


def _folding(op: str, folded: Folded) -> tuple[str, int, int] | tuple[str, int, int, str]:
    """An entry of ``HwConfig.folding``."""
    if folded.is_unrolled:
        return op, 0, 0, "unrolled"
    assert folded.pe is not None
    return (op, folded.pe, folded.simd) if folded.mult == "auto" else (op, folded.pe, folded.simd, folded.mult)


def hw_config(hardware: HardwareConfig, backend: str, seed: int) -> HwConfig:
    """The choices for one backend; hls4ml meets a target II by its reuse factor."""
    target_ii = hardware.target_ii
    if hardware.target_rate is not None:
        rate_ii = max(1, math.floor(hardware.clock_mhz * 1e6 / hardware.target_rate))
        target_ii = min(rate_ii, target_ii or rate_ii)
    reuse = hardware.reuse if hardware.reuse > 1 else target_ii or 1
    return HwConfig(
        board=load_board(hardware.board),
        clock_mhz=hardware.clock_mhz,
        backend=backend,
        reuse=reuse,
        target_ii=target_ii,
        target_latency=hardware.target_latency,
        folding=tuple(_folding(op, f) for op, f in sorted(hardware.folding.items())),
        io=hardware.io,
        strategy=hardware.strategy,
        hls_tool=hardware.hls_tool,
        seed=seed,
    )
