"""The FINN backend: a QNet as FINN's streamlined graph, folded for a board, with a complete build folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from bitsmith.hls.backends.base import read_manifest, refuse, write_manifest
from bitsmith.hls.backends.finn.boards import target_of
from bitsmith.hls.backends.finn.check import find_problems, folding_of
from bitsmith.hls.backends.finn.graph import write_graph
from bitsmith.hls.backends.finn.layers import layers_of
from bitsmith.hls.backends.finn.plan import plan
from bitsmith.hls.backends.finn.project import write_build, write_vectors
from bitsmith.hls.backends.finn.simplify import simplify
from bitsmith.hls.config import HwConfig
from bitsmith.hls.results import Problem, Project, Simulation
from bitsmith.hls.tools import finn
from bitsmith.hls.tools.run import ToolStatus
from bitsmith.models.ir import QNet, execute
from bitsmith.models.ir.types import IntArray


class FinnBackend:
    """Writes a net as a FINN build folder; ``hw.target_ii`` and the board set the folding.

    ``environment`` is the folder of FINN's own Python environment, looked for where ``scripts/finn-env`` puts it if
    not given; only ``simulate`` needs it.
    """

    name = "finn"

    def __init__(self, environment: Path | None = None) -> None:
        self.environment = environment

    def check(self, net: QNet, hw: HwConfig) -> list[Problem]:
        """Everything that stands in the way of ``emit``; empty if nothing does."""
        return find_problems(net, hw)

    def emit(self, net: QNet, hw: HwConfig, out: Path, vectors: IntArray) -> Project:
        """Write the build folder into ``out``, with golden vectors for the rows ``vectors`` (n, *input shape).

        UnsupportedError with all problems if ``check`` finds any; ToolError if onnx is not installed.
        """
        refuse(self, net, hw)
        out.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(out / finn.WORK, ignore_errors=True)
        (out / finn.ESTIMATE).unlink(missing_ok=True)
        units = simplify(plan(net))
        folding = folding_of(units, hw)
        assert folding is not None, "check() holds that there is one"
        layers = layers_of(units, hw.board.device.family)
        write_graph(net.name, units, out / finn.MODEL)
        write_vectors(out, units, vectors, execute(net, vectors))
        write_build(out, net, hw, units, layers, folding)
        used = folding.area
        extra: dict[str, Any] = {
            "finn_board": target_of(hw.board).board,
            "folding": {
                "ii_cycles": folding.ii_cycles,
                "lut": round(used.lut),
                "dsp": used.dsp,
                "bram18": used.bram,
                "basis": "FINN-R's formulas for weights, sums and windows; they chose the folding",
            },
            "taps": [u.name for u in units if u.exact and u.inputs],
        }
        write_manifest(out, net, hw, extra)
        files = sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file())
        return Project(out, self.name, tuple(files))

    def simulate(self, project: Path, net: QNet, x: IntArray, taps: bool) -> Simulation:
        """Have FINN convert the graph to its hardware layers, and run those in Python on ``x`` (n, *input shape).

        Inner values, if ``taps`` asks for them, are of the graph as written.  ToolError if FINN's environment is
        missing or FINN fails.
        """
        tensors = read_manifest(project)["taps"] if taps else []
        rows = x.reshape(-1, *simplify(plan(net))[0].shape[1:])  # the graph may take the input in another shape
        run = finn.execute(project, rows, tensors, self.environment)
        engine = (
            f"FINN+ {run.version}: Python models of its {len(run.layers)} hardware layers "
            "(graph after step_convert_to_hw and step_minimize_bit_width_initial); no HLS, no RTL"
        )
        shapes = {op.name: op.shape for op in net.ops}
        values = {name: v.reshape(-1, *shapes[name]) for name, v in run.taps.items()}
        return Simulation(engine=engine, outputs=run.outputs.reshape(-1, *net.output.shape), values=values)


def status(environment: Path | None = None) -> list[ToolStatus]:
    """What this backend needs: onnx to write projects, FINN's environment to run them."""
    import importlib.util

    from bitsmith.hls.backends.onnx_graph import INSTALL

    onnx = importlib.util.find_spec("onnx") is not None
    return [ToolStatus("onnx", onnx, "", "" if onnx else INSTALL), finn.status(environment)]
