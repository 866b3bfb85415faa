"""What stands in the way of an exact QONNX graph: its tensors are float32, which hold integers up to 2^24."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from bitsmith.hls.results import Problem
from bitsmith.models.ir.intervals import Interval, intervals, matmul_bound
from bitsmith.models.ir.numerics import round_shift
from bitsmith.models.ir.ops import Add, Conv, Dense, Input, Lut, Op, Pool, QNet, Requant, Thresholds
from bitsmith.models.ir.types import Overflow, Rounding

LIMIT = 2.0**24
INPUT_LIMIT = 2.0**21
"""Beyond, an input divided by a scale that is no power of two may be half a step beside its integer."""
NARROWER = "requantize to fewer bits earlier, or use another backend"

Bound = tuple[str, float]


def find_problems(net: QNet) -> list[Problem]:
    """Everything that keeps ``net`` from being an exact QONNX graph; empty if nothing does."""
    spans = intervals(net)
    found = []
    for op in net.ops:
        args = [spans[i] for i in op.inputs]
        for what, bound in _bounds(op, args):
            if bound > LIMIT:
                text = f"{what} can reach 2^{math.log2(bound):.1f}; QONNX carries integers in float32, exact up to 2^24"
                found.append(Problem(op.name, text, NARROWER))
        found += _op_problems(op)
    for op in (net.input, net.output):
        found += _scale_problems(op)
    return found


def _largest(values: object) -> float:
    return float(np.abs(np.asarray(values, np.float64)).max(initial=0.0))


def _bounds(op: Op, args: list[Interval]) -> Iterator[Bound]:
    """Largest magnitude of everything that the op's nodes hold, every partial sum included."""
    if isinstance(op, Input):
        yield "the input", float(max(abs(op.lo), abs(op.hi)))
    elif isinstance(op, Dense | Conv):
        yield "a weight", _largest(op.weight)
        yield "a bias", _largest(op.bias)
        yield "the accumulator", _accumulator(op, args[0])
    elif isinstance(op, Pool) and op.mode == "sum":
        yield "the sum", float(args[0].magnitude.max()) * math.prod(op.window)
    elif isinstance(op, Requant):
        yield from requant_bounds(op, args[0])
    elif isinstance(op, Thresholds):
        levels = op.thresholds.shape[1]
        yield "a threshold", _largest(op.thresholds)
        yield "the output", float((np.abs(op.base) + np.abs(op.step) * float(levels)).max())
    elif isinstance(op, Lut):
        yield "an entry of the table", _largest(op.table)
        yield "the place in the table", float(args[0].magnitude.max()) + abs(op.offset)
    elif isinstance(op, Add):
        yield "the sum", sum(abs(f) * float(a.magnitude.max()) for f, a in zip(op.factors, args, strict=True))


def _accumulator(op: Dense | Conv, x: Interval) -> float:
    """Upper bound of the bias and all partial sums, in any order."""
    bias = _largest(op.bias)
    if isinstance(op, Dense):
        return matmul_bound(x, op.weight) + bias
    taps = math.prod(op.kernel)
    n_in, n_out = op.weight.shape[-2:]
    flat, per_group = op.weight.reshape(taps * n_in, n_out), n_out // op.groups
    sums = []
    for g in range(op.groups):
        window = Interval(*(np.tile(v[g * n_in : (g + 1) * n_in], taps) for v in (x.lo, x.hi)))
        sums.append(matmul_bound(window, flat[:, g * per_group : (g + 1) * per_group]))
    return max(sums) + bias


def requant_bounds(op: Requant, x: Interval) -> Iterator[Bound]:
    """Largest magnitude of everything on the way through a Requant."""
    yield "a multiplier", _largest(op.mult)
    yield "an addend", _largest(op.add)
    scaled = float((x.magnitude * np.abs(op.mult).astype(np.float64)).max())
    total = float((x.magnitude * np.abs(op.mult).astype(np.float64) + np.abs(op.add)).max())
    half = 2.0 ** (op.shift - 1) if op.rounding is Rounding.HALF_UP else 0.0
    yield "the value before the shift", max(scaled, total + half)
    yield "the range of the output", float(max(abs(op.lo), abs(op.hi)))
    if op.overflow is Overflow.WRAP:
        ends = [round_shift(v * op.mult + op.add, op.shift, op.rounding) for v in (x.lo, x.hi)]
        yield "the value that wraps", _largest(ends) + max(abs(op.lo), abs(op.hi))


def _op_problems(op: Op) -> Iterator[Problem]:
    if isinstance(op, Pool) and op.mode == "max":
        for window, pads in zip(op.window, op.pads, strict=True):
            if max(pads) >= window:
                text = f"pads {pads} leave a window of {window} without any value"
                yield Problem(op.name, text, "pad by less than the window, as ONNX's MaxPool requires")
    if isinstance(op, Thresholds) and op.thresholds.shape[1] == 0:
        yield Problem(op.name, "has no thresholds at all", "give at least one; one that is never reached will do")


def _scale_problems(op: Op) -> Iterator[Problem]:
    """The scales of input and output take part in the graph's real arithmetic."""
    limits = np.finfo(np.float32)
    if min(op.type.scales) < limits.tiny or max(op.type.scales) > limits.max:
        yield Problem(op.name, f"scale {op.type.scale} is beyond float32", "choose a scale nearer to 1")
    if isinstance(op, Input):
        reach = max(abs(op.lo), abs(op.hi))
        if reach > INPUT_LIMIT and (op.type.scale != 1.0 or op.rounding is not Rounding.HALF_EVEN):
            text = f"inputs of type {op.type} up to {reach} cannot be told apart by a quantizer in float32"
            yield Problem(op.name, text, "use at most 21 bits for the input, or a scale of 1")
