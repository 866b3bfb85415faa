"""Calibrates the hls4ml model on a folder of synthesis results, and measures it on groups that it was not fitted on.

A dense layer's group is its shape, a project's and a module's the owner of its
repository (one owner has four repositories of one fork).
Every figure of the tables, and every residual that a bound rests on, is of a
model fitted without the row's group.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import bitsmith.hls.estimate.calibrations as shipped
from bitsmith.flows.calibrate.hls4ml_fit import Sample, fit_coefficients, truths
from bitsmith.flows.rundir import writable_folder
from bitsmith.flows.score import markdown_table
from bitsmith.flows.truth import figures_of, read_lines, with_declared_sums
from bitsmith.hls.estimate.conformal import COVERAGE, Band, fit_band, fit_band_of_groups
from bitsmith.hls.estimate.hls4ml.bounds import RANGED, SCOPES, scopes_of
from bitsmith.hls.estimate.hls4ml.coefficients import Calibration, to_json
from bitsmith.hls.estimate.hls4ml.feasible import verdicts
from bitsmith.hls.estimate.hls4ml.layers import Floats, columns
from bitsmith.hls.estimate.hls4ml.model import TARGETS, predict
from bitsmith.hls.estimate.hls4ml.rows import design_of, number, stage_of
from bitsmith.hls.estimate.metrics import score
from bitsmith.models.ir.errors import BitsmithError

FILES = (("wa_dense1_csynth", "dense"), ("github_designs", "design"), ("github_modules_csynth", "module"))
OFFSETS = {"lut": 100.0, "ff": 100.0, "dsp": 16.0, "bram": 4.0, "latency": 4.0, "ii": 4.0}
"""Of the bounds: errors of fewer than about so many cells, blocks or cycles are no matter of a ratio."""
WIDENING = 1.5
"""Outside of the ranges that were seen, bounds are this much wider on a logarithmic scale: by judgement."""


@dataclass(frozen=True)
class HeldOut:
    """Samples with what models fitted without their groups say: target -> (samples,)."""

    samples: tuple[Sample, ...]
    scopes: tuple[str, ...]
    values: dict[str, Floats]


def read_samples(folder: Path, declared: bool = True) -> tuple[list[Sample], dict[str, int]]:
    """Rows of the folder's files that can be priced, and how many of each file cannot.

    Designs take the types of their sums from the names of their modules, or, without ``declared``, have plain ones.
    """
    modules = read_lines(folder / "github_modules_csynth.jsonl.gz") if declared else []
    samples: list[Sample] = []
    left: dict[str, int] = {}
    for name, source in FILES:
        for line in with_declared_sums(read_lines(folder / f"{name}.jsonl.gz"), modules):
            row = line.row
            if row.get("success") is False:
                continue
            try:
                design = design_of(row)
            except BitsmithError:
                left[name] = left.get(name, 0) + 1
                continue
            first = design.layers[0]
            group = f"{first.n_in}x{first.n_out}" if source == "dense" else str(row.get("repo")).split("/")[0]
            csynth = {t: number(row.get(f"csynth_{t}")) for t in ("lut", "ff", "dsp")}
            if not row.get("duplicate"):
                saturates = any(x.saturates for x in design.layers)
                samples.append(Sample(design, figures_of(row), group, stage_of(row), source, csynth, saturates))
    return samples, left


def predict_samples(samples: Sequence[Sample], fitted: Any) -> tuple[dict[str, Floats], list[str]]:
    """Figures and scopes of ``samples``, each at its own stage."""
    values = {t: np.zeros(len(samples)) for t in TARGETS}
    scopes = [""] * len(samples)
    for stage in ("csynth", "vivado"):
        rows = [i for i, s in enumerate(samples) if s.stage == stage]
        if not rows:
            continue
        c = columns([samples[i].design for i in rows])
        found = predict(c, fitted, stage == "vivado").designs
        for t in TARGETS:
            values[t][rows] = found[t]
        for i, scope in zip(rows, scopes_of(c, stage == "vivado"), strict=True):
            scopes[i] = SCOPES[scope]
    return values, scopes


def hold_out(samples: Sequence[Sample]) -> HeldOut:
    """Every group in turn is priced by a model fitted on all others."""
    values = {t: np.zeros(len(samples)) for t in TARGETS}
    scopes = [""] * len(samples)
    for group in sorted({s.group for s in samples}):
        rows = [i for i, s in enumerate(samples) if s.group == group]
        fitted = fit_coefficients([s for s in samples if s.group != group])
        found, names = predict_samples([samples[i] for i in rows], fitted)
        for t in TARGETS:
            values[t][rows] = found[t]
        for i, scope in zip(rows, names, strict=True):
            scopes[i] = scope
    return HeldOut(tuple(samples), tuple(scopes), values)


RESTS_ON = {"vivado": ("vivado", "design"), "plain": ("design",), "plain_vivado": ("vivado", "design")}
"""Scopes whose bounds rest on rows of others."""

OF_OWNERS = ("design", "plain", "vivado", "plain_vivado")
"""Scopes of whole designs: their owners have one to four rows, which are alike."""

APART = {(scope, "bram") for scope in OF_OWNERS} | {("vivado", "dsp")}
"""Where the worst row has (nearly) nothing of it, since its weights or its multipliers were made of logic: that says
how far below an estimate the truth can be, and nothing of how far above."""


def few_groups(m: int) -> float:
    """How much wider bounds from ``m`` groups are made: the extremes of m exchangeable ones cover (m - 1) / (m + 1)."""
    return max(1.0, COVERAGE * (m + 1) / max(1, m - 1))


def bands_of(held: HeldOut, without: str = "") -> dict[str, dict[str, Band]]:
    """Bounds per scope and target from held-out residuals, those of one group left out.

    Vivado's rows are few: their bounds rest on those of csynth's whole designs too, whose errors they inherit.
    """
    found: dict[str, dict[str, Band]] = {}
    for scope in SCOPES:
        used = RESTS_ON.get(scope, (scope,))
        rows = np.array(
            [
                s in used and x.group != without and not (scope.startswith("plain") and x.saturates)
                for s, x in zip(held.scopes, held.samples, strict=True)
            ]
        )
        for t in TARGETS:
            truth = truths(held.samples, t)
            known = rows & np.isfinite(truth)
            if not known.any():
                continue
            groups = [x.group for x, k in zip(held.samples, known, strict=True) if k]
            residuals = truth[known], held.values[t][known]
            if scope in OF_OWNERS:
                band = fit_band_of_groups(*residuals, groups, OFFSETS[t], (scope, t) in APART)
            else:
                band = fit_band(*residuals, OFFSETS[t]).widened(few_groups(len(set(groups))))
            found.setdefault(scope, {})[t] = band
    return found


def error_table(
    held: HeldOut, source: str, stage: str, mode: str = "", residuals: HeldOut | None = None
) -> dict[str, dict[str, Any]]:
    """Errors per target of one kind of rows; bounds of each row are fitted without its group.

    ``mode`` is a scope, or "plain" for designs whose sums do not saturate, with the bounds of those.  Bounds rest on
    ``held``, or on other ``residuals``.
    """
    plain = mode == "plain"
    rows = np.array(
        [
            x.source == source and x.stage == stage and (not x.saturates if plain else scope.endswith(mode))
            for x, scope in zip(held.samples, held.scopes, strict=True)
        ]
    )
    groups = [x.group for x in held.samples]
    bands = {g: bands_of(residuals or held, g) for g in sorted({g for g, r in zip(groups, rows, strict=True) if r})}
    table: dict[str, dict[str, Any]] = {}
    for t in TARGETS:
        truth = truths(held.samples, t)
        which = np.flatnonzero(rows & np.isfinite(truth))
        if not which.size:
            continue
        low, high = np.zeros(which.size), np.zeros(which.size)
        for k, i in enumerate(which):
            scope = {"design": "plain", "vivado": "plain_vivado"}[held.scopes[i]] if plain else held.scopes[i]
            band = bands[groups[i]].get(scope, {}).get(t, Band(0.0, 1.0, 1.0, 0))
            low[k], high[k] = band.bounds(held.values[t][i])
        table[t] = asdict(score(truth[which], held.values[t][which], low, high))
        table[t]["r2"] = None if np.isnan(table[t]["r2"]) else table[t]["r2"]
    return table


def ranges_of(samples: Sequence[Sample], scopes: Sequence[str]) -> dict[str, dict[str, tuple[float, float]]]:
    """Smallest and largest of the matrices' attributes and of the clocks per scope."""
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for scope in SCOPES:
        used = {"plain": "design", "plain_vivado": "vivado"}.get(scope, scope)
        pairs = zip(samples, scopes, strict=True)
        some = [s.design for s, name in pairs if name == used and not (used != scope and s.saturates)]
        if some:
            c = columns(some)
            per = {n: (float(getattr(c, n)[c.matrix].min()), float(getattr(c, n)[c.matrix].max())) for n in RANGED}
            found[scope] = {**per, "clock_ns": (float(c.clock_ns.min()), float(c.clock_ns.max()))}
    return found


def feasibility(folder: Path) -> tuple[int, int]:
    """Rows that say whether HLS finished, and how many of them the limits call right."""
    rows = [x.row for x in read_lines(folder / f"{FILES[0][0]}.jsonl.gz")]
    rows = [r for r in rows if isinstance(r.get("success"), bool)]
    verdict = verdicts(columns([design_of(r) for r in rows])) == 0
    return len(rows), int(sum(bool(v) == r["success"] for v, r in zip(verdict, rows, strict=True)))


PARTS = (
    ("dense", "csynth", "", "one dense layer, csynth, unseen shapes"),
    ("dense", "csynth", "dense_latency", "of these: latency strategy, reuse below 8"),
    ("dense", "csynth", "dense_shared", "of these: latency strategy, reuse from 8 on"),
    ("dense", "csynth", "dense_constant", "of these: resource strategy, reuse 1"),
    ("dense", "csynth", "dense_resource", "of these: resource strategy, reuse above 1"),
    ("design", "csynth", "", "whole designs, csynth, unseen owners"),
    ("design", "csynth", "plain", "of these: sums that do not saturate"),
    ("design", "vivado", "", "whole designs, Vivado synthesis, unseen owners"),
    ("design", "vivado", "plain", "of these: sums that do not saturate, Vivado synthesis"),
    ("module", "csynth", "", "HLS modules, csynth, unseen owners"),
)


def calibrate(folder: Path, out: Path | None = None) -> str:
    """Fits on ``folder``, writes the calibration (into the package, or ``out``), gives the tables as Markdown."""
    samples, left = read_samples(folder)
    held = hold_out(samples)
    fitted = fit_coefficients(samples)
    _, scopes = predict_samples(samples, fitted)
    tables = {title: error_table(held, source, stage, mode) for source, stage, mode, title in PARTS}
    unsaid = hold_out(read_samples(folder, declared=False)[0])
    title = "whole designs, csynth, unseen owners, types of the sums not given"
    tables[title] = error_table(unsaid, "design", "csynth", residuals=held)
    n, right = feasibility(folder)
    bands = bands_of(held)
    # six digits: the same on every platform
    sizes = [[s, t, f"{b.down:.6g} {b.up:.6g}"] for s, per in bands.items() for t, b in per.items()]
    digest = hashlib.sha256(json.dumps([asdict(fitted), sizes], sort_keys=True).encode()).hexdigest()[:8]
    calibration = Calibration(f"hls4ml-{digest}", fitted, bands, ranges_of(samples, scopes), WIDENING)
    data = {
        **to_json(calibration),
        "data": {
            "sources": {f"{name}.jsonl.gz": sum(s.source == source for s in samples) for name, source in FILES},
            "not_priced": left,
            "tools": "Vivado HLS 2018.3 to 2020.1, Vitis HLS 2022.2 to 2025.1, their Vivado; hls4ml 0.8.1 to 1.0.0",
            "split": "dense layers by shape, others by the owner of their repository; all figures are held out",
        },
        "errors": tables,
        "feasibility": {"n": n, "accuracy": right / n},
    }
    target = writable_folder(out or Path(shipped.__path__[0])) / "hls4ml.json"
    target.write_text(json.dumps(data, indent=1) + "\n")
    parts = ["\n".join(markdown_table(table, title)) for title, table in tables.items() if table]
    return "\n\n".join(
        [*parts, f"feasibility: {right} of {n} right ({100 * right / n:.2f} %)", f"calibration {calibration.id}"]
    )
