"""Small circuits through yosys, the netlist on our cell models against the RTL, both in Verilator, cycle by cycle."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bitsmith.hls.tools.netlist import Frames, NetlistRun, netlist_simulation, rtl_simulation

HERE = Path(__file__).parent / "tools" / "mapped"
DEVICES = {
    "ecp5": "lfe5u-25f",
    "ice40": "ice40up5k",
    "gowin": "gw1nr-9",
    "xc7": "xc7z020",
    "xcup": "xczu3eg",
}


@dataclass(frozen=True)
class Unit:
    """A module of ``units.sv`` with its parameters; ``bits`` of output; ``rom`` (words, bits) for its FILE."""

    module: str
    bits: int
    params: dict[str, int | str]
    rom: tuple[int, int] | None = None


def write_bench(folder: Path, units: Sequence[Unit], seed: int = 0) -> tuple[list[Path], int]:
    """Sources of a top with all ``units``, their ROMs beside them; returns them and the bytes of a beat out."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    rows, start = [], 0
    for number, unit in enumerate(units):
        texts = {name: f'"{v}"' if isinstance(v, str) else str(v) for name, v in unit.params.items()}
        if unit.rom:
            words, bits = unit.rom
            digits = rng.integers(0, 16, (words, (bits + 3) // 4))
            digits[:, 0] %= 1 << ((bits - 1) % 4 + 1)
            text = "\n".join("".join(f"{d:x}" for d in row) for row in digits)
            (folder / f"rom{number}.hex").write_text(text + "\n")
            texts["FILE"] = f'"rom{number}.hex"'
        params = ", ".join(f".{name}({text})" for name, text in texts.items())
        rows.append({"module": unit.module, "params": params, "start": start, "bits": unit.bits})
        start += unit.bits
    size = (start + 7) // 8
    loader = FileSystemLoader(HERE)
    template = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    text = template.get_template("top.sv.j2").render(units=rows, bits=start, bytes=size)
    (folder / "top.sv").write_text(text + "\n")
    shutil.copy(HERE / "units.sv", folder)
    return [folder / "units.sv", folder / "top.sv"], size


def stimuli(count: int, seed: int) -> Frames:
    """Random beats, one per frame; now and then an address comes again, so that reads meet writes."""
    rng = np.random.default_rng(seed)
    beats = rng.integers(0, 256, (count, 1, 8)).astype(np.uint8)
    again = rng.random(count) < 0.3
    beats[again, 0, :2] = beats[np.maximum(np.flatnonzero(again) - 1, 0), 0, :2]
    return Frames("s_axis", beats)


def compare(folder: Path, units: Sequence[Unit], family: str, count: int = 3000, seed: int = 0) -> dict[str, int]:
    """RTL == netlist on random stimuli at full load and with stalls; returns the cells of the netlist."""
    files, size = write_bench(folder / "rtl", units, seed)
    frames = [stimuli(count, seed + 1)]
    rtl = rtl_simulation(files, "top", frames, 1, size, folder)
    mapped = netlist_simulation(files, "top", family, DEVICES[family], frames, 1, size, folder)
    for one, other in zip(rtl, mapped, strict=True):
        assert_equal(units, one, other)
    cells: dict[str, int] = json.loads((folder / "flat.json").read_text())["modules"]["\\top"]["num_cells_by_type"]
    return cells


def assert_equal(units: Sequence[Unit], want: NetlistRun, got: NetlistRun) -> None:
    """The same beats; else which unit differs first."""
    assert len(want.beats) == len(got.beats) and want.cycles == got.cycles
    bits = [np.unpackbits(run.beats[:, 0], axis=1, bitorder="little") for run in (want, got)]
    wrong = np.argwhere(bits[0] != bits[1])
    if not len(wrong):
        return
    texts, start = [], 0
    for unit in units:
        rows = (bits[0][:, start : start + unit.bits] != bits[1][:, start : start + unit.bits]).any(axis=1)
        if rows.any():
            texts.append(f"{unit.module} {unit.params}: {rows.sum()} beats, the first {np.flatnonzero(rows)[0]}")
        start += unit.bits
    raise AssertionError("\n".join(texts))
