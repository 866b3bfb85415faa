"""Networks as folded RTL, proved and synthesised: the tables of docs/folded.md.

    python scripts/folded_table.py NET[:TARGET_II] ... [--board pynq-z2] [--clock-mhz 100] [--rows 200] [--out DIR]

NET is the folder of a saved net (what ``bitsmith import`` or ``train`` writes as net/).
For each: emit, verify at full load and under random stalls, synthesise with the open tools,
simulate the mapped netlist.  One Markdown row per net; a cycle that is not as predicted ends the run.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bitsmith.hls.backends.rtl.folded.backend import RtlFolded
from bitsmith.hls.backends.rtl.folded.plan import plan
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.hls.estimate import estimate
from bitsmith.hls.synth import synthesize
from bitsmith.hls.verify import save_vectors, verify_project
from bitsmith.models.ir import QNet, load, random_inputs

HEAD = (
    "| net | rows equal | latency = predicted | II = predicted | results/s at {clock:g} MHz | LUT: estimated, {tool} "
    "| FF | DSP | BRAM18: estimated, {tool} | netlist equal, frames | s |"
)


def row(net: QNet, hw: HwConfig, rows: int, folder: Path) -> list[str]:
    backend, design = RtlFolded(), plan(net, hw)
    backend.emit(net, hw, folder, random_inputs(net, 8, 0))
    save_vectors(folder, random_inputs(net, rows, 0))
    proof = verify_project(folder, backend, rows)
    assert proof.exact, f"{net.name}: {proof.mismatch}"
    assert (proof.latency_cycles, proof.ii_cycles) == (design.cycles.latency_cycles, design.cycles.ii_cycles)
    found = synthesize(folder, hw.board, area_only=False)
    cost = estimate(net, hw)
    return [
        net.name,
        f"{proof.samples} of {proof.samples}",
        str(proof.latency_cycles),
        str(proof.ii_cycles),
        f"{hw.clock_mhz * 1e6 / design.cycles.ii_cycles:,.1f}",
        f"{cost.lut.value:.0f}, {found.lut}",
        str(found.ff),
        str(found.dsp),
        f"{cost.bram.value:.0f}, {found.bram}",
        f"{'all' if found.netlist_exact else 'NOT ALL'} of {found.netlist_samples}",
        f"{found.seconds:.0f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", nargs="+")
    parser.add_argument("--board", default="pynq-z2")
    parser.add_argument("--clock-mhz", type=float, default=100.0)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("runs/folded_table"))
    args = parser.parse_args()
    board = load_board(args.board)
    head = HEAD.format(clock=args.clock_mhz, tool="yosys")
    print(head, "|" + "---|" * (head.count("|") - 1), sep="\n", flush=True)
    for number, text in enumerate(args.nets):
        folder, _, target = text.partition(":")
        hw = HwConfig(board, args.clock_mhz, "rtl-folded", target_ii=int(target) if target else None)
        cells = row(load(Path(folder)), hw, args.rows, args.out / str(number))
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
