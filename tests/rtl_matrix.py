"""One-op nets for the matrix-vector heads, and their beats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rtl_bench import Stage, Stream, stream

from bitsmith.hls.backends.rtl.folded.form import is_depthwise, placed, plain_form, structured_form, words_of, work_of
from bitsmith.hls.backends.rtl.folded.matrix import mvu_head, vvu_head
from bitsmith.hls.backends.rtl.folded.parts import Part
from bitsmith.models.ir import NetBuilder, QNet, QuantType, execute
from bitsmith.models.ir.execute import windows
from bitsmith.models.ir.ops import Conv, Dense
from bitsmith.models.ir.types import IntArray


@dataclass(frozen=True, eq=False)
class Case:
    """A head with its input beats and the outputs that it must give (frames, beats, lanes)."""

    head: Part
    beats: Stream
    expected: IntArray
    signed: bool

    @property
    def stage(self) -> Stage:
        return Stage(self.head, [[]], [self.beats], [self.signed])


def random_weight(rng: np.random.Generator, shape: tuple[int, ...], bits: int, signed: bool, kind: str) -> IntArray:
    if kind == "sign":
        return rng.choice([-1, 1], shape)
    if kind == "ternary":
        return rng.choice([-1, 0, 1], shape)
    t = QuantType(bits, signed)
    weight = rng.integers(t.min, t.max + 1, shape)
    weight.flat[0], weight.flat[-1] = t.min, t.max
    return weight


def dense_net(rng, positions, n_in, n_out, x: QuantType, weight: IntArray, bias: bool, structure=None) -> QNet:
    b = NetBuilder("t")
    shape = (positions, n_in) if positions > 1 else (n_in,)
    v = b.input("x", shape, x)
    return b.build(b.dense("y", v, weight, rng.integers(-20, 20, n_out) if bias else None, structure=structure))


def inputs(rng: np.random.Generator, net: QNet, frames: int) -> IntArray:
    x = rng.integers(net.input.lo, net.input.hi + 1, (frames, *net.input.shape))
    x[0], x[1] = net.input.lo, net.input.hi
    return x


def case(net: QNet, rng: np.random.Generator, pe: int, simd: int, family: str, frames: int = 4, **options) -> Case:
    """The one Dense or Conv of ``net`` (no padding) with the beats that it takes."""
    op = net.output
    assert isinstance(op, Dense | Conv)
    x = inputs(rng, net, frames)
    y = execute(net, x).reshape(frames, -1, pe)
    work = work_of(op)
    if isinstance(op, Dense):
        beats = x.reshape(frames, -1, simd)
    else:
        view = windows(x, op.kernel, op.strides, op.dilations).reshape(frames, work.positions, -1, x.shape[-1])
        if is_depthwise(op):  # (frame, place, tap, fold, lane) -> taps innermost
            folds = view.reshape(frames, work.positions, work.inputs, -1, pe)
            beats = folds.transpose(0, 1, 3, 2, 4).reshape(frames, -1, pe)
        else:  # (frame, place, tap, group, channel of the group) -> groups outermost
            parts = view.reshape(frames, work.positions, -1, work.groups, work.channels)
            beats = parts.transpose(0, 1, 3, 2, 4).reshape(frames, -1, simd)
    if is_depthwise(op):
        head = vvu_head(op, net.input, pe, family, **options)
    else:
        if options.pop("structured", False):
            plain = plain_form(op, net.input, pe, simd, family, options.pop("mult"))
            form = structured_form(op, simd, plain)
            options = {"form": placed(form, words_of(op, pe, simd), pe, simd, family, options.get("rom", "auto"))}
        head = mvu_head(op, net.input, pe, simd, family, **options)
    return Case(head, stream(beats, net.input.type), y, op.type.signed)
