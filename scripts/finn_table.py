"""What FINN takes: nets through the finn backend, FINN's own steps, its Python models and its estimate.

    python scripts/finn_table.py [NET ...] [--board pynq-z2] [--target-ii N] [--rows 200]

NET is a name of tests/conformance/nets.py or the folder of a saved net; all of the
former if none is given.  Prints the Markdown table of docs/finn.md.  Needs the
environment that scripts/finn-env makes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from bitsmith.hls.backends.base import read_manifest
from bitsmith.hls.backends.finn.backend import FinnBackend
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.hls.tools import finn
from bitsmith.hls.verify import save_vectors, verify_project
from bitsmith.models.ir import BitsmithError, QNet, load, random_inputs

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "conformance"))
from nets import NETS

HEAD = "| net | FINN's layers | rows equal | cycles per result | LUT: ours, FINN's | DSP | BRAM18: ours, FINN's | s |"


def row(net: QNet, hw: HwConfig, rows: int, folder: Path) -> str:
    backend = FinnBackend()
    problems = backend.check(net, hw)
    if problems:
        return "refused: " + "; ".join(f"{p.op}: {p.text}" for p in problems)
    began = time.monotonic()
    backend.emit(net, hw, folder, random_inputs(net, 8, 0))
    save_vectors(folder, random_inputs(net, rows, 0))
    proof = verify_project(folder, backend, rows)
    theirs, ours = finn.estimate(folder), read_manifest(folder)["folding"]
    kinds = [name.rsplit("_", 2)[0] for name in theirs["layers"]]
    layers = ", ".join(f"{kinds.count(k)} {k}" for k in dict.fromkeys(kinds))
    equal = f"{proof.samples} of {proof.samples}" if proof.exact else f"differs: {proof.mismatch}"
    named = "" if theirs["folding_applied"] else " (folding not applied)"
    cells = [
        layers,
        equal,
        str(ours["ii_cycles"])
        + ("" if theirs["ii_cycles"] == ours["ii_cycles"] else f", FINN {theirs['ii_cycles']}")
        + named,
        f"{ours['lut']}, {theirs['lut']:.0f}",
        f"{theirs['dsp']:.0f}",
        f"{ours['bram18']}, {theirs['bram18']:.0f}",
        f"{time.monotonic() - began:.0f}",
    ]
    return " | ".join(cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", nargs="*", metavar="NET", default=list(NETS))
    parser.add_argument("--board", default="pynq-z2")
    parser.add_argument("--target-ii", type=int)
    parser.add_argument("--rows", type=int, default=200)
    args = parser.parse_args()
    hw = HwConfig(load_board(args.board), clock_mhz=100.0, backend="finn", target_ii=args.target_ii)
    print(HEAD, "|---|---|---|---|---|---|---|---|", sep="\n", flush=True)
    for name in args.nets:
        net = NETS[name]() if name in NETS else load(Path(name))
        with tempfile.TemporaryDirectory() as folder:
            try:
                cells = row(net, hw, args.rows, Path(folder))
            except BitsmithError as error:
                cells = f"failed: {error}"
        print(f"| {net.name} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
