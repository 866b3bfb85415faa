"""Block-diagonal weights as a matrix-vector unit in groups, and the head that brings channels into their order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bitsmith.hls.backends.rtl.folded.parts import Buffer, Cost, Part, Rom, Steps
from bitsmith.hls.backends.rtl.folded.roms import blocks as block_rams
from bitsmith.hls.backends.rtl.folded.roms import in_block, logic_luts
from bitsmith.models.ir import BlockDiagonal
from bitsmith.models.ir.ops import Conv, Dense
from bitsmith.models.ir.structure import bounds
from bitsmith.models.ir.types import IntArray


@dataclass(frozen=True, eq=False)
class Blocks:
    """A block-diagonal Dense as a convolution in groups: gather the input, convolve, gather the output."""

    gather_in: IntArray  # (blocks * inputs of the largest,) place -> input channel
    conv: Conv  # of one tap; its input has the gathered channels
    gather_out: IntArray  # (n_out,) channel of the result -> channel of the convolution

    @property
    def keeps_input(self) -> bool:
        """Whether the input's order is right as it stands."""
        return _is_identity(self.gather_in, int(self.gather_in.max()) + 1)

    @property
    def keeps_output(self) -> bool:
        """Whether the output comes in the right order."""
        return _is_identity(self.gather_out, self.conv.weight.shape[-1])


def _is_identity(order: IntArray, size: int) -> bool:
    return order.size == size and bool((order == np.arange(size)).all())


@lru_cache(maxsize=256)
def blocks_of(op: Dense | Conv) -> Blocks | None:
    """The blocks of a Dense that has them; None for every other layer."""
    return block_form(op) if isinstance(op, Dense) and isinstance(op.structure, BlockDiagonal) else None


def unit_of(op: Dense | Conv) -> Dense | Conv:
    """The layer that the matrix-vector unit computes for ``op``: for blocks the convolution in groups."""
    blocks = blocks_of(op)
    return op if blocks is None else blocks.conv


def block_form(op: Dense) -> Blocks:
    """``op``, which has a BlockDiagonal structure, as its blocks; smaller blocks are filled up with zero weights.

    A place that is filled up reads the block's first input again.
    """
    structure = op.structure
    assert isinstance(structure, BlockDiagonal), f"{op.name} has no blocks"
    rows, cols = (bounds(n, structure.blocks) for n in op.weight.shape)
    inputs, outputs = max(np.diff(rows)), max(np.diff(cols))
    gather_in = np.empty((structure.blocks, inputs), np.int64)
    gather_out = np.empty(op.weight.shape[1], np.int64)
    weight = np.zeros((1, inputs, structure.blocks * outputs), np.int64)
    bias = np.zeros(structure.blocks * outputs, np.int64)
    for b in range(structure.blocks):
        ins = structure.in_order[rows[b] : rows[b + 1]]
        outs = structure.out_order[cols[b] : cols[b + 1]]
        places = b * outputs + np.arange(outs.size)
        gather_in[b] = np.append(ins, np.full(inputs - ins.size, ins[0]))
        gather_out[outs] = places
        weight[0, : ins.size, places] = op.weight[np.ix_(ins, outs)].T
        bias[places] = op.bias[outs]
    conv = Conv(
        name=op.name,
        inputs=op.inputs,
        shape=(math.prod(op.shape[:-1]), bias.size),
        type=op.type.with_scale(1.0),
        weight=weight,
        bias=bias,
        weight_type=op.weight_type.with_scale(1.0),
        strides=(1,),
        pads=((0, 0),),
        dilations=(1,),
        groups=structure.blocks,
    )
    return Blocks(gather_in.reshape(-1), conv, gather_out)


def reorder_head(
    order: IntArray, size: int, in_lanes: int, out_lanes: int, bits: int, vectors: int, family: str
) -> Part:
    """Element i of every output vector is element ``order[i]`` of the input vector of ``size`` elements.

    ``vectors`` per frame; lanes divide both sizes.
    """
    assert size % in_lanes == 0 and order.size % out_lanes == 0, "lanes must divide the vectors of a reordering"
    in_beats, out_beats = size // in_lanes, order.size // out_lanes
    lane_bits = (in_lanes - 1).bit_length()
    code_bits = max(1, (in_beats - 1).bit_length()) + lane_bits
    codes = (order // in_lanes << lane_bits) | order % in_lanes
    block = in_block(out_beats, out_lanes * code_bits, family)
    params = {"BITS": bits, "IN_LANES": in_lanes, "IN_BEATS": in_beats, "OUT_LANES": out_lanes, "OUT_BEATS": out_beats}
    return Part(
        "bitsmith_reorder",
        {**params, "BLOCK": int(block)},
        3 if in_lanes > 1 else 2,
        out_lanes,
        bits,
        {"ORDER": Rom(codes.reshape(out_beats, out_lanes), code_bits)},
        sources=("bitsmith_rom",),
        steps=_reorder_steps(in_beats, out_beats, vectors),
        cost=reorder_cost(in_beats, in_lanes, out_beats, out_lanes, bits, family),
    )


def _reorder_steps(in_beats: int, out_beats: int, vectors: int) -> Steps:
    """A vector is read once it is complete; the one after the next may come once its last step is done."""
    v = np.arange(vectors)
    buffer = Buffer(
        count=vectors * in_beats,
        filled=(v * out_beats, (v + 1) * in_beats - 1),
        freed=(v * in_beats, (v - 1) * out_beats - 1),
    )
    return Steps(vectors * out_beats, (), (), np.arange(vectors * out_beats), buffer=buffer)


def reorder_cost(in_beats: int, in_lanes: int, out_beats: int, out_lanes: int, bits: int, family: str) -> Cost:
    """Memories of two vectors, one per output lane, the order, and counters."""
    code = max(1, (in_beats - 1).bit_length()) + (in_lanes - 1).bit_length()
    depth, width = 2 << max(1, (in_beats - 1).bit_length()), in_lanes * bits
    memory = Cost(bram=block_rams(depth, width, family)) if depth * width > 1024 else Cost(lut=depth * width / 8)
    order = Cost(lut=logic_luts(out_beats, out_lanes * code, family))
    if in_block(out_beats, out_lanes * code, family):
        order = Cost(bram=block_rams(out_beats, out_lanes * code, family))
    pick = Cost(lut=bits * (in_lanes - 1) * 0.67, ff=width + bits)
    total = Cost(lut=40, ff=30) + order
    for _ in range(out_lanes):
        total = total + memory + pick
    return total
