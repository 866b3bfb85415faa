"""What the units of an op take, by the models beside each unit: for the solver, before anything is built."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bitsmith.hls.backends.rtl.folded.blocks import blocks_of, reorder_cost, unit_of
from bitsmith.hls.backends.rtl.folded.codebook import gathering_cost
from bitsmith.hls.backends.rtl.folded.design import Stage, Structure
from bitsmith.hls.backends.rtl.folded.folding import (
    GATHER,
    Fold,
    Folding,
    gathering_of,
    has_matrix,
    lanes_in,
    takes_whole_windows,
)
from bitsmith.hls.backends.rtl.folded.line_windows import line_memory, line_registers, window_with_lines
from bitsmith.hls.backends.rtl.folded.matrix_costs import mvu_cost
from bitsmith.hls.backends.rtl.folded.parts import Cost, Part
from bitsmith.hls.backends.rtl.folded.roms import BLOCK_SHAPES, LUT_RAM, blocks
from bitsmith.hls.backends.rtl.folded.unrolled import UNROLLED, unrolled_cost
from bitsmith.hls.backends.rtl.folded.windows import Window, window_of
from bitsmith.models.ir import QNet
from bitsmith.models.ir.ops import Conv, Dense, Op

HEADS = {"argmax": 40.0, "pool": 20.0, "add": 15.0, "concat": 15.0}
"""LUTs of a head's counters."""


def memory_cost(words: int, width: int, family: str) -> Cost:
    """A memory with one writing and one reading port: in LUTs where that is small, else in blocks."""
    small = Cost(lut=words * width / 2, ff=words * width)
    if family in LUT_RAM:
        depth, bits, luts = LUT_RAM[family]
        small = Cost(lut=math.ceil(words / depth) * math.ceil(width / bits) * luts, ff=width)
    if words * width <= 256 or family not in BLOCK_SHAPES:
        return small
    return Cost(bram=float(blocks(words, width, family)))


def outlet_cost(width: int, depth: int, family: str) -> Cost:
    """bitsmith_outlet: the FIFO, its pointers and its bypass."""
    bits = max(1, depth.bit_length())
    control = Cost(lut=5.0 * bits + 4, ff=4.0 * bits + 2)
    if depth == 1:
        return control + Cost(ff=width)
    return control + Cost(lut=width, ff=width) + memory_cost(depth, width, family)


def window_cost(part: Part, family: str) -> Cost:
    """bitsmith_window with its line buffer."""
    values = {name: int(v) for name, v in part.params.items() if isinstance(v, int)}
    words = values["BUF_ROWS"] * values["COLS"] * values["OUTER"] * values["INNER"]
    address, place = max(1, words.bit_length()), max(values["ROWS"], values["COLS"]).bit_length() + 2
    control = Cost(lut=12.0 * address + 14.0 * place, ff=7.0 * address + 8.0 * place)
    return control + Cost(lut=values["WIDTH"]) + memory_cost(words, values["WIDTH"], family)


def line_window_cost(window: Window, width: int, family: str) -> Cost:
    """bitsmith_line_window with its lines, for places of ``width`` bits."""
    words, places = line_memory(window)
    cost = Cost(lut=60 + width, ff=30.0 + width * (1 + line_registers(window)))
    return cost + memory_cost(words, places * width, family) if words else cost


def whole_windows_cost(op: Conv, window: Window, width: int, fold: Fold, family: str) -> Cost:
    """Line buffers, the outlet of whole windows, and the converter to fewer lanes.

    Where windows skip rows they come in bursts, half a row of which the outlet keeps.
    """
    depth = 3 if window.strides[0] == 1 else 3 + window.places[1] // 2
    cost = line_window_cost(window, width, family) + outlet_cost(window.taps * width, depth, family)
    whole = op.weight.size // op.weight.shape[-1]
    if fold.simd < whole:
        out = window.taps * width * fold.simd // whole
        cost += Cost(lut=15.0 + window.taps * width / 2, ff=10.0 + out) + outlet_cost(out, 2, family)
    return cost


def unit_cost(net: QNet, op: Op, fold: Fold, family: str) -> Cost:
    """The units of ``op`` at a folding, its window generator and a small outlet included, without the pipes behind."""
    cost = outlet_cost(fold.pe * op.type.bits, 2, family)
    x = net[op.inputs[0]] if op.inputs else op
    window = window_of(op, x.shape)
    if isinstance(op, Conv) and window is not None and takes_whole_windows(op, fold):
        cost += whole_windows_cost(op, window, x.shape[-1] * x.type.bits, fold, family)
    elif window is not None:
        lanes = lanes_in(op, fold)
        words = window.buffer_rows * window.size[1] * x.shape[-1] // lanes
        cost += Cost(lut=200, ff=120) + memory_cost(words, lanes * x.type.bits, family)
        cost += outlet_cost(lanes * x.type.bits, 3, family)
    if isinstance(op, Dense | Conv):
        if fold.mult == UNROLLED:
            return cost + unrolled_cost(op, x.type.bits)
        found = gathering_of(net, op) if fold.mult == GATHER else None
        if found is not None:
            return cost + gathering_cost(op, x, found, fold.pe, fold.simd, family)
        cost += reorders_cost(op, x.type.bits, fold, family)
        return cost + mvu_cost(unit_of(op), x, fold.pe, fold.simd, family, fold.mult, fold.rom)
    wide = sum(net[i].type.bits for i in op.inputs) * fold.pe
    return cost + Cost(lut=HEADS.get(op.kind, 10.0) + wide, ff=15 + wide)


def reorders_cost(op: Dense | Conv, bits: int, fold: Fold, family: str) -> Cost:
    """The heads that bring the channels of block-diagonal weights into their order, and their outlets."""
    blocks, cost = blocks_of(op), Cost()
    if blocks is None:
        return cost
    lanes = fold.simd if has_matrix(op) else fold.pe
    if not blocks.keeps_input:
        size, out = op.weight.shape[0], blocks.gather_in.size // lanes
        cost += reorder_cost(size, 1, out, lanes, bits, family) + outlet_cost(lanes * bits, 3, family)
    if not blocks.keeps_output:
        total, out = blocks.conv.weight.shape[-1] // fold.pe, blocks.gather_out.size
        cost += reorder_cost(total, fold.pe, out, 1, op.type.bits, family) + outlet_cost(op.type.bits, 3, family)
    return cost


def stage_cost(structure: Structure, stage: Stage, depths: Sequence[int], folding: Folding) -> Cost:
    """A finished stage, with outlets of ``depths`` places."""
    family = structure.hw.board.device.family
    stream = structure.out_of(stage.name)[0].stream
    cost = sum((p.cost for p in stage.pipes), sum((outlet_cost(stream.width, d, family) for d in depths), Cost()))
    op = stage.ops[0][0] if stage.ops and stage.ops[0][1] == 0 else None
    if stage.head.module == "bitsmith_window":
        return cost + window_cost(stage.head, family)
    if stage.head.module == "bitsmith_reorder":
        return cost + stage.head.cost
    if stage.head.module == "bitsmith_line_window":
        window, width = window_with_lines(stage.head)
        return cost + line_window_cost(window, width, family)
    if isinstance(op, Dense | Conv):
        fold = folding[op.name]
        source = structure.net[op.inputs[0]]
        found = gathering_of(structure.net, op) if fold.mult == GATHER else None
        if found is not None:
            return cost + gathering_cost(op, source, found, fold.pe, fold.simd, family)
        return cost + mvu_cost(unit_of(op), source, fold.pe, fold.simd, family, fold.mult, fold.rom)
    wide = sum(e.stream.width for e in structure.into(stage.name))
    kind = op.kind if op is not None else "stream"
    return cost + Cost(lut=HEADS.get(kind, 10.0) + wide, ff=15 + wide)
