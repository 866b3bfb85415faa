"""An unrolled design as one graph over all its places: equal nodes once, what is constant or read by nobody left out.

So synthesis sees it, which flattens the design before it optimises.
"""

from __future__ import annotations

from dataclasses import dataclass

from bitsmith.hls.backends.rtl.unrolled.design import Design, Placed
from bitsmith.hls.backends.rtl.unrolled.layers import ZERO, Instance
from bitsmith.hls.backends.rtl.unrolled.netlist import Kind, Netlist
from bitsmith.hls.backends.rtl.unrolled.timing import Schedule

SUMS = (Kind.ADD, Kind.SUB)
WIRES = (Kind.INPUT, Kind.CONST, Kind.SHL, Kind.SHR, Kind.LOW)
"""Nodes without logic."""


@dataclass(frozen=True)
class FlatNode:
    """A wire of the whole design: like :class:`Node`, its arguments numbers in the flat graph."""

    kind: Kind
    args: tuple[int, ...]
    params: tuple[int, ...]
    width: int
    signed: bool
    stage: int  # of the pipeline, counted from the input
    zeros: int  # lowest bits that are always zero
    op: str  # that it is part of


@dataclass(frozen=True)
class Flat:
    """Nodes in topological order.

    ``live``: those that somebody reads.  ``readers``: how many cells read each, one for all registers behind it;
    ``only``: the reader in the same stage where there is one and no other; ``unread``: how many of the lowest bits of
    each nobody reads.
    """

    nodes: tuple[FlatNode, ...]
    live: tuple[int, ...]
    readers: dict[int, int]
    only: dict[int, int]
    unread: dict[int, int]


class _Flattener:
    def __init__(self, design: Design) -> None:
        self.design = design
        self.nodes: list[FlatNode] = []
        self.known: dict[tuple[object, ...], int] = {}
        self.elements: dict[str, list[int]] = {}

    def run(self) -> Flat:
        for name, placed in self.design.placed.items():
            layer = placed.layer
            if not layer.op.inputs:
                ports = ((0, e) for e in range(layer.size))
                self.elements[name] = [
                    self.node(Kind.INPUT, (), port, layer.bits, layer.signed, 0, name) for port in ports
                ]
                continue
            found = [0] * layer.size
            for instance in layer.instances:
                outs = self.unit(name, placed, instance)
                for element, node in zip(instance.outs.tolist(), outs, strict=True):
                    found[element] = node
            self.elements[name] = found
        return self.finished()

    def node(
        self, kind: Kind, args: tuple[int, ...], params: tuple[int, ...], width: int, signed: bool, stage: int, op: str
    ) -> int:
        """The number of a node, made if there is none like it."""
        key = (kind, args, params, width, signed, stage)
        if key not in self.known:
            self.known[key] = len(self.nodes)
            self.nodes.append(FlatNode(kind, args, params, width, signed, stage, self.zeros(kind, args, params), op))
        return self.known[key]

    def const(self, value: int, width: int) -> int:
        return self.node(Kind.CONST, (), (value,), width, value < 0, 0, "")

    def zeros(self, kind: Kind, args: tuple[int, ...], params: tuple[int, ...]) -> int:
        """Lowest bits of a new node that are always zero."""
        if kind is Kind.CONST:
            return (params[0] & -params[0]).bit_length() - 1 if params[0] else 0
        below = [self.nodes[a].zeros for a in args]
        if kind in SUMS:
            return min(z + s for z, s in zip(below, params, strict=True))
        if kind is Kind.SHL:
            return below[0] + params[0]
        if kind in (Kind.SHR, Kind.EVEN):
            return max(0, below[0] - params[0])
        return below[0] if kind is Kind.LOW else 0

    def unit(self, name: str, placed: Placed, instance: Instance) -> list[int]:
        """The nodes of one place; its outputs' numbers."""
        unit, plan = placed.layer.units[instance.unit], placed.schedules[instance.unit]
        here: list[int] = []
        for k in range(len(unit.nodes)):
            here.append(self.one(name, placed, instance, unit, plan, k, here))
        return [here[o] for o in unit.outputs]

    def one(
        self, name: str, placed: Placed, instance: Instance, unit: Netlist, plan: Schedule, k: int, here: list[int]
    ) -> int:
        node = unit.nodes[k]
        if node.kind is Kind.INPUT:
            port, element = node.params
            source = int(instance.ins[port][element])
            return self.const(0, 1) if source == ZERO else self.elements[placed.layer.op.inputs[port]][source]
        if node.kind is Kind.CONST:
            return self.const(node.params[0], node.width)
        args = tuple(here[a] for a in node.args)
        values = [self.nodes[a].params[0] if self.nodes[a].kind is Kind.CONST else None for a in args]
        if None not in values:
            return self.const(0, node.width)  # of padding alone; whatever its value, it costs nothing
        stage = placed.start + plan.stage[k]
        kind, params = node.kind, node.params
        if kind in SUMS and (values[1] == 0 or (kind is Kind.ADD and values[0] == 0)):
            other = 0 if values[1] == 0 else 1
            if not params[other]:
                return args[other]
            kind, args, params = Kind.SHL, (args[other],), (params[other],)
        return self.node(kind, args, params, node.width, node.signed, stage, name)

    def finished(self) -> Flat:
        out = list(self.elements[self.design.net.output.name])
        live: set[int] = set()
        waiting = list(out)
        while waiting:
            k = waiting.pop()
            if k not in live:
                live.add(k)
                waiting.extend(self.nodes[k].args)
        readers: dict[int, int] = dict.fromkeys(live, 0)
        only: dict[int, int] = {}
        kept = set(out)
        for k in sorted(live):
            for a in self.nodes[k].args:
                if self.nodes[a].stage < self.nodes[k].stage:
                    kept.add(a)
                    continue
                readers[a] += 1
                only[a] = k
        for k in kept:
            readers[k] += 1
        alone = {a: k for a, k in only.items() if readers[a] == 1}
        order = tuple(sorted(live))
        return Flat(tuple(self.nodes), order, readers, alone, self.unread(order, out))

    def unread(self, order: tuple[int, ...], out: list[int]) -> dict[int, int]:
        """Lowest bits that every reader drops: those of a shift to the right, as far as nothing else needs them."""
        found: dict[int, int] = dict.fromkeys(out, 0)
        for k in reversed(order):
            node = self.nodes[k]
            for a in node.args:
                drops = _drops(node, found[k]) if a != node.args[0] or node.kind is not Kind.MUX else 0
                found[a] = min(found.get(a, drops), drops)
        return found


def _drops(node: FlatNode, unread: int) -> int:
    """Lowest bits of an argument that do not matter to ``node``, of which nobody reads the ``unread`` lowest."""
    if node.kind is Kind.SHR:
        return node.params[0] + unread
    if node.kind is Kind.SHL:
        return max(0, unread - node.params[0])
    return unread if node.kind in (Kind.CLIP, Kind.MUX, Kind.LOW) else 0  # the carry of a sum needs them all


def flatten(design: Design) -> Flat:
    """The whole design as synthesis sees it."""
    return _Flattener(design).run()
