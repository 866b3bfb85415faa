"""What every ONNX node does to tensors: one function per kind of layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from bitsmith.models.ir import Pool, QuantType
from bitsmith.models.ir.ops import Pads, Shape
from bitsmith.models.ir.shapes import same_pads
from bitsmith.models.ir.verify import times
from bitsmith.models.lower.functions import Function, Refusal
from bitsmith.models.lower.lowering import Value
from bitsmith.models.lower.onnx.branches import meeting
from bitsmith.models.lower.onnx.functions import ELEMENTWISE, function, quantizer
from bitsmith.models.lower.onnx.graph import QUANTIZERS, Array, Node, channel_axis, text
from bitsmith.models.lower.onnx.run import resized_places
from bitsmith.models.lower.onnx.state import Given, State, constant, tensor
from bitsmith.models.lower.onnx.values import (
    ORDER,
    Constant,
    Tensor,
    as_image,
    flat,
    image,
    in_order,
    per_channel,
    plain,
)
from bitsmith.models.lower.onnx.weights import weights
from bitsmith.models.lower.scales import steps_of
from bitsmith.models.lower.weights import Weights

Handler = Callable[[State, Node, Sequence[Given]], Tensor]


# -- elementwise ---------------------------------------------------------------------------------------------------


def elementwise(s: State, node: Node, xs: Sequence[Given]) -> Tensor:
    """A function of every element, its other inputs constants; or a sum of branches."""
    at = [i for i, x in enumerate(xs) if isinstance(x, Tensor)]
    if len(at) > 1:
        return meeting(s, node, xs)
    t = tensor(xs[at[0]])
    others = [x.values if isinstance(x, Constant) else None for i, x in enumerate(xs) if i != at[0]]
    if node.op == "BatchNormalization":
        others = [_on_axis_1(t, c) for c in others if c is not None]
    if node.op == "PRelu":
        others = [c if c is None or c.size == 1 else c.reshape((1, *c.shape)[-len(t.shape) - 1 :]) for c in others]
    t, held = _held(s, node, t, others)
    if node.op == "BatchNormalization":  # takes vectors, even for one channel
        held = [np.broadcast_to(np.asarray(h), s.n.shape(t.value)[-1:]) for h in held]
    f = function(s.graph, node, held, at[0], s.precision(node, t.value))
    if f.affine is not None and node.op in ("Add", "Sub") and (f.affine[0] == 1).all():
        added = next(x for x in xs if isinstance(x, Constant))
        real = per_channel(s.n, t, added.real if node.op == "Add" else -added.real)
        step = None if added.step is None else per_channel(s.n, t, added.step)
        assert real is not None, "_held() made every element a channel"
        return _with_offset(s, t, f, real, step)
    return t.holding(s.n.then(t.value, f))


def _on_axis_1(t: Tensor, c: Array) -> Array:
    """A vector of channels, shaped to be broadcast over ONNX's axis 1."""
    return c.reshape(1, -1, *(1,) * (len(t.shape) - 1))


def _held(s: State, node: Node, t: Tensor, others: Sequence[Array | None]) -> tuple[Tensor, list[Array | None]]:
    """Constants as scalars or per channel; where they differ within a channel, every element becomes a channel."""
    held = [None if c is None else per_channel(s.n, t, c) for c in others]
    if any(c is not None and h is None for c, h in zip(others, held, strict=True)):
        t = flat(s.n, t, node.name)
        held = [None if c is None else per_channel(s.n, t, c) for c in others]
    return t, held


def _with_offset(s: State, t: Tensor, f: Function, real: Array, step: Array | None) -> Tensor:
    """A constant added right behind a layer is its bias; ``step`` is what the constant's quantizer counts in."""
    v, offset = t.value, np.broadcast_to(real, s.n.channel_scales(t.value).shape)
    if v.chain or v.view is not None:
        return t.holding(s.n.then(v, f))
    if v.offset is not None:
        return t.holding(replace(v, offset=v.offset + offset, offset_step=None))
    steps, alone = steps_of(offset, s.n.scale(v)), s.reads_alone(v.op)
    if steps is not None and alone and s.n.builder.add_bias(v.op, steps):
        return t
    return t.holding(replace(v, offset=offset, offset_step=step, is_bias=alone))


def quantize(s: State, node: Node, xs: Sequence[Given]) -> Tensor:
    """Quant, BipolarQuant, Trunc, MultiThreshold of a value."""
    t = tensor(xs[0])
    if node.name == s.absorbed:
        return t
    others: list[Array | None] = [constant(x, "parameters").values for x in xs[1:]]
    if node.op == "MultiThreshold":
        return _thresholds(s, node, t, others[0])
    t, held = _held(s, node, t, others)
    known = [h for h in held if h is not None]
    return t.holding(s.n.quantize(t.value, quantizer(s.graph, node, known, s.precision(node, t.value)), node.name))


def _thresholds(s: State, node: Node, t: Tensor, rows: Array | None) -> Tensor:
    assert rows is not None
    axis = channel_axis(node, len(t.shape) + 1) - 1
    if len(rows) > 1:
        numbers = np.arange(len(rows)).reshape([-1 if i == axis else 1 for i in range(len(t.shape))])
        t, held = _held(s, node, t, [numbers[None]])
        assert held[0] is not None
        rows = rows[held[0]] if held[0].ndim else rows
    return t.holding(s.n.quantize(t.value, quantizer(s.graph, node, [rows], s.precision(node, t.value)), node.name))


# -- layers with weights -------------------------------------------------------------------------------------------


def matmul(s: State, node: Node, xs: Sequence[Given]) -> Tensor:
    """MatMul by a constant on the last axis."""
    if not isinstance(xs[1], Constant):
        raise Refusal("multiplies two values with each other", "attention has no op in a net; restructure it")
    return _dense(s, node, tensor(xs[0]), constant(xs[1], "weight"), None)


def gemm(s: State, node: Node, xs: Sequence[Given]) -> Tensor:
    """Gemm with a constant weight and bias."""
    if node.attributes.get("transA", 0):
        raise Refusal("transposes its input", "export it with transA=0")
    weight, alpha, beta = constant(xs[1], "weight"), node.attributes.get("alpha", 1.0), node.attributes.get("beta", 1.0)
    if node.attributes.get("transB", 0):
        weight = Constant(weight.values.T, None if weight.step is None else weight.step.T)
    bias = constant(xs[2], "bias") if len(xs) > 2 and xs[2] is not None else None
    if alpha != 1.0 or beta != 1.0:
        raise Refusal(f"has alpha={alpha} and beta={beta}", "export it with both 1")
    return _dense(s, node, tensor(xs[0]), weight, bias)


def _dense(s: State, node: Node, t: Tensor, weight: Constant, bias: Constant | None) -> Tensor:
    w = weights(node, weight, lambda a: a)
    if w.values.ndim != 2 or t.shape[-1] != len(w.values):
        raise Refusal(f"multiplies {t.shape} by a weight of shape {w.values.shape}", "the shapes do not suit")
    n_in = len(w.values)
    if len(t.shape) == 1:
        t = flat(s.n, t, node.name)
        order = t.places
    else:
        rows = t.places.reshape(-1, n_in)
        order = rows[0]
        if (rows != order + n_in * np.arange(len(rows))[:, None]).any() or sorted(order) != list(range(n_in)):
            raise Refusal("multiplies along an axis that is not the last one of the net's value", ORDER)
        t = Tensor(s.n.reshape(s.n.settle(t.value, node.name), t.shape, f"{node.name}_rows"), t.places)
    values = np.empty_like(w.values)
    values[order] = w.values
    x = s.n.uniform(t.value, node.name)
    real, step = _bias(node, bias, w.values.shape[-1])
    scales = times(s.n.scale(x), w.scale)
    y = s.n.biased(lambda b: s.n.builder.dense(node.name, x.op, values, b, w.scale), scales, real, step)
    return plain(s.n, y)


def _bias(node: Node, bias: Constant | None, channels: int) -> tuple[Array | None, Array | None]:
    """Real bias per channel, and its step where a quantizer made it."""
    if bias is None:
        return None, None
    if bias.values.size not in (1, channels):
        raise Refusal(f"adds a bias of shape {bias.values.shape} to {channels} channels", "give one per channel")
    step = None if bias.step is None else np.broadcast_to(bias.step.reshape(-1), (channels,))
    return np.broadcast_to(bias.real.reshape(-1), (channels,)), step


def conv(s: State, node: Node, xs: Sequence[Given]) -> Tensor:
    """Conv, 1-D and 2-D, in groups."""
    t, weight = tensor(xs[0]), constant(xs[1], "weight")
    axes = weight.values.ndim - 2
    if axes not in (1, 2) or len(t.shape) != axes + 1:
        raise Refusal(f"convolves {t.shape} with a kernel of shape {weight.values.shape}", "use 1-D or 2-D")
    w: Weights = weights(node, weight, lambda a: np.moveaxis(a, (0, 1), (-1, -2)))
    v = as_image(s.n, t, node.name)
    groups = int(node.attributes.get("group", 1))
    keeps_channels = groups == s.n.shape(v)[-1] == w.values.shape[-1]
    x = s.n.settle(v, node.name) if keeps_channels else s.n.uniform(v, node.name)
    kernel, size = w.values.shape[:-2], s.n.shape(x)[:-1]
    strides, dilations = node.ints("strides", (1,) * axes), node.ints("dilations", (1,) * axes)
    pads = _pads(node, size, kernel, strides, dilations)
    real, step = _bias(node, constant(xs[2], "bias") if len(xs) > 2 and xs[2] is not None else None, w.values.shape[-1])
    y = s.n.biased(
        lambda b: s.n.builder.conv(node.name, x.op, w.values, b, w.scale, strides, pads, dilations, groups),
        times(s.n.scale(x), w.scale),
        real,
        step,
    )
    return image(s.n, y)


def _pads(node: Node, size: Shape, window: Shape, strides: Shape, dilations: Shape) -> Pads:
    mode = text(node.attributes.get("auto_pad", "NOTSET"))
    if mode.startswith("SAME"):
        pads = same_pads(size, window, strides, dilations)
        return pads if mode == "SAME_UPPER" else tuple((b, a) for a, b in pads)
    axes = len(window)
    given = node.ints("pads", (0,) * 2 * axes) if mode == "NOTSET" else (0,) * 2 * axes
    return tuple(zip(given[:axes], given[axes:], strict=True))


# -- pooling and places --------------------------------------------------------------------------------------------


def pool(s: State, node: Node, xs: Sequence[Given]) -> Tensor:
    """MaxPool, AveragePool and their global forms."""
    t = tensor(xs[0])
    v = as_image(s.n, t, node.name)
    shape = s.n.shape(v)
    mode: Literal["max", "sum"] = "max" if "Max" in node.op else "sum"
    if node.op.startswith("Global"):
        window, strides, pads = shape[:-1], shape[:-1], ((0, 0),) * (len(shape) - 1)
    else:
        window = node.ints("kernel_shape", ())
        strides = node.ints("strides", (1,) * len(window))
        pads = _pool_pads(node, shape[:-1], window, strides)
    if any(d != 1 for d in node.ints("dilations", (1,))):
        raise Refusal("pools with dilations", "use dilations of 1")
    if mode == "sum" and any(a or b for a, b in pads) and not node.attributes.get("count_include_pad", 0):
        raise Refusal("averages over fewer places at the border", "use count_include_pad=1, or no padding")
    return image(s.n, _pooled(s, node, v, mode, window, strides, pads, 1.0 / math.prod(window)))


def _pool_pads(node: Node, size: Shape, window: Shape, strides: Shape) -> Pads:
    pads = _pads(node, size, window, strides, (1,) * len(window))
    if not node.attributes.get("ceil_mode", 0):
        return pads
    more = [-(a + n + b - k) % step for (a, b), n, k, step in zip(pads, size, window, strides, strict=True)]
    if any(more) and "Max" not in node.op:
        raise Refusal("averages over fewer places at the border (ceil_mode)", "use ceil_mode=0")
    ends = []
    for m, n, (a, b), k, step in zip(more, size, pads, window, strides, strict=True):
        start = (a + n + b + m - k) // step * step  # of the last window; one that starts behind the data is left out
        ends.append(b + m if start < a + n else b + m - step)
    return tuple((a, max(end, 0)) for (a, _), end in zip(pads, ends, strict=True))


def reduce_places(s: State, node: Node, xs: Sequence[Given]) -> Tensor:
    """ReduceMean, ReduceSum and ReduceMax over one or all spatial axes: a pool as large as they are."""
    t = tensor(xs[0])
    axes = node.ints("axes", ())
    if len(xs) > 1 and xs[1] is not None:
        axes = tuple(int(a) for a in constant(xs[1], "axes").values)
    rank = len(t.shape) + 1
    over = sorted(a % rank for a in axes)
    last = in_order(t.places) and over[-1:] < [rank - 1]  # channels last, as behind a MatMul
    if not over or over[0] < (1 if last else 2):
        raise Refusal(f"reduces the axes {axes} of {(1, *t.shape)}", "reduce spatial axes, or use a pooling layer")
    if last:
        v, first = s.n.reshape(s.n.settle(t.value, node.name), t.shape, f"{node.name}_rows"), 1
    else:
        v, first = as_image(s.n, t, node.name), 2
    window = tuple(n if i + first in over else 1 for i, n in enumerate(s.n.shape(v)[:-1]))
    mode: Literal["max", "sum"] = "max" if node.op == "ReduceMax" else "sum"
    factor = 1.0 / math.prod(window) if node.op == "ReduceMean" else 1.0
    done = _pooled(s, node, v, mode, window, window, ((0, 0),) * len(window), factor)
    y = plain(s.n, done) if last else image(s.n, done)
    kept = tuple(n for i, n in enumerate(y.shape) if i + 1 not in over)
    return y if node.attributes.get("keepdims", 1) else Tensor(y.value, y.places.reshape(kept))


def _pooled(
    s: State,
    node: Node,
    v: Value,
    mode: Literal["max", "sum"],
    window: Shape,
    strides: Shape,
    pads: Pads,
    by: float,
) -> Value:
    """The maximum of windows, or ``by`` times their sum."""
    one = QuantType(1, False)
    p = Pool(name=node.name, inputs=(), shape=(), type=one, mode=mode, window=window, strides=strides, pads=pads)
    return s.n.max_pool(v, p) if mode == "max" else s.n.average(v, p, by, None, node.name)


def pad(s: State, node: Node, xs: Sequence[Given]) -> Tensor:
    """Pad with zeros around the spatial axes."""
    t = tensor(xs[0])
    given = node.ints("pads", ()) or tuple(int(p) for p in constant(xs[1], "pads").values)
    value = float(node.attributes.get("value", 0.0))
    if len(xs) > 2 and xs[2] is not None:
        value = float(constant(xs[2], "value").values.reshape(-1)[0])
    half = len(given) // 2
    pairs = tuple(zip(given[:half], given[half:], strict=True))
    if text(node.attributes.get("mode", "constant")) != "constant" or value:
        raise Refusal("pads with other values than zero", "pad with zeros")
    if half != len(t.shape) + 1 or any(a or b for a, b in pairs[:2]) or any(a < 0 or b < 0 for a, b in pairs):
        raise Refusal(f"pads by {pairs}", "pad the spatial axes only")
    if not any(a or b for a, b in pairs):
        return t
    return image(s.n, s.n.zero_padded(as_image(s.n, t, node.name), pairs[2:], node.name))


def resize(s: State, node: Node, xs: Sequence[Given]) -> Tensor:
    """Resize and Upsample by whole factors, nearest neighbour: onnxruntime shows on a plane whether it repeats."""
    t = tensor(xs[0])
    v = s.n.spatial(as_image(s.n, t, node.name), node.name)
    size = s.n.shape(v)[:-1]
    others = [None if x is None else constant(x, "scales").values for x in xs[1:]]
    places = resized_places(s.graph, node, size, others)
    factors = tuple(max(new // old, 1) for new, old in zip(places.shape, size, strict=True))
    wanted = np.arange(math.prod(size)).reshape(size)
    for axis, factor in enumerate(factors):
        wanted = np.repeat(wanted, factor, axis=axis)
    if (
        wanted.shape != places.shape
        or (wanted != places).any()
        or text(node.attributes.get("mode", "nearest")) != "nearest"
    ):
        raise Refusal("does not repeat every place a whole number of times", "use mode='nearest' and whole factors")
    up = s.n.builder.upsample(node.name, v.op, factors)
    return image(s.n, Value(up, v.offset, v.chain))


def concat(s: State, node: Node, xs: Sequence[Given]) -> Tensor:
    """Concat of values on the channels."""
    ts = [tensor(x) for x in xs]
    rank = len(ts[0].shape) + 1
    axis = int(node.attributes["axis"]) % rank
    if rank == 2:
        ready = [flat(s.n, t, node.name) for t in ts]
        ends = np.cumsum([0, *(t.places.size for t in ready)])
        places = np.concatenate([t.places + end for t, end in zip(ready, ends[:-1], strict=True)])
        return Tensor(s.n.concat([t.value for t in ready], node.name), places)
    if axis == 1:
        return image(s.n, s.n.concat([as_image(s.n, t, node.name) for t in ts], node.name))
    if axis == rank - 1 and all(in_order(t.places) and s.n.shape(t.value) == t.shape for t in ts):
        return plain(s.n, s.n.concat([t.value for t in ts], node.name))
    raise Refusal(f"joins along axis {axis}", "join channels (axis 1)")


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(sorted(ELEMENTWISE), elementwise),
    **dict.fromkeys(QUANTIZERS, quantize),
    "Sum": meeting,
    "MatMul": matmul,
    "Gemm": gemm,
    "Conv": conv,
    "MaxPool": pool,
    "AveragePool": pool,
    "GlobalAveragePool": pool,
    "GlobalMaxPool": pool,
    "ReduceMean": reduce_places,
    "ReduceSum": reduce_places,
    "ReduceMax": reduce_places,
    "Pad": pad,
    "Resize": resize,
    "Upsample": resize,
    "Concat": concat,
}
