"""From a NetSpec to a Keras model: QKeras layers, or plain ones for the float baseline."""

from __future__ import annotations

from typing import Any

from bitsmith.models.ir.errors import InputError
from bitsmith.models.train.framework import framework
from bitsmith.models.zoo.graph import INPUT, Grid, Node, nodes
from bitsmith.models.zoo.spec import (
    ConvSpec,
    DenseSpec,
    DepthwiseSpec,
    FlattenSpec,
    GlobalAvgPoolSpec,
    InputSpec,
    MergeSpec,
    NetSpec,
    PoolSpec,
    SeparableSpec,
    WeightedSpec,
)


def build_qkeras(spec: NetSpec, quantized: bool = True) -> Any:
    """The tf_keras model of ``spec``, weights freshly drawn; it ends in logits.

    ``quantized=False`` gives the float baseline: the same architecture and the
    same weights, in the same order, without any quantizer.  InputError if the
    spec has scales that QKeras does not.
    """
    _check_scales(spec)
    make = _Maker(framework(), spec, quantized)
    values = {INPUT: make.k.Input(spec.input.shape, name=INPUT)}
    start = values[INPUT]
    if quantized:
        values[INPUT] = make.q.QActivation(_input_quantizer(spec.input), name="quantized_input")(start)
    for node in nodes(spec):
        y = make.layer(node)([values[name] for name in node.inputs] if len(node.inputs) > 1 else values[node.inputs[0]])
        if node.batchnorm:
            y = make.k.BatchNormalization(name=f"{node.name}_norm")(y)
        activation = make.activation(node)
        values[node.name] = y if activation is None else activation(y)
    return make.keras.Model(start, values[nodes(spec)[-1].name], name="net")


def _check_scales(spec: NetSpec) -> None:
    """QKeras learns no scale: it takes those of weights from their largest magnitude, per output channel."""
    remedy = "or train with framework = 'brevitas'"
    if spec.activation_scales != "fixed":
        raise InputError(f"QKeras learns no scales of activations; set activation_scales = 'fixed', {remedy}")
    if spec.weight_scales == "tensor":
        raise InputError(
            f"QKeras has no scale per tensor of weights; set weight_scales = 'channel' or 'fixed', {remedy}"
        )
    single = [n.name for n in nodes(spec) if isinstance(n.layer, WeightedSpec) and n.weight_grid.bits == 1]
    if spec.weight_scales == "channel" and single:
        raise InputError(
            f"QKeras has no scale per channel of single-bit weights ({', '.join(single)}); "
            f"give them 2 bits or set weight_scales = 'fixed', {remedy}"
        )
    last = nodes(spec)[-1]
    if spec.weight_scales == "channel" and isinstance(last.layer, WeightedSpec) and last.layer.bias:
        raise InputError(
            f"QKeras rounds the bias of {last.name} to a grid that fits no scale per channel, and no quantizer behind "
            f"it makes integers of the sum; set bias = false there, weight_scales = 'fixed', {remedy}"
        )


def _bits(grid: Grid, signed: bool = True, alpha: str = "1") -> str:
    keep = "" if signed else ", keep_negative=False"
    return f"quantized_bits({grid.bits}, {grid.integer_bits}, alpha={alpha}{keep})"


def _input_quantizer(spec: InputSpec) -> str:
    return _bits(Grid(spec.bits, spec.integer_bits), spec.signed)


class _Maker:
    """Makes the layers of one model."""

    def __init__(self, fw: Any, spec: NetSpec, quantized: bool) -> None:
        self.keras, self.k, self.q, self.quantized = fw.keras, fw.keras.layers, fw.q, quantized
        self.alpha = "1" if spec.weight_scales == "fixed" else "'auto'"  # auto: per output channel

    def layer(self, node: Node) -> Any:
        """The Keras layer of ``node``, without its activation."""
        spec = node.layer
        if isinstance(spec, DenseSpec | ConvSpec | DepthwiseSpec | SeparableSpec):
            return self._weighted(node, spec)
        if isinstance(spec, PoolSpec):
            axes = len(spec.window)
            kind = {"maxpool": "MaxPooling", "avgpool": "AveragePooling"}[spec.kind]
            return getattr(self.k, f"{kind}{axes}D")(spec.window, strides=spec.strides, name=node.name)
        if isinstance(spec, GlobalAvgPoolSpec):
            return lambda x: getattr(self.k, f"GlobalAveragePooling{len(x.shape) - 2}D")(name=node.name)(x)
        if isinstance(spec, FlattenSpec):
            return self.k.Flatten(name=node.name)
        assert isinstance(spec, MergeSpec)
        return self.k.Add(name=node.name) if spec.kind == "add" else self.k.Concatenate(name=node.name)

    def _weighted(self, node: Node, spec: DenseSpec | ConvSpec | DepthwiseSpec | SeparableSpec) -> Any:
        options: dict[str, Any] = {"name": node.name, "use_bias": spec.bias and not node.batchnorm}
        weight, bias = _bits(node.weight_grid, alpha=self.alpha), _bits(node.bias_grid)
        if self.quantized and options["use_bias"]:
            options["bias_quantizer"] = bias
        if not isinstance(spec, DenseSpec):
            options |= {"kernel_size": spec.kernel, "padding": spec.padding}
            options["strides"] = spec.strides or (1,) * len(spec.kernel)
        quantizers: tuple[str, ...]
        if isinstance(spec, DenseSpec):
            kind, quantizers, options["units"] = "Dense", ("kernel",), spec.units
        elif isinstance(spec, ConvSpec):
            kind, quantizers, options["filters"] = f"Conv{len(spec.kernel)}D", ("kernel",), spec.filters
        elif isinstance(spec, DepthwiseSpec):
            kind, quantizers = "DepthwiseConv2D", ("depthwise",)
        else:
            kind, quantizers, options["filters"] = "SeparableConv2D", ("depthwise", "pointwise"), spec.filters
        if not self.quantized:
            return getattr(self.k, kind)(**options)
        options |= {f"{name}_quantizer": weight for name in quantizers}
        return getattr(self.q, f"Q{kind}")(**options)

    def activation(self, node: Node) -> Any:
        """The activation of ``node`` as a layer, None if there is none."""
        name, grid = f"{node.name}_{node.activation}", node.activation_grid
        if node.activation == "none" or (node.activation == "linear" and not self.quantized):
            return None
        if not self.quantized:
            return self.k.Activation(node.activation, name=name)
        quantizer = {
            "relu": f"quantized_relu({grid.bits}, {grid.integer_bits})",
            "linear": _bits(grid),
            "tanh": f"quantized_tanh({grid.bits})",
            "sigmoid": f"quantized_sigmoid({grid.bits})",
        }[node.activation]
        return self.q.QActivation(quantizer, name=name)
