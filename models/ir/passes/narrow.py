"""Every type to the narrowest that holds its exact interval."""

from __future__ import annotations

from dataclasses import replace

from bitsmith.models.ir.intervals import intervals
from bitsmith.models.ir.ops import QNet
from bitsmith.models.ir.types import QuantType


def narrow(net: QNet) -> QNet:
    """The same net with every declared width as small as the intervals allow."""
    spans = intervals(net)
    ops = []
    for op in net.ops:
        span = spans[op.name]
        ops.append(replace(op, type=QuantType.for_range(span.min, span.max, op.type.scale)))
    return net.with_ops(tuple(ops))
