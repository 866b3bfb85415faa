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


WORLDS = {"hls4ml": _hls4ml}


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
