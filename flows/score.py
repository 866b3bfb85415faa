"""How good the hls4ml model is on a file of real results: errors per target, and every row that it could not price."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bitsmith.flows.truth import Line, figures_of, read_lines, with_declared_sums
from bitsmith.hls.estimate.hls4ml.bounds import bound
from bitsmith.hls.estimate.hls4ml.coefficients import Calibration, load_calibration
from bitsmith.hls.estimate.hls4ml.feasible import verdicts
from bitsmith.hls.estimate.hls4ml.layers import HlsDesign, columns
from bitsmith.hls.estimate.hls4ml.model import TARGETS, predict
from bitsmith.hls.estimate.hls4ml.rows import design_of, stage_of
from bitsmith.hls.estimate.metrics import score
from bitsmith.models.ir.errors import BitsmithError

STAGES = ("csynth", "vivado")


@dataclass(frozen=True)
class Priced:
    """One row with the model's figures; ``truth`` has None where the row says nothing."""

    line: int
    name: str
    stage: str
    truth: dict[str, float | None]
    value: dict[str, float]
    low: dict[str, float]
    high: dict[str, float]
    outside: bool


@dataclass(frozen=True)
class Skipped:
    """A row that is not scored, and why."""

    line: int
    name: str
    reason: str


@dataclass(frozen=True)
class Scored:
    """All of a file."""

    priced: tuple[Priced, ...]
    skipped: tuple[Skipped, ...]
    feasibility: tuple[tuple[bool, bool], ...]  # (finished, the model's verdict) where a row says whether HLS did
    calibration: str
    modules: str = ""  # the file whose modules said what the designs' sums are, beside the rows' own


def score_file(path: Path, calibration: Calibration | None = None, modules: Path | None = None) -> Scored:
    """Prices every row of ``path``.  InputError for a file that cannot be read.

    Designs take the type of their sums from rows of their modules, in ``path`` itself or in ``modules``.
    """
    lines = read_lines(path)
    named = [*lines, *(read_lines(modules) if modules else [])]
    scored = score_lines(with_declared_sums(lines, named), calibration or load_calibration())
    return replace(scored, modules=modules.name if modules else "")


def score_lines(lines: Sequence[Line], calibration: Calibration) -> Scored:
    """Prices every line that can be priced; duplicates and rows that failed are no part of the errors."""
    known: list[tuple[Line, HlsDesign]] = []
    skipped = []
    for line in lines:
        try:
            if line.problem:
                raise BitsmithError(line.problem)
            if line.row.get("duplicate") is True:
                raise BitsmithError("duplicate")
            known.append((line, design_of(line.row)))
        except BitsmithError as error:
            skipped.append(Skipped(line.number, _name(line), str(error)))
    verdict = verdicts(columns([d for _, d in known])) == 0
    said = [(line.row.get("success"), bool(v)) for (line, _), v in zip(known, verdict, strict=True)]
    finished = [pair for pair in known if pair[0].row.get("success") is not False]
    priced = [
        p for stage in STAGES for p in _price([k for k in finished if stage_of(k[0].row) == stage], stage, calibration)
    ]
    return Scored(
        priced=tuple(sorted(priced, key=lambda p: p.line)),
        skipped=tuple(skipped),
        feasibility=tuple((truth, v) for truth, v in said if isinstance(truth, bool)),
        calibration=calibration.id,
    )


def _price(known: list[tuple[Line, HlsDesign]], stage: str, calibration: Calibration) -> list[Priced]:
    if not known:
        return []
    vivado = stage == "vivado"
    c = columns([design for _, design in known])
    values = predict(c, calibration.coefficients, vivado).designs
    found = bound(c, values, calibration, vivado)

    def row(of: dict[str, Any], i: int) -> dict[str, float]:
        return {target: float(of[target][i]) for target in TARGETS}

    return [
        Priced(
            line.number, _name(line), stage, figures_of(line.row),
            row(values, i), row(found.low, i), row(found.high, i), bool(found.outside[i]),
        )
        for i, (line, _) in enumerate(known)
    ]  # fmt: skip


def _name(line: Line) -> str:
    parts = (line.row.get(key) for key in ("repo", "path", "module", "id"))
    return " ".join(str(part) for part in parts if part)


def table(priced: Sequence[Priced]) -> dict[str, dict[str, float | int | None]]:
    """Errors per target over ``priced``; targets that no row has are left out, an R2 without spread is None."""
    found: dict[str, dict[str, float | int | None]] = {}
    for target in TARGETS:
        rows = [p for p in priced if p.truth[target] is not None]
        if rows:
            truth = np.array([p.truth[target] for p in rows], dtype=np.float64)
            value, low, high = ([getattr(p, of)[target] for p in rows] for of in ("value", "low", "high"))
            errors = asdict(score(truth, value, low, high))
            found[target] = {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in errors.items()}
    return found


def as_json(scored: Scored) -> dict[str, Any]:
    """The whole file's table at the top, then by stage, feasibility, and the rows that were not scored."""
    everything = table(scored.priced)
    right = [truth == verdict for truth, verdict in scored.feasibility]
    return {
        **everything,
        "all": everything,
        **{stage: table([p for p in scored.priced if p.stage == stage]) for stage in STAGES},
        "feasibility": {
            "n": len(right),
            "accuracy": sum(right) / len(right) if right else None,
            "finished": sum(truth for truth, _ in scored.feasibility),
        },
        "scored": len(scored.priced),
        "outside_calibration": sum(p.outside for p in scored.priced),
        "unscored": len(scored.skipped),
        "unscored_reasons": dict(Counter(s.reason for s in scored.skipped).most_common()),
        "unscored_rows": [asdict(s) for s in scored.skipped],
        "calibration": scored.calibration,
        "modules": scored.modules,
    }


def as_markdown(scored: Scored) -> str:
    """The same for people."""
    data = as_json(scored)
    lines = [f"{data['scored']} rows scored, {data['outside_calibration']} of them outside of the calibration"]
    if scored.modules:
        lines.append(f"types of sums also from {scored.modules}")
    for title in ("all", *STAGES):
        if data[title] and (title == "all" or len({p.stage for p in scored.priced}) > 1):
            lines += ["", *markdown_table(data[title], title)]
    if data["feasibility"]["n"]:
        lines += [
            "",
            f"feasibility: {100 * data['feasibility']['accuracy']:.2f} % of {data['feasibility']['n']} rows right",
        ]
    lines += ["", f"{data['unscored']} rows not scored"]
    lines += [f"  {count:5d}  {reason}" for reason, count in data["unscored_reasons"].items()]
    return "\n".join(lines)


def markdown_table(targets: dict[str, dict[str, Any]], title: str) -> list[str]:
    """Lines of a table of errors."""
    lines = [f"| {title} | n | R2 | SMAPE % | median % | p90 % | within bounds % |", "|---|---|---|---|---|---|---|"]
    for name, e in targets.items():
        r2 = "" if e["r2"] is None else f"{e['r2']:.3f}"
        lines.append(
            f"| {name} | {e['n']} | {r2} | {e['smape']:.2f} | {e['median_ape']:.2f} | {e['p90_ape']:.2f} "
            f"| {100 * e['coverage90']:.1f} |"
        )
    return lines


def modules_beside(path: Path) -> Path | None:
    """The one file of HLS modules in the folder of ``path``, None where there is none or more."""
    found = [x for x in sorted(path.parent.glob("*modules*.jsonl*")) if x.is_file() and x != path]
    return found[0] if len(found) == 1 else None


def main(arguments: Sequence[str] | None = None) -> int:
    """``scripts/score FILE [--modules FILE] [--json]``."""
    parser = argparse.ArgumentParser(
        prog="scripts/score", description="Errors of the hls4ml estimates on real results."
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="one JSON object per line, gzip or plain")
    parser.add_argument(
        "--modules",
        type=Path,
        metavar="FILE",
        help="rows of HLS modules whose names say the types of the designs' sums",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(arguments)
    try:
        scored = score_file(given.file, modules=given.modules or modules_beside(given.file))
    except BitsmithError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(json.dumps(as_json(scored), indent=1) if given.json else as_markdown(scored))
    return 0


if __name__ == "__main__":
    sys.exit(main())
