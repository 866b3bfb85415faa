"""An unrolled design as terms, op by op, from the netlists that its generator writes."""

from __future__ import annotations

import math
from collections import Counter

from bitsmith.hls.backends.rtl.unrolled.costs import carry_bits, node_luts
from bitsmith.hls.backends.rtl.unrolled.design import Design, Placed
from bitsmith.hls.backends.rtl.unrolled.netlist import Kind, Netlist, Node
from bitsmith.hls.backends.rtl.unrolled.timing import Schedule
from bitsmith.hls.estimate.rtl.terms import FF, Terms, total

REST = "axi4_stream"
"""Row of the skid buffer and of the valid and last bits."""

SUMS = (Kind.ADD, Kind.SUB)


def design_terms(design: Design, lut_inputs: int) -> dict[str, Terms]:
    """Op -> what it is made of, all its places together; last the stream's own."""
    waiting: Counter[str] = Counter()
    for line in design.delay_lines():
        waiting[line.name] += line.register_bits
    rows = {}
    for name, placed in design.placed.items():
        rows[name] = _layer(placed, lut_inputs) + Terms({"ff.delay_bits": float(waiting[name])})
    return {**rows, REST: _stream(design)}


def _layer(placed: Placed, lut_inputs: int) -> Terms:
    copies = Counter(i.unit for i in placed.layer.instances)
    units = zip(placed.layer.units, placed.schedules, strict=True)
    return total([Terms(), *(unit_terms(u, s, lut_inputs) * float(copies[k]) for k, (u, s) in enumerate(units))])


def unit_terms(unit: Netlist, plan: Schedule, lut_inputs: int) -> Terms:
    """The netlist of one place."""
    found: Counter[str] = Counter()
    for k, node in enumerate(unit.nodes):
        kept = node.width * (plan.last[k] - plan.stage[k])
        if node.kind in SUMS:
            found["graph.adder_bits"] += carry_bits(node, unit.nodes)
            found["graph.adders"] += 1
            found["graph.narrow_bits"] += carry_bits(node, unit.nodes) if node.width <= 4 else 0
        elif node.kind is Kind.COUNT:
            found["graph.count"] += _count_bits(node, unit, lut_inputs)
        else:
            found[f"graph.{node.kind.name.lower()}"] += node_luts(node, unit.nodes, lut_inputs)
        first = node.width if kept else 0
        found[FF] += first
        found["ff.delay_bits"] += kept - first
    return Terms({name: float(amount) for name, amount in found.items() if amount})


def _count_bits(node: Node, unit: Netlist, lut_inputs: int) -> int:
    """Bits of the comparators of thresholds; or, of few input bits, the LUTs that hold the whole function."""
    bits = unit.nodes[node.args[0]].width
    return min(len(node.params) * bits, node.width << max(0, bits - lut_inputs + 1))


def _stream(design: Design) -> Terms:
    """Skid buffer, valid and last bits."""
    source = design.placed[design.net.input.name].layer
    bits = source.bits * math.prod(source.op.shape) + 1
    flops = Terms({FF: bits + 2.0, "ff.delay": 2.0 * design.latency_cycles})
    return Terms({"skid.bits": float(bits), "stream": 1.0}) + flops
