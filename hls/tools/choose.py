"""Which of two installations of a program is used: one on PATH if it is at least as new as the pip package's."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bitsmith.hls.tools.run import ToolStatus, find_tool, need_tool

INSTALL = "pip install 'bitsmith[rtl]'"


@dataclass(frozen=True)
class Program:
    """An executable, what it calls itself, and its version."""

    path: str
    name: str
    version: str


def release(text: str) -> tuple[int, ...]:
    """The numbers of a version: ``nextpnr-0.11.1`` -> (0, 11, 1); empty if there are none, as in a bare commit."""
    found = re.search(r"(?<![\w.])v?(\d+(?:\.\d+)+)", text.replace("nextpnr-", " "))
    return tuple(int(part) for part in found[1].split(".")) if found else ()


@cache
def _stated(path: str) -> str:
    """The version that a native program states, or nothing."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"[Vv]ersion ([^\s)]+)", done.stdout + done.stderr)
    return found[1] if found else ""


def packaged(package: str) -> str:
    """Version of a pip package; nothing if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def choose(native: str, program: str, package: str) -> Program | None:
    """The ``native`` program if it is at least as new as ``program`` of the pip ``package``, else that one.

    None if there is neither.  A native program without a version is used only
    where the package is missing.
    """
    version = packaged(package)
    own = Path(sys.executable).parent / native
    path = shutil.which(native)
    if path is not None and Path(path) != own:
        stated = _stated(path)
        if not version or (release(stated) and release(stated) >= release(version)[: len(release(stated))]):
            return Program(path, native, stated)
    if version and find_tool(program):
        return Program(need_tool(program, INSTALL), program, version)
    return None


def status(native: str, program: str, package: str) -> ToolStatus:
    """For ``bitsmith doctor``."""
    found = choose(native, program, package)
    return ToolStatus(native, found is not None, f"{found.version} ({found.path})" if found else "", INSTALL)
