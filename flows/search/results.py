"""What a sweep leaves behind: every trial and the front, as Parquet, CSV and JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bitsmith.flows.report import SWEEP
from bitsmith.flows.rundir import write_json
from bitsmith.flows.search.finish import FRONT
from bitsmith.flows.search.ledger import Trial
from bitsmith.flows.search.strategies.own import front_trials
from bitsmith.flows.search.sweep import Sweep, place
from bitsmith.models.ir.errors import ToolError


def trial_rows(trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """One flat row a trial: choices, plan, measures, what is recorded."""
    rows = []
    for t in trials:
        plan = {"start": t.plan.start, "planned_epochs": t.plan.epochs} if t.plan else {}
        kept = {k: t.record[k] for k in RECORDED if k in t.record}
        choices = {f"choice.{name}": value for name, value in t.choices.items()}
        rows.append(
            {"number": t.number, "state": t.state, "repeats": t.repeats, **plan, **t.measures, **kept, **choices}
        )
    return rows


RECORDED = (
    *("accuracy_test", "weights_kept", "epochs", "seconds", "reason"),
    *("net_sha256", "config_sha256", "data_sha256", "seed", "version", "code_sha256"),
)


def write_rows(rows: Sequence[Mapping[str, Any]], path: Path) -> list[Path]:
    """``path`` with .csv, .json and .parquet; a column for every key that any row has."""
    try:
        from pyarrow import Table, parquet
    except ImportError as error:
        raise ToolError(f"{error.name} is missing; install it with: pip install 'bitsmith[sweep]'") from error
    names = list(dict.fromkeys(name for row in rows for name in row))
    even = [{name: row.get(name) for name in names} for row in rows]
    written = [path.with_suffix(suffix) for suffix in (".csv", ".json", ".parquet")]
    with written[0].open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(even)
    written[1].write_text(json.dumps(even, indent=1) + "\n")
    parquet.write_table(Table.from_pylist(even), written[2])
    return written


def front_rows(sweep: Sweep, trials: Sequence[Trial], built: Mapping[int, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The front, the most accurate first.

    ``accuracy`` is that of the IP on the test rows, which no strategy saw;
    ``accuracy_validation`` is what was searched for.  Cycles are those of the proof.
    """
    rows = []
    for t in sorted(front_trials(sweep, trials), key=lambda t: (-t.measures["accuracy"], t.number)):
        done = dict(built.get(t.number, {"verified": False}))
        measured = {k: done[k] for k in ("latency_cycles", "ii_cycles") if done.get(k) is not None}
        accuracy = done.get("accuracy")
        row = {
            "trial": t.number,
            **t.measures,
            "accuracy": t.record["accuracy_test"] if accuracy is None else accuracy,
            "accuracy_validation": t.measures["accuracy"],
            **measured,
            "weights_kept": t.record["weights_kept"],
            "verified": done["verified"],
            "synth": done.get("synth"),
            "bounds": {name: t.record["figures"][name] for name in BOUNDED},
            "choices": t.choices,
            "net_sha256": t.record["net_sha256"],
            "folder": place(FRONT, t.number),
        }
        rows.append({**row, "error": done["error"]} if "error" in done else row)
    return rows


BOUNDED = ("lut", "ff", "dsp", "bram", "fmax_mhz", "energy_uj")


def history(sweep: Sweep, trials: Sequence[Trial]) -> list[dict[str, float]]:
    """After each trained trial: full trainings spent, and the hypervolume of the front so far.

    ``hypervolume_test`` measures the same front by its accuracy on the test rows.
    """
    rows: list[dict[str, float]] = []
    front: list[Trial] = []
    spent = 0
    for t in trials:
        if not t.trained:
            continue
        spent += int(t.record.get("epochs", 0))
        before = [f.number for f in front]
        front = front_trials(sweep, [*front, t])
        if before == [f.number for f in front] and rows:
            rows.append({**rows[-1], "trial": t.number, "full_trainings": spent / sweep.full_epochs})
            continue
        test = [{**f.measures, "accuracy": f.record["accuracy_test"]} for f in front]
        rows.append(
            {
                "trial": t.number,
                "full_trainings": spent / sweep.full_epochs,
                "hypervolume": sweep.axes.hypervolume([f.measures for f in front]),
                "hypervolume_test": sweep.axes.hypervolume(test),
            }
        )
    return rows


def summary(
    sweep: Sweep, trials: Sequence[Trial], front: list[dict[str, Any]], search: str = "", space: str = ""
) -> dict[str, Any]:
    """The JSON of ``bitsmith sweep``; also written to ``sweep.json``."""
    curve = history(sweep, trials)
    data = {
        "name": sweep.task.name,
        "board": sweep.task.hardware.board,
        "backend": sweep.task.hardware.backends[0],
        "search": search,
        "space": space,
        "seed": sweep.seed,
        "trials": sum(t.trained for t in trials),
        "complete": sum(t.state == "complete" for t in trials),
        "stopped": sum(t.state == "stopped" for t in trials),
        "refused": sum(t.state == "refused" for t in trials),
        "failed": [{"trial": t.number, "reason": t.record.get("reason", "")} for t in trials if t.state == "failed"],
        "repeated": sum(t.repeats for t in trials),
        "full_trainings": curve[-1]["full_trainings"] if curve else 0.0,
        "objectives": list(sweep.goals.objectives),
        "limits": dict(sweep.goals.limits),
        "ideal": dict(sweep.axes.ideal),
        "reference": dict(sweep.axes.reference),
        "hypervolume": curve[-1].get("hypervolume", 0.0) if curve else 0.0,
        "hypervolume_test": curve[-1].get("hypervolume_test", 0.0) if curve else 0.0,
        "history": curve,
        "front": front,
    }
    write_json(sweep.folder / SWEEP, data)
    return data


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the front without anything nested, for tables."""
    found: dict[str, Any] = {}
    for name, value in row.items():
        if name == "bounds":
            found |= {f"{k}_{end}": v[end] for k, v in value.items() for end in ("low", "high")}
        elif name in ("choices", "synth") and isinstance(value, Mapping):
            found |= {f"{name.removesuffix('s')}.{k}": v for k, v in value.items()}
        elif not isinstance(value, Mapping):
            found[name] = value
    return found
