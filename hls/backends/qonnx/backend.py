"""The qonnx backend: a net as a QONNX graph, and its run by qonnx's own execution."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bitsmith.hls.backends.base import refuse, write_manifest
from bitsmith.hls.backends.qonnx.check import find_problems
from bitsmith.hls.backends.qonnx.encode import encode
from bitsmith.hls.backends.qonnx.float32 import float32_form
from bitsmith.hls.backends.qonnx.readme import write_readme
from bitsmith.hls.backends.qonnx.run import real_inputs, run_file, version
from bitsmith.hls.config import HwConfig
from bitsmith.hls.results import Problem, Project, Simulation
from bitsmith.models.ir import QNet, execute
from bitsmith.models.ir.types import IntArray

MODEL = "model.onnx"


class QonnxBackend:
    """Writes a net as ``model.onnx``; nothing in it depends on the board or on the other choices of ``hw``."""

    name = "qonnx"

    def check(self, net: QNet, hw: HwConfig) -> list[Problem]:
        """Everything that stands in the way of ``emit``; empty if nothing does."""
        return find_problems(float32_form(net))

    def emit(self, net: QNet, hw: HwConfig, out: Path, vectors: IntArray) -> Project:
        """Write the project into ``out``.

        ``inputs.npy`` holds real data for the graph's input, float32 (n, *input shape), and
        ``outputs.npy`` the integers that must come out of them, int64 (n, *output shape).
        UnsupportedError with all problems if ``check`` finds any, ToolError if onnx is not installed.
        """
        refuse(self, net, hw)
        model = encode(float32_form(net))
        out.mkdir(parents=True, exist_ok=True)
        (out / MODEL).write_bytes(model.SerializeToString(deterministic=True))
        np.save(out / "inputs.npy", real_inputs(net.input, vectors))
        np.save(out / "outputs.npy", execute(net, vectors))
        write_readme(out, net)
        write_manifest(out, net, hw, {"model": MODEL, "opset": model.opset_import[0].version})
        files = sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file())
        return Project(out, self.name, tuple(files))

    def simulate(self, project: Path, net: QNet, x: IntArray, taps: bool) -> Simulation:
        """Run ``model.onnx`` of the project with qonnx on input integers ``x`` (n, *input shape).

        ToolError if qonnx is not installed or cannot run the file.
        """
        outputs, values = run_file(project / MODEL, net, x, taps)
        return Simulation(engine=f"qonnx {version()}", outputs=outputs, values=values)
