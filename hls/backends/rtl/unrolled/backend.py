"""The backend ``rtl-unrolled``: every row through a fully parallel pipeline, one row per clock cycle."""

from __future__ import annotations

from pathlib import Path

from bitsmith.hls.backends.base import refuse
from bitsmith.hls.backends.rtl.unrolled.check import problems
from bitsmith.hls.config import HwConfig
from bitsmith.hls.results import Problem, Project, Simulation
from bitsmith.models.ir import QNet
from bitsmith.models.ir.types import IntArray


class RtlUnrolled:
    """II = 1 SystemVerilog of adder graphs; implements :class:`bitsmith.hls.backends.base.Backend`."""

    name = "rtl-unrolled"

    def check(self, net: QNet, hw: HwConfig) -> list[Problem]:
        """What is too large to unroll, or cannot meet the clock; see the protocol."""
        return problems(net, hw)

    def emit(self, net: QNet, hw: HwConfig, out: Path, vectors: IntArray) -> Project:
        """RTL, testbench with ``vectors``, simulation, scripts; see the protocol."""
        from bitsmith.hls.backends.rtl.unrolled.design import design_of
        from bitsmith.hls.backends.rtl.unrolled.project import write_project

        refuse(self, net, hw)
        return write_project(design_of(net, hw), hw, out, vectors)

    def simulate(self, project: Path, net: QNet, x: IntArray, taps: bool) -> Simulation:
        """Verilator at full load, and with random stalls; see the protocol."""
        from bitsmith.hls.backends.rtl.unrolled.simulate import simulate

        return simulate(project, net, x, taps)
