"""A net on a device: the folding, the stages, the FIFOs and the exact cycles.  ``emit`` writes just this."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bitsmith.hls.backends.rtl.folded.costs import stage_cost
from bitsmith.hls.backends.rtl.folded.cycles import Cycles, Depths, busiest, exact_cycles, fifo_depths
from bitsmith.hls.backends.rtl.folded.design import Stage, Structure
from bitsmith.hls.backends.rtl.folded.folding import Folding
from bitsmith.hls.backends.rtl.folded.parts import Cost
from bitsmith.hls.backends.rtl.folded.solve import Solver, solve
from bitsmith.hls.backends.rtl.folded.stages import Builder
from bitsmith.hls.config import HwConfig
from bitsmith.models.ir import QNet
from bitsmith.models.ir.errors import DoesNotFitError


@dataclass(frozen=True)
class PlannedStage:
    """One stage for people: what it computes, how it is folded, how long it takes."""

    name: str
    ops: str
    module: str
    takes: str
    offers: str
    cycles: int
    latency: int
    fifo: str
    cost: Cost


@dataclass(frozen=True, eq=False)
class FoldedDesign:
    """The whole design."""

    net: QNet
    hw: HwConfig
    folding: Folding
    structure: Structure
    depths: Depths
    cycles: Cycles

    def rows(self) -> list[PlannedStage]:
        """One per stage, in the order of the net."""
        return [self._row(stage) for stage in self.structure.stages.values()]

    def _row(self, stage: Stage) -> PlannedStage:
        ins, outs = self.structure.into(stage.name), self.structure.out_of(stage.name)
        streams = [f"{e.stream.beats} x {e.stream.lanes} x {e.stream.bits} bits" for e in (*ins, outs[0])]
        return PlannedStage(
            name=stage.name,
            ops=", ".join(op.kind for op, _ in stage.ops) or "width converter",
            module=", ".join(p.module.removeprefix("bitsmith_") for p in (stage.head, *stage.pipes)),
            takes=" and ".join(streams[:-1]),
            offers=streams[-1],
            cycles=stage.steps.count * stage.steps.gap,
            latency=stage.latency + 1,
            fifo=", ".join(str(self.depths[e]) for e in outs),
            cost=stage_cost(self.structure, stage, [self.depths[e] for e in outs], self.folding),
        )


def plan(net: QNet, hw: HwConfig) -> FoldedDesign:
    """The smallest design that meets the targets of ``hw``; without any the fastest that fits half of the board."""
    if hw.target_latency is not None:
        return _for_latency(net, hw, hw.target_latency)
    if hw.target_ii is None:
        return design_of(net, hw, solve(net, hw))
    ask = hw.target_ii
    while True:
        design = design_of(net, hw, solve(net, replace(hw, target_ii=ask)))
        late = design.cycles.ii_cycles - hw.target_ii
        if late <= 0:
            return design
        ask = min(ask - late, busiest(design.structure) - 1)  # a line buffer holds the design up: ask for more
        if ask < 1:
            raise DoesNotFitError(
                f"{net.name}: the nearest to {hw.target_ii} cycles between two results are {design.cycles.ii_cycles}"
            )


def _for_latency(net: QNet, hw: HwConfig, most: int) -> FoldedDesign:
    """The smallest design, by its II, with at most so many cycles of latency."""
    targets = Solver(net, hw).candidates()
    if hw.target_ii is not None:
        targets = [ii for ii in targets if ii < hw.target_ii] + [hw.target_ii]
    found, low, high = None, 0, len(targets) - 1
    nearest: int | None = None
    while low <= high:
        middle = (low + high) // 2
        try:
            design = plan(net, replace(hw, target_latency=None, target_ii=targets[middle]))
        except DoesNotFitError:
            low = middle + 1  # too fast for the device
            continue
        latency = design.cycles.latency_cycles
        nearest = latency if nearest is None else min(nearest, latency)
        if latency <= most:
            found, low = design, middle + 1
        else:
            high = middle - 1
    if found is None:
        solve(net, replace(hw, target_ii=targets[-1]))  # says so if not even the slowest fits
        raise DoesNotFitError(
            f"{net.name} with {most} cycles of latency does not fit {hw.board.name}: the cycles are binding; "
            f"the nearest target that fits is --target-latency {nearest}"
        )
    return found


def design_of(net: QNet, hw: HwConfig, folding: Folding) -> FoldedDesign:
    """The design with a given folding.

    Line buffers take the input of one row of windows ahead, of two where one holds the busiest unit up.
    """
    tries = []
    for ahead in (1, 2):
        structure = Builder(net, hw, folding, ahead).build()
        depths = fifo_depths(structure)
        tries.append(FoldedDesign(net, hw, folding, structure, depths, exact_cycles(structure, depths)))
        if tries[-1].cycles.ii_cycles <= busiest(structure):
            break
    return min(tries, key=lambda design: design.cycles.ii_cycles)
