"""Runs parts of the folded library alone: a head, pipes and an outlet as a small design in Verilator, or through yosys.

Several stages share one build, since building takes longer than running: each
has its own input streams; their outputs are joined beat by beat.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bitsmith.hls.backends.rtl.folded.modules import literal, rom_text
from bitsmith.hls.backends.rtl.folded.parts import Part
from bitsmith.hls.backends.rtl.packing import Bytes, pack_rows, row_bytes, unpack_rows
from bitsmith.hls.backends.rtl.render import LIB, render
from bitsmith.hls.tools import verilator
from bitsmith.hls.tools.cells import Used, used
from bitsmith.hls.tools.netlist import Frames, netlist_simulation
from bitsmith.hls.tools.run import run_tool
from bitsmith.hls.tools.yosys import run_yosys, synth_command
from bitsmith.models.ir import QuantType
from bitsmith.models.ir.types import IntArray

HERE = Path(__file__).parent
TOP, CHECK = "bench", "rtl_latency_check"
PATIENCE = 20_000
DEVICES = {
    "ecp5": ("ecp5", "lfe5u-25f"),
    "up5k": ("ice40", "ice40up5k"),
    "hx8k": ("ice40", "ice40hx8k"),
    "gowin": ("gowin", "gw1nr9c"),
    "xc7": ("xc7", "xc7z020"),
    "xcup": ("xcup", "xczu3eg"),
}
"""Short name -> family and device of a mapping."""


@dataclass(frozen=True, eq=False)
class Stream:
    """Input frames: ``values`` (frames, beats, lanes), integers of ``bits`` bits."""

    values: IntArray
    bits: int


@dataclass(frozen=True, eq=False)
class Stage:
    """A head and the chains of pipes behind it, one per consumer; ``signed`` says how each chain's output is read."""

    head: Part
    chains: Sequence[Sequence[Part]]
    inputs: Sequence[Stream]
    signed: Sequence[bool]
    depth: int = 0  # of the outlets; 0: enough for the beats on their way and four more

    @property
    def outlet_depth(self) -> int:
        """Places of each outlet."""
        return self.depth or self.head.latency + max(sum(p.latency for p in c) for c in self.chains) + 4

    def ends(self) -> list[Part]:
        """The last part of each chain."""
        return [(c[-1] if c else self.head) for c in self.chains]


@dataclass(frozen=True, eq=False)
class Result:
    """One run: outputs of every chain of every stage (frames, beats, lanes), and when each frame's last beat came."""

    outputs: list[IntArray]
    first_taken: int
    done: list[int] = field(default_factory=list)


def stream(values: IntArray, kind: QuantType) -> Stream:
    """``values`` (frames, beats, lanes) as a stream of that type."""
    return Stream(np.asarray(values, np.int64), kind.bits)


def run_stage(
    folder: Path,
    head: Part,
    pipes: Sequence[Part],
    inputs: Sequence[Stream],
    out_beats: int,
    signed: bool,
    depth: int = 0,
    stalls: Sequence[int] = (0, 40, 75),
) -> tuple[IntArray, Result]:
    """One chain: its outputs (frames, beats, lanes), and the run at full load; every run gives the same integers."""
    results = run_stages(folder, [Stage(head, [pipes], inputs, [signed], depth)], out_beats, stalls)
    return results[0].outputs[0], results[0]


def run_stages(
    folder: Path, stages: Sequence[Stage], out_beats: int, stalls: Sequence[int] = (0, 40, 75)
) -> list[Result]:
    """Lint, build and run, once per percentage of ``stalls``; all runs must give the same integers.

    The latency of every part is checked on every beat by the simulation itself.
    """
    folder.mkdir(parents=True, exist_ok=True)
    values = _design(folder, stages, out_beats, checked=True)
    names = (*_modules([s.head, *_pipes(s)] for s in stages), CHECK, TOP)
    sources = [folder / f"{name}.sv" for name in names]
    verilator.lint(sources, TOP, folder / "lint.log")
    harness = folder / "harness.cpp"
    inputs = [i for s in values["stages"] for i in s["inputs"]]
    output = {"bytes": values["out_bytes"], "beats": out_beats}
    harness.write_text(render("stream.cpp.j2", module=TOP, inputs=inputs, output=output, patience=PATIENCE))
    program = verilator.build(sources, TOP, folder / "build", harness, ("-Wno-fatal", "--assert"))
    files: list[Path] = []
    for entry, stream in _ports(values, stages):
        files.append(folder / f"{entry['port']}.bin")
        files[-1].write_bytes(_packed(stream).tobytes())
    frames = len(stages[0].inputs[0].values)
    results = []
    for number, percent in enumerate(stalls):
        out = folder / "out.bin"
        command = [program, str(frames), str(percent), str(number + 1), out, *files]
        text = run_tool(command, folder, folder / f"run{number}.log", 600)
        facts = json.loads(text.splitlines()[-1])
        rows = np.frombuffer(out.read_bytes(), np.uint8).reshape(-1, values["out_bytes"])
        outputs = _outputs(rows, values, stages, frames, out_beats)
        results.append(Result(outputs, facts["first_taken"], facts["done"]))
        for mine, first in zip(outputs, results[0].outputs, strict=True):
            assert (mine == first).all(), f"stalls of {percent} % change the integers"
    return results


def run_netlist(folder: Path, stages: Sequence[Stage], out_beats: int, name: str) -> list[list[IntArray]]:
    """The same design mapped for a device of ``DEVICES``, its netlist run at full load and with stalls.

    Returns the outputs of each run as in :class:`Result`; a run may end before the last frame.
    """
    family, device = DEVICES[name]
    folder.mkdir(parents=True, exist_ok=True)
    values = _design(folder, stages, out_beats, checked=False)
    files = [folder / f"{m}.sv" for m in (*_modules([s.head, *_pipes(s)] for s in stages), TOP)]
    frames = [Frames(e["port"], _packed(s).reshape(*s.values.shape[:2], e["bytes"])) for e, s in _ports(values, stages)]
    runs = netlist_simulation(files, TOP, family, device, frames, out_beats, values["out_bytes"], folder / "netlist")
    assert all(len(run.beats) for run in runs)
    rows = [run.beats.reshape(-1, values["out_bytes"]) for run in runs]
    return [_outputs(r, values, stages, len(run.beats), out_beats) for r, run in zip(rows, runs, strict=True)]


def _ports(values: dict[str, Any], stages: Sequence[Stage]) -> list[tuple[dict[str, Any], Stream]]:
    """Every input port of the top with what goes into it."""
    entries = [i for s in values["stages"] for i in s["inputs"]]
    streams = [i for s in stages for i in s.inputs]
    assert len({s.values.shape[0] for s in streams}) == 1, "all streams have the same number of frames"
    return list(zip(entries, streams, strict=True))


def _packed(stream: Stream) -> Bytes:
    return pack_rows(stream.values.reshape(-1, stream.values.shape[-1]), stream.bits)


def _outputs(rows: Bytes, values: dict[str, Any], stages: Sequence[Stage], frames: int, beats: int) -> list[IntArray]:
    """Every chain's integers (frames, beats, lanes) from the joined beats."""
    chains = [c for s in values["stages"] for c in s["chains"]]
    signs = [sign for s in stages for sign in s.signed]
    return [
        unpack_rows(rows, c["lanes"], c["bits"], sign, 8 * c["start"]).reshape(frames, beats, c["lanes"])
        for c, sign in zip(chains, signs, strict=True)
    ]


def _pipes(stage: Stage) -> list[Part]:
    return [p for c in stage.chains for p in c]


def _modules(groups: Any) -> list[str]:
    """Library modules of all parts, each once, the outlet too."""
    names: dict[str, None] = {}
    for part in (p for group in groups for p in group):
        names.update(dict.fromkeys((*part.sources, part.module)))
    names.update({"bitsmith_outlet": None})
    return list(names)


def _design(folder: Path, stages: Sequence[Stage], out_beats: int, checked: bool) -> dict[str, Any]:
    """The top and all files that it needs, in ``folder``; returns the values of its template."""
    entries: list[dict[str, Any]] = []
    start = index = ports = 0
    for number, stage in enumerate(stages):
        name = f"s{number}"
        inputs = []
        for stream in stage.inputs:
            _, beats, lanes = stream.values.shape
            width = lanes * stream.bits
            inputs.append(
                {"port": f"in{ports}", "width": width, "bytes": row_bytes(lanes, stream.bits), "beats": beats}
            )
            ports += 1
        chains = []
        for k, (pipes, end) in enumerate(zip(stage.chains, stage.ends(), strict=True)):
            before, rows = name, []
            for j, part in enumerate(pipes):
                own = f"{name}_c{k}_p{j}"
                rows.append({"name": own, "part": part, "before": before, "params": params(part, folder, own)})
                before = own
            chain = {"name": f"{name}_c{k}", "pipes": rows, "last": before, "lanes": end.lanes, "bits": end.bits}
            size = row_bytes(end.lanes, end.bits)
            chains.append({**chain, "width": end.lanes * end.bits, "bytes": size, "start": start, "index": index})
            start, index = start + size, index + 1
        head_params = params(stage.head, folder, name)
        entry = {"name": name, "head": stage.head, "head_params": head_params, "inputs": inputs, "chains": chains}
        entries.append({**entry, "depth": stage.outlet_depth})
    values = {
        "top": TOP,
        "stages": entries,
        "chains": index,
        "out_bytes": start,
        "out_beats": out_beats,
        "checked": checked,
    }
    _write(folder, TOP, "rtl_bench.sv.j2", values)
    for module in _modules([s.head, *_pipes(s)] for s in stages):
        shutil.copy(LIB / f"{module}.sv", folder)
    shutil.copy(HERE / f"{CHECK}.sv", folder)
    return values


def _write(folder: Path, name: str, template: str, values: dict[str, Any]) -> None:
    loader = FileSystemLoader(HERE)
    environment = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    (folder / f"{name}.sv").write_text(environment.get_template(template).render(**values) + "\n")


def params(part: Part, folder: Path, prefix: str) -> str:
    """The parameters of an instance as text; its ROMs are written as ``<prefix>_<parameter>.hex`` into ``folder``."""
    texts = {name: literal(value) for name, value in part.params.items()}
    for name, rom in part.roms.items():
        file = folder / f"{prefix}_{name.lower()}.hex"
        file.write_text(rom_text(rom))
        texts[name] = f'"{file.name}"'
    return ", ".join(f".{name}({text})" for name, text in texts.items())


def full_load(result: Result, head: Part, pipes: Sequence[Part]) -> list[int]:
    """When the frames of a run of one stage must be done, its inputs always there and its output always taken."""
    steps = head.steps
    assert steps is not None
    start = result.first_taken - steps.gap * min(int(p[0]) for p in steps.pops)
    latency = head.latency + sum(p.latency for p in pipes) + 1
    last = int(steps.issues[-1])
    return [start + steps.gap * (frame * steps.count + last) + latency for frame in range(len(result.done))]


# ---- mapping


@dataclass(frozen=True, eq=False)
class Mapped:
    """What yosys made of a part on one device."""

    used: Used
    cells: dict[str, int]
    log: str


def map_part(folder: Path, part: Part, in_width: int, name: str, inputs: int = 0) -> Mapped:
    """``part`` alone through yosys for a device of ``DEVICES``: a head where it has ``inputs``, else a pipe.

    An error of yosys, a latch or a warning fails.
    """
    family, device = DEVICES[name]
    folder.mkdir(parents=True, exist_ok=True)
    values = {"part": part, "params": params(part, folder, "unit"), "width": in_width, "inputs": inputs}
    _write(folder, "unit", "rtl_unit.sv.j2", values)
    modules = dict.fromkeys((*part.sources, part.module))
    for module in modules:
        shutil.copy(LIB / f"{module}.sv", folder)
    commands = [f"read_verilog -sv {module}.sv" for module in (*modules, "unit")]
    commands += [synth_command(family, device, "unit", True), "tee -q -o unit.json stat -json -top unit"]
    run_yosys(commands, folder, "unit")
    log = (folder / "unit.log").read_text()
    assert not re.search(r"Latch inferred", log), f"{part.module}: latches on {name}"
    warnings = [line for line in log.splitlines() if line.startswith("Warning:") and not _expected(line)]
    assert not warnings, f"{part.module} on {name}: {warnings}"
    cells = json.loads((folder / "unit.json").read_text())["modules"]["\\unit"]["num_cells_by_type"]
    return Mapped(used(cells, family), cells, log)


def _expected(line: str) -> bool:
    """What yosys says of every memory that it turns into logic, by design for small ROMs; and of every RAMB18E2, whose
    address its own map of UltraScale+ gives the 16 bits of a RAMB36E2 (the netlists with them are simulated)."""
    return "Replacing memory" in line or bool(
        re.search(r"Resizing cell port .*\.ADDR(ARD|BWR)ADDR from 16 bits to 15", line)
    )


def map_everywhere(
    folder: Path, part: Part, in_width: int, inputs: int = 0, names: Sequence[str] = tuple(DEVICES)
) -> dict[str, Used]:
    """:func:`map_part` for every device of ``names``."""
    return {name: map_part(folder / name, part, in_width, name, inputs).used for name in names}
