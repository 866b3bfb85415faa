"""Delay and look-up tables of every node.

The delays are a model: logic plus a typical net.  None of the families is
calibrated against place and route yet; ``Delays.source`` says what each rests on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bitsmith.hls.backends.rtl.unrolled.netlist import Kind, Node
from bitsmith.hls.config import Device

MARGIN = 0.10
"""Share of the period kept free for what the model does not know."""


@dataclass(frozen=True)
class Delays:
    """Nanoseconds of a family: one level of logic with its net, a carry chain's entry and each of its bits."""

    lut_ns: float
    carry_ns: float
    carry_bit_ns: float
    register_ns: float  # clock to output plus set-up, with one net
    lut_inputs: int
    source: str


UNCALIBRATED = "uncalibrated"
FAMILIES: dict[str, Delays] = {
    "xc7": Delays(0.75, 1.35, 0.030, 0.85, 6, f"{UNCALIBRATED}: DS181 speed grade -1 cells, nets of 0.6 ns assumed"),
    "xcup": Delays(0.45, 0.75, 0.015, 0.50, 6, f"{UNCALIBRATED}: DS922 speed grade -1 cells, nets of 0.35 ns assumed"),
    "ecp5": Delays(1.30, 2.40, 0.060, 1.40, 4, f"{UNCALIBRATED}: open timing data, nets of 1 ns assumed"),
    "ice40": Delays(1.60, 2.30, 0.130, 1.70, 4, f"{UNCALIBRATED}: HX cells of open timing data, nets of 1 ns assumed"),
    "gowin": Delays(1.40, 2.40, 0.060, 1.50, 4, f"{UNCALIBRATED}: taken like ecp5"),
    "max10": Delays(1.30, 2.30, 0.080, 1.40, 4, f"{UNCALIBRATED}: assumed like ecp5"),
    "cyclonev": Delays(1.00, 1.80, 0.040, 1.10, 6, f"{UNCALIBRATED}: assumed between xc7 and ecp5"),
    "gw5a": Delays(1.20, 2.20, 0.060, 1.30, 4, f"{UNCALIBRATED}: assumed somewhat faster than gowin"),
    "arria10": Delays(0.75, 1.40, 0.030, 0.85, 6, f"{UNCALIBRATED}: assumed like xc7"),
    "agilex": Delays(0.45, 0.80, 0.020, 0.50, 6, f"{UNCALIBRATED}: assumed like xcup"),
    "polarfire": Delays(1.10, 1.90, 0.060, 1.20, 4, f"{UNCALIBRATED}: assumed somewhat faster than ecp5"),
}
SLOW_PARTS: dict[str, float] = {"up5k": 2.6, "lp": 1.6}
"""Factor over the family for low-power parts, by what their ordering name holds."""


def delays_of(device: Device) -> Delays | None:
    """The delay table of a device; None for a family that nobody has described."""
    base = FAMILIES.get(device.family)
    if base is None:
        return None
    names = f"{device.name} {device.part}".lower()
    factor = max((f for key, f in SLOW_PARTS.items() if device.family == "ice40" and key in names), default=1.0)
    return replace(
        base,
        lut_ns=factor * base.lut_ns,
        carry_ns=factor * base.carry_ns,
        carry_bit_ns=factor * base.carry_bit_ns,
        register_ns=factor * base.register_ns,
    )


def usable_ns(clock_ns: float, delays: Delays) -> float:
    """Time for logic between two registers."""
    return clock_ns * (1.0 - MARGIN) - delays.register_ns


def levels(inputs: int, lut_inputs: int) -> int:
    """Levels of logic that gather ``inputs`` bits."""
    count = 0
    while inputs > 1:
        inputs = -(-inputs // lut_inputs)
        count += 1
    return count


def node_delay(node: Node, nodes: tuple[Node, ...], d: Delays) -> float:
    """Nanoseconds from the node's inputs to its output."""
    args = [nodes[a].width for a in node.args]
    if node.kind in (Kind.ADD, Kind.SUB):
        return d.carry_ns + d.carry_bit_ns * carry_bits(node, nodes)
    if node.kind is Kind.GE:
        return d.carry_ns + d.carry_bit_ns * max(args)
    if node.kind is Kind.MUX:
        return d.lut_ns
    if node.kind is Kind.EVEN:
        return d.lut_ns * levels(node.params[0] + 1, d.lut_inputs)
    if node.kind is Kind.CLIP:
        plain = clip_is_plain(node, nodes)
        compare = d.lut_ns * levels(args[0] - node.width + 2, d.lut_inputs)
        return d.lut_ns + (compare if plain else d.carry_ns + d.carry_bit_ns * args[0])
    if node.kind is Kind.COUNT:
        encode = d.lut_ns * -(-node.width // 2)
        return min(d.lut_ns * levels(args[0], d.lut_inputs), d.carry_ns + d.carry_bit_ns * args[0]) + encode
    if node.kind is Kind.TABLE:
        return d.lut_ns * (1 + max(0, args[0] - d.lut_inputs + 1) // 2)
    return 0.0


def clip_is_plain(node: Node, nodes: tuple[Node, ...]) -> bool:
    """Whether a clip needs no comparator: both bounds that can be passed are those of a bit width."""
    a = nodes[node.args[0]]
    low_plain = a.lo >= node.lo or node.lo in (0, -(node.hi + 1))
    return low_plain and (a.hi <= node.hi or (node.hi & (node.hi + 1)) == 0)


def carry_bits(node: Node, nodes: tuple[Node, ...]) -> int:
    """Full adders of an addition: the bits below the shifted operand pass by."""
    a, b = (nodes[i] for i in node.args)
    a_shift, b_shift = node.params
    trailing = [_trailing(a) + a_shift, _trailing(b) + b_shift]
    passed = trailing[1] if node.kind is Kind.SUB else max(trailing)
    return max(1, node.width - passed)


def _trailing(node: Node) -> int:
    if node.kind is Kind.CONST and node.params[0]:
        return (node.params[0] & -node.params[0]).bit_length() - 1
    return node.params[0] if node.kind is Kind.SHL else 0


def node_luts(node: Node, nodes: tuple[Node, ...], lut_inputs: int) -> int:
    """Look-up tables of a node that is no addition, by count of its Boolean functions."""
    args = [nodes[a].width for a in node.args]
    if node.kind is Kind.GE:
        return -(-max(args) // 2)
    if node.kind is Kind.MUX:
        return node.width
    if node.kind is Kind.EVEN:
        return -(-(node.params[0] + 1) // (lut_inputs - 1))
    if node.kind is Kind.CLIP:
        over = -(-(args[0] - node.width + 1) // (lut_inputs - 1))
        return node.width + (over if clip_is_plain(node, nodes) else args[0])
    if node.kind is Kind.COUNT:
        compare = -(-args[0] // (lut_inputs - 2))
        return len(node.params) * compare + (len(node.params) * 2) // 3
    if node.kind is Kind.TABLE:
        return node.width * max(1, 1 << max(0, args[0] - lut_inputs))
    return 0
