"""Measures switching activity and writes hls/estimate/calibrations/activity.json.

    python scripts/measure_activity.py [--out FILE] [--work DIR]

Some minutes.  Prints one Markdown row per design: changes per bit and cycle of the RTL, of the LUTs and
flip-flops of the mapped netlists.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bitsmith.flows.calibrate_activity import calibrate

FILE = Path(__file__).resolve().parent.parent / "hls" / "estimate" / "calibrations" / "activity.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FILE)
    parser.add_argument("--work", type=Path, default=Path("runs/activity"))
    args = parser.parse_args()
    data = calibrate(args.work, args.out, lambda text: print(text, file=sys.stderr, flush=True))
    print(
        "| backend | design | II | nets | registers | LUT6 | FF | LUT4 | FF |",
        "|---|---|---|---|---|---|---|---|---|",
        sep="\n",
    )
    for row in data["designs"]:
        cells = [f"{row['cells'][family][kind]:.3f}" for family in ("xc7", "ecp5") for kind in ("lut", "ff")]
        rtl = [f"{row['rtl'][kind]:.3f}" for kind in ("nets", "registers")]
        print("| " + " | ".join([row["backend"], row["design"], str(row["ii_cycles"]), *rtl, *cells]) + " |")
    for backend, kinds in data["backends"].items():
        for kind, m in kinds.items():
            low, high = m["median"] * m["down"], m["median"] * m["up"]
            print(f"{backend} {kind}: {m['median']:.3f} ({low:.3f} to {high:.3f}), {m['n']} designs")


if __name__ == "__main__":
    main()
