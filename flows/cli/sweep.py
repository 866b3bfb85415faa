"""``bitsmith sweep``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bitsmith.flows.cli.outcome import MISMATCH, OK, TOOL_FAILED, Outcome, options_of
from bitsmith.flows.options import resolve_hardware
from bitsmith.flows.source import find_source
from bitsmith.models.ir.errors import InputError
from bitsmith.reports.tables import table


def sweep(args: argparse.Namespace) -> Outcome:
    """Search, build and verify; exit code 5 if a point of the front differs from its net, 4 if one cannot be built."""
    from bitsmith.flows.search.run import sweep as search

    source, options = find_source(args.model), options_of(args)
    if source.config is None:
        raise InputError(f"{args.model} is trained already; a sweep trains: give it a task or a config .toml")
    hardware = resolve_hardware(source.config, options)
    train = source.config.train
    if options.framework:
        train = train.model_copy(update={"framework": options.framework})
    task = source.config.model_copy(update={"hardware": hardware, "train": train})
    folder = Path(args.out or f"runs/{source.name}-sweep")
    seed = train.seed if options.seed is None else options.seed
    data = search(task, _wishes(args), folder, options.data_dir, seed)
    return Outcome({**data, "folder": str(folder)}, _text(data, folder), _code(data["front"]))


def _code(front: Sequence[dict[str, Any]]) -> int:
    if any(not row["verified"] and "error" not in row for row in front):
        return MISMATCH
    return TOOL_FAILED if any("error" in row for row in front) else OK


def _wishes(args: argparse.Namespace) -> Any:
    from bitsmith.flows.search.begin import Wishes

    given = {
        "space": args.space,
        "strategy": args.search,
        "objectives": tuple(args.objectives.split(",")) if args.objectives else None,
        "storage": args.storage,
        "ray": args.ray,
        "warm_start": Path(args.warm_start) if args.warm_start else None,
        "synth": args.synth,
        "trial_limit_s": args.trial_limit,
    }
    return Wishes(
        trials=args.trials,
        workers=args.workers or os.cpu_count() or 1,
        limits=_limits(args.limit or ()),
        **{name: value for name, value in given.items() if value is not None},
    )


def _limits(given: Sequence[str]) -> tuple[tuple[str, float], ...]:
    found = []
    for text in given:
        name, sign, value = text.partition("=")
        try:
            found.append((name.strip(), float(value)))
        except ValueError as error:
            raise InputError(f"--limit {text} is no limit; write NAME=VALUE, lut=2000 for example") from error
        if not sign:
            raise InputError(f"--limit {text} is no limit; write NAME=VALUE, lut=2000 for example")
    return tuple(found)


def _text(data: dict[str, Any], folder: Path) -> str:
    heads = ["trial", "accuracy", "LUT", "cycles", "ns", "energy, uJ", "weights", "verified", "LUT, synthesised"]
    rows = [
        [
            *(str(r["trial"]), f"{100 * r['accuracy']:.2f} %", f"{r['lut']:,.0f}", f"{r['latency_cycles']:.0f}"),
            *(f"{r['latency_ns']:,.0f}", f"{r['energy_uj']:.4g}", f"{r['weights_kept']:,}"),
            "exact" if r["verified"] else r.get("error", "NOT exact"),
            _synthesised(r),
        ]
        for r in data["front"]
    ]
    lines = [
        table(heads, rows),
        "",
        f"{data['trials']} trials ({data['full_trainings']:.1f} full trainings), {len(data['failed'])} failed, "
        f"{data['stopped']} stopped early, {data['refused']} refused by the estimator, {data['repeated']} repeated",
        f"hypervolume {data['hypervolume']:.4f} by validation rows, {data['hypervolume_test']:.4f} by test rows",
        f"report: {data['report']}",
        f"everything is in {folder}: front.csv, trials.parquet, sweep.json, a project and a page a point under front/",
    ]
    lines += [f"trial {f['trial']} failed: {f['reason']}" for f in data["failed"][:10]]
    return "\n".join(lines)


def _synthesised(row: dict[str, Any]) -> str:
    done = row["synth"]
    if not done:
        return ""
    if done.get("lut") is None:
        return str(done.get("error", ""))
    return f"{done['lut']:,} ({100 * (row['lut'] / done['lut'] - 1):+.0f} % estimated)"
