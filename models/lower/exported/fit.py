"""The inverse of the exported quantizers: rounding, overflow and range from Quant and Clip nodes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bitsmith.models.ir.types import IntArray, Overflow, QuantType, Rounding
from bitsmith.models.lower.exported.reader import Constants, Group, require

EXACT_BITS = 25
"""Bits of a quantizer that only rounds."""


@dataclass(frozen=True)
class Quant:
    """A Quant node with zero point 0."""

    x: str
    step: float
    bits: int
    signed: bool
    narrow: bool
    mode: str

    @property
    def ends(self) -> tuple[int, int]:
        """Smallest and largest multiple of the step that it gives."""
        kind = QuantType(self.bits, self.signed)
        return kind.min + self.narrow, kind.max

    def only_rounds(self) -> bool:
        """Whether nothing that float32 holds exactly can saturate."""
        return (self.bits, self.signed, self.narrow) == (EXACT_BITS, True, False)


@dataclass(frozen=True)
class Fit:
    """A quantizer: of what, and into what."""

    x: str
    lo: int
    hi: int
    rounding: Rounding
    overflow: Overflow


@dataclass(frozen=True, eq=False)
class Parameters:
    """Constants that take part in the arithmetic, each through a Quant that states its width.

    ``shapes`` are those that the graph states for its tensors.
    """

    constants: Constants
    shapes: dict[str, tuple[int, ...]]

    def quant(self, g: Group, out: str) -> Quant:
        """The Quant that makes ``out``."""
        node = g.take(out, "Quant", 4)
        flags = node.attributes
        require(flags.keys() == {"signed", "narrow", "rounding_mode"})
        step, zero, bits = (self.constants.scalar(i) for i in node.inputs[1:])
        require(self.shapes.get(out) or not any(self.constants.arrays[i].ndim for i in node.inputs[1:]))
        signed, narrow, mode = bool(flags["signed"]), bool(flags["narrow"]), flags["rounding_mode"]
        require(step > 0 and zero == 0 and mode in ("ROUND", "FLOOR") and not (narrow and not signed))
        require(bits == int(bits) and 1 + signed <= bits <= 62)  # one signed bit is bipolar in qonnx
        return Quant(node.inputs[0], step, int(bits), signed, narrow, mode)

    def integers(self, g: Group, out: str) -> IntArray:
        """Integers in the range of the Quant that they come through."""
        q = self.quant(g, out)
        values = self.constants.integers(q.x)
        lo, hi = q.ends
        require(q.step == 1 and not q.narrow and values.size and values.shape == self.shapes.get(out))
        require(values.min() >= lo and values.max() <= hi)
        return values

    def integer(self, g: Group, out: str) -> int:
        """One integer of shape ()."""
        values = self.integers(g, out)
        require(values.shape == ())
        return int(values)

    def halvings(self, g: Group, out: str) -> int:
        """``s`` of a factor 2**-s with s > 0; 0 if ``out`` is no such factor."""
        if g.kind(out) != "Quant" or self.constants.scalar(g.peek(out).inputs[1]) >= 1:
            return 0
        q = self.quant(g, out)
        mantissa, exponent = math.frexp(q.step)
        require(self.constants.real(q.x).shape == () == self.shapes.get(out))
        require(self.constants.scalar(q.x) == q.step and mantissa == 0.5 and (q.bits, q.signed) == (1, False))
        return 1 - exponent


def read_fit(p: Parameters, g: Group) -> Fit:
    """The quantizer that ends in the group's value."""
    if g.kind(g.value) == "Sub":
        overflow = Overflow.WRAP
        q, lo, hi = _wrap(p, g)
    else:
        overflow = Overflow.SATURATE
        q, lo, hi = _saturate(p, g)
    if q.mode == "ROUND":
        return Fit(q.x, lo, hi, Rounding.HALF_EVEN, overflow)
    if g.kind(q.x) == "Add" and not g.kind(g.peek(q.x).inputs[-1]):
        node = g.take(q.x, "Add", 2)
        node.has()
        require(p.constants.scalar(node.inputs[1]) == 0.5)
        return Fit(node.inputs[0], lo, hi, Rounding.HALF_UP, overflow)
    return Fit(q.x, lo, hi, Rounding.FLOOR, overflow)


def _saturate(p: Parameters, g: Group) -> tuple[Quant, int, int]:
    out, limits = g.value, None
    if g.kind(out) == "Clip":
        clip = g.take(out, "Clip", 3)
        clip.has()
        out, limits = clip.inputs[0], [p.constants.scalar(i) for i in clip.inputs[1:]]
        require(limits == [int(v) for v in limits])
    q = p.quant(g, out)
    ends = q.ends
    lo, hi = (int(v) for v in limits or ends)
    require(q.step == 1 and ends[0] <= lo <= hi <= ends[1])
    return q, lo, hi


def _wrap(p: Parameters, g: Group) -> tuple[Quant, int, int]:
    """``v - size * floor((v - lo) / size)`` for the rounded ``v``."""
    node = g.take(g.value, "Sub", 2)
    node.has()
    whole, turns = node.inputs
    turn = p.quant(g, turns)
    require(turn.only_rounds() and turn.mode == "FLOOR" and turn.step == int(turn.step))
    lo = 0
    if turn.x != whole:
        above = g.take(turn.x, "Add", 2)
        above.has()
        require(above.inputs[0] == whole)
        lo = -p.integer(g, above.inputs[1])
    q = p.quant(g, whole)
    require(q.only_rounds() and q.step == 1)
    return q, lo, lo + int(turn.step) - 1
