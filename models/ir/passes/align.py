"""Permutations of block-diagonal weights, moved into their neighbours where these can take them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bitsmith.models.ir.ops import Conv, Dense, Lut, Op, QNet, Requant, Thresholds
from bitsmith.models.ir.structure import BlockDiagonal, Codebook, Structure, find_block_diagonal
from bitsmith.models.ir.types import IntArray, QuantType

Layer = Dense | Conv
Elementwise = Requant | Thresholds | Lut


def align_blocks(net: QNet) -> QNet:
    """The same net with channels between two layers in an order that a block-diagonal Dense likes.

    Between the layers may stand elementwise ops that nobody else reads.  A block-diagonal layer hands its
    outputs on block after block, and whoever reads them has its rows in that order; a plain layer before a
    block-diagonal one gives its outputs in the order of that one's blocks.  What is left in an ``in_order``
    or ``out_order`` the hardware must do.  The order of the net's own input and output stays.
    """
    ops = {op.name: op for op in net.ops}
    for name in [op.name for op in net.ops]:
        op = ops[name]
        if not isinstance(op, Dense) or not isinstance(op.structure, BlockDiagonal):
            continue
        path, reader = _readers(net, ops, op)
        if reader is not None and _moves(op.structure.out_order):
            _permute(ops, op, path, reader, op.structure.out_order)
        path, writer = _writers(net, ops, op)
        op = ops[name]
        assert isinstance(op, Dense) and isinstance(op.structure, BlockDiagonal)
        if writer is not None and _moves(op.structure.in_order):
            _permute(ops, writer, path, op, op.structure.in_order)
    return net.with_ops(tuple(ops[op.name] for op in net.ops))


def _moves(order: IntArray) -> bool:
    return not np.array_equal(order, np.arange(order.size))


def _readers(net: QNet, ops: dict[str, Op], op: Op) -> tuple[list[Elementwise], Layer | None]:
    """The elementwise ops behind ``op``, and the one layer that reads the last of them; None if there is none."""
    path: list[Elementwise] = []
    while True:
        users = net.users(op.name)
        if len(users) != 1:
            return path, None
        op = ops[users[0].name]
        if isinstance(op, Dense | Conv):
            return path, op if not isinstance(op, Conv) or op.groups == 1 else None
        if not isinstance(op, Elementwise):
            return path, None
        path.append(op)


def _writers(net: QNet, ops: dict[str, Op], op: Op) -> tuple[list[Elementwise], Layer | None]:
    """The elementwise ops before ``op``, and the layer that they come from, if it has no blocks of its own."""
    path: list[Elementwise] = []
    while True:
        op = ops[op.inputs[0]]
        if len(net.users(op.name)) != 1:
            return path, None
        if isinstance(op, Dense | Conv):
            free = not isinstance(op.structure, BlockDiagonal) and (not isinstance(op, Conv) or op.groups == 1)
            return path, op if free else None
        if not isinstance(op, Elementwise):
            return path, None
        path.append(op)


def _permute(ops: dict[str, Op], writer: Layer, path: list[Elementwise], reader: Layer, order: IntArray) -> None:
    """Channel ``order[i]`` becomes channel i from the outputs of ``writer`` to the inputs of ``reader``."""
    ops[writer.name] = _outputs(writer, order)
    for op in path:
        ops[op.name] = _channels(op, order)
    ops[reader.name] = replace(
        reader, weight=reader.weight[..., order, :], structure=_with_rows(reader, reader.weight[..., order, :], order)
    )


def _outputs(op: Layer, order: IntArray) -> Layer:
    structure: Structure | None = op.structure
    if isinstance(structure, BlockDiagonal):
        place = np.argsort(order)  # of every old channel
        structure = replace(structure, out_order=place[structure.out_order])
    if isinstance(structure, Codebook):
        structure = replace(structure, index=structure.index[..., order])
    return replace(
        op,
        weight=op.weight[..., order],
        bias=op.bias[order],
        structure=structure,
        weight_type=_scales(op.weight_type, order),
        type=_scales(op.type, order),
    )


def _with_rows(op: Layer, weight: IntArray, order: IntArray) -> Structure | None:
    """The structure of ``op`` once its rows are in another order; N of M is lost."""
    if isinstance(op.structure, BlockDiagonal):
        found = find_block_diagonal(weight)  # anew: its order within and of the blocks suits the channels
        if found is not None and found.blocks >= op.structure.blocks:
            return found
        return replace(op.structure, in_order=np.argsort(order)[op.structure.in_order])
    if isinstance(op.structure, Codebook):
        return replace(op.structure, index=op.structure.index[..., order, :])
    return None


def _channels(op: Elementwise, order: IntArray) -> Elementwise:
    op = replace(op, type=_scales(op.type, order))
    if isinstance(op, Requant):
        return replace(op, mult=_rows(op.mult, order), add=_rows(op.add, order))
    if isinstance(op, Thresholds):
        return replace(
            op, thresholds=_rows(op.thresholds, order), base=_rows(op.base, order), step=_rows(op.step, order)
        )
    return op


def _rows(values: IntArray, order: IntArray) -> IntArray:
    """Rows per channel in another order; one row for all channels, or a scalar, stays."""
    return values[order] if values.ndim and values.shape[0] == order.size else values


def _scales(kind: QuantType, order: IntArray) -> QuantType:
    if not isinstance(kind.scale, tuple) or len(kind.scale) != order.size:
        return kind
    return kind.with_scale(tuple(kind.scale[i] for i in order))
