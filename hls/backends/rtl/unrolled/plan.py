"""What an unrolled design will cost, from the very design that ``emit`` writes."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from bitsmith.hls.backends.rtl.unrolled.costs import carry_bits, node_luts
from bitsmith.hls.backends.rtl.unrolled.design import Design, Placed, design_of
from bitsmith.hls.backends.rtl.unrolled.netlist import Kind, Netlist
from bitsmith.hls.config import HwConfig
from bitsmith.models.ir import QNet

LUT_INPUTS = 6
"""``other_luts`` counts LUTs of six inputs on every family, so that plans can be compared."""


@dataclass(frozen=True)
class PlannedLayer:
    """One op of the design; counts are totals over all ``instances``.

    ``kind`` is the op's, ``stream`` for the AXI4-Stream wrapper.
    ``adder_bits`` are full adders; ``other_luts`` a count of the Boolean
    functions of everything else, before any optimiser; ``ff_bits`` the pipeline
    registers, delay lines of the layer's output included; ``critical_ns`` the
    longest path by the delay model, from register to register.
    """

    op: str
    kind: str
    instances: int
    adders: int
    adder_bits: int
    other_luts: int
    ff_bits: int
    latency_cycles: int
    logic_levels: int
    critical_ns: float


@dataclass(frozen=True)
class UnrolledPlan:
    """The whole design: exact cycles, and one row per op that adds up to the whole."""

    latency_cycles: int
    ii_cycles: int
    layers: tuple[PlannedLayer, ...]


def plan(net: QNet, hw: HwConfig) -> UnrolledPlan:
    """Plan of ``net``; the backend's ``check`` must have found no problem."""
    return plan_of(design_of(net, hw))


def plan_of(design: Design) -> UnrolledPlan:
    """Plan of a finished design."""
    waiting: Counter[str] = Counter()
    for line in design.delay_lines():
        waiting[line.name] += line.register_bits
    rows = tuple(_row(p, waiting[name], design) for name, p in design.placed.items())
    return UnrolledPlan(design.latency_cycles, 1, (*rows, _stream(design)))


def _row(p: Placed, waiting_bits: int, design: Design) -> PlannedLayer:
    copies = Counter(i.unit for i in p.layer.instances)
    adders = adder_bits = luts = registers = 0
    for number, unit in enumerate(p.layer.units):
        sums = [n for n in unit.nodes if n.kind in (Kind.ADD, Kind.SUB)]
        adders += copies[number] * len(sums)
        adder_bits += copies[number] * sum(carry_bits(n, unit.nodes) for n in sums)
        luts += copies[number] * _luts(unit)
        registers += copies[number] * p.schedules[number].register_bits(unit)
    critical = max((s.critical_ns for s in p.schedules), default=p.t_out)
    return PlannedLayer(
        op=p.layer.op.name,
        kind=p.layer.op.kind,
        instances=len(p.layer.instances),
        adders=adders,
        adder_bits=adder_bits,
        other_luts=luts,
        ff_bits=registers + waiting_bits,
        latency_cycles=p.latency,
        logic_levels=max((s.levels for s in p.schedules), default=0),
        critical_ns=critical + design.delays.register_ns,
    )


def _luts(unit: Netlist) -> int:
    return sum(node_luts(n, unit.nodes, LUT_INPUTS) for n in unit.nodes)


def _stream(design: Design) -> PlannedLayer:
    """Skid buffer, valid and last bits, and the output register if there is one."""
    source = design.placed[design.net.input.name].layer
    bits = source.bits * math.prod(source.op.shape) + 1
    latency = design.output_delay
    critical = design.delays.register_ns + design.delays.lut_ns
    flops = bits + 2 + 2 * design.latency_cycles
    return PlannedLayer("axi4_stream", "stream", 1, 0, 0, bits + 3, flops, latency, 1, critical)
