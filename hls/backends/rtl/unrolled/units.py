"""The logic of one op at one place, as a netlist.  Ports are the op's inputs, elements their channels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bitsmith.hls.backends.rtl.unrolled.adder_graph import solve
from bitsmith.hls.backends.rtl.unrolled.netlist import Netlist, NetlistBuilder
from bitsmith.models.ir.intervals import Interval
from bitsmith.models.ir.ops import Add, Lut, Requant, Thresholds
from bitsmith.models.ir.types import IntArray, Overflow


def _inputs(b: NetlistBuilder, span: Interval, port: int = 0) -> list[int]:
    return [b.input(port, e, int(lo), int(hi)) for e, (lo, hi) in enumerate(zip(span.lo, span.hi, strict=True))]


def linear_unit(blocks: Sequence[tuple[IntArray, IntArray]], span: Interval, bias: IntArray | None) -> Netlist:
    """Block-wise matrix product: each block is (input elements, weight (elements, outputs)); outputs in order.

    ``span`` is the interval of every element; ``bias`` None leaves it to the reader of the output.
    """
    b = NetlistBuilder()
    x = _inputs(b, span)
    outs: list[int] = []
    for elements, weight in blocks:
        graph = solve(weight, span.lo[elements], span.hi[elements])
        outs += b.linear(graph, [x[e] for e in elements])
    if bias is not None:
        outs = [b.add_const(y, int(c)) for y, c in zip(outs, bias, strict=True)]
    return b.finish(outs)


def requant_unit(op: Requant, span: Interval, offset: IntArray) -> Netlist:
    """Every channel's rounding and overflow; ``offset`` (channels,) is still to be added to the input."""
    b = NetlistBuilder()
    outs = []
    mult, add = (np.broadcast_to(v, span.lo.shape) for v in (op.mult, op.add))
    for x, m, a, o in zip(_inputs(b, span), mult.tolist(), add.tolist(), offset.tolist(), strict=True):
        y = b.round_shift(b.multiply(x, m), op.shift, op.rounding, a + m * o)
        outs.append((b.clip if op.overflow is Overflow.SATURATE else b.wrap)(y, op.lo, op.hi))
    return b.finish(outs)


def thresholds_unit(op: Thresholds, span: Interval, offset: IntArray) -> Netlist:
    """Every channel's threshold count; ``offset`` (channels,) is still to be added to the input."""
    b = NetlistBuilder()
    outs = []
    channels = len(span.lo)
    levels = np.broadcast_to(op.thresholds, (channels, op.thresholds.shape[1])) - offset[:, None]
    base, step = (np.broadcast_to(v, channels).tolist() for v in (op.base, op.step))
    for c, x in enumerate(_inputs(b, span)):
        outs.append(b.add_const(b.multiply(b.count(x, levels[c].tolist()), step[c]), base[c]))
    return b.finish(outs)


def lut_unit(op: Lut, span: Interval) -> Netlist:
    """Every channel's table."""
    b = NetlistBuilder()
    return b.finish([b.table(x, op.table, op.offset) for x in _inputs(b, span)])


def add_unit(op: Add, spans: Sequence[Interval]) -> Netlist:
    """Sum of the inputs by their factors, channel by channel."""
    b = NetlistBuilder()
    ports = [_inputs(b, span, p) for p, span in enumerate(spans)]
    column = np.array(op.factors)[:, None]
    outs = []
    for c, terms in enumerate(zip(*ports, strict=True)):
        graph = solve(column, np.array([s.lo[c] for s in spans]), np.array([s.hi[c] for s in spans]))
        outs += b.linear(graph, terms)
    return b.finish(outs)


def pool_unit(mode: str, taps: int, span: Interval) -> Netlist:
    """Maximum or sum of ``taps`` places, channel by channel; elements are tap after tap."""
    b = NetlistBuilder()
    channels = len(span.lo)
    x = _inputs(b, Interval(np.tile(span.lo, taps), np.tile(span.hi, taps)))
    windows = [x[c::channels] for c in range(channels)]
    if mode == "sum":
        return b.finish([b.total(w) for w in windows])
    return b.finish([_largest(b, w) for w in windows])


def _largest(b: NetlistBuilder, layer: list[int]) -> int:
    while len(layer) > 1:
        pairs = [b.maximum(p, q) for p, q in zip(layer[::2], layer[1::2], strict=False)]
        layer = pairs + layer[len(pairs) * 2 :]
    return layer[0]


def argmax_unit(span: Interval) -> Netlist:
    """Index of the largest channel as a tournament; of equals the earlier one wins."""
    b = NetlistBuilder()
    layer = [(x, b.const(i)) for i, x in enumerate(_inputs(b, span))]
    while len(layer) > 1:
        won = []
        for (p, i), (q, j) in zip(layer[::2], layer[1::2], strict=False):
            first = b.at_least(p, q)
            top = (max(b.span(p)[0], b.span(q)[0]), max(b.span(p)[1], b.span(q)[1]))
            won.append((b.mux(first, p, q, top), b.mux(first, i, j)))
        layer = won + layer[len(won) * 2 :]
    return b.finish([layer[0][1]])


def wire_unit(sources: IntArray, spans: Sequence[Interval], starts: Sequence[int]) -> Netlist:
    """Pure wiring: output ``j`` is the flat element ``sources[j]`` of the inputs one after the other, zero if -1.

    ``starts`` are the flat positions where each input begins.
    """
    b = NetlistBuilder()
    outs = []
    for flat in sources.tolist():
        if flat < 0:
            outs.append(b.const(0))
            continue
        port = int(np.searchsorted(starts, flat, side="right")) - 1
        element = flat - starts[port]
        channel = element % len(spans[port].lo)
        outs.append(b.input(port, element, int(spans[port].lo[channel]), int(spans[port].hi[channel])))
    return b.finish(outs)
