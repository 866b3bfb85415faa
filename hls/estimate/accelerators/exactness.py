"""Whether an accelerator computes the very integers of a net, or only the network that the net came from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bitsmith.hls.accelerators.schema import Accelerator
from bitsmith.hls.estimate.accelerators.layers import Layer
from bitsmith.models.ir import Add, Conv, Dense, Lut, Overflow, Pool, QNet, Requant, Rounding, Thresholds

AT_MOST = 3
"""Reasons that are named; the others are counted."""


def exactness(net: QNet, layers: tuple[Layer, ...], board: Accelerator) -> tuple[bool, str]:
    """(True, why) only if nothing in the net is computed otherwise, by the documented rounding of the device."""
    reasons = list(dict.fromkeys((*_reasons(net, layers, board), *_ends(net, layers, board))))
    if not reasons:
        return True, "every sum, shift and rounding of the net is one that the device has"
    more = f" (and {len(reasons) - AT_MOST} more)" if len(reasons) > AT_MOST else ""
    return False, "; ".join(reasons[:AT_MOST]) + more


def _reasons(net: QNet, layers: tuple[Layer, ...], board: Accelerator) -> Iterator[str]:
    for op in net.ops:
        if isinstance(op, Requant):
            yield from _requant(op, board)
        if isinstance(op, Thresholds):
            yield f"{op.name} compares with thresholds, the device scales and rounds"
        if isinstance(op, Lut) and board.format.rounding != "tflite":
            yield f"{op.name} is a table, the device follows it approximately"
        if isinstance(op, Pool) and op.mode == "sum":
            yield f"{op.name} keeps the whole sum, the device rounds the average"
    for tensor in (t for layer in layers for t in (*layer.inputs, layer.output)):
        if not board.format.unsigned and not tensor.signed and tensor.bits in board.format.activation_bits:
            yield f"{tensor.name} has unsigned values of {tensor.bits} bits, the device has signed ones"


def _ends(net: QNet, layers: tuple[Layer, ...], board: Accelerator) -> Iterator[str]:
    """Biases, sums of branches, and what the last layer returns."""
    form, step = board.format, board.format.bias_step
    top = 1 << (form.bias_bits - 1)
    for op in net.ops:
        if isinstance(op, Conv | Dense) and ((op.bias % step).any() or (np.abs(op.bias // step) >= top).any()):
            yield f"{op.name} has a bias that is not one of the device's {form.bias_bits} bits in steps of {step}"
        if isinstance(op, Add) and any(f not in (1, -1) for f in op.factors):
            yield f"{op.name} scales its branches, the device adds them as they are"
    last = [layer.output for layer in layers if layer.kind != "argmax"][-1:]
    for tensor in last if not form.wide_output else ():
        width = form.activation_bits[0]
        if tensor.bits > width:
            yield f"{tensor.name} returns {tensor.bits} bits, the device rounds its results to {width}"


def _requant(op: Requant, board: Accelerator) -> Iterator[str]:
    if op.overflow is not Overflow.SATURATE:
        yield f"{op.name} wraps, the device saturates"
    plain = bool((op.mult == 1).all()) and not op.add.any()
    if op.shift == 0 and plain:
        return
    if board.format.rounding != "half-up-shift":
        known = "by a fixed-point multiplier" if board.format.rounding == "tflite" else "in a way of its own"
        yield f"{op.name} rounds {op.rounding.value}, the device {known}"
        return
    if op.rounding is not Rounding.HALF_UP:
        yield f"{op.name} rounds {op.rounding.value}, the device half up"
    mult = np.atleast_1d(op.mult)
    if op.add.any() or (mult != mult[0]).any() or mult[0] < 1 or int(mult[0]) & (int(mult[0]) - 1):
        yield f"{op.name} multiplies or adds, the device only shifts"
    if op.lo not in (0, -(1 << (board.format.activation_bits[0] - 1))):
        yield f"{op.name} clips at {op.lo}, the device at 0 or its smallest integer"
    if op.hi != (1 << (board.format.activation_bits[0] - 1)) - 1:
        yield f"{op.name} clips at {op.hi}, the device at its largest integer"
