"""Counts work and storage of a net, op by op, from its own integers."""

from __future__ import annotations

import math

import numpy as np

from bitsmith.hls.results import OpCount
from bitsmith.models.ir import Conv, Dense, Lut, Op, QNet, QuantType, Requant, Thresholds
from bitsmith.models.ir.types import IntArray


def op_counts(net: QNet) -> tuple[OpCount, ...]:
    """One row per op, in the order of the net.

    A convolution counts every tap at every place, those on padding too (all
    nets and tools are then counted alike).  Stored bits take each array in the
    narrowest plain integers that hold it.
    """
    return tuple(_count(net, op) for op in net.ops)


def _count(net: QNet, op: Op) -> OpCount:
    weights = nonzero = bits = places = 0
    input_bits = 0
    if isinstance(op, Dense | Conv):
        weights, nonzero = int(op.weight.size), int(np.count_nonzero(op.weight))
        bits = op.weight_type.bits
        places = math.prod(op.shape[:-1])
        input_bits = net[op.inputs[0]].type.bits
    arrays = _parameters(op)
    return OpCount(
        op=op.name,
        kind=op.kind,
        shape=op.shape,
        type=str(op.type),
        macs=places * weights,
        nonzero_macs=places * nonzero,
        bit_ops=places * nonzero * bits * input_bits,
        weights=weights,
        nonzero_weights=nonzero,
        weight_bits=bits,
        params=sum(int(a.size) for a, _ in arrays),
        stored_bits=sum(int(a.size) * width for a, width in arrays),
    )


def _parameters(op: Op) -> list[tuple[IntArray, int]]:
    """Every stored array of an op with the bits of one element; a constant zero or one stores nothing."""
    if isinstance(op, Dense | Conv):
        return [(op.weight, op.weight_type.bits), *_array(op.bias)]
    if isinstance(op, Requant):
        return _array(op.mult) + _array(op.add)
    if isinstance(op, Thresholds):
        return _array(op.thresholds)
    if isinstance(op, Lut):
        return _array(op.table)
    return []


def _array(values: IntArray) -> list[tuple[IntArray, int]]:
    if values.size == 0 or not values.any() or bool((values == 1).all()):
        return []
    return [(values, QuantType.for_range(int(values.min()), int(values.max())).bits)]
