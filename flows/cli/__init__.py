"""The command line: ``bitsmith COMMAND ...``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bitsmith.flows.cli.parser import make_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code (0 done, 2 input, 3 does not fit, 4 tool, 5 mismatch)."""
    args = make_parser().parse_args(argv)
    args.argv = list(sys.argv[1:] if argv is None else argv)
    from bitsmith.flows.cli.commands import run

    return run(args)
