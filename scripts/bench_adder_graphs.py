"""Compares solvers of constant-matrix multiplication: da4ml against alkaid, on our own adder graphs.

    python scripts/bench_adder_graphs.py [--synth] [--designs NAME ...] [--solvers NAME ...] [--json FILE]

Every layer's matrix is solved and turned into the plain graph that the backend
uses, which is checked to be that matrix exactly; then adders, full adders, and
what the pipeline takes at two clocks are counted.  With --synth each layer is
written as a module too and mapped for 7 series by yosys.  docs/adder-graphs.md
holds the table.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bitsmith.hls.backends.rtl.render import render
from bitsmith.hls.backends.rtl.unrolled.adder_graph import Engine, SolverOp, Stage, solve_da4ml, solve_with, stage_of
from bitsmith.hls.backends.rtl.unrolled.costs import FAMILIES, carry_bits, usable_ns
from bitsmith.hls.backends.rtl.unrolled.netlist import Kind, Netlist, NetlistBuilder
from bitsmith.hls.backends.rtl.unrolled.timing import Schedule, schedule
from bitsmith.hls.backends.rtl.unrolled.verilog import Signal, unit_text
from bitsmith.models.ir.types import IntArray, QuantType

DESIGNS = {  # name: (layer sizes, weight bits, share of zeros)
    "16-16-8-5 w4 75%": ((16, 16, 8, 5), 4, 0.75),
    "16-64-32-32-5 w2 50%": ((16, 64, 32, 32, 5), 2, 0.50),
    "16-64-32-32-5 w4 75%": ((16, 64, 32, 32, 5), 4, 0.75),
    "16-64-32-32-5 w4 50%": ((16, 64, 32, 32, 5), 4, 0.50),
    "16-64-32-32-5 w6 75%": ((16, 64, 32, 32, 5), 6, 0.75),
    "64-32-32-10 w5 50%": ((64, 32, 32, 10), 5, 0.50),
    "32-32 w6 dense": ((32, 32), 6, 0.0),
    "72-8 w6 50% (3x3x8 kernel)": ((72, 8), 6, 0.50),
}
INPUT_BITS = 6
CLOCKS_MHZ = (100, 200)
XC7 = FAMILIES["xc7"]
YOSYS = """
import sys
from pyosys import libyosys as ys
d = ys.Design()
for command in sys.argv[1:]:
    ys.run_pass(command, d)
"""


def solve_da4ml_freely(weight: IntArray, lo: IntArray, hi: IntArray) -> list[Stage]:
    """da4ml with its defaults: no limit to the depth."""
    from da4ml.cmvm import solve

    return [stage_of(logic) for logic in solve(weight.astype(np.float32), qintervals=qintervals(lo, hi)).solutions]


def alkaid(depth: int) -> Engine:
    """alkaid, da4ml's successor; ``depth`` as ``EXTRA_DEPTH``, -1 for its default."""

    def engine(weight: IntArray, lo: IntArray, hi: IntArray) -> list[Stage]:
        from alkaid.cmvm import cmvm_solve

        stages = []
        for logic in cmvm_solve(weight.astype(np.float32), qintervals=qintervals(lo, hi), hard_dc=depth):
            ops = []
            for op in logic.ops:
                assert op.opcode in (-1, 0, 1), f"alkaid used opcode {op.opcode}"
                leaf = op.opcode == -1
                parts = (op.data[0], None, 0, False) if leaf else (*op.addr, op.data[0], op.opcode == 1)
                ops.append(SolverOp(*parts))
            stages.append((logic.inp_shifts, ops, logic.out_idxs, logic.out_shifts, logic.out_negs))
        return stages

    return engine


def qintervals(lo: IntArray, hi: IntArray) -> list[tuple[float, float, float]]:
    return [(float(a), float(b), 1.0) for a, b in zip(lo, hi, strict=True)]


ENGINES = {
    "da4ml, depth + 2": solve_da4ml,  # what the backend uses
    "da4ml": solve_da4ml_freely,
    "alkaid, depth + 2": alkaid(2),
    "alkaid": alkaid(-1),
}


def matrices(sizes: tuple[int, ...], bits: int, zeros: float) -> list[IntArray]:
    """Random weights of every layer, always the same."""
    rng = np.random.default_rng(2026)
    top = (1 << (bits - 1)) - 1
    found = []
    for n, m in itertools.pairwise(sizes):
        weight = rng.integers(-top, top + 1, (n, m))
        weight[weight == 0] = 1
        found.append(weight * (rng.random((n, m)) >= zeros))
    return found


def module_text(name: str, net: Netlist, plan: Schedule, inputs: int) -> str:
    """The netlist as a module of the backend."""
    spans = [net.nodes[o] for o in net.outputs]
    kind = QuantType.for_range(min(s.lo for s in spans), max(s.hi for s in spans))
    x, y = Signal("x", INPUT_BITS, False, inputs), Signal("y", kind.bits, kind.signed, len(spans))
    text = unit_text(net, plan, [x], y)
    return render(
        "unit.sv.j2",
        banner="// benchmark",
        title=name,
        module=name,
        latency=plan.latency,
        ports=[{"name": "x", "bits": x.bits * x.size, "note": x.note}],
        out={"bits": y.bits * y.size, "note": y.note},
        tables=[],
        stages=text.stages,
        registers=text.registers,
        outputs=text.outputs,
        partial=["x", *text.partial],
    )


def synthesise(modules: dict[str, str]) -> dict[str, int]:
    """LUTs and inverters of all modules together, by yosys in a process of its own."""
    total = {"lut": 0, "inv": 0}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in modules.items():
            source, report = Path(folder, f"{name}.sv"), Path(folder, f"{name}.json")
            source.write_text(text)
            commands = [
                f"read_verilog -sv {source}",
                f"synth_xilinx -family xc7 -flatten -noiopad -noclkbuf -top {name}",
                f"tee -q -o {report} stat -json",
            ]
            done = subprocess.run([sys.executable, "-c", YOSYS, *commands], capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(f"yosys failed on {name}:\n{done.stdout[-2000:]}")
            for cell, count in json.loads(report.read_text())["design"]["num_cells_by_type"].items():
                total["lut"] += count if cell.startswith("LUT") else 0
                total["inv"] += count if cell == "INV" else 0
    return total


def measure(design: str, engine: str, synth: bool) -> dict[str, object]:
    """One row of the table."""
    sizes, bits, zeros = DESIGNS[design]
    row: dict[str, object] = {"design": design, "solver": engine}
    sums = dict.fromkeys(("adders", "full_adders"), 0)
    pipeline = {f"{what}_{mhz}mhz": 0 for mhz in CLOCKS_MHZ for what in ("stages", "ff")}
    seconds = 0.0
    modules = {}
    for number, weight in enumerate(matrices(sizes, bits, zeros)):
        lo, hi = np.zeros(weight.shape[0], np.int64), np.full(weight.shape[0], (1 << INPUT_BITS) - 1)
        started = time.perf_counter()
        graph = solve_with(ENGINES[engine], weight, lo, hi)  # asserts that it is exact
        seconds += time.perf_counter() - started
        b = NetlistBuilder()
        inputs = [b.input(0, i, 0, (1 << INPUT_BITS) - 1) for i in range(weight.shape[0])]
        net = b.finish(b.linear(graph, inputs))
        additions = [n for n in net.nodes if n.kind in (Kind.ADD, Kind.SUB)]
        sums["adders"] += len(additions)
        sums["full_adders"] += sum(carry_bits(n, net.nodes) for n in additions)
        for mhz in CLOCKS_MHZ:
            cut = schedule(net, 0.0, usable_ns(1e3 / mhz, XC7), XC7)
            pipeline[f"stages_{mhz}mhz"] += cut.latency
            pipeline[f"ff_{mhz}mhz"] += cut.register_bits(net)
        name = f"layer{number}"
        modules[name] = module_text(name, net, schedule(net, 0.0, 1e9, XC7), weight.shape[0])
    return row | sums | (synthesise(modules) if synth else {}) | pipeline | {"solve_s": round(seconds, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--designs", nargs="*", default=list(DESIGNS), choices=list(DESIGNS))
    parser.add_argument("--solvers", nargs="*", default=list(ENGINES), choices=list(ENGINES))
    parser.add_argument("--synth", action="store_true", help="count LUTs with yosys: minutes per row")
    parser.add_argument("--json", type=Path, help="write the rows there too")
    options = parser.parse_args()
    rows = []
    for design in options.designs:
        for engine in options.solvers:
            rows.append(measure(design, engine, options.synth))
            if len(rows) == 1:
                print("| " + " | ".join(rows[0]) + " |\n" + "|---" * len(rows[0]) + "|")
            print("| " + " | ".join(map(str, rows[-1].values())) + " |", flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
