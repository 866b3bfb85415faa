"""The backend ``rtl-folded``: streaming units of the hand-written library, as parallel as the target asks for."""

from __future__ import annotations

from pathlib import Path

from bitsmith.hls.backends.base import refuse
from bitsmith.hls.backends.rtl.folded.check import problems
from bitsmith.hls.config import HwConfig
from bitsmith.hls.results import Problem, Project, Simulation
from bitsmith.models.ir import QNet
from bitsmith.models.ir.types import IntArray


class RtlFolded:
    """Folded streaming SystemVerilog; implements :class:`bitsmith.hls.backends.base.Backend`.

    What writes and simulates is imported where it is used, so that a price alone comes quickly.
    """

    name = "rtl-folded"

    def check(self, net: QNet, hw: HwConfig) -> list[Problem]:
        """What the library has no unit for; see the protocol."""
        return problems(net, hw)

    def emit(self, net: QNet, hw: HwConfig, out: Path, vectors: IntArray) -> Project:
        """RTL, ROMs, testbench with ``vectors``, simulation, scripts; see the protocol."""
        from bitsmith.hls.backends.rtl.folded.plan import plan
        from bitsmith.hls.backends.rtl.folded.project import write_project

        refuse(self, net, hw)
        return write_project(plan(net, hw), hw, out, vectors)

    def simulate(self, project: Path, net: QNet, x: IntArray, taps: bool) -> Simulation:
        """Verilator at full load, and with random stalls; see the protocol."""
        from bitsmith.hls.backends.rtl.folded.simulate import simulate

        return simulate(project, net, x, taps)
