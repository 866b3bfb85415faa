"""Compares solvers of constant-matrix multiplication: da4ml against alkaid, on our own adder graphs.

    python scripts/bench_adder_graphs.py [--designs NAME ...] [--solvers NAME ...] [--json FILE]

Every layer's matrix is solved, turned into the plain graph that the backend
uses (which is checked to be that matrix exactly), written as a module and
synthesised by yosys for 7 series.  docs/adder-graphs.md holds the table.
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
from bitsmith.hls.backends.rtl.unrolled.adder_graph import SolverOp, Stage, solve_da4ml, solve_with
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
YOSYS = """
import sys
from pyosys import libyosys as ys
d = ys.Design()
for command in sys.argv[1:]:
    ys.run_pass(command, d)
"""


def solve_da4ml_full_adders(weight: IntArray, lo: IntArray, hi: IntArray) -> list[Stage]:
    """da4ml told to count full adders and carry chains instead of adders."""
    from da4ml.cmvm import solve

    intervals = [(float(a), float(b), 1.0) for a, b in zip(lo, hi, strict=True)]
    found = solve(weight.astype(np.float32), qintervals=intervals, adder_size=1, carry_size=8)
    stages = []
    for logic in found.solutions:
        ops = [SolverOp(o.id0, None if o.opcode == -1 else o.id1, o.data, o.opcode == 1) for o in logic.ops]
        stages.append((logic.inp_shifts, ops, logic.out_idxs, logic.out_shifts, logic.out_negs))
    return stages


def solve_alkaid(weight: IntArray, lo: IntArray, hi: IntArray) -> list[Stage]:
    """alkaid, da4ml's successor, with its defaults."""
    from alkaid.cmvm import cmvm_solve

    intervals = [(float(a), float(b), 1.0) for a, b in zip(lo, hi, strict=True)]
    stages = []
    for logic in cmvm_solve(weight.astype(np.float32), qintervals=intervals):
        ops = []
        for op in logic.ops:
            assert op.opcode in (-1, 0, 1), f"alkaid used opcode {op.opcode}"
            leaf = op.opcode == -1
            ops.append(SolverOp(op.data[0], None, 0, False) if leaf else SolverOp(*op.addr, op.data[0], op.opcode == 1))
        stages.append((logic.inp_shifts, ops, logic.out_idxs, logic.out_shifts, logic.out_negs))
    return stages


ENGINES = {"da4ml": solve_da4ml, "da4ml, full adders": solve_da4ml_full_adders, "alkaid": solve_alkaid}


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


def synthesise(sources: list[Path], folder: Path) -> dict[str, int]:
    """Cells of all modules together, by yosys in a process of its own."""
    total: dict[str, int] = {}
    for source in sources:
        report = folder / f"{source.stem}.json"
        commands = [
            f"read_verilog -sv {source}",
            f"synth_xilinx -family xc7 -flatten -noiopad -noclkbuf -top {source.stem}",
            f"tee -q -o {report} stat -json",
        ]
        done = subprocess.run([sys.executable, "-c", YOSYS, *commands], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"yosys failed on {source}:\n{done.stdout[-2000:]}")
        cells = json.loads(report.read_text())["design"]["num_cells_by_type"]
        for cell, count in cells.items():
            total[cell] = total.get(cell, 0) + count
    return total


def measure(design: str, engine: str, folder: Path) -> dict[str, object]:
    """One row of the table."""
    sizes, bits, zeros = DESIGNS[design]
    delays = FAMILIES["xc7"]
    adders = full = registers = stages = 0
    seconds = 0.0
    sources = []
    for number, weight in enumerate(matrices(sizes, bits, zeros)):
        lo, hi = np.zeros(weight.shape[0], np.int64), np.full(weight.shape[0], (1 << INPUT_BITS) - 1)
        started = time.perf_counter()
        graph = solve_with(ENGINES[engine], weight, lo, hi)  # asserts that it is exact
        seconds += time.perf_counter() - started
        b = NetlistBuilder()
        net = b.finish(
            b.linear(graph, [b.input(0, i, int(a), int(z)) for i, (a, z) in enumerate(zip(lo, hi, strict=True))])
        )
        sums = [n for n in net.nodes if n.kind in (Kind.ADD, Kind.SUB)]
        adders += len(sums)
        full += sum(carry_bits(n, net.nodes) for n in sums)
        pipelined = schedule(net, 0.0, usable_ns(5.0, delays), delays)
        registers += pipelined.register_bits(net)
        stages += pipelined.latency
        sources.append(folder / f"layer{number}.sv")
        sources[-1].write_text(module_text(f"layer{number}", net, schedule(net, 0.0, 1e9, delays), weight.shape[0]))
    cells = synthesise(sources, folder)
    luts = sum(count for cell, count in cells.items() if cell.startswith("LUT"))
    return {
        "design": design,
        "solver": engine,
        "adders": adders,
        "full_adders": full,
        "lut": luts,
        "inv": cells.get("INV", 0),
        "stages_200mhz": stages,
        "ff_bits_200mhz": registers,
        "solve_s": round(seconds, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--designs", nargs="*", default=list(DESIGNS), choices=list(DESIGNS))
    parser.add_argument("--solvers", nargs="*", default=list(ENGINES), choices=list(ENGINES))
    parser.add_argument("--json", type=Path, help="write the rows there too")
    options = parser.parse_args()
    rows = []
    for design in options.designs:
        for engine in options.solvers:
            with tempfile.TemporaryDirectory() as folder:
                rows.append(measure(design, engine, Path(folder)))
            if len(rows) == 1:
                print("| " + " | ".join(rows[0]) + " |\n" + "|---" * len(rows[0]) + "|")
            print("| " + " | ".join(map(str, rows[-1].values())) + " |", flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
