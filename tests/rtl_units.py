"""Random one-op nets for the pipes and heads of the folded library, as stages with the beats that they must give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from rtl_bench import Stage, stream

from bitsmith.hls.backends.rtl.folded.heads import (
    argmax_head,
    concat_head,
    join_head,
    narrow_head,
    reduce_head,
    widen_head,
)
from bitsmith.hls.backends.rtl.folded.levels import COMPARATORS, SEARCH, SERIAL, levels_pipe
from bitsmith.hls.backends.rtl.folded.parts import Part
from bitsmith.hls.backends.rtl.folded.pipe_costs import MOST_COMPARATORS
from bitsmith.hls.backends.rtl.folded.pipes import add_pipe, lut_pipe, requant_pipe, thresholds_pipe
from bitsmith.models.ir import NetBuilder, Overflow, QNet, QuantType, Rounding, execute
from bitsmith.models.ir.intervals import Interval, intervals
from bitsmith.models.ir.ops import Op
from bitsmith.models.ir.types import IntArray

FOLDS = 3
"""Beats per frame of every pipe; stages that share a build need the same number."""

OUT_BEATS = 12
"""The same for heads."""

FAMILIES = ("ecp5", "ice40", "xc7", "gowin")

Rng = np.random.Generator
Pipe = Callable[[Op, Op, Interval, int], Part]


@dataclass(frozen=True, eq=False)
class Case:
    """A stage and its outputs (frames, beats, lanes)."""

    stage: Stage
    expected: IntArray

    @property
    def pipe(self) -> Part:
        return self.stage.chains[0][0]


def values_of(rng: Rng, lo: int, hi: int, shape: tuple[int, ...]) -> IntArray:
    """Random integers, the ends of the range among them."""
    x = rng.integers(lo, hi + 1, shape)
    x.flat[0], x.flat[-1] = lo, hi
    return x


def random_type(rng: Rng, most: int = 16) -> QuantType:
    return QuantType(int(rng.integers(1, most + 1)), bool(rng.integers(2)))


def one_op(rng: Rng, lanes: int, kind: QuantType, op: Callable[[NetBuilder, str], str]) -> QNet:
    """Sometimes the input uses only a part of its type."""
    b = NetBuilder("n")
    lo, hi = kind.min, kind.max
    if kind.bits > 2 and rng.integers(2):
        lo, hi = lo + int(rng.integers(0, hi - lo)) // 2, hi - int(rng.integers(0, hi - lo)) // 3
    return b.build(op(b, b.input("x", (FOLDS * lanes,), kind, lo, hi)))


def pipe_case(net: QNet, pipe: Pipe, lanes: int, rng: Rng, frames: int = 24) -> Case:
    """The net's one op in a pipe behind a join."""
    x = net.input
    values = values_of(rng, x.lo, x.hi, (frames, *x.shape))
    part = pipe(net.output, x, intervals(net)[x.name], lanes)
    head = join_head(1, lanes * x.type.bits, FOLDS, part.interval)
    beats = values.reshape(frames, FOLDS, lanes)
    stage = Stage(head, [[part]], [stream(beats, x.type)], [net.output.type.signed])
    return Case(stage, execute(net, values).reshape(frames, FOLDS, lanes))


def requant_case(rng: Rng, rounding: Rounding, overflow: Overflow) -> Case:
    lanes = int(rng.choice([1, 2, 3]))
    kind = random_type(rng, 24)
    channels = FOLDS * lanes
    shift = int(rng.integers(0, 12))
    mult = rng.choice([1, -1, 4, -8, 37, -5]) if rng.integers(2) else rng.integers(-300, 300, channels)
    if rng.integers(4) == 0:
        mult = rng.choice([-1, 1], channels)
    add = rng.integers(-3, 4) if rng.integers(2) else rng.integers(-5000, 5000, channels)
    size = 1 << int(rng.integers(1, 9))
    lo = int(rng.choice([0, -size // 2, -3, 5, -300]))
    hi = lo + size - 1 + (int(rng.integers(0, 9)) if overflow is Overflow.SATURATE else 0)
    net = one_op(rng, lanes, kind, lambda b, x: b.requant("y", x, 1.0, lo, hi, shift, mult, add, rounding, overflow))
    family, dsp = str(rng.choice(FAMILIES)), [None, True, False][int(rng.integers(3))]
    return pipe_case(net, lambda op, x, span, n: requant_pipe(op, x, span, n, family, dsp), lanes, rng)


def thresholds_net(rng: Rng, lanes: int, levels: int, most: int = 24) -> QNet:
    kind = random_type(rng, most)
    channels = FOLDS * lanes
    rows = np.sort(rng.integers(kind.min - 3, kind.max + 4, (rng.choice([1, channels]), levels)), axis=1)
    base = [0, int(rng.integers(-9, 9)), rng.integers(-9, 9, channels)][int(rng.integers(3))]
    step = [1, -1, 2, rng.choice([-1, 1], channels), rng.integers(-5, 6, channels)][int(rng.integers(5))]
    return one_op(rng, lanes, kind, lambda b, x: b.thresholds("y", x, 1.0, rows, base, step))


def thresholds_case(rng: Rng, levels: int, unit: int | None) -> Case:
    """``unit``: COMPARATORS, SEARCH, SERIAL or None: what is chosen."""
    lanes = int(rng.choice([1, 2, 3]))
    net = thresholds_net(rng, lanes, levels)
    unit = SEARCH if unit == COMPARATORS and levels > MOST_COMPARATORS else unit
    family, spacing = str(rng.choice(FAMILIES)), int(rng.choice([1, 4, 20]))

    def pipe(op: Op, x: Op, span: Interval, n: int) -> Part:
        if unit is None:
            return thresholds_pipe(op, x, span, n, family, spacing)
        return levels_pipe(op, x, span, n, family, 99, unit)

    return pipe_case(net, pipe, lanes, rng)


def lut_case(rng: Rng) -> Case:
    lanes = int(rng.choice([1, 2, 3]))
    kind = random_type(rng, 10)
    if rng.integers(2):
        net = one_op(rng, lanes, kind, lambda b, x: b.lut("y", x, 1.0, rng.integers(-99, 99, 1 << kind.bits), kind.min))
    else:
        net = thresholds_net(rng, lanes, int(rng.integers(1, 20)), 8)
    family = str(rng.choice(FAMILIES))
    return pipe_case(net, lambda op, x, span, n: lut_pipe(op, x, span, n, family), lanes, rng)


def add_case(rng: Rng, inputs: int) -> Case:
    lanes, frames = int(rng.choice([1, 2, 3])), 24
    factors = rng.choice([1, -1, 2, -4] if rng.integers(2) else [1, 3, -5, 7, -1, 100], inputs)
    b = NetBuilder("n")
    whole = b.input("x", (FOLDS * lanes,), QuantType(9, True))
    types = [random_type(rng, 9) for _ in range(inputs)]
    names = [
        b.requant(f"x{k}", whole, abs(float(f)), t.min, t.max, k)
        for k, (f, t) in enumerate(zip(factors, types, strict=True))
    ]
    net = b.build(b.add("y", names, 1.0, [int(f) for f in factors]))
    values = values_of(rng, -256, 255, (frames, FOLDS * lanes))
    branches = [values_at(net, name, values).reshape(frames, FOLDS, lanes) for name in names]
    part = add_pipe(net.output, [net[name].type for name in names], lanes)
    head = join_head(inputs, lanes * sum(net[name].type.bits for name in names), FOLDS)
    streams = [stream(v, net[name].type) for v, name in zip(branches, names, strict=True)]
    stage = Stage(head, [[part]], streams, [net.output.type.signed])
    return Case(stage, execute(net, values).reshape(frames, FOLDS, lanes))


def values_at(net: QNet, name: str, x: IntArray) -> IntArray:
    ops = net.ops[: [op.name for op in net.ops].index(name) + 1]
    needed = {name, net.input.name}
    return execute(QNet("n", tuple(op for op in ops if op.name in needed)), x)


# ---- heads: OUT_BEATS beats out per frame


def widen_case(rng: Rng, ratio: int) -> Case:
    lanes, bits = int(rng.integers(1, 4)), int(rng.integers(1, 9))
    x = rng.integers(0, 1 << bits, (15, OUT_BEATS * ratio, lanes))
    head = widen_head(bits, lanes, lanes * ratio, OUT_BEATS * ratio)
    return Case(Stage(head, [[]], [stream(x, QuantType(bits, False))], [False]), x.reshape(15, OUT_BEATS, -1))


def narrow_case(rng: Rng, ratio: int) -> Case:
    lanes, bits = int(rng.integers(1, 4)), int(rng.integers(1, 9))
    x = rng.integers(0, 1 << bits, (15, OUT_BEATS // ratio, lanes * ratio))
    head = narrow_head(bits, lanes * ratio, lanes, OUT_BEATS // ratio)
    return Case(Stage(head, [[]], [stream(x, QuantType(bits, False))], [False]), x.reshape(15, OUT_BEATS, lanes))


def argmax_case(rng: Rng, lanes: int, folds: int) -> Case:
    b, kind = NetBuilder("n"), random_type(rng, 6)  # few values: many equals
    net = b.build(b.argmax("y", b.input("x", (OUT_BEATS, lanes * folds), kind)))
    x = values_of(rng, kind.min, kind.max, (15, OUT_BEATS, lanes * folds))
    head = argmax_head(net.output, net.input, lanes)
    beats = stream(x.reshape(15, OUT_BEATS * folds, lanes), kind)
    return Case(Stage(head, [[]], [beats], [False]), execute(net, x))


def reduce_case(rng: Rng, mode: str, lanes: int, folds: int, taps: int) -> Case:
    b, kind, places = NetBuilder("n"), random_type(rng), OUT_BEATS // folds
    net = b.build(b.pool("y", b.input("x", (places * taps, lanes * folds), kind), mode, (taps,)))
    x = values_of(rng, kind.min, kind.max, (15, places * taps, lanes * folds))
    head = reduce_head(net.output, net.input, lanes)
    beats = x.reshape(15, places, taps, folds, lanes).transpose(0, 1, 3, 2, 4).reshape(15, -1, lanes)
    stage = Stage(head, [[]], [stream(beats, kind)], [net.output.type.signed])
    return Case(stage, execute(net, x).reshape(15, OUT_BEATS, lanes))


def concat_case(rng: Rng, counts: tuple[int, ...], lanes: int) -> Case:
    b, places = NetBuilder("n"), OUT_BEATS // sum(counts)
    whole = b.input("x", (places, lanes * max(counts)), QuantType(9, True))
    types = [random_type(rng, 8) for _ in counts]
    weights = [np.eye(lanes * max(counts), lanes * n, dtype=np.int64) for n in counts]
    dense = [b.dense(f"d{k}", whole, w) for k, w in enumerate(weights)]
    names = [b.requant(f"x{k}", d, 1.0, t.min, t.max, k) for k, (d, t) in enumerate(zip(dense, types, strict=True))]
    net = b.build(b.concat("y", names, 1.0))
    x = values_of(rng, -256, 255, (15, places, lanes * max(counts)))
    y = execute(net, x)
    ends = np.cumsum([0, *(n * lanes for n in counts)])
    parts = [y[..., a:e].reshape(15, -1, lanes) for a, e in pairwise(ends)]
    kinds = [net[name].type for name in names]
    head = concat_head(net.output, kinds, [net[name].shape for name in names], lanes)
    streams = [stream(v, kind) for v, kind in zip(parts, kinds, strict=True)]
    return Case(Stage(head, [[]], streams, [net.output.type.signed]), y.reshape(15, OUT_BEATS, lanes))


UNITS = (None, COMPARATORS, SEARCH, SERIAL)
