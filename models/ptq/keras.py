"""A float Keras model as a float ONNX graph, so that one quantizer after training serves both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bitsmith.models.ir import UnsupportedError
from bitsmith.models.ir.shapes import same_pads
from bitsmith.models.lower.keras.graph import graph_of, is_identity, layers_of, walk
from bitsmith.models.lower.keras.io import check_finite
from bitsmith.models.lower.onnx.graph import Array
from bitsmith.models.lower.onnx.io import OnnxModel, check_model, import_onnx

OPSET = 13
ACTIVATIONS = {
    "relu": "Relu",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "softmax": "Softmax",
    "softplus": "Softplus",
    "softsign": "Softsign",
    "selu": "Selu",
    "elu": "Elu",
    "exponential": "Exp",
}


@dataclass(frozen=True)
class _Value:
    """A value of the graph: images lie channels first, everything else as in Keras."""

    name: str
    shape: tuple[int, ...]  # Keras's, without the batch

    @property
    def axes(self) -> int:
        """Number of spatial axes."""
        return len(self.shape) - 1


def from_keras(model: Any, name: str) -> OnnxModel:
    """The inference graph of a float Keras model, rows in Keras's own layout (channels last).

    UnsupportedError listing every layer that has no ONNX form here.
    """
    graph_of(model)
    check_finite(model)
    unknown = [x for x in layers_of(model) if not is_identity(x) and type(x).__name__ not in LAYERS]
    if unknown:
        lines = "".join(f"\n  {x.name} ({type(x).__name__})" for x in unknown)
        raise UnsupportedError(
            f"model {model.name} cannot be quantized after training, it holds layers of no kind that a net has:{lines}"
        )
    w = _Writer()
    shape = tuple(int(d) for d in model.inputs[0].shape[1:])
    start = w.first("input", shape)

    def visit(layer: Any, xs: Sequence[_Value]) -> _Value:
        return xs[0] if is_identity(layer) else LAYERS[type(layer).__name__](w, layer, xs)

    end = w.last(walk(model, start, visit))
    proto = w.model(shape, end)
    check_model(proto, name)
    return OnnxModel(name, proto)


class _Writer:
    """Nodes and constants; every method adds a node and returns its value."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.names = {"input"}
        self.constants: dict[str, Array] = {}

    def add(self, op: str, inputs: Sequence[str], shape: tuple[int, ...], label: str = "", **options: Any) -> _Value:
        """A node named after ``label``, made unique."""
        name = label or op.lower()
        if name in self.names:
            name = f"{name}_{op.lower()}" if f"{name}_{op.lower()}" not in self.names else f"{name}_{len(self.nodes)}"
        self.names.add(name)
        self.nodes.append(import_onnx().helper.make_node(op, list(inputs), [name], name=name, **options))
        return _Value(name, shape)

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        """An initializer."""
        name = f"constant_{len(self.constants)}"
        self.constants[name] = np.asarray(value, dtype)
        return name

    def first(self, name: str, shape: tuple[int, ...]) -> _Value:
        """A channels-last value, channels first from here on."""
        axes = len(shape) - 1
        if axes < 1:
            return _Value(name, shape)
        return self.add("Transpose", [name], shape, perm=[0, axes + 1, *range(1, axes + 1)])

    def last(self, x: _Value) -> str:
        """The value's name with the channels last."""
        if x.axes < 1:
            return x.name
        return self.add("Transpose", [x.name], x.shape, perm=[0, *range(2, x.axes + 2), 1]).name

    def model(self, shape: tuple[int, ...], end: str) -> Any:
        """The ``onnx.ModelProto``."""
        onnx = import_onnx()
        helper = onnx.helper
        graph = helper.make_graph(
            self.nodes,
            "keras",
            [helper.make_tensor_value_info("input", 1, [1, *shape])],
            [helper.make_tensor_value_info(end, 1, None)],
            [onnx.numpy_helper.from_array(np.asarray(v, order="C"), k) for k, v in self.constants.items()],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


def _out(layer: Any, xs: Sequence[_Value]) -> tuple[int, ...]:
    given = [(None, *x.shape) for x in xs]
    return tuple(int(d) for d in layer.compute_output_shape(given[0] if len(given) == 1 else given)[1:])


def _activated(w: _Writer, layer: Any, y: _Value, activation: Any = None) -> _Value:
    function = activation or getattr(layer, "activation", None)
    name = getattr(function, "__name__", "linear")
    if name == "linear":
        return y
    if name == "relu6":
        return w.add("Clip", [y.name, w.constant(0.0), w.constant(6.0)], y.shape, layer.name)
    if name not in ACTIVATIONS:
        raise UnsupportedError(
            f"layer {layer.name}: activation {name!r} is not known; use one of {', '.join(ACTIVATIONS)}"
        )
    options = {"axis": -1} if name == "softmax" else {}
    return w.add(ACTIVATIONS[name], [y.name], y.shape, layer.name, **options)


def _dense(w: _Writer, layer: Any, xs: Sequence[_Value]) -> _Value:
    x, shape = xs[0], _out(layer, xs)
    y = w.add("MatMul", [w.last(x), w.constant(layer.kernel)], shape, layer.name)
    if layer.use_bias:
        y = w.add("Add", [y.name, w.constant(layer.bias)], shape, layer.name)
    return _activated(w, layer, y if x.axes < 1 else w.first(y.name, shape))


def _convolution(
    w: _Writer, layer: Any, x: _Value, kernel: Array, bias: Any, shape: tuple[int, ...], groups: int
) -> _Value:
    """``kernel`` (*window, in / groups, out)."""
    axes = x.axes
    window, strides, dilations = kernel.shape[:axes], tuple(layer.strides)[:axes], tuple(layer.dilation_rate)[:axes]
    pads: Sequence[tuple[int, int]] = [(0, 0)] * axes
    if layer.padding == "same":
        pads = same_pads(x.shape[:-1], window, strides, dilations)
    elif layer.padding == "causal":
        pads = [(dilations[0] * (window[0] - 1), 0)]
    given = [x.name, w.constant(np.moveaxis(kernel, (-1, -2), (0, 1)))]
    if bias is not None:
        given.append(w.constant(bias))
    options = {
        "kernel_shape": window,
        "strides": strides,
        "dilations": dilations,
        "group": groups,
        "pads": [a for a, _ in pads] + [b for _, b in pads],
    }
    return w.add("Conv", given, shape, layer.name, **options)


def _conv(w: _Writer, layer: Any, xs: Sequence[_Value]) -> _Value:
    bias = layer.bias if layer.use_bias else None
    y = _convolution(w, layer, xs[0], np.asarray(layer.kernel), bias, _out(layer, xs), layer.groups)
    return _activated(w, layer, y)


def _per_channel(kernel: Any) -> Array:
    k = np.asarray(kernel)
    return k.reshape(*k.shape[:-2], 1, k.shape[-2] * k.shape[-1])


def _depthwise(w: _Writer, layer: Any, xs: Sequence[_Value]) -> _Value:
    bias = layer.bias if layer.use_bias else None
    groups = xs[0].shape[-1]
    y = _convolution(w, layer, xs[0], _per_channel(layer.depthwise_kernel), bias, _out(layer, xs), groups)
    return _activated(w, layer, y)


def _separable(w: _Writer, layer: Any, xs: Sequence[_Value]) -> _Value:
    x, out = xs[0], _out(layer, xs)
    kernel = _per_channel(layer.depthwise_kernel)
    middle = _convolution(w, layer, x, kernel, None, (*out[:-1], kernel.shape[-1]), x.shape[-1])
    weight = w.constant(np.moveaxis(np.asarray(layer.pointwise_kernel), (-1, -2), (0, 1)))
    given = [middle.name, weight, *([w.constant(layer.bias)] if layer.use_bias else [])]
    return _activated(w, layer, w.add("Conv", given, out, layer.name))


def _batchnorm(w: _Writer, layer: Any, xs: Sequence[_Value]) -> _Value:
    x = xs[0]
    channels = x.shape[-1]
    gamma = np.ones(channels) if layer.gamma is None else layer.gamma
    beta = np.zeros(channels) if layer.beta is None else layer.beta
    given = [x.name, *(w.constant(v) for v in (gamma, beta, layer.moving_mean, layer.moving_variance))]
    return w.add("BatchNormalization", given, x.shape, layer.name, epsilon=float(layer.epsilon))


def _activation(w: _Writer, layer: Any, xs: Sequence[_Value]) -> _Value:
    return _activated(w, layer, xs[0])


def _relu(w: _Writer, layer: Any, xs: Sequence[_Value]) -> _Value:
    x, kind = xs[0], type(layer).__name__
    if kind == "Softmax":
        return w.add("Softmax", [x.name], x.shape, layer.name, axis=-1)
    if kind == "ELU":
        return w.add("Elu", [x.name], x.shape, layer.name, alpha=float(layer.alpha))
    slope = float(layer.alpha if kind == "LeakyReLU" else layer.negative_slope)
    y = (
        w.add("LeakyRelu", [x.name], x.shape, layer.name, alpha=slope)
        if slope
        else w.add("Relu", [x.name], x.shape, layer.name)
    )
    top = getattr(layer, "max_value", None)
    return y if top is None else w.add("Clip", [y.name, "", w.constant(float(top))], x.shape, layer.name)


def _pool(w: _Writer, layer: Any, xs: Sequence[_Value]) -> _Value:
    x, kind = xs[0], type(layer).__name__
    op = "MaxPool" if "Max" in kind else "AveragePool"
    if "Global" in kind:
        y = w.add(f"Global{op}", [x.name], (*(1,) * x.axes, x.shape[-1]), layer.name)
        return y if getattr(layer, "keepdims", False) else w.add("Flatten", [y.name], x.shape[-1:], layer.name)
    window, strides = (v if isinstance(v, tuple | list) else (v,) for v in (layer.pool_size, layer.strides))
    pads = same_pads(x.shape[:-1], tuple(window), tuple(strides)) if layer.padding == "same" else ((0, 0),) * x.axes
    flat = [a for a, _ in pads] + [b for _, b in pads]
    return w.add(op, [x.name], _out(layer, xs), layer.name, kernel_shape=window, strides=strides, pads=flat)


def _reshape(w: _Writer, layer: Any, xs: Sequence[_Value]) -> _Value:
    shape = _out(layer, xs)
    y = w.add("Reshape", [w.last(xs[0]), w.constant([-1, *shape], np.int64)], shape, layer.name)
    return w.first(y.name, shape)


def _zero_padding(w: _Writer, layer: Any, xs: Sequence[_Value]) -> _Value:
    pads = layer.padding
    pairs = [tuple(pads)] if isinstance(pads[0], int) else [tuple(p) for p in pads]
    flat = [0, 0, *(a for a, _ in pairs), 0, 0, *(b for _, b in pairs)]
    return w.add("Pad", [xs[0].name, w.constant(flat, np.int64)], _out(layer, xs), layer.name)


def _upsample(w: _Writer, layer: Any, xs: Sequence[_Value]) -> _Value:
    size = layer.size if isinstance(layer.size, tuple | list) else (layer.size,)
    given = [xs[0].name, "", w.constant([1.0, 1.0, *size])]
    options = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return w.add("Resize", given, _out(layer, xs), layer.name, **options)


def _merge(w: _Writer, layer: Any, xs: Sequence[_Value]) -> _Value:
    names, kind, shape = [x.name for x in xs], type(layer).__name__, _out(layer, xs)
    if kind == "Concatenate":
        return w.add("Concat", names, shape, layer.name, axis=1)
    return w.add("Sub" if kind == "Subtract" else "Sum" if len(xs) > 2 else "Add", names, shape, layer.name)


Maker = Callable[[_Writer, Any, Sequence[_Value]], _Value]
LAYERS: dict[str, Maker] = {
    "Dense": _dense,
    "Conv1D": _conv,
    "Conv2D": _conv,
    "DepthwiseConv2D": _depthwise,
    "SeparableConv1D": _separable,
    "SeparableConv2D": _separable,
    "BatchNormalization": _batchnorm,
    "Activation": _activation,
    **dict.fromkeys(("ReLU", "LeakyReLU", "ELU", "Softmax"), _relu),
    **dict.fromkeys(
        (f"{scope}{mode}Pooling{n}D" for scope in ("", "Global") for mode in ("Max", "Average") for n in (1, 2)), _pool
    ),
    **dict.fromkeys(("Flatten", "Reshape"), _reshape),
    **dict.fromkeys(("ZeroPadding1D", "ZeroPadding2D"), _zero_padding),
    **dict.fromkeys(("UpSampling1D", "UpSampling2D"), _upsample),
    **dict.fromkeys(("Add", "Subtract", "Concatenate"), _merge),
}
