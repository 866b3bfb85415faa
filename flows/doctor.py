"""What is installed, what each backend lacks, and the exact line that installs it: asked of the drivers themselves."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from typing import Any

from bitsmith.hls.tools.run import ToolStatus

KERAS = "pip install 'bitsmith[keras]'"
BREVITAS = "pip install torch==2.13.0, then pip install 'bitsmith[brevitas]'"
QONNX = "pip install 'bitsmith[qonnx]'"
SWEEP = "pip install 'bitsmith[sweep]'"
ONNX_PACKAGES = ("onnx", "onnxruntime", "qonnx")


def _packages(remedy: str, *names: str) -> list[ToolStatus]:
    """Installed Python packages; they are not imported for that."""
    found = []
    for name in names:
        try:
            found.append(ToolStatus(name, True, importlib.metadata.version(name), remedy))
        except importlib.metadata.PackageNotFoundError:
            found.append(ToolStatus(name, False, "", remedy))
    return found


def _rtl_unrolled() -> list[ToolStatus]:
    from bitsmith.hls.backends.rtl.unrolled.adder_graph import status as adder_graph
    from bitsmith.hls.tools.verilator import status as verilator

    return [adder_graph(), *verilator()]


def _rtl_folded() -> list[ToolStatus]:
    from bitsmith.hls.tools.verilator import status

    return status()


def _hls4ml() -> list[ToolStatus]:
    from bitsmith.hls.backends.hls4ml.backend import status

    return status()


def _finn() -> list[ToolStatus]:
    from bitsmith.hls.backends.finn.backend import status

    return status()


def _synth() -> list[ToolStatus]:
    from bitsmith.hls.tools import nextpnr, pack, verilator, yosys

    return [yosys.status(), *nextpnr.status(), *pack.status(), *verilator.status()]


def _vendor(name: str) -> Callable[[], list[ToolStatus]]:
    def parts() -> list[ToolStatus]:
        from bitsmith.hls.tools.drivers import DRIVERS

        return [DRIVERS[name].status()]

    return parts


PARTS: dict[str, Callable[[], list[ToolStatus]]] = {
    "train": lambda: _packages(KERAS, "tensorflow", "tf-keras", "qkeras"),
    "train-brevitas": lambda: _packages(BREVITAS, "torch", "brevitas", "onnxoptimizer", *ONNX_PACKAGES),
    "sweep": lambda: _packages(SWEEP, "optuna", "pyarrow", "rich"),
    "sweep-postgres": lambda: _packages("pip install 'bitsmith[postgres]'", "psycopg"),
    "sweep-ray": lambda: _packages("pip install 'bitsmith[ray]'", "ray"),
    "import-onnx": lambda: _packages(QONNX, *ONNX_PACKAGES),
    "rtl-unrolled": _rtl_unrolled,
    "rtl-folded": _rtl_folded,
    "hls4ml": _hls4ml,
    "qonnx": lambda: _packages(QONNX, "onnx", "qonnx"),
    "finn": _finn,
    "synth": _synth,
    **{f"synth-{name}": _vendor(name) for name in ("vivado", "quartus", "radiant", "diamond")},
}


def examine() -> dict[str, Any]:
    """``backends``: usable or not and the missing parts with their remedy; ``tools``: version of each part."""
    tools: dict[str, Any] = {}
    backends: dict[str, Any] = {}
    for name, parts in PARTS.items():
        found = parts()
        for part in found:
            tools[part.name] = {"usable": part.usable, "version": part.version, "remedy": part.remedy}
        missing = [{"name": p.name, "remedy": p.remedy} for p in found if not p.usable]
        backends[name] = {"usable": not missing, "missing": missing}
    return {"backends": backends, "tools": tools}
