"""Where values meet: sums of branches, and functions of the same integers that meet again.

x * sigmoid(x), x / (1 + |x|) and x * (1 + erf(x / sqrt 2)) are such functions: together one of x.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from bitsmith.models.lower.functions import Floats, Function, Refusal
from bitsmith.models.lower.lowering import Value
from bitsmith.models.lower.onnx.graph import Node
from bitsmith.models.lower.onnx.run import runner
from bitsmith.models.lower.onnx.state import Given, State, tensor
from bitsmith.models.lower.onnx.values import ORDER, Tensor, as_image, flat, image, in_order

KEEPS_DIRECTION = ("Add", "Sum", "Max", "Min")
"""Ops of several values that rise where all of these do."""


def meeting(s: State, node: Node, xs: Sequence[Given]) -> Tensor:
    """Several values: a sum of branches, or functions of one value that meet again."""
    ts = [x for x in xs if isinstance(x, Tensor)]
    is_sum = node.op in ("Add", "Sub", "Sum")
    if not is_sum or bends(ts):
        together = rejoined(s, node, ts) if len(ts) == len(xs) else None
        if together is not None:
            return together
    if is_sum:
        return branches(s, node, xs)
    raise Refusal("multiplies or compares two values with each other", "gating has no op in a net; restructure it")


def rejoined(s: State, node: Node, ts: Sequence[Tensor]) -> Tensor | None:
    """The node as one function of the integers behind all of ``ts``; None if they stand on different ones."""
    first = ts[0]
    for t in ts[1:]:
        if (
            t.value.op != first.value.op
            or t.value.view != first.value.view
            or not np.array_equal(t.places, first.places)
        ):
            return None
    run, dtype = runner(s.graph, node), s.precision(node, first.value)
    values = [t.value for t in ts]

    def apply(x: Floats) -> Floats:
        return np.asarray(run(*(_applied(v, x).astype(dtype) for v in values)), np.float64)

    rises = node.op in KEEPS_DIRECTION and all((f.direction > 0).all() for v in values for f in v.chain)
    separate = any(np.ndim(_offset(v)) or any(f.per_channel for f in v.chain) for v in values)
    together = Function(node.name, apply, np.array(int(rises)), per_channel=separate)
    plain = replace(first.value, offset=None, chain=(), offset_step=None, is_bias=False)
    return first.holding(s.n.then(plain, together))


def bends(ts: Sequence[Tensor]) -> bool:
    """Whether a function is pending that no integer arithmetic does."""
    return any(f.clip is None and f.affine is None and not f.is_noise for t in ts for f in t.value.chain)


def _applied(v: Value, x: Floats) -> Floats:
    """What is pending of ``v``, for the real numbers that its integers stand for."""
    return reduce(lambda y, f: f.apply(y), v.chain, x + _offset(v))


def _offset(v: Value) -> Floats:
    """The offset of all channels, or one per channel where they differ."""
    if v.offset is None:
        return np.zeros(())
    return v.offset[0] if (v.offset == v.offset[0]).all() else v.offset


def branches(s: State, node: Node, xs: Sequence[Given]) -> Tensor:
    """Add, Sub, Sum of values."""
    ts = [tensor(x) for x in xs]
    if len({t.shape for t in ts}) > 1:
        raise Refusal(f"adds values of the shapes {[t.shape for t in ts]}", "bring them to one shape")
    same = len({s.n.shape(t.value) for t in ts}) == 1 and all((t.places == ts[0].places).all() for t in ts)
    if not same:
        ts = [image(s.n, as_image(s.n, t, node.name)) if len(t.shape) > 1 else _sorted(s, t, node) for t in ts]
    signs = (1, -1) if node.op == "Sub" else (1,) * len(ts)
    return ts[0].holding(s.n.add([t.value for t in ts], signs, node.name))


def _sorted(s: State, t: Tensor, node: Node) -> Tensor:
    t = flat(s.n, t, node.name)
    if not in_order(t.places):
        raise Refusal("adds values whose elements lie in different orders", ORDER)
    return t
