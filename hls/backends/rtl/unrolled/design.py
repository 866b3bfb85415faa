"""A net as a design: the logic of every op, and the pipeline stage in which it stands.

``plan`` and ``emit`` both read it, so the latency that is planned is the one that is built.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bitsmith.hls.backends.rtl.unrolled.costs import Delays, delays_of, usable_ns
from bitsmith.hls.backends.rtl.unrolled.layers import Layer, lower_net
from bitsmith.hls.backends.rtl.unrolled.timing import Schedule, schedule
from bitsmith.hls.config import HwConfig
from bitsmith.models.ir import QNet


@dataclass(frozen=True, eq=False)
class Placed:
    """A layer in the pipeline: takes its inputs in stage ``start``, offers its outputs in stage ``stage``.

    ``t_out`` is how long into that stage the last output needs.
    """

    layer: Layer
    schedules: tuple[Schedule, ...]  # one per unit, all of the same latency
    start: int
    stage: int
    t_out: float

    @property
    def latency(self) -> int:
        """Stages from its inputs to its outputs."""
        return self.stage - self.start


@dataclass(frozen=True)
class DelayLine:
    """A signal kept for later: that of op ``name``, ``depth`` stages after it was made."""

    name: str
    depth: int
    before: int  # the depth it is made from
    bits: int

    @property
    def register_bits(self) -> int:
        """Flip-flops."""
        return (self.depth - self.before) * self.bits


@dataclass(frozen=True, eq=False)
class Design:
    """All layers by name in the net's order; ``latency_cycles`` from a beat taken to its result offered."""

    net: QNet
    placed: dict[str, Placed]
    delays: Delays
    budget_ns: float
    latency_cycles: int

    @property
    def output_delay(self) -> int:
        """Registers behind the last layer: one, if logic follows its own last registers."""
        return self.latency_cycles - self.placed[self.net.output.name].stage

    def delay_lines(self) -> Iterator[DelayLine]:
        """Every signal that has to wait for another, or at the output."""
        wanted: dict[str, set[int]] = {name: set() for name in self.placed}
        for p in self.placed.values():
            for name in p.layer.op.inputs:
                wanted[name].add(p.start - self.placed[name].stage)
        wanted[self.net.output.name].add(self.output_delay)
        for name, depths in wanted.items():
            layer = self.placed[name].layer
            before = 0
            for depth in sorted(depths - {0}):
                yield DelayLine(name, depth, before, layer.bits * layer.size)
                before = depth


def design_of(net: QNet, hw: HwConfig) -> Design:
    """Lower and schedule ``net``; the device's family must have a delay table."""
    delays = delays_of(hw.board.device)
    assert delays is not None, "check comes before design_of"
    budget = usable_ns(hw.clock_ns, delays)
    placed: dict[str, Placed] = {}
    for name, layer in lower_net(net).items():
        placed[name] = _place(layer, [placed[i] for i in layer.op.inputs], budget, delays)
    last = placed[net.output.name]
    latency = last.stage + (last.t_out > 0 or last.stage == 0)
    return Design(net, placed, delays, budget, latency)


def _place(layer: Layer, args: list[Placed], budget: float, delays: Delays) -> Placed:
    if not args:
        return Placed(layer, (), 0, 0, delays.lut_ns)  # the multiplexer of the input's skid buffer
    start = max(a.stage for a in args)
    t_in = max(a.t_out for a in args if a.stage == start)
    first = [schedule(unit, t_in, budget, delays) for unit in layer.units]
    longest = max(s.latency for s in first)
    final = tuple(
        s if s.latency == longest else schedule(unit, t_in, budget, delays, longest)
        for unit, s in zip(layer.units, first, strict=True)
    )
    return Placed(layer, final, start, start + longest, max(s.t_out for s in final))
