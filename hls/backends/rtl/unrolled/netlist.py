"""A small combinational netlist in integers: every wire knows its exact interval, hence its width and sign.

Nodes stand in topological order.  Equal nodes are made once, constants are
folded, and a node whose interval holds one integer is that constant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from bitsmith.hls.backends.rtl.unrolled.adder_graph import AdderGraph, solve
from bitsmith.models.ir.types import IntArray, Rounding


class Kind(StrEnum):
    """What a node computes of its arguments ``a, b, ...`` and parameters ``p, q, ...``."""

    INPUT = "input"  # element q of port p
    CONST = "const"  # p
    ADD = "add"  # (a << p) + (b << q)
    SUB = "sub"  # (a << p) - (b << q)
    SHL = "shl"  # a << p
    SHR = "shr"  # floor(a / 2**p)
    EVEN = "even"  # floor(a / 2**p), its lowest bit cleared if a is a multiple of 2**p: the tie of half-even
    CLIP = "clip"  # a brought into lo..hi
    LOW = "low"  # the lowest p bits of a, read as a signed number if q
    GE = "ge"  # a >= b
    MUX = "mux"  # a ? b : c
    COUNT = "count"  # number of the parameters that a reaches
    TABLE = "table"  # parameter number (a modulo 2**width of a)


@dataclass(frozen=True)
class Node:
    """One wire: ``kind`` of the nodes ``args`` with ``params``; always within ``lo..hi``."""

    kind: Kind
    args: tuple[int, ...]
    params: tuple[int, ...]
    lo: int
    hi: int

    @property
    def signed(self) -> bool:
        """Whether the wire is a signed number."""
        return self.lo < 0

    @property
    def width(self) -> int:
        """Bits of the wire: as ``QuantType.for_range`` says, but this is asked very often."""
        if self.lo >= 0:
            return max(1, self.hi.bit_length())
        return 1 + max((~self.lo).bit_length(), max(0, self.hi).bit_length())


@dataclass(frozen=True)
class Netlist:
    """Finished logic; ``outputs`` are node numbers."""

    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]


class NetlistBuilder:
    """Makes nodes; every method returns a node's number."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.known: dict[Node, int] = {}

    def _node(self, kind: Kind, args: tuple[int, ...], params: tuple[int, ...], lo: int, hi: int) -> int:
        if lo == hi and kind is not Kind.CONST:
            return self.const(lo)
        node = Node(kind, args, params, lo, hi)
        if node not in self.known:
            self.known[node] = len(self.nodes)
            self.nodes.append(node)
        return self.known[node]

    def span(self, a: int) -> tuple[int, int]:
        """Interval of a node."""
        return self.nodes[a].lo, self.nodes[a].hi

    def input(self, port: int, element: int, lo: int, hi: int) -> int:
        """Element of an input port, known to lie in ``lo..hi``."""
        return self._node(Kind.INPUT, (), (port, element), lo, hi)

    def const(self, value: int) -> int:
        """A constant."""
        return self._node(Kind.CONST, (), (value,), value, value)

    def _value(self, a: int) -> int | None:
        node = self.nodes[a]
        return node.params[0] if node.kind is Kind.CONST else None

    def add(
        self, a: int, b: int, a_shift: int = 0, b_shift: int = 0, sub: bool = False, span: tuple[int, int] | None = None
    ) -> int:
        """``(a << a_shift) +- (b << b_shift)``; ``span`` where more is known than the operands' intervals tell."""
        if self._value(b) == 0:
            return self.shl(a, a_shift)
        if self._value(a) == 0 and not sub:
            return self.shl(b, b_shift)
        (a_lo, a_hi), (b_lo, b_hi) = self.span(a), self.span(b)
        ends = (b_hi, b_lo) if sub else (b_lo, b_hi)
        sign = -1 if sub else 1
        free = ((a_lo << a_shift) + sign * (ends[0] << b_shift), (a_hi << a_shift) + sign * (ends[1] << b_shift))
        return self._node(Kind.SUB if sub else Kind.ADD, (a, b), (a_shift, b_shift), *(span or free))

    def shl(self, a: int, shift: int) -> int:
        """``a << shift``."""
        lo, hi = self.span(a)
        return a if shift == 0 else self._node(Kind.SHL, (a,), (shift,), lo << shift, hi << shift)

    def negate(self, a: int) -> int:
        """``-a``."""
        return self.add(self.const(0), a, sub=True)

    def add_const(self, a: int, value: int) -> int:
        """``a + value``."""
        return self.add(a, self.const(abs(value)), sub=value < 0)

    def linear(self, graph: AdderGraph, inputs: Sequence[int]) -> list[int]:
        """All outputs of an adder graph."""
        values = list(inputs)
        for n in graph.nodes:
            values.append(self.add(values[n.a], values[n.b], n.a_shift, n.b_shift, n.sub, (n.lo, n.hi)))
        outs = []
        for out in graph.outputs:
            value = self.const(0) if out.value is None else self.shl(values[out.value], out.shift)
            outs.append(self.negate(value) if out.negate else value)
        return outs

    def multiply(self, a: int, factor: int) -> int:
        """``a * factor`` by shifts and additions."""
        lo, hi = self.span(a)
        size = abs(factor)
        if size & (size - 1) == 0:  # zero, or a power of two: nothing to solve
            value = self.shl(a, size.bit_length() - 1) if size else self.const(0)
            return self.negate(value) if factor < 0 else value
        return self.linear(solve(np.array([[factor]]), np.array([lo]), np.array([hi])), [a])[0]

    def total(self, terms: Sequence[int]) -> int:
        """Sum of all terms, as a balanced tree."""
        layer = list(terms)
        while len(layer) > 1:
            pairs = [self.add(a, b) for a, b in zip(layer[::2], layer[1::2], strict=False)]
            layer = pairs + layer[len(pairs) * 2 :]
        return layer[0]

    def round_shift(self, a: int, shift: int, rounding: Rounding, add: int = 0) -> int:
        """round((a + add) / 2**shift); half-even is half-up with the lowest bit cleared on a tie."""
        if shift == 0 or rounding is Rounding.FLOOR:
            return self._shr(self.add_const(a, add), shift, Kind.SHR)
        half = self.add_const(a, add + (1 << (shift - 1)))
        return self._shr(half, shift, Kind.SHR if rounding is Rounding.HALF_UP else Kind.EVEN)

    def _shr(self, a: int, shift: int, kind: Kind) -> int:
        if shift == 0:
            return a
        ends = [v >> shift for v in self.span(a)]
        if kind is Kind.EVEN:
            ends = [q & ~1 if v == q << shift else q for q, v in zip(ends, self.span(a), strict=True)]
        return self._node(kind, (a,), (shift,), ends[0], ends[1])

    def clip(self, a: int, lo: int, hi: int) -> int:
        """``a`` brought into ``lo..hi``."""
        a_lo, a_hi = self.span(a)
        if lo <= a_lo and a_hi <= hi:
            return a
        return self._node(Kind.CLIP, (a,), (), min(max(a_lo, lo), hi), min(max(a_hi, lo), hi))

    def wrap(self, a: int, lo: int, hi: int) -> int:
        """``a`` modulo the size of ``lo..hi``, a power of two, in that range."""
        a_lo, a_hi = self.span(a)
        if lo <= a_lo and a_hi <= hi:
            return a
        bits = (hi - lo).bit_length()
        if lo in (0, -(1 << bits >> 1)):
            return self._node(Kind.LOW, (a,), (bits, int(lo < 0)), lo, hi)
        base = self._node(Kind.LOW, (self.add_const(a, -lo),), (bits, 0), 0, hi - lo)
        return self.add_const(base, lo)

    def at_least(self, a: int, b: int) -> int:
        """1 if ``a >= b``, else 0."""
        (a_lo, a_hi), (b_lo, b_hi) = self.span(a), self.span(b)
        if a_lo >= b_hi or a_hi < b_lo:
            return self.const(int(a_lo >= b_hi))
        return self._node(Kind.GE, (a, b), (), 0, 1)

    def mux(self, choice: int, yes: int, no: int, span: tuple[int, int] | None = None) -> int:
        """``choice ? yes : no``."""
        picked = self._value(choice)
        if picked is not None:
            return yes if picked else no
        if yes == no:
            return yes
        (a_lo, a_hi), (b_lo, b_hi) = self.span(yes), self.span(no)
        return self._node(Kind.MUX, (choice, yes, no), (), *(span or (min(a_lo, b_lo), max(a_hi, b_hi))))

    def maximum(self, a: int, b: int) -> int:
        """The larger of two."""
        (a_lo, a_hi), (b_lo, b_hi) = self.span(a), self.span(b)
        return self.mux(self.at_least(a, b), a, b, (max(a_lo, b_lo), max(a_hi, b_hi)))

    def count(self, a: int, thresholds: Sequence[int]) -> int:
        """How many of the ascending ``thresholds`` are at most ``a``; those that are always met cost nothing."""
        lo, hi = self.span(a)
        always = sum(t <= lo for t in thresholds)
        open_ones = tuple(t for t in thresholds if lo < t <= hi)
        if not open_ones:
            return self.const(always)
        return self.add_const(self._node(Kind.COUNT, (a,), open_ones, 0, len(open_ones)), always)

    def table(self, a: int, table: IntArray, offset: int) -> int:
        """``table[a - offset]``."""
        lo, hi = self.span(a)
        width = self.nodes[a].width
        reach = table[lo - offset : hi - offset + 1]
        entries = np.full(1 << width, reach[-1])  # what cannot come repeats a neighbour, for the optimiser
        entries[np.arange(lo, hi + 1) % (1 << width)] = reach
        return self._node(Kind.TABLE, (a,), tuple(map(int, entries)), int(reach.min()), int(reach.max()))

    def finish(self, outputs: Sequence[int]) -> Netlist:
        """The netlist without nodes that no output needs."""
        needed = set(outputs)
        for k in reversed(range(len(self.nodes))):
            if k in needed:
                needed.update(self.nodes[k].args)
        place = {old: new for new, old in enumerate(sorted(needed))}
        kept = []
        for old in sorted(needed):
            n = self.nodes[old]
            kept.append(Node(n.kind, tuple(place[a] for a in n.args), n.params, n.lo, n.hi))
        return Netlist(tuple(kept), tuple(place[o] for o in outputs))
