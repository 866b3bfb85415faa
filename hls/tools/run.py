"""Runs an external tool: its own folder, its whole output in a log file, its last lines in the error."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bitsmith.models.ir.errors import ToolError

LAST_LINES = 15
SILENCE_S = 20.0
"""A tool that runs longer says so this often."""

Say = Callable[[str], None]
"""Where progress goes; one line of text."""


def silent(text: str) -> None:
    """Progress that nobody wants to see."""


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
    say: Say = silent,
) -> str:
    """Run ``command`` in ``cwd``; returns all it printed, which is kept in ``log`` too.

    ``say`` hears the last line of the log every ``SILENCE_S`` seconds.
    ToolError with the last lines if it fails, is missing, or runs longer than ``timeout_s``.
    """
    status, output = run_status(command, cwd, log, timeout_s, env, say)
    if status != 0:
        name = Path(str(command[0])).name
        raise ToolError(f"{name} failed with status {status}; the log is {log}; its last lines:\n  {_tail(output)}")
    return output


def _tail(output: str) -> str:
    return "\n  ".join(output.splitlines()[-LAST_LINES:])


def run_status(
    command: Sequence[str | Path],
    cwd: Path,
    log: Path,
    timeout_s: float = 3600.0,
    env: Mapping[str, str] | None = None,
    say: Say = silent,
) -> tuple[int, str]:
    """:func:`run_tool` for a tool whose failure means something: its exit status and all it printed."""
    text = [str(part) for part in command]
    name = Path(text[0]).name
    environment = {**os.environ, **(env or {})}
    began = time.monotonic()
    try:
        with (
            log.open("w") as file,
            subprocess.Popen(text, cwd=cwd, env=environment, stdout=file, stderr=subprocess.STDOUT) as process,
        ):
            try:
                _wait(process, name, log, began, timeout_s, say)
            except BaseException:
                process.kill()
                raise
    except FileNotFoundError as error:
        raise ToolError(f"{name} is missing: {error}; run bitsmith doctor") from error
    return process.returncode, log.read_text(errors="replace")


def _wait(process: subprocess.Popen[bytes], name: str, log: Path, began: float, timeout_s: float, say: Say) -> None:
    while True:
        left = timeout_s - (time.monotonic() - began)
        try:
            process.wait(max(0.0, min(SILENCE_S, left)))
            return
        except subprocess.TimeoutExpired:
            passed = time.monotonic() - began
            if passed >= timeout_s:
                raise ToolError(f"{name} did not end within {timeout_s:.0f} s; its output is in {log}") from None
            lines = log.read_text(errors="replace").splitlines()
            say(f"{name}: {passed:.0f} s, {lines[-1].strip() if lines else 'nothing said yet'}")
