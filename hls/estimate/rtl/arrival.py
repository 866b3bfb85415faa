"""When the bits of an unrolled design's nodes are ready: its longest path between two registers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bitsmith.hls.backends.rtl.unrolled.costs import Delays, levels
from bitsmith.hls.backends.rtl.unrolled.netlist import Kind
from bitsmith.hls.estimate.rtl.flat import SUMS, Flat, FlatNode
from bitsmith.hls.estimate.rtl.sums import Sum


@dataclass(frozen=True)
class Arrival:
    """Nanoseconds from the registers on: so many levels of LUTs, entries into carry chains, and bits along them."""

    ns: float
    levels: int = 0
    chains: int = 0
    bits: int = 0

    def then(self, d: Delays, levels: int = 0, chains: int = 0, bits: int = 0) -> Arrival:
        """Behind it some more."""
        ns = self.ns + levels * d.lut_ns + chains * d.carry_ns + bits * d.carry_bit_ns
        return Arrival(ns, self.levels + levels, self.chains + chains, self.bits + bits)


START = Arrival(0.0)

Ends = tuple[Arrival, Arrival]
"""Of the lowest and of the highest bit."""


def worst(*many: Arrival) -> Arrival:
    """The latest."""
    return max(many, key=lambda a: a.ns, default=START)


def arrivals(flat: Flat, sums: Mapping[int, Sum], d: Delays, narrow: int) -> dict[int, Ends]:
    """Node -> when its lowest and its highest bit are ready; of a sum that went into another, nothing.

    Adders of up to ``narrow`` bits are LUTs.
    """
    found: dict[int, Ends] = {}
    for k in flat.live:
        node = flat.nodes[k]
        if node.kind in SUMS:
            if k in sums:
                sources = [s.source for s in sums[k].summands]
                found[k] = _sum(sums[k], [_at(flat, found, a, node) for a in sources], d, narrow)
            continue
        found[k] = _other(node, flat, [_at(flat, found, a, node) for a in node.args], d)
    return found


def _at(flat: Flat, found: Mapping[int, Ends], a: int, reader: FlatNode) -> Ends:
    node = flat.nodes[a]
    if node.kind is Kind.CONST or node.stage < reader.stage:
        return START, START
    return found[a]


def _chain(ins: list[Ends], d: Delays, bits: int) -> Ends:
    low = worst(*(i[0] for i in ins))
    high = worst(*(i[1] for i in ins))
    first = low.then(d, chains=1)
    return first, worst(low.then(d, chains=1, bits=bits), high.then(d, chains=1))


def _sum(s: Sum, ins: list[Ends], d: Delays, narrow: int) -> Ends:
    behind = [(low.then(d, s.levels), high.then(d, s.levels)) for low, high in ins]
    if s.chain_bits <= narrow:
        both = worst(*(a for ends in behind for a in ends)).then(d, 1)
        return both, both
    return _chain(behind, d, s.chain_bits)


def _other(node: FlatNode, flat: Flat, ins: list[Ends], d: Delays) -> Ends:
    kind = node.kind
    if kind is Kind.INPUT:
        first = START.then(d, 1)  # the multiplexer of the skid buffer
        return first, first
    if not ins:
        return START, START
    low, high = ins[0]
    width = flat.nodes[node.args[0]].width
    if kind is Kind.SHR:
        later = low.then(d, bits=node.params[0])
        return (later if later.ns < high.ns else high), high
    if kind in (Kind.SHL, Kind.LOW):
        return low, high
    if kind is Kind.GE:
        # the signs of both and the carry make the answer, in a LUT of its own
        answer = _chain(ins, d, max(flat.nodes[a].width for a in node.args))[1].then(d, 1)
        return answer, answer
    if kind is Kind.EVEN:
        # only the lowest bit of the result needs to know whether all that is dropped is zero
        dropped = low.then(d, bits=node.params[0])
        tie = (dropped if dropped.ns < high.ns else high).then(d, levels(node.params[0] + 1, d.lut_inputs))
        return tie, worst(high, tie)
    late = worst(*(a for ends in ins for a in ends))
    if kind is Kind.MUX:
        late = late.then(d, 1)
    elif kind is Kind.CLIP:
        beside = width - node.width + 1  # bits that tell whether the value is out of bounds
        late = late.then(d, 1 if beside < d.lut_inputs else levels(beside, d.lut_inputs) + 1)
    elif kind is Kind.COUNT:
        table = late.then(d, levels(width, d.lut_inputs))
        chain = _chain(ins, d, width)[1]
        late = (table if table.ns < chain.ns else chain).then(d, -(-node.width // 2))
    else:
        late = late.then(d, 1 + max(0, width - d.lut_inputs + 1) // 2)
    return late, late
