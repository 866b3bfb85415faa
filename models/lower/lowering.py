"""A value on its way into the net, and what every layer may do with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import numpy.typing as npt

from bitsmith.models.ir import NetBuilder, Pool
from bitsmith.models.ir.ops import Shape
from bitsmith.models.ir.types import IntArray
from bitsmith.models.lower.functions import Floats, Function, Quantizer, Refusal, Scale
from bitsmith.models.lower.requantize import lower_quantizer
from bitsmith.models.lower.scales import common_scale, steps_of

ADD_QUANTIZER = "put a quantizer before it (a QActivation, a QuantIdentity, a Quant node)"
FINEST = 40
"""An offset that needs this many more bits than its accumulator is a real number, no grid."""
CLASS_BITS = 24


@dataclass(frozen=True, eq=False)
class Value:
    """Integers ``op`` of the net under construction, with what is still to be done to them.

    The real value is chain(op * scale + offset), on the channels of the last axis
    of ``op``, then taken as ``view`` (a shape) if that is given.  ``offset_step`` is
    what the offset's own quantizer counts in; ``is_bias`` says that the offset is
    the bias of the layer ``op``, which everybody reads with it.
    """

    op: str
    offset: Floats | None = None  # (channels,)
    chain: tuple[Function, ...] = ()
    view: Shape | None = None
    offset_step: Floats | None = None
    is_bias: bool = False

    @property
    def is_settled(self) -> bool:
        """Whether ``op`` alone is the value."""
        return self.offset is None and not self.chain and self.view is None


class Lowering:
    """The builder of the net, and the operations on values that layers are made of."""

    def __init__(self, name: str) -> None:
        self.builder = NetBuilder(name)
        self._settled: dict[int, tuple[Value, Value]] = {}
        self.reads_alone: Callable[[str], bool] = lambda op: True
        """Whether nobody but the layer at hand will read the integers of an op; a front end with branches sets it."""

    def shape(self, v: Value) -> Shape:
        """Shape of the value, without the batch."""
        return self.builder.ops[v.op].shape if v.view is None else v.view

    def scale(self, v: Value) -> Scale:
        """What one step of ``v.op`` stands for."""
        return self.builder.ops[v.op].type.scale

    def channel_scales(self, v: Value) -> Floats:
        """The scale of every channel of ``v.op``."""
        op = self.builder.ops[v.op]
        return np.broadcast_to(np.asarray(op.type.scale, np.float64), (op.shape[-1],))

    def bounds(self, op: str) -> tuple[IntArray, IntArray]:
        """Smallest and largest integer of every channel."""
        span = self.builder.spans[op]
        return span.lo, span.hi

    # -- what is pending ---------------------------------------------------------------------------------------------

    def then(self, v: Value, f: Function) -> Value:
        """The value with one more function to come."""
        if v.view is not None and f.per_channel and v.view[-1] != self.builder.ops[v.op].shape[-1]:
            raise Refusal(f"{f.name} works on the channels of a reshaped value", ADD_QUANTIZER)
        return replace(v, chain=(*v.chain, f))

    def quantize(self, v: Value, q: Quantizer, name: str) -> Value:
        """The value brought onto the grid of ``q``."""
        if q.per_channel and v.view is not None:
            v = self.settle(v, name)
        op = lower_quantizer(self.builder, v.op, v.offset, v.chain, q, name)
        return self._viewed(Value(op), v.view, name)

    def biased(
        self, make: Callable[[IntArray | None], str], scales: Scale, bias: Floats | None, step: Floats | None = None
    ) -> Value:
        """``make(bias integers)`` adds a layer; a bias that is not on the accumulator's grid stays pending.

        See ``steps_of`` for ``scales`` and ``step``.
        """
        if bias is None or not bias.any():
            return Value(make(None))
        whole = steps_of(bias, scales)
        return Value(make(whole)) if whole is not None else Value(make(None), bias, offset_step=step, is_bias=True)

    def rounded_off(self, v: Value) -> Floats | None:
        """What a bias differs from its integers times the accumulator's scale: its own scale was rounded to float32."""
        if v.offset is None or v.chain:
            return None
        steps = steps_of(v.offset, self.scale(v), v.offset_step)
        return None if steps is None else v.offset - steps * self.channel_scales(v)

    def nearest(self, v: Value, bits: int, name: str) -> tuple[Value, Floats]:
        """A x + b with a real b brought to a grid ``bits`` finer than the accumulator, and per channel what b lost."""
        v = self._without_view(v, name)
        scale = self.channel_scales(v)
        factor, offset = self._line(v)
        fine = scale * np.abs(factor) / 2.0**bits
        steps = np.rint(offset / fine)
        if np.abs(steps).max() >= 2.0**FINEST:
            raise Refusal("adds a bias that is far larger than its accumulator's steps", ADD_QUANTIZER)
        op = self._exact(v.op, np.sign(factor) * 2.0**bits, _one_or_all(fine), f"{name}_bias", steps)
        return Value(op), offset - steps * fine

    def _line(self, v: Value) -> tuple[Floats, Floats]:
        """(a, b) per channel of what is pending, a x + b of the real x; Refusal if it is no line."""
        scale = self.channel_scales(v)
        factor, offset = np.ones_like(scale), np.zeros_like(scale) if v.offset is None else v.offset
        for f in v.chain:
            if f.affine is None:
                raise Refusal(f"reads the real values of {f.name}, which are on no integer grid", ADD_QUANTIZER)
            factor, offset = factor * f.affine[0], offset * f.affine[0] + f.affine[1]
        return factor, offset

    def comparable(self, v: Value, name: str) -> Value:
        """Settled on one scale, to find the largest channel.

        Lines with real numbers that share no grid are brought to one that is
        ``CLASS_BITS`` finer than the finest step: finer than what float32 tells apart.
        """
        v = without_common(v)
        try:
            return self.uniform(v, name)
        except Refusal:
            v = self._without_view(v, name)
            factor, offset = self._line(v)
            steps = self.channel_scales(v) * factor
            if (steps == 0).any():
                raise
            fine = float(np.abs(steps).min()) / 2.0**CLASS_BITS
            mult, add = np.rint(steps / fine), np.rint(offset / fine)
            if max(np.abs(mult).max(), np.abs(add).max()) >= 2.0**FINEST:
                raise
            return Value(self._exact(v.op, mult, fine, f"{name}_compared", add))

    def settle(self, v: Value, name: str, finest: int = FINEST) -> Value:
        """The value as plain integers; Refusal if what is pending does not end on a grid, or on one far finer."""
        if v.is_settled:
            return v
        known = self._settled.get(id(v))
        if known is None:
            known = (v, self._settle(v, name, finest))
            self._settled[id(v)] = known
        return known[1]

    def _settle(self, v: Value, name: str, finest: int) -> Value:
        view, op = v.view, v.op
        chain = tuple(f for f in v.chain if not f.is_noise)
        if any(f.clip is None and f.affine is None for f in chain):
            names = " + ".join(f.name for f in chain)
            raise Refusal(f"reads the real values of {names}, which are on no integer grid", ADD_QUANTIZER)
        if v.offset is not None:
            op = self._biased(v) or self._add_offset(op, v.offset, name, finest, v.offset_step)
        for f in chain:
            op = self._clip(op, *f.clip, name) if f.clip else self._affine(op, f, name, finest)
        return self._viewed(Value(op), view, name)

    def _affine(self, op: str, f: Function, name: str, finest: int) -> str:
        """a x + b: another scale, the sign of a, and b as integers."""
        assert f.affine is not None
        factor, offset = (np.broadcast_to(part, self.channel_scales(Value(op)).shape) for part in f.affine)
        if (factor == 0).any():
            raise Refusal(f"{f.name} multiplies by zero", "remove the channel")
        scale = self.channel_scales(Value(op)) * np.abs(factor)
        if (factor != 1).any():
            op = self._exact(op, np.sign(factor), _one_or_all(scale), f"{name}_scale")
        return self._add_offset(op, offset, name, finest) if offset.any() else op

    def _viewed(self, v: Value, view: Shape | None, name: str) -> Value:
        return v if view is None else Value(self.builder.reshape(f"{name}_reshape", v.op, view))

    def _biased(self, v: Value) -> str | None:
        """The layer ``v.op`` itself with the offset as its bias; None if the offset is not, or not in its steps."""
        if v.offset is None or not v.is_bias or not self.reads_alone(v.op):
            return None
        steps = steps_of(v.offset, self.scale(v), v.offset_step)
        return v.op if steps is not None and self.builder.add_bias(v.op, steps) else None

    def _add_offset(self, op: str, offset: Floats, name: str, finest: int, step: Floats | None = None) -> str:
        """The offset (in multiples of ``step``, see ``steps_of``) on a grid that holds both, as an exact Requant."""
        scale = self.channel_scales(Value(op))
        steps = steps_of(offset, self.scale(Value(op)), step)
        if steps is not None:
            return self._exact(op, np.ones_like(scale), self.scale(Value(op)), f"{name}_bias", steps.astype(np.float64))
        fine = common_scale([*scale, *offset])
        if scale.max() / fine > 2.0**finest:
            raise Refusal(
                "reads a sum with a bias that is on no common grid with it",
                f"give the layer a bias_quantizer, or {ADD_QUANTIZER}",
            )
        return self._exact(op, scale / fine, fine, f"{name}_bias", offset / fine)

    def _exact(self, op: str, mult: Floats, scale: Scale, name: str, add: Floats | None = None) -> str:
        """op * mult + add with nothing lost."""
        factor = mult.astype(np.int64)
        shift = np.zeros(1, np.int64) if add is None else add.astype(np.int64)
        low, high = (v * factor + shift for v in self.bounds(op))
        lo, hi = int(np.minimum(low, high).min()), int(np.maximum(low, high).max())
        return self.builder.requant(name, op, scale, lo, hi, 0, _scalar(factor), _scalar(shift))

    def _clip(self, op: str, low: float, high: float, name: str) -> str:
        lo, hi = self.bounds(op)
        scales = self.channel_scales(Value(op))
        limits = []
        for bound, end in ((low, int(lo.min())), (high, int(hi.max()))):
            steps = bound / scales if np.isfinite(bound) else np.array([float(end)])
            if (steps != steps[0]).any() or steps[0] != np.rint(steps[0]):
                raise Refusal(f"clips at {bound}, which is not on the grid of its input", ADD_QUANTIZER)
            limits.append(int(steps[0]))
        lowest, highest = max(limits[0], min(int(lo.min()), limits[1])), min(limits[1], max(int(hi.max()), limits[0]))
        if lowest <= lo.min() and highest >= hi.max():
            return op
        return self.builder.requant(f"{name}_clip", op, self.builder.ops[op].type.scale, lowest, highest, 0)

    # -- scales ------------------------------------------------------------------------------------------------------

    def uniform(self, v: Value, name: str) -> Value:
        """Settled, with one scale for all channels."""
        v = self.settle(v, name)
        scales = self.channel_scales(v)
        if (scales == scales[0]).all():
            return v
        return self.rescaled(v, common_scale(scales), name)

    def rescaled(self, v: Value, scale: float, name: str) -> Value:
        """A settled value on a finer grid."""
        mult = self.channel_scales(v) / scale
        if (mult != np.rint(mult)).any() or mult.max() > 2.0**FINEST:
            low, high = self.channel_scales(v).min(), self.channel_scales(v).max()
            raise Refusal(
                f"joins channels whose scales ({low:.6g} to {high:.6g}) have no common step within {FINEST} bits",
                ADD_QUANTIZER,
            )
        return v if (mult == 1).all() else Value(self._exact(v.op, mult, scale, f"{name}_align"))

    # -- structure ---------------------------------------------------------------------------------------------------

    def reshape(self, v: Value, shape: Shape, name: str) -> Value:
        """Reshape; channels that still wait for their functions are reshaped after them."""
        if shape == self.shape(v):
            return v
        pending = v.chain or v.offset is not None
        if v.view is not None or (pending and shape[-1] != self.shape(v)[-1]):
            return replace(v, view=shape)
        try:
            return replace(v, op=self.builder.reshape(name, v.op, shape))
        except ValueError:  # scales per channel that the new channels cannot have
            return replace(v, op=self.builder.reshape(name, self.uniform(v, name).op, shape))

    def max_pool(self, v: Value, pool: Pool) -> Value:
        """Maximum of windows; it passes through rising functions, and turns over channels that fall."""
        v = self._without_view(v, pool.name)
        direction = reduce(np.multiply, [f.direction for f in v.chain], np.array(1))
        if (direction == 0).any():
            v, direction = self.settle(v, pool.name), np.array(1)
        if (direction < 0).any():
            v = self._turned(v, np.broadcast_to(direction, (self.shape(v)[-1],)), pool.name)
        return replace(v, op=self.builder.append(replace(pool, inputs=(v.op,))))

    def _turned(self, v: Value, sign: npt.NDArray[np.int64], name: str) -> Value:
        """The same value with the integers of falling channels negated, so that all channels rise."""
        op = self._exact(v.op, sign.astype(np.float64), self.scale(v), f"{name}_sign")
        offset = np.zeros(len(sign)) if v.offset is None else v.offset
        back = Function("sign", lambda x: x * sign + offset, sign, per_channel=True)
        return Value(op, None, (back, *v.chain), v.view)

    def average(self, v: Value, pool: Pool, factor: float, noise: Function | None, name: str) -> Value:
        """Sum of windows, each step worth ``factor`` times what it was (1 / size for a mean)."""
        v = self._without_view(v, name)
        if any(not f.is_noise for f in v.chain):
            v = self.settle(v, name)
        scale = tuple(float(s) * factor for s in self.channel_scales(v))
        op = self.builder.append(replace(pool, inputs=(v.op,)), scale)
        offset = None if v.offset is None else v.offset * factor * np.prod(pool.window)
        return Value(op, offset, () if noise is None else (noise,))

    def _without_view(self, v: Value, name: str) -> Value:
        return v if v.view is None else self.settle(v, name)

    def spatial(self, v: Value, name: str) -> Value:
        """Ready for an op that moves places but keeps channels (upsampling)."""
        return self._without_view(v, name)

    def zero_padded(self, v: Value, pads: tuple[tuple[int, int], ...], name: str) -> Value:
        """Zeros around; what is pending must turn 0 into 0, or be done first."""
        v = self._without_view(v, name)
        channels = self.shape(v)[-1]
        zero = reduce(lambda x, f: f.apply(x), v.chain, np.zeros((1, channels)))
        if v.offset is not None or (zero != 0).any():
            v = self.settle(v, name)
        return replace(v, op=self.builder.pad(name, v.op, pads))

    def concat(self, values: Sequence[Value], name: str) -> Value:
        """Joined on the last axis; functions that are pending stay with their channels."""
        if all(f.clip is not None for v in values for f in v.chain):
            values = [self.settle(v, name) for v in values]
        values = [self._without_view(v, name) for v in values]
        widths = [self.shape(v)[-1] for v in values]
        scales = np.concatenate([self.channel_scales(v) for v in values])
        even = (scales == scales[0]).all()
        values = [self.uniform(v, name) if even and v.is_settled else v for v in values]
        op = self.builder.concat(name, [v.op for v in values], float(scales[0]) if even else tuple(scales.tolist()))
        if all(v.is_settled for v in values):
            return Value(op)
        offset = np.concatenate(
            [np.zeros(n) if v.offset is None else v.offset for v, n in zip(values, widths, strict=True)]
        )
        return Value(op, offset if offset.any() else None, (_side_by_side(values, widths),))

    def add(self, values: Sequence[Value], signs: Sequence[int], name: str) -> Value:
        """Sum of signed values, on the finest of their scales; offsets stay pending."""
        ready = [self.settle(v, name) if v.chain or v.view else v for v in values]
        offsets = [v.offset * s for v, s in zip(ready, signs, strict=True) if v.offset is not None]
        plain = [self.uniform(Value(v.op), name) for v in ready]
        scales = [float(self.channel_scales(v)[0]) for v in plain]
        common = common_scale(scales)
        factors = [s / common for s in scales]
        if max(factors) > 2.0**FINEST:
            raise Refusal(
                f"adds values of the scales {sorted(set(scales))}, which have no common step within {FINEST} bits",
                "let the branches share one quantizer before they are added",
            )
        whole = [int(f) * s for f, s in zip(factors, signs, strict=True)]
        op = self.builder.add(name, [v.op for v in plain], common, whole)
        return Value(op, np.sum(offsets, axis=0) if offsets else None)


def without_common(v: Value) -> Value:
    """Without the functions that do the same to all classes and keep their order."""
    chain = list(v.chain)
    while chain and not chain[-1].per_channel and chain[-1].affine is not None and (chain[-1].affine[0] > 0).all():
        chain.pop()
    if not chain and v.offset is not None and (v.offset == v.offset[0]).all():
        return Value(v.op, None, (), v.view)
    return replace(v, chain=tuple(chain))


def _one_or_all(scale: Floats) -> Scale:
    """One number where all channels agree."""
    return float(scale[0]) if (scale == scale[0]).all() else tuple(float(s) for s in scale)


def _scalar(values: IntArray) -> IntArray:
    """One number where all channels agree: cheaper to write and to read."""
    return values[0] if (values == values.flat[0]).all() and values.ndim else values


def _side_by_side(values: Sequence[Value], widths: Sequence[int]) -> Function:
    ends = np.cumsum(widths)

    def apply(x: Floats) -> Floats:
        parts = np.split(x, ends[:-1], axis=-1)
        done = [reduce(lambda y, f: f.apply(y), v.chain, part) for v, part in zip(values, parts, strict=True)]
        return np.concatenate(done, axis=-1)

    direction = np.concatenate(
        [
            np.broadcast_to(reduce(np.multiply, [f.direction for f in v.chain], np.array(1)), (n,))
            for v, n in zip(values, widths, strict=True)
        ]
    )
    return Function("joined branches", apply, direction, per_channel=True)
