"""What of an unrolled design somebody reads, and which adders have nothing to add: synthesis leaves the rest out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bitsmith.hls.backends.rtl.unrolled.design import Design
from bitsmith.hls.backends.rtl.unrolled.layers import ZERO, Instance
from bitsmith.hls.backends.rtl.unrolled.netlist import Kind, Netlist

Flags = NDArray[np.bool_]

SUMS = (Kind.ADD, Kind.SUB)


@dataclass(frozen=True)
class Copy:
    """One form in which a unit stands in the design: the nodes that cost something, and how often it does."""

    unit: int
    needed: frozenset[int]
    count: int


@dataclass
class Liveness:
    """Of every op the elements that are read, and its copies."""

    read: dict[str, Flags]
    copies: dict[str, list[Copy]] = field(default_factory=dict)


def liveness(design: Design) -> Liveness:
    """From the output backwards, element by element."""
    read = {name: np.zeros(p.layer.size, bool) for name, p in design.placed.items()}
    read[design.net.output.name][:] = True
    found = Liveness(read)
    for name, placed in reversed(design.placed.items()):
        layer = placed.layer
        tally: dict[tuple[int, frozenset[int]], int] = {}
        memory: dict[tuple[int, bytes, bytes], tuple[frozenset[int], frozenset[tuple[int, int]]]] = {}
        for instance in layer.instances:
            key = (instance.unit, read[name][instance.outs].tobytes(), _zeros(instance).tobytes())
            if key not in memory:
                memory[key] = _needed(layer.units[instance.unit], read[name][instance.outs], instance)
            nodes, inputs = memory[key]
            tally[instance.unit, nodes] = tally.get((instance.unit, nodes), 0) + 1
            for port, element in inputs:
                read[layer.op.inputs[port]][instance.ins[port][element]] = True
        found.copies[name] = [Copy(unit, nodes, n) for (unit, nodes), n in tally.items()]
    return found


def _zeros(instance: Instance) -> Flags:
    flags: Flags = np.concatenate([port == ZERO for port in instance.ins])
    return flags


def _needed(unit: Netlist, outs: Flags, instance: Instance) -> tuple[frozenset[int], frozenset[tuple[int, int]]]:
    """Nodes that cost logic or registers, and the (port, element) that are read, for ``outs`` of ``instance``."""
    nothing = set(_nothing(unit, instance))
    nodes: set[int] = set()
    inputs: set[tuple[int, int]] = set()
    waiting = [node for node, live in zip(unit.outputs, outs, strict=True) if live]
    seen: set[int] = set()
    while waiting:
        k = waiting.pop()
        if k in seen or k in nothing:
            continue
        seen.add(k)
        node = unit.nodes[k]
        if node.kind is Kind.INPUT:
            inputs.add((node.params[0], node.params[1]))
        passes = node.kind is Kind.ADD and any(a in nothing for a in node.args)
        passes |= node.kind is Kind.SUB and node.args[1] in nothing
        if not passes:
            nodes.add(k)  # else it only passes its other operand on
        waiting.extend(node.args)
    return frozenset(nodes), frozenset(inputs)


def _nothing(unit: Netlist, instance: Instance) -> Iterator[int]:
    """Nodes that are zero because they stand for padding."""
    zero: set[int] = set()
    for k, node in enumerate(unit.nodes):
        if node.kind is Kind.INPUT:
            port, element = node.params
            is_zero = bool(instance.ins[port][element] == ZERO)
        else:
            is_zero = node.kind in (*SUMS, Kind.SHL, Kind.SHR) and all(a in zero for a in node.args)
        if is_zero:
            zero.add(k)
            yield k
