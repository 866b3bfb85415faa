"""The cut of a netlist into pipeline stages, by a clock target."""

from __future__ import annotations

from dataclasses import dataclass

from bitsmith.hls.backends.rtl.unrolled.costs import Delays, node_delay
from bitsmith.hls.backends.rtl.unrolled.netlist import Kind, Netlist

ROUNDING_NS = 1e-9
"""What sums of delays may differ by when they are taken in another order."""


@dataclass(frozen=True)
class Schedule:
    """Stage of every node and when in its stage it is ready.

    All inputs come in stage 0 at some time into it; all outputs leave in stage
    ``latency``, the last of them ``t_out`` ns into it.
    """

    stage: tuple[int, ...]
    last: tuple[int, ...]  # stage up to which the node's value is kept, in registers after its own
    latency: int
    t_out: float
    critical_ns: float  # longest path between registers, without the registers themselves
    levels: int  # nodes with a delay, in a row, at most

    def register_bits(self, net: Netlist) -> int:
        """Flip-flops of this schedule."""
        return sum(n.width * (b - a) for n, a, b in zip(net.nodes, self.stage, self.last, strict=True))


def schedule(net: Netlist, t_in: float, budget_ns: float, d: Delays, latency: int = 0) -> Schedule:
    """Cut ``net`` so that no path between registers takes longer than ``budget_ns``, where single nodes allow it.

    Of the earliest schedule and the latest of the same length, the one with
    fewer register bits.  ``latency`` asks for at least so many stages.
    """
    cost = [node_delay(n, net.nodes, d) for n in net.nodes]
    early = _measure(net, cost, _earliest(net, cost, t_in, budget_ns), t_in, latency)
    late = _measure(net, cost, _latest(net, cost, budget_ns, early), t_in, latency)
    fits = late.critical_ns <= max(budget_ns, early.critical_ns) and late.t_out <= early.t_out
    return min((early, late) if fits else (early,), key=lambda s: s.register_bits(net))


def _earliest(net: Netlist, cost: list[float], t_in: float, budget: float) -> list[int]:
    stage: list[int] = []
    ready: list[float] = []
    for k, node in enumerate(net.nodes):
        args = [a for a in node.args if net.nodes[a].kind is not Kind.CONST]
        s = max((stage[a] for a in args), default=0)
        t = max((ready[a] for a in args if stage[a] == s), default=t_in if node.kind is Kind.INPUT else 0.0)
        if args and t > 0 and t + cost[k] > budget:
            s, t = s + 1, 0.0
        stage.append(s)
        ready.append(t + cost[k])
    return stage


def _latest(net: Netlist, cost: list[float], budget: float, early: Schedule) -> list[int]:
    """Every node as late as its readers allow, the outputs no later than in ``early``."""
    never = (early.latency + 1, 0.0)
    due = [never] * len(net.nodes)  # (stage, time in it) by which the node must be ready
    for o in net.outputs:
        due[o] = (early.latency, early.t_out)
    stage = [0] * len(net.nodes)
    for k in reversed(range(len(net.nodes))):
        s, finish = due[k]
        if cost[k] > finish + ROUNDING_NS:
            s, finish = s - 1, max(budget, cost[k])
        stage[k] = 0 if net.nodes[k].kind in (Kind.INPUT, Kind.CONST) else s
        for a in net.nodes[k].args:
            due[a] = min(due[a], (s, finish - cost[k]))
    return stage


def _measure(net: Netlist, cost: list[float], stage: list[int], t_in: float, latency: int) -> Schedule:
    """The schedule that follows from the nodes' stages."""
    ready: list[float] = []
    depth: list[int] = []
    for k, node in enumerate(net.nodes):
        same = [a for a in node.args if stage[a] == stage[k] and net.nodes[a].kind is not Kind.CONST]
        start = t_in if node.kind is Kind.INPUT else 0.0
        ready.append(max((ready[a] for a in same), default=start) + cost[k])
        depth.append(max((depth[a] for a in same), default=0) + (cost[k] > 0))
    live = [o for o in net.outputs if net.nodes[o].kind is not Kind.CONST]
    latency = max([latency, *(stage[o] for o in live)])
    last = list(stage)
    for k, node in enumerate(net.nodes):
        for a in node.args:
            last[a] = max(last[a], stage[k])
    for o in live:
        last[o] = latency
    for k, node in enumerate(net.nodes):
        if node.kind is Kind.CONST:
            last[k] = stage[k]
    t_out = max((ready[o] for o in live if stage[o] == latency), default=0.0)
    return Schedule(tuple(stage), tuple(last), latency, t_out, max(ready, default=0.0), max(depth, default=0))
