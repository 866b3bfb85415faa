"""A net whose every number float32 can hold: Requants with wide multipliers become the thresholds that they are."""

from __future__ import annotations

from bitsmith.hls.backends.qonnx.check import LIMIT, requant_bounds
from bitsmith.hls.backends.staircase import staircase, why_not
from bitsmith.models.ir import QNet, Thresholds
from bitsmith.models.ir.intervals import Interval, intervals
from bitsmith.models.ir.ops import Op, Requant


def float32_form(net: QNet) -> QNet:
    """The same integers under the same names; what thresholds cannot express is left for ``check`` to refuse."""
    spans = intervals(net)
    return net.with_ops(tuple(_narrowed(op, [spans[i] for i in op.inputs]) for op in net.ops))


def _narrowed(op: Op, spans: list[Interval]) -> Op:
    if not isinstance(op, Requant) or all(bound <= LIMIT for _, bound in requant_bounds(op, spans[0])):
        return op
    if why_not(op, spans[0]):
        return op
    steps = staircase(op, spans[0])
    return Thresholds(
        name=op.name,
        inputs=op.inputs,
        shape=op.shape,
        type=op.type,
        thresholds=steps.thresholds,
        base=steps.sign * steps.base,
        step=steps.sign,
    )
