"""The hls4ml backend: projects for six HLS tools from a QNet, and their C++ emulation."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import math
import shutil
from pathlib import Path
from typing import Any

from bitsmith.hls.backends.base import read_manifest, refuse, write_manifest
from bitsmith.hls.backends.hls4ml import emulate
from bitsmith.hls.backends.hls4ml.check import find_problems
from bitsmith.hls.backends.hls4ml.graph import INSTALL, write_graph
from bitsmith.hls.backends.hls4ml.layers import project_name
from bitsmith.hls.backends.hls4ml.plan import layers_of
from bitsmith.hls.backends.hls4ml.project import write_readme, write_vectors
from bitsmith.hls.backends.hls4ml.tools import TOOLS
from bitsmith.hls.config import HwConfig
from bitsmith.hls.results import Problem, Project, Simulation
from bitsmith.hls.tools.run import ToolStatus, find_tool
from bitsmith.models.ir import QNet, execute
from bitsmith.models.ir.errors import ToolError
from bitsmith.models.ir.types import IntArray


class Hls4ml:
    """Writes a net as an hls4ml project; ``hw.hls_tool``, ``hw.io``, ``hw.strategy`` and ``hw.reuse`` say which."""

    name = "hls4ml"

    def check(self, net: QNet, hw: HwConfig) -> list[Problem]:
        """Everything that stands in the way of ``emit``; empty if nothing does."""
        return find_problems(net, hw)

    def emit(self, net: QNet, hw: HwConfig, out: Path, vectors: IntArray) -> Project:
        """Write the project into ``out``, with golden vectors for the rows ``vectors`` (n, *input shape).

        UnsupportedError with all problems if ``check`` finds any; ToolError if hls4ml is not installed.
        """
        refuse(self, net, hw)
        tool = TOOLS[hw.hls_tool]
        out.mkdir(parents=True, exist_ok=True)
        for stale in ("firmware", "src", "tb_data", emulate.EMULATION):
            shutil.rmtree(out / stale, ignore_errors=True)
        layers = layers_of(net, tool, hw.io == "io_stream")
        recorded = write_graph(project_name(net), layers, hw, tool, out)
        write_vectors(out, vectors, execute(net, vectors))
        extra = {
            "hls_tool": tool.name,
            "io": hw.io,
            "strategy": hw.strategy,
            "reuse": hw.reuse,
            "project": project_name(net),
            "versions": {"hls4ml": version()},
            "taps": {layer.name: {"op": layer.op, "shape": layer.shape} for layer in layers if layer.name in recorded},
        }
        write_manifest(out, net, hw, extra)
        write_readme(out, net, hw, tool, layers, version())
        files = sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file())
        return Project(out, self.name, tuple(files))

    def simulate(self, project: Path, net: QNet, x: IntArray, taps: bool) -> Simulation:
        """Run the project's C++ emulation on input integers ``x`` (n, *input shape), compiling it if needed.

        ToolError if g++ is missing or fails, or if the tool's emulation needs another compiler.
        """
        manifest = read_manifest(project)
        tool = TOOLS[manifest["hls_tool"]]
        if tool.emulator != "g++":
            raise ToolError(
                f"the emulation of a {tool.title} project needs {tool.emulator}, which comes with that tool; "
                "emit the net for vitis, vivado, quartus or catapult to check it with g++"
            )
        program, gxx = emulate.build(project, manifest["project"], tool.name)
        recorded: dict[str, Any] = manifest["taps"]
        shapes = {name: tuple(tap["shape"]) for name, tap in recorded.items()}
        emulation = emulate.Emulation(program, math.prod(net.input.shape), net.output.shape, shapes)
        outputs, values = emulation.run(x, taps)
        inner = {recorded[name]["op"]: v for name, v in values.items() if recorded[name]["op"]}
        versions = manifest["versions"]
        engine = f"hls4ml {versions['hls4ml']} C++ emulation ({tool.name}, g++ {gxx})"
        return Simulation(engine=engine, outputs=outputs, values=inner)


def version() -> str:
    """Version of the installed hls4ml, read without importing it; empty if there is none."""
    try:
        return importlib.metadata.version("hls4ml")
    except importlib.metadata.PackageNotFoundError:
        return ""


def status() -> list[ToolStatus]:
    """What this backend needs: hls4ml to write projects, g++ to emulate them."""
    usable = importlib.util.find_spec("hls4ml") is not None
    gxx = find_tool("g++") is not None
    return [
        ToolStatus("hls4ml", usable, version(), "" if usable else INSTALL),
        ToolStatus("g++", gxx, "", "" if gxx else emulate.GXX_INSTALL),
    ]
