"""From a NetSpec to a PyTorch module: Brevitas layers, or plain ones for the float baseline.

The module takes rows as the data sets give them, channels last, and turns them
around itself; a flatten turns them back before, so that a weight means the same
as in the Keras model of the spec.
"""

from __future__ import annotations

import math
from functools import cache
from types import SimpleNamespace
from typing import Any

from bitsmith.models.train import brevitas_quantizers as quantizers
from bitsmith.models.train.brevitas_plan import Steps
from bitsmith.models.train.torch_framework import framework
from bitsmith.models.zoo.graph import INPUT, Grid, Node, Shape, nodes
from bitsmith.models.zoo.spec import (
    ConvSpec,
    DenseSpec,
    DepthwiseSpec,
    FlattenSpec,
    GlobalAvgPoolSpec,
    MergeSpec,
    NetSpec,
    PoolSpec,
    SeparableSpec,
)

BATCHNORM_EPSILON = 1e-3  # Keras's
PREFIX = "node_"  # of a module's name: a node may be called like a method of torch's


def build_brevitas(spec: NetSpec, quantized: bool = True) -> Any:
    """The torch module of ``spec``, weights freshly drawn: rows (n, *input shape) to logits (n, classes).

    ``quantized=False`` gives the float baseline: the same architecture and the
    same names of weights, without any quantizer.  InputError if learned steps
    were asked for where no exact net has them (:mod:`bitsmith.models.train.brevitas_plan`).
    """
    make = _Maker(spec, quantized)
    shapes = {INPUT: spec.input.shape} | {node.name: node.shape for node in nodes(spec)}
    net = _net_class()(nodes(spec), make.input())
    for node in net.plan:
        net.add_module(PREFIX + node.name, make.sequence(node, shapes[node.inputs[0]]))
    return net


def weighted_modules(net: Any) -> list[tuple[str, Any]]:
    """Every module of a quantized net that has weights, with the name of its node, in order."""
    parts = [(node.name, part) for node in net.plan for part in net.modules_of(node)]
    return [(name, part) for name, part in parts if hasattr(part, "weight_quant")]


@cache
def _net_class() -> Any:
    fw = framework()

    class Net(fw.nn.Module):  # type: ignore[misc, name-defined]  # a class of an untyped library
        """The nodes of a spec, each a sequence of modules."""

        def __init__(self, plan: tuple[Node, ...], start: Any) -> None:
            super().__init__()
            self.plan = plan
            self.start = start

        def modules_of(self, node: Node) -> Any:
            """The sequence of ``node``."""
            return getattr(self, PREFIX + node.name)

        def values(self, x: Any) -> dict[str, Any]:
            """The value of every node, channels first."""
            found = {INPUT: self.start(x)}
            for node in self.plan:
                inputs = [found[name] for name in node.inputs]
                found[node.name] = self.modules_of(node)(inputs if len(inputs) > 1 else inputs[0])
            return found

        def forward(self, x: Any) -> Any:
            return self.values(x)[self.plan[-1].name]

    return Net


@cache
def _module_classes() -> Any:
    fw = framework()

    class Permute(fw.nn.Module):  # type: ignore[misc, name-defined]
        """Axes in another order, the batch's stays."""

        def __init__(self, *order: int) -> None:
            super().__init__()
            self.order = (0, *order)

        def forward(self, x: Any) -> Any:
            return x.permute(self.order)

    class Merge(fw.nn.Module):  # type: ignore[misc, name-defined]
        """Branches added, or joined on the channels."""

        def __init__(self, kind: str) -> None:
            super().__init__()
            self.kind = kind

        def forward(self, branches: list[Any]) -> Any:
            return fw.torch.cat(branches, dim=1) if self.kind == "concat" else sum(branches[1:], start=branches[0])

    class HardSigmoid(fw.nn.Module):  # type: ignore[misc, name-defined]
        """x / 2 + 1/2; the quantizer behind it clips (QKeras's sigmoid)."""

        def forward(self, x: Any) -> Any:
            return x * 0.5 + 0.5

    return SimpleNamespace(Permute=Permute, Merge=Merge, HardSigmoid=HardSigmoid)


class _Maker:
    """Makes the modules of one net."""

    def __init__(self, spec: NetSpec, quantized: bool) -> None:
        fw = framework()
        self.spec, self.nn, self.qnn = spec, fw.nn, fw.qnn
        self.own = _module_classes()
        self.steps = Steps(spec) if quantized else None

    def input(self) -> Any:
        """Quantizes, then brings the channels to the front."""
        spec = self.spec.input
        parts: list[tuple[str, Any]] = []
        if self.steps is not None:
            parts += self.grid(Grid(spec.bits, spec.integer_bits), spec.signed, self.steps.input, "quant")
        if len(spec.shape) > 1:
            axes = len(spec.shape)
            parts.append(("permute", self.own.Permute(axes, *range(1, axes))))
        return self.named(parts)

    def sequence(self, node: Node, shape: Shape) -> Any:
        """The modules of ``node``, whose first input has ``shape``."""
        parts = self.layer(node, shape)
        if node.batchnorm:
            kind = getattr(self.nn, f"BatchNorm{max(1, len(node.shape) - 1)}d")
            parts.append(("norm", kind(node.shape[-1], eps=BATCHNORM_EPSILON)))
        return self.named(parts + self.activation(node))

    def named(self, parts: list[tuple[str, Any]]) -> Any:
        sequence = self.nn.Sequential()
        for name, module in parts:
            sequence.add_module(name, module)
        return sequence

    def layer(self, node: Node, shape: Shape) -> list[tuple[str, Any]]:
        """What comes before BatchNorm and activation."""
        spec, axes = node.layer, len(shape) - 1
        if isinstance(spec, DenseSpec):
            return [("dense", self.weighted(node, "Linear", shape[-1], spec.units))]
        if isinstance(spec, ConvSpec):
            pad, options = self.window(spec, shape)
            return [*pad, ("conv", self.weighted(node, f"Conv{axes}d", shape[-1], spec.filters, **options))]
        if isinstance(spec, DepthwiseSpec | SeparableSpec):
            pad, options = self.window(spec, shape)
            depthwise = self.weighted(node, "Conv2d", shape[-1], shape[-1], "depthwise", groups=shape[-1], **options)
            parts = [*pad, ("depthwise", depthwise)]
            if isinstance(spec, SeparableSpec):
                point = self.weighted(node, "Conv2d", shape[-1], spec.filters, "pointwise", kernel_size=(1, 1))
                parts.append(("pointwise", point))
            return parts
        if isinstance(spec, PoolSpec):
            kind = {"maxpool": "MaxPool", "avgpool": "AvgPool"}[spec.kind]
            return [("pool", getattr(self.nn, f"{kind}{axes}d")(spec.window, stride=spec.strides or spec.window))]
        if isinstance(spec, GlobalAvgPoolSpec):
            return [("pool", getattr(self.nn, f"AdaptiveAvgPool{axes}d")(1)), ("flatten", self.nn.Flatten())]
        if isinstance(spec, FlattenSpec):
            turned = [("permute", self.own.Permute(*range(2, axes + 2), 1))] if axes else []
            return [*turned, ("flatten", self.nn.Flatten())]
        assert isinstance(spec, MergeSpec)
        return [("merge", self.own.Merge(spec.kind))]

    def window(self, spec: ConvSpec | DepthwiseSpec | SeparableSpec, shape: Shape) -> tuple[list[Any], dict[str, Any]]:
        """Keras's ``same`` padding: what is odd goes behind, so it may need a module of its own."""
        strides = spec.strides or (1,) * len(spec.kernel)
        options: dict[str, Any] = {"kernel_size": spec.kernel, "stride": strides}
        if spec.padding == "valid":
            return [], options
        total = [
            max(0, (math.ceil(size / step) - 1) * step + width - size)
            for size, width, step in zip(shape, spec.kernel, strides, strict=False)
        ]
        if all(t % 2 == 0 for t in total):
            return [], options | {"padding": tuple(t // 2 for t in total)}
        sides = [side for t in reversed(total) for side in (t // 2, t - t // 2)]  # torch counts from the last axis
        return [("pad", getattr(self.nn, f"ConstantPad{len(total)}d")(tuple(sides), 0.0))], options

    def weighted(self, node: Node, kind: str, wide: int, out: int, part: str = "", **options: Any) -> Any:
        """A layer with weights, its quantizers given their steps; ``part`` of a separable one."""
        spec = node.layer
        assert isinstance(spec, DenseSpec | ConvSpec | DepthwiseSpec | SeparableSpec)
        inner = part == "depthwise" and isinstance(spec, SeparableSpec)  # its bias comes behind the pointwise part
        options["bias"] = spec.bias and not node.batchnorm and not inner
        if self.steps is None:
            return getattr(self.nn, kind)(wide, out, **options)
        axes = 0 if kind == "Linear" else int(kind[-2])
        step = self.steps.weight(node, (out, *(1,) * (axes + 1)), inner)
        real = self.spec.weight_scales != "fixed"
        options["weight_quant"] = quantizers.weights(node.weight_grid.bits, step, narrow=real)
        if options["bias"]:
            options["bias_quant"] = quantizers.biases(*self.steps.bias(node))
        return getattr(self.qnn, f"Quant{kind}")(wide, out, **options)

    def activation(self, node: Node) -> list[tuple[str, Any]]:
        """The activation and its quantizer."""
        kind, grid = node.activation, node.activation_grid
        step = self.steps.value(node) if self.steps is not None else None
        if kind == "none" or (kind == "linear" and step is None):
            return []
        if step is None:
            return [("act", getattr(self.nn, {"relu": "ReLU", "tanh": "Tanh", "sigmoid": "Sigmoid"}[kind])())]
        if kind == "tanh":  # QKeras's: the identity, clipped to -1 .. 1, which the grid does
            return self.grid(Grid(grid.bits, 0), True, step, "quant", binary=False)
        if kind == "sigmoid":
            return [("act", self.own.HardSigmoid()), *self.grid(Grid(grid.bits, 0), False, step, "quant")]
        if kind == "relu":
            return [("act", self.nn.ReLU()), *self.grid(grid, False, step, "quant")]
        return self.grid(grid, True, step, "quant")

    def grid(self, grid: Grid, signed: bool, step: Any, name: str, binary: bool = True) -> list[tuple[str, Any]]:
        """A quantizer of values; Brevitas exports any single bit as a sign, so 0 and 1 are a clipped wider grid."""
        if grid.bits > 1 or (signed and binary):
            return [(name, self.qnn.QuantIdentity(act_quant=quantizers.values(grid.bits, step, signed)))]
        one = float(step())
        clip = self.nn.Hardtanh(-one if signed else 0.0, 0.0 if signed else one)
        return [("clip", clip), (name, self.qnn.QuantIdentity(act_quant=quantizers.values(2, step, signed)))]
