"""Two Requants in a row become one where the first loses nothing."""

from __future__ import annotations

from dataclasses import replace

from bitsmith.models.ir.intervals import infer_interval, intervals
from bitsmith.models.ir.ops import Op, QNet, Requant


def fuse_requants(net: QNet) -> QNet:
    """Fold an exact Requant (no shift, nothing clipped) into the only op that reads it, if a Requant.

    Lowering makes such a pair where a bias is finer than the accumulator:
    ``((x * m + a) * n + b) >> s`` is ``(x * (m n) + (a n + b)) >> s``.
    """
    spans = intervals(net)
    replaced: dict[str, Op] = {}
    dropped: set[str] = set()
    for op in net.ops:
        if not isinstance(op, Requant):
            continue
        first = replaced.get(op.inputs[0], net[op.inputs[0]])
        if not isinstance(first, Requant) or first.shift or len(net.users(first.name)) != 1:
            continue
        source = spans[first.inputs[0]]
        unclipped = replace(first, lo=-(2**61), hi=2**61)
        free = infer_interval(unclipped, [source], [first.shape])
        if free.min < first.lo or free.max > first.hi:
            continue
        add = first.add * op.mult + op.add
        replaced[op.name] = replace(op, inputs=first.inputs, mult=first.mult * op.mult, add=add)
        dropped.add(first.name)
    return net.with_ops(tuple(replaced.get(op.name, op) for op in net.ops if op.name not in dropped))
