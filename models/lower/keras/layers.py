"""What every Keras and QKeras layer does to a value: one function per kind."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bitsmith.models.ir import Pool, QuantType
from bitsmith.models.ir.ops import Pads, Shape
from bitsmith.models.ir.shapes import same_pads
from bitsmith.models.ir.types import IntArray
from bitsmith.models.ir.verify import times
from bitsmith.models.lower.functions import Floats, Function, Quantizer, Refusal
from bitsmith.models.lower.keras.activations import called, interpret, softmax
from bitsmith.models.lower.keras.weights import quantized_weights
from bitsmith.models.lower.lowering import Lowering, Value
from bitsmith.models.lower.weights import Weights

Handler = Callable[[Lowering, Any, Sequence[Value]], Value]

AS_IT_IS: Callable[[Any], Any] = lambda w: w  # noqa: E731  # kernels whose last axis is the output channel already


def activate(n: Lowering, v: Value, activation: Any, name: str) -> Value:
    """The value behind an ``activation`` argument: quantized, or with one more function to come."""
    meaning = interpret(activation)
    if meaning is None:
        return v
    return n.quantize(v, meaning, name) if isinstance(meaning, Quantizer) else n.then(v, meaning)


def linear(
    n: Lowering, layer: Any, x: Value, w: Weights, bias: Floats | None, make: Callable[[IntArray | None], str]
) -> Value:
    """``make(bias integers)`` adds the op; a bias that is not on the accumulator's grid stays pending."""
    v = n.biased(make, times(n.scale(x), w.scale), bias)
    return activate(n, v, layer.activation, f"{layer.name}_act")


def _bias(layer: Any, raw: Any = None) -> Floats | None:
    """The bias as the layer adds it."""
    if raw is None:
        raw = layer.bias if layer.use_bias else None
    if raw is None:
        return None
    quantizer = layer.bias_quantizer_internal if getattr(layer, "bias_quantizer", None) else None
    if quantizer is None:
        return np.asarray(raw, np.float64)
    return np.asarray(called(quantizer)(np.asarray(raw, np.float64)), np.float64)


def dense(n: Lowering, layer: Any, xs: Sequence[Value]) -> Value:
    """QDense, QDenseBatchnorm."""
    kernel, bias = layer.get_folded_weights() if _folds(layer) else (layer.kernel, None)
    w = quantized_weights(layer.name, "kernel", layer.kernel_quantizer_internal, kernel, AS_IT_IS)
    x = n.uniform(xs[0], layer.name)
    make = lambda b: n.builder.dense(layer.name, x.op, w.values, b, w.scale)  # noqa: E731
    return linear(n, layer, x, w, _bias(layer, bias), make)


def _folds(layer: Any) -> bool:
    return hasattr(layer, "get_folded_weights")


def conv(n: Lowering, layer: Any, xs: Sequence[Value]) -> Value:
    """QConv1D, QConv2D, QConv2DBatchnorm."""
    kernel, bias = layer.get_folded_weights() if _folds(layer) else (layer.kernel, None)
    w = quantized_weights(layer.name, "kernel", layer.kernel_quantizer_internal, kernel, AS_IT_IS)
    x = n.uniform(xs[0], layer.name)
    return linear(n, layer, x, w, _bias(layer, bias), _convolution(n, layer, x, w, layer.name, layer.groups))


def depthwise(n: Lowering, layer: Any, xs: Sequence[Value]) -> Value:
    """QDepthwiseConv2D, QDepthwiseConv2DBatchnorm."""
    kernel, bias = layer.get_folded_weights() if _folds(layer) else (layer.depthwise_kernel, None)
    quantizer = layer.depthwise_quantizer_internal
    w = quantized_weights(layer.name, "depthwise_kernel", quantizer, kernel, _per_channel_kernel)
    x = n.uniform(xs[0], layer.name)
    return linear(n, layer, x, w, _bias(layer, bias), _convolution(n, layer, x, w, layer.name, n.shape(x)[-1]))


def _per_channel_kernel(w: Any) -> Any:
    """(*kernel, channels, multiplier) to (*kernel, 1, channels * multiplier)."""
    return w.reshape(*w.shape[:-2], 1, w.shape[-2] * w.shape[-1])


def separable(n: Lowering, layer: Any, xs: Sequence[Value]) -> Value:
    """QSeparableConv1D, QSeparableConv2D: depthwise, then pointwise, nothing in between."""
    first = quantized_weights(
        layer.name, "depthwise_kernel", layer.depthwise_quantizer_internal, layer.depthwise_kernel, _per_channel_kernel
    )
    second = quantized_weights(
        layer.name, "pointwise_kernel", layer.pointwise_quantizer_internal, layer.pointwise_kernel, AS_IT_IS
    )
    x = n.uniform(xs[0], layer.name)
    v = Value(_convolution(n, layer, x, first, f"{layer.name}_depthwise", n.shape(x)[-1])(None))
    middle = n.uniform(v, layer.name)
    make = lambda b: n.builder.conv(f"{layer.name}_pointwise", middle.op, second.values, b, second.scale)  # noqa: E731
    return linear(n, layer, middle, second, _bias(layer), make)


def _convolution(
    n: Lowering, layer: Any, x: Value, w: Weights, name: str, groups: int
) -> Callable[[IntArray | None], str]:
    axes = w.values.ndim - 2
    kernel, strides, dilations = w.values.shape[:-2], tuple(layer.strides)[:axes], tuple(layer.dilation_rate)[:axes]
    pads = _pads(layer.padding, n.shape(x)[:-1], kernel, strides, dilations)
    return lambda b: n.builder.conv(name, x.op, w.values, b, w.scale, strides, pads, dilations, groups)


def _pads(padding: str, size: Shape, window: Shape, strides: Shape, dilations: Shape | None = None) -> Pads:
    if padding.lower() == "same":
        return same_pads(size, window, strides, dilations)
    if padding.lower() == "causal":
        return (((dilations or (1,))[0] * (window[0] - 1), 0),)
    return ((0, 0),) * len(window)


def activation(n: Lowering, layer: Any, xs: Sequence[Value]) -> Value:
    """Activation."""
    return activate(n, xs[0], layer.activation, layer.name)


def quantizer(n: Lowering, layer: Any, xs: Sequence[Value]) -> Value:
    """QActivation, QAdaptiveActivation."""
    return activate(n, xs[0], layer.quantizer, layer.name)


def relu(n: Lowering, layer: Any, xs: Sequence[Value]) -> Value:
    """ReLU, LeakyReLU, ELU, Softmax as layers of their own."""
    kind = type(layer).__name__
    if kind == "Softmax":
        return n.then(xs[0], softmax())
    plain = kind == "ReLU" and not layer.negative_slope and not layer.threshold
    top = math.inf if kind != "ReLU" or layer.max_value is None else float(layer.max_value)
    rising = kind in ("ReLU", "LeakyReLU", "ELU")
    clip = (0.0, top) if plain else None
    return n.then(xs[0], Function(kind, called(layer), np.array(1 if rising else 0), clip=clip))


def batchnorm(n: Lowering, layer: Any, xs: Sequence[Value]) -> Value:
    """BatchNormalization, QBatchNormalization: the layer itself computes it, channel by channel."""
    rank = len(n.shape(xs[0]))
    direct = called(lambda x: layer(x, training=False))

    def apply(x: Floats) -> Floats:
        return direct(x.reshape(len(x), *(1,) * (rank - 1), x.shape[-1])).reshape(x.shape)

    gamma = 1.0 if layer.gamma is None else np.asarray(layer.gamma)
    if layer.gamma is not None and getattr(layer, "gamma_quantizer", None):
        gamma = np.asarray(layer.gamma_quantizer_internal(layer.gamma))
    direction = np.where(np.asarray(gamma) < 0, -1, 1)
    return n.then(xs[0], Function(layer.name, apply, direction, per_channel=True))


def max_pool(n: Lowering, layer: Any, xs: Sequence[Value]) -> Value:
    """MaxPooling1D, MaxPooling2D, GlobalMaxPooling1D, GlobalMaxPooling2D."""
    pool = _pool(layer, n.shape(xs[0]), "max")
    return _after_global(n, layer, n.max_pool(xs[0], pool))


def average_pool(n: Lowering, layer: Any, xs: Sequence[Value]) -> Value:
    """AveragePooling1D, AveragePooling2D, their global forms, and QKeras's."""
    pool = _pool(layer, n.shape(xs[0]), "sum")
    if any(a or b for a, b in pool.pads):
        raise Refusal(
            "padding='same' averages over fewer places at the border",
            "use padding='valid', after ZeroPadding2D if need be",
        )
    size = math.prod(pool.window)
    factor, noise = 1.0 / size, None
    if getattr(layer, "average_quantizer", None):
        factor = float(called(layer.average_quantizer_internal)(np.float64(1.0 / size)))  # type: ignore[arg-type]
        if factor <= 0:
            raise Refusal(f"average_quantizer turns 1/{size} into {factor}", "give it more bits")
        noise = _averaging(size, factor) if size & (size - 1) else None
    v = n.average(xs[0], pool, factor, noise, layer.name)
    v = _after_global(n, layer, v)
    return activate(n, v, getattr(layer, "activation", None), f"{layer.name}_act")


def _averaging(size: int, factor: float) -> Function:
    """QKeras divides by the size and multiplies by it again, in float32: not quite the identity."""

    def apply(x: Floats) -> Floats:
        mean = (x / factor).astype(np.float32) / np.float32(size)
        scaled: Floats = ((mean * np.float32(size)) * np.float32(factor)).astype(np.float64)
        return scaled

    return Function("quantized mean", apply, np.array(1), is_noise=True)


def _pool(layer: Any, shape: Shape, mode: str) -> Pool:
    if "Global" in type(layer).__name__:
        window, strides, padding = shape[:-1], shape[:-1], "valid"
    else:
        size, steps, axes = layer.pool_size, layer.strides, len(shape) - 1
        window = tuple(size) if isinstance(size, tuple | list) else (size,) * axes
        strides = tuple(steps) if isinstance(steps, tuple | list) else (steps,) * axes
        padding = layer.padding
    pads = _pads(padding, shape[:-1], window, strides)
    one = QuantType(1, False)
    return Pool(name=layer.name, inputs=(), shape=(), type=one, mode=mode, window=window, strides=strides, pads=pads)


def _after_global(n: Lowering, layer: Any, v: Value) -> Value:
    if "Global" in type(layer).__name__ and not getattr(layer, "keepdims", False):
        return n.reshape(v, n.shape(v)[-1:], f"{layer.name}_flat")
    return v


def flatten(n: Lowering, layer: Any, xs: Sequence[Value]) -> Value:
    """Flatten, Reshape."""
    shape = tuple(int(d) for d in layer.compute_output_shape((None, *n.shape(xs[0])))[1:])
    return n.reshape(xs[0], shape, layer.name)


def zero_padding(n: Lowering, layer: Any, xs: Sequence[Value]) -> Value:
    """ZeroPadding1D, ZeroPadding2D."""
    pads = layer.padding
    pairs = (tuple(pads),) if isinstance(pads[0], int) else tuple((int(a), int(b)) for a, b in pads)
    return n.zero_padded(xs[0], pairs, layer.name)


def upsample(n: Lowering, layer: Any, xs: Sequence[Value]) -> Value:
    """UpSampling1D, UpSampling2D with nearest-neighbour interpolation."""
    v = n.spatial(xs[0], layer.name)
    size = layer.size if isinstance(layer.size, tuple | list) else (layer.size,)
    return Value(n.builder.upsample(layer.name, v.op, tuple(int(s) for s in size)), v.offset, v.chain)


def add(n: Lowering, layer: Any, xs: Sequence[Value]) -> Value:
    """Add, Subtract."""
    return n.add(xs, (1, -1) if type(layer).__name__ == "Subtract" else (1,) * len(xs), layer.name)


def concatenate(n: Lowering, layer: Any, xs: Sequence[Value]) -> Value:
    """Concatenate."""
    return n.concat(xs, layer.name)


def identity(n: Lowering, layer: Any, xs: Sequence[Value]) -> Value:
    """Layers that do nothing at inference."""
    return xs[0]


HANDLERS: dict[str, Handler] = {
    "QDense": dense,
    "QDenseBatchnorm": dense,
    "QConv1D": conv,
    "QConv2D": conv,
    "QConv2DBatchnorm": conv,
    "QDepthwiseConv2D": depthwise,
    "QDepthwiseConv2DBatchnorm": depthwise,
    "QSeparableConv1D": separable,
    "QSeparableConv2D": separable,
    "QActivation": quantizer,
    "QAdaptiveActivation": quantizer,
    "Activation": activation,
    "ReLU": relu,
    "LeakyReLU": relu,
    "ELU": relu,
    "Softmax": relu,
    "BatchNormalization": batchnorm,
    "QBatchNormalization": batchnorm,
    "MaxPooling1D": max_pool,
    "MaxPooling2D": max_pool,
    "GlobalMaxPooling1D": max_pool,
    "GlobalMaxPooling2D": max_pool,
    "AveragePooling1D": average_pool,
    "AveragePooling2D": average_pool,
    "QAveragePooling2D": average_pool,
    "GlobalAveragePooling1D": average_pool,
    "GlobalAveragePooling2D": average_pool,
    "QGlobalAveragePooling2D": average_pool,
    "Flatten": flatten,
    "Reshape": flatten,
    "ZeroPadding1D": zero_padding,
    "ZeroPadding2D": zero_padding,
    "UpSampling1D": upsample,
    "UpSampling2D": upsample,
    "Add": add,
    "Subtract": add,
    "Concatenate": concatenate,
}
