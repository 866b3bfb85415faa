"""``scripts/calibrate WORLD ...``: one subcommand per world of the estimator."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bitsmith.models.ir.errors import BitsmithError


def _hls4ml(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], str]:
    parser.add_argument("truth", type=Path, metavar="TRUTH_DIR", help="folder with the files of synthesis results")
    parser.add_argument("--out", type=Path, help="folder for the JSON file, in the place of the package")

    def run(given: argparse.Namespace) -> str:
        from bitsmith.flows.calibrate.hls4ml import calibrate

        return calibrate(given.truth, given.out)

    return run


def _rtl(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], str]:
    parser.add_argument("data", type=Path, nargs="?", help="file of designs (JSON lines); the shipped one by default")
    parser.add_argument("--out", type=Path, help="folder for the JSON files, in the place of the package")

    def run(given: argparse.Namespace) -> str:
        import bitsmith.hls.estimate.calibrations as shipped
        from bitsmith.flows.calibrate.rtl_report import calibrate, shipped_rows
        from bitsmith.flows.calibrate.synthesis import rows_of
        from bitsmith.flows.rundir import say

        rows = rows_of(given.data) if given.data else shipped_rows()
        return calibrate(rows, given.out or Path(shipped.__path__[0]), say)

    return run


def _synthesise(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], str]:
    parser.add_argument("data", type=Path, help="file of designs (JSON lines); what it holds is not made again")
    parser.add_argument("--each", type=int, default=10, help="designs of every family and backend")
    parser.add_argument("--family", action="append", choices=["ecp5", "gowin", "ice40", "xc7"])
    parser.add_argument("--backend", action="append", choices=["rtl-folded", "rtl-unrolled"])
    parser.add_argument("--place", action="store_true", help="place and route too, where there is an open tool")

    def run(given: argparse.Namespace) -> str:
        from bitsmith.flows.calibrate.designs import BOARDS, designed_set
        from bitsmith.flows.calibrate.synthesis import grow
        from bitsmith.flows.rundir import say

        backends = given.backend or ["rtl-folded", "rtl-unrolled"]
        pairs = [(family, backend) for backend in backends for family in given.family or list(BOARDS)]
        count = 0
        for row in grow(given.data, designed_set(pairs, given.each), given.place):
            count += 1
            say(f"{row['id']}: {row.get('error') or str(row['lut']) + ' LUT'}")
        return f"{count} designs added to {given.data}"

    return run


WORLDS = {"hls4ml": _hls4ml, "rtl": _rtl, "synthesise": _synthesise}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one world's calibration; prints its tables as Markdown."""
    parser = argparse.ArgumentParser(prog="scripts/calibrate", description="Fits the cost models to real results.")
    worlds = parser.add_subparsers(dest="world", required=True)
    runs = {name: add(worlds.add_parser(name)) for name, add in WORLDS.items()}
    given = parser.parse_args(arguments)
    try:
        print(runs[given.world](given))
    except BitsmithError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
