"""``execute(net, x)`` defines what a QNet means.

Everything else that runs a net (RTL, HLS, the source framework) must give the
integers that this file gives.  ``docs/ir.md`` says the same in words.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from bitsmith.models.ir.errors import InputError
from bitsmith.models.ir.intervals import Interval, intervals, matmul_bound
from bitsmith.models.ir.numerics import carrier, count_thresholds, exact_matmul, fit, round_shift
from bitsmith.models.ir.ops import (
    Add,
    ArgMax,
    Concat,
    Conv,
    Dense,
    Input,
    Lut,
    Op,
    Pad,
    Pads,
    Pool,
    QNet,
    Requant,
    Reshape,
    Shape,
    Thresholds,
    Upsample,
)
from bitsmith.models.ir.types import IntArray, Overflow, Rounding

CHUNK_VALUES = 1 << 21
"""Rows are taken in chunks whose largest intermediate has about this many int64 values: small arrays are
quick, but many small matrix products wait for each other's threads."""


def quantize_input(net: QNet, x: npt.NDArray[np.floating]) -> IntArray:
    """Real data (n, *shape) to the integers of the net's Input, by the Input's own quantizer."""
    op = net.input
    real = np.asarray(x, dtype=np.float64)
    _check_shape(op, real.shape)
    if not np.isfinite(real).all():
        raise InputError(f"the input of {net.name} holds NaN or infinite values; clean the data first")
    steps = real / np.asarray(op.type.scale)
    if op.rounding is Rounding.HALF_EVEN:
        steps = np.rint(steps)
    else:
        steps = np.floor(steps + (0.5 if op.rounding is Rounding.HALF_UP else 0.0))
    limit = 2.0**62  # the cast to int64 must not overflow before saturation
    return fit(np.clip(steps, -limit, limit).astype(np.int64), op.lo, op.hi, op.overflow)


def execute(net: QNet, x: IntArray) -> IntArray:
    """The net's output integers (n, *output shape) for input integers (n, *input shape).

    InputError if ``x`` is not of the input's shape or leaves its range, or if a
    value leaves the range of its declared type.
    """
    chunks = [values[net.output.name] for values in _run(net, np.asarray(x), keep=False)]
    return np.concatenate(chunks) if chunks else np.empty((0, *net.output.shape), np.int64)


def trace(net: QNet, x: IntArray) -> dict[str, IntArray]:
    """Every value of the net by name, for the input integers ``x``."""
    chunks = list(_run(net, np.asarray(x), keep=True))
    return {op.name: np.concatenate([c[op.name] for c in chunks]) for op in net.ops}


def _check_shape(op: Input, shape: Shape) -> None:
    if tuple(shape[1:]) != op.shape:
        raise InputError(f"input {op.name} takes rows of shape {op.shape}, the data have {tuple(shape[1:])}")


def _check_range(op: Op, lo: int, hi: int, x: IntArray) -> None:
    if x.size and (x.min() < lo or x.max() > hi):
        raise InputError(f"op {op.name} left its range {lo}..{hi}: values from {x.min()} to {x.max()}")


def _run(net: QNet, x: IntArray, keep: bool) -> Iterator[dict[str, IntArray]]:
    if not np.issubdtype(x.dtype, np.integer):
        raise InputError("execute takes integers; turn real data into integers with quantize_input first")
    _check_shape(net.input, x.shape)
    _check_range(net.input, net.input.lo, net.input.hi, x)
    spans = intervals(net)
    last_use = {i: op.name for op in net.ops for i in op.inputs}
    rows = max(1, CHUNK_VALUES // max(_footprint(op, net) for op in net.ops))
    for start in range(0, len(x), rows):
        values: dict[str, IntArray] = {}
        for op in net.ops:
            if isinstance(op, Input):
                values[op.name] = x[start : start + rows].astype(np.int64)
                continue
            args = [values[i] for i in op.inputs]
            y = apply_op(op, args, [spans[i] for i in op.inputs])
            _check_range(op, op.type.min, op.type.max, y)
            values[op.name] = y
            if not keep:
                for name in {i for i in op.inputs if last_use[i] == op.name}:
                    del values[name]
        yield values


def _footprint(op: Op, net: QNet) -> int:
    size = math.prod(op.shape)
    if isinstance(op, Conv):  # its windows are float32 as a rule
        size = max(size, math.prod(op.shape[:-1]) * math.prod(op.kernel) * net[op.inputs[0]].shape[-1] // 2)
    return size


def apply_op(op: Op, args: list[IntArray], spans: list[Interval]) -> IntArray:
    """One op on batches of integers (n, *shape); ``spans`` are the intervals of the inputs."""
    x = args[0]
    if isinstance(op, Dense):
        return exact_matmul(x, op.weight, matmul_bound(spans[0], op.weight)) + op.bias
    if isinstance(op, Conv):
        return _conv(op, x, spans[0])
    if isinstance(op, Pool):
        return _pool(op, x)
    if isinstance(op, Requant):
        return fit(round_shift(x * op.mult + op.add, op.shift, op.rounding), op.lo, op.hi, op.overflow)
    if isinstance(op, Thresholds):
        return op.base + op.step * count_thresholds(x, op.thresholds)
    if isinstance(op, Lut):
        return op.table[x - op.offset]
    if isinstance(op, Add):
        total = op.factors[0] * x
        for factor, other in zip(op.factors[1:], args[1:], strict=True):
            total = total + factor * other
        return total
    if isinstance(op, Concat):
        return np.concatenate(args, axis=-1)
    if isinstance(op, Reshape):
        return x.reshape(-1, *op.shape)
    if isinstance(op, Pad):
        return _pad(x, op.pads, 0)
    if isinstance(op, Upsample):
        for axis, factor in enumerate(op.factors):
            x = np.repeat(x, factor, axis=axis + 1)
        return x
    if isinstance(op, ArgMax):
        winner: IntArray = np.argmax(x, axis=-1, keepdims=True).astype(np.int64)
        return winner
    raise AssertionError(f"no meaning for op {op.kind}")


def _pad(x: IntArray, pads: Pads, value: int) -> IntArray:
    if not any(a or b for a, b in pads):
        return x
    return np.pad(x, ((0, 0), *pads, (0, 0)), constant_values=value)


def windows(x: npt.NDArray[Any], window: Shape, strides: Shape, dilations: Shape) -> npt.NDArray[Any]:
    """View of all windows: (n, *spatial, channels) -> (n, *places, *window, channels)."""
    axes = tuple(range(1, 1 + len(window)))
    reach = tuple(d * (k - 1) + 1 for k, d in zip(window, dilations, strict=True))
    view = np.lib.stride_tricks.sliding_window_view(x, reach, axis=axes)  # (n, *places, channels, *reach)
    places = tuple(slice(None, None, s) for s in strides)
    taps = tuple(slice(None, None, d) for d in dilations)
    view = view[(slice(None), *places, slice(None), *taps)]
    return np.moveaxis(view, 1 + len(window), -1)


def _conv(op: Conv, x: IntArray, span: Interval) -> IntArray:
    n_in, n_out = op.weight.shape[-2:]
    per_group = n_out // op.groups
    taps = math.prod(op.kernel)
    weight = op.weight.reshape(taps * n_in, n_out)
    padded = _pad(x, op.pads, 0)
    outs = []
    for g in range(op.groups):
        channels = slice(g * n_in, (g + 1) * n_in)
        part = weight[:, g * per_group : (g + 1) * per_group]
        bound = matmul_bound(Interval(np.tile(span.lo[channels], taps), np.tile(span.hi[channels], taps)), part)
        source = padded[..., channels].astype(carrier(bound))  # before the windows: they repeat every value
        view = windows(source, op.kernel, op.strides, op.dilations)
        places = view.shape[: 1 + len(op.kernel)]
        outs.append(exact_matmul(view.reshape(-1, taps * n_in), part, bound).reshape(*places, per_group))
    return (outs[0] if op.groups == 1 else np.concatenate(outs, axis=-1)) + op.bias


def _pool(op: Pool, x: IntArray) -> IntArray:
    lowest = np.iinfo(np.int64).min if op.mode == "max" else 0
    view = windows(_pad(x, op.pads, lowest), op.window, op.strides, (1,) * len(op.window))
    axes = tuple(range(1 + len(op.window), 1 + 2 * len(op.window)))
    pooled: IntArray = view.max(axis=axes) if op.mode == "max" else view.sum(axis=axes)
    return pooled


def real_output(net: QNet, y: IntArray) -> npt.NDArray[np.float64]:
    """Output integers as real numbers, the source framework's head (softmax, sigmoid) applied."""
    real = net.output.type.real(y)
    if net.head == "sigmoid":
        return np.reciprocal(1.0 + np.exp(-real))
    if net.head == "softmax":
        powers = np.exp(real - real.max(axis=-1, keepdims=True))
        shares: npt.NDArray[np.float64] = powers / powers.sum(axis=-1, keepdims=True)
        return shares
    return real


__all__ = ["Overflow", "apply_op", "execute", "quantize_input", "real_output", "trace", "windows"]
