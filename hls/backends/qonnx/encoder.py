"""What the ops of a QNet have in common when they are written as QONNX: layout, types, quantizers, both ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bitsmith.hls.backends.onnx_graph import QONNX_DOMAIN, GraphWriter
from bitsmith.models.ir.intervals import Interval, intervals
from bitsmith.models.ir.ops import Conv, Input, Op, Pad, Pool, QNet, Shape, Upsample
from bitsmith.models.ir.types import Overflow, QuantType, Rounding

EXACT_BITS = 25
"""Bits of a quantizer that only rounds: no integer that float32 holds exactly leaves its range."""
LAYOUTS = ("NC", "NWC", "NHWC")
"""Axes of the graph's input by rank, as qonnx names them."""


def channels_first(net: QNet) -> bool:
    """Whether values of more than one axis are channels first in the graph.

    They are where an op works on places, since ONNX's convolutions want it so; a net
    without such an op stays as it is and needs no Transpose.
    """
    return any(isinstance(op, Conv | Pool | Pad | Upsample) for op in net.ops)


def to_first(rank: int) -> list[int]:
    """Permutation from (batch, *spatial, channels) to (batch, channels, *spatial); ``rank`` is without the batch."""
    return [0, rank, *range(1, rank)]


def to_last(rank: int) -> list[int]:
    """Inverse of :func:`to_first`."""
    return [0, *range(2, rank + 1), 1]


def datatype(kind: QuantType) -> str:
    """qonnx's name of the integers of ``kind``."""
    return f"{'INT' if kind.signed else 'UINT'}{kind.bits}"


def quant_bits(lo: int, hi: int) -> tuple[int, bool, bool]:
    """``(bits, signed, narrow)`` of the Quant whose range is the smallest that holds ``lo..hi``.

    A signed Quant of one bit is bipolar in qonnx, so it gets two.
    """
    kind = QuantType.for_range(lo, hi)
    bits = max(kind.bits, 2) if kind.signed else kind.bits
    return bits, kind.signed, kind.signed and lo == -hi


class Encoder:
    """A graph being written; the ops themselves are in ``encode_ops``."""

    def __init__(self, net: QNet) -> None:
        self.net = net
        self.writer = GraphWriter(net.name)
        self.spans = intervals(net)
        self.first = channels_first(net)

    def swapped(self, shape: Shape) -> bool:
        """Whether a value of ``shape`` (without the batch) lies otherwise in the graph than in the net."""
        return self.first and len(shape) > 1

    def shape(self, shape: Shape) -> Shape:
        """Shape of a value in the graph: batch, channels and spatial axes in the graph's order."""
        return (1, shape[-1], *shape[:-1]) if self.first else (1, *shape)

    def axis(self, shape: Shape) -> int:
        """Axis of the channels in the graph."""
        return 1 if self.first else len(shape)

    def describe(self, tensor: str, kind: QuantType) -> None:
        """Annotate the number type, and the scale where it is not 1."""
        self.writer.annotate(tensor, datatype(kind))
        if kind.scale != 1.0:
            self.writer.annotate_scale(tensor, kind.scale)

    def integers(self, tensor: str, span: Interval) -> str:
        """Annotate an inner tensor with the narrowest type of its interval."""
        self.writer.annotate(tensor, datatype(QuantType.for_range(span.min, span.max)))
        return tensor

    def parameter(self, name: str, values: npt.ArrayLike, kind: QuantType | None = None) -> str:
        """Integers through a Quant that states their width, so that other tools need not guess it.

        ``kind`` is their type; by default the narrowest.
        """
        array = np.asarray(values, np.int64)
        if kind is None:
            kind = QuantType.for_range(array.min(), array.max())
        raw = self.writer.constant(f"{name}.integers", array)
        self.writer.annotate(raw, datatype(kind))
        self.quant(raw, name, array.shape, max(kind.bits, 1 + kind.signed), kind.signed)
        self.describe(name, kind)
        return name

    def with_integers(self, op_type: str, x: str, values: npt.ArrayLike, out: str, shape: Shape) -> str:
        """``out = x (op_type) values``; ``values`` () or one per channel of ``shape`` (without the batch)."""
        array = np.asarray(values)
        if array.ndim and self.first:
            array = array.reshape(-1, *(1,) * (len(shape) - 1))
        return self.writer.node(op_type, [x, self.parameter(f"{out}.by", array)], out, self.shape(shape))

    def halve(self, x: str, times: int, out: str, shape: Shape) -> str:
        """``out = x / 2**times``: a multiplication that float32 does exactly."""
        raw = self.writer.constant(f"{out}.by.real", 2.0**-times)
        by = self.quant(raw, f"{out}.by", (), 1, False, step=2.0**-times)
        return self.writer.node("Mul", [x, by], out, self.shape(shape))

    def quant(
        self,
        x: str,
        out: str,
        shape: Shape,
        bits: int,
        signed: bool,
        narrow: bool = False,
        mode: str = "ROUND",
        step: float = 1,
    ) -> str:
        """A Quant node with zero point 0; ``shape`` is that of the tensor itself."""
        one = (1,) * bool(shape)  # qonnx's ExtractBiasFromConv wants one axis where it reshapes them
        parameters = [
            self.writer.constant(f"{out}.step", np.full(one, step)),
            self.writer.constant(f"{out}.zero", np.full(one, 0)),
            self.writer.constant(f"{out}.bits", np.asarray(bits)),
        ]
        flags: dict[str, Any] = {"signed": int(signed), "narrow": int(narrow), "rounding_mode": mode}
        return self.writer.node("Quant", [x, *parameters], out, shape, QONNX_DOMAIN, **flags)

    def fit(self, x: str, op: Op, lo: int, hi: int, rounding: Rounding, overflow: Overflow) -> None:
        """``op = overflow(round(x))`` into ``lo..hi``."""
        name, shape = op.name, self.shape(op.shape)
        if rounding is Rounding.HALF_UP:  # qonnx's HALF_UP takes negative ties away from zero
            half = self.writer.constant(f"{name}.half.by", 0.5)
            x = self.writer.node("Add", [x, half], f"{name}.half", shape)
        mode = "ROUND" if rounding is Rounding.HALF_EVEN else "FLOOR"
        if overflow is Overflow.WRAP:
            whole = self.quant(x, f"{name}.rounded", shape, EXACT_BITS, True, mode=mode)
            above = whole if lo == 0 else self.with_integers("Add", whole, -lo, f"{name}.above", op.shape)
            turns = self.quant(above, f"{name}.turns", shape, EXACT_BITS, True, mode="FLOOR", step=hi - lo + 1)
            self.writer.node("Sub", [whole, turns], name, shape)
            return
        bits, signed, narrow = quant_bits(lo, hi)
        ends = QuantType(bits, signed)
        if (lo, hi) == (ends.min + narrow, ends.max):
            self.quant(x, name, shape, bits, signed, narrow, mode)
            return
        wide = self.quant(x, f"{name}.unclipped", shape, bits, signed, False, mode)
        limits = [self.writer.constant(f"{name}.{end}", np.asarray(value)) for end, value in (("lo", lo), ("hi", hi))]
        self.writer.node("Clip", [wide, *limits], name, shape)

    def transpose(self, x: str, out: str, shape: Shape, last: bool) -> str:
        """To channels last or to channels first; ``shape`` is the value's, without the batch."""
        rank = len(shape)
        permutation, result = (to_last(rank), (1, *shape)) if last else (to_first(rank), self.shape(shape))
        return self.writer.node("Transpose", [x], out, result, perm=permutation)

    def result(self, op: Op) -> None:
        """The graph's output: the real values of ``op``, channels last."""
        x, name = op.name, op.name
        if self.swapped(op.shape):
            x = self.transpose(x, f"{name}.channels_last", op.shape, last=True)
            self.describe(x, op.type)
        if op.type.scale != 1.0:
            scale = self.writer.constant(f"{name}.result.by", np.asarray(op.type.scale, np.float32))
            x = self.writer.node("Mul", [x, scale], f"{name}.result", (1, *op.shape))
        self.writer.output(x, (1, *op.shape))

    def start(self, op: Input) -> None:
        """The graph's input, real values channels last, through the Input's own quantizer."""
        x = self.writer.input(f"{op.name}.real", (1, *op.shape))
        if len(op.shape) <= len(LAYOUTS):  # else qonnx takes images for channels first
            self.writer.annotate_layout(x, LAYOUTS[len(op.shape) - 1])
        if op.type.scale != 1.0:
            scale = self.writer.constant(f"{op.name}.steps.by", np.asarray(op.type.scale, np.float32))
            x = self.writer.node("Div", [x, scale], f"{op.name}.steps", (1, *op.shape))
        if self.swapped(op.shape):
            x = self.transpose(x, f"{op.name}.first", op.shape, last=False)
        self.fit(x, op, op.lo, op.hi, op.rounding, op.overflow)
