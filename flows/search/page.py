"""From what a sweep leaves in its folder to its page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import TypeAdapter

from bitsmith.flows.report import PAGE, SWEEP
from bitsmith.flows.search.goals import RESOURCES
from bitsmith.hls.boards import board_names, load_board
from bitsmith.models.ir.errors import InputError
from bitsmith.reports.axes import KINDS
from bitsmith.reports.html import write_report
from bitsmith.reports.sweep_data import TEST, VALIDATION, SweepData

TRIALS = "trials.json"
CHOICE = "choice."
MADE_OF = ("seed", "version", "data_sha256", "code_sha256")
"""What the trials are made of, as far as they are all alike in it."""
SYNTHESISED = (*RESOURCES, "fmax_mhz")


def write_sweep_page(folder: Path) -> Path:
    """Write the page of the sweep in ``folder``; returns its path.  InputError if no sweep lies there."""
    return write_report(sweep_data(folder), folder / PAGE)


def sweep_data(folder: Path) -> SweepData:
    """What ``sweep.json`` and ``trials.json`` say; InputError if one is missing or damaged."""
    try:
        summary, trials = (json.loads((folder / name).read_text()) for name in (SWEEP, TRIALS))
        return TypeAdapter(SweepData).validate_python(_plain(folder, summary, trials))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        why = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise InputError(
            f"{folder} holds no finished sweep ({why}); give the same bitsmith sweep command again, it goes on "
            "where it stopped"
        ) from error


def _plain(folder: Path, summary: Mapping[str, Any], trials: list[Mapping[str, Any]]) -> dict[str, Any]:
    name = summary["board"]
    board = load_board(name) if name in board_names() else None
    have = {r: float(getattr(board.device, r)) for r in RESOURCES} if board else {}
    return {
        "task": summary["name"],
        "board": board.title if board else name,
        "part": board.device.part if board else "",
        "objectives": summary["objectives"],
        "limits": [
            {"name": limit, "bound": bound, "of_device": have.get(limit) == bound}
            for limit, bound in summary["limits"].items()
        ],
        "reference": summary["reference"],
        "ideal": summary.get("ideal", {}),
        "trials": [_trial(row) for row in trials],
        "front": [_point(folder, row) for row in summary["front"]],
        "progress": summary["history"],
        "full_trainings": summary["full_trainings"],
        "repeated": summary["repeated"],
        "facts": _facts(summary, trials),
    }


def _trial(row: Mapping[str, Any]) -> dict[str, Any]:
    """Of a flat row: what is searched for is called ``accuracy`` there."""
    choices = {k.removeprefix(CHOICE): v for k, v in row.items() if k.startswith(CHOICE) and v is not None}
    return {
        "number": row["number"],
        "state": row["state"],
        "reason": row.get("reason") or "",
        "choices": choices,
        "figures": _figures({**row, VALIDATION: row.get("accuracy")}),
    }


def _point(folder: Path, row: Mapping[str, Any]) -> dict[str, Any]:
    """Of a row of the front: there ``accuracy`` is that of the test rows."""
    page = f"{row['folder']}/{PAGE}"
    return {
        "trial": row["trial"],
        "choices": row["choices"],
        "figures": _figures({**row, TEST: row["accuracy"]}),
        "bounds": row["bounds"],
        "verified": row["verified"],
        "error": row.get("error") or "",
        "synth": _synth(row.get("synth")),
        "page": quote(page) if (folder / page).is_file() else "",
    }


def _figures(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in KINDS if row.get(name) is not None}


def _synth(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not found:
        return None
    plain = {k: found[k] for k in ("tool", "version", "fits", "netlist_exact", "error") if found.get(k) is not None}
    return {**plain, "figures": {k: found[k] for k in SYNTHESISED if found.get(k) is not None}}


def _facts(summary: Mapping[str, Any], trials: list[Mapping[str, Any]]) -> dict[str, str]:
    asked = {name: str(summary[name]) for name in ("search", "space", "backend") if summary.get(name)}
    values = {name: {row[name] for row in trials if row.get(name) is not None} for name in MADE_OF}
    return asked | {name: str(*found) for name, found in values.items() if len(found) == 1}
