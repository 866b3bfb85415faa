"""Files of synthesis results, one JSON object per line: reading them, and their figures in one form."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bitsmith.hls.estimate.hls4ml.model import TARGETS
from bitsmith.hls.estimate.hls4ml.rows import is_saturating, number
from bitsmith.models.ir.errors import InputError

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Line:
    """One line of a file: its number from 1, and its object, or why there is none."""

    number: int
    row: Row
    problem: str = ""


def read_lines(path: Path) -> list[Line]:
    """The lines of ``path``, gzip or plain; lines without a JSON object stay as problems.  InputError: no file."""
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8", errors="replace")
    except (OSError, EOFError, gzip.BadGzipFile) as error:
        raise InputError(
            f"{path} cannot be read ({error}); give a file with one JSON object per line, gzip or plain"
        ) from error
    lines = []
    for i, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            lines.append(Line(i, {}, "not JSON"))
            continue
        lines.append(Line(i, row) if isinstance(row, dict) else Line(i, {}, "not a JSON object"))
    return lines


def figures_of(row: Row) -> dict[str, float | None]:
    """The targets of a row, None where it has none: ``bram`` in 18-kbit halves, the longest latency and interval."""
    bram = number(row.get("bram18"))
    tiles = number(row.get("bram36"))
    if bram is None and tiles is not None:
        bram = 2.0 * tiles
    found = {name: number(row.get(name)) for name in TARGETS} | {"bram": bram}
    for target, names in (("latency", ("latency_max", "latency_min")), ("ii", ("ii_max", "ii_min"))):
        known = (number(row.get(name)) for name in names)
        found[target] = next((value for value in known if value is not None), found[target])
    return found


def with_declared_sums(lines: Sequence[Line], modules: Sequence[Line]) -> list[Line]:
    """Design rows of ``lines`` that name no type of their sums, with that of the same project's modules.

    HLS names a module after the types that it is declared with, so the names say what a row of layers leaves out: an
    input of HLS, not a result.  The type of the first matrix that saturates stands for all of the project.
    """
    declared: dict[tuple[str, str], str] = {}
    for m in modules:
        if is_saturating(m.row):
            declared.setdefault(_project(m.row), str(m.row["module"]))
    return [
        Line(x.number, {**x.row, "acc_type": declared[_project(x.row)]}, x.problem)
        if "layers" in x.row and not x.row.get("acc_type") and _project(x.row) in declared
        else x
        for x in lines
    ]


def _project(row: Row) -> tuple[str, str]:
    return str(row.get("repo")), str(row.get("path"))
