"""An unrolled design as terms, op by op, from the netlists that its generator writes."""

from __future__ import annotations

from collections import Counter

from bitsmith.hls.backends.rtl.unrolled.design import Design
from bitsmith.hls.backends.rtl.unrolled.netlist import Kind, Netlist
from bitsmith.hls.backends.rtl.unrolled.timing import Schedule
from bitsmith.hls.config import Device
from bitsmith.hls.estimate.rtl.flat import SUMS, WIRES, Flat
from bitsmith.hls.estimate.rtl.live import Flags, Liveness, liveness
from bitsmith.hls.estimate.rtl.sums import Merged, Sum
from bitsmith.hls.estimate.rtl.terms import FF, LENDER, Terms, total

REST = "axi4_stream"
"""Row of the skid buffer and of the valid and last bits."""

NARROW = {"ecp5": 4}
"""Bits up to which an adder is LUTs rather than a carry chain, by yosys 0.70's ``arith_map`` of the family."""

NARROW_ELSEWHERE = 2

DEEP = 4
"""Levels of full adders from which on a mapper that minds delays (abc9, on ECP5 and Gowin) makes wide LUTs of them."""

CHAIN_CELL = {"ecp5": 2}
"""Bits of a cell of the carry chain; elsewhere one."""


def design_terms(design: Design, seen: Merged, device: Device) -> dict[str, Terms]:
    """Op -> what it is made of, all its places together; last the stream's own.  What nobody reads is left out."""
    logic = logic_terms(seen, device)
    live = liveness(design)
    registers = register_terms(design, live)
    rows = {name: total([logic.get(name, Terms()), registers[name]]) for name in design.placed}
    return {**rows, REST: _stream(design, live.read[design.net.input.name])}


def narrow_of(family: str) -> int:
    """Bits up to which an adder of a family, or of the one that it borrows from, is LUTs."""
    return NARROW.get(LENDER.get(family, family), NARROW_ELSEWHERE)


def logic_terms(seen: Merged, device: Device) -> dict[str, Terms]:
    """Op -> its logic, equal nodes counted once, and sums as synthesis merges them."""
    narrow, cell = narrow_of(device.family), CHAIN_CELL.get(LENDER.get(device.family, device.family), 1)
    found: dict[str, Counter[str]] = {}
    flat = seen.flat
    for k in flat.live:
        node = flat.nodes[k]
        here = found.setdefault(node.op, Counter())
        if k in seen.sums:
            here.update(sum_terms(seen.sums[k], narrow, cell))
        elif node.kind not in SUMS and node.kind not in WIRES:
            here[f"graph.{node.kind.name.lower()}"] += _amount(k, flat, device.lut_inputs)
    return {op: Terms({name: float(x) for name, x in terms.items() if x}) for op, terms in found.items()}


def sum_terms(s: Sum, narrow: int, cell: int) -> dict[str, int]:
    """A sum's adders of LUTs and its carry chain, in whole cells of ``cell`` bits."""
    chain = -(-s.chain_bits // cell) * cell
    adders = {"graph.full_adders": s.full, "graph.half_adders": s.half}
    if s.levels >= DEEP:
        adders["graph.deep_adders"] = s.full + s.half
    if s.chain_bits <= narrow:
        return {**adders, "graph.narrow_bits": chain}
    return {**adders, "graph.adder_bits": chain - s.unread, "graph.unread_bits": s.unread, "graph.adders": 1}


def _amount(k: int, flat: Flat, lut_inputs: int) -> int:
    """LUTs, more or less, of a node that is no sum."""
    node = flat.nodes[k]
    args = [flat.nodes[a] for a in node.args]
    width = args[0].width
    if node.kind is Kind.GE:
        return max(a.width for a in args)
    if node.kind is Kind.EVEN:
        return -(-max(0, node.params[0] + 1 - args[0].zeros) // (lut_inputs - 1))
    if node.kind is Kind.COUNT:  # comparators; or, of few input bits, the LUTs that hold the whole function
        return min(len(node.params) * width, node.width << max(0, width - lut_inputs + 1))
    if node.kind is Kind.TABLE:
        return node.width * max(1, 1 << max(0, width - lut_inputs))
    return node.width


def register_terms(design: Design, live: Liveness) -> dict[str, Terms]:
    """Op -> its registers, delay lines of its output included."""
    waiting: Counter[str] = Counter()
    for line in design.delay_lines():
        waiting[line.name] += line.register_bits
    rows = {}
    for name, placed in design.placed.items():
        late = Terms({"ff.delay_bits": waiting[name] * float(live.read[name].mean())})
        units = (
            unit_registers(placed.layer.units[c.unit], placed.schedules[c.unit], c.needed) * float(c.count)
            for c in live.copies[name]
        )
        rows[name] = total([late, *units])
    return rows


def unit_registers(unit: Netlist, plan: Schedule, needed: frozenset[int]) -> Terms:
    """The registers of one place, as far as it is ``needed``: the first of every value, and those that only delay."""
    kept = {k: unit.nodes[k].width * (plan.last[k] - plan.stage[k]) for k in needed}
    first = sum(unit.nodes[k].width for k, bits in kept.items() if bits)
    found = {FF: float(first), "ff.delay_bits": float(sum(kept.values()) - first)}
    return Terms({name: amount for name, amount in found.items() if amount})


def _stream(design: Design, read: Flags) -> Terms:
    """Skid buffer of the inputs that are ``read``, valid and last bits."""
    bits = design.placed[design.net.input.name].layer.bits * int(read.sum()) + 1
    flops = Terms({FF: bits + 2.0, "ff.delay": 2.0 * design.latency_cycles})
    return Terms({"skid.bits": float(bits), "stream": 1.0}) + flops
