"""Drives FINN+ in the Python environment of its own that ``scripts/finn-env`` makes.

FINN pins other versions than Bitsmith, so its packages are never installed beside
ours: a script that imports FINN only runs there as a process, and answers in JSON.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bitsmith.hls.results import Json
from bitsmith.hls.tools.run import ToolStatus, run_tool
from bitsmith.models.ir.errors import InputError, ToolError
from bitsmith.models.ir.types import IntArray

ENVIRONMENT = ".finn-venv"
REMEDY = "scripts/finn-env"
MODEL, CONFIG = "model.onnx", "finn.yaml"
"""Files of a FINN project that the driver names to FINN."""
ESTIMATE = "finn_estimate.json"
WORK = "finn_run"
"""Subfolder of the project for what FINN leaves behind here."""
TIMEOUT_S = 1800.0

CONVERT_STEPS = (
    "step_qonnx_to_finn",
    "step_tidy_up",
    "step_streamline",
    "step_convert_to_hw",
    "step_minimize_bit_width_initial",
)
"""FINN's own build steps up to the hardware layers, which still run as Python."""
ESTIMATE_STEPS = (
    "step_create_dataflow_partition",
    "step_specialize_layers",
    "step_apply_folding_config",
    "step_minimize_bit_width",
    "step_generate_estimate_reports",
)
"""The steps after those, up to FINN's reports.  What follows generates HLS code and needs Vivado."""

_RUNNER = Path(__file__).resolve().parent.parent / "backends" / "finn" / "runner" / "run.py"


@dataclass(frozen=True, eq=False)
class Execution:
    """What FINN computed: its outputs, inner tensors of the graph as written, and the layers it ran."""

    version: str  # of FINN+
    layers: tuple[str, ...]  # kinds of hardware layers, in order
    outputs: IntArray
    taps: dict[str, IntArray] = field(default_factory=dict)


def find_environment(explicit: Path | None = None) -> Path | None:
    """FINN's environment: the given folder, else ``.finn-venv`` in the current folder or beside the package."""
    beside = Path(__file__).resolve().parent.parent.parent
    places = [explicit] if explicit else [Path.cwd() / ENVIRONMENT, beside / ENVIRONMENT]
    return next((p.absolute() for p in places if (p / "bin" / "python").exists() and _version(p)), None)


def _version(environment: Path) -> str:
    """Version of FINN+ in an environment, read from its files; empty if there is none."""
    names = sorted((environment / "lib").glob("python3.*/site-packages/finn_plus-*.dist-info"))
    return names[-1].name.removeprefix("finn_plus-").removesuffix(".dist-info") if names else ""


def status(environment: Path | None = None) -> ToolStatus:
    """Whether FINN's environment is there."""
    found = find_environment(environment)
    version = _version(found) if found else ""
    return ToolStatus("FINN+", found is not None, version, "" if found else REMEDY)


def need_environment(explicit: Path | None = None) -> Path:
    """Its folder; ToolError with the remedy if it is missing."""
    found = find_environment(explicit)
    if found is None:
        where = f"{explicit} holds no FINN+" if explicit else f"there is no {ENVIRONMENT}"
        raise ToolError(f"FINN+ runs in a Python environment of its own, and {where}; make it with: {REMEDY}")
    return found


def execute(project: Path, x: IntArray, taps: Sequence[str] = (), environment: Path | None = None) -> Execution:
    """Run the project's graph, converted to hardware layers by FINN's own steps, on integers ``x``.

    ``x`` is (n, *shape of the graph's input, the batch left out).  ``taps`` are tensors of the graph as it was
    written; FINN runs that graph for them.  ToolError if FINN is missing, fails, or leaves a
    node without hardware.
    """
    work = _fresh(project, "execute")
    np.save(work / "input.npy", x)
    answer = _run(project, work, {"do": "execute", "steps": CONVERT_STEPS, "taps": list(taps)}, environment)
    layers = _hardware(project, answer)
    values = {}
    if taps:
        with np.load(work / "taps.npz") as file:
            values = {name: _integers(file[name]) for name in file.files}
    return Execution(answer["versions"]["finn-plus"], layers, _integers(np.load(work / "output.npy")), values)


def estimate(project: Path, environment: Path | None = None) -> Json:
    """FINN's own estimate of the project, written to ``finn_estimate.json`` and returned.

    Cycles and resources per layer come from FINN's analytic models with the project's folding; nothing was
    synthesized.  Keys: ``tool version basis part clock_mhz ii_cycles latency_cycles throughput_per_s latency_ns lut
    dsp bram18 uram folding_applied layers``.  ToolError if FINN is missing, fails, or leaves a node without hardware.
    """
    steps = {"steps": CONVERT_STEPS, "estimate_steps": ESTIMATE_STEPS}
    answer = _run(project, _fresh(project, "estimate"), {"do": "estimate", **steps}, environment)
    _hardware(project, answer)
    result = _summary(answer, json.loads((project / "folding.json").read_text()), _manifest(project))
    (project / ESTIMATE).write_text(json.dumps(result, indent=1) + "\n")
    return result


def _summary(answer: Json, wanted: Json, manifest: Json) -> Json:
    speed, cycles = answer["estimate_network_performance"], answer["estimate_layer_cycles"]
    resources = answer["estimate_layer_resources"]
    total = resources["total"]
    found = answer["folding"]
    applied = {n: {key: found.get(n, {}).get(key) for key in wanted[n]} for n in wanted if n != "Defaults"}
    return {
        "tool": "FINN+",
        "version": answer["versions"]["finn-plus"],
        "basis": "FINN's analytic models of its layers; without FIFOs and width converters; nothing was synthesized",
        "part": manifest["part"],
        "clock_mhz": manifest["clock_mhz"],
        "ii_cycles": int(speed["max_cycles"]),
        "latency_cycles": int(speed["critical_path_cycles"]),
        "throughput_per_s": speed["estimated_throughput_fps"],
        "latency_ns": speed["estimated_latency_ns"],
        "lut": total["LUT"],
        "dsp": total["DSP"],
        "bram18": total["BRAM_18K"],
        "uram": total["URAM"],
        "folding_applied": all(applied[name] == wanted[name] for name in applied),
        "layers": {name: {"cycles": int(n), **resources.get(name, {})} for name, n in cycles.items()},
    }


def _manifest(project: Path) -> Json:
    data: Json = json.loads((project / "project.json").read_text())
    return data


def _fresh(project: Path, name: str) -> Path:
    if not (project / MODEL).is_file() or not (project / CONFIG).is_file():
        raise InputError(f"{project} is no FINN project: it has no {MODEL} and {CONFIG}; emit it with --backend finn")
    work = (project / WORK / name).absolute()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    return work


def _run(project: Path, work: Path, request: dict[str, Any], environment: Path | None) -> Json:
    """Have FINN do what ``request`` says; ToolError with FINN's words if it cannot."""
    python = need_environment(environment) / "bin" / "python"
    folder = project.absolute()
    places = {"project": str(folder), "config": CONFIG, "model": str(folder / MODEL), "scratch": str(work)}
    (work / "request.json").write_text(json.dumps({**request, **places}, indent=1))
    log = work / "finn.log"
    run_tool([python, "-I", _RUNNER, work / "request.json"], work, log, TIMEOUT_S)
    answer: Json = json.loads((work / "answer.json").read_text())
    if "error" in answer:
        raise ToolError(f"FINN+ cannot take {project}: {answer['error']}; its log is {log}")
    return answer


def _hardware(project: Path, answer: Json) -> tuple[str, ...]:
    left = [n["name"] for n in answer["nodes"] if not n["hardware"]]
    if left:
        raise ToolError(f"FINN+ has no hardware for {', '.join(left)} of {project}; use another backend for this net")
    return tuple(n["kind"] for n in answer["nodes"])


def _integers(values: np.ndarray[Any, Any]) -> IntArray:
    whole: IntArray = np.rint(values).astype(np.int64)
    if (whole != values).any():
        raise ToolError("FINN+ returned numbers that are no integers; report this with the project folder")
    return whole
