"""``scripts/calibrate rtl``: fits, writes the calibration files, and prints the error tables."""

from __future__ import annotations

import gzip
import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from bitsmith.flows.calibrate.rtl import (
    FMAX,
    OFFSETS,
    TABLE_OFFSETS,
    Unseen,
    band_of,
    bounded,
    deeper,
    fit,
    score_of,
    unseen,
)
from bitsmith.flows.calibrate.rtl_measured import Measured, measured, rebuilt
from bitsmith.flows.calibrate.rtl_table import LATENCY
from bitsmith.flows.rundir import writable_folder
from bitsmith.hls.estimate.conformal import Floats
from bitsmith.hls.estimate.metrics import Score
from bitsmith.hls.tools.run import Say, silent
from bitsmith.models.ir.errors import InputError

DATA = "rtl-designs.jsonl.gz"
"""The shipped results of synthesis, beside this package's modules."""

BACKENDS = ("rtl-folded", "rtl-unrolled")
SIZED = ("lut", "ff")
"""Targets shown by size too: synthesis tells them of every design."""

SIZES = (0, 300, 1000)
"""LUTs at which the table by size is divided."""

SHALLOW = 2
"""Layers of the designs that those with more are estimated from, for the table of unseen depth."""


def shipped_rows() -> list[dict[str, Any]]:
    """Every synthesised design of the shipped data."""
    raw = resources.files(__package__).joinpath("data", DATA).read_bytes()
    return [json.loads(line) for line in gzip.decompress(raw).decode().splitlines()]


def write_rows(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Rows by id as a data file, the same bytes for the same rows."""
    lines = [json.dumps(row, sort_keys=True) for row in sorted(rows, key=lambda row: str(row["id"]))]
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0))


def calibrate(rows: Sequence[Mapping[str, Any]], out: Path, say: Say = silent) -> str:
    """Writes one file per family and backend into ``out``; returns the tables.  InputError for data without designs."""
    good = [row for row in rows if "error" not in row]
    if not good:
        raise InputError("the data hold no synthesised design; make some with scripts/calibrate synthesise FILE")
    writable_folder(out)
    designs = []
    for number, row in enumerate(good):
        designs.append(measured(row, rebuilt(row)))
        if number % 20 == 0:
            say(f"design {number + 1} of {len(good)}")
    digest = hashlib.sha256(json.dumps(good, sort_keys=True).encode()).hexdigest()[:8]
    tools = {"yosys": str(good[0]["yosys"])} | {k: str(r[k]) for r in good for k in ("nextpnr",) if k in r}
    groups = {(d.family, d.backend) for d in designs}
    found: dict[tuple[str, str], Unseen] = {}
    depth: dict[tuple[str, str], Unseen] = {}
    for family, backend in sorted(groups):
        say(f"fitting {backend} on {family}")
        here = [d for d in designs if (d.family, d.backend) == (family, backend)]
        found[family, backend] = unseen(here)
        depth[family, backend] = deeper(here, SHALLOW)
        text = json.dumps(_file(here, found[family, backend], f"{backend}-{family}-{digest}", tools), indent=1)
        (out / f"{backend}-{family}.json").write_text(text + "\n")
    return tables(found, depth, len(rows) - len(good))


def _file(designs: Sequence[Measured], seen: Unseen, name: str, tools: Mapping[str, str]) -> dict[str, Any]:
    bands = {target: band for target in (*OFFSETS, *TABLE_OFFSETS) if (band := band_of(seen, target)) is not None}
    spans = {t: [d.truth[t] for d in designs if t in d.truth] for t in OFFSETS}
    scores = _scores([_bounded(seen)])
    return {
        "id": name,
        "tools": dict(tools),
        "designs": len(designs),
        "weights": fit(designs),
        "bands": {target: {k: _rounded(v) for k, v in asdict(band).items()} for target, band in bands.items()},
        "ranges": {target: [min(span), max(span)] for target, span in spans.items() if span},
        "errors": {t: {k: _rounded(v) for k, v in asdict(s).items() if not math.isnan(v)} for t, s in scores.items()},
    }


def _rounded(value: float) -> float | int:
    return value if isinstance(value, int) else round(float(value), 4)


def tables(found: Mapping[tuple[str, str], Unseen], depth: Mapping[tuple[str, str], Unseen], failed: int) -> str:
    """Markdown: errors on unseen networks per family, by backend, and on unseen depth."""
    whole = {key: _bounded(u) for key, u in found.items()}
    deep = {key: _bounded(u, found[key]) for key, u in depth.items()}
    families = sorted({family for family, _ in found})
    both = {family: [whole[key] for key in sorted(whole) if key[0] == family] for family in families}
    lines = [
        "### Networks not seen in calibration, per family (both backends)\n",
        *_table({family: _scores(many) for family, many in both.items()}),
        "\n### By backend\n",
        *_table({f"{family}, {backend}": _scores([whole[family, backend]]) for family, backend in sorted(whole)}),
        "\n### By size\n",
        *_table(_by_size(both), SIZED),
        f"\n### Networks of more than {SHALLOW} layers, from a fit on those with at most {SHALLOW}\n",
        *_table({f"{family}, {backend}": _scores([deep[family, backend]]) for family, backend in sorted(deep)}),
        "\n### Prices by table (`estimate_many`), networks not seen in calibration\n",
        *_table(
            {f"{family}, {backend}": _scores([whole[family, backend]], TABLE_OFFSETS) for family, backend in whole},
            TABLE_OFFSETS,
        ),
        f"\n{sum(len(u.designs) for u in found.values())} designs; tools failed on {failed} more.",
    ]
    return "\n".join(lines)


def _by_size(both: Mapping[str, Sequence[Mapping[str, Floats]]]) -> dict[str, dict[str, Score]]:
    """Family and LUTs that synthesis found -> scores of ``SIZED``."""
    rows: dict[str, dict[str, Score]] = {}
    for family, many in both.items():
        for low, high in zip(SIZES, (*SIZES[1:], np.inf), strict=True):
            inside = [(found["lut"][0] >= low) & (found["lut"][0] < high) for found in many]
            name = f"{family}, {low} LUTs and more" if np.isinf(high) else f"{family}, {low} to {high - 1} LUTs"
            rows[name] = _scores(
                [{t: found[t][:, keep] for t in SIZED} for found, keep in zip(many, inside, strict=True)], SIZED
            )
    return rows


def _bounded(found: Unseen, bounds: Unseen | None = None) -> dict[str, Floats]:
    """Target -> what :func:`bounded` says, with the bounds of ``bounds`` where given."""
    targets = (*OFFSETS, *TABLE_OFFSETS)
    return {t: bounded(found, t, band_of(bounds, t) if bounds is not None else None) for t in targets}


def _scores(many: Sequence[Mapping[str, Floats]], targets: Iterable[str] = OFFSETS) -> dict[str, Score]:
    scores = {target: score_of([rows[target] for rows in many]) for target in targets}
    return {target: s for target, s in scores.items() if s is not None}


def _table(rows: Mapping[str, Mapping[str, Score]], targets: Iterable[str] = OFFSETS) -> list[str]:
    heads = [*targets]
    lines = [
        "| designs | " + " | ".join(_head(h) for h in heads) + " |",
        "|---|" + "---|" * len(heads),
    ]
    for name, scores in rows.items():
        cells = [_cell(scores[h]) if h in scores else "" for h in heads]
        lines.append(f"| {name} ({next(iter(scores.values())).n if scores else 0}) | " + " | ".join(cells) + " |")
    return [*lines, "\nEach cell: median error, 90th percentile, both in percent; share within the 90 % bounds."]


def _head(target: str) -> str:
    name = target.removeprefix("table.")
    return {FMAX: "Fmax", LATENCY: "latency"}.get(name, name.upper())


def _cell(s: Score) -> str:
    many = f" (n {s.n})"
    return f"{s.median_ape:.1f}, {s.p90_ape:.1f}; {s.coverage90:.0%}{many}"
