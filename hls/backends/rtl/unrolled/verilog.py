"""Netlists and placements as the text that the templates in ``templates/`` take."""

from __future__ import annotations

from dataclasses import dataclass, field

from bitsmith.hls.backends.rtl.unrolled.layers import ZERO
from bitsmith.hls.backends.rtl.unrolled.netlist import Kind, Netlist, Node
from bitsmith.hls.backends.rtl.unrolled.timing import Schedule
from bitsmith.models.ir.types import IntArray

PRIMITIVES = {
    Kind.EVEN: "bitsmith_round_half_even",
    Kind.CLIP: "bitsmith_clip",
    Kind.COUNT: "bitsmith_threshold_count",
    Kind.TABLE: "bitsmith_table",
}
"""Nodes that are instances of a hand-written module; the others are expressions."""


@dataclass(frozen=True)
class Signal:
    """A packed vector of equal elements: element ``e`` stands at ``e * bits``."""

    name: str
    bits: int  # of one element
    signed: bool
    size: int

    @property
    def note(self) -> str:
        """The format, for a comment."""
        sign = "signed" if self.signed else "unsigned"
        return f"{self.size} x {sign} {self.bits} bits, element 0 in the lowest bits"


def literal(value: int, width: int) -> str:
    """``value`` modulo 2**width as a decimal of exactly ``width`` bits."""
    if value < 0 and -value <= 1 << (width - 1):
        return f"-{width}'sd{-value}"
    return f"{width}'d{value % (1 << width)}"


def hex_literal(values: list[int], width: int) -> str:
    """Integers packed into one hexadecimal literal, the first in the lowest bits."""
    total = 0
    for v in reversed(values):
        total = (total << width) | (v % (1 << width))
    return f"{width * len(values)}'h{total:x}"


@dataclass
class UnitText:
    """The lines of a unit's module."""

    tables: list[dict[str, object]] = field(default_factory=list)
    stages: list[dict[str, object]] = field(default_factory=list)
    registers: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    primitives: set[str] = field(default_factory=set)
    partial: dict[str, None] = field(default_factory=dict)  # wires of which a reader drops bits


class _UnitWriter:
    def __init__(self, net: Netlist, plan: Schedule, ports: list[Signal]) -> None:
        self.net = net
        self.plan = plan
        self.ports = ports
        self.text = UnitText()
        self.table_names: dict[tuple[int, ...], str] = {}

    def base(self, k: int) -> str:
        node = self.net.nodes[k]
        if node.kind is Kind.INPUT:
            port, element = node.params
            name = self.ports[port].name
            return f"{name}{element}" if len(self.ports) == 1 else f"{name}_{element}"
        return f"n{k}"

    def at(self, k: int, stage: int) -> str:
        """The wire of node ``k`` as it stands in ``stage``."""
        age = stage - self.plan.stage[k]
        assert age >= 0
        return self.base(k) + (f"_r{age}" if age else "")

    def bits(self, k: int, stage: int, width: int) -> str:
        """Node ``k`` in ``stage`` extended, by its own sign, or cut to ``width`` bits."""
        node = self.net.nodes[k]
        if node.kind is Kind.CONST:
            return literal(node.params[0], width)
        name = self.at(k, stage)
        if width < node.width:
            self.text.partial[name] = None
        return name if node.width == width else f"{width}'({name})"

    def number(self, k: int, stage: int, width: int) -> str:
        """Like ``bits``, as a signed expression whose value is the node's."""
        node = self.net.nodes[k]
        text = self.bits(k, stage, width)
        return text if node.signed and node.width == width else f"$signed({text})"

    def run(self) -> UnitText:
        for stage in range(self.plan.latency + 1):
            lines = [line for k in range(len(self.net.nodes)) if self.plan.stage[k] == stage for line in self.node(k)]
            if lines:
                self.text.stages.append({"title": f"stage {stage}", "lines": lines})
        for k in range(len(self.net.nodes)):
            for age in range(1, self.plan.last[k] - self.plan.stage[k] + 1):
                self.text.registers.append(f"{self.base(k)}_r{age} <= {self.at(k, self.plan.stage[k] + age - 1)};")
        return self.text

    def node(self, k: int) -> list[str]:
        """Declaration of a node and its registers, and its logic."""
        node = self.net.nodes[k]
        if node.kind is Kind.CONST:
            return []
        kind = f"{'signed ' if node.signed else ''}[{node.width - 1}:0]"
        kept = [f"{self.base(k)}_r{age}" for age in range(1, self.plan.last[k] - self.plan.stage[k] + 1)]
        registers = [f"logic {kind} {', '.join(kept)};"] if kept else []
        if node.kind in PRIMITIVES:
            self.text.primitives.add(PRIMITIVES[node.kind])
            return [f"wire {kind} {self.base(k)};", self.instance(k, node), *registers]
        return [f"wire {kind} {self.base(k)} = {self.expression(k, node)};", *registers]

    def expression(self, k: int, node: Node) -> str:
        stage, width, args = self.plan.stage[k], node.width, node.args
        if node.kind is Kind.INPUT:
            port = self.ports[node.params[0]]
            return f"{port.name}[{node.params[1] * port.bits}+:{width}]"
        if node.kind in (Kind.ADD, Kind.SUB):
            terms = [self.bits(a, stage, width) for a in args]
            shifted = [f"({t} << {s})" if s else t for t, s in zip(terms, node.params, strict=True)]
            return f" {'+' if node.kind is Kind.ADD else '-'} ".join(shifted)
        if node.kind is Kind.SHL:
            return f"{self.bits(args[0], stage, width)} << {node.params[0]}"
        if node.kind is Kind.SHR:
            top = self.net.nodes[args[0]].width - 1
            self.text.partial[self.at(args[0], stage)] = None
            return f"{self.at(args[0], stage)}[{top}:{min(node.params[0], top)}]"
        if node.kind is Kind.LOW:
            return self.bits(args[0], stage, width)
        if node.kind is Kind.GE:
            wide = max(self.net.nodes[a].width + (not self.net.nodes[a].signed) for a in args)
            return f"{self.number(args[0], stage, wide)} >= {self.number(args[1], stage, wide)}"
        assert node.kind is Kind.MUX
        choice, yes, no = args
        return f"{self.at(choice, stage)} ? {self.bits(yes, stage, width)} : {self.bits(no, stage, width)}"

    def instance(self, k: int, node: Node) -> str:
        a = self.net.nodes[node.args[0]]
        width = a.width + (not a.signed)
        values: dict[str, object] = {"WX": width, "WY": node.width}
        if node.kind is Kind.EVEN:
            width = max(width, node.params[0] + 1)
            values = {"WX": width, "SHIFT": node.params[0], "WY": node.width}
        elif node.kind is Kind.CLIP:
            values |= {"CLIP_LO": f"1'b{int(a.lo < node.lo)}", "CLIP_HI": f"1'b{int(a.hi > node.hi)}"}
            values |= {"LO": literal(node.lo, 64), "HI": literal(node.hi, 64)}
        elif node.kind is Kind.COUNT:
            values |= {"LEVELS": len(node.params), "THRESHOLDS": hex_literal(list(node.params), width)}
        else:
            width = a.width
            values |= {"WX": width, "TABLE": self.table(node)}
        parameters = ", ".join(f".{key}({value})" for key, value in values.items())
        x = self.bits(node.args[0], self.plan.stage[k], width)
        return f"{PRIMITIVES[node.kind]} #({parameters}) u{k} (.x({x}), .y(n{k}));"

    def table(self, node: Node) -> str:
        key = (node.width, *node.params)
        if key not in self.table_names:
            name = f"TABLE{len(self.table_names)}"
            self.table_names[key] = name
            value = hex_literal(list(node.params), node.width)
            self.text.tables.append({"name": name, "bits": node.width * len(node.params), "value": value})
        return self.table_names[key]


def unit_text(net: Netlist, plan: Schedule, ports: list[Signal], out: Signal) -> UnitText:
    """The lines of the module that holds ``net``."""
    writer = _UnitWriter(net, plan, ports)
    text = writer.run()
    for e, o in enumerate(net.outputs):
        value = writer.bits(o, plan.latency, out.bits)
        text.outputs.append(f"assign {out.name}[{e * out.bits}+:{out.bits}] = {value};")
    return text


def gather(elements: IntArray, source: Signal) -> str:
    """Elements of a signal, in this order from the lowest bits on, as one expression."""
    runs: list[tuple[int, int]] = []  # (first element or ZERO, count)
    for e in elements.tolist():
        if runs:
            first, count = runs[-1]
            if (e == ZERO and first == ZERO) or (first != ZERO and e == first + count):
                runs[-1] = (first, count + 1)
                continue
        runs.append((e, 1))
    parts = []
    for first, count in reversed(runs):
        if first == ZERO:
            parts.append(f"{count * source.bits}'d0")
        elif count == source.size:
            parts.append(source.name)
        else:
            parts.append(f"{source.name}[{first * source.bits}+:{count * source.bits}]")
    return parts[0] if len(parts) == 1 else "{" + ", ".join(parts) + "}"
