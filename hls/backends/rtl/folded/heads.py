"""Heads that move beats or combine them: join, concat, width converters, argmax, pooling; each with its steps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bitsmith.hls.backends.rtl.folded.lanes import folds_of, input_widths, side_by_side
from bitsmith.hls.backends.rtl.folded.parts import Parameter, Part, Steps
from bitsmith.models.ir import QuantType
from bitsmith.models.ir.ops import ArgMax, Concat, Op, Pool, Shape

MOST_HELD = 8
"""Up to this ratio a narrowing head picks the parts of a beat by a multiplexer; beyond, it shifts them out."""


def join_head(inputs: int, width: int, beats: int, interval: int = 1) -> Part:
    """One beat of every input together; ``width`` bits of all of them, ``beats`` a frame.

    The output is taken as one lane of ``width`` bits: input 0 in the lowest bits.
    """
    each = np.arange(beats)
    steps = Steps(beats, (each,) * inputs, (each,) * inputs, each, interval)
    params: dict[str, Parameter] = {"INPUTS": inputs, "WIDTH": width, "INTERVAL": interval}
    return Part("bitsmith_join", params, 1, 1, width, steps=steps)


def widen_head(bits: int, lanes: int, out_lanes: int, beats: int) -> Part:
    """``beats`` beats a frame of ``lanes`` lanes become fewer of ``out_lanes``, a multiple."""
    ratio = _ratio(out_lanes, lanes)
    assert beats % ratio == 0, f"{beats} beats do not make whole beats of {ratio}"
    each = np.arange(beats)
    params: dict[str, Parameter] = {"WIDTH": lanes * bits, "RATIO": ratio}
    steps = Steps(beats, (each,), (each,), each[ratio - 1 :: ratio])
    return Part("bitsmith_widen", params, 1, out_lanes, bits, sources=("bitsmith_count",), steps=steps)


def narrow_head(bits: int, lanes: int, out_lanes: int, beats: int) -> Part:
    """``beats`` beats a frame of ``lanes`` lanes become more of ``out_lanes``, a divisor."""
    ratio = _ratio(lanes, out_lanes)
    hold = ratio <= MOST_HELD
    first = np.arange(beats) * ratio
    params: dict[str, Parameter] = {"WIDTH": out_lanes * bits, "RATIO": ratio, "HOLD": int(hold)}
    steps = Steps(beats * ratio, (first,), (first + ratio - 1 if hold else first,), np.arange(beats * ratio))
    return Part("bitsmith_narrow", params, 1, out_lanes, bits, sources=("bitsmith_count",), steps=steps)


def _ratio(wide: int, narrow: int) -> int:
    assert wide > narrow and wide % narrow == 0, f"{wide} lanes are no multiple of {narrow}"
    return wide // narrow


def concat_head(op: Concat, types: Sequence[QuantType], shapes: Sequence[Shape], lanes: int) -> Part:
    """The inputs' channels one after the other; ``lanes`` divides the channels of each."""
    places = math.prod(op.shape[:-1])
    counts = [shape[-1] // lanes for shape in shapes]
    assert all(shape[-1] % lanes == 0 for shape in shapes), f"{op.name}: {lanes} lanes do not divide its inputs"
    params: dict[str, Parameter] = {
        "INPUTS": len(types),
        "LANES": lanes,
        **input_widths(types),
        "BEATS": side_by_side(counts, 32),
        "WIDTH": lanes * sum(t.bits for t in types),
        "WY": op.type.bits,
    }
    total = sum(counts)
    starts = np.cumsum([0, *counts[:-1]])
    turns = tuple(
        (np.arange(places)[:, None] * total + start + np.arange(n)).reshape(-1)
        for start, n in zip(starts, counts, strict=True)
    )
    steps = Steps(places * total, turns, turns, np.arange(places * total))
    return Part("bitsmith_concat", params, 1, lanes, op.type.bits, sources=("bitsmith_count",), steps=steps)


def argmax_head(op: ArgMax, x: Op, lanes: int) -> Part:
    """Index of the largest channel, the first of equals; one beat of one lane for each place."""
    folds = folds_of(x.shape[-1], lanes, op.name)
    params: dict[str, Parameter] = {
        "LANES": lanes,
        "FOLDS": folds,
        "WX": x.type.bits,
        "X_SIGN": int(x.type.signed),
        "WY": op.type.bits,
    }
    latency = (lanes - 1).bit_length() + 2
    sources = ("bitsmith_count", "bitsmith_put_line")
    steps = _gather(math.prod(op.shape), folds)
    return Part("bitsmith_argmax", params, latency, 1, op.type.bits, sources=sources, steps=steps)


def reduce_head(op: Pool, x: Op, lanes: int) -> Part:
    """Maximum or sum over the window; it comes with its taps innermost: for each place, for each fold of channels."""
    folds = folds_of(op.shape[-1], lanes, op.name)
    taps = math.prod(op.window)
    params: dict[str, Parameter] = {
        "LANES": lanes,
        "TAPS": taps,
        "MAX": int(op.mode == "max"),
        "WX": x.type.bits,
        "X_SIGN": int(x.type.signed),
        "WY": op.type.bits,
    }
    steps = _gather(math.prod(op.shape[:-1]) * folds, taps)
    return Part("bitsmith_reduce", params, 1, lanes, op.type.bits, sources=("bitsmith_count",), steps=steps)


def _gather(outputs: int, ratio: int) -> Steps:
    """Every ``ratio`` input beats make one output beat."""
    each = np.arange(outputs * ratio)
    return Steps(outputs * ratio, (each,), (each,), each[ratio - 1 :: ratio])
