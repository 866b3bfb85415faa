"""A small project, and fake vendor tools on PATH."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
REPORTS = HERE / "reports"

STREAM = {
    "input": {"beats": 1, "lanes": 6, "bits": 7, "signed": True, "bytes": 6},
    "output": {"beats": 1, "lanes": 2, "bits": 7, "signed": True, "bytes": 2},
}


def write_project(folder: Path, **changes: object) -> dict[str, object]:
    """A project of one module and one memory file; returns its manifest."""
    (folder / "rtl").mkdir(parents=True)
    shutil.copy(HERE / "fake" / "demo_axis.sv", folder / "rtl")
    (folder / "rtl" / "weights.hex").write_text("0001\n8000\nffff\n1234\n")
    manifest: dict[str, object] = {
        "backend": "rtl-folded",
        "net": "demo",
        "top": "demo_axis",
        "rtl": ["rtl/demo_axis.sv"],
        "data": ["rtl/weights.hex"],
        "stream": STREAM,
        "clock_mhz": 100.0,
        **changes,
    }
    (folder / "project.json").write_text(json.dumps(manifest))
    return manifest


def put_on_path(name: str, mode: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An executable ``name`` that behaves as ``mode`` says, first on PATH; see ``fake/tool.py``."""
    folder.mkdir(exist_ok=True)
    script = folder / name
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{HERE / "fake" / "tool.py"}" {name} {mode} "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def commands(folder: Path) -> list[str]:
    """What the fake tool was told, in order."""
    return (folder / "commands.txt").read_text().splitlines()
