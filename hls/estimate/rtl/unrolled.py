"""An unrolled design as terms, op by op, from the netlists that its generator writes."""

from __future__ import annotations

from collections import Counter

from bitsmith.hls.backends.rtl.unrolled.costs import carry_bits, node_luts
from bitsmith.hls.backends.rtl.unrolled.design import Design
from bitsmith.hls.backends.rtl.unrolled.netlist import Kind, Netlist, Node
from bitsmith.hls.backends.rtl.unrolled.timing import Schedule
from bitsmith.hls.estimate.rtl.arithmetic import NARROW
from bitsmith.hls.estimate.rtl.live import SUMS, Flags, liveness
from bitsmith.hls.estimate.rtl.terms import FF, Terms, total

REST = "axi4_stream"
"""Row of the skid buffer and of the valid and last bits."""


def design_terms(design: Design, lut_inputs: int) -> dict[str, Terms]:
    """Op -> what it is made of, all its places together; last the stream's own.  What nobody reads is left out."""
    waiting: Counter[str] = Counter()
    for line in design.delay_lines():
        waiting[line.name] += line.register_bits
    live = liveness(design)
    rows = {}
    for name, placed in design.placed.items():
        late = Terms({"ff.delay_bits": waiting[name] * float(live.read[name].mean())})
        units = (
            unit_terms(placed.layer.units[c.unit], placed.schedules[c.unit], c.needed, lut_inputs) * float(c.count)
            for c in live.copies[name]
        )
        rows[name] = total([late, *units])
    return {**rows, REST: _stream(design, live.read[design.net.input.name])}


def unit_terms(unit: Netlist, plan: Schedule, needed: frozenset[int], lut_inputs: int) -> Terms:
    """The netlist of one place, as far as it is ``needed``."""
    found: Counter[str] = Counter()
    for k in needed:
        node = unit.nodes[k]
        kept = node.width * (plan.last[k] - plan.stage[k])
        if node.kind in SUMS:
            found["graph.adder_bits"] += carry_bits(node, unit.nodes)
            found["graph.adders"] += 1
            found["graph.narrow_bits"] += carry_bits(node, unit.nodes) if node.width <= NARROW else 0
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


def _stream(design: Design, read: Flags) -> Terms:
    """Skid buffer of the inputs that are ``read``, valid and last bits."""
    bits = design.placed[design.net.input.name].layer.bits * int(read.sum()) + 1
    flops = Terms({FF: bits + 2.0, "ff.delay": 2.0 * design.latency_cycles})
    return Terms({"skid.bits": float(bits), "stream": 1.0}) + flops
