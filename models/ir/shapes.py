"""Shape of an op's output from the shapes of its inputs (without the batch)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bitsmith.models.ir.ops import (
    Add,
    ArgMax,
    Concat,
    Conv,
    Dense,
    Input,
    Op,
    Pad,
    Pads,
    Pool,
    Reshape,
    Shape,
    Upsample,
)


def window_count(size: int, window: int, stride: int, pads: tuple[int, int], dilation: int = 1) -> int:
    """Number of places a window takes along one axis."""
    reach = dilation * (window - 1) + 1
    return (size + pads[0] + pads[1] - reach) // stride + 1


def same_pads(shape: Shape, window: Shape, strides: Shape, dilations: Shape | None = None) -> Pads:
    """Padding of Keras's ``same``: the output has ceil(size / stride) places, the odd zero goes behind."""
    pads = []
    for size, k, s, d in zip(shape, window, strides, dilations or (1,) * len(window), strict=True):
        total = max((math.ceil(size / s) - 1) * s + d * (k - 1) + 1 - size, 0)
        pads.append((total // 2, total - total // 2))
    return tuple(pads)


def infer_shape(op: Op, inputs: Sequence[Shape]) -> Shape:
    """Output shape of ``op``; ValueError where the inputs do not suit it."""
    if isinstance(op, Input):
        return op.shape
    x = inputs[0]
    if isinstance(op, Dense):
        if x[-1] != op.weight.shape[0]:
            raise ValueError(f"weight takes {op.weight.shape[0]} channels, the input has {x[-1]}")
        return (*x[:-1], op.weight.shape[1])
    if isinstance(op, Conv):
        return _conv_shape(op, x)
    if isinstance(op, Pool):
        _spatial(x, len(op.window))
        return _windows(x[:-1], op.window, op.strides, op.pads, (1,) * len(op.window)) + x[-1:]
    if isinstance(op, Add):
        if any(s != x for s in inputs):
            raise ValueError(f"shapes to be added differ: {list(inputs)}")
        return x
    if isinstance(op, Concat):
        if any(s[:-1] != x[:-1] for s in inputs):
            raise ValueError(f"shapes to be joined differ before the last axis: {list(inputs)}")
        return (*x[:-1], sum(s[-1] for s in inputs))
    if isinstance(op, Reshape):
        if math.prod(op.shape) != math.prod(x):
            raise ValueError(f"{math.prod(x)} integers cannot take the shape {op.shape}")
        return op.shape
    if isinstance(op, Pad):
        _spatial(x, len(op.pads))
        return tuple(n + a + b for n, (a, b) in zip(x[:-1], op.pads, strict=True)) + x[-1:]
    if isinstance(op, Upsample):
        _spatial(x, len(op.factors))
        return tuple(n * f for n, f in zip(x[:-1], op.factors, strict=True)) + x[-1:]
    if isinstance(op, ArgMax):
        return (*x[:-1], 1)
    return x  # elementwise


def _spatial(shape: Shape, axes: int) -> None:
    if len(shape) != axes + 1:
        raise ValueError(f"needs {axes} spatial axes and channels, the input has shape {shape}")


def _windows(size: Shape, window: Shape, strides: Shape, pads: Pads, dilations: Shape) -> Shape:
    out = tuple(window_count(*args) for args in zip(size, window, strides, pads, dilations, strict=True))
    if min(out) < 1:
        raise ValueError(f"window {window} is larger than the padded input {size}")
    return out


def _conv_shape(op: Conv, x: Shape) -> Shape:
    _spatial(x, len(op.kernel))
    n_in, n_out = op.weight.shape[-2:]
    if n_in * op.groups != x[-1] or n_out % op.groups:
        raise ValueError(f"weight {op.weight.shape} in {op.groups} groups does not suit {x[-1]} channels")
    return (*_windows(x[:-1], op.kernel, op.strides, op.pads, op.dilations), n_out)
