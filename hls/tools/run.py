"""Runs an external tool: its own folder, its whole output in a log file, its last lines in the error."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bitsmith.models.ir.errors import ToolError

LAST_LINES = 15


@dataclass(frozen=True)
class ToolStatus:
    """Whether a tool can be used here, and the exact line that installs it if not."""

    name: str
    usable: bool
    version: str
    remedy: str


def find_tool(name: str) -> str | None:
    """Path of an executable: on PATH, or beside the running Python (where pip puts scripts)."""
    beside = Path(sys.executable).parent / name
    return shutil.which(name) or (str(beside) if os.access(beside, os.X_OK) else None)


def need_tool(name: str, remedy: str) -> str:
    """Path of an executable; ToolError naming the ``remedy`` if it is not there."""
    path = find_tool(name)
    if path is None:
        raise ToolError(f"{name} is missing; install it with: {remedy}")
    return path


def run_tool(
    command: Sequence[str | Path],
    cwd: Path,
    log: Path,
    timeout_s: float = 3600.0,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run ``command`` in ``cwd``; returns all it printed, which is kept in ``log`` too.

    ToolError with the last lines if it fails, is missing, or runs longer than ``timeout_s``.
    """
    text = [str(part) for part in command]
    name = Path(text[0]).name
    environment = {**os.environ, **(env or {})}
    try:
        with log.open("w") as file:
            done = subprocess.run(
                text, cwd=cwd, env=environment, stdout=file, stderr=subprocess.STDOUT, timeout=timeout_s, check=False
            )
    except FileNotFoundError as error:
        raise ToolError(f"{name} is missing: {error}; run bitsmith doctor") from error
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{name} did not end within {timeout_s:.0f} s; its output is in {log}") from error
    output = log.read_text(errors="replace")
    if done.returncode != 0:
        tail = "\n  ".join(output.splitlines()[-LAST_LINES:])
        raise ToolError(f"{name} failed with status {done.returncode}; the log is {log}; its last lines:\n  {tail}")
    return output
